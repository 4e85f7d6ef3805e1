"""Where further stores are: directories, buckets of S3, directories behind SSH."""

import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

from ledger import called
from ledger.errors import ConfigError

PACKAGES = {"s3": "obstore", "ssh": "asyncssh"}
"""The package that a kind of address needs, which is imported only where there is such a one."""

SIGNING = "cryptography"
"""The package that signs records, and looks at signatures."""

FORMS = "a directory, s3://BUCKET/PREFIX or ssh://[USER@]HOST[:PORT]/PATH"

_PATTERNS = {
    "s3": r"s3://(?P<host>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<path>(/[\w.!*'()-]+)*)/*",
    "ssh": r"ssh://((?P<user>\w[\w.-]*)@)?(?P<host>\w[\w.-]*|\[[0-9a-fA-F:]+\])"
    r"(:(?P<port>[1-9]\d{0,4}))?(?P<path>/[^?#\x00-\x1f\x7f]+)",
}

_PORTS = 65535


class Address(NamedTuple):
    """A further store.

    Attributes
    ----------
    text : as people write it, and read it in messages.
    kind : ``s3``, ``ssh``, or ``""`` for a directory.
    host : a bucket's name, or a host's.
    path : a bucket's prefix, or the path of a directory; no slash at the end.
    """

    text: str
    kind: str
    path: str
    host: str = ""
    user: str | None = None
    port: int | None = None


def address(text: str) -> Address:
    """Take an address apart.

    Raises
    ------
    ValueError
        When it is none; says what it should be.
    """
    if not re.match(r"[^/]*:/|[^/:]+@[^/:]+:", text):
        if not text or "\0" in text:
            raise ValueError(f"{text!r} names no store; expected {FORMS}")
        return Address(text, "", text.rstrip("/") or "/")
    kind = text.partition(":")[0]
    found = re.fullmatch(_PATTERNS.get(kind, "(?!)"), text, re.ASCII)
    parts = found.groupdict() if found else {}
    port = int(parts.get("port") or 0)
    if not found or {".", ".."}.intersection(parts["path"].split("/")) or port > _PORTS:
        raise ValueError(f"{text!r} names no store{_hint(text, kind)}; expected {FORMS}")
    path = parts["path"].rstrip("/")
    if kind == "s3":
        return Address(text, kind, path.strip("/"), parts["host"])
    # As elsewhere, /~/ is where one logs in.
    path = "." if path == "/~" else path.removeprefix("/~/") or "/"
    return Address(text, kind, path, parts["host"].strip("[]"), parts["user"], port or None)


def _hint(text: str, kind: str) -> str:
    """What may be wrong with an address, as the middle of a sentence."""
    if re.match(r"\w+://[^/]*:[^/]*@", text):
        return ": it holds a password, which would be written beside the results; use a key"
    if kind == "s3" and text.startswith("s3://"):
        return ": a bucket has 3 to 63 of a-z, 0-9, '.' and '-', a prefix no odd signs and no '..'"
    if kind == "ssh" and text.startswith("ssh://"):
        return ": it needs a host and the path of a directory there, without '..'"
    if kind.lower() in PACKAGES:
        return f": it begins otherwise than '{kind.lower()}://'"
    if "://" not in text:
        host, _, path = text.partition(":")
        return f"; did you mean 'ssh://{host}{path if path.startswith('/') else f'/~/{path}'}'?"
    return f": nothing here reads {kind}://"


def divided(stores: str | Sequence[str]) -> tuple[str, list[str]]:
    """The store that is written, and the further ones behind it.

    Raises
    ------
    ValueError
        When the first is no directory, one of the others is no address, or two are the same.
    """
    first, *further = [stores] if isinstance(stores, str) else stores
    places = [address(text)._replace(text="") for text in (first, *further)]
    if places[0].kind:
        raise ValueError(
            f"{first!r} comes first, which is where jobs write, and that must be a directory; "
            f"write [.{called.name()}/store, {first}]"
        )
    for text, place in zip((first, *further), places, strict=True):
        if places.count(place) > 1:
            raise ValueError(f"{text!r} is there twice")
    return first, further


def without_packages(text: str, *, signed: bool = False) -> str | None:
    """The package that an address needs and that is not here; None where all is well.

    Parameters
    ----------
    signed : whether signatures are made or looked at, which takes a package, too.
    """
    needed = [PACKAGES.get(address(text).kind), SIGNING if signed else None]
    return next((package for package in needed if package and find_spec(package) is None), None)


def require_packages(further: Sequence[str], *, signed: bool = False) -> None:
    """See to it that the packages for these addresses are installed.

    Raises
    ------
    ConfigError
        Naming the command that installs what is not.
    """
    for text in further:
        if package := without_packages(text, signed=signed):
            setup = called.setup()
            command = f"{setup} remote" if setup else f"{sys.executable} -m pip install {package}"
            raise ConfigError(
                f"{text}: to use this store takes the package {package}, which is not installed "
                f"here; `{command}` installs it"
            )


def passed_over(text: str) -> str:
    """What the warning begins with that a further store has failed."""
    return f"{text} is passed over: "
