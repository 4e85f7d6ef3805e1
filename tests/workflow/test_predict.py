"""`predict` gives a table that came later what the run's own models say of it."""

import shutil

import numpy as np
import pandas as pd

PLACE = "results/predictions/later"


def predict(project, *arguments, check=True):
    done = project.emodag("predict", *arguments)
    assert (done.returncode == 0) == check, done.stderr
    return done


def table(project, name):
    return pd.read_csv(project.path / name, dtype=str)


def the_rows_of_the_submission_get_its_classes(run):
    shutil.copy(run.path / "test.csv", run.path / "later.csv")
    done = predict(run, "later.csv", "--out", "mine.csv")
    mine, submitted = table(run, "mine.csv"), table(run, "results/submission.csv")
    pd.testing.assert_frame_equal(mine[["ID", "Predicted"]], submitted)
    assert "RUN " in done.stderr and "written: mine.csv" in done.stdout
    assert f"{len(mine)} rows predicted" in done.stdout
    home = run.json("results/submission.manifest.json")["origins"]["probabilities"]["manifest"]
    blend = pd.read_parquet(run.path / home.replace("manifest.json", "test.parquet"))
    told = mine.filter(like="probability of ").astype(np.float32)
    np.testing.assert_array_equal(told.to_numpy(), blend.to_numpy())


def test_a_later_table_is_predicted_as_by_the_run_and_cached_and_traced_like_any_job(nested):
    the_rows_of_the_submission_get_its_classes(nested)
    assert "HIT " in predict(nested, "later.csv").stderr
    assert nested.emodag("verify").returncode == 0
    key = nested.json(f"{PLACE}/manifest.json")["key"]
    roots = (nested.path / ".emodag/store/roots").iterdir()
    assert any(key in root.read_text() for root in roots)
    told = nested.emodag("lineage", "predictions/later").stdout
    assert "later.csv" in told and "labels seen: 0, 1, 2, 3, 4, 5\n" in told
    assert "RUN" not in nested.snakemake().stderr
    assert (nested.path / PLACE / "predictions.csv").is_file()


def test_refusals_name_the_fault(nested):
    run = nested
    frame = pd.read_csv(run.path / "test.csv", index_col=0)
    frame.drop(columns="f3").to_csv(run.path / "later.csv")
    said = predict(run, "later.csv", check=False).stderr
    assert "later.csv" in said and "lacks 'f3'" in said and "Traceback" not in said
    frame.to_csv(run.path / "later.csv")
    code = run.path / "workflow/emodag/stages/student.py"
    code.write_text(code.read_text() + "\n\nOTHER = 1\n")
    said = predict(run, "later.csv", check=False).stderr
    assert "local/nested/seed1/gen1/fold0: is not finished, or code" in said
    assert "--configfile results/configuration.yaml` first" in said
    for raw in ("later.csv", "train.csv", "./truth.csv"):
        before = (run.path / raw).read_bytes()
        said = predict(run, "later.csv", "--out", raw, check=False).stderr
        assert "is the raw file" in said and (run.path / raw).read_bytes() == before
    said = predict(run, "absent.csv", check=False).stderr
    assert "absent.csv: is not there; name the table" in said
    assert not (run.path / PLACE / "manifest.json").exists()


def test_before_any_run(project):
    said = predict(project, "test.csv", check=False).stderr
    assert "results/configuration.yaml: is not there; run `snakemake" in said
