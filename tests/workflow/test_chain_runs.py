"""The chain as a user runs it: what it makes, from what; `tests/long/test_chains.py` has more."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
import yaml

from tests.project import ROOT, Project, jobs


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_submission(finished):
    submission = rows(finished.read("results/submission.csv"))
    assert [row["ID"] for row in submission] == [str(n) for n in range(24)]
    assert {row["Predicted"] for row in submission} <= set("0123")


def test_the_scores(finished):
    scores = rows(finished.read("results/scores.csv"))
    assert ",".join(scores[0]) == (
        "env,protocol,seed,stage,fold,macro_f1,macro_f1_last_epoch,accuracy_last_epoch,"
        "n_train,n_pseudo,n_valid"
    )
    assert {(row["protocol"], row["stage"], row["fold"]) for row in scores} == {
        (protocol, stage, str(fold))
        for protocol, stages in {
            "published": ("stage0", "gen1", "gen2"),
            "nested": ("gen0", "gen1", "gen2"),
        }.items()
        for stage in stages
        for fold in range(2)
    }
    for row in scores:
        assert 0 <= float(row["macro_f1_last_epoch"]) <= float(row["macro_f1"]) <= 1
        assert int(row["n_train"]) == 36 and int(row["n_valid"]) == 36
        if row["protocol"] == "nested":
            assert row["macro_f1"] == row["macro_f1_last_epoch"]
        assert (row["n_pseudo"] == "0") == (row["stage"] in ("stage0", "gen0"))


def test_a_score_is_what_the_validation_probabilities_say(finished):
    import pyarrow.parquet as pq
    from sklearn.metrics import accuracy_score, f1_score

    home = finished.path / "results/local"
    truth = pq.read_table(home / "table/train_rows.parquet")["label"].to_numpy()
    fold = home / "nested/seed1/gen2/fold1"
    table = pq.read_table(fold / "validation.parquet")
    predicted = np.column_stack([table[f"p{c}"] for c in range(4)]).argmax(axis=1)
    truth = truth[table["row"].to_numpy()]
    facts = json.loads((fold / "fit.json").read_text())
    assert facts["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert facts["accuracy"] == pytest.approx(accuracy_score(truth, predicted))


def test_the_leaderboard_scores_the_submission(finished):
    from sklearn.metrics import f1_score

    predicted = [row["Predicted"] for row in rows(finished.read("results/submission.csv"))]
    truth = [row["label"] for row in rows(finished.read("truth.csv"))]
    (score,) = (
        row["macro_f1"]
        for row in rows(finished.read("results/leaderboard.csv"))
        if (row["protocol"], row["stage"]) == ("published", "gen2")
    )
    assert float(score) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_lineage_of_both_protocols(finished):
    """What each model has seen: everybody under `published`, never its own fold under `nested`."""
    import pyarrow.parquet as pq

    home = finished.path / "results/local"
    persons = pq.read_table(home / "table/train_rows.parquet")["person"].to_numpy()
    folds = pq.read_table(home / "folds/folds.parquet")["group_fold"].to_numpy()
    everybody = sorted({str(person) for person in persons})
    for fold in range(2):
        held_out = {str(person) for person in persons[folds == fold]}
        for generation in (1, 2):
            published, nested = (
                finished.json(
                    f"results/local/{protocol}/seed1/gen{generation}/fold{fold}/manifest.json"
                )["labels_seen"]
                for protocol in ("published", "nested")
            )
            assert published == everybody
            assert nested == sorted(set(everybody) - held_out)


def test_a_held_out_persons_labels_reach_nothing_of_their_fold_in_nested(finished, tmp_path):
    """Flip the labels of one fold's persons: that fold's models do not move by a single bit."""
    import pandas as pd
    import pyarrow.parquet as pq

    other = Project.create(tmp_path / "other", generations=2)
    home = finished.path / "results/local"
    held_out = pq.read_table(home / "folds/folds.parquet")["group_fold"].to_numpy() == 0
    table = pd.read_csv(other.path / "train.csv", index_col=0, float_precision="round_trip")
    table.loc[held_out, "label"] = 3 - table.loc[held_out, "label"]
    table.to_csv(other.path / "train.csv")
    made = (
        f"results/local/nested/seed1/{job}/manifest.json" for job in ("gen2/fold0", "gen0/fold1")
    )
    other.snakemake(*made)
    before, after = finished.digests(), other.digests()
    same = {
        name for name in after if name.startswith("local/nested/") and before[name] == after[name]
    }
    fold0 = [
        f"local/nested/seed1/{job}/{file}"
        for job in ("gen0/fold0", "gen1/fold0", "gen2/fold0")
        for file in ("weights.safetensors", "test.parquet")
    ]
    assert set(fold0) <= same
    assert "local/nested/seed1/gen0/fold1/weights.safetensors" not in same
    assert "local/nested/seed1/gen2/fold0/fit.json" not in same, "the score itself must move"


def test_nothing_to_do_and_hits_from_the_store(copy_of_finished):
    project = copy_of_finished
    assert "Nothing to be done" in project.snakemake("results/submission.csv").stderr
    results = project.digests()
    for place in ("results", ".snakemake"):
        shutil.rmtree(project.path / place)
    done = project.snakemake()
    assert jobs(done, "RUN") == []
    assert set(jobs(done, "HIT")) == {name.rsplit("/", 1)[0] for name in results}
    assert project.digests() == results


def test_a_module_in_the_working_directory_is_not_imported(project):
    (project.path / "pyarrow.py").write_text("raise ImportError('not of this environment')\n")
    project.snakemake("results/local/table/manifest.json")


def test_a_job_that_outlives_its_run_on_a_cluster_removes_nothing(copy_of_finished):
    """As Slurm's executor starts it; what is there when it fails is made by another run."""
    project = copy_of_finished
    shutil.rmtree(project.path / ".emodag")
    made = "results/local/folds/folds.parquet"
    (project.path / "workflow/emodag/stages/folds.py").write_text(
        f"open({made!r}, 'w').write('by another run')\nraise ValueError('gives way')"
    )
    cluster = "--mode remote --no-hooks --force --nolock --local-groupid 1 --allowed-rules folds"
    done = project.snakemake(*cluster.split(), "--target-jobs", "folds:env=local", check=False)
    assert done.returncode and "ValueError: gives way" in done.stderr
    assert project.read(made) == "by another run"


@pytest.mark.parametrize("name", ["train.csv", "a{b}c.csv"])
def test_the_slurm_profile_asks_by_the_size_of_a_raw_table(project, name):
    """Here by the byte. Where Snakemake would take a name for a wildcard, no size is known."""
    text = (ROOT / "workflow/profiles/slurm/config.yaml").read_text().replace("10**6", "1")
    resources = yaml.safe_load(text)["set-resources"]
    train = (project.path / "train.csv").rename(project.path / name)
    tables = [] if "{" in name else [train, project.path / "test.csv"]
    wanted = 2000 + 3 * sum(table.stat().st_size for table in tables)
    resources["ingest"]["mem_mb"] = f"{{{wanted}: 1}}[{resources['ingest']['mem_mb']}]"
    (project.path / "asked").mkdir()
    (project.path / "asked/config.yaml").write_text(yaml.safe_dump({"set-resources": resources}))
    project.configure(data={"train": name})
    project.snakemake("-n", "--profile", "asked")  # which does not know another number
