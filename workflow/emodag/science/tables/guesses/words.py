"""What the name of a column tells."""

import re
from collections.abc import Sequence

LABELS = (
    *("label", "target", "class", "y", "emotion", "mood", "quadrant", "condition", "category"),
    *("state", "affect", "feeling", "sentiment", "activity", "stress", "valence", "arousal"),
)
PERSONS = (
    *("person", "subject", "participant", "subj", "user", "who", "patient", "speaker", "pid"),
    *("sid", "uid", "sub", "individual", "volunteer", "id", "file"),
)
IDS = ("id", "rowid", "index", "idx", "row", "window", "sample", "key", "uuid", "segment", "nr")
TIMES = {"time", "timestamp", "datetime", "date", "ts"}
"""What columns are called, the likeliest first."""

_ENDINGS = (
    "uuid",
    "id",
    "ids",
    "no",
    "number",
    "num",
    "nr",
    "code",
    "name",
    "label",
    "class",
    "type",
    "true",
    "s",
)
NOTHING = r"missing|unknown|none|null|nan?|n[./]\s?a\.?|k\.\s?a\."
"""What people write for nothing."""


def rank(name: str, words: Sequence[str]) -> int | None:
    """The place among `words` of what a column is called, without endings; None if it is none."""
    plain = re.sub(r"[\W_]", "", name).casefold()
    while plain:
        if plain in words:
            return words.index(plain)
        ending = next((e for e in _ENDINGS if plain.endswith(e) and plain != e), "")
        if not ending:
            break
        plain = plain.removesuffix(ending)
    parts = re.split(r"[\W_]+", name.casefold())
    last = parts[-1] if words is LABELS and parts[-1] in LABELS[:3] else None
    return words.index(last) if last else None


def is_time(name: str) -> bool:
    """Whether a column is called as times are."""
    return not TIMES.isdisjoint(re.split(r"[\W_]+", name.casefold()))
