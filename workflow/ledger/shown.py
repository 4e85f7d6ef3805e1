"""Text from files and names, as a terminal may show it."""

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: move the cursor, set colours, ring, run macros
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # set the direction of what follows
    "\u2028\u2029"  # end a line
    "\ud800-\udfff]"  # bytes of a file name that are no UTF-8, which cannot be printed
)


def shown(text: str) -> str:
    r"""One line of text in which nothing steers a terminal: such characters as `\x1b`, `\u202e`."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
