"""Tables as people have them, through real Snakemake; `tests/unit/test_ingest_*` have the rest."""

import pandas as pd

from tests.project import jobs

TABLE = "results/local/table/manifest.json"


def test_a_file_per_person_in_a_european_locale(project):
    whole = pd.read_csv(project.path / "train.csv", index_col=0)
    for person, part in whole.groupby("person"):
        part.to_csv(project.path / f"S{person}.csv", index=False, sep=";", decimal=",")
    data = {"train": "S*.csv", "label": "label", "group": "person"}
    project.configure(data=data)
    done = project.snakemake(TABLE)
    assert (
        "S0.csv: with 5 more files; cells are separated by semicolons and decimals" in done.stderr
    )
    table = pd.read_parquet(project.path / "results/local/table/train.parquet")
    pd.testing.assert_frame_equal(table, whole.drop(columns=["label", "person"]), check_dtype=False)
    assert jobs(project.snakemake(TABLE), "RUN") == []
    path = project.path / "S3.csv"
    path.write_text(path.read_text().replace(",", ",0", 1))
    assert jobs(project.snakemake(TABLE), "RUN") == ["local/table"]
    project.configure(data={**data, "train": [f"S{person}.csv" for person in range(5)]})
    assert jobs(project.snakemake(TABLE), "RUN") == ["local/table"]
    project.configure(data={**data, "train": "T*.csv"})
    done = project.snakemake(TABLE, check=False)
    assert "T*.csv: No such file or directory" in done.stderr


def test_classes_that_yaml_takes_for_truth_values(project):
    path = project.path / "small.yaml"
    path.write_text(path.read_text().replace("data:\n", "data:\n  classes: [no, yes]\n"))
    done = project.snakemake("-n", check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "data.classes.0: YAML reads no, off or false" in done.stderr
