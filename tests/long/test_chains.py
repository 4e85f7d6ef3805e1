"""The chain, and learners, on other cores, of other inputs and with other parameters."""

import pytest
import yaml

from tests.project import ROOT, WHOLE, Project
from tests.workflow.test_chain_runs import rows


def test_the_same_bits_in_a_clean_run_on_one_core(finished, tmp_path):
    again = Project.create(tmp_path / "again", **WHOLE)
    again.snakemake("--cores", "1", "results/submission.csv")
    assert again.digests().items() <= finished.digests().items()
    assert again.read("results/submission.csv") == finished.read("results/submission.csv")


def test_one_fold_alone_and_eight_cores_give_the_same_bits(finished, tmp_path):
    alone = Project.create(tmp_path / "alone", **WHOLE)
    alone.snakemake("--cores", "8", "results/local/nested/seed1/gen2/fold1/manifest.json")
    digests = alone.digests()
    assert "local/nested/seed1/gen2/fold1/test.parquet" in digests
    assert "local/nested/seed1/gen2/fold0/test.parquet" not in digests
    assert digests.items() <= finished.digests().items()


def test_the_same_bits_of_learners_with_two_jobs_at_once_and_two_threads(tmp_path):
    asked = {"learner": "svm", "generations": 0, "data": {"test": None, "truth": None}}
    asked["variants"] = {"line": {"learner": "logistic_regression"}}

    def compared(name, *arguments, **changes):
        project = Project.create(tmp_path / name, **asked, **changes)
        project.snakemake(*arguments, "results/variants.csv")
        return project.digests()

    one, two = (
        compared("one", "-c1"),
        compared("two", "-c2", environments={"local": {"threads": 2}}),
    )
    assert "variants/line/local/nested/seed1/gen0/fold1/validation.parquet" in one and one == two


def test_named_columns_text_persons_parquet_and_gzip(project):
    import pandas as pd

    train = pd.read_csv(project.path / "train.csv", index_col=0)
    test = pd.read_csv(project.path / "test.csv", index_col=0)
    train["person"] = "P" + train["person"].astype(str)
    train["label"] = train["label"].map(dict(enumerate(["LVLA", "HVLA", "LVHA", "HVHA"])))
    test.insert(3, "key", [f"t{n}" for n in range(24)])
    train.insert(3, "key", [f"r{n}" for n in range(72)])
    train[["person", "label", *train.columns[:-2]]].to_parquet(project.path / "train.parquet")
    test.to_csv(project.path / "test.csv.gz", index=False)
    data = {
        **{"train": "train.parquet", "test": "test.csv.gz", "truth": None},
        **{"label": "label", "group": "person", "id": "key"},
    }
    project.configure(data=data, generations=0)
    project.snakemake()
    submission = rows(project.read("results/submission.csv"))
    assert [row["ID"] for row in submission] == [f"t{n}" for n in range(24)]
    assert not (project.path / "results/leaderboard.csv").exists()
    seen = project.json("results/local/nested/seed1/gen0/fold0/manifest.json")["labels_seen"]
    assert len(seen) == 3 and set(seen) < {f"P{n}" for n in range(6)}


def test_one_test_row(project):
    lines = project.read("test.csv").splitlines()
    (project.path / "test.csv").write_text("\n".join(lines[:2]) + "\n")
    project.configure(data={"truth": None})
    project.snakemake("results/submission.csv")
    assert len(rows(project.read("results/submission.csv"))) == 1


def test_another_seed_more_generations_and_no_pseudo_label(project):
    project.configure(
        seeds=[4, 7], generations=3, protocols=["published"], pseudo_labels={"threshold": 1.0}
    )
    home = "results/local/published/seed7"
    done = project.snakemake(f"{home}/gen3/blend/manifest.json")
    assert "no row to predict reaches a confidence of 1.0" in done.stderr
    for fold in range(2):
        facts = project.json(f"{home}/gen3/fold{fold}/fit.json")
        assert (facts["n_train"], facts["n_pseudo"], facts["n_valid"]) == (36, 0, 36)


@pytest.mark.skipif(
    not (ROOT.parent / "shared/data/stress_predict").is_dir(), reason="the real data are not here"
)
def test_real_input(project):
    """The documented configuration on real recordings, with a small network for speed."""
    data = ROOT.parent / "shared/data/stress_predict"
    documented = yaml.safe_load((ROOT / "docs/stress_predict.yaml").read_text())["data"]
    files = {"train": "train.parquet", "test": "test.parquet", "truth": "test_truth.csv"}
    project.configure(data={**documented, **{r: str(data / name) for r, name in files.items()}})
    project.snakemake()
    assert len(rows(project.read("results/submission.csv"))) == 1359
    assert {row["n_test"] for row in rows(project.read("results/leaderboard.csv"))} == {"1359"}
