"""What people call a job by: here digests; `tests/workflow` has names."""

import pytest

from ledger.disk.canonical import digest
from ledger.errors import InputError
from ledger.jobs.manifest import Output
from ledger.jobs.targets import of_digest
from tests.unit.ledger.test_store import manifest


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Three jobs; the keys of two begin alike, and two have the same output."""
    monkeypatch.chdir(tmp_path)
    for at, name in enumerate(["abcd1", "abcd2", "1234a"]):
        output = Output(logical=f"77{min(at, 1)}" + digest("l")[3:], sha256="abcd" * 16, bytes=3)
        made = manifest(job=name, key=name + digest("k")[5:], outputs={"file": output})
        made.write(tmp_path / f"results/{name}/manifest.json")
    (tmp_path / "results/manifest.json").write_text("damaged")
    return tmp_path / "results"


def test_a_key_or_an_outputs_digest(results):
    for target, job in {"1234": "1234a", "abcd2": "abcd2", "770": "abcd1"}.items():
        target += digest("l")[3:] if target == "770" else ""
        assert of_digest(target).parent.name == job
    assert of_digest("abcd1" + digest("k")[5:]).parent.name == "abcd1"


@pytest.mark.parametrize("target", ["abc", "ABCD1", "submission", "ffff", "abcd1g", ""])
def test_what_is_no_digest_of_a_job(results, target):
    assert of_digest(target) is None


@pytest.mark.parametrize(("target", "jobs"), [("abcd", "abcd1, abcd2"), ("771", "1234a, abcd2")])
def test_a_digest_that_is_not_of_one_job(results, target, jobs):
    target += digest("l")[3:9] if target == "771" else ""
    with pytest.raises(InputError, match=rf"digests of 2 jobs begin so \({jobs}\); give more"):
        of_digest(target)
