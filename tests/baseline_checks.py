"""Checks of the baselines that run in any environment; as a program, they print what they find."""

import json
import sys

import numpy as np

from emodag.science.baselines.catalogue import CATALOGUE, Baseline
from emodag.science.baselines.search import search
from emodag.science.baselines.task import Answer, Task, fit_on_present, no_tick


def rare_class_share(name: str) -> float:
    """The share of the probability that goes to a class of one row in ten.

    No feature tells the classes apart, so it is about half with balanced weights, else a tenth.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    labels = (np.arange(400) % 10 == 0).astype(np.int64)
    task = Task(train=x[:300], labels=labels[:300], unseen=x[300:], unlabelled=x[300:], seed=1)
    model = CATALOGUE[name]
    settings = {**model.settings, **({"threshold": 0.99} if name == "self_training" else {})}
    few = {key: 10 for key in ("rounds", "epochs") if key in settings}
    found = fit_on_present(model.fit, task, {**settings, **few}, no_tick, classes=2)
    return float(found.probabilities[:, 1].mean())


def cutting(tasks: list[Task]) -> Baseline:
    """A model that splits the first feature at a setting, and keeps the tasks it is given."""

    def fit(task, settings, tick):
        tasks.append(task)
        guess = (task.unseen[:, 0] > settings["cut"]).astype(int)
        return Answer(np.eye(2)[guess])

    def space(trial):
        return {"cut": trial.suggest_float("cut", 0, 12)}

    return Baseline(fit, {"cut": 11.0}, space, True, "none")


def searched() -> dict:
    """The scores of ten trials for `cutting`, and the settings chosen; a cut at 6 is perfect."""
    x = np.arange(12, dtype=np.float32)[:, None]
    labels = (x[:, 0] > 6).astype(np.int64)
    task = Task(train=x, labels=labels, unseen=x, unlabelled=x, seed=0)
    model, scores = cutting([]), []
    chosen = search(
        model,
        task,
        np.arange(12) % 3,
        model.settings,
        trials=10,
        classes=2,
        on_trial=scores.append,
    )
    return {"scores": scores, "cut": chosen["cut"]}


if __name__ == "__main__":
    shares = {name: rare_class_share(name) for name in sys.argv[1:]}
    print(json.dumps({"shares": shares, "search": searched()}))
