"""`audit` of what does not repeat its bits."""

import pytest

from tests.words import ALL
from tests.workflow.test_audit import audit, everything


@pytest.mark.parametrize("source", ["time.time_ns()", "random.random()"])
def test_a_stage_that_does_not_repeat_its_bits(words, source):
    words.edit("words/count.py", "import json", "import json\nimport random\nimport time")
    words.edit("words/count.py", "dumps(counts", f"dumps(counts | {{'now': {source}}}")
    words.run()
    before = everything(words)
    found = audit(words)
    assert [one["job"] for one in found["wrong"]] == [n for n in found["computed"] if "count" in n]
    for one in found["wrong"]:
        assert one["stage"] == "count" and one["is_repeated"] is False and one["key"] == []
        assert len(one["wrong"]) == 2  # its manifest and the record, which say the same
        (change,) = one["outputs"]["counts.json"]["changes"]
        assert change["key"] == "now" and change["a"] != change["b"]
    assert everything(words) == before
    said = words.ends("words", "audit", "--sample", "100%").stderr
    assert "DIFFERS count/moby (stage count)" in said
    assert "two computations here differ from each other" in said


def test_another_environment_is_suspected(words):
    """The values were made with a variable that is no longer set, and depend on it."""
    words.edit("words/count.py", "import json", "import json\nimport os")
    words.edit(
        "words/count.py",
        "dumps(counts",
        "dumps(counts | {'cpu': len(os.environ.get('MKL_CBWR', ''))}",
    )
    words.run(MKL_CBWR="AVX2")
    found = audit(words, MKL_CBWR="AVX2")
    assert sorted(found["computed"]) == ALL and found["wrong"] == []
    found = audit(words)
    assert [one["stage"] for one in found["wrong"]] == ["count", "count"]
    for one in found["wrong"]:
        assert one["is_repeated"] is True
        assert one["key"] == [{"key": "environment.variables.MKL_CBWR", "a": "AVX2"}]
    said = words.ends("words", "audit", "--sample", "100%").stderr
    assert "Suspected is what was not so then:" in said
    assert "environment.variables.MKL_CBWR: AVX2 -> absent" in said
