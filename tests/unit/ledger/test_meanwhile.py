"""Whatever a run takes away while somebody reads: who reads has an answer about what is there.

Each verb is repeated, each time with something that vanishes before another of its looks at a file.
"""

import builtins
import contextlib
import fcntl
import io
import os
import shutil
from pathlib import Path

import pytest

from emodag.application import main
from ledger.ask.why import judge
from ledger.disk import owner
from ledger.disk.canonical import digest
from ledger.jobs.freshness import Manifests, is_fresh
from ledger.jobs.key import key_of
from ledger.jobs.manifest import Manifest, Output, Upstream
from ledger.jobs.plan import Plan
from ledger.run import turn
from ledger.store.sidecar import sidecar_path, write_record
from ledger.store.store import Action, Store
from tests.unit.ledger.test_plan import plan
from tests.unit.ledger.test_store import ENVIRONMENT, manifest

EVERY = 4
"""Before which looks something vanishes; in `tests/long` it is before each of them."""

COST = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_bytes": 1}
BEGUN = "2026-01-01T00:00:00+00:00"
JOBS = ("a", "b", "c")


@pytest.fixture
def made(tmp_path, monkeypatch) -> Path:
    """Results of three jobs, each made from the one before, with their store and a copy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMODAG_STORE", "store")
    results, store = Path("results"), Store(Path("store"))
    before = None
    for job in JOBS:
        before = make(job, store, before)
    shutil.copytree(results, "kept")
    shutil.copytree(results, "other/results")
    Path("other/results/file.csv").write_text("y\n3\n")
    other = Path("other/results/c.manifest.json")
    changed = Output(logical=digest("other"), sha256=digest("other"), bytes=4)
    Manifest(**{**vars(Manifest.read(other)), "outputs": {"file.csv": changed}}).write(other)
    return results


def make(job: str, store: Store, before: Manifest | None, params: dict | None = None) -> Manifest:
    """A job as a run does it: the manifest goes first and comes last."""
    with store.scratch() as scratch:
        (scratch / "file").write_text(f"x\n{job.upper() if params else job}\n")
        sha256 = store.publish(scratch / "file")
    output = Output(logical=sha256, sha256=sha256, bytes=4)
    facts = {"outputs": {"file.csv": output}, "labels_seen": ()}
    ingredients = {
        "code": {},
        "params": params or {},
        "environment": {**ENVIRONMENT, "python": "3"},
    }
    inputs = {"table": before.logical("file.csv")} if before else {}
    found = manifest(
        job=job,
        stage="blend",
        key=key_of(ingredients, inputs),
        ingredients=ingredients,
        inputs=inputs,
        origins={
            role: Upstream(manifest=planned(before.job).manifest, file="file.csv", plan=before.plan)
            for role in inputs
        },
        plan=planned(job, params).identity,
        **facts,
    )
    store.record(found.key, Action(**facts, cost=COST))
    place = Path(planned(job).manifest)
    place.unlink(missing_ok=True)
    store.place(sha256, place.with_name("file.csv"))
    took = {"key": found.key, "hit": False, "started": BEGUN, "cost": COST}
    write_record(sidecar_path(place), took)
    found.write(place)
    return found


def planned(job: str, params: dict | None = None) -> Plan:
    where = {"directory": f"results/{job}", "manifest": f"results/{job}/manifest.json"}
    if job == "c":  # a final table
        where = {"directory": "results", "manifest": "results/c.manifest.json"}
    return plan(job=job, params=params or {}, inputs={}, **where)


@pytest.fixture
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


class Looks:
    """Counts looks at files below a directory; before the one numbered `at`, `then` is called."""

    def __init__(self, patch, below: Path, at: int, then) -> None:
        self.count, self._at, self._then = 0, at, then
        self._below, self._busy = str(below), False
        for module, name in (
            *((os, name) for name in ("stat", "lstat", "open", "scandir", "readlink")),
            (io, "open"),
            (builtins, "open"),
        ):
            patch.setattr(module, name, self._counted(getattr(module, name)))

    def _counted(self, look):
        def counted(path=".", *arguments, **options):
            if not self._busy and str(path).startswith(self._below):
                self.count += 1
                if self.count == self._at:
                    self._busy = True
                    self._then()
                    self._busy = False
            return look(path, *arguments, **options)

        return counted


def everything_goes() -> None:
    shutil.rmtree("results")


def a_manifest_goes() -> None:
    Path("results/b/manifest.json").unlink()


def files_go() -> None:
    for path in Path("results").rglob("file.csv"):
        path.unlink()


def made_anew() -> None:
    before = Manifest.read(Path("results/a/manifest.json"))
    make("b", Store(Path("store")), before, {"another": 1})


HAPPENS = (everything_goes, a_manifest_goes, files_go, made_anew)

VERBS = {
    "verify": ["verify"],
    "gc": ["gc", "--store", "store", "results"],
    "cost": ["cost"],
    "pack": ["pack", "packed.zip"],
    "diff": ["diff", "other/results", "results", "--all"],
    "lineage": ["lineage", "c"],
}


def repeated(made: Path, happens, ask, check) -> None:
    """Ask again and again, each time with a later look being disturbed; until none is left."""
    at, looks = 1 - EVERY, 0
    while looks >= at:
        at += EVERY
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree("kept", made, copy_function=os.link)  # nothing is written in place
        with pytest.MonkeyPatch.context() as patch:
            seen = Looks(patch, made, at, happens)
            answer = ask()
        looks = seen.count
        check(answer)
    assert at > 6


@pytest.mark.parametrize("happens", HAPPENS, ids=lambda happens: happens.__name__)
@pytest.mark.parametrize("verb", VERBS)
def test_who_reads_has_an_answer(made, capsys, verb, happens):
    def ask() -> int:
        return main(VERBS[verb])

    def check(status: int) -> None:
        said = capsys.readouterr()
        about = "no manifest", "no such manifest", "no such directory", "no results", "no such job"
        if said.err:
            gone = happens is everything_goes
            assert gone and any(text in said.err for text in about), said.err
        elif verb.startswith("diff"):
            assert status == 1, said.out
        elif verb != "verify" or happens is made_anew:
            assert status == 0, said.out

    repeated(made, happens, ask, check)


def test_verify_calls_nothing_damaged_that_a_run_makes_anew(made, capsys, stack):
    """Neither what is read in the middle of it, nor what is gone while a run is on."""
    turn.LOCK.parent.mkdir(parents=True)
    turn.LOCK.write_text(owner.name())
    shutil.copytree(turn.PLANS, "kept/.plan", copy_function=os.link)
    lock = stack.enter_context(turn.LOCK.open("rb"))
    fcntl.flock(lock, fcntl.LOCK_EX)

    def ask() -> int:
        return main(VERBS["verify"])

    def check(status: int) -> None:
        said = capsys.readouterr().out
        assert (status, "DAMAGED" in said) == (0, False), said

    for happens in (a_manifest_goes, made_anew):
        repeated(made, happens, ask, check)
    a_manifest_goes()
    assert main(VERBS["verify"]) == 0
    note = "NOTE results/b/manifest.json: being made anew by a run, so not checked"
    assert note in capsys.readouterr().out
    assert main([*VERBS["verify"], "--repair"]) == 1, "a run may change the same files"
    assert f"process {os.getpid()} on " in capsys.readouterr().err
    fcntl.flock(lock, fcntl.LOCK_UN)
    assert main(VERBS["verify"]) == 1, "while no run is on, it is missing"
    assert "DAMAGED results/b/manifest.json" in capsys.readouterr().out


def test_damage_beside_what_is_made_anew_is_still_told(made, capsys):
    """An object that two manifests need, of which one changes, stays damaged; so does a file."""
    sha256 = Manifest.read(made / "a/manifest.json").outputs["file.csv"].sha256
    thing = Store(Path("store")).object(sha256)
    thing.chmod(0o644)
    thing.write_text("x\nA\n")
    (made / "file.csv").write_text("x\nC\n")
    shutil.rmtree("kept")
    shutil.copytree(made, "kept")

    def check(status: int) -> None:
        said = capsys.readouterr().out
        assert status == 1 and f"DAMAGED {thing.absolute()}\n" in said, said
        assert "DAMAGED results/file.csv\n" in said

    repeated(made, made_anew, lambda: main(VERBS["verify"]), check)


@pytest.mark.parametrize("happens", HAPPENS, ids=lambda happens: happens.__name__)
def test_planning_has_an_answer(made, happens):
    """What is not there any more must be made; nothing is an error."""
    plans = list(map(planned, JOBS))
    store = Store(Path("store"))

    def ask() -> list[bool]:
        manifests = Manifests()
        judge(plans, store, lambda _: None, {})
        return [is_fresh(one, manifests) for one in plans]

    repeated(made, happens, ask, lambda answer: answer)


def test_a_manifest_that_is_a_link_to_nothing_is_damaged(made, capsys):
    """On a disk that is not there, say; what it needs is no garbage."""
    (made / "b/manifest.json").unlink()
    (made / "b/manifest.json").symlink_to("nowhere")
    assert main(VERBS["gc"]) == 1
    assert "results/b/manifest.json: no such manifest" in capsys.readouterr().err
