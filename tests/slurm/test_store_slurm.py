"""Several working directories with a store that both have, or that further stores are behind."""

from tests.project import Project

from .conftest import STATE, computed, create


def test_second_user_submits_nothing(slurm, tmp_path):
    store = str(tmp_path / "store")
    first, second = create(tmp_path / "first"), create(tmp_path / "second")
    cold = slurm.run(first, EMODAG_STORE=store)
    warm = slurm.run(second, EMODAG_STORE=store)
    assert second.read("results/submission.csv") == first.read("results/submission.csv")
    assert second.digests() == first.digests()
    assert (len(computed(first)), computed(second)) == (15, [])
    assert (len(cold.submitted), warm.submitted) == (6, [])


def test_jobs_take_from_a_further_store_into_the_scratch_of_their_node(slurm, tmp_path):
    first, shared = Project.create(tmp_path / "first"), tmp_path / "shared"
    first.snakemake()
    shared.mkdir()
    assert first.emodag("push", "--to", str(shared)).returncode == 0
    scratch = STATE / "scratch" / tmp_path.name
    second = create(tmp_path / "second", store=[str(scratch), str(shared)])
    table = second.path / "train.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    run = slurm.run(second)
    # Until the table has been read again nobody knows that all that follows is there.
    assert computed(second) == ["local/table"] and len(run.submitted) == 6
    assert second.read("results/submission.csv") == first.read("results/submission.csv")
    assert second.digests() == first.digests()
