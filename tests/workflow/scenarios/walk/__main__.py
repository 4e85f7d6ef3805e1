"""The long walk: ``python -m tests.workflow.scenarios.walk --steps 500 --seed 1``.

Prints every move before it is made. What has been printed can be made again with ``--replay``.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tests.workflow.scenarios.oracle import Oracle
from tests.workflow.scenarios.scenario import TINY, Scenario
from tests.workflow.scenarios.walk.machine import Walker, walk

PER_PROJECT = 25
"""Moves made on one project, before a new one is begun."""


def main() -> None:
    """Walk, and say how it went."""
    options = _options()
    oracle = Oracle(options.memory)
    with tempfile.TemporaryDirectory() as scratch:
        finished = Scenario.create(Path(scratch) / "project", **TINY)
        finished.run()
        walker = Walker(finished, oracle, lambda line: print(line, flush=True))
        print(f"# seed {options.seed}")
        try:
            if options.replay:
                replay(walker, options.replay.read_text())
            else:
                walk(walker, options.seed, steps=options.steps, each=PER_PROJECT)
        finally:
            oracle.close()
            for counter in (walker.steps, walker.counts):
                print("#", ", ".join(f"{name} {n}" for name, n in counter.most_common()))
            print(f"# {walker.steps.total()} steps, seed {options.seed}")


def replay(walker: Walker, said: str) -> None:
    """Make the moves of an earlier walk again."""
    begun = False
    for line in said.splitlines():
        if line.startswith("{"):
            arguments = json.loads(line)
            move = arguments.pop("move")
            if move != "begin":
                walker.step(move, arguments, quiet=arguments.pop("quiet"))
                continue
            if begun:
                walker.end()
            walker.begin()
            begun = True
    walker.end()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.workflow.scenarios.walk", description=__doc__.partition("\n")[2]
    )
    parser.add_argument("--steps", type=int, default=500, help="at least so many (default: 500)")
    parser.add_argument("--seed", type=int, default=1, help="which way (default: 1)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="what a walk printed")
    parser.add_argument(
        "--memory",
        type=Path,
        default=".walk",
        metavar="DIR",
        help="where clean results are kept (default: .walk)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
