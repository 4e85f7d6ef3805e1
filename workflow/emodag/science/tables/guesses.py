"""What the columns of tables nobody has described probably are, and why; nothing is sure.

A column's name tells most, then what the test table lacks, then the cells. The same tables always
give the same guesses.
"""

import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.csv_dialect import is_number
from emodag.science.tables.joined_table import JoinedTable
from emodag.science.tables.row_facts import canonical_keys, missing_spellings
from emodag.science.tables.saved_index import saved_indices
from emodag.science.tables.spelling import several_spellings
from emodag.science.tables.suspicions import ROUGH, disguises, sample_of
from emodag.science.tables.table import FALSE, TRUE, Block, Table, fault
from emodag.science.tables.text_columns import text_columns
from ledger.errors import InputError

LABELS = (
    *("label", "target", "class", "y", "emotion", "mood", "quadrant", "condition", "category"),
    *("state", "affect", "feeling", "sentiment", "activity"),
)
PERSONS = (
    *("person", "subject", "participant", "subj", "user", "who", "patient", "speaker", "pid"),
    *("sid", "uid", "sub", "individual", "volunteer", "id", "file"),
)
IDS = ("id", "rowid", "index", "idx", "row", "window", "sample", "key", "uuid", "segment", "nr")
TIMES = {"time", "timestamp", "datetime", "date", "ts"}
"""What columns are called, the likeliest first."""

_DATED = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4}|\d\d?:\d\d")
"""How a time begins."""

_MEASURED = re.compile(r"[+-]?\d+([.,]\d{3})*[.,]\d+\s?\D{0,4}")
"""What text looks like that is a number with a unit, or with marks between thousands."""

_MARKED = re.compile(r"[<>~]?[+-]?[\d.,]*\d\s?[%\u00b0\u00b5\u03bca-zA-Z]{0,4}")
"""What a number looks like with any unit or marks."""

_ENDINGS = (
    "id",
    "ids",
    "no",
    "number",
    "num",
    "code",
    "name",
    "label",
    "class",
    "type",
    "true",
    "s",
)
_READ = 64
"""As many columns at most are looked at in all rows."""

_TOGETHER = 1 << 23
"""As many cells at most are looked at as text at a time."""

_FEW = 10
"""So few whole numbers in turn, or with decimals, may be classes; more count, or measure."""

_NOTHING = r"missing|unknown|none|null|nan?|n[./]\s?a\.?|k\.\s?a\."
_MISSING = re.compile(rf"[^\w\s]{{1,3}}|#\w+(/\w+)?[!?]|{_NOTHING}", re.I)
"""What people write for a cell that is missing."""

_UNLABELLED = re.compile(rf"\?+|un(defined|labell?ed|certain)|{_NOTHING}", re.I)
"""What they write for a label that is."""

_CLASSES = 300
"""More values than this no label has, unless it is called one."""

_SHOWN = 20
_CELLS, _PAIRS = 1 << 26, 1 << 30
"""With more cells, or pairs of rows to compare, a table is not searched for features that give the
label away; a run does that."""

_SECOND_RATINGS = 4
"""More features than this that each tell the label are no second ratings, but good features."""


@dataclass(frozen=True, eq=False)
class Column:
    """All cells of a column.

    Attributes
    ----------
    kind : "whole" numbers, "flags", other "text", or "fractions".
    values : the distinct ones as text, numbers by size; missing ones are none.
    codes : (rows,) positions in `values`, -1 where missing.
    gaps : how missing ones are spelt, but for empty cells.
    """

    name: str
    kind: str
    values: tuple[str, ...]
    codes: np.ndarray
    gaps: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many cells are missing."""
        return int((self.codes < 0).sum())

    @property
    def is_unique(self) -> bool:
        """Whether each row has a value that no other has, which could be its name."""
        return self.kind in ("whole", "text") and len(self.values) == len(self.codes)

    @property
    def is_grouping(self) -> bool:
        """Whether the values are few enough to be classes, or persons."""
        return self.kind != "fractions" and 2 <= len(self.values) <= len(self.codes) / 2

    @property
    def is_scale(self) -> bool:
        """Whether the values are a few numbers with decimals, as of a rating in half steps."""
        return self.kind == "fractions" and 2 <= len(self.values) <= min(_FEW, len(self.codes) / 2)

    @property
    def stands_in_blocks(self) -> bool:
        """Whether rows of equal values follow each other."""
        return np.count_nonzero(np.diff(self.codes)) + 1 == len(self.values) and not self.missing

    def numbers(self) -> np.ndarray:
        """The cells as float64 of shape (rows,), NaN where missing; of numbers only."""
        return np.array([*map(float, self.values), np.nan])[self.codes]

    def agrees_with(self, other: "Column") -> bool:
        """Whether each value stands for one of the other's, and the other way round."""
        pairs = len(np.unique(np.column_stack([self.codes, other.codes]), axis=0))
        return pairs == len(np.unique(self.codes)) == len(np.unique(other.codes))


@dataclass
class Guesses:
    """What is thought of the columns of a training table, each with a reason in words.

    Attributes
    ----------
    label, person, id : a column, or None where it cannot be told, or there is none.
    indices : columns that are indices saved along, of which one may be the id where `id` is None.
    features : all columns that are nothing else.
    test_group : the test table's column of persons, where it is called otherwise.
    ignore : columns that are no features.
    missing : further spellings of a missing cell.
    unsure : by role, or "features", what could not be told, or could be otherwise.
    """

    label: Column | None = None
    person: Column | None = None
    id: str | None = None
    indices: tuple[str, ...] = ()
    features: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    ignore: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    test_group: str | None = None
    unsure: dict[str, str] = field(default_factory=dict)


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
    sample = _Sample(train, names)
    columns = read_columns(train, _promising(sample, names, lacking))
    for what, words in (("id", IDS), ("person", PERSONS)):  # who, or which, may be called NA
        named = [n for n, c in columns.items() if c.gaps and rank(n, words) is not None]
        columns |= read_columns(train, named, what) if named else {}
    found = Guesses()
    _label_and_person(found, columns, lacking, names, sample.slips)
    if not found.person and isinstance(train, JoinedTable):
        found.unsure["person"] += (
            "; if each file is of one person, put it into a folder that says so, such as person=S2"
        )
    own = {c.name for c in (found.label, found.person) if c}
    rest = {name: column for name, column in columns.items() if name not in own}
    _id(found, train, test, rest)
    found.indices = saved_indices(train, own, id=found.id)
    own |= {found.id, *found.indices}
    for name in lacking:
        if name not in own:
            twin = next((n for n in test.columns if n.casefold() == name.casefold()), None)
            but = f", but has {twin!r}: is it the same, spelt otherwise?" if twin else ""
            found.ignore[name] = f"the test table lacks it{but}"
    for name, column in rest.items():
        if name not in {*own, *sample.slips} and (why := _no_feature(found, column)):
            found.ignore.setdefault(name, why)
    for names_, why in ((sample.texts, "text"), (sample.unreadable, "neither numbers nor text")):
        for name in names_:
            if name not in own:
                found.ignore.setdefault(name, why)
    found.missing = sample.spellings(own)
    if found.indices and not isinstance(train, JoinedTable):  # of which each file has its own
        for name, column in read_columns(train, found.indices, "id").items():
            if len(column.values) < len(column.codes):
                found.ignore[name] = "an index that repeats"
    features = [name for name in names if name not in own and name not in found.ignore]
    _second_ratings(found, train, [name for name in features if name not in sample.slips])
    found.features = [name for name in features if name not in found.ignore]
    if test is not None and found.person and found.person.name not in test.columns:
        found.test_group = _persons_of_test(test, {*names, test.index})
    return found


def _persons_of_test(test: Table, known: Container[str]) -> str | None:
    """The one column that is called as persons are, of those that the training table lacks."""
    called = [n for n in test.columns if n not in known and rank(n, PERSONS) is not None]
    likely = [n for n, c in read_columns(test, called).items() if c.is_grouping and not c.missing]
    return likely[0] if len(likely) == 1 else None


def read_columns(table: Table, names: Sequence[str], what: str = "value") -> dict[str, Column]:
    """All cells of some columns, in the order of the table's; `what` they are tells the gaps."""
    asked = set(names)
    names = [name for name in table.columns if name in asked]
    parts: dict[str, list[pa.Array]] = {name: [] for name in names}
    for block in table.blocks([], names):
        for name in names:
            parts[name].append(block.texts[name])
    return {name: _column(table, name, pa.concat_arrays(parts[name]), what) for name in names}


def _column(table: Table, name: str, text: pa.Array, what: str) -> Column:
    known = missing_spellings(table, text, what)
    is_gap = pc.is_in(text, pa.array(known, pa.string()))
    gaps = tuple(sorted({*pc.unique(text.filter(is_gap)).to_pylist()} - {"", None}))
    text = pc.if_else(is_gap, pa.scalar(None, text.type), text)
    encoded = text.dictionary_encode()
    spelt = encoded.dictionary.drop_null()
    kind = "text"
    try:
        keys = canonical_keys(table, name, spelt, "value")
        values = keys.to_numpy(zero_copy_only=False)
        if pa.types.is_int64(keys.type):
            kind = "whole"
        elif {*spelt.to_pylist()} <= {*TRUE, *FALSE}:
            kind = "flags"
        elif all("," in cell and is_number(cell, ",") for cell in spelt.to_pylist()):
            values, kind = _floats(spelt), "fractions"
    except InputError:
        values, kind = _floats(spelt), "fractions"
    if not len(values):
        return Column(name, "text", (), np.full(len(text), -1), gaps)
    distinct, places = np.unique(values, return_inverse=True)
    at = encoded.indices.fill_null(-1).to_numpy()
    codes = np.where(at < 0, -1, places[at])
    return Column(name, kind, tuple(map(str, distinct.tolist())), codes, gaps)


def _floats(cells: pa.Array) -> np.ndarray:
    return np.array([float(cell.replace(",", ".")) for cell in cells.to_pylist()])


class _Sample:
    """The first rows of some columns: which are text, and which numbers count or classify.

    Attributes
    ----------
    texts : columns of text.
    slips : columns of numbers with cells that are none.
    unreadable : columns of types that are neither.
    whole : how many distinct values columns of whole numbers have.
    """

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        self._beginning, self._unreadable = _Beginning(table), table.unreadable
        self.texts: list[str] = []
        self.slips: dict[str, None] = {}
        self.unreadable: list[str] = []
        self.whole: dict[str, int] = {}
        rows = next((len(b.texts[names[0]]) for b in self._beginning.blocks([], names[:1])), 0)
        if not rows:
            raise fault(table.path, "has a header but no rows")
        self._together = _TOGETHER // rows
        if len(names) <= self._together:  # so that most tables are then read as numbers at once
            self.texts = text_columns(self._beginning, names)
        found = set(self.texts)
        self._look([name for name in names if name not in found])

    def _look(self, names: Sequence[str]) -> None:
        if not names:
            return
        try:
            for block in self._beginning.blocks(names, []):
                self._count(names, block.values)
            return
        except InputError:
            pass
        few = len(names) <= max(self._together, 1)
        if few and (found := set(text_columns(self._beginning, names))):
            self.texts += [name for name in names if name in found]
            self._look([name for name in names if name not in found])
        elif len(names) > 1:
            middle = len(names) // 2
            self._look(names[:middle])
            self._look(names[middle:])
        elif names[0] in self._unreadable:
            self.unreadable += names
        else:
            for _ in self._beginning.blocks([], names):  # else it is not UTF-8, and no slip
                self.slips[names[0]] = None

    def _count(self, names: Sequence[str], values: np.ndarray) -> None:
        whole = (np.isnan(values) | (values == np.trunc(values))).all(axis=0)
        whole &= ~np.isinf(values).any(axis=0) & ~np.isnan(values).all(axis=0)
        for at in np.flatnonzero(whole):
            column = values[:, at]
            self.whole[names[at]] = len(np.unique(column[~np.isnan(column)]))

    def spellings(self, special: Container[str]) -> list[str]:
        """What stands for a missing cell in features, if all of it is of such a kind."""
        found: set[str] = set()
        for name in (name for name in self.slips if name not in special):
            for block in self._beginning.blocks([], [name]):
                cells = set(block.texts[name].to_pylist()) - {None, *self._beginning.missing}
                found |= {cell for cell in cells if not is_number(cell)}
        return sorted(found) if all(map(_MISSING.fullmatch, found)) else []


class _Beginning:
    """A table of whose rows only the first block is read."""

    def __init__(self, table: Table) -> None:
        self._table, self.missing, self.numeric = table, table.missing, table.numeric

    def blocks(self, numbers: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
        return islice(self._table.blocks(numbers, texts), 1)


def _promising(sample: _Sample, names: Sequence[str], lacking: Collection[str]) -> set[str]:
    """Columns that may be more than features, the likeliest so many."""
    called = [[n for n in names if rank(n, words) is not None] for words in (LABELS, PERSONS, IDS)]
    few = sorted(sample.whole, key=sample.whole.__getitem__)
    likely = [*names[-2:], *names[:2], *called[0], *called[1], *lacking, *called[2], *sample.texts]
    times = [*filter(_is_time, names)]
    likely += [*times, *few]
    readable = {*sample.texts, *sample.whole, *times}.difference(sample.slips)
    readable.update(*called, lacking)  # the first rows may tell nothing, as of a person called NA
    readable.difference_update(sample.unreadable)
    return {*islice((name for name in dict.fromkeys(likely) if name in readable), _READ)}


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


def _is_time(name: str) -> bool:
    return not TIMES.isdisjoint(re.split(r"[\W_]+", name.casefold()))


def _label_and_person(
    found: Guesses,
    columns: Mapping[str, Column],
    lacking: Collection[str],
    names: Sequence[str],
    slips: Container[str],
) -> None:
    grouping = {name: column for name, column in columns.items() if column.is_grouping}
    # What the test table lacks is more likely the label.
    rated = grouping | {name: column for name, column in columns.items() if column.is_scale}
    blind = {name: column for name, column in rated.items() if name in lacking}
    labels = _called(blind, LABELS) or _called(rated, LABELS)
    persons = _called({n: c for n, c in grouping.items() if not c.missing}, PERSONS)
    if labels:
        found.label = _first(found, labels, "label")
    if persons:
        found.person = _first(found, [c for c in persons if c is not found.label], "person")
    others = {
        name: column
        for name, column in grouping.items()
        if column not in (found.label, found.person)
        and name not in slips
        and not _is_time(name)
        and not _counts(column, found.person)
    }
    if not found.person:
        _person_by_cells(found, others, lacking, names)
    others = {name: column for name, column in others.items() if column is not found.person}
    if not found.label:
        _label_by_cells(found, others, lacking)
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
    gaps = [c for c in _called(grouping, PERSONS) if c.missing]
    if not found.person and gaps:
        told = f"; {gaps[0].name!r} is called so, but {gaps[0].missing:,} of its cells are missing"
        found.unsure["person"] += told
    for role, words in (("label", LABELS), ("person", PERSONS)):
        called = [name for name in names if rank(name, words) is not None and name not in grouping]
        if getattr(found, role) is None and called:
            found.unsure[role] += (
                f"; {called[0]!r} is called so, but what it holds does not group rows"
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
        told = "; ".join(_or(names).replace(" or ", " and ") for names in alike)
        found.unsure["label"] = f"{told} are probably one class in several spellings"


def _called(columns: Mapping[str, Column], words: Sequence[str]) -> list[Column]:
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
    texts = [c for c in candidates if c.kind != "whole" and not c.stands_in_blocks]
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


def _varies(label: Column, person: Column) -> bool:
    """Whether at least half of the persons show more than one class."""
    pairs = np.unique(np.column_stack([person.codes, label.codes]), axis=0)
    return bool((np.bincount(pairs[:, 0]) > 1).mean() >= 0.5)


def _counts(column: Column, person: Column | None) -> bool:
    """Whether whole numbers go up by one from row to row, and may begin anew with each person."""
    if column.kind != "whole" or column.missing or len(column.codes) < 3:
        return False
    steps = np.diff(column.numbers())
    if person is not None:
        steps = steps[np.diff(person.codes) == 0]
    elif len(column.values) > _FEW:  # it may begin anew wherever it goes down
        steps = steps[steps >= 0]
    return len(steps) > len(column.codes) / 2 and bool((steps == 1).all())


def _id(found: Guesses, train: Table, test: Table | None, columns: Mapping[str, Column]) -> None:
    """A column that names the rows of both tables; the index that was saved along needs no word."""
    unique = [
        column
        for column in columns.values()
        if column.is_unique
        and not _is_time(column.name)
        and not _DATED.match(column.values[0])
        and not _MEASURED.fullmatch(column.values[0])
        and (rank(column.name, IDS) is not None or column.kind == "text" or _counts(column, None))
    ]
    called = _called({column.name: column for column in unique}, IDS)
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


def _no_feature(found: Guesses, column: Column) -> str | None:
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
        if all(map(_MARKED.fullmatch, column.values[:_SHOWN])):
            return f"numbers with marks, as {first!r}: to be used, write them without"
        return "a time stamp" if _DATED.match(first) else "text"
    if _counts(column, found.person):
        return "counts the rows"
    if _is_time(column.name) and column.kind != "flags":
        steps = np.diff(column.numbers())
        if found.person is not None:
            steps = steps[np.diff(found.person.codes) == 0]
        if (steps >= 0).all() and (steps > 0).any():
            return "a time stamp"
    return None


def _second_ratings(found: Guesses, train: Table, features: Sequence[str]) -> None:
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


def _or(names: Sequence[str]) -> str:
    *first, last = map(repr, names[:_SHOWN])
    return f"{', '.join(first)} or {last}" if first else last
