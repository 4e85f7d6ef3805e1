"""Several files as one table: one per person, by a list or a pattern."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emodag.config.raw_files import by_role, persons_of_files, raw_files
from emodag.stages import ingest
from ledger.errors import InputError
from tests.unit.emodag.test_ingest import Notes, matrix, params, quality

FRAMES = [
    pd.DataFrame(
        {"a": np.arange(4.0) + 10 * at, "b": 1 / (1 + at), "label": ["calm", "tense"] * 2}
    ).assign(person=f"S{at}")
    for at in range(3)
]


def joined(folder, *paths, test=None, **changes):
    output = folder / "out"
    output.mkdir()
    roles = {f"train/{at:05}": path for at, path in enumerate(paths)}
    context = Notes(2)
    ingest.run({**roles, "test": test or paths[0]}, params(**changes), output, context)
    return context, output


def saved(folder, *suffixes, frames=FRAMES):
    paths = []
    for frame, suffix in zip(frames, suffixes, strict=True):
        paths.append(folder / f"S{len(paths)}.{suffix}")
        if suffix == "parquet":
            frame.to_parquet(paths[-1])
        else:
            frame.to_csv(paths[-1], index=suffix == "csv.gz", sep=";" if suffix == "tsv" else ",")
    return paths


@pytest.mark.parametrize("kinds", [("csv", "csv", "csv"), ("csv", "parquet", "tsv")])
def test_files_are_one_table(tmp_path, kinds):
    context, output = joined(tmp_path, *saved(tmp_path, *kinds))
    whole = pd.concat(FRAMES)
    np.testing.assert_array_equal(matrix(output / "train.parquet")[1], whole[["a", "b"]])
    rows = pq.read_table(output / "train_rows.parquet").to_pydict()
    assert rows["person"] == whole["person"].tolist() and rows["id"] == list(range(12))
    assert quality(output)["reading"]["train"][0] == "with 2 more files"
    assert any("with 2 more files" in note for note in context.notes)


def test_columns_go_by_name_and_indices_are_no_ids(tmp_path):
    frames = [FRAMES[0], FRAMES[1][["person", "b", "label", "a"]], FRAMES[2]]
    _, output = joined(tmp_path, *saved(tmp_path, *["csv.gz"] * 3, frames=frames))
    names, values = matrix(output / "train.parquet")
    assert names == ["a", "b"]
    np.testing.assert_array_equal(values, pd.concat(FRAMES)[["a", "b"]])
    assert pq.read_table(output / "train_rows.parquet")["id"].to_pylist() == list(range(12))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            lambda f: f.rename(columns={"b": "c"}),
            r"S2\.csv: .*S0\.csv; .*lacks 'b' and also",
        ),
        (lambda f: f.assign(a=["1", "2", "x", "4"]), r"S2\.csv, column 'a', data row 3 .*'x'"),
        (lambda f: f.assign(label=["calm"] * 3 + ["odd"]), r"S2\.csv, .*data row 4 .*'odd'"),
        (lambda f: f.assign(person=["S2", None, "S2", "S2"]), r"S2\.csv, .*data row 2 .*missing"),
    ],
)
def test_faults_name_the_file(tmp_path, spoil, expected):
    paths = saved(tmp_path, *["csv"] * 3, frames=[*FRAMES[:2], spoil(FRAMES[2])])
    with pytest.raises(InputError, match=expected):
        joined(tmp_path, *paths, test=paths[0])


def test_lists_and_patterns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("S3.csv", "S2.csv", "S10.csv", "[a].csv"):
        (tmp_path / name).write_text("a\n1\n")
    assert list(raw_files(None)) == []
    assert [*raw_files("S2.csv"), *raw_files("[a].csv")] == ["S2.csv", "[a].csv"]
    assert list(raw_files("S*.csv")) == ["S10.csv", "S2.csv", "S3.csv"]
    assert list(raw_files(["S3.csv", "S*.csv"])) == ["S3.csv", "S10.csv", "S2.csv"]
    assert list(raw_files("T*.csv")) == ["T*.csv"]


def test_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["who=S2/part-0.parquet", "who=S10/day=1/b.parquet", "who=S10/day=1/a.parquet"]
    hidden = ["_SUCCESS", "who=S2/.part-0.parquet.crc", "_delta_log/0.json", ".ipynb/t.csv"]
    for name in [*names, *hidden, "who=50%25 %2F/x=y=z/t.csv", "who=S2/x/u.tsv"]:
        (tmp_path / "t.parquet" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t.parquet" / name).touch()
    (tmp_path / "t.parquet/who=S3").mkdir()
    expected = {
        "t.parquet/who=50%25 %2F/x=y=z/t.csv": {"who": "50% /", "x": "y=z"},
        "t.parquet/who=S10/day=1/a.parquet": {"who": "S10", "day": "1"},
        "t.parquet/who=S10/day=1/b.parquet": {"who": "S10", "day": "1"},
        "t.parquet/who=S2/part-0.parquet": {"who": "S2"},
        "t.parquet/who=S2/x/u.tsv": {"who": "S2"},
    }
    assert raw_files("t.parquet") == expected
    assert list(raw_files("t.parquet")) == list(expected)
    assert raw_files("t.*/who=S10/**/*.parquet") == dict(list(expected.items())[1:3])
    assert raw_files("t.parquet/*=S[12]*") == dict(list(expected.items())[1:])
    # Where a folder lies says nothing of the data.
    assert raw_files("t.parquet/who=S2/part-0.parquet") == {"t.parquet/who=S2/part-0.parquet": {}}
    assert set(map(len, raw_files("t.parquet/who=S10").values())) == {1}
    with pytest.raises(InputError, match=r"t\.parquet/who=S3: this folder holds no table"):
        raw_files(["t.parquet", "t.parquet/who=S3"])


def test_whose_a_file_is():
    found = persons_of_files(["a/S2.csv.gz", "b/S3.tsv", "S4.1.parquet", "S5.zip"])
    assert [*found.values()] == ["S2", "S3", "S4.1", "S5"]
    assert [*persons_of_files(["S2/x/t.csv", "S3/x/t.parquet"]).values()] == ["S2", "S3"]
    assert persons_of_files(["a/t.csv"]) == {"a/t.csv": "t"}
    with pytest.raises(InputError, match=r"S2/a\.csv: another file is called 'a' too"):
        persons_of_files(["S2/a.csv", "S2/b.csv", "S3/a.csv"])


def test_only_several_files_without_labels_say_whose_they_are():
    """One may be of many persons."""
    for table, expected in (("train", {"file": "S2"}), ("test", {}), ("unlabelled", {})):
        assert by_role(table, "S2.csv", "file") == {table: ("S2.csv", expected)}
    assert by_role("train", "S2.csv", "person") == {"train": ("S2.csv", {})}


@pytest.mark.parametrize("group", ["file", "who"])
def test_where_paths_must_say_whose_rows_they_are_each_does(group):
    def said(*files):
        found = by_role("table", [*files], group, is_said=True)
        return [partition for _, partition in found.values()]

    assert said("later/S9.csv") == [{group: "S9"}]
    assert said(f"later/{group}=S9/day=2/a.csv") == [{group: "S9"}]
    folders = [f"later/{group}={who}/a.csv" for who in ("S9", "S10")]
    assert said(*folders) == [{group: "S9"}, {group: "S10"}]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_a_folder_is_called_is_a_column(tmp_path, suffix):
    parts = [frame.drop(columns="person") for frame in FRAMES]
    for part in parts:
        part["label"] = part["label"].map({"calm": "0", "tense": "1"})
    paths = saved(tmp_path, *[suffix] * 3, frames=parts)
    said = {f"train/{at:05}": {"person": f"0{at}", "day": str(at)} for at in range(3)}
    _, output = joined(tmp_path, *paths, test=paths[1], partitions={**said, "test": {"day": "5"}})
    names, values = matrix(output / "train.parquet")
    expected = pd.concat(FRAMES).assign(day=np.repeat([0, 1, 2], 4))[["a", "b", "day"]]
    assert names == [*expected.columns] and (values == expected).all(axis=None)
    assert matrix(output / "test.parquet")[1][:, 2].tolist() == [5] * 4
    rows = pq.read_table(output / "train_rows.parquet").to_pydict()
    assert rows["person"] == ["00"] * 4 + ["01"] * 4 + ["02"] * 4


def test_a_column_of_the_file_is_not_its_folders(tmp_path):
    paths = saved(tmp_path, *["csv"] * 3)
    said = {f"train/{at:05}": {"person": "folder"} for at in range(3)}
    _, output = joined(tmp_path, *paths, partitions=said)
    assert set(quality(output)["rows_per_person"]) == {"S0", "S1", "S2"}


def test_a_folder_that_is_no_number_is_named_as_text(tmp_path):
    (path,) = saved(tmp_path, "parquet", frames=FRAMES[:1])
    said = {role: {"day": "Monday"} for role in ("train/00000", "test")}
    with pytest.raises(InputError, match=r"found text in 'day'; .*ignore: \['day'\]"):
        joined(tmp_path, path, partitions=said)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "both"])
@pytest.mark.parametrize("step", [1, 3, "chosen"])
@pytest.mark.parametrize("named", [True, False])
def test_slices_of_one_frame(tmp_path, suffix, step, named):
    """Whose indices pandas writes in one way or another."""
    whole = pd.concat(FRAMES, ignore_index=True)
    whole = whole[[at != 5 for at in whole.index]] if step == "chosen" else whole[::step]
    paths = []
    for at, start in enumerate((0, 4, 8)):
        own = ("csv", "parquet")[at % 2] if suffix == "both" else suffix
        paths.append(tmp_path / f"{at}.{own}")
        part = whole.loc[start : start + 3]
        part.to_csv(paths[-1]) if own == "csv" else part.to_parquet(paths[-1])
    layout = {} if named else {"label": None, "group": None}
    test = tmp_path / "test.csv"
    whole[["a", "b"]].to_csv(test)
    _, output = joined(tmp_path, *paths, test=test, min_rows_per_person=1, **layout)
    names, values = matrix(output / "train.parquet")
    assert names == ["a", "b"]
    np.testing.assert_array_equal(values, whole[["a", "b"]])
    rows = pq.read_table(output / "train_rows.parquet")
    assert rows["id"].to_pylist() == list(range(len(whole)) if named else whole.index)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("kind", ["Float64", "Int8", "boolean"])
def test_booleans_in_one_file_and_numbers_in_another(tmp_path, suffix, first, kind):
    flags = np.array([None, True, False, None], object)
    numbers = pd.array([None, 1, 0, None], kind)
    frames = [FRAMES[0].assign(c=flags), FRAMES[1].assign(c=numbers)]
    frames = [frames[first], frames[1 - first], FRAMES[2].assign(c=[None] * 4)]
    paths = saved(tmp_path, *[suffix] * 3, frames=frames)
    if kind == "boolean":
        _, output = joined(tmp_path, *paths)
        assert "c" in matrix(output / "train.parquet")[0]
        return
    found = ["True and False", "numbers"]
    expected = rf"S1.{suffix}, column 'c': expected {found[first]}, as .*S0.* has, found"
    with pytest.raises(InputError, match=expected):
        joined(tmp_path, *paths)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("classes", [["0", "1"], ["1", "0"], ["False", "True"], ["True", "False"]])
def test_a_label_is_one_class_in_all_files_however_written(tmp_path, suffix, classes):
    labels = np.array([0, 1, 1, 0])
    kinds = (bool, float, int)
    frames = [f.assign(label=labels.astype(k)) for f, k in zip(FRAMES, kinds, strict=True)]
    _, output = joined(tmp_path, *saved(tmp_path, *[suffix] * 3, frames=frames), classes=classes)
    codes = pq.read_table(output / "train_rows.parquet")["label"].to_pylist()
    expected = labels if classes[0] in ("0", "False") else 1 - labels
    assert codes == [*expected] * 3


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("other", ["P", "01", "12345678901234567890", "2.5b"])
def test_a_number_is_one_person_and_one_class_however_written(tmp_path, suffix, other):
    """Also beside text, of which the numbers are read as text; and that is told."""
    people, labels = (other, 1, 1.0), (["calm", "1"] * 2, 1, 1.0)
    frames = [
        frame.assign(person=person, label=label)
        for frame, person, label in zip(FRAMES, people, labels, strict=True)
    ]
    paths = saved(tmp_path, *[suffix] * 3, frames=frames)
    _, output = joined(tmp_path, *paths, test=paths[1], classes=["calm", "1"])
    assert quality(output)["rows_per_person"] == {"1": 8, other: 4}
    assert quality(output)["class_counts"] == {"calm": 2, "1": 10}
    told = " / ".join(quality(output)["warnings"])
    assert "'1' and '1.0': one number each, and so taken for one person" in told
    assert "'1' and '1.0': one number each, and so taken for one class" in told
    assert "'1' of the test table is in the training table too" in told


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_spellings_of_a_person_in_one_column(tmp_path, suffix):
    frame = pd.concat(FRAMES, ignore_index=True).assign(
        person=["1", "1.0", "1.00", "07", "7", "7"] * 2
    )
    paths = saved(tmp_path, suffix, frames=[frame])
    _, output = joined(tmp_path, *paths)
    assert quality(output)["rows_per_person"] == {"1": 6, "07": 2, "7": 4}
    assert any("'1' and '1.0' and '1.00': " in told for told in quality(output)["warnings"])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_id_that_is_another_number_written_otherwise(tmp_path, suffix):
    frame = FRAMES[0].assign(key=["w", "1.0", "x", "1"])
    paths = saved(tmp_path, suffix, frames=[frame])
    with pytest.raises(InputError, match=r"data row 4.*the id '1' was already used in data row 2"):
        joined(tmp_path, *paths, id="key")


FORMATS = [("csv", "csv", "csv"), ("csv", "parquet", "feather"), ("feather", "csv", "parquet")]
USUAL_COLUMNS = ["float", "Int64", "text of numbers"]
"""The others are tried in `tests/long`."""
COLUMNS = {
    "bool": [True, False, True, True],
    "int": [1, 2, 3, 4],
    "float": [0.5, 1, 2, 4],
    "whole": [1.0, 2, 3, 4],
    "Int64": pd.array([1, None, 3, 4], "Int64"),
    "boolean": pd.array([True, None, False, True], "boolean"),
    "text of numbers": ["1", "2", "3", "4.5"],
    "text of booleans": ["True", "False", "True", "True"],
    "decimal": [Decimal("1.50"), Decimal("2"), Decimal("1E+2"), Decimal("4")],
    "category": pd.Categorical([1, 2, 1, 2]),
    "all missing": [None] * 4,
}
USUAL_NAMES = ["int", "text"]
"""The other kinds of names are tried in `tests/long`."""
NAMES = {
    "int": lambda at: at,
    "float": lambda at: float(at),
    "text": lambda at: f"w{at}",
    "numbers and text": lambda at: f"{at}.0" if at < 4 else f"w{at}",
    "spaces": lambda at: f" w{at} ",
    "hundreds": lambda at: Decimal(f"{at + 1}E+2"),
    "bytes": lambda at: b"w%d" % at,
    "days": lambda at: pd.Timestamp("2024-05-01") + pd.Timedelta(days=at),
    "times": lambda at: pd.Timestamp("2024-05-01", tz="UTC") + pd.Timedelta(minutes=90 * at),
    "bool": lambda at: at > 5,
}


def outcome(folder, kinds, frames, **changes):
    """What is made of the frames, saved so."""
    folder.mkdir()
    paths = []
    for at, (frame, kind) in enumerate(zip(frames, kinds, strict=True)):
        paths.append(folder / f"{at}.{kind}")
        if kind == "csv":
            frame.to_csv(paths[-1], index=not isinstance(frame.index, pd.RangeIndex))
        elif kind == "parquet":
            frame.to_parquet(paths[-1])
        else:
            frame.to_feather(paths[-1])
    _, output = joined(folder, *paths, **changes)
    tables = {path.name: pq.read_table(path) for path in output.glob("*.parquet")}
    kept = {name: str((table.schema, table.to_pydict())) for name, table in tables.items()}
    return kept, {**quality(output), "reading": 0}


@pytest.mark.parametrize("kinds", FORMATS[1:])
@pytest.mark.parametrize("kind", USUAL_COLUMNS)
def test_features_of_files_of_several_formats(tmp_path, kinds, kind):
    frames = [frame.assign(c=COLUMNS[kind]) for frame in FRAMES]
    found = [outcome(tmp_path / str(at), k, frames) for at, k in enumerate((FORMATS[0], kinds))]
    assert found[0] == found[1]


@pytest.mark.parametrize("kinds", FORMATS[1:])
@pytest.mark.parametrize("role", ["id", "group", "label"])
@pytest.mark.parametrize("kind", USUAL_NAMES)
def test_names_in_files_of_several_formats(tmp_path, kinds, role, kind):
    name, frames = NAMES[kind], []
    for at, frame in enumerate(FRAMES):
        rows = {"id": range(4 * at, 4 * at + 4), "group": [3 * at] * 4, "label": [1, 7] * 2}[role]
        column = {"id": "key", "group": "person", "label": "label"}[role]
        frames.append(frame.assign(**{column: list(map(name, rows))}))
    changes = {"id": "key"} if role == "id" else {}
    if role == "label":
        written = frames[0]["label"][:2].to_csv(index=False, header=False)
        changes["classes"] = [cell.strip() for cell in written.splitlines()]
    found = []
    for at, formats in enumerate((FORMATS[0], kinds)):
        try:
            found.append(outcome(tmp_path / str(at), formats, frames, **changes))
        except InputError as error:
            assert role == "id" and kind == "bool"
            found.append(str(error).split(": ", 1)[1])
    assert found[0] == found[1]
