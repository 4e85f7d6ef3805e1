"""The report's first screen: sentences and next steps that the numbers decide on."""

import re
import shlex
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from emodag.chain.jobs import jobs
from emodag.config.sections import load
from emodag.pages.report import answer, next_steps
from emodag.pages.report.run import Run
from emodag.pages.words import MINUS
from emodag.science.scores.chance import Chance
from emodag.science.scores.resampling import Estimate

PERSONS = [f"S{at}" for at in range(1, 11)]

LINEAR = {"persons": 10, "variant": "linear", "macro_f1": 0.7, "leak_free": "yes", "p_holm": 0.01}
LINEAR |= {
    "changes": "learner=logistic_regression",
    "p": 0.01,
    "difference": 0.1,
    "difference_low": 0.04,
    "difference_high": 0.16,
}
BASE = {
    "persons": 10,
    "variant": "base",
    "macro_f1": 0.6,
    "leak_free": "yes",
    "p_holm": "",
    "difference": "",
    "changes": "",
}

SELECTION = {"variants": 2, "winner": "linear", "naive": 0.7, "corrected": 0.69}
SELECTION |= {"low": 0.6, "high": 0.8}


def scored(value, spread=0.005):
    """The score of ten persons; the interval reaches 4.3 times `spread` up and down."""
    return Estimate(value, value + spread * np.linspace(-1, 1, 10), np.array([value]))


def made(*, gen0=0.6, gen1=0.6, spread=0.003, own=0.6, **facts):
    """A run of ten persons, of whom nothing is to be said, but for these facts."""
    found = {"gen0": scored(gen0, spread), "gen1": scored(gen1, spread)}
    own = np.broadcast_to(own, 10)
    guessing = Chance(0.25, 0.28, np.full(10, 0.3))
    bare = {"protocols": ["nested"], "last": "gen1", "seeds": [1], "repeats": 1, "leaderboard": {}}
    bare |= {
        "persons": PERSONS,
        "variants": [BASE, LINEAR | {"p_holm": 0.9}],
        "has_test": True,
    }
    bare |= {
        "submitted": None,
        "selection": None,
        "inputs": {"drift": "drift.json"},
        "has_pool": True,
    }
    bare |= {"labels": np.zeros(400), "generations": [1], "parts": lambda _: ["fold0", "fold1"]}
    bare |= {
        "pseudo_labels": lambda *_: {"row": np.arange(100)},
        "params": {"threshold": 0.9, "learner": "network"},
    }
    bare |= {"json": {"table/quality.json": {"warnings": []}, "drift": {"contrasts": []}}.get}
    bare |= {"estimate": lambda _, stage: found[stage], "own": lambda _: own}
    bare |= {"stages": lambda _: ["gen0", "gen1"], "chance": lambda _: guessing}
    run = SimpleNamespace(**(bare | facts))
    run.told = load({"protocols": run.protocols}).told
    run.failing = lambda protocol: Run.failing(run, protocol)
    return run


def found(title, **facts):
    return next(each for each in answer.findings(made(**facts)) if each.title == title)


@pytest.mark.parametrize(
    ("facts", "told", "is_warning"),
    [
        ({}, "Clearly above guessing (0.250).", False),
        ({"gen1": 0.29}, "Above guessing (0.250) for these people; for others", False),
        ({"gen1": 0.27}, "Not above guessing (0.250).", True),
    ],
)
def test_a_score_is_held_against_guessing(facts, told, is_warning):
    score = found("Score to expect of new people", **facts)
    assert told in score.text and score.is_warning == is_warning


BOTH = [["published", "nested"], ["nested", "published"]]


@pytest.mark.parametrize("protocols", BOTH)
def test_the_score_told_is_the_leak_free_one_in_any_order(protocols):
    scores = {"nested": scored(0.5), "published": scored(0.8)}
    own = {"nested": np.full(10, 0.2), "published": np.full(10, 0.9)}
    run = made(protocols=protocols, estimate=lambda protocol, _: scores[protocol])
    run.own = own.get
    score, *others = answer.verdict(run)
    assert (score.title, score.figure) == ("Score to expect of new people", "0.500")
    assert others[-1].figure == "10 of 10"
    assert not any("leak-free protocol" in step for step in next_steps.steps(run))
    job = jobs(load({"protocols": protocols}))["report"]
    assert job.params["look"]["protocol"] == "nested"
    assert job.params["protocols"] == protocols  # the first one submits


def test_a_single_person_s_score_is_never_clearly_above_guessing():
    alone = scored(0.9)._replace(without=np.array([np.nan]))
    assert answer.against(alone, Chance(0.25, 0.28, np.array([0.3]))).startswith("Above guessing")


def test_whom_it_fails_is_named_the_lowest_first():
    own = np.full(10, 0.6)
    assert found("People it fails", own=own).figure == "none"
    own[[3, 7]] = 0.3, 0.2
    fails = found("People it fails", own=own)
    assert fails.figure == "2 of 10" and fails.is_warning
    assert fails.text == "Not clearly better than guessing: persons S8 (0.200), S4 (0.300)."


def test_whoever_cannot_be_guessed_is_not_failed():
    run = made(own=0.2)
    run.chance = lambda _: Chance(0.25, 0.28, np.full(10, np.nan))
    assert run.failing("nested") == []
    assert answer._failing(run).figure == "not told"
    some = np.where(np.arange(10) < 2, np.nan, 0.3)
    run.chance = lambda _: Chance(0.25, 0.28, some)
    (told,) = (each for each in answer.findings(run) if each.title == "People it fails")
    assert told.figure == "8 of 8"
    assert told.text.endswith("Of S1, S2 with one class nobody can tell.")


def test_a_better_variant_is_told_with_what_its_choice_is_worth():
    assert found("Better variants").figure == "none"
    better = found("Better variants", variants=[LINEAR, BASE], selection=SELECTION)
    assert better.figure == "+0.100"
    assert "linear, with 0.700 (95 % interval +0.040 to +0.160)" in better.text
    assert "1 of 1 variant differs from base (better: linear)." in better.text
    assert "on new people is 0.690" in better.text
    worse = LINEAR | {"difference": -0.1}
    assert found("Better variants", variants=[BASE, worse]).figure == "none"


def test_the_score_is_held_against_the_best_simple_learner():
    other = {"variant": "other", "changes": "training.mixup=0", "macro_f1": 0.9}
    worse = LINEAR | {"variant": "trees", "changes": "learner=lightgbm", "macro_f1": 0.5}
    told = found("Against a simple learner", variants=[LINEAR | other, LINEAR, BASE, worse])
    assert told.figure == f"{MINUS}0.100" and told.is_warning
    ends = f"{MINUS}0.160 to {MINUS}0.040"
    assert f"linear, the best simple learner (0.700; 95 % interval {ends})" in told.text
    assert told.text.endswith("(p = 0.010) the simple learner is better.")
    same = found("Against a simple learner", variants=[LINEAR | {"p_holm": 0.5}, BASE])
    corrected = "(p = 0.010, by Holm's correction 0.500) this table cannot tell these apart."
    assert same.text.endswith(corrected)
    better = found("Against a simple learner", variants=[BASE, LINEAR | {"macro_f1": 0.5}])
    assert better.figure == "+0.100" and better.text.endswith("the network is better.")


def test_without_a_simple_learner_the_command_for_one_is_told():
    none = found("Against a simple learner", variants=[])
    assert none.figure == "none was run" and none.text.startswith("To run one: `snakemake")
    (setting,) = shlex.split(re.search("--config (.+)`", none.text)[1])
    key, _, value = setting.partition("=")
    asked = load({key: yaml.safe_load(value)})
    assert asked.variants == {"linear": {"learner": "logistic_regression"}}
    alone = found("Against a simple learner", params={"learner": "svm", "threshold": 0.9})
    assert "svm" in alone.text
    tabm = found("Against a simple learner", variants=[BASE, LINEAR | {"changes": "learner=tabm"}])
    assert tabm.figure == "none was run"


@pytest.mark.parametrize(
    ("base", "linear", "told"),
    [
        ({"difference": -0.1, "p_holm": 0.01}, {"difference": ""}, "the simple learner is better."),
        ({"difference": 0.2, "p_holm": 0.01}, {"difference": 0.3}, "are compared with other."),
    ],
)
def test_a_simple_learner_counts_whatever_is_the_baseline(base, linear, told):
    ends = {"difference_low": -0.16, "difference_high": -0.04, "p": 0.01}
    other = (
        LINEAR
        | {"variant": "other", "changes": "a=1", "macro_f1": 0.4, "difference": ""}
        | {"p_holm": ""}
    )
    rows = [LINEAR | {"p_holm": ""} | linear, BASE | ends | base]
    rows += [other] if linear["difference"] else []
    simple = found("Against a simple learner", variants=rows)
    assert simple.figure == f"{MINUS}0.100" and simple.text.endswith(told)
    assert not any("Compare with" in step for step in next_steps.steps(made(variants=rows)))


def test_what_is_submitted_or_the_configuration_itself_is_not_proposed():
    weaker = LINEAR | {"macro_f1": 0.5, "difference": "", "p_holm": ""}
    ends = {"difference_low": 0.04, "difference_high": 0.16, "p": 0.01}
    rows = [BASE | ends | {"difference": 0.1, "p_holm": 0.01}, weaker]
    assert found("Better variants", variants=rows).figure == "none"
    rows = [LINEAR, BASE]
    assert next_steps.steps(made(variants=rows, submitted="linear")) == []
    assert next_steps.steps(made(variants=rows))[0].startswith("Submit the better variant")


def test_each_generation_is_held_against_the_one_before_it():
    assert "one before it" not in found("Self-training", gen1=0.65).text
    run = made(last="gen2")
    scores = {"gen0": scored(0.6), "gen1": scored(0.7), "gen2": scored(0.5, 0.01)}
    run.stages, run.estimate = lambda _: list(scores), lambda _, stage: scores[stage]
    (told,) = (each for each in answer.findings(run) if each.title == "Self-training")
    step_by_step = told.text.partition("Each against the one before it: ")[2]
    assert step_by_step.startswith("generation 1 +0.100")
    assert f"generation 2 {MINUS}0.200 (" in step_by_step
    assert "It hurts beyond generation 1: stop there." in told.text and told.is_warning
    assert next_steps.steps(run)[0].startswith("Stop at generation 1")
    assert next_steps.steps(run)[0].endswith("--config generations=1`")


def test_a_loss_that_a_later_generation_makes_good_is_no_reason_to_stop():
    run = made(last="gen2")
    scores = {"gen0": scored(0.6), "gen1": scored(0.5), "gen2": scored(0.7, 0.01)}
    run.stages, run.estimate = lambda _: list(scores), lambda _, stage: scores[stage]
    assert next_steps.steps(run) == []


def test_a_generation_of_few_pseudo_labels_is_told():
    assert "Pseudo-labels" not in [each.title for each in answer.findings(made())]
    few = {"fold0": 3, "fold1": 0}
    none = found("Pseudo-labels", pseudo_labels=lambda *at: {"row": np.arange(few[at[-1]])})
    assert none.is_warning and none.figure == "none for some students"
    assert none.text.startswith("Beside 400 labelled rows students learned from few")
    assert "pseudo-labels: 0 to 3 in generation 1 under nested." in none.text
    assert "lower `pseudo_labels.threshold`" in none.text


STEPS = {
    "Add the leak-free protocol": {"protocols": ["published"]},
    "Stop at generation 0": {"gen0": 0.7},
    "Submit the better variant": {"variants": [LINEAR, BASE]},
    "Compare with a simple learner": {"variants": []},
    "See “Scores by person”": {"own": np.linspace(0.2, 0.8, 10)},
    "Add people: the interval of 10 persons is": {"spread": 0.03},
    "Ask whether other machines score the same": {"inputs": {}},
}


def test_with_nothing_to_do_there_are_no_steps():
    assert next_steps.steps(made()) == []


@pytest.mark.parametrize("step", STEPS)
def test_each_step_has_its_reason(step):
    (only,) = next_steps.steps(made(**STEPS[step]))
    assert only.startswith(step)
    command = re.search("`(.+)`$", only)[1]
    assert re.match("snakemake -c8|emodag check", command)
    words = shlex.split(command)
    assert "results/configuration.yaml" in words
    given = words[words.index("--config") + 1 :] if "--config" in words else []
    found = {
        key: yaml.safe_load(value) for key, _, value in (each.partition("=") for each in given)
    }
    variants = {"variants": {"linear": {"learner": "svm"}}} if found.get("submit") else {}
    load(found | variants)  # what it sets is a configuration


def test_a_few_steps_are_told_the_weightiest_first():
    facts = {name: value for facts in STEPS.values() for name, value in facts.items()}
    facts |= {"protocols": ["nested"], "variants": [LINEAR, BASE]}
    told = next_steps.steps(made(**facts))
    first = [list(STEPS)[at] for at in (1, 2, 4)]
    assert [each.startswith(step) for each, step in zip(told, first, strict=True)] == [True] * 3


def test_without_a_test_table_there_is_nothing_to_submit():
    assert next_steps.steps(made(variants=[LINEAR, BASE], has_test=False)) == []


def test_many_people_with_a_wide_interval_are_not_asked_for_more():
    assert next_steps.steps(made(spread=0.03, persons=[str(at) for at in range(40)])) == []


VOTE = {"variant": "vote", "macro_f1": 0.65, "hidden": 0.5, "hidden_low": 0.4, "hidden_high": 0.6}
VOTE |= {"p_holm": "", "difference": "", "changes": "", "leak_free": "yes", "persons": 10}


@pytest.mark.parametrize(
    ("persons", "row", "told"),
    [
        ([0, 1, 1], {}, "95 % interval 0.400 to 0.600, over 2 persons"),
        ([0, 0, 0], {"hidden_low": "", "hidden_high": ""}, "no interval, as they are one person's"),
        (None, {"hidden_low": "", "hidden_high": ""}, "no interval, as nothing tells whose they"),
    ],
)
def test_the_hidden_score_is_that_of_what_was_submitted(persons, row, told):
    hidden = found(
        "Score on the hidden people",
        variants=[BASE, VOTE | row],
        submitted="vote",
        leaderboard={("nested", 1, "gen1"): {"macro_f1": 0.45}},
        test_person=persons and np.array(persons),
    )
    assert hidden.figure == "0.500" and "which is of vote, on" in hidden.text
    assert f"known here ({told}" in hidden.text and "nan" not in hidden.text
