"""Where each learner runs, and the sampler of trials, and what these need besides the chain."""

ENVIRONMENT = "learners"
"""The environment of learners that need packages of their own."""

REQUIRED = {
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost", "xgboost-cpu"),  # one or the other
    "catboost": ("catboost",),
    "tabm": ("rtdl-num-embeddings", "tabm"),
    "tpe": ("optuna",),
}
"""The distributions whose version their results depend on, beside the numerical ones."""


def environment_of(learner: str, env: str) -> str:
    """The environment of a learner's fits in a chain that runs in `env`."""
    return ENVIRONMENT if learner in REQUIRED else env


def packages_of(learner: str) -> tuple[str, ...]:
    """The distributions whose version its results depend on."""
    return REQUIRED.get(learner, ())
