"""What the numbers suggest to do next."""

from typing import Any

from emodag.pages.comparison import simple_learner
from emodag.pages.report.finding import CONFIGURATION, SIMPLE, command
from emodag.pages.report.run import Run
from emodag.pages.report.worth import better_stop, better_variant, is_baseline_submitted, is_simple
from emodag.pages.words import brief, title
from ledger.words import plural

MOST_STEPS = 3
"""So many next steps are told, the first ones that apply."""

WIDE, FEW = 0.2, 30
"""An interval is wide beyond this, and persons are few below this."""


def steps(run: Run) -> list[str]:
    """What the numbers suggest to do next, each with its command, the weightiest first."""
    protocol, persons = run.told, len(run.persons)
    low, high = run.estimate(protocol, run.last).interval
    stop, variant = better_stop(run), better_variant(run)
    rules = [
        (
            protocol != "nested",
            "Add the leak-free protocol, for the score to expect of new people: "
            f"{command(protocols=[protocol, 'nested'])}",
        ),
        (
            stop,
            f"Stop at {title(stop or '')}, which scores higher and is there sooner: "
            f"{command(**_stopping(stop or ''))}",
        ),
        (
            variant and run.has_test and is_baseline_submitted(run),
            f"Submit the better variant: {command(submit=variant and variant['variant'])}",
        ),
        (
            not simple_learner(run.variants) and not is_simple(run),
            f"Compare with a simple learner: {SIMPLE}",
        ),
        (
            run.failing(protocol),
            "See “Scores by person” for whom it fails, “Data” for what sets them apart, and what "
            f"is odd in the tables: `emodag check {CONFIGURATION}`",
        ),
        (
            high - low > WIDE and persons < FEW,
            f"Add people: the interval of {plural(persons, 'person')} is {brief(high - low)} wide. "
            "Four times as many would at least halve it; more rows of the same people help less. "
            f"Then: {command()}",
        ),
        (
            "drift" not in run.inputs,
            f"Ask whether other machines score the same: {command('results/drift.html')}",
        ),
    ]
    return [step for applies, step in rules if applies][:MOST_STEPS]


def _stopping(stage: str) -> dict[str, Any]:
    """The settings that end a run with a generation; of generation 0 nothing is published."""
    number = stage.removeprefix("gen")
    return {"generations": number} | ({"protocols": ["nested"]} if number == "0" else {})
