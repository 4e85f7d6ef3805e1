"""Which column is the label, and which the person: by name, the test table, or cells."""

import re
from collections.abc import Collection, Container, Mapping, Sequence

import numpy as np

from emodag.science.tables.guesses.column import FEW, Column
from emodag.science.tables.guesses.guesses import Guesses
from emodag.science.tables.guesses.words import LABELS, NOTHING, PERSONS, is_time, rank
from emodag.science.tables.spelling import several_spellings
from emodag.science.tables.table import few

_UNLABELLED = re.compile(rf"\?+|un(defined|labell?ed|certain)|{NOTHING}", re.I)
"""What they write for a label that is."""

_CLASSES = 300
"""More values than this no label has, unless it is called one."""

_SHOWN = 20


def label_and_person(
    found: Guesses,
    columns: Mapping[str, Column],
    lacking: Collection[str],
    names: Sequence[str],
    slips: Container[str],
) -> None:
    """Find the label and the person, and say why, and what else they could be.

    Parameters
    ----------
    columns : those that were read, of all `names` in the table's order.
    lacking : which of them the test table has not.
    slips : which hold numbers and cells that are none.
    """
    grouping = {name: column for name, column in columns.items() if column.is_grouping}
    # What the test table lacks is more likely the label.
    rated = grouping | {name: column for name, column in columns.items() if column.is_scale}
    blind = {name: column for name, column in rated.items() if name in lacking}
    labels = called_by(blind, LABELS) or called_by(rated, LABELS)
    persons = called_by({n: c for n, c in grouping.items() if not c.missing}, PERSONS)
    if labels:
        found.label = _first(found, labels, "label")
    if persons:
        found.person = _first(found, [c for c in persons if c is not found.label], "person")
    others = {
        name: column
        for name, column in grouping.items()
        if column not in (found.label, found.person)
        and name not in slips
        and not is_time(name)
        and not counts(column, found.person)
    }
    if not found.person:
        _person_by_cells(found, others, lacking, names)
    others = {name: column for name, column in others.items() if column is not found.person}
    if not found.label:
        scales = {n: c for n, c in rated.items() if n not in grouping and n not in slips}
        _label_by_cells(found, others | scales, lacking)
        others = {name: column for name, column in others.items() if column is not found.label}
        if found.label and not found.person:
            _person_by_cells(found, others, lacking, names)
    elif {"-1", "0", "1"} <= {*found.label.values} and len(found.label.values) > 3:
        found.unsure["label"] = "is '-1' a class, or does it stand for no label?"
    if found.label and found.label.kind == "text" and found.label.gaps:
        found.unsure["label"] = (
            f"is {_or(found.label.gaps)} a class? It stands for no label here; if it is one, name "
            "it in `classes` and leave `unlabelled` out"
        )
    _odd_classes(found)
    gaps = [c for c in called_by(grouping, PERSONS) if c.missing]
    if not found.person and gaps:
        told = f"; {gaps[0].name!r} is called so, but {gaps[0].missing:,} of its cells are missing"
        found.unsure["person"] += told
    for role, words in (("label", LABELS), ("person", PERSONS)):
        called = [name for name in names if rank(name, words) is not None and name not in grouping]
        if getattr(found, role) is None and called:
            found.unsure[role] += (
                f"; {called[0]!r} is called so, but what it holds does not group rows"
                f"{_why_no_groups(columns.get(called[0]))}"
            )


def _odd_classes(found: Guesses) -> None:
    """Say of classes that they may be none, or several one."""
    classes = () if found.label is None else found.label.values
    if stray := [*filter(_UNLABELLED.fullmatch, classes)]:
        found.unsure["label"] = (
            f"is {_or(stray)} a class, or does it stand for no label? In the latter case take it "
            "out of `classes`, name it in `missing_values`, and set `unlabelled: rows`"
        )
    if alike := several_spellings(classes):
        told = few((" and ".join(map(repr, names)) for names in alike), "; ")
        found.unsure["label"] = f"{told} are probably one class in several spellings"


def called_by(columns: Mapping[str, Column], words: Sequence[str]) -> list[Column]:
    """Those that are called by one of the words, the likeliest first."""
    ranked = [(p, len(n), c) for n, c in columns.items() if (p := rank(n, words)) is not None]
    return [column for *_, column in sorted(ranked, key=lambda found: found[:2])]


def _first(found: Guesses, columns: Sequence[Column], role: str) -> Column | None:
    if not columns:
        return None
    chosen, *others = columns
    found.reasons[role] = "called so"
    others = [c.name for c in others if not c.agrees_with(chosen)]
    if others:
        found.unsure[role] = f"by name it could also be {_or(others)}"
    return chosen


def _person_by_cells(
    found: Guesses, others: Mapping[str, Column], lacking: Collection[str], names: Sequence[str]
) -> None:
    """The one column whose rows stand in blocks that show several classes, if it is one."""
    known = found.label
    candidates = [c for c in others.values() if not c.missing]
    blocks = [c for c in candidates if c.stands_in_blocks and (not known or _varies(known, c))]
    if len(blocks) > 1 and (texts := [c for c in blocks if c.kind == "text"]):
        blocks = texts if len(texts) == 1 else blocks
    likely = [c for c in blocks if c.name in lacking] or blocks
    if len(likely) == 1 and (known or likely[0].name == names[-1]):
        found.person = likely[0]
        found.reasons["person"] = "its rows stand in blocks, one for each value"
        found.unsure["person"] = _by_cells(candidates, found.person)
    else:
        found.unsure["person"] = _cannot_be_told(candidates)


def _label_by_cells(found: Guesses, others: Mapping[str, Column], lacking: Collection[str]) -> None:
    """The one column of few values that the test table lacks, or the one of text."""
    candidates = [c for c in others.values() if len(c.values) <= _CLASSES]
    blind = [c for c in candidates if c.name in lacking]
    texts = [c for c in candidates if c.kind in ("text", "flags") and not c.stands_in_blocks]
    for likely, why in ((blind, "the test table lacks it"), (texts, "the one column of text")):
        if len(likely) == 1 and (not lacking or likely is blind):
            found.label = likely[0]
            found.reasons["label"] = f"{why}, and its values are few"
            found.unsure["label"] = _by_cells(candidates, found.label)
            return
    found.unsure["label"] = _cannot_be_told(blind or texts or candidates)


def _by_cells(candidates: Sequence[Column], chosen: Column) -> str:
    others = [column.name for column in candidates if column is not chosen]
    more = f"; by them it could also be {_or(others)}" if others else ""
    return f"told by its cells, not by its name{more}"


def _cannot_be_told(candidates: Sequence[Column]) -> str:
    names = [column.name for column in candidates]
    return f"cannot be told; it could be {_or(names)}" if names else "there is no such column"


def _why_no_groups(column: Column | None) -> str:
    if column is None:
        return ""
    if len(column.values) < 2:
        return f": it is {_or(column.values)} in all rows" if column.values else ": it is empty"
    are_decimals = column.kind == "fractions"
    return f": {'they are decimals' if are_decimals else 'nearly every row has another value'}"


def _varies(label: Column, person: Column) -> bool:
    """Whether at least half of the persons show more than one class."""
    pairs = np.unique(np.column_stack([person.codes, label.codes]), axis=0)
    return bool((np.bincount(pairs[:, 0]) > 1).mean() >= 0.5)


def counts(column: Column, person: Column | None) -> bool:
    """Whether whole numbers go up by one from row to row, and may begin anew with each person."""
    if column.kind != "whole" or column.missing or len(column.codes) < 3:
        return False
    steps = np.diff(column.numbers())
    if person is not None:
        steps = steps[np.diff(person.codes) == 0]
    elif len(column.values) > FEW:  # it may begin anew wherever it goes down
        steps = steps[steps >= 0]
    return len(steps) > len(column.codes) / 2 and bool((steps == 1).all())


def _or(names: Sequence[str]) -> str:
    *first, last = map(repr, names[:_SHOWN])
    return f"{', '.join(first)} or {last}" if first else last
