"""Every learner but the network, by name."""

from typing import NamedTuple

from emodag.science.learners import boosting, classical, tabular
from emodag.science.learners.task import Fit


class Learner(NamedTuple):
    """A model that can stand in for the network.

    Attributes
    ----------
    fit : how it is fitted.
    steps : the setting that says how many steps a fit tells of; one where None.
    """

    fit: Fit
    steps: str | None = None


CATALOGUE = {
    "lightgbm": Learner(boosting.lightgbm, "rounds"),
    "xgboost": Learner(boosting.xgboost, "rounds"),
    "catboost": Learner(boosting.catboost, "rounds"),
    "svm": Learner(classical.svm),
    "logistic_regression": Learner(classical.logistic_regression),
    "tabm": Learner(tabular.tabm, "epochs"),
}
"""By the names that the configuration gives them."""
