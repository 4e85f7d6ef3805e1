"""Plans, and what they say of what is there."""

import hashlib
import os
from dataclasses import replace

import pytest

from ledger.disk.canonical import digest
from ledger.errors import IntegrityError
from ledger.jobs.freshness import Manifests, is_fresh
from ledger.jobs.manifest import Output, Source, Upstream
from ledger.jobs.plan import Environment, Plan, plans_path, read_plan, write_plan
from tests.unit.ledger.test_store import manifest

RUN = "20260101T000000-0123abcd"
UP = digest("the plan before")


def plan(**changes):
    fields = {
        "job": "a/b",
        "stage": "blend",
        "code": {"emodag": digest("code")},
        "params": {"folds": 2},
        "inputs": {"fold0": Upstream(manifest="results/up/manifest.json", file="file", plan=UP)},
        "environment": Environment(
            name="local", requires={}, variables={}, threads=1, device="cpu"
        ),
        "directory": "results/a/b",
        "manifest": "results/a/b/manifest.json",
        "module": "emodag.stages.folds",
        "outputs": ("file",),
    }
    return Plan(**{**fields, **changes})


def written(*plans):
    """The file of a run with these plans."""
    plans_path(RUN).parent.mkdir(parents=True, exist_ok=True)
    plans_path(RUN).unlink(missing_ok=True)
    for one in plans:
        write_plan(RUN, one)
    return plans_path(RUN)


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_comes_back(workdir):
    plans = [plan(), plan(job="a"), plan(job="a/bc", params={"text": "a/b\tc\nd"})]
    written(*plans)
    assert [read_plan(RUN, one.job) for one in plans] == plans
    with pytest.raises(IntegrityError, match="has no plan of a/x"):
        read_plan(RUN, "a/x")


def test_a_plan_stands_for_all_that_the_job_rests_on():
    other = Upstream(manifest="results/up/manifest.json", file="file", plan=digest("another"))
    assert plan(inputs={"fold0": other}).identity != plan().identity
    assert plan().record["inputs"]["fold0"]["plan"] == UP


@pytest.mark.parametrize(
    "changes",
    [
        {"job": "../x"},
        {"directory": "/tmp/x"},
        {"manifest": "results/../../x.json"},
        {"outputs": ("../x",)},
        {"stage": "os.path"},
        {"inputs": {"r": Upstream(manifest="/etc/passwd", file="x", plan=UP)}},
        {"inputs": {"r": Upstream(manifest="results/m.json", file="../x", plan=UP)}},
        {"inputs": {"r": Upstream(manifest="results/m.json", file="x", plan="../x")}},
        {"inputs": {"r": Source(path="x.csv", sha256="../../x")}},
    ],
)
def test_a_crafted_plan_is_refused(workdir, changes):
    written(plan(**changes))
    with pytest.raises(IntegrityError, match=r"\.plans: .*: not a plan"):
        read_plan(RUN, changes.get("job", "a/b"))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": 99}', "[" * 100_000])
def test_what_is_not_a_plan_is_refused_by_name(workdir, content):
    written().write_text(f"a/b\t{digest(1)}\t{content}\n")
    with pytest.raises(IntegrityError, match=r"\.plans: a/b: not a plan"):
        read_plan(RUN, "a/b")


def test_an_altered_plan_is_refused(workdir):
    path = written(plan())
    path.write_text(path.read_text().replace('"folds":2', '"folds":3'))
    with pytest.raises(IntegrityError, match="does not match its own digest"):
        read_plan(RUN, "a/b")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_by_name(workdir, make):
    path = written(plan())
    path.unlink()
    make(path)
    with pytest.raises(IntegrityError, match=r"\.plans: cannot be read"):
        read_plan(RUN, "a/b")


class TestFreshness:
    """A job must run whenever its manifest does not say what the plan and the jobs before do."""

    @pytest.fixture(autouse=True)
    def finished(self, workdir):
        self.up = manifest(outputs={"file": Output(logical=digest(1), sha256=digest(2), bytes=1)})
        self.up.write(workdir / "results/up/manifest.json")
        (workdir / "results/a/b").mkdir(parents=True)
        (workdir / "results/a/b/file").write_bytes(b"xyz")
        made = Output(logical=digest(3), sha256=hashlib.sha256(b"xyz").hexdigest(), bytes=3)
        self.mine = manifest(
            plan=plan().identity, inputs={"fold0": digest(1)}, outputs={"file": made}
        )
        self.mine.write(workdir / "results/a/b/manifest.json")
        assert self.is_fresh()

    def is_fresh(self, plan=plan()):  # noqa: B008
        return is_fresh(plan, Manifests())

    def test_another_parameter(self):
        assert not self.is_fresh(plan(params={"folds": 3}))

    def test_upstream_changed(self, workdir):
        other = Output(logical=digest(9), sha256=digest(2), bytes=1)
        manifest(outputs={"file": other}).write(workdir / "results/up/manifest.json")
        assert not self.is_fresh()

    def test_upstream_gone(self, workdir):
        (workdir / "results/up/manifest.json").unlink()
        assert not self.is_fresh()

    def test_a_flipped_byte(self, workdir):
        (workdir / "results/a/b/file").write_bytes(b"xyZ")
        assert self.is_fresh(), "its reader will notice"
        read = plan(manifest="results/a/b/tables.manifest.json")
        (workdir / "results/a/b/file").write_bytes(b"xyz")
        replace(self.mine, plan=read.identity).write(workdir / read.manifest)
        assert self.is_fresh(read)
        (workdir / "results/a/b/file").write_bytes(b"xyZ")
        assert not self.is_fresh(read)

    def test_manifest_of_another_plan(self, workdir):
        manifest(plan=digest("older"), inputs={"fold0": digest(1)}).write(
            workdir / "results/a/b/manifest.json"
        )
        assert not self.is_fresh()

    def test_manifest_damaged_or_gone(self, workdir):
        (workdir / "results/a/b/manifest.json").write_text("{}")
        assert not self.is_fresh()
        (workdir / "results/a/b/manifest.json").unlink()
        assert not self.is_fresh()

    @pytest.mark.parametrize("content", [b"xyzz", None])
    def test_file_gone_or_of_another_size(self, workdir, content):
        file = workdir / "results/a/b/file"
        file.unlink() if content is None else file.write_bytes(content)
        assert not self.is_fresh()
