"""Two working directories, as two users have them, with one store."""

from .conftest import computed, create


def test_second_user_submits_nothing(slurm, tmp_path):
    store = str(tmp_path / "store")
    first, second = create(tmp_path / "first"), create(tmp_path / "second")
    cold = slurm.run(first, EMODAG_STORE=store)
    warm = slurm.run(second, EMODAG_STORE=store)
    assert second.read("results/submission.csv") == first.read("results/submission.csv")
    assert second.digests() == first.digests()
    assert (len(computed(first)), computed(second)) == (14, [])
    assert (len(cold.submitted), warm.submitted) == (5, [])
