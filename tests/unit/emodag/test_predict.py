"""Where the predictions of a table lie: no two that differ share a place."""

from itertools import product

from emodag.verbs.predict import _name

FILES = [
    *("later.csv", "later.parquet", "later.csv.gz", "later", "later.csv.csv", "a_later.csv"),
    *(
        "a/later.csv",
        "../later.csv",
        "a/../later.csv",
        "/later.csv",
        "a later.csv",
        "later_of_t001.csv",
    ),
    *("t\u00e4glich.csv", "-.csv", "..csv", "*.csv", "?.csv"),
]


def test_what_differs_has_places_that_differ():
    asked = [*product([(file,) for file in FILES], [None, "t001", "t002"])]
    asked += [(("later.csv", file), None) for file in FILES]
    # Tables that are called as one of these places are.
    asked += [((f"{_name(list(files), of)}.csv",), None) for files, of in asked]
    places = {_name(list(files), of) for files, of in asked}
    assert len(places) == len(set(asked))


def test_the_plain_case_is_readable_and_no_name_is_too_long():
    assert _name(["later.csv"], None) == "later"
    assert _name(["more/later.csv"], None).startswith("more_later-")
    assert _name(["later.csv"], "t001").startswith("later_of_t001-")
    assert len(_name([f"{'ä' * 200}/{'ö' * 100}.csv"], "ü" * 100).encode()) < 255
