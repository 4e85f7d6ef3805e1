"""`index.html`: every run, variant, file and job in some results, with what each took."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from emodag.pages.comparison import verdict
from emodag.pages.index.graph import drawn
from emodag.pages.page_parts import NONE, Section, Table, render, shown
from emodag.pages.report.variants import table
from emodag.pages.words import brief, capital, number, title
from ledger.words import SHORT, listed, naturally, plural


class Made(NamedTuple):
    """A job as it was made last.

    Attributes
    ----------
    step : what it is one of, such as ``gen1``.
    protocol, env, variant : "" where it belongs to none.
    seed : None where it belongs to none.
    hit : whether it was found in the store; `seconds` and `peak_bytes` are then of the time when
        it was computed.
    score : the macro-F1 of the last epoch on held-out rows, None where it holds none out.
    needs : the names of the jobs that it reads from.
    seen : whose labels it depends on.
    """

    name: str
    step: str
    protocol: str
    env: str
    variant: str
    seed: int | None
    key: str
    hit: bool
    started: str
    seconds: float
    peak_bytes: int
    score: float | None
    needs: Sequence[str]
    seen: Sequence[str]


class Step(NamedTuple):
    """The jobs of one step of the chain."""

    name: str
    title: str
    jobs: list[Made]

    @property
    def seconds(self) -> float:
        """What they took together, when they were computed."""
        return sum(job.seconds for job in self.jobs)

    @property
    def hits(self) -> int:
        """How many of them were found in the store."""
        return sum(job.hit for job in self.jobs)

    @property
    def score(self) -> float | None:
        """The mean score of the configuration's own, which come first; None without any."""
        first = self.jobs[0]
        return _mean([j for j in self.jobs if (j.env, j.variant) == (first.env, first.variant)])


def page(
    jobs: Sequence[Made],
    files: Mapping[str, Sequence[str]],
    hidden: Mapping[tuple[str, ...], float],
    variants: Sequence[dict[str, Any]],
    outdated: int = 0,
) -> str:
    """The page.

    Parameters
    ----------
    jobs : each after those that it needs.
    files : by what they are, paths relative to the page.
    hidden : the score on the hidden people by environment, protocol and stage.
    variants : the rows of variants.csv, none without variants.
    outdated : how many jobs are left out, as what is there is of other code, settings or inputs.
    """
    left_out = f"Not listed: {plural(outdated, 'job')} that would run again. "
    steps = _steps(jobs)
    of = {job.name: step for step in steps for job in step.jobs}
    needs = {
        step.name: {of[name].name for job in step.jobs for name in job.needs if name in of}
        - {step.name}
        for step in steps
    }
    opened = [_runs(jobs, hidden)]
    if variants:
        blocks = [verdict(variants), table(variants)]
        opened.append(Section("compared", "Variants, compared", blocks))
    opened += [_files(files), _chain(steps, needs)]
    return render(
        "page.html",
        title="Everything in these results",
        top="Overview",
        lead=f"{plural(len(jobs), 'job')} of the configuration that was run last, "
        f"{sum(job.hit for job in jobs):,} of them found in the store. Computing took "
        f"{sum(job.seconds for job in jobs):,.1f} s, summed over jobs. {left_out * bool(outdated)}"
        "`emodag index` writes this page anew.",
        opening=drawn(steps, needs),
        contents=opened,
        open=opened,
        folded=[_step(step, of) for step in steps],
    )


def _steps(jobs: Sequence[Made]) -> list[Step]:
    """The jobs by step and protocol, each step after those it needs."""
    found: dict[str, Step] = {}
    for job in jobs:
        name = "-".join(filter(None, (job.step.replace("/", "-"), job.protocol)))
        called = ", ".join(filter(None, (capital(title(job.step)), job.protocol)))
        found.setdefault(name, Step(name, called, [])).jobs.append(job)
    return list(found.values())


def _runs(jobs: Sequence[Made], hidden: Mapping[tuple[str, ...], float]) -> Section:
    def run(job: Made) -> tuple[str, ...]:
        return (job.variant, job.env, job.protocol, job.step)

    rows = []
    scored = (job for job in jobs if job.score is not None)
    for place, found in groupby(sorted(scored, key=run), key=run):
        fits = list(found)
        seeds = listed(sorted({fit.seed for fit in fits if fit.seed is not None}))
        variant, env, protocol, step = place
        score = None if variant else hidden.get((env, protocol, step))
        rows.append(
            [capital(title(step)), shown(_mean(fits), brief), shown(score, brief), protocol, env]
        )
        rows[-1] += [variant or "base", str(len(fits)), seeds]
    heads = ["Stage", "macro-F1", "hidden people", "protocol", "environment", "variant", "fits"]
    note = (
        "macro-F1 of the last epoch on held-out rows, a mean over folds and run seeds; "
        "`report.html` has its interval. What a variant shares with another one is listed there."
    )
    return Section("runs", "Runs", [note, Table("Every run", [*heads, "run seeds"], rows)])


def _files(files: Mapping[str, Sequence[str]]) -> Section:
    rows = [[_link(path, path), what] for what, paths in files.items() for path in paths]
    return Section("files", "Pages and tables", [Table("Every file", ["File", "what"], rows)])


def _chain(steps: Sequence[Step], needs: Mapping[str, set[str]]) -> Section:
    titles = {step.name: step.title for step in steps}
    rows = []
    for step in steps:
        above = Markup("; ").join(
            _link(f"#{n}", titles[n]) for n in titles if n in needs[step.name]
        )
        rows.append([_link(f"#{step.name}", step.title), number(step.seconds, 3)])
        rows[-1] += [shown(step.score, brief), str(len(step.jobs)), str(step.hits), above or NONE]
    heads = ["Step", "seconds", "macro-F1", "jobs", "from the store", "made from"]
    note = (
        "Each step leads to its jobs: their keys, what they were made from, and whose labels they "
        "have seen. Seconds are those of the computation, summed over jobs."
    )
    return Section("chain", "The chain", [note, Table("Every step", heads, rows)])


def _step(step: Step, of: Mapping[str, Step]) -> Section:
    rows = []
    for job in step.jobs:
        above = dict.fromkeys(of[name].name for name in job.needs if name in of)
        named = {found.name: found.title for found in of.values()}
        links = Markup("; ").join(_link(f"#{name}", named[name]) for name in above)
        rows.append([job.name, "from the store" if job.hit else "computed", job.started])
        rows[-1] += [f"{job.seconds:,.1f}", f"{job.peak_bytes / 1e6:,.0f}", shown(job.score, brief)]
        rows[-1] += [
            job.key[:SHORT],
            links or NONE,
            listed(sorted(job.seen, key=naturally)) or "nobody's",
        ]
    heads = ["Job", "last", "computed at", "seconds", "peak MB", "macro-F1", "key"]
    heads += ["made from", "labels seen"]
    told = f"The whole way back to the raw files: `emodag lineage {step.jobs[0].name}`"
    return Section(step.name, step.title, [told, Table(f"Jobs: {step.title}", heads, rows)])


def _link(target: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(target, text)


def _mean(jobs: Sequence[Made]) -> float | None:
    scores = [job.score for job in jobs if job.score is not None]
    return math.fsum(scores) / len(scores) if scores else None
