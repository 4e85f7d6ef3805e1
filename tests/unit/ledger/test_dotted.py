"""What differs between two JSON values, by dotted key."""

from ledger.compare.dotted import changes


def test_changes_by_key():
    a = {"threads": 1, "variables": {}, "seeds": [1, 2]}
    b = {"threads": 2, "variables": {"ISA": "avx2"}, "seeds": [1]}
    assert changes(a, b) == [
        {"key": "threads", "a": 1, "b": 2},
        {"key": "seeds.1", "a": 2},
        {"key": "variables.ISA", "b": "avx2"},
    ]
    assert changes(a, a) == []
    assert changes({"x": 1}, {"x": 1.0}) == [{"key": "x", "a": 1, "b": 1.0}]
    assert changes({"x": []}, {"x": {}}) == [{"key": "x", "a": [], "b": {}}]
