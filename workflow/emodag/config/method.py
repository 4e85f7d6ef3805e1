"""The sections of the method: scaling, network, training, pseudo-labels."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from emodag.config.kinds import ClassName, Positive, Share
from emodag.config.section import Section


class Scaling(Section):
    """Quantile transform to a normal distribution, as in scikit-learn's QuantileTransformer."""

    person: Literal["none", "centre", "z", "rank"] = Field(
        "none",
        description="before it, each person's features relative to that person, without labels: "
        "less the median; also divided by the spread; or the normal score of the rank",
    )
    n_quantiles: Annotated[int, Field(ge=2)] = Field(1000, description="quantiles per feature")
    subsample: Annotated[int, Field(ge=2)] = Field(
        10000, description="rows that the quantiles are estimated from"
    )
    random_state: int = Field(42, ge=0, lt=2**32, description="seed of that subsample")


class Model(Section):
    """The attentive denoising autoencoder."""

    hidden: Positive = Field(512, description="width of the encoder's and decoder's hidden layer")
    code: Positive = Field(128, description="width of the code")
    head: Positive = Field(128, description="width of the classifier's hidden layer")
    attention: bool = Field(True, description="a gate that weighs the features of each row")
    gate_ratio: Positive = Field(4, description="features per unit of the attention's bottleneck")
    dropout: Share = Field(0.3, description="dropout in the encoder and the classifier")
    residual: bool = Field(True, description="a residual block in the encoder")
    corruption: Share = Field(
        0.1, description="share of input cells masked while training; 0 is a plain autoencoder"
    )


class Training(Section):
    """How one fit goes."""

    epochs: Positive = Field(50, description="epochs of the teacher and of every student")
    stage0_epochs: Positive = Field(20, description="epochs of the stage 0 baseline")
    batch: Annotated[int, Field(ge=2)] = Field(128, description="rows per batch")
    learning_rate: Annotated[float, Field(gt=0)] = Field(1e-3, description="AdamW's, at the start")
    min_learning_rate: Annotated[float, Field(ge=0)] = Field(
        1e-6, description="where cosine annealing ends"
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(1e-3, description="AdamW's")
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5, description="published students: factor when validation F1 stops rising"
    )
    plateau_patience: Annotated[int, Field(ge=0)] = Field(
        8, description="published students: epochs without a rise before that"
    )
    mixup: Annotated[float, Field(ge=0)] = Field(
        0.4, description="alpha of mixup's Beta(alpha, alpha); 0 turns mixup off"
    )
    reconstruction: Annotated[float, Field(ge=0)] = Field(
        0.1, description="weight of the reconstruction loss"
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="weights of classes in the cross-entropy; balanced: labelled rows / (classes x "
        "labelled rows of the class)",
    )
    label_smoothing: Share = Field(
        0.0, description="what part of a row's target goes to all classes alike"
    )
    adapt: Literal["none", "persons"] = Field(
        "none",
        description="persons: predictions normalise batches by the means and variances of all rows "
        "of the person who is predicted, without labels, in place of those of training",
    )
    randomness: Literal["derived", "global"] = Field(
        "derived",
        description="derived: each fit has streams of its own; global: one goes through all fits, "
        "as in a plain script, see workflow/config/replay.yaml",
    )
    device: Literal["cpu", "cuda", "auto"] = Field(
        "cpu",
        description="where fits run; cuda: an NVIDIA GPU; auto: one where a job finds one",
    )
    matmul: Literal["ordered", "torch", "bfloat16"] = Field(
        "ordered",
        description="products of matrices; ordered: the same bits on every x86-64 processor "
        "with AVX2; torch: as torch computes them, with MKL there; bfloat16: less exact while "
        "training; see docs/speed.md",
    )
    checkpoint_every: Positive = Field(
        10, description="epochs between checkpoints; a killed fit resumes from its last one"
    )

    @property
    def targets(self) -> dict[str, Any]:
        """What is changed about the targets of fits; see `emodag.science.fit.targets`."""
        found: dict[str, Any] = {"balanced": True} if self.class_weights == "balanced" else {}
        return found | ({"smoothing": self.label_smoothing} if self.label_smoothing else {})


class PseudoLabels(Section):
    """Which test rows a student learns from, and as what."""

    select: Literal["threshold", "flexmatch", "freematch", "share"] = Field(
        "threshold",
        description="threshold: the same for all classes; flexmatch: lower where fewer rows reach "
        "it; freematch: from the mean confidence, lower where a class is predicted less; share: "
        "the surest of each class",
    )
    threshold: Annotated[float, Field(gt=0, le=1)] = Field(
        0.9, description="least confidence of a pseudo-label, for `threshold` and `flexmatch`"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2, description="what part of the rows predicted as a class is chosen, for `share`"
    )
    boost: dict[ClassName, Annotated[float, Field(gt=0)]] | None = Field(
        {"HVHA": 1.5},
        description="factors on the probabilities of classes, by name, from generation 2 on; "
        "HVHA's applies where there is such a class; null: none",
    )
    align: Literal["none", "labelled"] = Field(
        "none",
        description="labelled: probabilities are changed so that their mean is the shares of "
        "classes among the labelled rows, in place of any `boost`",
    )
    calibrate: Literal["none", "temperature"] = Field(
        "none",
        description="temperature: before all that, probabilities are made as sure as the teacher "
        "should be of training persons whom a further fit leaves out",
    )
    soft: bool = Field(
        False,
        description="whether a network learns from the probabilities, by the weight of the "
        "confidence, in place of the most probable class; other learners take the class",
    )
    control: bool = Field(
        False,
        description="for a variant: the last generation learns labelled rows again, in place of as "
        "many pseudo-labelled ones, as the control of equal compute",
    )

    @property
    def factors(self) -> dict[str, float]:
        """The boost of classes by name; none where probabilities are aligned."""
        return {} if self.align != "none" else self.boost or {}

    @property
    def selection(self) -> dict[str, Any]:
        """The parameters by which rows are chosen, less what is not asked for."""
        asked = {"threshold": ["threshold"], "flexmatch": ["select", "threshold"]}
        asked |= {"freematch": ["select"], "share": ["select", "share"]}
        return {name: getattr(self, name) for name in asked[self.select]}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # The default stands in every configuration; another boost somebody has written.
        if self.align != "none" and self.boost not in (None, type(self)().boost):
            raise ValueError(
                f"`align: {self.align}` takes the place of a boost, and `boost` is "
                f"{self.boost}; set `boost: null` or `align: none`"
            )
        return self
