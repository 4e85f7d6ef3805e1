"""The tables of the drift page, as text."""

from collections.abc import Iterator, Mapping
from typing import Any

from emodag.pages.page_parts import MOST_FOLDS, NONE, Table, shown
from emodag.pages.words import capital, interval, number, percent, score, title

SCORES = {
    "macro_f1": "Cross-validated",
    "macro_f1_last_epoch": "Last epoch",
    "hidden": "Hidden people",
}
"""What the scores are called, in their order."""

LONG = {
    "macro_f1": "Cross-validated macro-F1, as the protocol reports it",
    "macro_f1_last_epoch": "Cross-validated macro-F1 of the last epoch",
}


def tables(contrast: Mapping[str, Any], yardstick: Mapping[str, Any]) -> list[Table]:
    """Every table of a contrast that has something to show."""
    found = [_effects(contrast, yardstick), _steps(contrast)]
    if contrast["first"] is not None:
        found += [_folds(contrast), _pseudo_labels(contrast), _predictions(contrast)]
        found += [_scores(contrast, key) for key in LONG]
    return [table._replace(of=contrast["title"]) for table in found if table.rows]


def pair_name(pair: Mapping[str, Any]) -> str:
    """What tells a pair of runs from the others of its contrast."""
    a, b = pair["a"]["seed"], pair["b"]["seed"]
    return f"seed {a}" if a == b else f"seed {a} \N{RIGHTWARDS ARROW} {b}"


def _effects(contrast: Mapping[str, Any], yardstick: Mapping[str, Any]) -> Table:
    heads = ["Step", "macro-F1", "effect", "95 % interval", "pairs", "seed sd", "95 % interval"]
    heads += ["seeds", "effect in sd", "95 % interval"]
    rows = []
    for step, spreads in yardstick.items():
        for key in filter(spreads.__contains__, SCORES):
            spread = spreads[key]
            seeds = [score(spread["sd"]), interval(spread["interval"], score), str(spread["n"])]
            before, after = _effect(contrast["effects"].get(step, {}).get(key))
            rows.append([capital(title(step)), SCORES[key], *before, *seeds, *after])
    return Table("Effect on the scores", heads, rows)


def _effect(effect: Mapping[str, Any] | None) -> tuple[list[str], list[str]]:
    """The cells of an effect that stand before those of the seeds, and after them."""
    if effect is None:
        return [NONE] * 3, [NONE] * 2
    before = [
        _signed(effect["mean"]),
        shown(effect["interval"], lambda ends: interval(ends, _signed)),
        str(effect["n"]),
    ]
    return before, [shown(effect["in_sds"], number), shown(effect["in_sds_interval"], interval)]


def _steps(contrast: Mapping[str, Any]) -> Table:
    heads = ["Step", "pairs identical", "cells that differ", "largest ulp", "largest relative"]
    heads += ["root mean square", "amplification", "weights that differ", "their largest ulp"]
    rows = []
    for step in contrast["steps"]:
        figures, weights = step["carried"] or {}, step["weights"] or {}
        rows.append(
            [
                capital(title(step["step"])),
                f"{step['identical']} of {step['pairs']}",
                shown(figures.get("share"), percent),
                *(shown(figures.get(name), number) for name in ("ulps", "relative", "rms")),
                shown(step["amplification"], number),
                shown(weights.get("share"), percent),
                shown(weights.get("ulps"), number),
            ]
        )
    note = "Largest over the pairs of runs; root mean square and amplification are medians."
    return Table("Step by step", heads, rows, note)


def _folds(contrast: Mapping[str, Any]) -> Table:
    """Who moves; no seed has a say in that, so the first pair of runs speaks for all."""
    folds = contrast["pairs"][0]["folds"]
    rows = [[move["person"], str(move["a"]), str(move["b"])] for move in folds["moved"]]
    note = f"{len(rows)} of {folds['persons']} persons."
    return Table("Persons that change fold", ["Person", "from fold", "to fold"], rows, note)


def _pseudo_labels(contrast: Mapping[str, Any]) -> Table:
    counts = ("a", "b", "gained", "lost", "flipped")
    rows = [
        [
            pair_name(pair),
            capital(title(entry["step"])),
            entry["part"],
            *(f"{entry[c]:,}" for c in counts),
        ]
        for pair in contrast["pairs"]
        for entry in pair["pseudo_labels"]
    ]
    heads = ["Runs", "step", "persons", *_sides(contrast), "gained", "lost", "flipped"]
    return Table("Pseudo-labels", heads, rows)


def _predictions(contrast: Mapping[str, Any]) -> Table:
    rows = []
    for pair, generation in _generations(contrast):
        if "predictions" not in generation:  # there is no test table
            continue
        found = generation["predictions"]
        rows.append([pair_name(pair), capital(title(generation["step"]))])
        rows[-1] += [f"{found['flipped']:,} of {found['rows']:,}"]
        rows[-1] += [percent(found["flipped"] / found["rows"])]
        rows[-1] += _hidden(generation["scores"].get("hidden"))
    left, right = _sides(contrast)
    heads = ["Runs", "step", "flipped", "share", f"hidden F1, {left}", right, "difference"]
    return Table("Test predictions", heads, rows)


def _hidden(scores: Mapping[str, float] | None) -> list[str]:
    """The cells of the hidden score, which nobody knows where the truth is not known."""
    if scores is None:
        return [NONE] * 3
    return [score(scores["a"]), score(scores["b"]), _signed(scores["difference"])]


def _scores(contrast: Mapping[str, Any], key: str) -> Table:
    rows = []
    for pair, generation in _generations(contrast):
        folds, mean = generation["folds"][key], generation["scores"][key]
        rows.append([pair_name(pair), capital(title(generation["step"]))])
        higher = [fold["difference"] for fold in folds]
        is_many = len(folds) > MOST_FOLDS
        rows[-1] += map(_signed, (min(higher), max(higher)) if is_many else higher)
        rows[-1] += [score(mean["a"]), score(mean["b"]), _signed(mean["difference"])]
    folds = len(contrast["pairs"][0]["generations"][0]["folds"][key])
    heads = ["Runs", "step"]
    heads += [f"fold {n}" for n in range(folds)] if folds <= MOST_FOLDS else ["lowest", "highest"]
    left, right = _sides(contrast)
    heads += [f"mean, {left}", right, "difference"]
    return Table(LONG[key], heads, rows, f"By fold, how much higher it is on the {right} side.")


def _generations(contrast: Mapping[str, Any]) -> Iterator[tuple[Mapping, Mapping]]:
    for pair in contrast["pairs"]:
        for generation in pair["generations"]:
            yield pair, generation


def _sides(contrast: Mapping[str, Any]) -> tuple[str, str]:
    """What the two sides are called: by their environments, if these are two."""
    a, b = (contrast[side]["name"] for side in "ab")
    return ("left", "right") if a == b else (a, b)


def _signed(value: float) -> str:
    return score(value, signed=True)
