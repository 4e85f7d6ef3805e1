"""Variants of a configuration: what is written in `variants`, and what `search` draws."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from emodag.config.section import Section

BASE = "base"
"""What the configuration itself is called among its variants."""

OPEN = {"learner", "learners", "generations", "scheme"}
OPEN |= {"scaling", "model", "training", "pseudo_labels"}
"""The keys that a variant may change."""

FIXED = {
    **dict.fromkeys(("data",), "changes the tables"),
    **dict.fromkeys(("folds", "folds_repeats", "fold_assignment"), "changes the folds"),
    "seeds": "changes the run seeds",
    "protocols": "changes the protocol, which is the leak-free one for all",
}
"""Why it may not change others: its scores could not be compared, person by person."""


def _value(value: Any, known: ValidatorFunctionWrapHandler) -> Any:
    try:
        return known(value)
    except ValidationError:
        raise ValueError(f"expected a number, a word, true or false; found {value!r}") from None


Value = Annotated[bool | int | float | str, WrapValidator(_value)]

KINDS = ("log", "uniform", "integer")
"""How numbers between two ends are drawn."""

MISSES = 1000
"""Draws in a row that bring nothing new, after which a range is taken to hold nothing new."""

ROUND = 10
"""How many trials a sampler that goes by scores draws at once; the first so many are random."""


class Search(Section):
    """More variants, drawn from a space: `t001` and so on."""

    trials: int = Field(0, ge=0, description="how many; more of them later keep those before")
    seed: int = Field(1, ge=0, description="seed of the draws")
    sampler: Literal["random", "sobol", "tpe"] = Field(
        "random",
        description="random: each draw by itself; sobol: a Sobol sequence, which fills the space; "
        f"tpe: Optuna's, {ROUND} at a time, from the scores of those before",
    )
    space: dict[str, list[Value] | dict[str, list[float]]] = Field(
        {},
        description="what is drawn, by key: a list to choose from, or the ends of a range as {log: "
        "[low, high]}, {uniform: [low, high]} or {integer: [low, high]}",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.trials and not self.space:
            raise ValueError(
                "`space` is empty: say what is drawn, such as training.mixup: [0, 0.4]"
            )
        if self.sampler == "tpe" and "scheme" in self.space:
            raise ValueError(
                "`space` draws `scheme`, and `sampler: tpe` would go by leaky scores; name such a "
                "variant in `variants`"
            )
        for key, entry in self.space.items():
            if not _can_be_drawn(entry):
                raise ValueError(
                    f"`space` can draw nothing for {key!r}: give a list to choose from, or the "
                    "ends of a range, the lower one first, such as {log: [1, 100]}, by keys such "
                    f"as training.mixup; found {entry!r}"
                )
            for other in self.space:
                if other.startswith(f"{key}."):
                    raise ValueError(f"`space` holds {key!r} and {other!r}, which is a part of it")
        if self.space and not self.trials:
            raise ValueError("`space` says what is drawn, and `trials` is 0: say how many trials")
        return self


def _can_be_drawn(entry: list | dict[str, list[float]]) -> bool:
    if isinstance(entry, list):
        return bool(entry)
    if len(entry) != 1 or not {*entry} <= {*KINDS}:
        return False
    ((kind, ends),) = entry.items()
    whole = kind != "integer" or all(float(end).is_integer() for end in ends)
    return len(ends) == 2 and ends[0] < ends[1] and whole and (kind != "log" or ends[0] > 0)


class Blend(Section):
    """A vote of several variants."""

    of: Annotated[list[str], Field(min_length=2)] = Field(
        [], description="names of variants", validate_default=True
    )
    weights: Literal["equal", "vote", "hill_climbing"] = Field(
        "equal",
        description="equal: mean probabilities; vote: most votes; hill_climbing: weights found on "
        "the held-out rows of other persons",
    )


class Compare(Section):
    """How `results/variants.csv` compares."""

    baseline: str = Field(BASE, description="the variant that all others are compared with")


class Draw(NamedTuple):
    """A trial: what it changes, and how far through each entry of the space that lies, by key."""

    shares: list[float]
    changes: dict[str, Any]


def drawn(search: Search, suggested: Iterable[list[float]] = ()) -> Iterator[Draw]:
    """The trials, each once; fewer than are asked for where the space holds fewer.

    Parameters
    ----------
    suggested : with `tpe` the shares of those after the first `ROUND`, as far as they are known.
    """
    names, known = sorted(search.space), set()
    most = math.prod(map(_choices, search.space.values()))
    patience = MISSES if most == math.inf else None
    draws = _sobol(search) if search.sampler == "sobol" else _random(search)
    first = itertools.islice(draws, ROUND)
    for row in itertools.chain(first, suggested) if search.sampler == "tpe" else draws:
        if len(known) == min(search.trials, most):
            return
        # Of what has been drawn before, the next that has not takes the place.
        for shares in itertools.islice(itertools.chain([row], draws), patience):
            values = tuple(_chosen(search.space[n], s) for n, s in zip(names, shares, strict=True))
            if values not in known:
                break
        else:
            return
        known.add(values)
        yield Draw(shares, nested(dict(zip(names, values, strict=True))))


def _choices(entry: list | dict[str, list[float]]) -> float:
    """How many values an entry of the space has; infinite where they are not counted."""
    if isinstance(entry, list):
        return len(set(entry))
    ((kind, (low, high)),) = entry.items()
    return int(high) - int(low) + 1 if kind == "integer" else math.inf


def _chosen(entry: list | dict[str, list[float]], share: float) -> Value:
    """What lies at a share of the way through a list or a range; numbers to four digits."""
    if isinstance(entry, list):
        return entry[int(share * len(entry))]
    ((kind, (low, high)),) = entry.items()
    if kind == "integer":
        return int(low) + int(share * (int(high) - int(low) + 1))
    if kind == "uniform":
        value = low + share * (high - low)
    else:
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return min(max(float(f"{value:.4g}"), low), high)


def _random(search: Search) -> Iterator[list[float]]:
    """Shares of 1 for each key of each draw, from hashes, so that a further key moves no other."""
    names = sorted(search.space)
    for number in itertools.count():
        digests = (sha256(f"{search.seed}/{number}/{name}".encode()).digest() for name in names)
        yield [int.from_bytes(digest[:6], "big") / 2**48 for digest in digests]


def _sobol(search: Search) -> Iterator[list[float]]:
    """The same from a scrambled Sobol sequence (Owen 1998, J. Complexity 14), by SciPy."""
    from scipy.stats.qmc import Sobol

    sequence = Sobol(len(search.space), rng=search.seed)
    while True:
        yield from sequence.random(64).tolist()


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted keys as sections: ``{"a.b": 1}`` is ``{"a": {"b": 1}}``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        section = found
        for name in path:
            section = section.setdefault(name, {})
        section[last] = value
    return found


def dotted(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The reverse of `nested`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and key != "boost":
            found |= dotted(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found
