"""`emodag compare OTHER`: this run beside one from elsewhere, in words."""

import argparse
import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from emodag.pages.words import brief, title
from ledger.cli.printing import tell
from ledger.errors import InputError, IntegrityError
from ledger.words import SHORT, listed, plural, spelt

Scores = dict[tuple[str, str], dict[str, float]]
"""By protocol and generation, the macro-F1 of each run seed: the mean over folds."""


def add(verbs) -> None:
    """Add the verb to the command line."""
    compare = verbs.add_parser(
        "compare",
        help="say how a run elsewhere differs from this one, and whether its score does",
        description="Compare the results here with those of another machine: which stage is the "
        "first whose values differ, and whether the score is further away than another run seed "
        "moves it. `emodag diff` tells every detail.",
    )
    compare.add_argument(
        "other",
        type=Path,
        metavar="OTHER",
        help="a pack of the other results (see `pack`), or their directory",
    )
    compare.set_defaults(verb=_compare)


def _compare(options: argparse.Namespace) -> int:
    from ledger.compare.difference import difference
    from ledger.jobs.job import RESULTS

    places = Path(RESULTS), options.other
    tables = [_rows(place) for place in places]
    here, there = (place / rows[0]["env"] for place, rows in zip(places, tables, strict=True))
    found = difference(here, there)
    tell(*_values(found), *_scores(*map(_by_seed, tables)), f"Details: emodag diff {here} {there}")
    return 0


def _rows(results: Path) -> list[dict[str, str]]:
    """The rows of scores.csv of results or of a pack.

    Raises
    ------
    InputError
        When there are none: the run was not finished.
    """
    from ledger.jobs.results import verified
    from ledger.store.pack import pack_in, read_pack

    if pack := pack_in(results):
        made = read_pack(pack, results.relative_to(pack)).get("scores")
        content = made and made.files.get("scores.csv")
    elif not results.is_dir():
        raise InputError(f"{results}: no such pack, and no such directory of results")
    else:
        try:
            content = verified(results / "scores.manifest.json", "scores.csv").read_bytes()
        except IntegrityError:
            content = None
    rows = list(csv.DictReader(io.StringIO((content or b"").decode())))
    if not rows:
        if (results.parent / "scores.manifest.json").is_file():
            raise InputError(f"{results}: a part of results; did you mean {results.parent}?")
        raise InputError(
            f"{results}: holds no scores, so its run is not finished; run `snakemake` there to its "
            "end" + (", and pack it anew" if pack else "")
        )
    return rows


def _by_seed(rows: list[dict[str, str]]) -> Scores:
    """The scores of teacher and students."""
    folds: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        if row["stage"].startswith("gen"):
            seeds = folds.setdefault((row["protocol"], row["stage"]), {})
            seeds.setdefault(row["seed"], []).append(float(row["macro_f1"]))
    return {
        step: {seed: fmean(scores) for seed, scores in seeds.items()}
        for step, seeds in folds.items()
    }


def _values(found: Mapping[str, Any]) -> Iterator[str]:
    """Whether the data are the same, the first stage whose values differ, and what else does."""
    for data in found["data_differ"]:
        here, there = (f"{data[s]['path']} ({data[s]['digest'][:SHORT]})" for s in "ab")
        yield f"Different data: {here} here, {there} there. These runs need not agree."
    jobs = {job["job"]: job for job in found["jobs"]}
    if parted := found["values_differ"] or found["keys_differ"]:
        # Settings before packages, of which there may be many.
        changes = sorted(jobs[parted[0]]["key"], key=lambda c: c["key"].startswith("environment."))
        yield f"Not the same here and there: {listed(map(_change, changes)) or 'nothing'}."
    only = len(found["only_in_a"]) + len(found["only_in_b"])
    if only:
        yield f"{plural(only, 'job')} of one run alone: the configurations differ."
    differ, both = found["values_differ"], plural(found["in_both"], "job")
    if not differ:
        yield f"No stage differs: the values of {both} are equal, to the last bit."
        return
    first = jobs[differ[0]]
    yield (
        f"First to differ: the stage `{first['stage']}` ({first['job']}){_how_far(first)}. "
        f"{len(differ):,} of {both} have other values."
    )


def _change(change: Mapping[str, Any]) -> str:
    name = change["key"].removeprefix("environment.").removeprefix("distributions.")
    here, there = (spelt(change[side]) if side in change else "none" for side in "ab")
    return f"{name} ({here}, {there})"


def _how_far(job: Mapping[str, Any]) -> str:
    """In how many cells, and by how many ulps at most, where a file of it tells."""
    wholes = [apart["whole"] for apart in job["outputs"].values() if apart.get("whole")]
    if not wholes:
        return ""
    whole = max(wholes, key=lambda each: each["share"])
    ulps = "" if whole["ulps"] is None else f", by {whole['ulps']:,} ulp at most"
    return f", in {whole['differing']:,} of {whole['cells']:,} cells{ulps}"


def _scores(here: Scores, there: Scores) -> Iterator[str]:
    """Of each protocol's last generation, how far the score is from here, by the run seed's rod."""
    from emodag.science.scores.yardstick import LEVEL, spread

    both = sorted(here.keys() & there.keys(), key=lambda step: (step[0], int(step[1][3:])))
    last = dict(both)
    if not last:
        yield "No score is of both runs: their protocols or generations differ."
    for protocol, step in last.items():
        seeds = here[protocol, step], there[protocol, step]
        common = [seed for seed in seeds[0] if seed in seeds[1]]
        if not common:
            yield f"No run seed of {protocol}, {title(step)}, is in both runs."
            continue
        a, b = (side[common[0]] for side in seeds)
        score = f"Macro-F1 of {protocol}, {title(step)}, run seed {common[0]}"
        if a == b:
            yield f"{score}: {brief(a)} here and there."
            continue
        yield f"{score}: {brief(a)} here, {brief(b)} there, {brief(b - a, signed=True)}."
        most = max(seeds, key=len)
        if len(most) < 2:
            yield (
                "  Whether that is more than another run seed does, no run tells: give one of them "
                "several, such as `seeds: [1, 2, 3, 4, 5]`."
            )
            continue
        rod = spread(list(most.values()))["two_runs"]
        more = "more than" if abs(b - a) > rod else "no more than"
        yield (
            f"  That is {more} another run seed does: two runs that differ in it alone stay "
            f"within {brief(rod)} of each other ({LEVEL:.0%}, by {len(most)} run seeds)."
        )
