"""A clean computation: every stage called in order, without Snakemake, store, plans or keys.

What a chain must come to, computed in the most direct way there is. As a program,
``python clean.py PROJECT JOB`` does it with the code of that project and prints JSON;
``python clean.py serve`` does it for one such pair after the other, read as JSON, one a line.
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

LIBRARIES = (
    *("pandas", "psutil", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet"),
    *("safetensors.torch", "scipy.special", "sklearn.metrics", "sklearn.model_selection"),
    *("pydantic.functional_validators", "pydantic.main", "sklearn.preprocessing"),
    *("threadpoolctl", "yaml"),
)
"""What the project's code imports; loaded before it, from bytecode."""


def compute(project: Path, target: str) -> dict[str, str]:
    """Logical digest by path of everything the job `target` makes or needs, raw files aside."""
    from emodag.chain.jobs import jobs
    from emodag.config.combined import combined
    from ledger.kinds.digest import logical_digest

    os.chdir(project)
    chain = jobs(combined([Path("small.yaml")], []))
    labels_seen, digests = {}, {}

    with tempfile.TemporaryDirectory() as scratch:

        def place(origin) -> Path:
            return Path(origin) if isinstance(origin, str) else Path(scratch, *origin)

        def make(name: str) -> None:
            job, context = chain[name], _Context()
            artifacts = {r: o[0] for r, o in job.inputs.items() if not isinstance(o, str)}
            for upstream in artifacts.values():
                if upstream not in labels_seen:
                    make(upstream)
            context.labels_seen = {role: labels_seen[up] for role, up in artifacts.items()}
            output = Path(scratch, name)
            output.mkdir(parents=True)
            stage = importlib.import_module(job.module)
            inputs = {role: place(origin) for role, origin in job.inputs.items()}
            stage.run(inputs, job.params, output, context)
            labels_seen[name] = context.own.union(*context.labels_seen.values())
            for path in output.iterdir():
                if path.is_file():
                    digests[job.path(path.name)] = logical_digest(path)

        make(target)
    return digests


class _Context:
    """What a stage may ask for, at its simplest: no bar, no warnings, no checkpoints."""

    every = sys.maxsize

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.checkpoint, self.device, self.workers = self, "cpu", 1

    def saw_labels_of(self, persons) -> None:
        self.own.update(map(str, persons))

    def progress(self, total: int, unit: str) -> "_Context":
        return self

    def __enter__(self) -> "_Context":
        return self

    def nothing(self, *_, **__) -> None:
        pass

    __exit__ = update = warn = note = load = nothing


def serve() -> None:
    """Answer requests from standard input, each in a fork that finds the libraries loaded.

    The code under test is not loaded before the fork, so every answer comes from the project's own.
    """
    for line in sys.stdin:
        if os.fork() == 0:
            answer(*json.loads(line))
            os._exit(0)
        if os.wait()[1]:
            print("null", flush=True)


def answer(project: str, target: str) -> None:
    """Print what `compute` finds, with the code of that project, compiled from its source."""
    sys.pycache_prefix, sys.dont_write_bytecode = os.devnull, True
    sys.path.insert(0, str(Path(project, "workflow")))
    print(json.dumps(compute(Path(project), target)), flush=True)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    serve() if sys.argv[1:] == ["serve"] else answer(*sys.argv[1:])
