"""`emodag variants`: the comparison of variants as a table, for a terminal, Markdown or LaTeX."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ledger.cli.printing import complain, tell

TABLE, SELECTION = Path("results/variants.csv"), Path("results/selection.json")

HIDDEN = ("hidden", "hidden_low", "hidden_high")
SCORES = ("macro_f1", "low", "high", "worst_fifth", *HIDDEN)
TESTS = ("p", "p_holm")
DIFFERENCES = ("difference", "difference_low", "difference_high")


def add(verbs) -> None:
    """Add the verb to the command line."""
    variants = verbs.add_parser(
        "variants",
        help="print the comparison of variants, best first",
        description="Print results/variants.csv, best first, with what each variant took, and what "
        "it comes to. Reads only.",
    )
    form = variants.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    form.add_argument("--latex", action="store_true", help="print a table in LaTeX")
    variants.set_defaults(verb=_variants)


def _variants(options: argparse.Namespace) -> int:
    from emodag.chain.jobs import workflow_of
    from emodag.chain.variants import Variants
    from emodag.pages.comparison import choice, read_rows, verdict
    from emodag.terminal.command import command
    from emodag.verbs.last_run import last_configuration
    from ledger.errors import InputError, UserError
    from ledger.jobs.planner import Planner
    from ledger.jobs.results import verified
    from ledger.snakemake.beginning import CONFIGURATION

    if not TABLE.is_file():
        raise InputError(f"{TABLE}: is not there; run {command(str(TABLE))} first")
    for path in (TABLE, SELECTION):
        verified(TABLE.with_name("variants.manifest.json"), path.name)
    config = last_configuration()
    workflow = workflow_of(config)
    variants = Variants(config)
    names = [*variants.chains, *config.blends]
    seconds = _seconds({name: variants.jobs_of(name) for name in names})
    rows = read_rows(TABLE)
    cells = [_cells(row, seconds.get(row["variant"])) for row in rows]
    heads, body = list(cells[0]), [list(row.values()) for row in cells]
    if options.latex:
        tell(*_latex(heads, body))
    elif options.markdown:
        tell(*_markdown(heads, body))
    else:
        tell(
            *_aligned(heads, body),
            "",
            verdict(rows),
            *choice(json.loads(SELECTION.read_text(encoding="utf-8"))),
        )
    try:
        if Planner(workflow, read_only=True).must_run("variants"):
            again = command(str(TABLE), "--configfile", str(CONFIGURATION))
            complain(
                f"warning: code, data or the environment have changed since {TABLE} was made; "
                f"{again} makes it anew"
            )
    except (UserError, OSError) as error:  # a raw table may not be here
        complain(f"warning: whether {TABLE} is up to date cannot be told: {error}")
    return 0


def _seconds(rests_on: Mapping[str, set[str]]) -> dict[str, float]:
    """CPU seconds of all jobs that each variant or vote rests on, when they were computed."""
    from ledger.errors import IntegrityError
    from ledger.jobs.job import RESULTS
    from ledger.jobs.results import read_manifests
    from ledger.store.sidecar import execution

    took: dict[str, float] = {}
    for path, made in read_manifests(Path(RESULTS)):
        if not isinstance(made, IntegrityError) and (found := execution(path, made.key)):
            took[made.job] = found["cost"]["cpu_seconds"]
    return {name: sum(took.get(job, 0.0) for job in own) for name, own in rests_on.items()}


def _cells(row: dict[str, Any], seconds: float | None) -> dict[str, str]:
    from emodag.pages.words import brief, probability

    told = {name: "" if row[name] == "" else brief(row[name]) for name in SCORES}
    told |= {n: "" if row[n] == "" else brief(row[n], signed=True) for n in DIFFERENCES}
    told |= {n: "" if row[n] == "" else probability(row[n]) for n in TESTS}
    counts = {n: "" if row[n] == "" else f"{row[n]:.0f}" for n in ("better", "worse")}
    return {
        "variant": str(row["variant"]),
        "what differs": str(row["changes"]),
        "macro-F1": _with_ends(told["macro_f1"], told["low"], told["high"]),
        "difference": _with_ends(*(told[name] for name in DIFFERENCES)),
        "better": counts["better"],
        "worse": counts["worse"],
        "p": told["p"],
        "p, Holm": told["p_holm"],
        "worst fifth": told["worst_fifth"],
        **({"hidden": _with_ends(*(told[name] for name in HIDDEN))} if row["hidden"] != "" else {}),
        "leak-free": row["leak_free"],
        "jobs": f"{row['jobs']:.0f}",
        "shared": f"{row['shared']:.0f}",
        "CPU s": "" if seconds is None else f"{seconds:.0f}",
    }


def _with_ends(value: str, low: str, high: str) -> str:
    return f"{value} [{low}, {high}]" if low else value


def _aligned(heads: list[str], rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def _markdown(heads: list[str], rows: list[list[str]]) -> Iterator[str]:
    for row in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _latex(heads: list[str], rows: list[list[str]]) -> Iterator[str]:
    import pandas as pd

    from emodag.pages.words import MINUS

    text = pd.DataFrame(rows, columns=heads).to_latex(index=False, escape=True)
    yield from text.replace(MINUS, "$-$").splitlines()
