"""Report a run for people: the answer first, then what it rests on."""

from pathlib import Path

from emodag.pages.report.page import page
from emodag.pages.report.run import Run
from ledger.context import Context, Inputs, Params


def run(inputs: Inputs, params: Params, output: Path, context: Context) -> None:
    """Write `report.html`, which needs nothing but itself.

    Nothing in it varies between two runs of the same computation: costs, times and commits are not
    part of the key, so they are left to `python -m emodag lineage`.

    Parameters
    ----------
    inputs, params : what `emodag.chain.report` asks for.
    """
    (output / "report.html").write_text(page(Run(inputs, params)), encoding="utf-8")
