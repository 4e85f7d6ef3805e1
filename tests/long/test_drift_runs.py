"""`results/drift.html`: two environments and two seeds, compared as a user would."""

import re

from ledger.disk.canonical import file_sha256

ENVIRONMENTS = {"local": {}, "same": {"variables": {"EMODAG_NOTHING": "1"}}}
REPORT = "results/drift.html"


def test_an_environment_that_changes_nothing(project):
    drift = {"contrasts": [["local", "same"]], "seeds": [1, 2]}
    project.configure(protocols=["published"], environments=ENVIRONMENTS, drift=drift)
    project.snakemake(REPORT)
    facts, digests = project.json("results/drift.json"), project.digests()
    same, seeds = facts["contrasts"]
    assert "Identical to the last bit" in same["verdict"] and same["first"] is None
    assert len(same["pairs"]) == 2, "with every seed of the yardstick"
    assert [factor["name"] for factor in same["factors"]] == ["the variable EMODAG_NOTHING"]
    for name, digest in digests.items():
        if name.startswith("same/"):
            assert digests[name.replace("same/", "local/", 1)] == digest
    steps = ["table", "folds", "scaled", "gen0", "gen1/pseudo_labels", "gen1", "gen1/blend"]
    assert [step["step"] for step in same["steps"]] == steps
    assert (seeds["first"], facts["yardstick"]["gen1"]["macro_f1"]["n"]) == ("gen0", 2)
    (pair,) = seeds["pairs"]
    fits = [
        project.json(f"results/local/published/seed{seed}/gen1/fold{fold}/fit.json")["macro_f1"]
        for seed in (1, 2)
        for fold in (0, 1)
    ]
    scores = pair["generations"][0]["scores"]["macro_f1"]
    assert [scores["a"], scores["b"]] == [sum(fits[:2]) / 2, sum(fits[2:]) / 2]
    assert "hidden" in facts["yardstick"]["gen1"], "the truth is known here"

    text = project.read(REPORT)
    assert same["verdict"] in text and seeds["verdict"] in text
    assert not re.search(r'(src|href)="(?!#|data:text/csv;)', text)
    before = file_sha256(project.path / REPORT)
    project.snakemake("--forcerun", "drift", REPORT, EMODAG_STORE=str(project.path / "another"))
    assert file_sha256(project.path / REPORT) == before
