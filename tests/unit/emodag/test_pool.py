"""Rows without a label: which they are, whose, and what of a fold they must stay out of."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emodag.chain.chain import Chain, only_one_generation, positions_of_numbers
from emodag.config.sections import load
from emodag.science.folds import folds_of_others
from emodag.science.tables.matrices import probability_columns, read_columns, write_columns
from emodag.science.tables.pool import pool_rows
from emodag.science.tables.suspicions.glance import glance
from emodag.science.tables.suspicions.names import same_persons
from emodag.science.tables.suspicions.rows import same_rows
from emodag.stages import folds, ingest, pseudo_label, scale
from ledger.errors import ConfigError, InputError
from ledger.kinds.digest import logical_digest
from tests.said import Said
from tests.unit.emodag.test_ingest import Notes, matrix, params, quality, write
from tests.unit.emodag.test_scaling import PUBLISHED, Listener

NESTED = {**PUBLISHED, "fold": 0, "kind": "group_fold", "resolution": 0.0}

MIXED = """\
a,b,label,person
1,2,calm,P
8,8,,P
3,4,tense,P
5,6,calm,Q
9,9,NaN,R
7,9,tense,Q
8,9,,R
"""
WHOLE = MIXED.replace("NaN", "calm").replace(",,", ",calm,")
TEST = "a,b\n1.5,2\n"
POOL = "person,b,a,label\nQ,20,10,calm\nZ,21,11,\n"


def ingested(folder, *, parquet=False, **changes):
    """Run the stage on tables given as text of CSV, or on the same as Parquet."""
    own = {
        name: changes.pop(name) for name in ("train", "test", "unlabelled_table") if name in changes
    }
    inputs = {}
    for name, text in own.items():
        path = write(folder / f"{name}.csv", text)
        if parquet:
            frame = pd.read_csv(path)
            path = path.with_suffix(".parquet")
            frame.to_parquet(path)
        inputs[name.removesuffix("_table")] = path
    output = folder / "out"
    output.mkdir()
    context = Notes(1)
    ingest.run(inputs, params(**changes), output, context)
    return context, output


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize("spelling", ["", "NaN", "NA", "-1", "-1.0"])
@pytest.mark.parametrize("workers", [1, 2])
def test_training_rows_without_a_label(tmp_path, spelling, parquet, workers):
    train = MIXED.replace("NaN", spelling)
    context, output = ingested(tmp_path, train=train, test=TEST, unlabelled="rows", parquet=parquet)
    np.testing.assert_array_equal(
        matrix(output / "train.parquet")[1], [[1, 2], [3, 4], [5, 6], [7, 9]]
    )
    np.testing.assert_array_equal(
        matrix(output / "test.parquet")[1], [[1.5, 2], [8, 8], [9, 9], [8, 9]]
    )
    rows = pq.read_table(output / "train_rows.parquet").to_pydict()
    assert rows["label"] == [0, 1, 0, 1] and rows["person"] == ["P", "P", "Q", "Q"]
    assert rows["id"] == [0, 2, 3, 5]
    assert pq.read_table(output / "test_rows.parquet").to_pydict() == {"id": [0]}
    others = pq.read_table(output / "unlabelled_rows.parquet").to_pydict()
    assert others == {"person": ["P", "R", "R"]}
    found = quality(output)
    assert found["rows"] == {"train": 4, "test": 1, "unlabelled": 3}
    assert found["unlabelled_rows_per_person"] == {"P": 1, "R": 2}
    assert context.warnings == []


def test_number_labels_and_the_code_of_scikit_learn(tmp_path):
    train = "a,label,person\n1,-1,1\n2,1,1\n3,0,1\n4,1,2\n5,-1,2\n6,0,2\n"
    _, output = ingested(tmp_path, train=train, unlabelled="rows")
    assert read_columns(output / "train_rows.parquet")["label"].tolist() == [1, 0, 1, 0]
    assert read_columns(output / "unlabelled_rows.parquet")["person"].tolist() == [1, 2]
    assert not (output / "test_rows.parquet").exists()


def test_a_class_may_be_called_as_what_is_missing(tmp_path):
    train = "a,label,person\n1,-1,P\n2,NA,P\n3,,P\n4,-1,Q\n5,NA,Q\n"
    _, output = ingested(tmp_path, train=train, unlabelled="rows", classes=["-1", "NA"])
    assert read_columns(output / "train_rows.parquet")["label"].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("parquet", [False, True])
def test_a_table_of_unlabelled_rows(tmp_path, parquet):
    train = MIXED.replace("NaN", "calm").replace(",,", ",tense,")
    context, output = ingested(tmp_path, train=train, unlabelled_table=POOL, parquet=parquet)
    np.testing.assert_array_equal(matrix(output / "test.parquet")[1], [[10, 20], [11, 21]])
    assert read_columns(output / "unlabelled_rows.parquet")["person"].tolist() == ["Q", "Z"]
    assert not (output / "test_rows.parquet").exists()
    found = quality(output)
    assert found["unlabelled_columns_ignored"] == ["label"]
    assert found["unlabelled_columns_reordered"] is True
    assert [w.partition(": ")[2] for w in context.warnings] == [
        "'label' in the unlabelled table will not be read",
        f"features are ordered as in {tmp_path / ('train.parquet' if parquet else 'train.csv')}, "
        "by name",
    ]


@pytest.mark.parametrize("seven", ["7", "7.0"])
def test_persons_of_two_tables_are_written_alike(tmp_path, seven):
    train = "a,label,person\n1,calm,7\n2,tense,7\n3,calm,8\n4,tense,8\n"
    _, output = ingested(tmp_path, train=train, unlabelled_table=f"a,person\n5,{seven}\n6,x\n")
    told = [warning for warning in quality(output)["warnings"] if "taken for one person" in warning]
    assert bool(told) == (seven == "7.0")
    assert read_columns(output / "train_rows.parquet")["person"].tolist() == ["7", "7", "8", "8"]
    assert read_columns(output / "unlabelled_rows.parquet")["person"].tolist() == ["7", "x"]


def test_what_is_dropped_is_dropped_from_the_pool(tmp_path):
    train = "a,b,c,label,person\n1,1,,calm,P\n2,1,5,,P\n3,1,,tense,P\n4,1,,calm,Q\n5,1,,tense,Q\n"
    _, output = ingested(tmp_path, train=train, unlabelled="rows", constant="drop")
    names, values = matrix(output / "test.parquet")
    assert names == ["a"] and values.tolist() == [[2]]
    assert matrix(output / "train.parquet")[0] == ["a"]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"train": MIXED}, r"'label', data row 2 \(line 3\): the label is missing; .*'rows'"),
        (
            {"train": WHOLE.replace("8,8,calm", "8,8,-1")},
            r"'label', data row 2 .*found '-1'; .*data\.unlabelled to 'rows'",
        ),
        (
            {"train": MIXED.replace(",tense,Q", ",tnse,Q"), "unlabelled": "rows"},
            r"'label', data row 6 \(line 7\): .*found 'tnse'",
        ),
        (
            {"train": MIXED.replace(",,R", ",calm,"), "unlabelled": "rows"},
            r"'person', data row 7 \(line 8\): the person is missing",
        ),
        (
            {"train": WHOLE, "unlabelled": "rows"},
            r"'label': data\.unlabelled is 'rows', and every row has a label",
        ),
        (
            {"train": "a,label,person\n1,,P\n2,,P\n3,,Q\n4,,Q\n", "unlabelled": "rows"},
            r"'label': no row has a label",
        ),
        (
            {"train": MIXED.replace("tense", ""), "unlabelled": "rows"},
            r"'label': no training row has the class 'tense'",
        ),
        (
            {"train": WHOLE, "unlabelled_table": "a,b\n1,2\n"},
            r"unlabelled_table\.csv: has no column 'person', the training table's column of",
        ),
        (
            {"train": WHOLE, "unlabelled_table": "a,person\n1,P\n"},
            r"unlabelled_table\.csv: expected the 2 features .* lacks 'b'",
        ),
        (
            {"train": WHOLE, "unlabelled_table": "a,b,person\n1,2,P\n1,3,\n"},
            r"unlabelled_table\.csv, column 'person', data row 2 .*: the person is missing",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, tables, message):
    with pytest.raises(InputError, match=message):
        ingested(tmp_path, **tables)
    assert list((tmp_path / "out").iterdir()) == []


def test_nobody_else_counts_the_unlabelled_rows_as_test_rows(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 6))
    for name, rows in (("train", values[:12]), ("pool", values[[12, 0, 5]])):
        write_columns(tmp_path / f"{name}.parquet", dict(zip("abcdef", rows.T.copy(), strict=True)))
    pages = [glance(tmp_path / f"{name}.parquet") for name in ("train", "pool")]
    persons = np.repeat(["P", "Q"], 6).astype(object)
    assert same_rows(*pages, persons, np.array(["P", "Q"], object)) == [
        "1 row to learn from is there under two persons ('P', 'Q'): folds that keep people apart "
        "hold the same one on both sides; give each person one name, or remove the copies"
    ]
    assert len(same_rows(*pages, persons)) == 1  # as test rows they are in both tables
    assert same_persons(["P", "Q"], ["R"], ["P", "R"]) == []
    assert "'P' and 'p'" in same_persons(["P"], [], ["p"])[0]


def test_who_holds_out_whom(tmp_path):
    write_columns(tmp_path / "rows.parquet", {
        "person": np.array(["a", "a", "b", "b", "c", "c"]), "label": np.array([0, 1] * 3)
    })  # fmt: skip
    write_columns(tmp_path / "unlabelled.parquet", {"person": np.array(["c", "z", "a"])})
    inputs = {name: tmp_path / f"{name}.parquet" for name in ("rows", "unlabelled")}
    settings = {"folds": 2, "assignment": "stable", "shuffle_seed": 1, "classes": ["x", "y"]}
    folds.run(inputs, settings, tmp_path, Listener())
    mine = read_columns(tmp_path / "folds.parquet")["group_fold"]
    found = read_columns(tmp_path / "unlabelled_folds.parquet")["group_fold"]
    assert found.dtype == np.int16 and found.tolist() == [mine[4], -1, mine[0]]
    assert folds_of_others(np.array([], np.int64), np.array([1]), np.array([0])).tolist() == []


@pytest.mark.parametrize(
    ("test_rows", "expected"),
    [
        ({"person": np.array([3, 9])}, [2, -1]),
        ({"person": np.array(["z", "3"])}, [-1, 2]),
        ({"known_person": np.array(["3", ""])}, [2, -1]),
        ({}, [-1, -1]),
    ],
)
def test_who_holds_out_whom_of_the_test_table(tmp_path, test_rows, expected):
    write_columns(tmp_path / "rows.parquet", {
        "person": np.repeat([1, 2, 3], 2), "label": np.array([0, 1] * 3)
    })  # fmt: skip
    write_columns(tmp_path / "test_rows.parquet", {"id": np.arange(2), **test_rows})
    write_columns(tmp_path / "unlabelled.parquet", {"person": np.array([2])})
    inputs = {name: tmp_path / f"{name}.parquet" for name in ("rows", "test_rows", "unlabelled")}
    settings = {"folds": 3, "assignment": "persons", "shuffle_seed": 1, "classes": ["x", "y"]}
    folds.run(inputs, settings, tmp_path, Listener())
    found = read_columns(tmp_path / "unlabelled_folds.parquet")["group_fold"]
    assert found.tolist() == [*expected, 1]


@pytest.mark.parametrize("who", ["P,T", "P,"])
def test_persons_of_the_test_table_where_some_are_known(tmp_path, who):
    first, second = who.split(",")
    test = f"a,b,person\n1,2,{first}\n3,4,{second}\n"
    _, output = ingested(tmp_path, train=WHOLE, test=test)
    column = "person" if second else "known_person"
    assert read_columns(output / "test_rows.parquet")[column].tolist() == [first, second]


@pytest.fixture
def pool(tmp_path):
    """Five test rows and four unlabelled ones, of which fold 0 holds out the persons of two."""
    write_columns(
        tmp_path / "unlabelled.parquet", {"group_fold": np.array([0, -1, 1, 0], np.int16)}
    )
    return {"unlabelled": tmp_path / "unlabelled.parquet"}


def test_what_a_fold_may_learn_from(pool):
    assert pool_rows(9, pool, 0).tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert pool_rows(9, pool, 1).tolist() == [0, 1, 2, 3, 4, 5, 6, 8]
    assert pool_rows(9, pool, None).tolist() == pool_rows(9, {}, 0).tolist() == list(range(9))
    assert pool_rows(4, pool, 0).tolist() == [1, 2]


def scaled(folder, inputs, values, **changes):
    """Every file that `scale` writes for fold 0, as values by name."""
    for name, part in zip(("train", "test"), np.split(values, [8]), strict=True):
        write_columns(folder / f"{name}.parquet", {"a": part})
        inputs = {**inputs, name: folder / f"{name}.parquet"}
    held_out_by = np.repeat([0, 1], 4).astype(np.int16)
    write_columns(folder / "folds.parquet", {"group_fold": held_out_by})
    inputs = {**inputs, "folds": folder / "folds.parquet"}
    (folder / "out").mkdir(exist_ok=True)
    scale.run(inputs, {**NESTED, **changes}, folder / "out", Listener())
    names = ("quantiles", "train", "test")
    return {name: read_columns(folder / f"out/{name}.parquet")["a"] for name in names}


def test_unlabelled_rows_of_held_out_persons_are_not_in_the_fit_of_the_scaler(tmp_path, pool):
    values = np.random.default_rng(1).normal(size=17)
    before = scaled(tmp_path, pool, values)
    values[[13, 16]] = 1e6, -5
    after = scaled(tmp_path, pool, values)
    np.testing.assert_array_equal(before["quantiles"], after["quantiles"])
    np.testing.assert_array_equal(before["train"], after["train"])
    assert (before["test"] != after["test"]).tolist() == [False] * 5 + [True, False, False, True]
    everybody = scaled(tmp_path, {}, values, fold=None)["quantiles"]
    assert everybody.max() == 1e6 and after["quantiles"].max() < 1e6


def test_without_a_pool_the_scaler_is_fitted_on_training_rows_alone(tmp_path):
    values = np.random.default_rng(2).normal(size=8)
    write_columns(tmp_path / "train.parquet", {"a": values})
    (tmp_path / "out").mkdir()
    scale.run({"train": tmp_path / "train.parquet"}, PUBLISHED, tmp_path / "out", Listener())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "quantiles.parquet", "train.parquet"
    ]  # fmt: skip
    quantiles = read_columns(tmp_path / "out/quantiles.parquet")["a"]
    np.testing.assert_allclose(quantiles, np.sort(values))


def test_pseudo_labels_leave_out_rows_of_held_out_persons(tmp_path, pool):
    sure = np.tile(np.array([[0.95, 0.05]], np.float32), (9, 1))
    sure[[2, 7]] = 0.5
    write_columns(tmp_path / "p.parquet", probability_columns(sure))
    settings = {"threshold": 0.9, "boost": [1.0, 1.0]}
    inputs = {"probabilities": tmp_path / "p.parquet"}
    context = Listener()
    pseudo_label.run({**inputs, **pool}, {**settings, "fold": 0}, tmp_path, context)
    found = read_columns(tmp_path / "pseudo_labels.parquet")
    assert found["row"].dtype == np.int32 and found["row"].tolist() == [0, 1, 3, 4, 6]
    pseudo_label.run(inputs, settings, tmp_path, context)
    assert len(read_columns(tmp_path / "pseudo_labels.parquet")["row"]) == 7
    assert context.warnings == []


def test_a_pool_of_nobody_but_held_out_persons(tmp_path):
    write_columns(tmp_path / "u.parquet", {"group_fold": np.zeros(2, np.int16)})
    write_columns(tmp_path / "p.parquet", probability_columns(np.eye(2, dtype=np.float32)))
    inputs = {"probabilities": tmp_path / "p.parquet", "unlabelled": tmp_path / "u.parquet"}
    context = Listener()
    settings = {"threshold": 0.9, "boost": [1.0, 1.0], "fold": 0}
    pseudo_label.run(inputs, settings, tmp_path, context)
    assert len(read_columns(tmp_path / "pseudo_labels.parquet")["row"]) == 0
    assert "learns from labelled rows alone" in context.warnings[0]


OWN = {"source": "files", "train": "a.csv", "label": "mood", "group": "who"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"source": "files", "test": "b.csv"}, "source 'files' needs `train`"),
        ({**OWN, "truth": "t.csv"}, "`truth` is about the test table"),
        ({**OWN, "test_group": "who"}, "`test_group` is about the test table"),
        ({"unlabelled": "rows"}, "`unlabelled` is for tables of your own"),
    ],
)
def test_contradictions(data, message):
    with pytest.raises(ConfigError, match=message):
        load({"data": data})


def stages(**changes):
    return [job.stage for job in Chain(load(changes), "local").jobs()]


def test_without_a_pool_there_is_one_generation_of_students():
    config = load({"data": OWN, "folds": 2, "generations": 3})
    found = list(Chain(config, "local").jobs())
    assert {job.stage for job in found} == {
        "ingest",
        "folds",
        "scale",
        "stage0",
        "student",
        "scores",
    }
    assert sum(job.stage == "student" for job in found) == 4
    assert not any(file.startswith("test") for job in found for file in job.outputs)
    assert "one generation of students in place of 3" in only_one_generation(config)
    assert only_one_generation(load({"data": OWN, "generations": 1})) is None
    assert only_one_generation(load({"data": {**OWN, "unlabelled": "rows"}})) is None


@pytest.mark.parametrize(
    ("classes", "is_told"),
    [(["1", "2", "3"], True), (["1", "0"], True), (["0", "1"], False), (["calm", "1"], False)],
)
def test_positions_that_read_like_other_classes_are_told(classes, is_told):
    config = load({"data": {**OWN, "test": "b.csv", "classes": classes}})
    assert bool(positions_of_numbers(config)) == is_told
    named = load({"data": {**OWN, "classes": classes}, "submission": {"values": "names"}})
    assert positions_of_numbers(named) is None


def test_a_pool_without_a_test_table_leads_to_no_submission():
    found = stages(data={**OWN, "unlabelled": ["b.csv", "c.csv"]})
    assert "blend" in found and "pseudo_label" in found
    assert "submission" not in found and "leaderboard" not in found


def test_a_table_of_ones_own_is_read_by_the_defaults_classes_only_with_a_word():
    unnamed, named = {**OWN, "label": None, "group": None}, {**OWN, "classes": ["a", "b"]}
    for data, expected in ((OWN, True), (named, False), (unnamed, False), ({}, False)):
        by_name = {job.name: job for job in Chain(load({"data": data}), "local").jobs()}
        assert ("presumed" in by_name["local/table"].params) == expected


def test_parameters_and_inputs_stay_as_they_were_where_nothing_is_asked_for():
    for job in Chain(load({}), "local").jobs():
        assert "unlabelled" not in job.params and not {"unlabelled"} & set(job.inputs)
        if job.stage == "pseudo_label":
            assert set(job.params) == {"threshold", "boost"}
        assert job.stage != "folds" or job.outputs == ("folds.parquet",)
    in_blocks = {**OWN, "test": "b.csv", "test_blocks": 5}  # nothing names a person
    assert not any(
        "unlabelled" in j.inputs for j in Chain(load({"data": in_blocks}), "local").jobs()
    )
    jobs = Chain(load({"data": {**OWN, "test": "b.csv", "unlabelled": "rows"}}), "local").jobs()
    by_name = {job.name: job for job in jobs}
    assert by_name["local/table"].params["unlabelled"] == "rows"
    assert "unlabelled" in by_name["local/nested/scaled/fold0"].inputs
    assert "unlabelled" not in by_name["local/published/scaled/all"].inputs
    assert by_name["local/nested/seed1/gen1/pseudo_labels/fold1"].params["fold"] == 1


def made(folder, train, pool, table):
    """The digest of each file that the fits of a small chain, and what they rest on, make."""
    folder.mkdir()
    train.to_csv(folder / "train.csv", index=False)
    pool.to_csv(folder / "more.csv", index=False)
    config = load({
        "data": {**OWN, "train": str(folder / "train.csv"), table: str(folder / "more.csv"),
                 "classes": ["calm", "tense"]},
        "folds": 2, "protocols": ["nested"], "generations": 2, "scaling": {"n_quantiles": 20},
        "model": {"hidden": 8, "code": 4, "head": 4}, "pseudo_labels": {"threshold": 0.5},
        "training": {"epochs": 2, "batch": 8},
    })  # fmt: skip
    digests = {}
    for job in Chain(config, "local").compared(1):
        output = folder / job.name
        output.mkdir(parents=True)
        inputs = {
            role: Path(origin) if isinstance(origin, str) else folder.joinpath(*origin)
            for role, origin in job.inputs.items()
        }
        import_module(job.module).run(inputs, job.params, output, Said())
        assert sorted(path.name for path in output.iterdir()) == sorted(job.outputs)
        digests |= {f"{job.name}/{file}": logical_digest(output / file) for file in job.outputs}
    return digests


@pytest.mark.parametrize("table", ["unlabelled", "test"])
def test_rows_of_held_out_persons_reach_nothing_of_their_fold_in_nested(tmp_path, table):
    """Change them: what is scored on their persons does not move by a single bit."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(80, 6)), columns=list("abcdef"))
    frame = frame.assign(who=np.repeat(["S1", "S2", "S3", "S4"], 20), mood=np.tile([0, 1], 40))
    train, unlabelled = (
        frame[::2].assign(mood=np.tile([0, 1], 20)),
        frame[1::2].drop(columns="mood"),
    )
    before = made(tmp_path / "before", train, unlabelled, table)
    folds = read_columns(tmp_path / "before/local/folds/folds.parquet")["group_fold"]
    theirs = unlabelled["who"].isin(train["who"][folds == 0]).to_numpy()
    assert 0 < theirs.sum() < len(theirs)
    changed = unlabelled.copy()
    changed.loc[theirs, list("abcdef")] = 7 - 3 * changed.loc[theirs, list("abcdef")]
    after = made(tmp_path / "after", train, changed, table)
    same = {name for name in before if before[name] == after[name]}
    home = "local/nested/seed1"
    fits = [f"{home}/gen{number}/fold0" for number in (0, 1, 2)]
    unmoved = [f"{fit}/{file}" for fit in fits for file in ("weights.safetensors", "fit.json")]
    unmoved += [f"{fit}/validation.parquet" for fit in fits[1:]]
    unmoved += [f"{home}/gen{n}/pseudo_labels/fold0/pseudo_labels.parquet" for n in (1, 2)]
    unmoved += [f"local/nested/scaled/fold0/{name}.parquet" for name in ("quantiles", "train")]
    assert [name for name in unmoved if name not in same] == []
    moved = [
        "local/nested/scaled/fold1/quantiles.parquet",
        "local/nested/scaled/fold0/test.parquet",
    ]
    moved += [f"{home}/gen{number}/fold1/weights.safetensors" for number in (0, 1, 2)]
    assert [name for name in moved if name in same] == []
    facts = json.loads((tmp_path / "after" / fits[2] / "fit.json").read_text())
    assert facts["n_pseudo"] == (~theirs).sum()
