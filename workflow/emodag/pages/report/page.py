"""`report.html`: the answer, then every section, in one file of its own."""

from emodag.pages.page_parts import render
from emodag.pages.report import (
    answer,
    attention,
    calibration,
    classes,
    data,
    generations,
    next_steps,
    overview,
    persons,
    provenance,
    table_one,
    terms,
    training,
    variants,
)
from emodag.pages.report.run import Run
from ledger.words import plural

TITLE = "Emotion recognition across people: what this run came to"


def page(run: Run) -> str:
    """The report on a run."""
    open_ = [table_one.section(run), persons.section(run)]
    folded = [
        *([variants.section(run)] if run.variants else []),
        classes.section(run),
        calibration.section(run),
        *([generations.section(run)] if run.has_pool else []),
        data.section(run),
        *([training.section(run)] if run.has_networks else []),
        *([attention.section(run)] if run.has_attention else []),
        provenance.section(run),
        terms.section(),
    ]
    return render(
        "page.html",
        title=TITLE,
        top="Verdict",
        lead=_lead(run),
        findings=answer.findings(run),
        steps=next_steps.steps(run),
        opening=overview.figure(run),
        contents=open_ + folded,
        open=open_,
        folded=folded,
    )


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
