"""What a contrast comes to: whether the two sides differ, whether it matters, and the figures."""

from collections.abc import Mapping
from typing import Any

from emodag.pages.words import interval, number, percent, score, title
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
            f"The two do not differ. Identical to the last bit at every step, in {pairs} of runs: "
            f"{together(names)} made no difference to these runs."
        )
    effects = [f"{_effect(e[SCORE])} for {_who(s)}" for s, e in contrast["effects"].items()]
    bounds = [f"{score(x[SCORE]['two_runs'])} ({_who(s)})" for s, x in yardstick.items()]
    return (
        f"The two differ, {MATTERS[matter(contrast['effects'], yardstick)]}. First differs in the "
        f"{title(contrast['first'])}{_by_how_much(contrast)}; "
        f"the effect of {together(names)} on the cross-validated macro-F1 is "
        f"{', and '.join(effects)}, in {plural(len(contrast['pairs']), 'pair')} of runs; two runs "
        f"that differ in their seed alone stay within {' and '.join(bounds)} of each other (95 %, "
        f"n = {_seeds(yardstick)} seeds)."
    )


MATTERS = {
    True: "and it matters: scores move in one direction, or further than by another run seed",
    False: "and it matters no more than another run seed does",
}
"""What is said of a contrast whose sides differ."""


def matter(effects: Mapping[str, Any], yardstick: Mapping[str, Any]) -> bool:
    """Whether a difference matters to some generation's score.

    It does if the mean over pairs of runs is surely not 0, or further from it than two runs that
    differ in their seed alone are from each other.
    """
    for step, found in effects.items():
        effect, bound = found[SCORE], yardstick[step][SCORE]["two_runs"]
        low, high = effect["interval"] or (0, 0)
        if low > 0 or high < 0 or abs(effect["mean"]) > bound:
            return True
    return False


def lead(facts: Mapping[str, Any]) -> str:
    """Whether environments differ, and whether it matters, over all contrasts in a sentence.

    Parameters
    ----------
    facts : what `drift.json` holds.
    """
    pairs = [contrast for contrast in facts["contrasts"] if contrast["effects"]]
    differing = [contrast for contrast in pairs if contrast["first"] is not None]
    if not differing:
        none = f"None of {plural(len(pairs), 'pair')} of environments differs"
        none = none if len(pairs) != 1 else "The two environments do not differ"
        return f"{none}, to the last bit: it does not matter which of them runs."
    told = [
        f"{contrast['a']['name']} and {contrast['b']['name']} differ, "
        f"{MATTERS[matter(contrast['effects'], facts['yardstick'])]}"
        for contrast in differing
    ]
    same = len(pairs) - len(differing)
    rest = f"; {plural(same, 'other pair')} of environments {'does' if same == 1 else 'do'} not"
    return f"The environments {'; '.join(told)}{rest * (same > 0)}."


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
    return title(step)


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


def together(names: list[str]) -> str:
    """The factors of one contrast as one noun."""
    if len(names) < 2:
        return "".join(names) or "nothing"
    return f"{', '.join(names[:-1])} and {names[-1]} together"
