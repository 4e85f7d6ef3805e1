"""Variants: what they share, what they may change, what a search draws, how votes are weighed."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from emodag.chain.chain import Chain
from emodag.chain.jobs import jobs, workflow_of
from emodag.chain.settled import VARIABLE, handed_on, settled
from emodag.chain.variants import Variants, fewer_trials
from emodag.config.combined import combined
from emodag.config.sections import load, variants_of
from emodag.config.variants import ROUND
from emodag.config.written import effective_yaml
from emodag.pages.comparison import choice, read_rows, verdict
from emodag.science.scores.scoring import macro_f1
from emodag.science.tables.matrices import (
    probability_columns,
    read_columns,
    read_probabilities,
    write_columns,
)
from emodag.science.voting import hard_vote, hill_climbing, soft_vote
from emodag.stages import held_out, variants, vote
from emodag.stages.scores import LeakageError
from emodag.verbs import last_run
from ledger.disk.canonical import file_sha256
from ledger.errors import ConfigError, InputError, IntegrityError
from ledger.jobs.manifest import Output
from ledger.jobs.targets import find_in
from tests.project import ROOT
from tests.said import Said
from tests.unit.ledger.test_store import manifest

MIXUP = {"no_mixup": {"training": {"mixup": 0}}}
NARROW = {"training.mixup": [0, 0.2], "model.residual": [True, False]}
SEARCH = {
    "sampler": "tpe",
    "space": {
        "training.learning_rate": {"log": [1e-4, 1e-2]},
        "training.mixup": {"uniform": [0, 1]},
    },
}


def own(config, name):
    """The fits that only one variant has."""
    found = [job for job in jobs(config) if job.startswith(f"variants/{name}/local/")]
    return [job for job in found if "/fold" in job]


def test_variants_share_all_that_is_alike():
    config = load(
        {
            "seeds": [1, 2],
            "variants": {
                **MIXUP,
                "alone": {"generations": 0},
                "eager": {"pseudo_labels": {"threshold": 0.8}},
                "trees": {"learner": "lightgbm"},
                "relative": {"scaling": {"person": "z"}},
            },
        }
    )
    fits = {"no_mixup": 3, "alone": 0, "eager": 2, "trees": 3, "relative": 3}
    for name, each in fits.items():
        found = [job for job in own(config, name) if "pseudo" not in job and "scaled" not in job]
        assert len(found) == each * 5 * 2, name
    assert "variants/relative/local/by_person" in jobs(config)
    assert not any("scaled" in job for job in own(config, "trees"))
    rests_on = Variants(config).rests_on
    assert rests_on["alone"] < rests_on["base"] and rests_on["no_mixup"] & rests_on["trees"]


def test_none_without_any():
    assert not any("variant" in job for job in jobs(load({})))


def test_a_variant_is_the_configuration_with_what_differs():
    config = load({"training": {"epochs": 7}, "folds": "persons", "variants": MIXUP})
    (base, changed) = variants_of(config).values()
    assert (base.training.mixup, changed.training.mixup) == (0.4, 0)
    assert base.training.epochs == changed.training.epochs == 7
    assert base.protocols == changed.protocols == ["nested"]
    assert base.folds == changed.folds == "persons"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variants": {"a": {"training": {"mixpu": 0}}}}, r"variants\.a\.training\.mixpu: no such"),
        ({"variants": {"a": {"mixup": 0}}}, r"variants\.a\.mixup: .* 'training\.mixup'\?"),
        ({"variants": {"a": {"training": {"epochs": "x"}}}}, r"variants\.a\.training\.epochs: "),
        ({"variants": {"a": {"data": {"size": "demo"}}}}, r"a\.data: changes the tables"),
        ({"variants": {"a": {"folds": 3}}}, r"a\.folds: changes the folds"),
        ({"variants": {"a": {"seeds": [2]}}}, r"a\.seeds: changes the run seeds"),
        ({"variants": {"a": {"environment": "numpy2"}}}, r"a\.environment: is the same for all"),
        ({"variants": {"a": {}}}, r"variants\.a: changes nothing that 'base' does not"),
        ({"variants": {**MIXUP, "b": {"training": {"mixup": 0}}}}, r"variants\.b: .* 'no_mixup'"),
        ({"variants": {"base": {"learner": "svm"}}}, "which is the configuration itself"),
        ({"variants": {"a b": {"learner": "svm"}}}, r"variants\.a b: a name is up to 64 letters"),
        ({"variants": {"v1" * 33: {"learner": "svm"}}}, r"variants\.v1v.*: a name is up to 64"),
        ({"variants": {"a": {"training.mixup": 0}}}, r"a\.training\.mixup: .*write training: \{m"),
        ({"compare": "no_mixup"}, "compare: expected values by name"),
        ({"variants": {"a": {"learner": "svc"}}}, r"variants\.a\.learner: "),
        ({"variants": MIXUP, "blends": {"all": {"of": ["base", "no_mixpu"]}}}, "'no_mixup'?"),
        ({"variants": MIXUP, "blends": {"all": {"of": ["base"]}}}, r"blends\.all\.of"),
        ({"variants": MIXUP, "blends": {"no_mixup": {"of": ["base", "no_mixup"]}}}, "variant's"),
        ({"variants": MIXUP, "blends": {"all": {"of": ["base", "base"]}}}, "holds a value twice"),
        (
            {"variants": {"a": {"scheme": "kfold"}}, "blends": {"all": {"of": ["base", "a"]}}},
            "both schemes",
        ),
        ({"variants": MIXUP, "compare": {"baseline": "bsae"}}, "did you mean 'base'"),
        ({"variants": MIXUP, "submit": "mixup"}, "`submit` names 'mixup'"),
        ({"search": {"trials": 3}}, r"`space` is empty"),
        ({"search": {"space": NARROW}}, "`trials` is 0: say how many trials"),
        ({"search": {"trials": 3, "space": {"training": {"mixup": [0, 1]}}}}, "keys such as train"),
        ({"search": {"space": {"training.mixup": []}}}, "can draw nothing for 'training.mixup'"),
        ({"search": {"space": {"training.mixup": {"log": [0, 1]}}}}, "the lower one first"),
        ({"search": {"space": {"training.mixup": {"uniform": [1, 0]}}}}, "the lower one first"),
        ({"search": {"space": {"training.mixup": {"lgo": [1, 2]}}}}, "can draw nothing"),
        ({"search": {"space": {"model.code": {"integer": [1.5, 3]}}}}, "can draw nothing"),
        ({"search": {"space": {"a": [1], "a.b": [2]}}}, "'a' and 'a.b', which is a part"),
        ({"search": {"trials": 9, "space": {"training.mixpu": [1]}}}, r"trial t001\.training"),
        ({"search": {"sampler": "tpe", "space": {"scheme": ["kfold"]}}}, "would go by leaky"),
        ({"search": {**SEARCH, "trials": 30}, "submit": "t031"}, "`submit` names 't031'"),
        ({"variants": {"a": {"scheme": ["kfold"]}}, "blends": {"b": {"of": ["base", "a"]}}}, "a.s"),
        ({"variants": MIXUP, "blends": {"all": {}}}, r"blends\.all\.of"),
        (
            {"variants": MIXUP, "blends": {n: {"of": ["base", "no_mixup"]} for n in ("x", "y")}},
            "the same vote as 'x'",
        ),
        ({"variants": {"a": {"scheme": "kfold"}}, "submit": "a"}, "`submit` names 'a', which is l"),
        (
            {"variants": {"a": {"scheme": "kfold"}}, "compare": {"baseline": "a"}},
            "`compare.baseline` names 'a', which is leaky",
        ),
        ({"search": {"trials": 1, "space": {"folds": [2, 3]}}}, "changes the folds"),
        ({"scheme": "kfold", "protocols": ["nested"]}, "scheme: kfold is for a variant"),
        ({"generations": 0}, r"`generations: 0` is nothing that the published protocol knows"),
        ({"learner": "svm"}, r"set `protocols: \[nested\]`"),
    ],
)
def test_what_cannot_be_compared_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        load(values)


@pytest.mark.parametrize("sampler", ["random", "sobol", "tpe"])
def test_more_trials_keep_those_before(sampler):
    space = {
        "training.learning_rate": {"log": [1e-4, 1e-2]},
        "training.epochs": {"integer": [3, 9]},
    }

    def drawn(trials, seed=1):
        search = {"trials": trials, "seed": seed, "sampler": sampler, "space": space}
        rows = np.random.default_rng(seed).random((80, 2)).tolist()
        return load({"search": search}).with_suggested(rows).trials

    few, many = drawn(3), drawn(90)
    assert len(many) == 90 and list(many)[:3] == list(few) == ["t001", "t002", "t003"]
    assert all(many[name] == few[name] for name in few) and drawn(3, seed=2) != few
    rates = [each["training"]["learning_rate"] for each in many.values()]
    assert min(rates) >= 1e-4 and max(rates) <= 1e-2 and 0.3 < np.mean(np.array(rates) < 1e-3) < 0.7
    assert {each["training"]["epochs"] for each in many.values()} == {*range(3, 10)}


@pytest.mark.parametrize("sampler", ["random", "sobol"])
@pytest.mark.parametrize(
    ("space", "size"),
    [
        (NARROW, 4),
        ({"model.gate_ratio": {"integer": [2, 6]}}, 5),
        ({"model.gate_ratio": {"integer": [2, 3]}, "training.mixup": [0, 0.2]}, 4),
        ({"training.mixup": {"uniform": [0.3, 0.30005]}}, 1),
        ({"model.code": {"integer": [1, 100]}, "generations": [1, 2, 2]}, 200),
    ],
)
def test_a_small_space_is_drawn_once(sampler, space, size):
    trials = 90 if size < 90 else 400
    found = load({"search": {"trials": trials, "sampler": sampler, "space": space}}).trials
    drawn = {json.dumps(changes, sort_keys=True) for changes in found.values()}
    assert len(found) == len(drawn) == size
    whole = load(yaml.safe_load(effective_yaml(load({"search": {"trials": 90, "space": space}}))))
    assert whole.trials == load({"search": {"trials": 90, "space": space}}).trials


def test_a_round_is_drawn_from_the_scores_of_all_before_it():
    config = load({"search": {**SEARCH, "trials": 25}})
    assert len(config.trials) == ROUND and config.next_round == 2
    found = jobs(config)
    asked = found["search/round2"]
    assert list(asked.params["before"]) == list(config.trials) == [*asked.inputs][1:]
    assert asked.environment == "learners" and asked.packages == ("optuna",)
    workflow = workflow_of(config)
    assert workflow.decider == "search/round2"
    assert workflow.after_decider() == {"variants", "report"}
    more = config.with_suggested([[share, share] for share in np.linspace(0.01, 0.99, 10)])
    assert len(more.trials) == 20 and more.next_round == 3
    assert jobs(more)["search/round2"] == asked, "what comes later changes nothing before it"
    assert set(jobs(more)["search/round3"].params["before"]) == set(more.trials)
    last = more.with_suggested([[n / 20, n / 20] for n in range(20)])
    assert len(last.trials) == 25 and last.next_round is None
    assert workflow_of(last).decider is None and "next" not in jobs(last)["variants"].inputs


def test_of_a_suggestion_that_was_there_before_another_draw_takes_the_place():
    config = load({"search": {**SEARCH, "trials": 90, "space": NARROW}})
    assert len(config.trials) == 4 and config.next_round is None, "the space holds no more"
    config = load({"search": {**SEARCH, "trials": 20}})
    first = [draw.shares for draw in config.draws.values()]
    found = config.with_suggested([first[0]] * 10).trials
    assert len({json.dumps(changes) for changes in found.values()}) == 20


def test_what_names_a_trial_that_is_not_known_yet_waits_for_it():
    blends = {"both": {"of": ["base", "t012"]}, "now": {"of": ["base", "t001"]}}
    named = {"compare": {"baseline": "t011"}, "submit": "t012", "blends": blends}
    config = settled(load({"search": {**SEARCH, "trials": 12}, **named}), read_only=True)
    found = workflow_of(config)
    assert found.after_decider() == {"variants", "submission", "leaderboard", "report"}
    assert "variants/now/vote" in found.jobs and "variants/both/vote" not in found.jobs
    read = [o for job in found.jobs.values() for o in job.inputs.values() if not isinstance(o, str)]
    assert {maker for maker, _ in read} <= {*found.jobs}, "the report's, too"
    assert {*found.absent} == {"t011", "t012"}
    small = settled(load({"search": {**SEARCH, "trials": 12, "space": NARROW}}), read_only=True)
    assert not workflow_of(small).absent, "all four are drawn"
    few = load({"search": {**SEARCH, "trials": 12, "space": NARROW}, "submit": "t012"})
    with pytest.raises(ConfigError, match=r"'t012' is named and never drawn: .* 4 trials"):
        settled(few, read_only=True)


def test_a_job_of_a_run_goes_by_the_rounds_that_the_run_goes_by(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = load({"search": {**SEARCH, "trials": 30}})
    monkeypatch.setenv(VARIABLE, '{"folds": 5, "rounds": 9}')
    assert len(settled(asked).trials) == 10
    home = Path("results/search/round2")
    home.mkdir(parents=True)
    shares = np.linspace(0.01, 0.99, 20).reshape(10, 2).tolist()
    record = home / "suggested.json"
    record.write_text(json.dumps({"scores": {}, "shares": shares}))
    sha256 = file_sha256(record)
    output = Output(logical=sha256, sha256=sha256, bytes=record.stat().st_size)
    manifest(job="search/round2", outputs={record.name: output}).write(home / "manifest.json")
    assert len(handed_on(asked).trials) == 10, "the run has not seen it"
    assert len(settled(asked).trials) == 10, "its manifest is of other scores"
    monkeypatch.setenv(VARIABLE, '{"folds": 5, "rounds": 1}')
    assert len(handed_on(asked).trials) == 20
    record.write_text(json.dumps({"scores": {}, "shares": shares[::-1]}))
    with pytest.raises(IntegrityError, match="damaged"):
        handed_on(asked)


@pytest.mark.parametrize(
    "twice",
    [
        {"training": {"plateau_patience": 3}},
        {"learners": {"svm": {"C": 2.0}}},
        {"training": {"checkpoint_every": 3}},
    ],
)
def test_what_computes_nothing_of_its_own_is_refused_and_a_trial_is_passed_over(twice):
    with pytest.raises(ConfigError, match=r"variants\.a: .* computes what 'base' does"):
        jobs(load({"variants": {"a": twice}}))
    space = {"training.mixup": [0, 0.4], "training.plateau_patience": [3, 4]}
    search = {"trials": 9, "space": space}
    config = load({"search": search})
    compared = jobs(config)["variants"]
    base, other = compared.params["variants"]
    assert base["shared"] == other["shared"] < base["jobs"], "the base, and no mixup"
    assert fewer_trials(config, jobs(config)) == (
        "9 trials asked for, 1 compared: the space holds 4 of them, and 3 compute what another one "
        "does"
    )
    waiting = load({"search": {**SEARCH, "trials": 25}})
    assert fewer_trials(waiting, jobs(waiting)) is None
    same = next(n for n, each in config.trials.items() if each["training"]["mixup"] == 0.4)
    asked = jobs(load({"search": search, "compare": {"baseline": same}}))["variants"]
    assert asked.params["baseline"] == "base"


def test_names_are_written_so_that_they_are_read_again():
    blends = {"no": {"of": ["base", "null"]}}
    config = load({"variants": {"null": {"training": {"mixup": 0}}}, "blends": blends})
    assert load(yaml.safe_load(effective_yaml(config))) == config


@pytest.fixture
def rows(tmp_path):
    """The rows of a table, as they are read."""

    def read(text):
        (tmp_path / "variants.csv").write_text(text)
        return read_rows(tmp_path / "variants.csv")

    return read


def test_words_of_a_table_are_no_numbers(rows):
    head = "variant,changes,macro_f1,difference,p_holm,persons,leak_free,environments\n"
    found = rows(head + "nan,a=1,0.5,0.1,0.01,10,yes,1\nbase,,0.4,,,10,yes,1\n")
    assert verdict(found) == "1 of 1 variant differs from base (better: nan)."


def test_many_variants_of_few_persons_cannot_be_told_apart():
    base = {"variant": "base", "difference": "", "p_holm": "", "persons": 10.0, "changes": ""}
    others = [{"variant": f"v{n}", "difference": 0.7, "p_holm": 0.0527} for n in range(26)]
    rows = [base | row for row in others] + [base]
    assert "however large: compare fewer variants" in verdict(rows)
    assert verdict(rows[1:]).startswith("None of 25 variants differs")
    many = [{**row, "persons": 24} for row in [*[rows[0]] * 600, base]]
    assert verdict(many).endswith("however large: compare fewer variants.")
    assert verdict(rows[25:]).startswith("v25 does not differ from base")


def test_another_key_moves_no_draw_of_the_others():
    def mixups(space):
        found = load({"search": {"trials": 5, "space": space}}).trials.values()
        return [each["training"]["mixup"] for each in found]

    one = {"training.mixup": {"uniform": [0, 1]}}
    assert mixups(one) == mixups({**one, "training.weight_decay": {"log": [1e-4, 1e-2]}})


def test_what_is_submitted():
    def probabilities(**values):
        return jobs(load({"variants": MIXUP, **values}))["submission"].inputs["probabilities"]

    assert probabilities() == ("local/published/seed1/gen2/blend", "test.parquet")
    assert probabilities(submit="no_mixup") == (
        "variants/no_mixup/local/nested/seed1/gen2/blend",
        "test.parquet",
    )
    blends = {"all": {"of": ["base", "no_mixup"]}}
    assert probabilities(submit="all", blends=blends) == ("variants/all/vote", "answers.parquet")


def test_the_leaderboard_has_what_is_submitted_by_the_boost_it_is_submitted_with():
    factors = {"pseudo_labels": {"boost": {"HVLA": 2.0}}}
    asked = {"variants": MIXUP, "blends": {"all": {"of": ["base", "no_mixup"]}}, **factors}
    plain = jobs(load(asked))["leaderboard"]
    assert plain == Chain(load(factors), "local").leaderboard()
    for name, boost in (("no_mixup", [1, 2, 1, 1]), ("all", [1, 1, 1, 1])):
        found = jobs(load({**asked, "submit": name}))
        *before, last = found["leaderboard"].params["blends"]
        assert before == plain.params["blends"] and last["stage"] == "submission"
        read, submitted = found["leaderboard"].inputs, found["submission"]
        assert read[last["role"]] == submitted.inputs["probabilities"]
        assert last["boost"] == submitted.params["boost"] == boost


def test_votes():
    members = np.array(
        [[[0.9, 0.1, 0], [0, 1, 0]], [[0.4, 0.6, 0], [0, 0, 1]], [[0.4, 0.6, 0], [1, 0, 0]]],
        np.float32,
    )
    soft = soft_vote(members, np.full(3, 1 / 3))
    np.testing.assert_allclose(soft[0], [1.7 / 3, 1.3 / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(hard_vote(members), [[1 / 3, 2 / 3, 0], [1 / 3] * 3], rtol=1e-6)
    assert soft.dtype == hard_vote(members).dtype == np.float32


def test_hill_climbing_is_no_worse_than_any_member_and_leaves_noise_out():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 4, 400)
    right = np.eye(4)[labels]
    members = np.stack(
        [rng.dirichlet(np.ones(4), 400) + good * right for good in (0.3, 0.0, 0.3)]
    ).astype(np.float32)
    weights = hill_climbing(members, labels)

    def score(probabilities):
        return macro_f1(labels, probabilities.argmax(axis=1), classes=4)

    assert weights.sum() == pytest.approx(1) and weights[1] < 0.2
    assert score(soft_vote(members, weights)) >= max(map(score, members))
    assert np.array_equal(hill_climbing(members[:1], labels), [1.0])


@pytest.fixture
def collected(tmp_path):
    """Nine persons in three folds; a good and a poor variant of two seeds, and their rows."""
    rng = np.random.default_rng(5)
    person, label = np.repeat(np.arange(9), 24), rng.integers(0, 3, 216).astype(np.int8)
    fold = (person % 3).astype(np.int16)
    write_columns(tmp_path / "rows", {"id": np.arange(216), "label": label, "person": person})
    write_columns(tmp_path / "folds", {"group_fold": fold, "row_fold": fold})
    inputs = {name: tmp_path / name for name in ("rows", "folds")}
    for name, good in (("base", 0.2), ("good", 0.6), ("poor", 0.0)):
        said = {}
        for seed in (1, 7):
            for k in range(3):
                row = np.flatnonzero(fold == k).astype(np.int32)
                p = rng.dirichlet(np.ones(3), len(row)) + good * np.eye(3)[label[row]]
                said[f"{seed}/{k}"] = tmp_path / f"{name}{seed}{k}"
                write_columns(
                    said[f"{seed}/{k}"], {"row": row, **probability_columns(p.astype(np.float32))}
                )
        home = tmp_path / name
        home.mkdir()
        params = {"seeds": [1, 7], "folds": 3, "leak_free": True}
        held_out.run({**inputs, **said}, params, home, Said(dict.fromkeys(said, frozenset())))
        inputs[f"{name}/held_out"] = home / "held_out.parquet"
    return inputs


def compared(inputs, output, *names, leaky=(), **more):
    entries = [
        {"name": n, "changes": {"a": 1} if n != "base" else {}, "leak_free": n not in leaky}
        | {"environments": ["local"], "boost": [1, 1, 1], "jobs": 9, "shared": 3}
        for n in names
    ]
    params = {"variants": entries, "baseline": "base", "seeds": [1, 7], "folds": 3, **more}
    variants.run(inputs, params | {"classes": list("abc")}, output, Said())
    with (output / "variants.csv").open(newline="") as stream:
        rows = {row["variant"]: row for row in csv.DictReader(stream)}
    return rows, json.loads((output / "selection.json").read_text())


def test_what_pseudo_labels_are_worth_is_said_where_there_is_a_control(collected, tmp_path):
    """Of the variant that it is the control of, whatever all are compared with."""
    names, controls = ("base", "good", "poor"), {"poor": "good"}
    rows, selection = compared(collected, tmp_path, *names, controls=controls)
    (found,) = selection["controls"]
    scores = {name: float(rows[name]["macro_f1"]) for name in names}
    assert found["difference"] == pytest.approx(scores["good"] - scores["poor"])
    told, best = choice(selection)
    assert told.startswith(f"Pseudo-labels of good: +{found['difference']:.3f} (95 % interval +")
    assert told.endswith("over as many steps on labelled rows alone.")
    assert best.startswith("The best of 3 is good")


def test_variants_are_compared_person_by_person(collected, tmp_path):
    rows, selection = compared(collected, tmp_path, "base", "good", "poor")
    assert rows["base"]["difference"] == rows["base"]["p"] == "" == rows["base"]["hidden"]
    good, poor = rows["good"], rows["poor"]
    assert int(good["better"]) == 9 and int(good["worse"]) == 0
    assert float(good["p"]) == pytest.approx(2 / 2**9)
    assert float(good["p_holm"]) == pytest.approx(2 * 2 / 2**9)
    assert float(good["difference_low"]) > 0 > float(poor["difference_high"])
    scores = {name: float(row["macro_f1"]) for name, row in rows.items()}
    assert float(poor["difference"]) == pytest.approx(scores["poor"] - scores["base"])
    assert selection["winner"] == "good" and selection["naive"] == pytest.approx(scores["good"])
    assert selection["low"] < selection["corrected"] <= selection["high"]
    assert sum(selection["chosen"].values()) == pytest.approx(1)


def test_what_is_not_leak_free_is_in_no_test_and_no_choice(collected, tmp_path):
    rows, selection = compared(collected, tmp_path, "base", "good", "poor", leaky=["good"])
    assert rows["good"]["p"] == "" and rows["good"]["leak_free"] == "no"
    assert float(rows["good"]["difference"]) > 0
    assert rows["poor"]["p"] == rows["poor"]["p_holm"] and "good" not in selection["chosen"]


def test_a_model_that_saw_a_held_out_person_is_not_compared(collected, tmp_path):
    roles = {"1/0": frozenset({"1", "3"})}
    inputs = {**collected, "1/0": tmp_path / "base10"}
    with pytest.raises(LeakageError, match="labels of 3,"):
        held_out.run(inputs, {"seeds": [1], "folds": 1, "leak_free": True}, tmp_path, Said(roles))


@pytest.mark.parametrize("weights", ["equal", "vote", "hill_climbing"])
def test_labels_of_whom_a_vote_is_scored_on_have_no_say_in_it(collected, tmp_path, weights):
    params = {"members": ["base", "good", "poor"], "weights": weights, "folds": 3}

    def voted(inputs):
        said = Said()
        vote.run(inputs, params, tmp_path, said)
        found = read_probabilities(tmp_path / "held_out.parquet")
        return found, json.loads((tmp_path / "weights.json").read_text()), said.seen

    before, chosen, seen = voted(collected)
    assert len(before) == 2 * 216 and np.allclose(before.sum(axis=1) > 0, 1)
    assert bool(seen) == (weights == "hill_climbing")
    rng, rows = np.random.default_rng(6), {}
    for name in ("id", "label", "person"):
        rows[name] = read_columns(collected["rows"])[name].copy()
    first = rows["person"] % 3 == 0
    rows["label"][first] = rng.permutation(rows["label"][first])
    write_columns(tmp_path / "others", rows)
    after, again, _ = voted({**collected, "rows": tmp_path / "others"})
    assert again["seed 1, fold 0"] == chosen["seed 1, fold 0"]
    table = read_columns(collected["base/held_out"])
    assert np.array_equal(before[table["fold"] == 0], after[table["fold"] == 0])
    if weights == "hill_climbing":
        assert chosen["seed 1, fold 0"]["good"] > 0.5 and again != chosen


@pytest.mark.parametrize("of", ["vote", "linear", "trees"])
def test_who_asks_for_a_model_that_is_not_kept_is_told_of_one_that_is(of):
    preset = yaml.safe_load((ROOT / "workflow/config/cross_subject.yaml").read_text())
    config = load({**preset, "folds": 2})
    with pytest.raises(InputError, match=f"^{of}: .* name one by --of .base., or .* in data.test"):
        last_run._chain(config, Variants(config), of)
    assert last_run._chain(config, Variants(config), "base").models()
    simple = load({"learner": "svm", "protocols": ["nested"], "folds": 2})
    with pytest.raises(InputError, match=r"predict what comes later; name the later"):
        last_run._chain(simple, Variants(simple), "base")


@pytest.mark.parametrize("page", ["variants", "options"])
def test_the_documented_comparisons_are_whole(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    files = [Path("docs/stress_predict.yaml"), Path(f"docs/stress_predict_{page}.yaml")]
    config = combined(files, ["data={train: a.parquet, test: b.parquet, truth: c.csv}"])
    assert [*variants_of(config)] == ["base", *yaml.safe_load(files[1].read_text())["variants"]]
    assert sum(config.data.test_blocks) == 1359


def test_a_result_is_found_whatever_the_directory_above_is_called(tmp_path, monkeypatch):
    """`variants` is also what there is nothing of in this configuration."""
    home = tmp_path / "variants" / "submission"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    workflow = workflow_of(load({}))
    assert find_in(workflow, str(home / "results/scores.csv")) == "scores"
    with pytest.raises(InputError, match="names no `variants`"):
        find_in(workflow, "results/variants/t001/submission.csv")
