"""Baselines: the jobs that fit other models on the chain's tables and folds, and their table."""

from collections.abc import Iterator
from typing import Any

from emodag.chain.chain import Chain
from emodag.config.sections import VOTING, Config
from ledger.jobs.job import Job

ENVIRONMENT = "baselines"
"""The environment that models are fitted in; votes and table need no package of their own."""

SCHEMES = ("kfold", "group_kfold")
"""Folds that ignore persons, as those of stage 0, and folds that keep each person whole."""

REQUIRED = {
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost", "xgboost-cpu"),  # one or the other
    "catboost": ("catboost",),
    "tabm": ("rtdl-num-embeddings", "tabm"),
}
"""The distributions whose version a baseline's results depend on, beside the numerical ones."""

SEARCH = ("optuna",)
"""The same of the search for settings."""

PACKAGES = tuple(sorted({*SEARCH, *(name for names in REQUIRED.values() for name in names)}))
"""All of them."""


def baseline_jobs(config: Config) -> Iterator[Job]:
    """A job for each baseline, scheme and fold, then their table; nothing where none is asked for.

    Stochastic models draw from the first run seed.
    """
    chain = Chain(config, config.environment)
    fits = [
        (name, scheme, fold)
        # A vote comes after what it is of.
        for name in sorted(config.baselines, key=lambda name: name in VOTING)
        for scheme in SCHEMES
        for fold in chain.folds
    ]
    for name, scheme, fold in fits:
        make = _vote if name in VOTING else _fit
        yield make(chain, name, scheme, fold)
    if fits:
        yield _table(chain, fits)


def _fit(chain: Chain, name: str, scheme: str, fold: int) -> Job:
    config = chain.config
    params: dict[str, Any] = {
        **_facts(chain, name, scheme, fold),
        "seed": config.seeds[0],
        "trials": config.baseline_trials,
        "scaling": config.scaling.model_dump(),
    }
    if name == "self_training":
        params["threshold"] = config.pseudo_labels.threshold
    return chain.job(
        _home(chain, name, scheme, fold),
        "baseline",
        params,
        {
            **chain.matrices(chain.table),
            **chain.labels(),
            **chain.fold_input(),
            **(chain.unlabelled_folds() if scheme == "group_kfold" else {}),
        },
        environment=ENVIRONMENT,
        packages=REQUIRED.get(name, ()) + (SEARCH if config.baseline_trials else ()),
    )


def _vote(chain: Chain, name: str, scheme: str, fold: int) -> Job:
    members = [member for member in chain.config.baselines if member not in VOTING]
    votes = {m: (_home(chain, m, scheme, fold), "validation.parquet") for m in members}
    return chain.job(
        _home(chain, name, scheme, fold),
        "voting",
        {**_facts(chain, name, scheme, fold), "members": members},
        {**chain.labels(), **votes},
    )


def _table(chain: Chain, fits: list[tuple[str, str, int]]) -> Job:
    entries = [
        {"role": f"{scheme}/{name}/fold{fold}", "baseline": name, "scheme": scheme, "fold": fold}
        for name, scheme, fold in fits
    ]
    homes = [_home(chain, *fit) for fit in fits]
    files = {
        f"{entry['role']}/{file}": (home, file)
        for entry, home in zip(entries, homes, strict=True)
        for file in ("validation.parquet", "fit.json")
    }
    return chain.job(
        "baselines",
        "baselines",
        {
            "env": chain.env,
            "seed": chain.config.seeds[0],
            "classes": len(chain.classes),
            "folds": len(chain.folds),
            "fits": entries,
        },
        {**chain.labels(), **chain.fold_input(), **files},
    )


def _facts(chain: Chain, name: str, scheme: str, fold: int) -> dict[str, Any]:
    return {"baseline": name, "scheme": scheme, "fold": fold, "classes": len(chain.classes)}


def _home(chain: Chain, name: str, scheme: str, fold: int) -> str:
    return f"{chain.env}/baselines/{scheme}/{name}/fold{fold}"
