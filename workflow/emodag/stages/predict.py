"""Predict the classes of rows that came later, with the models behind the submission."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file

from emodag.science.blending import mean_probabilities
from emodag.science.fit.global_stream import GlobalStream
from emodag.science.fit.model import AttentiveAutoencoder
from emodag.science.fit.randomness import Derived
from emodag.science.fit.training import probabilities
from emodag.science.folds import held_out
from emodag.science.person_distance import Distances, person_distances
from emodag.science.person_scaling import by_person, rows_by_person
from emodag.science.pseudo_label import decided
from emodag.science.scaling import median, score_column
from emodag.science.seeds import generator
from emodag.science.tables.feature_file import FeatureWriter
from emodag.science.tables.ingest import Layout, layout_of_test, matching
from emodag.science.tables.matrices import read_column, read_columns, read_matrix
from emodag.science.tables.row_facts import persons
from emodag.science.tables.table import Table, fault, listed
from emodag.stages.fitting import model_settings
from emodag.stages.reading import copy_features, ids_of_rows, opened, require_rows
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `predictions.csv` and `persons.csv`.

    The first has a row per row of the table: id, predicted class, the person where the table has a
    column of persons, and the probability of each class. The second has a row per person of the
    training table and of this one: how many rows, and how far from the training persons, see
    `emodag.science.person_distance`.

    Parameters
    ----------
    inputs : `table`, or `table/00000` and so on, a table such as `emodag.stages.ingest.run` reads;
        `quality`, what ingest says of the tables of the run; `train`, the training features;
        `rows`, of whom they are; `folds`, only where a fold's
        scaler leaves out the persons that the fold holds out; `quantiles/<part>` of each scaler;
        `scores`, the training features as the first of them makes them; `weights/<fold>` of each
        student.
    params : those of `ingest` by which a table is read; `person`, see
        `emodag.science.person_scaling`, or "none"; `adapt`, if networks go by each person's means
        and variances, see `probabilities`; `resolution` of the scalers; `kind` of the folds;
        `model` and `randomness` of the fits; `classes`; `boost`, `heads` and `values` of the
        submission.

    Raises
    ------
    InputError
        If the table cannot be used.
    """
    table = opened(inputs, "table", params)
    features = tuple(pq.read_schema(inputs["train"]).names)
    quality = json.loads(inputs["quality"].read_text(encoding="utf-8"))
    layout = _layout(table, features, quality.get("indices", ()), params)
    with TemporaryDirectory(dir=output, prefix=".") as scratch:
        raw = Path(scratch, "features.parquet")
        with FeatureWriter(raw, features) as writer:
            tally, texts = copy_features(table, layout, params, writer, context)
        who = _persons(table, layout, texts, tally.rows, params, context)
        if empty := [features[at] for at in np.flatnonzero(tally.all_missing())]:
            context.warn(
                f"{table.path}: no value in {listed(empty)}; the training persons' median is taken"
            )
        scaled = _scaled(raw, who, inputs, params)
    ids = ids_of_rows(table, layout.id, texts, tally.rows, params).to_numpy(zero_copy_only=False)
    groups = rows_by_person(who) if "adapt" in params else None
    members = [
        _probabilities(scaled[fold if "folds" in inputs else "all"], path, groups, params)
        for fold, path in _parts(inputs, "weights").items()
    ]
    blended = mean_probabilities(members)
    group = None if layout.group is None else who
    _write_predictions(output / "predictions.csv", ids, group, blended, params)
    training = read_matrix([inputs["scores"]])
    of_whom = read_columns(inputs["rows"])["person"]
    tables = person_distances(training, of_whom, next(iter(scaled.values())), who)
    _write_persons(output / "persons.csv", dict(zip(("training", "new"), tables, strict=True)))


def _layout(
    table: Table, features: tuple[str, ...], indices: Sequence[str], params: Params
) -> Layout:
    """What the table's columns are; its features in the order of training.

    What was called as one of `indices` was an index in the tables of the run.
    """
    ignored = {name for entry in params["ignore"] for name in matching(table.columns, entry)}
    known = Layout(
        id=None,
        features=features,
        label=params["label"],
        group=params["group"],
        indices=tuple(indices),
    )
    # Without names of columns the first one is the index, whatever it is called.
    columns = table.columns if params["label"] else table.columns[1:]
    group = params["test_group"] if params["test_group"] in columns else None
    layout = layout_of_test(table, known, {**params, "test_group": group}, frozenset(ignored))
    return replace(layout, features=features)


def _persons(
    table: Table,
    layout: Layout,
    texts: Mapping[str, pa.Array],
    rows: int,
    params: Params,
    context: Context,
) -> np.ndarray:
    """The person of each row, "" where the table does not tell."""
    is_relative = params["person"] != "none" or "adapt" in params
    if layout.group is not None:
        column = persons(table, layout.group, texts[layout.group])
        if is_relative:
            require_rows(table, layout.group, Counter(column.to_pylist()), context)
        return column.to_numpy(zero_copy_only=False)
    if is_relative:
        place = "" if params["label"] else " behind its first one, which is the index"
        raise fault(
            table.path,
            "scaling.person or training.adapt needs to know whose these rows are; give the table "
            f"the column {params['test_group'] or params['group']}{place}",
        )
    return np.full(rows, "", object)


def _parts(inputs: Inputs, kind: str) -> dict[str, Path]:
    """The inputs of a kind, such as `weights/fold0`, by what follows, in the chain's order."""
    return {role.partition("/")[2]: inputs[role] for role in inputs if role.startswith(f"{kind}/")}


def _scaled(raw: Path, who: np.ndarray, inputs: Inputs, params: Params) -> dict[str, np.ndarray]:
    """The features of the table as each scaler makes them, by its part: (n, p) float32."""
    fitted = _parts(inputs, "quantiles")
    training = {part: _training_rows(inputs, part, params) for part in fitted}
    groups = rows_by_person(who)
    with ExitStack() as stack:
        files = {"new": raw, "train": inputs["train"], **fitted}
        sources = {name: stack.enter_context(pq.ParquetFile(path)) for name, path in files.items()}
        names = sources["new"].schema_arrow.names
        scaled = {part: np.empty((len(who), len(names)), np.float32) for part in fitted}
        for at, name in enumerate(names):
            values = read_column(sources["new"], name)
            if params["person"] != "none":
                values = by_person(values, groups, kind=params["person"])
            known = partial(read_column, sources["train"], name)
            for part, rows in training.items():
                quantiles = read_column(sources[part], name)
                scaled[part][:, at] = score_column(
                    values,
                    quantiles,
                    centre=lambda known=known, rows=rows: median(known()[rows]),
                    resolution=params["resolution"],
                )
    return scaled


def _training_rows(inputs: Inputs, part: str, params: Params) -> np.ndarray | slice:
    """The training rows that a scaler was fitted on."""
    if "folds" not in inputs:
        return slice(None)
    fold = int(part.removeprefix("fold"))
    return ~held_out(read_columns(inputs["folds"]), params["kind"], fold)


def _probabilities(
    x: np.ndarray, weights: Path, groups: list[np.ndarray] | None, params: Params
) -> np.ndarray:
    """What the network with these weights says of rows: (n, classes) float32."""
    settings = model_settings(params["model"], torch.device("cpu"))
    # Of its own weights and dropout nothing is left.
    unused = generator("predict")
    network = AttentiveAutoencoder(x.shape[1], len(params["classes"]), settings, unused)
    network.load_state_dict(load_file(weights))
    # As when the students predicted the test rows, so that the same rows give the same bits.
    at_once = {"derived": Derived, "global": GlobalStream}[params["randomness"]].rows_at_once
    every = np.arange(len(x))
    return probabilities(network, torch.from_numpy(x), every, at_once=at_once, groups=groups)


def _write_predictions(
    path: Path,
    ids: np.ndarray,
    who: np.ndarray | None,
    blended: np.ndarray,
    params: Params,
) -> None:
    """One row per row of the table; probabilities in as many digits as float32 needs."""
    names = params["classes"]
    codes = decided(blended, params["boost"])
    classes = [names[code] for code in codes] if params["values"] == "names" else codes.tolist()
    # No dictionary, as the submission may call its ids "person".
    columns = [*zip(params["heads"], (ids.tolist(), classes), strict=True)]
    if who is not None:
        columns.append(("person", who.tolist()))
    for name, column in zip(names, blended.T, strict=True):
        columns.append((f"probability of {name}", [f"{value:.9g}" for value in column]))
    _write(path, columns)


def _write_persons(path: Path, tables: Mapping[str, Distances]) -> None:
    columns: dict[str, list] = {name: [] for name in ("table", "person", "rows", "distance")}
    for table, found in tables.items():
        columns["table"] += [table] * len(found.persons)
        columns["person"] += found.persons.tolist()
        columns["rows"] += found.rows.tolist()
        columns["distance"] += [f"{distance:.6g}" for distance in found.distances]
    _write(path, [*columns.items()])


def _write(path: Path, columns: Sequence[tuple[str, list]]) -> None:
    heads, cells = zip(*columns, strict=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(zip(*cells, strict=True))
