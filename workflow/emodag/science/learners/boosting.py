"""Gradient-boosted trees: LightGBM, XGBoost and CatBoost, each on one thread.

A tree's splits depend on the order of values only, so scaling changes little for them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from emodag.science.learners.task import Task, Tick


def lightgbm(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    """LightGBM, histograms by row, deterministic."""
    import lightgbm

    own = {key: value for key, value in settings.items() if key != "rounds"}
    fixed = {
        "objective": "multiclass",
        "num_class": task.classes,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": task.seed,
        "verbosity": -1,
    }
    table = lightgbm.Dataset(task.train, task.labels, weight=task.weights, free_raw_data=True)
    booster = lightgbm.train(
        {**own, **fixed}, table, settings["rounds"], callbacks=[lambda _: tick()]
    )
    return booster.predict(task.unseen, num_threads=1)


def xgboost(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    """XGBoost, histograms."""
    import xgboost

    class Ticking(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log) -> bool:
            tick()
            return False  # go on

    own = {key: value for key, value in settings.items() if key != "rounds"}
    fixed = {
        "objective": "multi:softprob",
        "num_class": task.classes,
        "tree_method": "hist",
        "device": "cpu",
        "nthread": 1,
        "seed": task.seed,
        "verbosity": 0,
    }
    table = xgboost.DMatrix(task.train, task.labels, weight=task.weights, nthread=1)
    booster = xgboost.train({**own, **fixed}, table, settings["rounds"], callbacks=[Ticking()])
    return booster.predict(xgboost.DMatrix(task.unseen, nthread=1))


def catboost(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    """CatBoost, plain boosting."""
    from catboost import CatBoostClassifier, Pool

    class Ticking:
        def after_iteration(self, info) -> bool:
            tick()
            return True  # go on

    own = {key: value for key, value in settings.items() if key != "rounds"}
    model = CatBoostClassifier(
        **own,
        iterations=settings["rounds"],
        loss_function="MultiClass",
        boosting_type="Plain",
        thread_count=1,
        random_seed=task.seed,
        allow_writing_files=False,
        logging_level="Silent",
    )
    model.fit(Pool(task.train, task.labels, weight=task.weights), callbacks=[Ticking()])
    return model.predict_proba(task.unseen, thread_count=1)
