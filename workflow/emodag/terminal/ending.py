"""The last lines of a run: its score, its warnings, its files, what to do next."""

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from emodag.chain.chain import SUBMITTED, Chain
from emodag.chain.jobs import LISTING
from emodag.config.variants import BASE
from emodag.pages.comparison import choice, read_rows, read_table, verdict
from emodag.pages.words import HIDDEN, brief, expected
from emodag.terminal.command import naming
from ledger.jobs.job import RESULTS, Job
from ledger.run import tally, turn
from ledger.run.forking import START
from ledger.words import plural

if TYPE_CHECKING:
    from emodag.config.sections import Config

MOST = 3
"""Of more warnings the others are counted."""

PATIENCE = 20
"""Seconds that the verdict is waited for."""

VARIANTS = Path(RESULTS, "variants.csv")


def of_success(
    config: "Config",
    chain: Mapping[str, Job],
    needed: Collection[str],
    targets: Collection[str],
    arguments: list[str],
) -> Iterator[str]:
    """What to say after all has gone well.

    Parameters
    ----------
    config : with the number of its folds.
    chain : every job of the configuration by name.
    needed : names of jobs that the targets rest on, whether or not there was anything to do.
    targets, arguments : what Snakemake has been asked for, and all that stood behind its name.
    """
    jobs, told = tally.done(), {}
    if "scores" in needed:
        if any(not job["hit"] for job in jobs if job["job"] in chain):
            told = _verdict(config, chain, needed, _snakefile(arguments))
        yield from told.get("findings", _score(config))
    if "leaderboard" in needed:
        yield from _hidden(config)
    if "variants" in needed:
        yield from _compared()
    if "submission" in needed and config.submit != BASE:
        yield _submitted(config.submit, is_compared="variants" in needed)
    yield from _warnings(config, f"{config.environment}/table" in needed)
    names = {job["job"] for job in jobs}
    made = [job for job in chain.values() if job.name in names and (job.is_final or job.beside)]
    files = [job.path(file) for job in made for file in job.outputs]
    if "index" in names:
        files.append(LISTING)
    if files:
        yield f"Made: {', '.join(files)}"
    if pages := [file for file in files if file.endswith(".html")]:
        yield f"Next: open {', '.join(pages)}"
    elif {"submission", "scores"} & set(needed) and "report" in chain:
        yield f"Next: {_command(targets, arguments)}    (all of it drawn, on one page)"
    if "report" in needed:
        yield from (f"Next: {step}" for step in told.get("steps", []))


def _score(config: "Config") -> Iterator[str]:
    """The score without its interval, which takes seconds to compute."""
    protocol, stage = config.told, _last(config)
    wanted = {"env": config.environment, "protocol": protocol, "stage": stage}
    if score := _mean("scores.csv", "macro_f1_last_epoch", wanted):
        yield f"{expected(protocol)}: {score}. The report has its interval."


def _verdict(
    config: "Config", chain: Mapping[str, Job], needed: Collection[str], snakefile: str
) -> dict[str, list[str]]:
    """What `emodag.terminal.verdict` prints, nothing where it finds nothing.

    Without the report it is of what the scores are of.
    """
    report = chain.get("report")
    if report is None:
        return {}
    held_out = re.compile(rf"{config.told}/.*/validation\.parquet")
    tables = {"table/train_rows.parquet", "folds/folds.parquet"}
    tables |= {"variants.csv", "selection.json"} if VARIANTS.is_file() else set()
    inputs = {
        role: origin if isinstance(origin, str) else chain[origin[0]].path(origin[1])
        for role, origin in report.inputs.items()
        if "report" in needed or role in tables or held_out.fullmatch(role)
    }
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(START), "-m", "emodag.terminal.verdict"],
            input=json.dumps({"inputs": inputs, "params": report.params}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        found = json.loads(done.stdout)
        return {
            kind: [line.replace("`snakemake ", f"`snakemake {snakefile}") for line in lines]
            for kind, lines in found.items()
        }
    return {}


def _snakefile(arguments: list[str]) -> str:
    """The option by which the run named its Snakefile, and a space; nothing where it did not."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-s", "--snakefile")
    return naming(parser.parse_known_args(arguments)[0].snakefile)


def _hidden(config: "Config") -> Iterator[str]:
    """The score of the submission on the test table, and those of the other protocols."""
    if config.submit != BASE:
        if score := _mean("leaderboard.csv", "macro_f1", {"stage": SUBMITTED}):
            yield f"{HIDDEN}: {score}. Macro-F1 of the submission, which is of {config.submit}."
        return
    found = {}
    for protocol in config.protocols:
        wanted = {"env": config.environment, "protocol": protocol, "stage": _last(config)}
        if score := _mean("leaderboard.csv", "macro_f1", wanted):
            found[protocol] = score
    if found:
        first, *others = found
        text = "".join(f" The {name} protocol's: {found[name]}." for name in others)
        yield (
            f"{HIDDEN}: {found[first]}. Macro-F1 of the submission, which is of the {first} "
            f"protocol.{text}"
        )


def _compared() -> Iterator[str]:
    """What the comparison of variants comes to."""
    with suppress(OSError, ValueError, KeyError):
        selection = json.loads(Path(RESULTS, "selection.json").read_text(encoding="utf-8"))
        yield verdict(read_rows(VARIANTS))
        yield from choice(selection)
        yield "The table: emodag variants"


def _submitted(name: str, *, is_compared: bool) -> str:
    """Which variant or vote the submission is of, and its score."""
    with suppress(OSError, ValueError, KeyError):
        if is_compared:
            (row,) = [row for row in read_rows(VARIANTS) if row["variant"] == name]
            low, high = row["low"], row["high"]
            ends = "" if low == "" else f" (95 % interval {brief(low)} to {brief(high)})"
            return f"The submission is of {name}: macro-F1 {brief(row['macro_f1'])}{ends}"
    return f"The submission is of {name}; ask for results/variants.csv to have its score"


def _last(config: "Config") -> str:
    """The last generation, as its stage is called."""
    return f"gen{Chain(config, config.environment).last}"


def _mean(table: str, score: str, wanted: Mapping[str, str]) -> str | None:
    """The mean score over the rows of a final table with the wanted cells; None without any."""
    found = read_table(Path(RESULTS, table))
    scores = [row[score] for row in found if wanted.items() <= row.items()]
    return brief(sum(scores) / len(scores)) if scores else None


def _warnings(config: "Config", is_of_tables: bool) -> Iterator[str]:
    """What the jobs have warned of, and what a table that has been there before holds.

    Jobs have said it when it happened, and that may be hours ago.
    """
    found: dict[str, str] = {}
    for job, message in tally.warnings():
        found.setdefault(message, job)
    table = f"{config.environment}/table"
    if is_of_tables:
        with suppress(OSError, ValueError, KeyError):
            quality = json.loads(Path(RESULTS, table, "quality.json").read_text(encoding="utf-8"))
            found |= {text: table for text in quality["warnings"] if text not in found}
    lines = [f"WARNING {job}: {message}" for message, job in found.items()]
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"and {plural(len(lines) - MOST, 'more warning')}, in the logs beside the results"


def _command(targets: Collection[str], arguments: list[str]) -> str:
    """The same command for the report."""
    rest = [word for word in arguments if word not in targets and word not in turn.ONCE]
    return shlex.join(["snakemake", f"{RESULTS}/report.html", *rest])
