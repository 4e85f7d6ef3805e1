"""One point after the other: a run in which something happens, and what must be true of it."""

import contextlib
import importlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emodag.config.combined import combined
from ledger.ask.verify import verify
from ledger.code.closure import package_root
from ledger.context import Progress
from ledger.disk.canonical import file_sha256
from ledger.errors import UserError
from ledger.jobs.manifest import Manifest
from ledger.jobs.results import is_manifest
from ledger.kinds.digest import logical_digest
from ledger.store import sidecar
from ledger.store.store import Store
from tests.project import ROOT, Project, tables
from tests.workflow.scenarios import clean
from tests.workflow.scenarios.scenario import flip
from tests.workflow.scenarios.sweep.cases import CONFIGURATIONS, FINAL, Case, Command
from tests.workflow.scenarios.sweep.chain import CLEAR_ERROR, STORE, Chain
from tests.workflow.scenarios.sweep.faults import Faults

SECONDS = 120
"""How long a run may take before it counts as hanging."""

MEMORY = (".plan/modules.json", ".plan/.code")
"""What planning remembers of the code: to find it out anew takes seconds."""

EARLIER = "results/earlier/"

CLEAR = re.compile(r"^(emodag: error: .*(/|\.\w|results: )|ERROR \S+: \S)", re.MULTILINE)
"""An error that says what it is about: a file, or the job in which a library has met it."""


@dataclass
class Outcome:
    """How a run ended in which something happened; `wrong` says what must not be."""

    name: str
    wrong: str = ""


@dataclass
class Prepared:
    """A case whose state to begin in has been made, and whose operations have been counted.

    Attributes
    ----------
    expected : the files that each command of the case leads to, with their sha256.
    """

    case: Case
    state: Path
    operations: list[str]
    expected: dict[Command, dict[str, str]]


class Sweep:
    """Runs commands in forks of this process, which has everything imported.

    Parameters
    ----------
    scratch : a directory to work in.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch, self._faults = scratch, Faults()
        self._project, self._said = scratch / "project", scratch / "said"
        sidecar.git_state(package_root("emodag"))
        self._states: dict[tuple[Command, ...], Path] = {(): self._new()}
        self._go_to(self._states[()])
        self._chains = {
            name: Chain(combined([Path(f"{name}.yaml")], []), self._faults.suspended)
            for name in CONFIGURATIONS
        }
        for chain in self._chains.values():
            chain.find_facts()
        self._go_to(self._state((("a", FINAL),)))
        self._import_all()
        self._lose(["results"])
        shutil.rmtree(".emodag")
        self._states = {(): self._keep()}

    def prepare(self, case: Case) -> Prepared:
        """Make the state that a case begins in, and run it to see what must come of it."""
        self._go_to(self._state(case.before))
        self._lose(case.lost)
        for name in case.flipped:
            flip(Path(name))
        state = self._keep()
        expected = {case.command: self._expected(case.command)}
        operations = self._faults.operations()
        for command in case.after:
            expected[command] = self._expected(command)
        return Prepared(case, state, operations, expected)

    def try_point(self, prepared: Prepared, point: int, kind: str) -> Outcome:
        """Run a case's command with something happening, and the commands that come after it."""
        self._go_to(prepared.state)
        command = prepared.case.command
        with self._faults.armed(self._project, point, kind):
            status, said = self._run(command)
        if kind == "power cut":
            self._faults.cut_power(self._project)
        outcome = Outcome("clear error, then right")
        with contextlib.suppress(Wrong), _told(outcome, said):
            expect(self._faults.seen >= point, "the operation was not reached")
            if os.WIFSIGNALED(status):
                outcome.name = "died, then right"
                expect(os.WTERMSIG(status) == signal.SIGKILL, "hangs")
            elif status == 0:
                outcome.name = "right at once"
                check(prepared.expected[command])
            else:
                expect(
                    os.WEXITSTATUS(status) == CLEAR_ERROR and CLEAR.search(said), "no clear error"
                )
            expect("Traceback" not in said, "a traceback")
            whole(is_cut=kind == "power cut")
        for later in () if outcome.wrong else prepared.case.after or (command,):
            status, more = self._run(later)
            with contextlib.suppress(Wrong), _told(outcome, f"{said}--- {later}:\n{more}"):
                expect(status == 0, "the next run fails")
                # Where a power cut has cut the manifest of a table, the table is set aside.
                others = set(FINAL).difference(later[1]) if kind == "power cut" else set()
                check(prepared.expected[later], others, all_kept=not prepared.case.after)
        return outcome

    def _import_all(self) -> None:
        """Import what a computation imports, which would take seconds each time."""
        loaded = set(sys.modules)

        def compute() -> int:
            shutil.rmtree("results"), shutil.rmtree(STORE)
            self._chains["a"].run(list(FINAL))
            print("\n".join(["", "imported", *(set(sys.modules) - loaded)]))
            return 0

        _, said = self._forked(compute)
        for module in said.partition("\nimported\n")[2].split():
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        self._go_to(self._state((("a", FINAL),)))

    def _expected(self, command: Command) -> dict[str, str]:
        """What a command leads to when nothing happens, compared with a clean computation."""
        with self._faults.armed(self._project, 0, "EIO"):
            status, said = self._run(command)
        assert status == 0, said
        found = files()
        status, said = self._forked(lambda: self._compare(command))
        assert status == 0, said
        check(found)
        return found

    def _compare(self, command: Command) -> int:
        name, targets = command
        shutil.copy(f"{name}.yaml", "small.yaml")
        for target in targets:
            for path, digest in clean.compute(self._project, target).items():
                assert logical_digest(Path(path)) == digest, path
        Path("small.yaml").unlink()
        return 0

    def _run(self, command: Command) -> tuple[int, str]:
        name, targets = command
        return self._forked(lambda: self._chains[name].run(list(targets)))

    def _forked(self, function) -> tuple[int, str]:
        """Call a function in a fork; its status as of wait(2), and what it said."""
        child = os.fork()
        if child == 0:
            signal.alarm(SECONDS)
            said = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(said, 1)
            os.dup2(said, 2)
            status = 3
            try:
                status = function()
            except BaseException as error:
                print(repr(error), flush=True)
            sys.stdout.flush()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        return status, self._said.read_text(errors="replace")

    def _state(self, before: tuple[Command, ...]) -> Path:
        """A copy of the project after some commands."""
        if before not in self._states:
            self._go_to(self._state(before[:-1]))
            status, said = self._run(before[-1])
            assert status == 0, said
            self._states[before] = self._keep()
        return self._states[before]

    def _lose(self, names: Iterable[str]) -> None:
        """Remove directories, but not what planning remembers, all pages but one."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as aside:
            for name in names:
                Path(name).rename(Path(aside, Path(name).name))
            for name in MEMORY if "results" in names else ():
                Path("results", name).parent.mkdir(parents=True, exist_ok=True)
                Path(aside, "results", name).rename(Path("results", name))
        for page in sorted(Path("results/.plan/.code").iterdir())[:1]:
            page.unlink()

    def _new(self) -> Path:
        """A new project: raw tables and configurations."""
        self._project.mkdir()
        tables(self._project)
        shutil.copy(ROOT / "config.yaml", self._project)
        for name, settings in CONFIGURATIONS.items():
            Project(self._project).configure(**settings)
            (self._project / "small.yaml").rename(self._project / f"{name}.yaml")
        return self._keep()

    def _keep(self) -> Path:
        place = Path(tempfile.mkdtemp(dir=self._scratch)) / "state"
        shutil.copytree(self._project, place)
        return place

    def _go_to(self, state: Path) -> None:
        """Put the project into a state again."""
        os.chdir(self._scratch)
        shutil.rmtree(self._project, ignore_errors=True)
        shutil.copytree(state, self._project)
        os.chdir(self._project)


class Wrong(Exception):
    """What must not be."""


def expect(condition: object, otherwise: str) -> None:
    if not condition:
        raise Wrong(otherwise)


@contextlib.contextmanager
def _told(outcome: Outcome, said: str) -> Iterator[None]:
    """Note in an outcome what was wrong, and what had been said."""
    try:
        yield
    except Wrong as wrong:
        outcome.wrong = f"{wrong}\n{said}"
        raise


def check(expected: dict[str, str], others: Collection[str] = (), *, all_kept: bool = True) -> None:
    """The results are these files and no others, and `verify` finds nothing.

    Parameters
    ----------
    others : final jobs whose files may be gone.
    all_kept : whether all that would be set aside was there to be set aside.
    """
    found = files()
    if not all_kept:
        expected = {n: s for n, s in expected.items() if not n.startswith(EARLIER)}
    spare = {f"results/{name}.{ending}" for name in others for ending in ("csv", "manifest.json")}
    gone = [name for name in expected if name not in found and name not in spare]
    other = [name for name in found if name in expected and found[name] != expected[name]]
    more = [name for name in found if name not in expected and not name.startswith(EARLIER)]
    expect(not (gone or other or more), f"gone: {gone}, wrong: {other}, too many: {more}")
    whole()
    damages = verify(Path("results"), Store(Path(STORE)), _no_progress).damages()
    expect(not damages, f"verify: {damages}")


def whole(*, is_cut: bool = False) -> None:
    """Objects are what their names say; records and manifests are whole.

    After a power cut, a manifest may be cut short, as it says so itself and is made anew.
    """
    store = Store(Path(STORE))
    for path in _below(store.root / "objects"):
        expect(file_sha256(path) == path.parent.name + path.name, f"{path}: torn")
    for path in _below(store.root / "actions"):
        if not path.name.startswith("."):
            expect(store.peek(path.parent.name + path.stem), f"{path}: torn")
    for path in _below(Path("results")):
        if is_manifest(path.name) and ".plan" not in path.parts and not is_cut:
            try:
                Manifest.read(path)
            except UserError as error:
                raise Wrong(f"{path}: torn ({error})") from None


def files() -> dict[str, str]:
    """The sha256 of what is in the results and the same each time: no logs, no sidecars."""
    return {
        str(path): file_sha256(path)
        for path in _below(Path("results"))
        if ".plan" not in path.parts and not path.name.endswith((".log", "provenance.json"))
    }


def _below(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


@contextlib.contextmanager
def _no_progress(total: int, unit: str) -> Iterator[Progress]:
    yield _Silent()


class _Silent:
    def update(self, steps: int = 1, **figures: object) -> None:
        """Nothing to be seen."""
