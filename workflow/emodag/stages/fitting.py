"""The fit of a network: what the teacher, the students and stage 0 share."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from emodag.science.fit.devices import prepared
from emodag.science.fit.fit_state import State
from emodag.science.fit.global_stream import going_on_from, seeded
from emodag.science.fit.model import AttentiveAutoencoder, ModelSettings
from emodag.science.fit.randomness import Derived, Randomness
from emodag.science.fit.targets import targets
from emodag.science.fit.training import (
    Cosine,
    Epoch,
    FitSettings,
    Plateau,
    fit,
    probabilities,
    score_rows,
)
from emodag.science.person_scaling import rows_by_person
from emodag.science.seeds import generator
from emodag.science.tables.matrices import probability_columns, read_matrix, write_columns
from emodag.stages.by_person import persons_of_rows
from emodag.stages.fit_rows import Rows, rows_of_fit, write_held_out
from ledger.context import Context, Inputs, Params
from ledger.errors import InputError
from ledger.machine.onednn import has_onednn


def read_features(inputs: Inputs, context: Context) -> torch.Tensor:
    """The scaled features of the `train` and `test` inputs, one above the other, float32.

    Where there is no pool there is no `test`. They lie on the device that the fit is to run on.
    """
    device = prepared(context.device)
    paths = [inputs[table] for table in ("train", "test") if table in inputs]
    return torch.from_numpy(read_matrix(paths)).to(device)


def groups_of(inputs: Inputs, params: Params) -> list[np.ndarray] | None:
    """The rows of each person, if `params` say that predictions `adapt` to persons.

    Parameters
    ----------
    inputs : see `persons_of_rows`.
    """
    if "adapt" not in params:
        return None
    return rows_by_person(persons_of_rows(inputs))


@contextmanager
def randomness_of(
    inputs: Inputs, params: Params, output: Path, *fit: str | int | None
) -> Iterator[Randomness]:
    """What the fit called `fit` draws from: streams of its own, or the one that all fits share.

    The shared one goes on from the `randomness` input, what the fit before left, or starts from the
    seed; what this fit leaves is written to `randomness.json`.

    Parameters
    ----------
    params : `seed`; `randomness`, "derived" or "global".
    """
    if params["randomness"] == "derived":
        yield Derived(lambda purpose: generator(params["seed"], *fit, purpose))
        return
    before = inputs.get("randomness")
    state = seeded(params["seed"]) if before is None else json.loads(before.read_text())
    with going_on_from(state) as stream:
        yield stream
        (output / "randomness.json").write_text(json.dumps(stream.state()) + "\n")


def fit_and_write(
    stage: str,
    inputs: Inputs,
    params: Params,
    output: Path,
    context: Context,
    *,
    watches: bool = True,
    reports_best_epoch: bool = False,
    predicts_pool: bool = True,
) -> None:
    """Fit the network of a stage and write what every fit leaves.

    `weights.safetensors` (last epoch), `history.parquet` (one row per epoch), `fit.json` (counts
    and scores), `validation.parquet` (row and probabilities of the held-out rows) and, where there
    is a pool, `test.parquet`, its class probabilities.

    Parameters
    ----------
    inputs : `train` and `test`, scaled features; without a pool there is no `test`; see also
        `rows_of_fit`, `randomness_of` and `groups_of`.
    params : `model`, `training`, `classes`; `generation` of a student; `targets`, the options of
        `emodag.science.fit.targets.targets`, if any; see also there.
    watches : whether each epoch is scored on the held-out rows.
    reports_best_epoch : whether `macro_f1` is the best epoch's, chosen on the validation rows as
        the paper did, so that the fit has seen their labels, or the last epoch's.
    predicts_pool : whether `test.parquet` is written.
    """
    name = (stage, params.get("generation", 0), params["fold"])
    rows = rows_of_fit(inputs, params, context, *name, sees_held_out=reports_best_epoch)
    x, groups = read_features(inputs, context), groups_of(inputs, params)
    with randomness_of(inputs, params, output, *name) as randomness:
        network, history = _fit(x, rows, groups, params, randomness, context, watches=watches)
        (output / "weights.safetensors").write_bytes(save(network.state_dict()))
        _write_history(output / "history.parquet", history)
        held_out = np.empty((0, params["classes"]), np.float32)
        if len(rows.valid):
            # Not `score_rows`: a script has no second look at them and would draw nothing here.
            at_once = randomness.rows_at_once
            held_out = probabilities(network, x, rows.valid, at_once=at_once, groups=groups)
        best = {"macro_f1": max(e.macro_f1 for e in history)} if reports_best_epoch else {}
        write_held_out(output, rows, held_out, **best)
        if predicts_pool and "test" in inputs:
            pool = score_rows(network, x, np.arange(rows.labelled, len(x)), randomness, groups)
            write_columns(output / "test.parquet", probability_columns(pool))


def _fit(
    x: torch.Tensor,
    rows: Rows,
    groups: list[np.ndarray] | None,
    params: Params,
    randomness: Randomness,
    context: Context,
    *,
    watches: bool,
) -> tuple[AttentiveAutoencoder, list[Epoch]]:
    """One fit, from where a killed run of it had come to; with checkpoints and a bar."""
    settings = fit_settings(params["training"])
    if len(rows.train) < settings.batch and settings.drop_last:
        raise InputError(
            f"{len(rows.train)} training rows make no batch of {settings.batch}. Lower "
            "`training.batch` in the configuration."
        )
    state = _last_state(context, settings.epochs)
    with context.progress(settings.epochs, "epoch") as bar:
        bar.update(len(state.facts["history"]) if state else 0)

        def on_epoch(epoch: Epoch, take_state: Callable[[], State]) -> None:
            scores = {} if epoch.macro_f1 is None else {"F1": epoch.macro_f1}
            bar.update(loss=epoch.loss, **scores)
            if epoch.epoch % context.checkpoint.every == 0 and epoch.epoch < settings.epochs:
                taken = take_state()
                context.checkpoint.save(taken.arrays, taken.facts)

        return fit(
            x,
            rows.train,
            _targets(rows, params),
            classes=params["classes"],
            model=model_settings(params["model"], x.device),
            settings=settings,
            randomness=randomness,
            validation=(rows.valid, rows.valid_labels) if watches else None,
            groups=groups,
            resume_from=state,
            on_epoch=on_epoch,
        )


def _targets(rows: Rows, params: Params) -> np.ndarray:
    """The classes to learn, (m,), or (m, classes) where they are not all of it."""
    if rows.soft is None and "targets" not in params:
        return rows.train_labels
    return targets(
        rows.train_labels,
        classes=params["classes"],
        labelled=len(rows.train) - rows.pseudo,
        soft=rows.soft,
        **params.get("targets", {}),
    )


def _last_state(context: Context, epochs: int) -> State | None:
    """Where a killed run of this very fit had come to, if there was one."""
    saved = context.checkpoint.load()
    if saved is None:
        return None
    state = State(*saved)
    context.note(f"resumed at epoch {len(state.facts['history'])} of {epochs}")
    return state


def model_settings(model: Mapping[str, Any], device: torch.device) -> ModelSettings:
    """The network's settings, with torch's own products where there is no oneDNN to order them."""
    settings = ModelSettings(**model)
    if settings.matmul == "ordered" and not (device.type == "cpu" and has_onednn()):
        return replace(settings, matmul="torch")
    return settings


def fit_settings(training: Mapping[str, Any]) -> FitSettings:
    """How a fit goes, by the parameter `training` of a stage."""
    schedule = training["schedule"]
    if schedule is not None:
        schedule = (Plateau if "patience" in schedule else Cosine)(**schedule)
    return FitSettings(**{**training, "schedule": schedule})


def _write_history(path: Path, history: list[Epoch]) -> None:
    records = [asdict(epoch) for epoch in history]
    columns = {}
    for field in fields(Epoch):
        values = [record[field.name] for record in records]
        if None not in values:
            columns[field.name] = np.array(
                values, np.int32 if field.name == "epoch" else np.float64
            )
    write_columns(path, columns)
