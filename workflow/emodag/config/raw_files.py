"""Which files a raw table is in: those that are named, of a pattern, or in a folder."""

import os
import re
from collections.abc import Sequence
from glob import glob, has_magic
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ledger.disk.canonical import is_utf8
from ledger.errors import InputError

FILE = "file"
"""The column of persons whose values are names of files, where each person has one."""

_ENDING = re.compile(r"\.(csv|tsv|parquet|pq|feather)(\.\w+)?$|\.zip$", re.I)


def raw_files(named: str | list[str] | None) -> dict[str, dict[str, str | None]]:
    """The files that are named, each with the columns that its folders' names are.

    Those of a pattern, or in a folder however deep, come in the order of their paths. Names that
    begin with a dot or an underscore are passed over in a folder, as pandas does. A folder called
    ``who=S1``, below the one that is named or in a pattern, is a column. A pattern that fits no
    file stays as it is, and will be missed like a file.

    Raises
    ------
    InputError
        If a folder holds no file, or a name is not UTF-8.
    """
    names = [named] if isinstance(named, str) else named or []
    found: dict[str, dict[str, str | None]] = {}
    for name in names:
        root, matching = Path(name), [name]
        if not os.path.lexists(name):
            root = Path(*takewhile(lambda part: not has_magic(part), root.parts))
            # Path.glob takes no absolute pattern.
            matching = sorted(glob(name, recursive=True)) or [name]  # noqa: PTH207
        files = [file for match in matching for file in _files_in(match)]
        if not files:
            raise InputError(f"{name}: this folder holds no table; name a file, or another folder")
        for file in files:
            if not is_utf8(file):
                raise InputError(f"{file}: this name is not UTF-8; rename the file, or its folder")
            found.setdefault(file, _partition(Path(file).relative_to(root)))
    return found


def _files_in(name: str) -> list[str]:
    """The files below a folder, sorted; what is no folder, as it is."""
    if not Path(name).is_dir():
        return [name]
    try:
        entries = [path for path in Path(name).iterdir() if not path.name.startswith((".", "_"))]
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from None
    return sorted(file for path in entries for file in _files_in(str(path)))


def _partition(file: Path) -> dict[str, str | None]:
    """What the folders of a file say of all its rows, such as `who=S1/day=2/part.parquet`."""
    said = (folder.partition("=") for folder in file.parts[:-1] if "=" in folder)
    return {
        unquote(name): None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
        for name, _, value in said
    }


def persons_of_files(files: Sequence[str]) -> dict[str, str]:
    """Whose each file is: its name without endings, or, where all have one name, its folder's.

    Raises
    ------
    InputError
        If some files have one name and others another, as neither then says whose they are.
    """
    named = [(*Path(file).parts[:-1], _ENDING.sub("", Path(file).name)) for file in files]
    for names in zip(*map(reversed, named), strict=False):
        if len(set(names)) == len(files):
            return dict(zip(files, names, strict=True))
        if len(set(names)) > 1:
            break
    twice = next((name for name in names if names.count(name) > 1), names[0])
    raise InputError(
        f"{files[names.index(twice)]}: another file is called {twice!r} too, so names of files do "
        "not say whose they are; put each person's into a folder such as person=S2, and set "
        "data.group: person"
    )


def by_role(
    table: str, named: str | list[str], group: str | None, *, is_said: bool = False
) -> dict[str, tuple[str, dict]]:
    """The files of a table by their roles, see `raw_files`.

    Where the column of persons, `group`, is `FILE`, each also with its person. A single file
    without labels may be of many persons. Not where `is_said`, that is, where paths must say whose
    rows they are: those in a folder such as `who=S9` are that person's, wherever it stands in the
    path, and those of another single file are of the person it is called by.
    """
    files = raw_files(named)
    if is_said:
        files = {
            file: {k: v for k, v in _partition(Path(file)).items() if k == group} | said
            for file, said in files.items()
        }
    unsaid = [file for file, said in files.items() if group not in said]
    is_only = len(files) == 1
    if unsaid and (is_said if is_only and table != "train" else group == FILE):
        who = persons_of_files(unsaid)
        files = {f: {group: who[f], **said} if f in who else said for f, said in files.items()}
    found = list(files.items())
    if len(found) == 1:
        return {table: found[0]}
    return {f"{table}/{at:05}": file for at, file in enumerate(found)}


def partitions(files: dict[str, tuple[Any, dict]]) -> dict:
    """The parameter of a stage that reads such files, where folders' names are columns."""
    found = {role: partition for role, (_, partition) in files.items() if partition}
    return {"partitions": found} if found else {}
