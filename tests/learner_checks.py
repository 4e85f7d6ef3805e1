"""Checks of learners that run in any environment; as a program, they print what they find."""

import json
import sys

import numpy as np

from emodag.config.sections import load
from emodag.science.learners.catalogue import CATALOGUE
from emodag.science.learners.task import Task, fit_on_present


def rare_class_share(name: str) -> float:
    """The share of the probability that goes to a class of one row in ten.

    No feature tells the classes apart, so it is about half with balanced weights, else a tenth.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    labels = (np.arange(400) % 10 == 0).astype(np.int64)
    task = Task(train=x[:300], labels=labels[:300], unseen=x[300:], seed=1)
    settings = getattr(load({}).learners, name).model_dump()
    few = {key: 10 for key in ("rounds", "epochs") if key in settings}
    found = fit_on_present(CATALOGUE[name].fit, task, {**settings, **few}, lambda: None, classes=2)
    return float(found[:, 1].mean())


if __name__ == "__main__":
    print(json.dumps({name: rare_class_share(name) for name in sys.argv[1:]}))
