"""One planned job: what it places, what it records, and when it refuses and does neither."""

import errno
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.disk.canonical import digest, file_sha256
from ledger.errors import InputError, IntegrityError, UserError
from ledger.jobs.manifest import Manifest, Output, Source, Upstream
from ledger.jobs.plan import Environment, Plan, PlanError
from ledger.run import runner, turn
from ledger.run.talk import Talk
from ledger.store import store as stores
from ledger.store.store import Store, StoreError
from tests.unit.ledger.test_plan import UP, plan
from tests.unit.ledger.test_store import manifest

LIVE = {"distributions": {}, "variables": {}, "device": "cpu", "builds": {}, "edited": {}}
LIVE["libraries"] = {}

RAW = Path("raw.csv")
UPSTREAM = Path("results/up/manifest.json")
MADE = Path("results/a/b/file")
MANIFEST = Path("results/a/b/manifest.json")


class Stage:
    """Writes what it reads, in capitals; or does what a test wants besides."""

    def __init__(self) -> None:
        self.runs, self.besides = 0, lambda output: None

    def run(self, inputs, params, output, context) -> None:
        self.runs += 1
        text = "".join(inputs[role].read_text() for role in sorted(inputs))
        (output / "file").write_text(text.upper() + params.get("more", ""))
        context.saw_labels_of(["own"])
        self.besides(output)


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    """The stage of every plan, in an environment that stays as it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(turn.VARIABLE, raising=False)
    stage = Stage()
    monkeypatch.setattr(runner, "import_stage", lambda module, closure: stage)
    monkeypatch.setattr(runner, "code_closure", lambda module, memory: planned().code)
    monkeypatch.setattr(Environment, "fingerprint", lambda self: LIVE)
    RAW.write_text("raw,")
    upstream()
    return stage


def upstream(text: str = "up,", **changes) -> None:
    """Another job's output and its manifest."""
    UPSTREAM.parent.mkdir(parents=True, exist_ok=True)
    file = UPSTREAM.with_name("file")
    file.write_text(text)
    output = Output(logical=digest(text), sha256=file_sha256(file), bytes=len(text))
    facts = {"job": "up", "plan": UP, "outputs": {"file": output}, "labels_seen": ("theirs",)}
    manifest(**{**facts, **changes}).write(UPSTREAM)


def planned(**changes) -> Plan:
    inputs = {
        "raw": Source(path=str(RAW), sha256=file_sha256(RAW)),
        "table": Upstream(manifest=str(UPSTREAM), file="file", plan=UP),
    }
    return plan(**{"inputs": inputs, "params": {}, **changes})


def run(plan: Plan, live=LIVE) -> Manifest:
    return runner.run(plan, live, store(), Talk("job"), checkpoint_every=1)


def restore(plan: Plan) -> Manifest | None:
    return runner.restore(plan, store(), Talk("job"), LIVE)


def store() -> Store:
    return Store(Path("store"))


def nothing_is_recorded() -> bool:
    return not list(Path("store").glob("actions/*/*")) and not MANIFEST.exists()


def test_a_result_is_computed_once(stage):
    made = run(planned())
    assert MADE.read_text() == "RAW,UP," and Manifest.read(MANIFEST) == made
    assert made.labels_seen == ("own", "theirs")
    MADE.unlink(), MANIFEST.unlink()
    assert run(planned()) == made and MADE.read_text() == "RAW,UP,"
    MADE.unlink(), MANIFEST.unlink()
    assert restore(planned()) == made and MADE.read_text() == "RAW,UP,"
    assert stage.runs == 1


def test_a_hit_has_seen_the_labels_that_its_inputs_have(stage):
    """They may be others than of the inputs that it was computed from, and of equal content."""
    run(planned())
    upstream(labels_seen=("others",))
    assert run(planned()).labels_seen == ("others", "own") and stage.runs == 1


@pytest.mark.parametrize("outputs", [(), ("another",), ("file", "another")])
def test_a_record_of_other_outputs_is_a_miss(stage, outputs):
    key = run(planned()).key
    action = store().read(key)
    (output,) = action.outputs.values()
    store().record(key, replace(action, outputs=dict.fromkeys(outputs, output)))
    assert restore(planned()) is None
    assert set(run(planned()).outputs) == {"file"} and stage.runs == 2
    assert set(store().read(key).outputs) == {"file"}


def test_other_outputs_than_planned_are_an_error(stage):
    for besides in (lambda at: (at / "more").touch(), lambda at: (at / "file").unlink()):
        stage.besides = besides
        with pytest.raises(UserError, match=r"was to make \['file'\] and made"):
            run(planned())
        assert nothing_is_recorded() and not MADE.exists()


def test_other_code_than_planned_is_refused(stage, monkeypatch):
    monkeypatch.setattr(runner, "code_closure", lambda module, memory: {"emodag": digest("new")})
    with pytest.raises(IntegrityError, match="changed after the job was planned"):
        run(planned())
    assert nothing_is_recorded() and stage.runs == 0


@pytest.mark.parametrize("is_all_read", [True, False])
def test_code_that_changes_while_the_stage_runs(stage, monkeypatch, is_all_read):
    """A template a stage may read at its end; its modules are those from before."""

    def edit(output):
        monkeypatch.setattr(runner, "code_closure", lambda module, memory: {})

    stage.besides = edit
    monkeypatch.setattr(runner, "all_read", lambda names: is_all_read)
    if is_all_read:
        run(planned())
        assert MADE.exists()
        return
    with pytest.raises(IntegrityError, match="changed after the job was planned"):
        run(planned())
    assert nothing_is_recorded() and stage.runs == 1


def test_a_package_that_changes_while_it_is_used(stage, monkeypatch):
    edited = {**LIVE, "edited": {"numpy/core.py": digest("edited")}}
    monkeypatch.setattr(Environment, "fingerprint", lambda self: edited)
    with pytest.raises(IntegrityError, match="changed while it was being used"):
        run(planned())
    assert nothing_is_recorded() and not MADE.exists()


def test_a_copy_that_cannot_be_written_says_why(stage):
    """Nothing has changed, which would be said of a file that is another one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = planned()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            run(before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert nothing_is_recorded() and stage.runs == 0


def test_a_raw_file_that_is_not_what_was_planned(stage):
    before = planned()
    status = RAW.stat()
    RAW.write_text("RAW;")
    os.utime(RAW, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(IntegrityError, match=r"raw\.csv: changed while the workflow was running"):
        run(before)
    assert nothing_is_recorded() and stage.runs == 0


def test_an_input_of_another_plan_is_refused(stage):
    upstream(plan=digest("another"))
    with pytest.raises(PlanError, match="made for another configuration"):
        run(planned())
    assert nothing_is_recorded() and restore(planned()) is None


def test_an_input_that_its_job_does_not_make(stage):
    upstream(outputs={})
    with pytest.raises(IntegrityError, match="lists no 'file'"):
        run(planned())
    assert nothing_is_recorded()


@pytest.mark.parametrize("is_known", [True, False])
def test_a_job_that_outlives_its_run_places_nothing(stage, monkeypatch, is_known):
    """Be it computed or restored; what was computed is in the store all the same."""
    if is_known:
        run(planned())
        MADE.unlink(), MANIFEST.unlink()
    runs = []
    for _ in range(2):
        turn.begin()
        runs.append(turn.name())
        turn.PLANS.mkdir(parents=True, exist_ok=True)
        turn._become_current(runs[-1])
    monkeypatch.setenv(turn.VARIABLE, runs[0])
    with pytest.raises(PlanError, match="another run of Snakemake has taken over"):
        run(planned())
    assert restore(planned()) is None
    assert not MADE.exists() and not MANIFEST.exists() and stage.runs == 1
    monkeypatch.setenv(turn.VARIABLE, runs[1])
    assert run(planned()) and stage.runs == 1


def test_a_job_that_outlives_its_run_repairs_nothing(stage, monkeypatch):
    """The damaged input may be the other run's, which is just placing it."""
    with store().scratch() as scratch:
        (scratch / "file").write_text("up,")
        store().publish(scratch / "file")
    UPSTREAM.with_name("file").write_text("UP;")
    turn.PLANS.mkdir(parents=True)
    turn._become_current("20260101T000000-00000000")
    monkeypatch.setenv(turn.VARIABLE, "20260101T000000-11111111")
    with pytest.raises(PlanError):
        run(planned())
    assert UPSTREAM.with_name("file").read_text() == "UP;" and stage.runs == 0
    monkeypatch.setenv(turn.VARIABLE, "20260101T000000-00000000")
    run(planned())
    assert UPSTREAM.with_name("file").read_text() == "up,"


@pytest.mark.parametrize("is_same", [True, False])
def test_no_manifest_stands_beside_files_of_another_result(stage, monkeypatch, is_same):
    """Where placing them fails in the middle; that of the very same outputs may stay."""
    run(planned())
    before = MANIFEST.read_bytes()
    other = planned(params={} if is_same else {"more": "!"})

    place = Store.place

    def fail(self, sha256, target):
        if target == MADE:
            raise OSError(errno.EIO, "it fails here")
        place(self, sha256, target)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "place", fail)
        with pytest.raises(OSError, match="it fails here"):
            run(other)
        assert restore(other) is None
    assert MANIFEST.exists() == is_same
    assert run(other).outputs and (MANIFEST.read_bytes() == before) == is_same


def test_an_object_that_is_gone_is_computed_again(stage):
    made = run(planned())
    MADE.unlink(), MANIFEST.unlink()
    store().object(made.outputs["file"].sha256).unlink()
    assert restore(planned()) is None
    assert run(planned()) == made and MADE.read_text() == "RAW,UP," and stage.runs == 2


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_record_that_cannot_be_read_is_an_error_and_no_miss(stage, monkeypatch, number):
    """Planning leaves it to the job, which says what is wrong."""
    made = run(planned())

    def fail(path):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(stores, "read_bytes", fail)
    with pytest.raises(StoreError, match=r"store/actions/.*" + os.strerror(number)):
        run(planned())
    assert restore(planned()) is None and stage.runs == 1
    assert Manifest.read(MANIFEST) == made


def test_errors_name_the_users_files(stage):
    def complain(inputs, params, output, context):
        raise InputError(f"{inputs['raw']}: row 3 is wrong", "and so is row 4")

    stage.run = complain
    with pytest.raises(InputError) as error:
        run(planned())
    assert error.value.args == ("raw.csv: row 3 is wrong", "and so is row 4")


def test_a_checkpoint_is_kept_until_the_result_is_recorded(stage, monkeypatch):
    saved = []

    def save(output):
        (path,) = saved
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("state")

    key = run(planned()).key
    store().action(key).unlink()
    saved.append(store().checkpoint(key))
    stage.besides = save
    run(planned())
    assert not saved[0].exists()

    def save_and_fail(output):
        save(output)
        raise UserError("no")

    store().action(key).unlink()
    stage.besides = save_and_fail
    with pytest.raises(UserError):
        run(planned())
    assert saved[0].exists()
