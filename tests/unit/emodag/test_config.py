"""Models, config.yaml and JSON schema are in step; every mistake names its key."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from emodag.chain.chain import Chain
from emodag.config.combined import combined
from emodag.config.reference import reference
from emodag.config.repeated_keys import repeated_keys
from emodag.config.sections import Config, load
from emodag.config.written import default_yaml, effective_yaml, json_schema
from ledger.errors import ConfigError
from ledger.store.place import asked_store
from tests.unit.obstacles import OBSTACLES

FILES = {"source": "files", "train": "a.csv", "test": "b.csv"}

GLOBAL = {
    "training": {"randomness": "global", "matmul": "torch"},
    "protocols": ["published"],
    "model": {"corruption": 0},
}

ROOT = Path(__file__).resolve().parents[3]


def test_the_committed_files_follow_from_the_models():
    advice = "run `make config`"
    assert (ROOT / "config.yaml").read_text() == default_yaml(), advice
    assert (ROOT / "workflow/schemas/config.schema.json").read_text() == json_schema(), advice
    assert (ROOT / "docs/configuration.md").read_text() == reference(), advice


def test_config_yaml_holds_the_defaults():
    assert combined([ROOT / "config.yaml"], []) == Config() == load({})


MINE = {
    "environments": {"mine": {"locks": [], "variables": {"A": "1"}}},
    "drift": {"contrasts": []},
}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"data": {"source": "files", "train": "a: b.csv", "test": "#1.csv", "id": "'yes'"}},
        {"data": {"classes": ["no", "1"]}, "pseudo_labels": {"boost": None}},
        {"environment": "mine", **MINE},
        {"seeds": [3, 1], "store": "~/store", "drift": {"contrasts": [["numpy2", "local"]]}},
    ],
)
def test_a_whole_configuration_can_be_had_again(values):
    config = load(values)
    assert load(yaml.safe_load(effective_yaml(config))) == config


def test_every_key_is_described():
    def sections(model):
        yield model
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from sections(field.annotation)

    for section in sections(Config):
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fold": 3}, "fold: no such key; did you mean 'folds'"),
        ({"learner": "lightgbmm"}, "found 'lightgbmm'. Did you mean 'lightgbm'"),
        ({"variants": {False: {}}}, "variants: YAML reads a name as False; put it in quotes"),
        ({"epochs": 3}, "epochs: no such key; did you mean 'training.epochs'"),
        ({"training": {"epoch": 3}}, r"training\.epoch: no such key; did you mean 'epochs'"),
        ({"seed": 3}, "seed: no such key; did you mean 'seeds'"),
        ({"training": {"lr": 3}}, r"training\.lr: no such key; did you mean 'learning_rate'"),
        ({"data": {"separator": "tab"}}, r"'tab' cannot separate .*; did you mean '\\t'\?"),
        ({"protocol": "nested"}, "protocol: no such key; did you mean 'protocols'"),
        ({"seeds": 3}, r"seeds: expected a list, such as \[3\]; found 3"),
        ({"data": {"folds": 3}}, r"data\.folds: no such key; did you mean 'folds'"),
        ({"model": {"epochs": 3}}, r"model\.epochs: .* did you mean 'training\.epochs'"),
        ({"zzz": 1}, "zzz: no such key; known here: environment,"),
        ({"training": {"epochs": "many"}}, r"training\.epochs: .*valid integer.*found 'many'"),
        ({"folds": 1}, "folds: expected a whole number from 2 on, or `persons`, .*; found 1"),
        ({"folds": "person"}, "folds: expected .* or `persons`, .*; found 'person'"),
        ({"fold_repeats": 2}, "fold_repeats: no such key; did you mean 'folds_repeats'"),
        ({"folds_repeats": 0}, "folds_repeats: .*greater than or equal to 1; found 0"),
        (
            {"folds": "persons", "folds_repeats": 2},
            "`folds_repeats` is 2, and with `folds: persons` .*; leave `folds_repeats` out",
        ),
        ({**GLOBAL, "folds_repeats": 2}, "`folds_repeats` is 2.*set `folds_repeats: 1`"),
        ({"protocols": ["leaky"]}, r"protocols\.0: .*'published' or 'nested'; found 'leaky'"),
        ({"seeds": [1, 1]}, "`seeds` holds a value twice"),
        ({"environment": "lokal"}, "`environment` is 'lokal', and `environments` holds local"),
        ({"environments": {"a/b": {}}}, "a/b"),
        ({"environments": {"x": {"lock": []}}}, r"x\.lock: no such key; did you mean 'locks'"),
        ({"data": {"source": "files"}}, "source 'files' needs `train`"),
        ({"data": {"train": "t.csv"}}, "`train` is for tables of your own"),
        ({"data": {"truth": "t.csv"}}, "`truth` is for tables of your own"),
        ({"training": {"learning_rate": float("inf")}}, r"training\.learning_rate: .*finite"),
        ({"scaling": {"random_state": 2**32}}, r"scaling\.random_state: .*less than"),
        ({"store": ""}, "store: .*'' names no store; expected a directory, s3://BUCKET"),
        (
            {"store": ["s3://lab/x"]},
            r"store: .*comes first, .* write \[.emodag/store, s3://lab/x\]",
        ),
        ({"data": {**FILES, "label": "y"}}, "name both `label` and `group`"),
        (
            {"data": {"classes": ["a", "b"]}, "pseudo_labels": {"boost": {"c": 2}}},
            "`pseudo_labels.boost` names 'c', and `data.classes` holds a, b",
        ),
        (
            {"pseudo_labels": {"boost": [1.0, 1.0, 1.0, 1.5]}},
            r"pseudo_labels\.boost: expected values by name, such as \{a: 1\}; found \[1\.0",
        ),
        ({"pseudo_labels": {"boost": {"HVHA": 0}}}, r"boost\.HVHA: .*greater than 0; found 0"),
        (
            {"data": {"classes": [False, "1"]}},
            r"data\.classes\.0: YAML reads no, off or false without quotes as a truth value",
        ),
        ({"data": {"missing_values": [{None: None}]}}, r"_values\.0: YAML reads \? .* in quotes"),
        ({"data": {"classes": {0: "a"}}}, r"data\.classes: expected a list, such as \[a\]"),
        (
            {"data": {**FILES, "unlabelled": True}},
            r"wrong:\n  data\.unlabelled: input should be a valid string; found True$",
        ),
        ({"pseudo_labels": {"boost": {True: 2}}}, r"boost\.\S+: YAML reads yes, on or true"),
        ({"model": {"dropout": 1.0}}, r"model\.dropout: .*less than 1; found 1\.0"),
        ({"model": None}, "model: .*found None"),
        ({**GLOBAL, "protocols": ["nested"]}, r"`protocols` holds 'nested'.*\[published\]"),
        ({**GLOBAL, "model": {}}, "`model.corruption` masks input.*set `model.corruption: 0`"),
        (
            {**GLOBAL, "training": {"randomness": "global"}},
            r"`training\.matmul` is 'ordered'.*set `training\.matmul: torch`",
        ),
        (
            {**GLOBAL, "pseudo_labels": {"calibrate": "temperature"}},
            r"`pseudo_labels\.calibrate` asks for more fits.*`pseudo_labels\.calibrate: none`",
        ),
        ({**GLOBAL, "seeds": [2**32]}, r"`seeds` holds one from 2\*\*32 on"),
    ],
)
def test_mistakes_name_the_key(values, message):
    with pytest.raises(ConfigError, match=message):
        load(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"store": [3]}, r"store\.0: .*valid string; found 3"),
        (
            {"blends": {"v": {"weigths": "vote", "of": ["a", "b"]}}},
            r"blends\.v\.weigths: .*did you mean 'weights'\?",
        ),
        ({"blends": {"v": ["base"]}}, r"blends\.v: expected values by name.*; found \['base'\]"),
        (
            {"data": {**FILES, "test": "t.csv", "test_group": "who", "test_blocks": 3}},
            r"data: `test_group` and `test_blocks` both tell whose .*; take one out",
        ),
        ({"data": {**FILES, "test_blocks": 0}}, r"data\.test_blocks: .*equal to 1; found 0"),
        ({"data": {**FILES, "test_blocks": []}}, r"data\.test_blocks: .*at least 1 item.*"),
        ({"data": {**FILES, "test_blocks": [3, -1]}}, r"data\.test_blocks\.1: .*; found -1"),
        ({"learners": {"svm": {"gamma": -1}}}, r"learners\.svm\.gamma: .*than 0; found -1"),
        (
            {"search": {"trials": 1, "space": {"training.mixup": [0, None]}}},
            r"search\.space\.training\.mixup\.1: expected a number, a word, .*; found None",
        ),
        (
            {"search": {"trials": 1, "space": {"training.mixup": {"uniform": 0.5}}}},
            r"search\.space\.training\.mixup\.uniform: expected a list, .*; found 0\.5",
        ),
    ],
)
def test_a_mistake_in_what_may_be_of_several_kinds_is_told_once(values, message):
    with pytest.raises(ConfigError, match=f"wrong:\n  {message}$"):
        load(values)


def test_the_replays_settings_make_a_configuration():
    """Written out in full, so that a changed config.yaml changes no replay."""
    values = yaml.safe_load((ROOT / "workflow/config/replay.yaml").read_text())
    config = load({**values, "data": {**values["data"], **FILES}})
    assert config.training.randomness == "global" and config.data.decimals == "pandas"
    for name in ("scaling", "model", "training", "pseudo_labels"):
        missing = set(Config.model_fields[name].annotation.model_fields) - set(values[name])
        assert missing <= {"checkpoint_every"}, name


def test_a_file_that_is_missing_or_not_yaml(tmp_path):
    with pytest.raises(ConfigError, match="no such configuration file"):
        combined([tmp_path / "none.yaml"], [])
    for content, said in {
        b"a: [1,": "line 1, column 7: not YAML: while parsing a flow node that begins on line 1, ",
        b"a:\n\tb: 1": "line 2, column 1: not YAML: .*; indent by spaces, not by tabs",
        b"a: 1\nb: \xff": "line 2: holds characters that are not UTF-8 text; save it again",
    }.items():
        (tmp_path / "bad.yaml").write_bytes(content)
        with pytest.raises(ConfigError, match=rf"bad\.yaml, {said}") as caught:
            combined([tmp_path / "bad.yaml"], [])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("files", [[], ["mine.yaml"]])
def test_a_file_that_is_no_file(tmp_path, monkeypatch, make, files):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / (files or ["config.yaml"])[0])
    with pytest.raises(ConfigError, match=rf"\.yaml: cannot be read: .*{OBSTACLES[make]}"):
        combined(list(map(Path, files)), [])


def test_without_a_config_yaml_every_key_has_its_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert combined([], []) == Config()


def test_a_leading_tilde_is_a_home(monkeypatch):
    monkeypatch.setenv("HOME", "/nowhere/me")
    files = {"source": "files", "train": "~/a.csv", "test": "~", "truth": "./~/b.csv"}
    config = load({"store": "~/store", "data": files})
    assert (config.store, config.data.train) == ("/nowhere/me/store", "/nowhere/me/a.csv")
    assert (config.data.test, config.data.truth) == ("/nowhere/me", "./~/b.csv")
    assert load({"data": {**files, "test": "~$test.csv"}}).data.test == "~$test.csv"
    for values in ({"store": "~no-such-user/store"}, {"data": {**files, "train": "~nobody9/a"}}):
        with pytest.raises(ConfigError, match="names no home directory"):
            load(values)
    monkeypatch.setenv("EMODAG_STORE", "~/other")
    assert asked_store() == "/nowhere/me/other"
    monkeypatch.setenv("EMODAG_STORE", "~no-such-user/other")
    with pytest.raises(ConfigError, match=r"EMODAG_STORE: .* names no home directory"):
        asked_store()


def boost(**values):
    """The factor of each class, as the stages are given them."""
    return Chain(load(values), "local").boost


def test_a_boost_is_that_of_a_class_by_its_name():
    assert boost() == [1, 1, 1, 1.5]
    # Whatever stands fourth, and however many classes there are.
    assert boost(data={"classes": ["a", "b", "c", "d"]}) == [1, 1, 1, 1]
    assert boost(data={"classes": ["a", "b"]}) == [1, 1]
    assert boost(data={"classes": ["HVHA", "b", "LVHA"]}) == [1.5, 1, 1]
    # As the default stands beside what a file of one's own says.
    own = {"boost": {"HVHA": 1.5, "b": 2}}
    assert boost(data={"classes": ["a", "b"]}, pseudo_labels=own) == [1, 2]
    assert boost(pseudo_labels={"boost": None}) == [1, 1, 1, 1]
    assert boost(pseudo_labels={"boost": "null"}) == [1, 1, 1, 1]  # as `--config` passes it on


def test_classes_named_by_numbers():
    values = {"classes": [-1, 0, 1]}
    config = load({"data": values, "pseudo_labels": {"boost": {0: 2}}})
    assert config.data.classes == ["-1", "0", "1"] and config.pseudo_labels.boost == {"0": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ["a: on lines 1, 3"]),
        ("training: {epochs: 2}\ndata:\n  id: x\n\ntraining:\n  batch: 9\n",
         ["training: on lines 1, 5"]),
        ("a:\n  b: {c: 1, c: 2}\n  b: 3\n  b: 4\n",
         ["a.b: on lines 2, 3, 4", "a.b.c: on lines 2, 2"]),
        ("a:\n- x: 1\n  'x': 2\n", ["a.0.x: on lines 2, 3"]),
        ('{\n\t"a": 1,\n\t"b": 2,\n\t"a": 3\n}\n', ["a: on lines 2, 4"]),
        ("a: 1\n'1': 2\n1: 3\n", []),
        ("a: &x\n  b: 1\n  c: *x\nd: *x\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_key_given_twice_is_refused(tmp_path, text, expected):
    assert repeated_keys(text, "f") == repeated_keys(text.encode(), "f")
    assert repeated_keys(text, "f") == [f"  f: {line}" for line in expected]


def test_all_keys_given_twice_are_named_with_their_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("folds: 3\nseeds: [1]\nfolds: 4\n")
    (tmp_path / "mine.yaml").write_text("data: {id: a, id: b}\n")
    with pytest.raises(ConfigError) as caught:
        combined([Path("mine.yaml")], [])
    assert str(caught.value).splitlines() == [
        "the configuration holds keys twice; keep one of each:",
        "  config.yaml: folds: on lines 1, 3",
        "  mine.yaml: data.id: on lines 1, 1",
    ]


@pytest.mark.parametrize(
    ("key", "meant"), [("person", "group"), ("target", "label"), ("sep", "separator")]
)
def test_what_others_call_a_key(key, meant):
    with pytest.raises(ConfigError, match=rf"data\.{key}: no such key; did you mean '{meant}'"):
        load({"data": {key: "x"}})


TREES = {"variants": {"trees": {"learner": "svm"}, "line": {"learner": "logistic_regression"}}}
TREES |= {"blends": {"vote": {"of": ["base", "trees"]}, "all": {"of": ["trees", "line"]}}}


@pytest.mark.parametrize("settings", [[], ["variants={line: null}", "blends={all: null}"]])
def test_null_takes_out_what_another_file_has(tmp_path, monkeypatch, settings):
    monkeypatch.chdir(tmp_path)
    own = {} if settings else {"variants": {"line": None}, "blends": {"all": None}}
    Path("preset.yaml").write_text(yaml.safe_dump(TREES))
    Path("mine.yaml").write_text(yaml.safe_dump(own))
    config = combined([Path("preset.yaml"), Path("mine.yaml")], settings)
    assert [*config.variants] == ["trees"] and [*config.blends] == ["vote"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"variants": {"tree": None}},
            r"variants\.tree: .* no file has it; did you mean 'trees'\?",
        ),
        ({"blends": {"xyz": None}}, r"blends\.xyz: null takes it out, .*; leave this line out"),
        (
            {"variants": {"line": None}},
            r"`blends\.all\.of` names 'line', which is no variant; known",
        ),
        (
            {"blends": {"vote": None}, "submit": "vote"},
            r"`submit` names 'vote', which is no variant; known: all, base, line, trees",
        ),
    ],
)
def test_what_cannot_be_taken_out(tmp_path, monkeypatch, own, message):
    monkeypatch.chdir(tmp_path)
    Path("preset.yaml").write_text(yaml.safe_dump(TREES))
    Path("mine.yaml").write_text(yaml.safe_dump(own))
    with pytest.raises(ConfigError, match=message):
        combined([Path("preset.yaml"), Path("mine.yaml")], [])
