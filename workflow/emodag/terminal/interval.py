"""The score of a run with its interval, as the report has it: `python -m emodag.terminal.interval`.

In a process of its own, since it needs the numerical libraries, which Snakemake's has not loaded.
Reads a JSON object from standard input, `inputs` and `params` of `emodag.pages.report.run.Run`, and
prints one: `value`, `ends`, `persons`.
"""

import json
import sys
from pathlib import Path

from emodag.pages.report.intervals import Intervals
from emodag.pages.report.run import Run


def main() -> None:
    """See above."""
    asked = json.load(sys.stdin)
    run = Run({role: Path(path) for role, path in asked["inputs"].items()}, asked["params"])
    estimate = Intervals(run).of(run.protocols[-1], run.last)
    found = {
        "value": estimate.value,
        "ends": list(map(float, estimate.interval)),
        "persons": len(run.persons),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
