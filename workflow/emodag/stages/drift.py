"""Report the contrasts beside the spread between seeds, for people and for programs."""

import json
from pathlib import Path
from typing import Any

from emodag.pages.drift.page import page
from emodag.pages.drift.verdicts import verdict, yardstick_verdict
from emodag.science.scores.yardstick import effect, spread
from emodag.stages.factors import factors
from emodag.stages.steps import first_to_differ, over_pairs
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `drift.json` and, for people, `drift.html`.

    `drift.json` holds `yardstick`, by generation (such as `gen1`) and score what `spread` says, and
    `contrasts`: objects with `name`, `title`, `a` and `b` (environments), `factors` in which they
    differ, `first` step that differs in any pair, `steps` over all pairs, `effects` by generation
    and score, `verdict`, and the `pairs` themselves as in `contrast.json`.

    Parameters
    ----------
    inputs : by contrast its `contrast.json`.
    params : `contrasts`, their names in the order of the report; `yardstick`, the one whose pairs
        all compare one seed with the others.
    """
    found = {name: json.loads(inputs[name].read_text()) for name in params["contrasts"]}
    yardstick = _yardstick(found[params["yardstick"]]["pairs"])
    contrasts = [
        _contrast(name, contrast, yardstick, is_yardstick=name == params["yardstick"])
        for name, contrast in found.items()
    ]
    facts = {"yardstick": yardstick, "contrasts": contrasts}
    (output / "drift.json").write_text(json.dumps(facts, indent=1) + "\n")
    (output / "drift.html").write_text(page(facts), encoding="utf-8")


def _yardstick(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """The spread of every score over the seeds, by generation."""
    return {
        step: {
            name: spread([scores[0][name]["a"], *(found[name]["b"] for found in scores)])
            for name in scores[0]
        }
        for step, scores in _scores(pairs).items()
    }


def _effects(pairs: list[dict[str, Any]], yardstick: dict[str, Any]) -> dict[str, Any]:
    """The effect on every score, by generation."""
    return {
        step: {
            name: effect([found[name]["difference"] for found in scores], yardstick[step][name])
            for name in scores[0]
        }
        for step, scores in _scores(pairs).items()
    }


def _scores(pairs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By generation, the scores of every pair."""
    by_pair = [{g["step"]: g["scores"] for g in pair["generations"]} for pair in pairs]
    return {step: [found[step] for found in by_pair] for step in by_pair[0]}


def _contrast(
    name: str, contrast: dict[str, Any], yardstick: dict[str, Any], *, is_yardstick: bool
) -> dict[str, Any]:
    pairs = contrast["pairs"]
    a, b = (pairs[0][side]["environment"] for side in "ab")
    steps = over_pairs([pair["steps"] for pair in pairs])
    found = {
        "name": name,
        "title": f"Run seeds ({a})" if is_yardstick else f"{a} \N{RIGHTWARDS ARROW} {b}",
        "a": contrast["environments"][a],
        "b": contrast["environments"][b],
        "factors": factors(
            *(contrast["environments"][side] for side in (a, b)), other_seed=is_yardstick
        ),
        "first": first_to_differ({**s, "identical": s["identical"] == s["pairs"]} for s in steps),
        "steps": steps,
        # The yardstick's own pairs share a run, so they tell no effect of their own.
        "effects": {} if is_yardstick else _effects(pairs, yardstick),
        "pairs": pairs,
    }
    told = yardstick_verdict(yardstick) if is_yardstick else verdict(found, yardstick)
    return {**found, "verdict": told}
