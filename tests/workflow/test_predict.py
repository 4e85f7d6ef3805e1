"""`predict` gives a table that came later what the run's own models say of it."""

import shutil

import numpy as np
import pandas as pd
import pytest

PLACE = "results/predictions/later"


def predict(project, *arguments, check=True):
    done = project.emodag("predict", *arguments)
    assert (done.returncode == 0) == check, done.stderr
    return done


def table(project, name):
    return pd.read_csv(project.path / name, dtype=str)


@pytest.mark.parametrize("protocol", ["copy_of_finished", "nested"])
def test_the_rows_of_the_submission_get_its_classes_to_the_last_bit(protocol, request):
    run = request.getfixturevalue(protocol)
    shutil.copy(run.path / "test.csv", run.path / "later.csv")
    done = predict(run, "later.csv", "--out", "mine.csv")
    mine, submitted = table(run, "mine.csv"), table(run, "results/submission.csv")
    pd.testing.assert_frame_equal(mine[["ID", "Predicted"]], submitted)
    assert f"{len(mine)} rows predicted" in done.stdout and "written: mine.csv" in done.stdout
    home = run.json("results/submission.manifest.json")["origins"]["probabilities"]["manifest"]
    blend = pd.read_parquet(run.path / home.replace("manifest.json", "test.parquet"))
    told = mine.filter(like="probability of ").astype(np.float32)
    np.testing.assert_array_equal(told.to_numpy(), blend.to_numpy())


def test_it_is_cached_and_traced_like_any_job(copy_of_finished):
    run = copy_of_finished
    shutil.copy(run.path / "test.csv", run.path / "later.csv")
    assert "RUN " in predict(run, "later.csv").stderr
    assert "HIT " in predict(run, "later.csv").stderr
    assert run.emodag("verify").returncode == 0
    key = run.json(f"{PLACE}/manifest.json")["key"]
    assert any(key in root.read_text() for root in (run.path / ".emodag/store/roots").iterdir())
    told = run.emodag("lineage", "predictions/later").stdout
    assert "later.csv" in told and "labels seen: 0, 1, 2, 3, 4, 5\n" in told
    assert "RUN" not in run.snakemake().stderr
    assert (run.path / PLACE / "predictions.csv").is_file()


def test_persons_and_columns_by_name(copy_of_finished):
    run = copy_of_finished
    data = {"label": "label", "group": "person", "id": "row", "ignore": ["note*"]}
    for name in ("train", "test"):
        frame = pd.read_csv(run.path / f"{name}.csv", index_col=0).rename_axis("row")
        frame.assign(note1="text").to_csv(run.path / f"{name}.csv")
    run.configure(data=data, protocols=["nested"])
    run.snakemake("results/submission.csv")
    later = pd.read_csv(run.path / "train.csv")
    later = later[later["person"] < 2].assign(row=range(100, 124), note2=3, f1=np.nan)
    later["person"] = later["person"].map({0: "Ada", 1: "Bob"})
    later.loc[later["person"] == "Bob", "f0"] += 1000.0
    later = later[["person", "note2", *[f"f{j}" for j in reversed(range(8))], "row"]]
    later.to_parquet(run.path / "later.parquet", index=False)
    done = predict(run, "later.parquet")
    assert "no value in 'f1'; the training persons' median is taken" in done.stderr
    place = next((run.path / "results/predictions").glob("later-*"))
    made = table(run, place / "predictions.csv")
    assert list(made.columns[:3]) == ["ID", "Predicted", "person"]
    assert made["ID"].tolist() == [str(row) for row in range(100, 124)]
    persons = table(run, place / "persons.csv").set_index("person")
    assert persons.loc[["Ada", "Bob"], "rows"].tolist() == ["12", "12"]
    near, far = persons.loc[["Ada", "Bob"], "distance"].astype(float)
    assert far > near
    assert done.stdout.index("person Bob") < done.stdout.index("person Ada")


def test_several_files_are_one_table(copy_of_finished):
    run = copy_of_finished
    whole = pd.read_csv(run.path / "test.csv", index_col=0)
    whole.to_csv(run.path / "later.csv")
    whole[:9].to_csv(run.path / "S1.csv")
    whole[9:].to_csv(run.path / "S2.csv")
    predict(run, "later.csv")
    predict(run, "S*.csv", "--out", "mine.csv")
    parts, later = table(run, "mine.csv"), table(run, f"{PLACE}/predictions.csv")
    pd.testing.assert_frame_equal(parts, later)


def test_refusals_name_the_fault(copy_of_finished):
    run = copy_of_finished
    frame = pd.read_csv(run.path / "test.csv", index_col=0)
    frame.drop(columns="f3").to_csv(run.path / "later.csv")
    said = predict(run, "later.csv", check=False).stderr
    assert "later.csv" in said and "lacks 'f3'" in said and "Traceback" not in said
    frame.to_csv(run.path / "later.csv")
    code = run.path / "workflow/emodag/stages/student.py"
    code.write_text(code.read_text() + "\n\nOTHER = 1\n")
    said = predict(run, "later.csv", check=False).stderr
    assert "local/published/seed1/gen2/fold0: is not finished, or code" in said
    assert "--configfile results/configuration.yaml` first" in said
    said = predict(run, "absent.csv", check=False).stderr
    assert "absent.csv: is not there; name the table" in said
    assert not (run.path / PLACE / "manifest.json").exists()


def test_before_any_run(project):
    said = predict(project, "test.csv", check=False).stderr
    assert "results/configuration.yaml: is not there; run `snakemake" in said
