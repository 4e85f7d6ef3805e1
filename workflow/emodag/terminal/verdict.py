"""The report's verdict as lines for a terminal: `python -m emodag.terminal.verdict`.

In a process of its own, since it needs the numerical libraries, which Snakemake's has not loaded.
Reads a JSON object from standard input, `inputs` and `params` of `emodag.pages.report.run.Run`, and
prints one: `findings` and `steps`, lists of lines.
"""

import json
import sys
from pathlib import Path

from emodag.pages.report import answer, next_steps
from emodag.pages.report.run import Run


def main() -> None:
    """See above."""
    asked = json.load(sys.stdin)
    run = Run({role: Path(path) for role, path in asked["inputs"].items()}, asked["params"])
    told = {
        "findings": [finding.line for finding in answer.verdict(run)],
        "steps": next_steps.steps(run),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
