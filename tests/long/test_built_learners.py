"""The learners, and the search by scores, in an environment that is built from their lock."""

import json
import os
import shutil
import subprocess

import pandas as pd
import pytest

from tests.project import ROOT, Project, jobs
from tests.workflow.test_variants_runs import TABLE

OWN = ("lightgbm", "xgboost", "catboost", "tabm")
"""Those that need packages of their own."""

FEW = {
    "lightgbm": {"rounds": 10},
    "xgboost": {"rounds": 10},
    "catboost": {"rounds": 10},
    "tabm": {"epochs": 2},
}

TAUGHT = ("lightgbm", "tabm")
"""Those that learn pseudo-labels as well: one of trees, and the one of networks."""

VARIANTS = {
    name: {"learner": name, "learners": {name: FEW[name]}, "generations": int(name in TAUGHT)}
    for name in OWN
}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Project:
    """The other learners as variants, in the environment made from the lock."""
    project = Project.create(tmp_path_factory.mktemp("built") / "project", variants=VARIANTS)
    done = project.snakemake("-c1", TABLE, check=False)
    if "cannot be installed" in done.stderr:
        pytest.skip("the packages of envs/learners.lock cannot be had here")
    assert done.returncode == 0, done.stderr
    return project


@pytest.mark.parametrize("name", OWN)
def test_learners_with_packages_of_their_own(built, name):
    for fit in ("gen0/fold0", "gen1/fold0")[: 1 + (name in TAUGHT)]:
        home = f"results/variants/{name}/local/nested/seed1/{fit}"
        found = pd.read_parquet(built.path / home / "validation.parquet").set_index("row")
        assert found.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
        record = json.loads(built.read(f"{home}/provenance.json"))
        assert ".emodag/environments/learners-" in record["command"][0]
        assert name in str(record["environment"]["distributions"])


def test_those_give_the_same_bits_with_two_jobs_at_once_and_two_threads(built):
    def fits():
        return {
            name: digest
            for name, digest in built.digests().items()
            if name.startswith("variants/") and ("/gen0/" in name or "/gen1/fold" in name)
        }

    before = fits()
    shutil.rmtree(built.path / "results")
    built.configure(variants=VARIANTS, environments={"learners": {"threads": 2}})
    done = built.snakemake("-c2", TABLE)
    ran = [job for job in jobs(done, "RUN") if "/gen" in job and "/fold" in job]
    assert len([job for job in ran if "pseudo" not in job]) == 2 * len((*OWN, *TAUGHT))
    assert fits() == before


def test_those_weigh_a_rare_class(built):
    home = "results/variants/lightgbm/local/nested/seed1/gen0/fold0"
    python = built.json(f"{home}/provenance.json")["command"][0]
    done = subprocess.run(
        [built.path / python, "-m", "tests.learner_checks", *OWN],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'workflow'}{os.pathsep}{ROOT}"},
        check=True,
        text=True,
        capture_output=True,
    )
    shares = json.loads(done.stdout)
    assert list(shares) == list(OWN)
    assert all(share > 0.33 for share in shares.values()), "unweighted ones give it less"


SEARCH = {
    "trials": 12,
    "sampler": "tpe",
    "space": {"learners.svm.C": {"log": [0.1, 10]}, "scaling.n_quantiles": [10, 20, 40]},
}


def test_a_search_goes_by_the_scores_of_what_is_finished(built):
    """In rounds, each a run of its own that the same command starts; stopped, it goes on."""

    def configure(**changes):
        search = {**SEARCH, **changes.pop("search", {})}
        alone = {"data": {"test": None, "truth": None}, "learner": "svm", "generations": 0}
        built.configure(**alone, search=search, **changes)

    def fits(done):
        return [job for job in jobs(done, "RUN") if "/gen0/" in job]

    configure()
    stopped = built.snakemake("results/search/round2/suggested.json")
    assert "10 of 12 trials are known" in stopped.stderr and "now what follows" in stopped.stderr
    assert len(fits(stopped)) == 2 * 10 and not built.path.joinpath(TABLE).exists()
    done = built.snakemake(TABLE)
    assert len(fits(done)) == 2 * 3, "base and two more trials, of two folds each"
    first, table = built.json("results/search/round2/suggested.json"), built.read(TABLE)
    assert len(first["scores"]) == len(first["shares"]) == 10
    assert [row.partition(",")[0] for row in table.splitlines()[-2:]] == ["t011", "t012"]
    # Another order of jobs, from nothing: the same trials.
    shutil.rmtree(built.path / "results")
    shutil.rmtree(built.path / ".emodag/store")
    again = built.snakemake("-c1", TABLE)
    assert "10 of 12 trials are known" in again.stderr and len(fits(again)) == 2 * 13
    assert built.read(TABLE) == table
    # More trials keep those before; from other scores the second round would be drawn anew.
    configure(search={"trials": 13})
    assert len(fits(built.snakemake(TABLE))) == 2
    assert built.json("results/search/round2/suggested.json") == first
    configure(learners={"svm": {"gamma": 0.05}})
    planned = built.snakemake("-n", TABLE)
    assert "10 of 12 trials are known" in planned.stderr and "suggest " in planned.stderr
