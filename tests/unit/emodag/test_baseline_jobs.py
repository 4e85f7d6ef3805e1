"""Which jobs the baselines are, what they need, and what the configuration may ask for."""

import pytest

from emodag.chain.baselines import baseline_jobs
from emodag.chain.jobs import workflow_of
from emodag.config.sections import load
from ledger.errors import ConfigError
from ledger.jobs.planner import Planner


def test_none_unless_asked_for():
    assert list(baseline_jobs(load({}))) == []


def test_every_model_runs_under_both_schemes_on_every_fold():
    found = list(baseline_jobs(load({"baselines": ["soft_voting", "svm", "lightgbm"]})))
    assert len(found) == 3 * 2 * 5 + 1 and found[-1].name == "baselines"
    stages = [job.stage for job in found[:-1]]
    assert stages == ["baseline"] * 20 + ["voting"] * 10
    environments = {job.stage: job.environment for job in found}
    assert environments == {"baseline": "baselines", "voting": "local", "baselines": "local"}


def test_a_model_depends_on_its_own_packages():
    config = load({"baselines": ["svm", "lightgbm"]})
    packages = {job.params["baseline"]: job.packages for job in [*baseline_jobs(config)][:-1]}
    assert packages == {"svm": (), "lightgbm": ("lightgbm",)}


def test_the_locked_versions_of_those_packages_enter_the_plan():
    config = load({"baselines": ["svm", "lightgbm"]})
    planner = Planner(workflow_of(config), read_only=True)

    def required(name):
        return planner.plan(name).environment.requires

    boosted = dict(required("local/baselines/kfold/lightgbm/fold0"))
    assert boosted.pop("lightgbm")
    assert boosted == required("local/baselines/kfold/svm/fold0") == required("local/table")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"baselines": ["svm", "svm"]}, "holds a value twice"),
        ({"baselines": ["hard_voting", "svm"]}, "a vote of the others there: name two"),
        ({"baselines": ["svc"]}, "baselines.0"),
        (
            {
                "baselines": ["svm"],
                "environments": {"local": {}},
                "drift": {"contrasts": []},
            },
            "environment 'baselines'",
        ),
        (
            {"baselines": ["self_training"], "pseudo_labels": {"threshold": 1}},
            "which no confidence exceeds",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        load(values)
