"""What the columns of a raw table are, and the true labels of the test table."""

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pyarrow as pa

from emodag.science.tables.csv_tables import CsvTable
from emodag.science.tables.joined_table import JoinedTable
from emodag.science.tables.parquet_tables import ParquetTable
from emodag.science.tables.row_facts import label_codes, row_ids
from emodag.science.tables.saved_index import saved_indices
from emodag.science.tables.spelling import skeleton
from emodag.science.tables.table import SAVED_INDEX, Table, fault, listed
from ledger.context import Params
from ledger.errors import ConfigError, InputError

_TRUTH_IDS = ("ID", "id")
_PACKED = ("", ".gz", ".xz", ".bz2", ".zst", ".zip")
_TEXT = (*(kind + packed for kind in (".csv", ".tsv") for packed in _PACKED), ".zip")
_KINDS = ".csv or .tsv, also with .gz, .xz, .bz2, .zst or .zip, or .parquet, .pq or .feather"


@dataclass(frozen=True)
class Layout:
    """Which columns of a table are what; `id` is None where rows are just numbered.

    `indices` were saved along, see `emodag.science.tables.saved_index`; one can be the id.
    """

    id: str | None
    features: tuple[str, ...]
    label: str | None = None
    group: str | None = None
    indices: tuple[str, ...] = field(default=(), compare=False)


def open_table(path: Path, *, missing: Sequence[str] = (), **written: str | None) -> Table:
    """Open a table of text (.csv, .tsv, also compressed), Parquet or Feather, by its suffix.

    Parameters
    ----------
    missing : spellings of a missing value besides those of pandas.
    written : how text is, see `emodag.science.tables.csv_tables.CsvTable`.

    Raises
    ------
    InputError
        If there is no such file, its suffix is another, or it is not what its suffix says.
    """
    name = path.name.lower()
    if not os.path.lexists(path):
        is_address = re.match(r"[a-z\d]+:/", str(path))
        way = "download it, and name the file" if is_address else "correct the path"
        raise fault(path, f"there is no such file or folder; {way}")
    try:
        if name.endswith(_TEXT):
            return CsvTable(path, missing=missing, **written)
        if name.endswith((".parquet", ".pq", ".feather")):
            return ParquetTable(path, missing=missing)
    except OSError as error:
        raise fault(path, f"cannot be read: {error.strerror}") from None
    raise fault(
        path,
        f"unknown kind of file; expected {_KINDS}; save the table as one of them, or, "
        "if it is none, name the others of its folder by a pattern such as '*.csv'",
    )


def matching(columns: Sequence[str], entry: str) -> list[str]:
    """The column of that name, else those that match it as a pattern of `fnmatch`, with case."""
    return [entry] if entry in columns else [n for n in columns if fnmatchcase(n, entry)]


def ignored_columns(tables: Sequence[Table], ignore: Sequence[str]) -> frozenset[str]:
    """The columns of any of the tables that are called, or match, an entry of `ignore`.

    Entries are names, "" for an index without one, or patterns as in `fnmatch`, in which case
    counts.

    Raises
    ------
    ConfigError
        If an entry is, and matches, no column at all.
    """
    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    found = {entry: matching(columns, entry) for entry in ignore}
    for entry, names in found.items():
        if entry and not names:  # an index without a name may be in the metadata only
            raise ConfigError(
                f"data.ignore holds {entry!r}, and no column of "
                f"{' or '.join(str(table.path) for table in tables)} has that name or pattern; the "
                f"nearest is {_nearest(entry, columns)!r}"
            )
    return frozenset(name for names in found.values() for name in names)


def layout_of_train(table: Table, params: Params, ignored: frozenset[str] = frozenset()) -> Layout:
    """Tell the columns of the training table apart.

    With `label` and `group` None it is the competition's layout: the index first, then features,
    the label last but one and the person last, after the `ignored` columns are left out. Otherwise
    the columns have those names, which no pattern can ignore, and all others are features but the
    `ignored` ones, `id`, and an index saved along, which is the id where `id` is None; see
    `emodag.science.tables.saved_index`.

    Parameters
    ----------
    params : `label`, `group` and `id`, names of columns or None.

    Raises
    ------
    ConfigError
        If only one of `label` and `group` is given, or one column is to serve twice.
    InputError
        If a column named is absent, or no features are left.
    """
    label, group, id = (params[name] for name in ("label", "group", "id"))
    if (label is None) != (group is None):
        raise ConfigError(
            f"data.label is {label!r} and data.group is {group!r}: name both columns, or neither "
            "for the competition's layout (index, features, label, person)"
        )
    columns = table.columns
    if label is None:
        columns = tuple(name for name in columns if name not in ignored)
        if len(columns) < 4:
            raise fault(
                table.path,
                f"expected an index, features, a label and a person, found {len(columns)} columns "
                f"({listed(columns)}); are they separated by commas?{table.hint}",
            )
        if id not in (None, columns[0]):
            raise ConfigError(
                f"data.id is {id!r}, but without data.label and data.group the id is the first "
                f"column, {columns[0]!r}; name all three columns, or none"
            )
        first, *features, label, group = columns
        indices = saved_indices(table, {*ignored, label, group}, id="") if first == "" else ()
        features = tuple(name for name in features if name not in indices)
        layout = Layout(id=first, features=features, label=label, group=group, indices=indices)
    else:
        special = [name for name in (label, group, id) if name is not None]
        if len(set(special)) < len(special):
            raise ConfigError(
                f"data.label is {label!r}, data.group is {group!r}, data.id is {id!r}: "
                "these must be different columns"
            )
        for name in special:
            _require_column(table, name)
        indices = saved_indices(table, ignored.union([label, group]), id=id)
        features = tuple(name for name in columns if name not in ignored.union(special, indices))
        id = _own_index(table, indices) if id is None else id
        layout = Layout(id=id, features=features, label=label, group=group, indices=indices)
    if not layout.features:
        raise fault(table.path, "has no feature columns besides label, person and id")
    _refuse_saved_index(table.path, [*layout.features, layout.label, layout.group])
    return layout


def layout_of_test(
    table: Table, train: Layout, params: Params, ignored: frozenset[str] = frozenset()
) -> Layout:
    """Tell the columns of the test table apart, given the training table's `train`.

    Where the label has a name, the id is `id`, or an index saved along; otherwise it is the first
    column that is not `ignored`. Features are those of the training table, in the test table's
    order; all other columns are left out. The person column is `test_group`, or, where the label
    has a name, that of the training table if the test table has it.

    Parameters
    ----------
    params : `label`, `id` and `test_group`, names of columns or None.

    Raises
    ------
    ConfigError
        If `test_group` serves another purpose.
    InputError
        If `test_group` or features of the training table are absent.
    """
    named, id, group = params["label"] is not None, params["id"], params["test_group"]
    if named:
        if id is not None:
            _require_column(table, id)
        special = {id, train.label, train.group}
        taken = special.union([group], ignored, train.features)
        indices = saved_indices(table, taken - {id}, id=id, called=train.indices)
        id_ = _own_index(table, indices) if id is None else id
        special |= {id_, *indices}
    else:
        id_ = next((name for name in table.columns if name not in ignored), table.columns[0])
        indices, special = (), {id_}
    if group is not None:
        _require_column(table, group)
        if group in {id_, train.label, *train.features}:
            raise ConfigError(
                f"data.test_group is {group!r}, which is the id, the label or a feature; "
                "name the column of persons"
            )
        special.add(group)
    elif named and train.group in table.columns:
        group = train.group
    others = [name for name in table.columns if name not in ignored.union(special)]
    taken = [name for name in (train.label, train.group) if name in others]
    if taken and not named:
        raise fault(
            table.path,
            f"has {listed(taken)} as a feature, and the last two columns of the training table, "
            f"{listed([train.label, train.group])}, were taken for label and person; give the "
            "training table both columns, or name them by data.label and data.group",
        )
    hint = "" if named else " (its first column is taken for the index)"
    features = _known_features(table, train, others, hint)
    return Layout(id=id_, features=features, group=group, indices=indices)


def layout_of_unlabelled(
    table: Table, train: Layout, ignored: frozenset[str] = frozenset()
) -> Layout:
    """Tell the columns of a table of unlabelled rows apart, given the training table's `train`.

    Features and the person column are those of the training table, by name; rows have no id, and
    all other columns are left out.

    Raises
    ------
    InputError
        If one of those columns is absent.
    """
    if train.group not in table.columns:
        raise fault(
            table.path,
            f"has no column {train.group!r}, the training table's column of persons; unlabelled "
            "rows need it, as those of a person who is held out must stay out of what is scored on "
            f"that person{table.hint}",
        )
    special = {train.id, train.label, train.group, table.index, *ignored}
    others = [name for name in table.columns if name not in special]
    return Layout(id=None, features=_known_features(table, train, others), group=train.group)


def _known_features(
    table: Table, train: Layout, columns: Sequence[str], hint: str = ""
) -> tuple[str, ...]:
    """Those of the columns that are features of the training table, all of which must be there."""
    known, found = set(train.features), set(columns)
    missing = [name for name in train.features if name not in found]
    extra = [name for name in columns if name not in known]
    if missing:
        differences = [f"lacks {listed(missing)}"]
        there = {skeleton(name): name for name in extra}
        twins = [(name, there[skeleton(name)]) for name in missing if skeleton(name) in there]
        alike = "".join(
            f"; only case, spaces, accents or marks tell {a!a} from {b!a}" for a, b in twins[:1]
        )
        differences += [f"also has {listed(extra)}"] if extra else []
        raise fault(
            table.path,
            f"expected the {len(train.features)} features of the training table; this table"
            f"{hint} {' and '.join(differences)}; make the two agree, or name in data.ignore what "
            f"is no feature{alike}{table.hint}",
        )
    return tuple(name for name in columns if name in known)


def true_classes(
    path: Path,
    ids: Sequence[int] | Sequence[str],
    params: Params,
    note: Callable[[str], None] = lambda told: None,
) -> np.ndarray:
    """Read the true class of each test row from a table.

    The labels are in the first of these columns that exists: `label`, "label", "Predicted", or the
    only column besides the ids. Rows are matched by a column `id`, "ID" or "id", a column of any
    name that holds just the ids of the test rows, or a saved index; else by order. So they are
    where an index without a name only counts the rows from 0, and the test rows have other ids.
    Never where a column holds some of the ids, or numbers rows from 0 or 1 in another order, nor,
    unless labels are alone, where `id` is asked for.

    Parameters
    ----------
    ids : (n,) ids of the test rows, in their order; where neither label nor id is named, the rows
        are called by their numbers from 0, as in the submission.
    params : `label` and `id`, the columns of the tables, or None; `classes`, their names, of which
        a label is one or its number from 0; `written`, how the table is, see `open_table`:
        separator, decimal, missing.
    note : told when rows are matched by order.

    Returns
    -------
    (n,) class codes in the order of the test rows, of the dtype that `code_dtype` gives.

    Raises
    ------
    InputError
        If the file is no such table, a label is missing or unknown, or the rows do not match.
    """
    label, n_rows = params["label"], len(ids)
    if params["id"] is None and label is None:
        ids = range(n_rows)
    table = open_table(path, **params["written"])
    named = next((name for name in (params["id"], *_TRUTH_IDS) if name in table.columns), None)
    others = [name for name in table.columns if name not in (named, table.index)]
    column = next((name for name in (label, "label", "Predicted") if name in others), None)
    id_, held, wanted = named, {}, {*map(str, ids)}
    if named is None and len(others) > 1:
        names = [] if table.index is None else [table.index]
        held = _ids_in(table, names + [name for name in others if name != column])
        found = [name for name, values in held.items() if {*values} == wanted]
        if column is not None or len(found) == 1:  # else the labels may be such numbers, too
            id_ = next(iter(found), None)
            others = [name for name in others if name != id_]
    if column is None:
        if len(others) != 1:
            raise fault(
                path,
                f"cannot tell which column holds the true labels ({listed(others)}); "
                f"name it {label or 'label'!r}",
            )
        column = others[0]
    if id_ is None:
        telling = wanted.difference(map(str, range(n_rows + 1)))  # what counts rows is no id
        id_ = next((name for name in held if telling.intersection(held[name])), table.index)
    blocks = list(table.blocks([], [column] if id_ is None else [column, id_]))
    rows = sum(len(block.texts[column]) for block in blocks)
    if rows != n_rows:
        raise fault(path, f"expected {n_rows} rows as in the test table, found {rows}")
    labels = pa.concat_arrays([block.texts[column] for block in blocks])
    codes = label_codes(table, column, labels, params["classes"])
    counted = own = [str(row) for row in range(n_rows)]
    if id_ is not None:
        text = pa.concat_arrays([block.texts[id_] for block in blocks])
        own = [str(value) for value in row_ids(table, id_, text).to_pylist()]
    row_of = {value: row for row, value in enumerate(own)}
    absent = [str(value) for value in ids if str(value) not in row_of]
    only_counts = id_ in (None, "") and own == counted
    if only_counts and (other := _other_order(held)) is not None:
        raise fault(
            path,
            "numbers the rows in another order than they stand in; sort the table by it if it "
            "says where the test table has each row, or else leave this column out",
            column=other,
        )
    if only_counts and (absent or (id_ is None and not table.counted)):
        spare = [name for name in others if name != column]
        if params["id"] is not None and spare:
            raise fault(
                path,
                f"has no column {params['id']!r}, and no other ({listed(spare)}) holds the ids of "
                f"the test table ({listed([*map(str, ids)])}); give it that column, or the labels "
                "alone, in the order of the test table",
            )
        note(f"{path}: has no ids of the test table; its rows are taken in the same order")
        return codes
    if absent:
        strange = [value for value in own if value not in wanted]
        way = "" if id_ in (named, table.index) else ", or leave this column out if it has no ids"
        raise fault(
            path,
            f"lacks {len(absent)} of the {n_rows} ids of the test table ({listed(absent)}) and has "
            f"others ({listed(strange)}); give each test row its label{way}",
            column=id_,
        )
    return codes[[row_of[str(value)] for value in ids]]


def _ids_in(table: Table, names: Sequence[str]) -> dict[str, list[str]]:
    """The ids that each of some columns holds; of one where some are missing, or there twice, what
    has a letter, as numbers may then be anything."""
    found: dict[str, list[str]] = {}
    blocks = list(table.blocks([], names))
    for name in names:
        text = pa.concat_arrays([block.texts[name] for block in blocks])
        try:
            found[name] = [*map(str, row_ids(table, name, text).to_pylist())]
        except InputError:
            texts = text.drop_null().to_pylist()
            found[name] = [cell for cell in texts if any(map(str.isalpha, cell))]
    return found


def _other_order(held: Mapping[str, Sequence[str]]) -> str | None:
    """The first column of ids that are the rows' numbers, from 0 or 1, but do not rise."""
    for name, ids in held.items():
        for first in (0, 1):
            counted = [*map(str, range(first, first + len(ids)))]
            if [*ids] != counted and {*ids} == {*counted}:
                return name
    return None


def _own_index(table: Table, indices: Sequence[str]) -> str | None:
    """The first index as the rows' id, unless each of several files, or a frame, has its own.

    Of a frame whose own merely counts the rows nothing is in the table.
    """
    has_own = isinstance(table, JoinedTable) or table.counted
    return None if has_own else next(iter(indices), None)


def _require_column(table: Table, name: str) -> None:
    if name in table.columns:
        return
    raise fault(
        table.path,
        f"has no column {name!r}; the nearest of its {len(table.columns)} columns is "
        f"{_nearest(name, table.columns)!r}; correct the name in the configuration or in the file"
        f"{table.hint}",
    )


def _nearest(name: str, columns: Sequence[str]) -> str:
    """The column that is written most alike, whatever the case."""
    lowered = {column.lower(): column for column in reversed(columns)}
    return lowered[difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.0)[0]]


def _refuse_saved_index(path: Path, names: Sequence[str | None]) -> None:
    """A row number taken for a feature would tell the model where in a recording it is."""
    for name in names:
        if SAVED_INDEX.fullmatch(name):
            raise fault(
                path,
                "looks like an index saved by accident; save the table without it, "
                f"or name it in data.id, or in data.ignore: [{name!r}]",
                column=name,
            )
