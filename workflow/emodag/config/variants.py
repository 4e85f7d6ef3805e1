"""Variants of a configuration: what is written in `variants`, and what `search` draws."""

import itertools
import math
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

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

Value = bool | int | float | str


class Range(Section):
    """Numbers between two ends."""

    log: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    uniform: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    integer: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = {name: ends for name, ends in vars(self).items() if ends is not None}
        if len(given) != 1:
            raise ValueError("give one of `log`, `uniform` or `integer`, such as {log: [1, 100]}")
        ((kind, (low, high)),) = given.items()
        if not low < high or (kind == "log" and low <= 0):
            raise ValueError(f"{[low, high]} are no ends of a range: the first is to be lower")
        return self

    def at(self, share: float) -> int | float:
        """The number that lies at a share of the way, to four digits."""
        if self.integer is not None:
            low, high = self.integer
            return low + min(int(share * (high - low + 1)), high - low)
        if self.uniform is not None:
            low, high = self.uniform
            return float(f"{low + share * (high - low):.4g}")
        low, high = map(math.log, self.log or (1, 1))
        return float(f"{math.exp(low + share * (high - low)):.4g}")


Choices = Annotated[list[Value], Field(min_length=1)]


class Search(Section):
    """More variants, drawn at random: `t001` and so on."""

    trials: int = Field(0, ge=0, description="how many; more of them later keep those before")
    seed: int = Field(1, ge=0, description="seed of the draws")
    sampler: Literal["random", "sobol"] = Field(
        "random", description="each draw by itself, or a Sobol sequence, which fills the space"
    )
    space: dict[str, Choices | Range] = Field(
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
        return self


class Blend(Section):
    """A vote of several variants."""

    of: Annotated[list[str], Field(min_length=2)] = Field([], description="names of variants")
    weights: Literal["equal", "vote", "hill_climbing"] = Field(
        "equal",
        description="equal: mean probabilities; vote: most votes; hill_climbing: weights found on "
        "the held-out rows of other persons",
    )


class Compare(Section):
    """How `results/variants.csv` compares."""

    baseline: str = Field(BASE, description="the variant that all others are compared with")


def drawn(search: Search) -> Iterator[dict[str, Any]]:
    """What each trial changes, each once; may end before there are as many as are asked for."""
    names, known = sorted(search.space), set()
    shares = _sobol(search) if search.sampler == "sobol" else _random(search)
    sizes = [len(each) for each in search.space.values() if isinstance(each, list)]
    # Where all that can be drawn is few, the sequence would go on for ever.
    few = math.prod(sizes) if len(sizes) == len(names) else math.inf
    for row in itertools.islice(shares, None if few == math.inf else 1000 * int(few)):
        if len(known) == min(search.trials, few):
            return
        values = tuple(_chosen(search.space[n], s) for n, s in zip(names, row, strict=True))
        if values not in known:
            known.add(values)
            yield nested(dict(zip(names, values, strict=True)))


def _chosen(space: list | Range, share: float) -> Value:
    return space[int(share * len(space))] if isinstance(space, list) else space.at(share)


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
