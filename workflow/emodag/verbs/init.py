"""`emodag init TABLE...`: a configuration for tables, by what their columns are called and hold."""

import argparse
import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.printing import tell
from ledger.errors import InputError
from ledger.shown import shown
from ledger.words import plural

if TYPE_CHECKING:
    from emodag.science.tables.guesses.column import Column
    from emodag.science.tables.guesses.guesses import Guesses
    from emodag.science.tables.table import Table

KEYS = {"label": "label", "person": "group", "id": "id"}
"""The key of section `data` that says which column has a role."""

PRESET = Path("workflow/config/cross_subject.yaml")
"""What to start from where the person of each row to predict is known."""

_TRAIN = {"train", "training", "trainset"}
_TEST = {"test", "testing", "testset", "hidden", "unseen", "holdout"}
"""Words of the names of files that hold a training table, or a test table."""

_NO_TEST = "none: there will be scores, no submission"


def add(verbs) -> None:
    """Add the verb to the command line."""
    init = verbs.add_parser(
        "init",
        help="look at tables and write a configuration for them",
        description="Look at tables, guess what their columns are, say so and why, and write a "
        "configuration that holds only what differs from the defaults. Files with the same columns "
        "are one table, such as one file per person; of several tables the one with the labels is "
        "the training table.",
    )
    init.add_argument(
        "tables",
        nargs="+",
        metavar="TABLE",
        help="a file that can be read as a table, or a pattern",
    )
    init.add_argument(
        "--out",
        type=Path,
        default=Path("mine.yaml"),
        metavar="FILE",
        help="the configuration to write, which must not exist yet (default: mine.yaml)",
    )
    init.set_defaults(verb=_init)


def _init(options: argparse.Namespace) -> int:
    from emodag.science.tables.guesses.guess import guess

    if options.out.exists() or options.out.is_symlink():
        raise InputError(f"{options.out} exists; remove it, or name another file by --out")
    tables, separator = _opened(options.tables)
    train, test, others = _told_apart(options.tables, _parts(options.tables, tables))
    found = guess(train.table, test and test.table)
    if not found.person and len(train.files) > 1:
        with suppress(InputError):  # where names of files do not say it
            of_files = _with_persons(train)
            if test and len(test.files) > 1:
                test = replace(test, table=_with_persons(test))
            found = guess(of_files, test and test.table)
            found.reasons["person"] = "the name of the file"
            found.unsure["person"] = "no column names persons; is each file one person's?"
    text = "\n".join([*_configuration(options.tables, separator, train, test, found), ""])
    with options.out.open("x", encoding="utf-8") as file:
        file.write(text)
    tell(*_told(separator, train, test, others, found))
    absent = [f"data.{KEYS[role]}" for role in ("label", "person") if not getattr(found, role)]
    if absent:
        tell(f"Wrote {options.out}; fill in {' and '.join(absent)} there.")
        return 1
    preset = [str(PRESET)] if _knows_persons(test, found) and PRESET.is_file() else []
    told = shlex.join(["emodag", "check", *preset, str(options.out)])
    tell(f"Wrote {options.out}. Next: {told}")
    return 0


def _knows_persons(test: "Part | None", found: "Guesses") -> bool:
    """Whether the person of each row to predict is known."""
    if test is None or found.person is None:
        return False
    return found.test_group is not None or found.person.name in test.table.columns


@dataclass(frozen=True)
class Part:
    """Files with the same columns, as one table; `named` is what the configuration calls them."""

    named: str | list[str]
    files: list[str]
    table: "Table"

    def __str__(self) -> str:
        more = f" with {plural(len(self.files) - 1, 'more file')}" if len(self.files) > 1 else ""
        return f"{self.files[0]}{more}"


def _opened(asked: Sequence[str]) -> "tuple[dict[str, Table], str | None]":
    """The files and their tables, and what separates cells where the configuration must say it."""
    from emodag.config.raw_files import raw_files
    from emodag.science.tables.csv_dialect import Dialect

    files = raw_files(list(asked))
    tables = {name: _table(name, said, None) for name, said in files.items()}
    marks = {name: table.other_separator for name, table in tables.items()}
    separator = next((mark for mark in marks.values() if mark and mark.isascii()), None)
    if separator:
        tables = {name: _table(name, said, separator) for name, said in files.items()}
        first = next(name for name in marks if marks[name] == separator)
        for name, table in tables.items():
            if table.other_separator:
                raise InputError(
                    f"{first}: its cells are separated by {Dialect(separator).name}s, and those of "
                    f"{name} by {Dialect(table.other_separator).name}s; write both alike, as "
                    "data.separator is for all tables"
                )
    for name, table in tables.items():
        if table.hint:
            raise InputError(f"{name}: {table.hint.removeprefix('; ')}")
    return tables, separator


def _table(name: str, said: dict[str, str | None], separator: str | None) -> "Table":
    from emodag.science.tables.ingest import open_table
    from emodag.science.tables.joined_table import PartitionTable

    table = open_table(Path(name), separator=separator)
    return PartitionTable(table, said) if said else table


def _parts(asked: Sequence[str], opened: "Mapping[str, Table]") -> list[Part]:
    """The tables that files come to, in their order."""
    from emodag.config.raw_files import raw_files
    from emodag.science.tables.joined_table import JoinedTable

    alike: dict[tuple, dict[str, Table]] = {}
    called = [name for name in opened if _is_called(name, _TRAIN)]
    for name, table in opened.items():
        # Of two files with the same columns, or beside one called train, one may be called test,
        # and of two of which one is called train the other is no part of it.
        is_test = bool(called or len(opened) == 2) and _is_called(name, _TEST)
        is_test |= len(opened) == 2 and len(called) == 1 and name not in called
        # Of slices of one frame the first has no index to speak of.
        columns = frozenset({*table.columns} - {table.index})
        alike.setdefault((columns, is_test), {})[name] = table
    parts = []
    for tables in alike.values():
        pattern = next((name for name in asked if [*raw_files(name)] == [*tables]), None)
        joined = (
            next(iter(tables.values())) if len(tables) == 1 else JoinedTable([*tables.values()])
        )
        parts.append(Part(pattern or [*tables], [*tables], joined))
    return parts


def _with_persons(part: Part) -> "Table":
    """The table of several files with a column of their names, as if each were of one person."""
    from emodag.config.raw_files import FILE, persons_of_files
    from emodag.science.tables.joined_table import JoinedTable, PartitionTable

    names = persons_of_files(part.files).values()
    tables = zip(part.table.tables, names, strict=True)
    return JoinedTable([PartitionTable(table, {FILE: name}) for table, name in tables])


def _is_called(name: str, words: set[str]) -> bool:
    return not words.isdisjoint(re.split(r"[\W\d_]+", Path(name).name.casefold()))


def _told_apart(asked: Sequence[str], parts: list[Part]) -> tuple[Part, Part | None, list[Part]]:
    """The training table, the test table, and what is neither."""
    train = max(parts, key=lambda part: _likeness_to_training(part, parts))  # the first of equals
    if len(train.table.columns) < 2:
        raise InputError(f"{train}: has one column only, {train.table.columns[0]!r}")
    others = [part for part in parts if part is not train]
    # One that was named by itself, and not as a part of a folder, comes first.
    test = max(
        (part for part in others if _is_alike(train, part)),
        key=lambda part: ({*part.files} <= {*asked}, _shared(train, part)),
        default=None,
    )
    return train, test, [part for part in others if part is not test]


def _shared(train: Part, part: Part) -> int:
    return len(({*train.table.columns} - {train.table.index}).intersection(part.table.columns))


def _is_alike(train: Part, part: Part) -> bool:
    """Unlike true labels by id, say, which share a column or two."""
    return 2 * _shared(train, part) >= _shared(train, train)


def _likeness_to_training(part: Part, parts: list[Part]) -> tuple[bool, int, int, int]:
    """How much a table is like one to learn from, beside the others; the first reason decides."""
    from emodag.science.tables.guesses.words import LABELS, rank

    columns = part.table.columns
    elsewhere = {name for other in parts if other is not part for name in other.table.columns}
    labels = [n for n in columns if rank(n, LABELS) is not None and n not in elsewhere]
    widest = max(len(other.table.columns) for other in parts)
    train, test = (any(_is_called(n, words) for n in part.files) for words in (_TRAIN, _TEST))
    return 2 * len(columns) > widest, len(labels), train - test, len(columns)


def _configuration(
    asked: Sequence[str],
    separator: str | None,
    train: Part,
    test: Part | None,
    found: "Guesses",
) -> Iterator[str]:
    """The lines of a configuration that holds what differs from the defaults, each with why."""
    from emodag.science.tables.spelling import have_other_numbers

    yield f"# Guesses of `{shown(shlex.join(['emodag', 'init', *asked]))}`, to be looked over."
    yield "# All other keys have their defaults; docs/configuration.md lists them."
    yield "data:"
    yield "  source: files"
    yield _entry("train", train.named)
    if test:
        yield _entry("test", test.named)
    if separator:
        yield _entry("separator", separator, "what stands between the cells")
    if found.decimal:
        yield _entry("decimal", found.decimal, "in all columns of numbers that have decimals")
    if _is_positional(train, test, found):
        yield "  # As by default, the id is the first column, the label the last but one and the"
        yield f"  # person the last: {shown(_as_they_stand(train, found))}."
    else:
        yield from _roles(found)
    if found.test_group:
        yield _entry("test_group", found.test_group, "called so, and the test table lacks `group`")
    elif test and not _knows_persons(test, found):
        yield f"  # test_blocks: 30  # each person's rows in the test table, for {PRESET}"
    if found.ignore:
        yield "  ignore:"
        for name, why in found.ignore.items():
            yield f"    - {_flow(name)}  # {shown(why)}"
    classes = _classes(found.label.values) if found.label else None
    if classes:
        numbered = classes == [str(at) for at in range(len(classes))]
        yield _entry("classes", classes, "names in this order can replace them" * numbered)
    if found.label and found.label.missing:
        yield _entry("unlabelled", "rows", "rows without a label, from which students learn, too")
    if found.missing:
        yield _entry("missing_values", found.missing, "found in columns of numbers")
    if classes and have_other_numbers(classes):
        yield "submission: {values: names}  # positions from 0 would read like other classes"
    if found.person and found.label:
        yield from _for_few_rows(found)
    yield "# protocols: [nested]  # only the scores for people not seen, in half the time"


def _roles(found: "Guesses") -> Iterator[str]:
    names = {"label": found.label and found.label.name, "id": found.id}
    names |= {"person": found.person and found.person.name}
    for role, key in KEYS.items():
        unsure = found.unsure.get(role, "")
        if names[role] is not None:
            yield _entry(key, names[role], "; ".join(filter(None, [found.reasons[role], unsure])))
        elif unsure:
            yield f"  # {key}: to be filled in: {shown(unsure)}"


def _is_positional(train: Part, test: Part | None, found: "Guesses") -> bool:
    """Whether the competition's layout, which needs no names of columns, comes to the same.

    There the rows of a submission are numbered from 0, whatever their ids.
    """
    from emodag.science.tables.guesses.column import read_columns
    from emodag.science.tables.ingest import layout_of_test, layout_of_train

    if not (found.label and found.person) or found.ignore or found.test_group:
        return False
    unnamed = dict.fromkeys(("label", "group", "id", "test_group"))
    by_name = {"label": found.label.name, "group": found.person.name, "id": found.id}
    layouts = []
    try:
        for params in (unnamed, unnamed | by_name):
            layout = layout_of_train(train.table, params)
            layouts.append((layout, test and layout_of_test(test.table, layout, params)))
    except InputError:
        return False
    if layouts[0] != layouts[1] or not (test is None or _counts_from_0(test.table)):
        return False
    (first,) = read_columns(train.table, train.table.columns[:1]).values()
    return first.kind != "fractions"  # which only names say to be ids


def _counts_from_0(table: "Table") -> bool:
    from emodag.science.tables.guesses.column import read_columns

    (first,) = read_columns(table, table.columns[:1]).values()
    return first.values == tuple(map(str, range(len(first.codes)))) and bool(
        (first.codes[1:] > first.codes[:-1]).all()
    )


def _as_they_stand(train: Part, found: "Guesses") -> str:
    named = [train.table.columns[0], found.label.name, found.person.name]
    return ", ".join(repr(name) for name in named)


def _classes(values: Sequence[str]) -> list[str] | None:
    """The names of the classes, None where they are the default's; True beside 1 is 1."""
    from emodag.config.data import Data
    from emodag.science.tables.spelling import TRUTH

    numbers = {TRUTH.get(value.casefold(), value) for value in values}
    if numbers == {"0", "1"} and not numbers.isdisjoint(values):
        return ["0", "1"]
    return None if {*values} == {*Data().classes} else list(values)


def _for_few_rows(found: "Guesses") -> Iterator[str]:
    """Settings without which a small table could not be divided into folds and batches."""
    import numpy as np

    from emodag.config.sections import Config

    default = Config()
    labelled = found.person.codes[found.label.codes >= 0]
    rows = np.bincount(labelled)
    folds = min(default.folds, len(found.person.values))
    if folds < default.folds:
        yield f"folds: {folds}  # there are no more persons"
    left = len(labelled) - max(int(rows.max()), math.ceil(len(labelled) / folds))
    if left < default.training.batch:
        batch = 2 ** max(1, int(math.log2(max(left, 1) / 4)))
        yield f"training: {{batch: {batch}}}  # a fold leaves about {left} rows to learn from"


def _told(
    separator: str | None, train: Part, test: Part | None, others: list[Part], found: "Guesses"
) -> Iterator[str]:
    from emodag.science.tables.csv_dialect import Dialect
    from emodag.science.tables.joined_table import JoinedTable
    from emodag.science.tables.table import listed

    yield _line("training table", str(train))
    told = f"{test}{_is_test(train, test, found)}" if test else _NO_TEST
    yield _line("test table", told)
    if separator:
        yield _line("cells", f"separated by {Dialect(separator).name}s")
    for part in filter(partial(_is_alike, train), others):
        yield _line("left out", f"{part}{_is_test(train, part, found)}")
    if truths := [str(part) for part in others if not _is_alike(train, part)]:
        yield _line("left out", f"{listed(truths)}; true labels of the test table are data.truth")
    for role, column in (("label", found.label), ("person", found.person)):
        yield _line(role, _told_of(role, column, found))
    if found.id is not None:
        yield _line("id", f"{found.id!r}: {found.reasons['id']}")
    elif indices := [name for name in found.indices if name not in found.ignore]:
        names = listed(filter(None, indices))
        told = f"the index that was saved along{f': {names}' if names else ''}"
        is_joined = isinstance(train.table, JoinedTable)
        yield _line("id", f"numbers, as each file has {told}" if is_joined else told)
    whys: dict[str, list[str]] = {}
    for name, why in found.ignore.items():
        whys.setdefault(why, []).append(name)
    for why, names in whys.items():
        yield _line("ignored", f"{listed(names)}: {why}")
    if found.decimal:
        yield _line("decimals", "written with a comma")
    if found.missing:
        yield _line("missing", f"written as {listed(found.missing)} in columns of numbers")
    unsure = f". UNSURE: {found.unsure['features']}" if "features" in found.unsure else ""
    yield _line("features", f"{len(found.features):,}: {listed(found.features)}{unsure}")


def _is_test(train: Part, test: Part, found: "Guesses") -> str:
    """Doubts about a test table that is not called so and has labels, but not all features."""
    from emodag.science.tables.table import listed

    is_labelled = found.label is not None and found.label.name in test.table.columns
    if not is_labelled or any(_is_called(name, _TEST) for name in test.files):
        return ""
    lacking = [name for name in train.table.columns if name not in test.table.columns]
    lacks = f" that lacks {listed(lacking)}" if lacking else ""
    return f". UNSURE: it has labels, too; is it a part of the training table{lacks}?"


def _told_of(role: str, column: "Column | None", found: "Guesses") -> str:
    from emodag.science.tables.table import listed

    unsure = f" UNSURE: {found.unsure[role]}" if role in found.unsure else ""
    if column is None:
        return unsure.strip()
    kind = "classes" if role == "label" else "persons"
    absent = f"; {column.missing:,} rows have none" if column.missing else ""
    values = f"{len(column.values):,} {kind}: {listed(column.values)}{absent}"
    return f"{column.name!r}, {found.reasons[role]}; {values}.{unsure}"


def _line(title: str, text: str) -> str:
    return f"{title:16}{text}"


def _entry(key: str, value: Any, why: str = "") -> str:
    return f"  {key}: {_flow(value)}{f'  # {shown(why)}' if why else ''}"


def _flow(value: Any) -> str:
    from emodag.config.written import flow

    return flow(value)
