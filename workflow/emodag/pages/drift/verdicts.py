"""What a contrast comes to, in one sentence."""

from collections.abc import Mapping
from typing import Any

from emodag.pages.words import interval, number, percent, score, title
from ledger.compare.factors import together
from ledger.words import plural

SCORE = "macro_f1"
"""The score a verdict is about: the cross-validated one, as the protocol reports it."""


def verdict(contrast: Mapping[str, Any], yardstick: Mapping[str, Any]) -> str:
    """What tells the two sides of a contrast apart, and whether it matters.

    Parameters
    ----------
    contrast : an entry of `contrasts` in `drift.json`, without its verdict.
    yardstick : what `spread` says, by generation and score.
    """
    names = [factor["name"] for factor in contrast["factors"]]
    if contrast["first"] is None:
        pairs = plural(len(contrast["pairs"]), "pair")
        return (
            f"Identical to the last bit at every step, in {pairs} of runs: {together(names)} made "
            "no difference to these runs."
        )
    effects = [f"{_effect(e[SCORE])} for {_who(s)}" for s, e in contrast["effects"].items()]
    bounds = [f"{score(x[SCORE]['two_runs'])} ({_who(s)})" for s, x in yardstick.items()]
    return (
        f"First differs in the {title(contrast['first']).lower()}{_by_how_much(contrast)}; "
        f"the effect of {together(names)} on the cross-validated macro-F1 is "
        f"{', and '.join(effects)}, in {plural(len(contrast['pairs']), 'pair')} of runs; two runs "
        f"that differ in their seed alone stay within {' and '.join(bounds)} of each other (95 %, "
        f"n = {_seeds(yardstick)} seeds)."
    )


def yardstick_verdict(yardstick: Mapping[str, Any]) -> str:
    """How far the run seed alone moves the score."""
    spreads = [
        f"{score(found[SCORE]['sd'])} for {_who(step)} (95 % interval "
        f"{interval(found[SCORE]['interval'], score)})"
        for step, found in yardstick.items()
    ]
    return (
        f"The run seed alone gives the cross-validated macro-F1 a standard deviation of "
        f"{' and '.join(spreads)}; n = {_seeds(yardstick)} seeds."
    )


def _who(step: str) -> str:
    return title(step).lower()


def _seeds(yardstick: Mapping[str, Any]) -> int:
    return next(iter(yardstick.values()))[SCORE]["n"]


def _by_how_much(contrast: Mapping[str, Any]) -> str:
    """The size of the first difference, in brackets, where a number tells it."""
    first = contrast["first"]
    figures = next(s for s in contrast["steps"] if s["step"] == first)["carried"]
    if first == "folds":
        moved = max(len(pair["folds"]["moved"]) for pair in contrast["pairs"])
        of = contrast["pairs"][0]["folds"]["persons"]
        return f" ({moved} of {plural(of, 'person')} change fold)"
    if not figures or not figures["share"]:
        return ""
    steps = "" if figures["ulps"] is None else f"by at most {number(figures['ulps'], 3)} ulp "
    return f" ({steps}in {percent(figures['share'])} of the cells)"


def _effect(effect: Mapping[str, Any]) -> str:
    """The effect, in itself and in standard deviations between seeds, and how sure that is."""
    mean = score(effect["mean"], signed=True)
    if effect["in_sds"] is None:
        return f"{mean} (the seeds do not differ at all, so there is no yardstick)"
    return (
        f"{mean}, {number(effect['in_sds'])} of a seed standard deviation (95 % interval "
        f"{interval(effect['in_sds_interval'])}),"
    )
