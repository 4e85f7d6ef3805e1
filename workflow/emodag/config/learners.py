"""The settings of learners other than the network."""

from typing import Annotated, Literal

from pydantic import Field

from emodag.config.kinds import Positive
from emodag.config.section import Section

Learner = Literal[
    "network", "lightgbm", "xgboost", "catboost", "svm", "logistic_regression", "tabm"
]

AboveZero = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class LightGbm(Section):
    """LightGBM's defaults but for the share of features, of which it takes all.

    Ke et al. 2017, NeurIPS 30; its documentation, "Parameters". Many features are redundant here,
    and time goes with the share (subsampling of columns: Breiman 2001, Machine Learning 45).
    """

    rounds: Positive = Field(100, description="boosting rounds")
    learning_rate: AboveZero = Field(0.1, description="shrinkage of each round")
    num_leaves: Annotated[int, Field(ge=2)] = Field(31, description="leaves of a tree at most")
    min_data_in_leaf: Positive = Field(20, description="rows in a leaf at least")
    feature_fraction: Share = Field(0.3, description="share of the features a tree looks at")


class XgBoost(Section):
    """XGBoost's defaults, and the rounds of its scikit-learn interface, but for the features.

    Chen and Guestrin 2016, KDD; its documentation, "XGBoost Parameters".
    """

    rounds: Positive = Field(100, description="boosting rounds")
    learning_rate: AboveZero = Field(0.3, description="shrinkage of each round")
    max_depth: Positive = Field(6, description="depth of a tree at most")
    min_child_weight: NotNegative = Field(1.0, description="weight in a leaf at least")
    colsample_bytree: Share = Field(0.3, description="share of the features a tree looks at")


class CatBoost(Section):
    """CatBoost's defaults but for rounds and borders, which one thread must afford.

    Prokhorenkova et al. 2018, NeurIPS 31; its documentation, "Common parameters": 1000 rounds at a
    rate of its own choice, 254 borders.
    """

    rounds: Positive = Field(200, description="boosting rounds")
    learning_rate: AboveZero = Field(0.1, description="shrinkage of each round")
    depth: Annotated[int, Field(ge=1, le=16)] = Field(6, description="depth of a tree")
    l2_leaf_reg: NotNegative = Field(3.0, description="L2 penalty of leaves")
    border_count: Positive = Field(64, description="borders between bins of a feature")


class Svm(Section):
    """scikit-learn's defaults; `scale` is 1 / (features x variance of their values)."""

    C: AboveZero = Field(1.0, description="inverse of the penalty")
    gamma: Literal["scale", "auto"] | AboveZero = Field(
        "scale", description="width of the RBF kernel, as scikit-learn has it"
    )


class LogisticRegression(Section):
    """scikit-learn's default, an L2 penalty of 1 / (2 C)."""

    C: AboveZero = Field(1.0, description="inverse of the penalty")


class TabM(Section):
    """What the authors of TabM suggest to start with, but for width and epochs.

    Gorishniy et al. 2025, ICLR; the README of their repository, "Default hyperparameters". They
    take a width of 512, and stop by a validation set, which here would take people from the few
    there are.
    """

    epochs: Positive = Field(20, description="epochs")
    batch: Annotated[int, Field(ge=2)] = Field(256, description="rows per batch")
    k: Positive = Field(32, description="members of the ensemble")
    n_blocks: Positive = Field(3, description="blocks of each member")
    d_block: Positive = Field(128, description="width of a block")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="dropout")
    learning_rate: AboveZero = Field(2e-3, description="AdamW's")
    weight_decay: NotNegative = Field(3e-4, description="AdamW's")


class Learners(Section):
    """What each takes where it is the `learner`."""

    lightgbm: LightGbm = Field(LightGbm(), description="gradient-boosted trees, LightGBM")
    xgboost: XgBoost = Field(XgBoost(), description="gradient-boosted trees, XGBoost")
    catboost: CatBoost = Field(CatBoost(), description="gradient-boosted trees, CatBoost")
    svm: Svm = Field(Svm(), description="support vector machine with an RBF kernel")
    logistic_regression: LogisticRegression = Field(
        LogisticRegression(), description="multinomial logistic regression, L2 penalty"
    )
    tabm: TabM = Field(TabM(), description="TabM, an ensemble of networks that share weights")
