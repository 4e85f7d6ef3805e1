"""`report.html`: the answer, then every section, in one file of its own."""

import re

from markupsafe import Markup, escape

from emodag.pages.page_parts import template, text
from emodag.pages.report import (
    answer,
    attention,
    calibration,
    classes,
    data,
    generations,
    persons,
    provenance,
    table_one,
    training,
    variants,
)
from emodag.pages.report.intervals import Intervals
from emodag.pages.report.run import Run
from ledger.words import plural

TITLE = "Emotion recognition across people: what this run came to"


def page(run: Run) -> str:
    """The report on a run."""
    intervals = Intervals(run)
    sections = [
        table_one.section(run),
        persons.section(run, intervals),
        classes.section(run),
        calibration.section(run),
        *([generations.section(run)] if run.has_pool else []),
        data.section(run),
        *([training.section(run)] if run.has_networks else []),
        *([attention.section(run)] if run.has_attention else []),
        *([variants.section(run, intervals)] if run.variants else []),
        provenance.section(run),
    ]
    made = template("report/page.html", code=_code).render(
        title=TITLE,
        style=Markup(text("style.css") + text("report/style.css")),
        script=Markup(text("report/sort.js")),
        lead=_lead(run),
        findings=answer.findings(run, intervals),
        steps=answer.steps(run, intervals),
        opening=answer.figure(run, intervals),
        sections=sections,
    )
    return made + "\n"


def _code(text: str) -> Markup:
    """Escaped text, with what stands in backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _lead(run: Run) -> str:
    quality = run.json("table/quality.json")
    rows = quality["rows"]
    told = {"test": "to predict", "unlabelled": "without a label"}
    more = "".join(f"{rows[name]:,} {what}, " for name, what in told.items() if name in rows)
    what = "a synthetic twin of the competition's tables" if run.is_synthetic else "given tables"
    return (
        f"Run on {what}: {rows['train']:,} rows of {plural(len(run.persons), 'person')} "
        f"to learn from, {more}{quality['features']:,} features, "
        f"{len(run.classes)} classes; {plural(run.params['folds'], 'fold')}"
        f"{f', {run.repeats} times' * (run.repeats > 1)}, "
        f"{plural(len(run.generations), 'generation')}, {plural(len(run.seeds), 'run seed')}."
    )
