"""Other models beside this one: on the same folds, by rows and by whole persons."""

from collections.abc import Iterator
from typing import NamedTuple

from emodag.pages.drawing import ACCENT, FAINT, MAIN, axes_of, settings, svg
from emodag.pages.page_parts import NONE, Table
from emodag.pages.report.parts import Figure, Section, stage_name
from emodag.pages.report.run import Run
from emodag.pages.words import brief, interval, percent
from emodag.science.scores.person_scores import Summary, summary

NAMES = {
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "svm": "SVM, RBF kernel",
    "logistic_regression": "logistic regression",
    "tabm": "TabM",
    "self_training": "self-training",
    "soft_voting": "soft voting",
    "hard_voting": "hard voting",
}
"""What people call the baselines."""

OWN_IMBALANCE = "not handled"
"""The chain's fits weigh all rows alike."""


class Model(NamedTuple):
    """A model's row: its scores under each scheme, None where it has none."""

    name: str
    kfold: Summary | None
    group_kfold: Summary | None
    imbalance: str


def section(run: Run) -> Section:
    """Every baseline under both schemes, and the chain's own models with them."""
    models = [*_baselines(run), *_own(run)]
    text = (
        "Other models on the same tables and folds, with fixed settings or such as a search within "
        "the training rows has found; `docs/baselines.md` has them. KFold splits rows, so that "
        "people are on both sides; GroupKFold holds whole people out. Scores are macro-F1, means "
        f"over folds; stochastic models draw from run seed {run.seeds[0]}. Of the chain's own "
        "models the last epoch counts. Their scaling may look at the features of the test rows, "
        "never at labels; the published protocol's sees those of held-out rows as well, and its "
        "generations learn from labels of the people they are scored on."
    )
    blocks = [text, [_figure(run, models)], _scores(models), _others(models)]
    return Section("baselines", "Other models", blocks)


def _baselines(run: Run) -> Iterator[Model]:
    found: dict[str, dict[str, dict]] = {}
    for row in run.baselines:
        found.setdefault(row["baseline"], {})[row["scheme"]] = row
    for name, rows in found.items():
        kfold, group = (_read(rows[scheme]) for scheme in ("kfold", "group_kfold"))
        yield Model(NAMES[name], kfold, group, rows["kfold"]["imbalance"])


def _read(row: dict) -> Summary:
    return Summary(
        macro_f1=row["macro_f1"],
        sd=row["macro_f1_sd"],
        low=row["macro_f1_low"],
        high=row["macro_f1_high"],
        pooled=row["macro_f1_pooled"],
        accuracy=row["accuracy"],
    )


def _own(run: Run) -> Iterator[Model]:
    """The chain's own models, of the first run seed."""
    seed = run.seeds[0]
    for protocol in run.protocols:
        if protocol == "published":
            found = summary(run.confusions(protocol, seed, "stage0"))
            yield Model("emodag, stage 0", found, None, OWN_IMBALANCE)
        found = summary(run.confusions(protocol, seed, run.last))
        name = f"emodag, {stage_name(run.last)} ({protocol})"
        yield Model(name, None, found, OWN_IMBALANCE)


def _figure(run: Run, models: list[Model]) -> Figure:
    with settings("baselines"):
        drawing, axes = axes_of(0.9 + 0.36 * len(models))
        told = []
        for row, model in enumerate(models):
            said = []
            looks = {"KFold": (model.kfold, -0.13, "o", MAIN)}
            looks["GroupKFold"] = (model.group_kfold, 0.13, "D", ACCENT)
            for scheme, (found, shift, marker, colour) in looks.items():
                if found is not None:
                    place = row + shift
                    axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2)
                    axes.plot([found.macro_f1], [place], marker, color=colour, markersize=5)
                    said.append(f"{brief(found.macro_f1)} under {scheme}")
            told.append(f"{model.name}: {', '.join(said)}")
        axes.axvline(1 / len(run.classes), color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_yticks(range(len(models)), [model.name for model in models])
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("macro-F1")
        caption = (
            "Dot: macro-F1 under KFold, which ignores people. Diamond: under GroupKFold. Lines: "
            "95 % intervals over persons. Dotted: about what guessing comes to."
        )
        return Figure(svg(drawing, f"Macro-F1 of other models. {'; '.join(told)}."), caption)


def _scores(models: list[Model]) -> Table:
    heads = ["Model", "KFold", "KFold: 95 % interval", "GroupKFold"]
    heads += ["GroupKFold: 95 % interval", "KFold less GroupKFold", "imbalance"]
    rows = []
    for model in models:
        both = model.kfold is not None and model.group_kfold is not None
        gap = model.kfold.macro_f1 - model.group_kfold.macro_f1 if both else None
        rows.append(
            [
                model.name,
                *_score(model.kfold),
                *_score(model.group_kfold),
                NONE if gap is None else brief(gap, signed=True),
                model.imbalance,
            ]
        )
    note = (
        "Macro-F1, a mean over folds, its interval over persons, and how classes of unequal size "
        "were handled."
    )
    return Table("Every model under both schemes", heads, rows, note)


def _score(found: Summary | None) -> list[str]:
    if found is None:
        return [NONE, NONE]
    return [brief(found.macro_f1), interval([found.low, found.high], brief)]


def _others(models: list[Model]) -> Table:
    heads = ["Model"]
    for scheme in ("KFold", "GroupKFold"):
        heads += [f"{scheme}: {figure}" for figure in ("sd of folds", "pooled", "accuracy")]
    rows = [[model.name, *_spread(model.kfold), *_spread(model.group_kfold)] for model in models]
    note = (
        "“Pooled” is the macro-F1 of all held-out rows at once. What each model took, "
        "python -m emodag cost tells."
    )
    return Table("Their spread over folds, and other scores", heads, rows, note)


def _spread(found: Summary | None) -> list[str]:
    if found is None:
        return [NONE] * 3
    return [brief(found.sd), brief(found.pooled), percent(found.accuracy)]
