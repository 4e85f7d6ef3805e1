"""A run of the chain as the report reads it: every artifact by what it is, each read once."""

import json
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from emodag.pages.comparison import read_rows, read_table
from emodag.science.folds import assignments
from emodag.science.pseudo_label import decided
from emodag.science.scores.chance import Chance, chance
from emodag.science.scores.class_scores import confusions
from emodag.science.scores.comparisons import own_scores
from emodag.science.scores.resampling import DIGITS, Estimate, estimate
from emodag.science.tables.ingest import true_classes
from emodag.science.tables.matrices import read_columns, read_probabilities
from ledger.context import Inputs, Params


class Run:
    """The artifacts of a run.

    Parameters
    ----------
    inputs : path by role, see `emodag.chain.report`.
    params : the parameters of the stage `report`.
    """

    def __init__(self, inputs: Inputs, params: Params) -> None:
        self.inputs, self.params = inputs, params
        self.classes: list[str] = params["classes"]
        self.protocols: list[str] = params["protocols"]
        self.told: str = params["look"]["protocol"]  # whose score is told
        self.seeds: list[int] = params["seeds"]
        self.repeats: int = params.get("repeats", 1)
        self.folds = range(params["folds"] * self.repeats)
        self.generations = range(1, params["generations"] + 1)
        self.last = f"gen{params['generations']}"
        self.submitted: str | None = params.get("submit")
        self.has_networks = params["learner"] == "network"
        self.has_attention = self.has_networks and params["settings"]["model.attention"]
        self.is_synthetic = params["source"] == "synthetic"
        self.has_test = "table/test_rows.parquet" in inputs
        self.has_pool = any(role.endswith("/pseudo_labels.parquet") for role in inputs)
        self.held_out, self.hidden = cache(self._held_out), cache(self._hidden)
        self.estimate, self.own = cache(self._estimate), cache(self._own)
        self.chance = cache(self._chance)

    def stages(self, protocol: str) -> list[str]:
        """The stages of a protocol that hold rows out."""
        return self.params["scored"][protocol]

    def parts(self, protocol: str) -> list[str]:
        """The parts of the training persons that pseudo-labels and teachers belong to."""
        return ["all"] if protocol == "published" else [f"fold{fold}" for fold in self.folds]

    def json(self, role: str) -> Any:
        """What a JSON artifact holds."""
        return json.loads(self.inputs[role].read_text(encoding="utf-8"))

    @cached_property
    def rows(self) -> dict[str, np.ndarray]:
        """`id`, `label` (codes) and `person` of the training rows."""
        return read_columns(self.inputs["table/train_rows.parquet"])

    @cached_property
    def test_rows(self) -> np.ndarray:
        """(m,) ids of the test rows, none without a test table."""
        if not self.has_test:
            return np.empty(0, np.int64)
        return read_columns(self.inputs["table/test_rows.parquet"])["id"]

    @cached_property
    def test_person(self) -> np.ndarray | None:
        """(m,) position of whom each test row belongs to, None where nobody knows."""
        found = read_columns(self.inputs["table/test_rows.parquet"]) if self.has_test else {}
        return np.unique(found["person"], return_inverse=True)[1] if "person" in found else None

    @property
    def labels(self) -> np.ndarray:
        """(n,) class codes of the training rows."""
        return self.rows["label"]

    @cached_property
    def persons(self) -> list[str]:
        """Everybody's name, by the order of their ids."""
        return [str(person) for person in np.unique(self.rows["person"]).tolist()]

    @cached_property
    def person(self) -> np.ndarray:
        """(n,) position in `persons` of whom each training row belongs to."""
        return np.unique(self.rows["person"], return_inverse=True)[1]

    @cached_property
    def features(self) -> list[str]:
        """The features' names, in the table's order."""
        return pq.read_schema(self.inputs["table/train.parquet"]).names

    @cached_property
    def fold_table(self) -> dict[str, np.ndarray]:
        """The columns of the table of folds; see `emodag.science.folds`."""
        return read_columns(self.inputs["folds/folds.parquet"])

    @cached_property
    def folds_of(self) -> np.ndarray:
        """(repeats, persons) the folds that hold each person out."""
        first = np.unique(self.person, return_index=True)[1]
        return assignments(self.fold_table, "group_fold")[:, first]

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        """The rows of scores.csv, with numbers as such."""
        return read_table(self.inputs["scores.csv"])

    @cached_property
    def leaderboard(self) -> dict[tuple[str, int, str], dict[str, Any]]:
        """The rows of leaderboard.csv by protocol, seed and stage; none without a truth."""
        found = read_table(self.inputs.get("leaderboard.csv"))
        return {(row["protocol"], row["seed"], row["stage"]): row for row in found}

    @cached_property
    def variants(self) -> list[dict[str, Any]]:
        """The rows of variants.csv, best first; none where the configuration has no variants."""
        return read_rows(self.inputs.get("variants.csv"))

    @cached_property
    def selection(self) -> dict[str, Any] | None:
        """What selection.json says of the best variant, None where it says nothing."""
        return self.json("selection.json")

    @cached_property
    def truth(self) -> np.ndarray | None:
        """(m,) the test rows' true classes, None where nobody knows them."""
        if "truth" not in self.inputs:
            return None
        return true_classes(self.inputs["truth"], self.test_rows, self.params)

    def fits(self, protocol: str, seed: int, stage: str) -> Iterator[dict[str, Any]]:
        """The rows of scores.csv that belong to a stage, by fold."""
        wanted = {"protocol": protocol, "seed": seed, "stage": stage}
        return (row for row in self.scores if wanted.items() <= row.items())

    def _held_out(self, protocol: str, seed: int, stage: str) -> np.ndarray:
        """(repeats, n, classes) probabilities of the training rows, by who held them out."""
        shape = (self.repeats, len(self.labels), len(self.classes))
        found = np.full(shape, np.nan, np.float32)
        for fold in self.folds:
            path = self.inputs[f"{protocol}/seed{seed}/{stage}/fold{fold}/validation.parquet"]
            repeat = fold // self.params["folds"]
            found[repeat, read_columns(path)["row"]] = read_probabilities(path)
        return found

    def _hidden(self, protocol: str, seed: int, stage: str) -> np.ndarray:
        """(m, classes) probabilities of the test rows, a blend of the folds'."""
        path = self.inputs[f"{protocol}/seed{seed}/{stage}/blend/test.parquet"]
        return read_probabilities(path)[: len(self.test_rows)]

    def answers(self, protocol: str, seed: int, stage: str) -> np.ndarray:
        """(m,) the classes that a submission made of a blend would hold."""
        return decided(self.hidden(protocol, seed, stage), self.params["boost"])

    def hidden_counts(self, protocol: str, stage: str) -> np.ndarray | None:
        """(seeds, 1, persons, classes, classes): what submissions of a stage get right of the test
        rows, person by person; None where persons or truth are not known."""
        if self.truth is None or self.test_person is None:
            return None
        persons, classes = int(self.test_person.max()) + 1, len(self.classes)
        found = [self.answers(protocol, seed, stage) for seed in self.seeds]
        place, shape = (self.test_person,), (persons,)
        counts = (confusions(self.truth, each, place, shape, classes=classes) for each in found)
        return np.stack([*counts])[:, None]

    def pseudo_labels(
        self, protocol: str, seed: int, generation: int, part: str
    ) -> dict[str, np.ndarray]:
        """`row`, `label` and `confidence` of the pool's rows that a generation learns from."""
        home = f"{protocol}/seed{seed}/gen{generation}"
        return read_columns(self.inputs[f"{home}/pseudo_labels/{part}/pseudo_labels.parquet"])

    def temperatures(self, protocol: str) -> list[float]:
        """What probabilities of run seeds and parts are calibrated with, sorted; maybe none."""
        roles = (
            f"{protocol}/seed{seed}/gen0/temperature/{part}/temperature.json"
            for seed in self.seeds
            for part in self.parts(protocol)
        )
        return sorted(self.json(role)["temperature"] for role in roles if role in self.inputs)

    def history(self, protocol: str, seed: int, fit: str) -> dict[str, np.ndarray]:
        """A column per figure of a fit's epochs."""
        return read_columns(self.inputs[f"{protocol}/seed{seed}/{fit}/history.parquet"])

    def confusions(self, protocol: str, seed: int, stage: str) -> np.ndarray:
        """(folds, persons, classes, classes) counts of the held-out rows, by the last epoch."""
        fold = assignments(self.fold_table, "row_fold" if stage == "stage0" else "group_fold")
        predicted = self.held_out(protocol, seed, stage).argmax(axis=2)
        shape = (len(self.folds), len(self.persons))
        place = (fold, self.person)
        return confusions(self.labels, predicted, place, shape, classes=len(self.classes))

    def counts(self, protocol: str, stage: str) -> np.ndarray:
        """(seeds, folds, persons, classes, classes): the counts of every run seed."""
        return np.stack([self.confusions(protocol, seed, stage) for seed in self.seeds])

    def person_confusions(self, protocol: str, seed: int, stage: str) -> np.ndarray:
        """(repeats, persons, classes, classes): those counts, together for the folds of a repeat.

        Each person's rows are there once in every repeat, so repeats are to be averaged, not added.
        """
        counts = self.confusions(protocol, seed, stage)
        return counts.reshape(self.repeats, -1, *counts.shape[1:]).sum(axis=1)

    def _estimate(self, protocol: str, stage: str) -> Estimate:
        """The last epoch's macro-F1 of a stage: only its predictions are kept for every row."""
        return estimate(self.counts(protocol, stage))

    def _own(self, protocol: str) -> np.ndarray:
        """(persons,) float64, each person's own macro-F1 under a protocol's last generation."""
        return own_scores(self.counts(protocol, self.last))

    def _chance(self, protocol: str) -> Chance:
        """What guessing comes to with the predictions of a protocol's last generation."""
        fold, folds = assignments(self.fold_table, "group_fold"), len(self.folds)
        held_out = [self.held_out(protocol, s, self.last).argmax(axis=2) for s in self.seeds]
        return chance(
            self.labels,
            np.concatenate(held_out),
            self.person,
            np.concatenate([fold + folds * at for at in range(len(self.seeds))]),
            folds=folds * len(self.seeds),
            classes=len(self.classes),
        )

    def failing(self, protocol: str) -> list[int]:
        """Whose own score is no better than guessing: positions of persons, the lowest first."""
        own, high = self.own(protocol), self.chance(protocol).own
        lowest_first = np.argsort(own, kind="stable").tolist()
        is_failing = np.round(own, DIGITS) <= np.round(high, DIGITS)
        return [at for at in lowest_first if is_failing[at]]
