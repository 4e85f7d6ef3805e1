"""Packs of runs that differ."""

import json
import re

from tests.workflow.test_pack_runs import SCALED, packed


def test_the_first_difference_and_its_size(machines):
    home, away = machines
    left, right = packed(home, "home.zip"), packed(away, "away.zip")
    done = home.emodag("diff", str(left), str(right), "--json")
    assert done.returncode == 1 and not done.stderr, done.stderr
    found = json.loads(done.stdout)
    assert found["data_differ"] == [] and found["keys_differ"] == [
        "local/table",
        "local/folds",
        SCALED,
    ]
    assert found["values_differ"] == [SCALED]
    (apart,) = found["jobs"][-1]["outputs"].values()
    assert list(apart["parts"]) == ["f1", "f2"]
    assert (apart["whole"]["differing"], apart["whole"]["ulps"]) == (48, 1)
    # A pack and a directory go together too.
    for sides in (("results", str(away.path / "results")), ("results", str(right))):
        again = json.loads(home.emodag("diff", *sides, "--json").stdout)
        assert again["jobs"][-1]["outputs"] == found["jobs"][-1]["outputs"]

    text = home.emodag("diff", str(left), str(right)).stdout
    assert "first to differ in key: local/table (stage ingest)" in text
    assert f"first to differ in values: {SCALED} (stage scale)\n" in text
    assert "code." in text and "environment.variables.NPY_DISABLE_CPU_FEATURES: absent -> " in text
    assert re.search(r"48 of 576 cells differ .* 1 ulp \(in 2 parts, most in f\d\)\n", text)
    same = home.emodag("diff", str(left), "results")
    assert same.returncode == 0 and same.stdout.endswith("the same keys, the same values.\n")
