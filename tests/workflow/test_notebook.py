"""`emodag.open` gives what a run made as frames, and nothing that is not as it was made."""

import shutil

import pandas as pd
import pytest

import emodag
from ledger.errors import InputError, IntegrityError


def test_the_tables_of_a_run(finished):
    results = emodag.open(finished.path / "results")
    pd.testing.assert_frame_equal(
        results.scores(), pd.read_csv(finished.path / "results/scores.csv")
    )
    assert results.config.generations == 2
    assert results.leaderboard()["n_test"].tolist() == [24] * 6
    predictions, classes = results.predictions(), results.config.data.classes
    assert list(predictions.columns) == ["ID", "Predicted", *classes]
    assert predictions[classes].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    boost = [1, 1, 1, 1.5]
    best = (predictions[classes] * boost).to_numpy().argmax(axis=1)
    assert (best == predictions["Predicted"]).all()


def test_held_out_rows_give_the_scores(finished):
    results = emodag.open(finished.path / "results")
    rows = results.held_out()
    keys = ["protocol", "seed", "stage", "fold"]
    right = (rows["label"] == rows["predicted"]).groupby([rows[key] for key in keys]).mean()
    scores = results.scores().set_index(keys)["accuracy_last_epoch"]
    assert right.sort_index().to_numpy() == pytest.approx(scores.sort_index().to_numpy())
    nested = rows[(rows["protocol"] == "nested") & (rows["stage"] == "gen2")]
    assert sorted(nested["id"]) == list(range(72))
    assert nested.groupby("person")["fold"].nunique().eq(1).all()


def test_the_report_is_shown_in_a_cell(finished, reported):
    with pytest.raises(IntegrityError, match="no such manifest"):
        emodag.open(finished.path / "results").report()
    shown = emodag.open(reported.path / "results").report()
    assert shown._repr_html_().startswith("<iframe srcdoc=")


def test_a_damaged_table_is_refused(copy_of_finished):
    path = copy_of_finished.path / "results/scores.csv"
    path.write_text(path.read_text().replace("0.", "0.9"))
    results = emodag.open(copy_of_finished.path / "results")
    with pytest.raises(IntegrityError, match=r"scores\.csv: is missing or damaged"):
        results.scores()
    with pytest.raises(InputError, match="are these results of a run"):
        emodag.open(copy_of_finished.path)


def test_what_is_of_another_configuration_is_refused(nested):
    """A run need not be asked for all; what it leaves alone is then of the run before."""
    opened = emodag.open(nested.path / "results")
    made = len(opened.held_out())
    nested.configure(pseudo_labels={"threshold": 0.26})
    nested.snakemake("results/local/folds/manifest.json")
    with pytest.raises(IntegrityError, match="not of the configuration that was run last"):
        emodag.open(nested.path / "results").held_out()
    nested.snakemake("results/scores.csv")
    assert len(emodag.open(nested.path / "results").held_out()) == made
    with pytest.raises(IntegrityError, match="not of the configuration that was run last"):
        opened.held_out()  # it was opened before that run, as in a notebook that stays open


def test_predicting_beside_a_run_changes_none_of_its_files(nested):
    """What `predict` reads it has from the store, when the results are another run's by now."""
    (weights,) = (nested.path / "results/local/nested/seed1/gen1/fold0").glob("*.safetensors")
    shutil.copy(nested.path / "test.csv", nested.path / "later.csv")
    other = bytes(len(weights.read_bytes()))
    weights.write_bytes(other)
    done = nested.emodag("predict", "later.csv")
    assert done.returncode == 0, done.stderr
    assert weights.read_bytes() == other
