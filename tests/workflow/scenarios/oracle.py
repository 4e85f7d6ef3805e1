"""What the present state of a project must come to, each clean computation made once."""

import ast
import functools
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import yaml

from ledger.disk.atomic import write_bytes
from ledger.disk.canonical import digest
from ledger.machine.fingerprint import THREAD_VARIABLES, fingerprint
from tests.project import Project
from tests.workflow.scenarios import clean

PLAIN = dict.fromkeys(THREAD_VARIABLES, "1")
"""The variables of a clean computation where the configuration asks for nothing else."""


class Oracle:
    """Clean results by state, remembered in the process and, where one is given, in a directory.

    A state is everything that may matter: the configuration and the raw files byte by byte, every
    statement of the code, the environment.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, clean.__file__, "serve"],
            env={**os.environ, **PLAIN},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(
        self, project: Project, variables: dict[str, str], target: str = "submission"
    ) -> dict[str, str]:
        """Logical digest by path of all that the submission, or another table, stands on."""
        variables = {**_circumstances(project), **variables}
        state = digest([target, _content(project.path), variables, fingerprint({}, 1, "cpu")])
        with self._lock:  # projects side by side ask at the same time
            if state not in self._known:
                self._known[state] = self._recalled(state) or self._computed(
                    project, variables, target
                )
                self._remember(state)
            return self._known[state]

    def close(self) -> None:
        """Stop the process that computes."""
        self._server.stdin.close()
        self._server.wait()

    def _computed(self, project: Project, variables: dict[str, str], target: str) -> dict[str, str]:
        request = [str(project.path), target]
        if variables == PLAIN:
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
            answer = json.loads(self._server.stdout.readline())
            assert answer is not None, "the clean computation failed"
            return answer
        done = subprocess.run(
            [sys.executable, clean.__file__, *request],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(done.stdout)

    def _recalled(self, state: str) -> dict[str, str] | None:
        path = self._memory and self._memory / f"{state}.json"
        return json.loads(path.read_bytes()) if path and path.exists() else None

    def _remember(self, state: str) -> None:
        if self._memory:
            write_bytes(self._memory / f"{state}.json", json.dumps(self._known[state]).encode())


def _circumstances(project: Project) -> dict[str, str]:
    """The variables that the configured environment sets for its jobs."""
    config = yaml.safe_load(project.read("small.yaml"))
    entry = config.get("environments", {}).get(config.get("environment", "local"), {})
    threads = str(entry.get("threads", 1))
    return {**dict.fromkeys(THREAD_VARIABLES, threads), **entry.get("variables", {})}


def _content(root: Path) -> dict[str, str]:
    names = ["small.yaml", "train.csv", "test.csv", "truth.csv"]
    code = sorted((root / "workflow").rglob("*.py"))
    return {
        **{name: (root / name).read_text() for name in names},
        **{str(p.relative_to(root)): _statements(p.read_bytes()) for p in code},
    }


@functools.cache
def _statements(source: bytes) -> str:
    """A digest of a module's statements, whatever its comments and formatting."""
    return hashlib.sha256(ast.dump(ast.parse(source)).encode()).hexdigest()
