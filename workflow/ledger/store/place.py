"""Where the store is, as the variable and the results say."""

import contextlib
import os

from ledger.called import store_variable
from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import is_utf8
from ledger.errors import ConfigError
from ledger.jobs.plan import PLANS

NOTE = PLANS / "store"
"""Which store results are made with; a relative one is so to the directory that holds them."""


def remember_store(store: str) -> None:
    """Write down which store the results of this directory are made with."""
    with contextlib.suppress(OSError):
        if read_bytes(NOTE) == os.fsencode(store):
            return
    write_bytes(NOTE, os.fsencode(store))


def at_home(path: str) -> str:
    """A path, where a leading ~ or ~user is a home directory.

    Raises
    ------
    ValueError
        When there is no such user, or nothing tells where the home is.
    """
    found = os.path.expanduser(path)  # noqa: PTH111, as Path makes ~ of ./~
    if found.startswith("~") and (found == "~" or "/" in found):
        raise ValueError(f"{path!r} names no home directory; for what is called so, write ./{path}")
    return found


def asked_store() -> str | None:
    """The store that the variable `ledger.called.store_variable` names, None where it names none.

    Raises
    ------
    ConfigError
        When it begins with a ~ that is no home directory, or names no directory.
    """
    try:
        asked = at_home(os.environ.get(store_variable(), ""))
    except ValueError as error:
        raise ConfigError(f"{store_variable()}: {error}") from None
    if not is_utf8(asked):
        raise ConfigError(f"{store_variable()}: {asked} is not UTF-8; name another directory")
    if "://" in asked:
        raise ConfigError(
            f"{store_variable()}: {asked} is no directory, and jobs write this store. Name a "
            "directory, and further stores in the configuration"
        )
    return asked or None
