"""What the columns of tables nobody has described probably are, and why; nothing is sure.

A column's name tells most, then what the test table lacks, then the cells. The same tables always
give the same guesses.
"""

from collections.abc import Collection, Container

import numpy as np

from emodag.science.tables.guesses.column import read_columns
from emodag.science.tables.guesses.guesses import Guesses
from emodag.science.tables.guesses.rest import id_of_rows, no_feature, second_ratings
from emodag.science.tables.guesses.roles import label_and_person
from emodag.science.tables.guesses.sample import Sample, no_numbers, promising
from emodag.science.tables.guesses.words import IDS, PERSONS, rank
from emodag.science.tables.joined_table import JoinedTable, PartitionTable
from emodag.science.tables.saved_index import saved_indices
from emodag.science.tables.table import Table, listed


def guess(train: Table, test: Table | None) -> Guesses:
    """Guess the roles of the training table's columns.

    Raises
    ------
    InputError
        If the tables cannot be read.
    """
    names = [name for name in train.columns if name != train.index]
    known = set(names if test is None else test.columns)
    lacking = dict.fromkeys(name for name in names if name not in known)
    sample = Sample(train, names)
    columns = read_columns(train, promising(sample, names, lacking))
    for what, words in (("id", IDS), ("person", PERSONS)):  # who, or which, may be called NA
        named = [n for n, c in columns.items() if c.gaps and rank(n, words) is not None]
        columns |= read_columns(train, named, what) if named else {}
    found = Guesses()
    label_and_person(found, columns, lacking, names, sample.slips)
    if found.label and isinstance(train, JoinedTable):
        _doubt_files(found, train)
    if not found.person and isinstance(train, JoinedTable):
        found.unsure["person"] += (
            "; if each file is of one person, put it into a folder that says so, such as person=S2"
        )
    own = {c.name for c in (found.label, found.person) if c}
    rest = {name: column for name, column in columns.items() if name not in own}
    id_of_rows(found, test, rest)
    found.indices = saved_indices(train, own, id=found.id)
    own |= {found.id, *found.indices}
    for name in lacking:
        if name not in own:
            twin = next((n for n in test.columns if n.casefold() == name.casefold()), None)
            but = f", but has {twin!r}: is it the same, spelt otherwise?" if twin else ""
            found.ignore[name] = f"the test table lacks it{but}"
    for name, column in rest.items():
        if name not in {*own, *sample.slips} and (why := no_feature(found, column)):
            found.ignore.setdefault(name, why)
    for name in _said_by_folders(train):
        if name not in own:
            found.ignore.setdefault(name, "what a folder is called")
    for names_, why in ((sample.texts, "text"), (sample.unreadable, "neither numbers nor text")):
        for name in names_:
            if name not in own:
                found.ignore.setdefault(name, why)
    if found.indices and not isinstance(train, JoinedTable):  # of which each file has its own
        for name, column in read_columns(train, found.indices, "id").items():
            if len(column.values) < len(column.codes):
                found.ignore[name] = "an index that repeats"
    features = [name for name in names if name not in own and name not in found.ignore]
    second_ratings(found, train, [name for name in features if name not in sample.slips])
    found.features = [name for name in features if name not in found.ignore]
    _read_slips(found, train.decimal, sample, own)
    if test is not None and found.person and found.person.name not in test.columns:
        found.test_group = _persons_of_test(test, {*names, test.index})
    return found


def _doubt_files(found: Guesses, train: JoinedTable) -> None:
    """Say which files may be to be predicted, as their labels tell nothing, unlike others'."""
    parts = np.split(found.label.codes, train.first_rows[1:])
    labels = [len(np.unique(codes[codes >= 0])) for codes in parts]
    enough = min(2, max(labels))
    odd = [str(t.path) for t, n in zip(train.tables, labels, strict=True) if n < enough]
    if odd:
        told = (
            f"{listed(odd)} {'has' if len(odd) == 1 else 'have'} one label throughout, or none: if "
            "these rows are to be predicted, name them in `test` and not in `train`"
        )
        also = [found.unsure["label"]] if "label" in found.unsure else []
        found.unsure["label"] = "; ".join([*also, told])


def _read_slips(found: Guesses, decimal: str, sample: Sample, own: Collection[str]) -> None:
    """Find out how cells of columns of numbers are meant that are none."""
    cells = sample.cells_of_slips({*own, *found.ignore})
    found.missing, odd = no_numbers(cells, decimal)
    points = (name for name in found.features if name not in cells and name not in sample.whole)
    if odd and decimal == "." and not any(points):
        missing, others = no_numbers(cells, ",")  # as quoted ones between commas
        if not others:
            found.missing, found.decimal = missing, ","
            return
    if names := [name for name in found.features if name in odd]:
        told = f"not all of {listed(names)} is numbers, such as {odd[names[0]]!r}: correct it, or "
        also = [found.unsure["features"]] if "features" in found.unsure else []
        found.unsure["features"] = "; ".join([*also, f"{told}name it in `ignore`"])


def _said_by_folders(table: Table) -> dict[str, None]:
    parts = table.tables if isinstance(table, JoinedTable) else [table]
    folders = [part.said for part in parts if isinstance(part, PartitionTable)]
    return dict.fromkeys(name for said in folders for name in said)


def _persons_of_test(test: Table, known: Container[str]) -> str | None:
    """The one column that is called as persons are, of those that the training table lacks."""
    called = [n for n in test.columns if n not in known and rank(n, PERSONS) is not None]
    likely = [n for n, c in read_columns(test, called).items() if c.is_grouping and not c.missing]
    return likely[0] if len(likely) == 1 else None
