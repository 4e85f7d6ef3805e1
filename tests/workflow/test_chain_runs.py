"""The chain as a user runs it: what it makes, from what; `tests/long/test_chains.py` has more."""

import csv
import io
import json

import numpy as np
import pytest

from tests.project import Project


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


def test_snakemake_keeps_no_copy_of_condas_file_for_each_output(finished):
    kept = list((finished.path / ".snakemake/metadata").iterdir())
    assert len(kept) > 100 and max(path.stat().st_size for path in kept) < 20_000


def test_a_module_in_the_working_directory_is_not_imported(project):
    (project.path / "pyarrow.py").write_text("raise ImportError('not of this environment')\n")
    project.snakemake("results/local/table/manifest.json")
