"""Which Python the jobs of each environment run with: the running one, or one built for them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ledger import called
from ledger.code.closure import LEDGER
from ledger.environments.venv import MARK, damages, directory, interpreter
from ledger.errors import ConfigError
from ledger.jobs.job import RUNNING
from ledger.jobs.plan import INTERPRETERS, Environment
from ledger.jobs.workflow import Workflow
from ledger.machine.builds import warning
from ledger.machine.fingerprint import locked_versions

FINGERPRINT = """\
import json, sys
from ledger.machine.fingerprint import fingerprint
variables, packages = json.loads(sys.argv[1]), json.loads(sys.argv[4])
print(json.dumps(fingerprint(variables, int(sys.argv[2]), sys.argv[3], packages)))
"""
"""What an interpreter says of itself, asked as its jobs would be started."""


class Interpreters:
    """The environments of a workflow, and the virtual environments that some of them need.

    Attributes
    ----------
    built : the directory of the virtual environment, by name of the environment.
    loaded : what their jobs' processes are to have loaded, see `Workflow`.

    Raises
    ------
    ConfigError
        When a lock or the conda file of an environment is missing.
    """

    def __init__(self, workflow: Workflow) -> None:
        self._workflow, self.loaded = workflow, workflow.loaded
        for name, entry in workflow.environments.items():
            # Snakemake wants the conda file even where conda is not used.
            for path in [*entry.locks, *([entry.conda] if entry.conda else [])]:
                if not (workflow.root / path).is_file():
                    raise ConfigError(
                        f"environments.{name}: {path} does not exist. Paths are relative to "
                        f"{workflow.root}."
                    )
        self.built = {
            name: directory(name, self.locks(name), entry.python)
            for name, entry in workflow.environments.items()
            if entry.python != RUNNING
        }
        self._pythons = {name: str(interpreter(p).absolute()) for name, p in self.built.items()}
        self._told: dict[tuple[str, ...], dict[str, Any] | None] = {}
        self._warned: set[str] = set()

    def locks(self, name: str) -> list[Path]:
        """The locks of an environment."""
        return [self._workflow.root / lock for lock in self._workflow.environments[name].locks]

    def marks(self, name: str) -> list[Path]:
        """The file that jobs of an environment wait for, if it is to be built."""
        return [self.built[name] / MARK] if name in self.built else []

    def damaged(self) -> dict[Path, list[str]]:
        """What is wrong with virtual environments that are there, by the mark of each."""
        packages = {name for job in self._workflow.jobs.values() for name in job.packages}
        found = {
            place / MARK: damages(place, locked_versions(self.locks(name), packages))
            for name, place in self.built.items()
        }
        return {mark: wrong for mark, wrong in found.items() if wrong}

    def python(self, name: str) -> str:
        """The interpreter of an environment, be it there or to be built."""
        return self._pythons.get(name, sys.executable)

    def export(self) -> None:
        """Tell the jobs, which start with the running interpreter, which one is theirs."""
        os.environ[INTERPRETERS] = json.dumps(self._pythons)

    def fingerprint(self, environment: Environment) -> dict[str, Any] | None:
        """What enters the keys of an environment's jobs, None where it cannot be told here.

        Its interpreter is asked, as a job would be started, and once. Says when files of its
        packages are not as they were installed.
        """
        python = self.python(environment.name)
        about = [json.dumps(environment.variables), str(environment.threads), environment.device]
        about.append(json.dumps(sorted(environment.requires)))
        asked = (python, "-P", "-c", FINGERPRINT, *about)
        if asked not in self._told:
            path = {"PYTHONPATH": str(LEDGER.parent), "PYTHONNOUSERSITE": "1"}
            variables = {**os.environ, **path, **environment.variables}
            try:
                done = subprocess.run(asked, env=variables, capture_output=True, check=True)
                self._told[asked] = json.loads(done.stdout)
            except (OSError, subprocess.CalledProcessError):
                self._told[asked] = None
            else:
                message = warning(self._told[asked])
                if message and python not in self._warned:
                    self._warned.add(python)
                    print(f"{called.name()}: {python}: {message}", file=sys.stderr)
        return self._told[asked]
