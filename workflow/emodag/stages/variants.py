"""Compare all variants by their held-out rows, person by person."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emodag.science.pseudo_label import decided
from emodag.science.scores.class_scores import confusions
from emodag.science.scores.comparisons import holm, paired, worst_fifth
from emodag.science.scores.resampling import estimate
from emodag.science.scores.scoring import macro_f1
from emodag.science.scores.selection import corrected
from emodag.science.tables.ingest import true_classes
from emodag.science.tables.matrices import read_columns, read_probabilities
from emodag.stages.held_out import held_out_counts
from ledger.context import Context, Inputs, Params

COLUMNS = (
    "variant",
    "changes",
    "macro_f1",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "persons",
    "better",
    "worse",
    "p",
    "p_holm",
    "worst_fifth",
    "hidden",
    "hidden_low",
    "hidden_high",
    "leak_free",
    "environments",
    "jobs",
    "shared",
)


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `variants.csv`, a row for each, and `selection.json`, what the best of them is worth.

    `low` and `high` are the ends of 95 % intervals over persons and run seeds; `difference` is to
    the baseline, `better` and `worse` count persons, of `persons` in all; `p` is of the sign-flip
    test, `p_holm` adjusted for as many tests as there are; `worst_fifth` is the mean score of the
    fifth of the persons that fare worst. `hidden` is the score of the submissions where the truth
    is known, with its interval where the test table's persons are. `jobs` is how many a variant
    rests on, tables included, `shared` how many of these another one rests on as well. What is not
    known is empty.

    Variants that are not leak-free are compared, and have no part in tests and in the selection.

    Parameters
    ----------
    inputs : `rows`, labels and persons; `folds`; `<name>/held_out` and, where the truth is known,
        `<name>/answers`, `truth` and `test_rows`.
    params : `variants`, objects with `name`, `changes` by key, `leak_free`, `environments`,
        `boost`, `jobs` and `shared`; `baseline`, the name of one; `seeds`; `folds`, their number;
        `classes`, their names; `label`, `id`, `written` as for the leaderboard; `controls`, if
        there are any: by name of a control of equal compute, that of the variant it is of.
    """
    variants = {entry["name"]: entry for entry in params["variants"]}
    about = {"seeds": params["seeds"], "folds": params["folds"], "classes": len(params["classes"])}
    rows = read_columns(inputs["rows"])
    counts = {n: held_out_counts(inputs[f"{n}/held_out"], rows, **about) for n in variants}
    baseline = params["baseline"]
    tested = [name for name in variants if variants[name]["leak_free"] and name != baseline]
    found = {name: paired(counts[name], counts[baseline]) for name in variants if name != baseline}
    adjusted = dict(zip(tested, holm(np.array([found[n].p for n in tested])).tolist(), strict=True))
    hidden = _hidden(inputs, params)
    with (output / "variants.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for name, entry in variants.items():
            score = estimate(counts[name])
            row = {
                "variant": name,
                "changes": "; ".join(f"{key}={_told(v)}" for key, v in entry["changes"].items()),
                "macro_f1": score.value,
                "persons": counts[name].shape[2],
                **_ends("", score.interval),
                "worst_fifth": worst_fifth(counts[name]),
                "leak_free": "yes" if entry["leak_free"] else "no",
                "environments": " ".join(entry["environments"]),
                "jobs": entry["jobs"],
                "shared": entry["shared"],
                **hidden.get(name, {}),
            }
            if name in found:
                other = found[name]
                row |= {"difference": other.difference, "better": other.better}
                row |= {"worse": other.worse, **_ends("difference_", [other.low, other.high])}
            if name in adjusted:
                row |= {"p": found[name].p, "p_holm": adjusted[name]}
            writer.writerow(row)
    honest = [name for name in variants if variants[name]["leak_free"]]
    facts = _selection(honest, counts)
    if facts and "controls" in params:
        facts |= {"controls": _controls(params["controls"], counts)}
    (output / "selection.json").write_text(json.dumps(facts, indent=1) + "\n")


def _hidden(inputs: Inputs, params: Params) -> dict[str, dict[str, float]]:
    """Of each variant the cells about its submissions' scores; nothing without a truth."""
    if "truth" not in inputs:
        return {}
    tested = read_columns(inputs["test_rows"])
    truth = true_classes(inputs["truth"], tested["id"], params)
    found, classes = {}, len(params["classes"])
    for entry in params["variants"]:
        answers = read_probabilities(inputs[f"{entry['name']}/answers"])
        predicted = decided(answers, entry["boost"]).reshape(len(params["seeds"]), -1)
        scores = [macro_f1(truth, each, classes=classes) for each in predicted]
        found[entry["name"]] = {"hidden": float(np.mean(scores))}
        if "person" in tested:
            person = np.unique(tested["person"], return_inverse=True)[1]
            place = (np.arange(len(predicted))[:, None], 0, person)
            shape = (len(predicted), 1, int(person.max()) + 1)
            counts = confusions(truth, predicted, place, shape, classes=classes)
            found[entry["name"]] |= _ends("hidden_", estimate(counts).interval)
    return found


def _ends(what: str, interval: list[float]) -> dict[str, float]:
    """The ends of an interval, empty where too few persons tell nothing of it."""
    names = (f"{what}low", f"{what}high")
    return {n: end for n, end in zip(names, interval, strict=True) if np.isfinite(end)}


def _controls(
    controls: Mapping[str, str], counts: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """How much higher variants score than their controls of equal compute."""
    found = []
    for name, of in controls.items():
        more = estimate(counts[of]) - estimate(counts[name])
        ends = dict(zip(("low", "high"), more.interval, strict=True))
        found.append({"control": name, "of": of, "difference": more.value, **ends})
    return found


def _selection(names: list[str], counts: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """What the best of some variants is worth; None where there are too few persons."""
    if not names or next(iter(counts.values())).shape[2] < 2:
        return None
    best = corrected(np.stack([counts[name] for name in names]))
    chosen = dict(zip(names, best.chosen.tolist(), strict=True))
    named = {"winner": names[best.winner], "chosen": chosen}
    return {"variants": len(names), **best._asdict(), **named}


def _told(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')
