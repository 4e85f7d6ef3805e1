"""The score of a run with its interval, as the report has it: `python -m emodag.terminal.interval`.

In a process of its own, since it needs the numerical libraries, which Snakemake's has not loaded.
Reads a JSON object from standard input, `inputs` and `params` of `emodag.pages.report.run.Run`, and
prints one: `value`, `ends`, `persons`, and where the teacher is scored, too, the `gain` from it.
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
    protocol, intervals = run.protocols[-1], Intervals(run)
    estimate = intervals.of(protocol, run.last)
    found = {
        "value": estimate.value,
        "ends": list(map(float, estimate.interval)),
        "persons": len(run.persons),
    }
    if "gen0" in run.stages(protocol) and run.last != "gen0":
        gain = estimate - intervals.of(protocol, "gen0")
        found["gain"] = {"value": gain.value, "ends": list(map(float, gain.interval))}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
