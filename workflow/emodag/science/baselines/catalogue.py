"""Every baseline by name: its fit, its fixed settings, and what a search may try instead."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from emodag.science.baselines import boosting, classical, tabular
from emodag.science.baselines.task import Fit

SAMPLE_WEIGHTS = "row weights, balanced"
CLASS_WEIGHTS = "class weights, balanced"


class Baseline(NamedTuple):
    """A model to compare with.

    Attributes
    ----------
    settings : the fixed ones.
    space : settings that a trial of the search, Optuna's, suggests instead of some of them.
    is_scaled : whether it takes scaled features, or those of the table.
    imbalance : how it is told that classes are of unequal size.
    steps : the setting that says how many steps a fit tells of; one where None.
    """

    fit: Fit
    settings: Mapping[str, Any]
    space: Callable[[Any], dict[str, Any]]
    is_scaled: bool
    imbalance: str
    steps: str | None = None

    def step_count(self) -> int:
        """How many steps a fit with the fixed settings tells of."""
        return self.settings[self.steps] if self.steps else 1


def _lightgbm(trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 100, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 1.0),
    }


def _xgboost(trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.5, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 20.0, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 1.0),
    }


def _catboost(trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "depth": trial.suggest_int("depth", 2, 8),
        "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 30.0, log=True),
    }


def _svm(trial) -> dict[str, Any]:
    return {
        "C": trial.suggest_float("C", 1e-2, 1e3, log=True),
        "gamma": trial.suggest_float("gamma", 1e-5, 1e-1, log=True),
    }


def _regression(trial) -> dict[str, Any]:
    return {"C": trial.suggest_float("C", 1e-4, 1e2, log=True)}


def _tabm(trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 5e-3, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "n_blocks": trial.suggest_int("n_blocks", 1, 4),
    }


CATALOGUE = {
    "lightgbm": Baseline(
        boosting.lightgbm, boosting.LIGHTGBM, _lightgbm, False, SAMPLE_WEIGHTS, "rounds"
    ),
    "xgboost": Baseline(
        boosting.xgboost, boosting.XGBOOST, _xgboost, False, SAMPLE_WEIGHTS, "rounds"
    ),
    "catboost": Baseline(
        boosting.catboost, boosting.CATBOOST, _catboost, False, SAMPLE_WEIGHTS, "rounds"
    ),
    "svm": Baseline(classical.svm, classical.SVM, _svm, True, CLASS_WEIGHTS),
    "logistic_regression": Baseline(
        classical.logistic_regression,
        classical.LOGISTIC_REGRESSION,
        _regression,
        True,
        CLASS_WEIGHTS,
    ),
    "self_training": Baseline(
        classical.self_training, classical.LOGISTIC_REGRESSION, _regression, True, CLASS_WEIGHTS
    ),
    "tabm": Baseline(
        tabular.tabm, tabular.TABM, _tabm, True, "class weights in the loss, balanced", "epochs"
    ),
}
"""By the names that the configuration gives them."""
