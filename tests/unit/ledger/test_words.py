"""Words for numbers, lists and digests."""

from ledger.words import naturally


def test_numbers_in_names_count():
    names = ["p10", "p2", "10", "9", "p2b", "ann", "p02", ""]
    assert sorted(names, key=naturally) == ["", "9", "10", "ann", "p2", "p02", "p2b", "p10"]
