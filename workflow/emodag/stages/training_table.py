"""The raw training table: its labelled rows, and which of its features stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.feature_file import FeatureWriter, select_columns
from emodag.science.tables.ingest import Layout
from emodag.science.tables.quality import ColumnTally
from emodag.science.tables.row_facts import label_codes, lacks_label, persons
from emodag.science.tables.table import Block, Table, fault, listed
from emodag.stages.reading import copy_features, ids_of_rows
from ledger.context import Context, Params

_ADVICE = ", or set data.unlabelled to 'rows', by which students learn from such rows, too"
"""What may be meant by a training row without a label."""


@dataclass(frozen=True)
class Training:
    """What is kept of the training table besides its features.

    Attributes
    ----------
    lacking : boolean, of all rows, whether there is no label; `unlabelled` has their persons, None
        where each must have one. `ids`, `codes` and `persons` are of the others.
    kept : boolean, of the layout's features, whether they stay; `features` has their names.
    written : how classes and persons are written, each spelling once.
    """

    lacking: np.ndarray
    ids: pa.Array
    codes: np.ndarray
    persons: pa.Array
    unlabelled: pa.Array | None
    class_counts: dict[str, int]
    tally: ColumnTally
    kept: np.ndarray
    features: tuple[str, ...]
    written: dict[str, pa.Array]


def read_training(
    tables: Mapping[str, Table],
    layout: Layout,
    params: Params,
    staged: Path,
    context: Context,
) -> Training:
    """Read the training table, and write the features of its labelled rows."""
    table, label, classes = tables["train"], layout.label, params["classes"]
    is_mixed = params.get("unlabelled") == "rows"

    def labelled(block: Block) -> np.ndarray:
        return ~lacks_label(table, block.texts[label], classes)

    path = staged / "train.parquet"
    with FeatureWriter(path, layout.features) as writer:
        wanted = labelled if is_mixed else None
        tally, texts = copy_features(table, layout, params, writer, context, wanted)
    lacking = np.zeros(len(texts[label]), bool)
    if is_mixed:
        lacking = lacks_label(table, texts[label], classes)
        _require_both(table, label, lacking)
    with_label = pa.array(~lacking)
    advice = "" if is_mixed or "unlabelled" in tables else _ADVICE
    codes = label_codes(
        table,
        label,
        texts[label].filter(with_label),
        classes,
        rows=np.flatnonzero(~lacking),
        advice=advice,
    )
    class_counts = _count_classes(table, label, codes, classes)
    who = persons(table, layout.group, texts[layout.group], min_rows=params["min_rows_per_person"])
    kept = _kept(table, layout, tally, params, context)
    features = tuple(layout.features[at] for at in np.flatnonzero(kept))
    if len(features) < len(layout.features):
        whole = path.replace(staged / "whole.parquet")
        select_columns(whole, path, features)
        whole.unlink()
    return Training(
        lacking=lacking,
        ids=ids_of_rows(table, layout.id, texts, len(lacking), params).filter(with_label),
        codes=codes,
        persons=who.filter(with_label),
        unlabelled=who.filter(pa.array(lacking)) if is_mixed else None,
        class_counts=class_counts,
        tally=tally,
        kept=kept,
        features=features,
        written={
            "class": pc.unique(texts[label].filter(with_label)),
            "person": pc.unique(texts[layout.group]),
        },
    )


def _require_both(table: Table, label: str, lacking: np.ndarray) -> None:
    if not lacking.any():
        raise fault(
            table.path,
            "data.unlabelled is 'rows', and every row has a label; set it to null",
            column=label,
        )
    if lacking.all():
        raise fault(
            table.path, "no row has a label, and there is nothing to learn from", column=label
        )


def _kept(
    train: Table, layout: Layout, tally: ColumnTally, params: Params, context: Context
) -> np.ndarray:
    """Which features stay, by the policies: a boolean array over the training features."""
    empty, constant = tally.all_missing(), tally.constant()
    if empty.any():
        names = listed(chosen_names(layout, empty))
        if params["all_missing"] == "error":
            raise fault(
                train.path,
                f"no finite value in {int(empty.sum())} columns ({names}) and data.all_missing is "
                "'error'; remove the columns or relax that policy",
            )
        context.warn(f"{train.path}: dropped columns without a finite value: {names}")
    kept = ~empty
    if params["constant"] == "drop" and constant.any():
        context.warn(
            f"{train.path}: dropped constant columns: {listed(chosen_names(layout, constant))}"
        )
        kept &= ~constant
    if not kept.any():
        raise fault(train.path, "no feature columns are left after dropping")
    return kept


def _count_classes(
    train: Table, column: str, codes: np.ndarray, classes: Sequence[str]
) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(classes))
    absent = [classes[code] for code in np.flatnonzero(counts == 0)]
    if absent:
        raise fault(
            train.path,
            f"no training row has the class {listed(absent)}; add such rows, "
            "or name in data.classes only those that there are",
            column=column,
        )
    return {name: int(count) for name, count in zip(classes, counts, strict=True)}


def chosen_names(layout: Layout, chosen: np.ndarray) -> list[str]:
    """The features that a boolean array over the layout's chooses."""
    return [layout.features[at] for at in np.flatnonzero(chosen)]
