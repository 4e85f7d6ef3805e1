"""Gradient-boosted trees: LightGBM, XGBoost and CatBoost, each on one thread.

They take features as they are, unscaled: a tree's splits depend on the order of values only, and
each library has a branch for missing ones.
"""

from collections.abc import Mapping
from typing import Any

from emodag.science.baselines.task import Answer, Task, Tick

LIGHTGBM = {
    "rounds": 100,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
}
"""LightGBM's defaults (Ke et al. 2017, NeurIPS 30; its documentation, "Parameters") but for the
share of features that a tree may look at, of which it takes all: many of them are redundant here,
and time goes with the share (subsampling of columns: Breiman 2001, Machine Learning 45)."""

XGBOOST = {
    "rounds": 100,
    "learning_rate": 0.3,
    "max_depth": 6,
    "min_child_weight": 1.0,
    "colsample_bytree": 0.3,
}
"""XGBoost's defaults, and as many rounds as its scikit-learn interface takes (Chen and Guestrin
2016, KDD; its documentation, "XGBoost Parameters"), but for the share of features, as above."""

CATBOOST = {
    "rounds": 200,
    "learning_rate": 0.1,
    "depth": 6,
    "l2_leaf_reg": 3.0,
    "border_count": 64,
}
"""CatBoost's defaults (Prokhorenkova et al. 2018, NeurIPS 31; its documentation, "Common
parameters") but for the rounds, of which it takes 1000 at a rate of its own choice, and the borders
of a feature, of which it takes 254: one thread affords that many for several hundred features and
several classes."""


def lightgbm(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
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
    return Answer(booster.predict(task.unseen, num_threads=1))


def xgboost(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
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
    return Answer(booster.predict(xgboost.DMatrix(task.unseen, nthread=1)))


def catboost(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
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
    return Answer(model.predict_proba(task.unseen, thread_count=1))
