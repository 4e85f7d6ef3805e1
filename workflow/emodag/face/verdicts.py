"""What a contrast comes to, in one sentence."""

from collections.abc import Mapping
from typing import Any

from emodag.face.words import interval, number, percent, plural, score, title
from emodag.provenance.factors import together

SCORE = "macro_f1"
"""The score a verdict is about: the cross-validated one, as the protocol reports it."""


def verdict(contrast: Mapping[str, Any], yardstick: Mapping[str, Any]) -> str:
    """What tells the two sides of a contrast apart, and whether it matters.

    Parameters
    ----------
    contrast : an entry of `contrasts` in `drift.json`, without its verdict.
    yardstick : what `spread` says, by score.
    """
    names = [factor["name"] for factor in contrast["factors"]]
    if contrast["first"] is None:
        pairs = plural(len(contrast["pairs"]), "pair")
        return (
            f"Identical to the last bit at every step, in {pairs} of runs: {together(names)} "
            f"{'have' if len(names) > 1 else 'has'} no effect here."
        )
    spread, effect = yardstick[SCORE], contrast["effects"][SCORE]
    return (
        f"First differs in the {title(contrast['first']).lower()}{_by_how_much(contrast)}; "
        f"the effect of {together(names)} on the cross-validated macro-F1 is "
        f"{score(effect['mean'], signed=True)}{_in_sds(effect)}; two runs that differ in their "
        f"seed alone stay within {score(spread['two_runs'])} of each other (95 %, n = "
        f"{spread['n']} seeds)."
    )


def yardstick_verdict(yardstick: Mapping[str, Any]) -> str:
    """How far the run seed alone moves the score."""
    spread = yardstick[SCORE]
    return (
        f"The run seed alone gives the cross-validated macro-F1 a standard deviation of "
        f"{score(spread['sd'])} (95 % interval {interval(spread['interval'], score)}; "
        f"n = {spread['n']} seeds)."
    )


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


def _in_sds(effect: Mapping[str, Any]) -> str:
    """The effect in standard deviations between seeds, and how sure that is."""
    pairs = plural(effect["n"], "pair")
    if effect["in_sds"] is None:
        return f" ({pairs}; the seeds do not differ at all, so there is no yardstick)"
    return (
        f", {number(effect['in_sds'])} of a seed standard deviation "
        f"(95 % interval {interval(effect['in_sds_interval'])}; {pairs} of runs)"
    )
