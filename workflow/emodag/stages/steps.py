"""Two runs of one chain, step by step: which differ, by how much, and where a difference grows.

A step is what a chain does at one place of it, be it in one job or in one per fold. Its files are
equal when their logical digests are. How far apart it is, for the next step, is how far apart the
numbers are that the next step reads: the root mean square of their relative differences (see
`Distance.rms`), which has no unit and so can be compared between steps. The amplification of a
step is that distance in units of the same distance of the step before it that has numbers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from ledger.compare.distance import Distance
from ledger.compare.file_distance import file_distance
from ledger.kinds.digest import logical_digest


class Pair(NamedTuple):
    """One output file of one job, in both runs."""

    job: str
    file: str
    a: Path
    b: Path


@dataclass(frozen=True, kw_only=True)
class Step:
    """One place of the chain.

    Attributes
    ----------
    name : what to call it.
    pairs : every output file of its jobs.
    carries : the names of the files whose numbers the next step computes with; none where it makes
        decisions, such as folds.
    """

    name: str
    pairs: tuple[Pair, ...]
    carries: frozenset[str] = frozenset()


def compare(
    steps: Iterable[Step], digest: Callable[[Path], str] = logical_digest
) -> list[dict[str, Any]]:
    """What tells two runs apart, one entry per step, as plain JSON.

    Each entry holds `step`; `identical`, whether all its logical digests are equal; `jobs`, those
    that differ; `files`, by file name what `_file` says; `carried`, the figures of the distance of
    what the next step reads, None without numbers; and `amplification`, None where this step or
    the one before has no difference.

    Parameters
    ----------
    digest : how to digest a file; each is digested once.

    Raises
    ------
    IntegrityError
        When a file cannot be read as what its name says.
    """
    digest, found, before = cache(digest), [], None
    for step in steps:
        entry = _step(step, digest)
        if carried := entry["carried"]:
            now = carried["rms"]
            entry["amplification"] = now / before if now and before else None
            before = now
        found.append(entry)
    return found


def first_to_differ(steps: Iterable[Mapping[str, Any]]) -> str | None:
    """The name of the first step that is not identical, None where all are."""
    return next((step["step"] for step in steps if not step["identical"]), None)


def _step(step: Step, digest: Callable[[Path], str]) -> dict[str, Any]:
    differing = {pair for pair in step.pairs if not _is_equal(pair, digest)}
    apart = {pair: _apart(pair, is_equal=pair not in differing) for pair in step.pairs}
    files = {pair.file: None for pair in step.pairs}
    carried = [apart[pair].get("whole") for pair in step.pairs if pair.file in step.carries]
    return {
        "step": step.name,
        "identical": not differing,
        "jobs": sorted({pair.job for pair in differing}),
        "files": {
            name: _file([(pair in differing, apart[pair]) for pair in apart if pair.file == name])
            for name in files
        },
        "carried": _sum(carried),
        "amplification": None,
    }


def _is_equal(pair: Pair, digest: Callable[[Path], str]) -> bool:
    return pair.a == pair.b or digest(pair.a) == digest(pair.b)


def _apart(pair: Pair, *, is_equal: bool) -> dict[str, Any]:
    """What `file_distance` says; of equal files, only how many cells there are."""
    if not is_equal:
        return file_distance(pair.a, pair.b)
    if pair.a.suffix != ".parquet":
        return {}
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(pair.a)
    return {"whole": Distance(cells=metadata.num_rows * metadata.num_columns).figures()}


def _file(apart: list[tuple[bool, dict[str, Any]]]) -> dict[str, Any]:
    """What the files of one name come to: how many there are and differ, and by how much.

    `types` holds each pair of types that one column or tensor has on the two sides; `unlike` counts
    pairs of files that have no cells to compare one by one: of other rows or shapes.
    """
    differing = [found for differs, found in apart if differs]
    types = {tuple(pair) for found in differing for pair in found.get("types", {}).values()}
    return {
        "files": len(apart),
        "differ": len(differing),
        "unlike": sum(bool(found.keys() & {"rows", "shapes"}) for found in differing),
        "types": sorted(map(list, types)),
        "whole": _sum([found.get("whole") for _, found in apart if "changes" not in found]),
    }


def _sum(figures: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    """The figures of several files as one; None without any, or where one has none."""
    if not figures or None in figures:
        return None
    return sum(map(Distance.of, figures), Distance()).figures()


def over_pairs(pairs: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What `compare` says of several pairs of runs, as one entry per step.

    `pairs` and `identical` count pairs of runs. `carried` holds the largest `share`, `ulps` and
    `relative`, and the median `rms`, of what the next step reads, None without numbers; `each_rms`
    that of each pair; `amplification` the median over the pairs that have one; `weights` the same
    figures as `carried` for the tensors.
    """
    return [_over_pairs(list(entries)) for entries in zip(*pairs, strict=True)]


def _over_pairs(entries: list[dict[str, Any]]) -> dict[str, Any]:
    carried = [entry["carried"] for entry in entries]
    weights = [
        found["whole"]
        for entry in entries
        for name, found in entry["files"].items()
        if name.endswith(".safetensors") and not entry["identical"]
    ]
    amplified = [e["amplification"] for e in entries if e["amplification"] is not None]
    return {
        "step": entries[0]["step"],
        "pairs": len(entries),
        "identical": sum(entry["identical"] for entry in entries),
        "carried": _worst(carried),
        "each_rms": [figures["rms"] for figures in carried if figures],
        "amplification": median(amplified) if amplified else None,
        "weights": _worst(weights),
    }


def _worst(figures: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    if not figures or None in figures:
        return None
    return {
        **{name: _largest(f[name] for f in figures) for name in ("share", "ulps", "relative")},
        "rms": median(f["rms"] for f in figures),
    }


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
