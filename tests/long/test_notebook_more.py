"""`emodag.open` with ids and classes that are no numbers."""

import pandas as pd

import emodag


def test_ids_and_classes_are_as_in_the_tables(project):
    data = {
        "label": "label",
        "group": "person",
        "id": "row",
        "truth": None,
        "classes": ["0", "1", "2", "NA"],
    }
    for name in ("train", "test"):
        frame = pd.read_csv(project.path / f"{name}.csv", index_col=0)
        frame = frame.rename(index="{:04}".format, columns=str).rename_axis("row")
        if name == "train":
            frame["label"] = frame["label"].replace({3: "NA"})
        frame.to_csv(project.path / f"{name}.csv")
    project.configure(
        data=data, protocols=["nested"], generations=0, submission={"values": "names"}
    )
    project.snakemake("results/submission.csv")
    predictions = emodag.open(project.path / "results").predictions()
    assert predictions["ID"].tolist()[:2] == ["0000", "0001"]
    assert set(predictions["Predicted"]) <= set(data["classes"])
