"""`audit` of the whole chain of emodag: it repeats its bits, as its results are configured."""

import json


def test_the_chain_repeats_its_bits(copy_of_finished):
    """All jobs but those of the drawn ones' siblings; fits, votes and tables among them."""
    done = copy_of_finished.emodag("audit", "--json", "--seed", "1", "--sample", "20%")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found["wrong"] == [] and found["left_out"] == {}
    assert len(found["computed"]) == -(-found["finished"] // 5)
