"""Which columns are ids or no features, of those that are neither label nor person."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from emodag.science.tables.guesses.column import Column, read_columns
from emodag.science.tables.guesses.guesses import Guesses
from emodag.science.tables.guesses.roles import called_by, counts
from emodag.science.tables.guesses.words import IDS, PERSONS, is_time, rank
from emodag.science.tables.suspicions.disguises import disguises
from emodag.science.tables.suspicions.glance import ROUGH, sample_of
from emodag.science.tables.table import Table
from ledger.errors import InputError

_DATED = re.compile(
    r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4}|-?\d\d?:\d\d|-?\d+ days? "
)
"""How a time begins, or a span of time."""

_THOUSANDS = r"[.,\s'\u2019]"
_MEASURED = re.compile(
    rf"[+-]?(\d+({_THOUSANDS}\d{{3}})*[.,]\d+|\d{{1,3}}({_THOUSANDS}\d{{3}})+)\s?\D{{0,4}}"
)
"""What text looks like that is a number with a unit, or with marks between thousands."""

_MARKED = re.compile(r"[<>~]?[+-]?[\d.,\s'\u2019]*\d\s?[%\u00b0\u00b5\u03bca-zA-Z]{0,4}")
"""What a number looks like with any unit or marks."""

_SHOWN = 20

_CELLS, _PAIRS = 1 << 26, 1 << 30
"""With more cells, or pairs of rows to compare, a table is not searched for features that give the
label away; a run does that."""

_SECOND_RATINGS = 4
"""More features than this that each tell the label are no second ratings, but good features."""


def id_of_rows(found: Guesses, test: Table | None, columns: Mapping[str, Column]) -> None:
    """A column that names the rows of both tables; the index that was saved along needs no word."""
    unique = [
        column
        for column in columns.values()
        if column.is_unique
        and not is_time(column.name)
        and not _DATED.match(column.values[0])
        and not _MEASURED.fullmatch(column.values[0])
        and (rank(column.name, IDS) is not None or column.kind == "text" or counts(column, None))
    ]
    called = called_by({column.name: column for column in unique}, IDS)
    for column in [*called, *(column for column in unique if column not in called)]:
        name = column.name
        if found.id is None and (test is None or _is_id_of(test, name)):
            found.id = name
            found.reasons["id"] = (
                f"{'called so, and ' * (column in called)}no two rows have the same"
            )
        else:
            found.ignore[name] = "each row has another"


def _is_id_of(test: Table, name: str) -> bool:
    return name in test.columns and read_columns(test, [name])[name].is_unique


def no_feature(found: Guesses, column: Column) -> str | None:
    """Why a column is no feature; None if it may be one."""
    if not column.values:
        return None
    if found.label is not None and column.is_grouping and column.agrees_with(found.label):
        return f"tells the same as {found.label.name!r}"
    is_person = found.person is not None and rank(column.name, PERSONS) is not None
    if is_person and column.agrees_with(found.person):
        return f"tells the same as {found.person.name!r}"
    if found.person is not None and column.is_grouping and rank(column.name, PERSONS) is not None:
        return "called as persons are"
    if column.kind == "text":
        first = column.values[0]
        if _DATED.match(first):
            return "a time stamp"
        if all(map(_MARKED.fullmatch, column.values[:_SHOWN])):
            return f"numbers with marks, as {first!r}: to be used, write them without"
        return "text"
    if counts(column, found.person):
        return "counts the rows"
    if is_time(column.name) and column.kind != "flags":
        steps = np.diff(column.numbers())
        if found.person is not None:
            steps = steps[np.diff(found.person.codes) == 0]
        if (steps >= 0).all() and (steps > 0).any():
            return "a time stamp"
    return None


def second_ratings(found: Guesses, train: Table, features: Sequence[str]) -> None:
    """Leave out the few features, or pairs, from which the label follows."""
    if found.label is None or found.person is None or not features:
        return
    rows = len(found.label.codes)
    if rows * len(features) > _CELLS or min(rows, ROUGH) ** 2 * len(features) > _PAIRS:
        found.unsure["features"] = "whether one gives the label away, `emodag check` tells"
        return
    sample = sample_of(rows, len(features))
    sample = sample[found.label.codes[sample] >= 0]
    values = np.empty((len(sample), len(features)))
    try:
        for block in train.blocks(features, []):
            inside = (sample >= block.first_row) & (sample < block.first_row + len(block.values))
            values[inside] = block.values[sample[inside] - block.first_row]
    except InputError:
        return  # a run will say so
    values[np.isinf(values)] = np.nan
    places = disguises(values, found.label.codes[sample], found.person.codes[sample])
    telling = [features[at] for at in dict.fromkeys(at for place in places for at in place)]
    if len(telling) <= _SECOND_RATINGS:
        for name in telling:
            found.ignore[name] = "the label follows from it: is it another form of it?"
    else:
        found.unsure["features"] = (
            f"the label follows from each of {len(telling)}: are they forms of it, or just good?"
        )
