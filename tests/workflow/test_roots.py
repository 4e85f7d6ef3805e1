"""Every directory of results is a root of its store, by real runs: shared, killed, restored."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

from tests.project import jobs
from tests.words import Words

WEEK = 7 * 86400


def store(words, *arguments, **variables):
    return json.loads(words.ends("words", "store", "--json", *arguments, **variables).stderr)


def gc(words, *arguments, **variables):
    done = words.ends("words", "gc", "--json", *arguments, **variables)
    return json.loads(done.stderr)["entries"]


def age(place: Path):
    for path in place.rglob("*"):
        then = path.stat().st_mtime - WEEK
        os.utime(path, (then, then))


def test_a_shared_store_keeps_what_each_directory_needs(finished_words, tmp_path):
    shared = {"WORDS_STORE": str(tmp_path / "store")}
    one, two = (Words.create(tmp_path / name) for name in ("one", "two"))
    one.run(**shared)
    two.run("--config", "top=3", "least=5", **shared)
    before = two.results()
    age(tmp_path / "store")
    for words in (one, two):
        assert gc(words, "--delete", **shared) == []
    found = store(one, **shared)
    assert [root["root"].partition(":")[2] for root in found["roots"]] == [
        str(words.path / "results") for words in (one, two)
    ]
    assert {root["records"] for root in found["roots"]} == {3}
    assert {name: share["entries"] for name, share in found["stages"].items()} == {
        "count": 4,
        "ranking": 2,
    }
    said = one.ends("words", "store", **shared).stderr
    assert "needed by 2 roots:" in said and "count: 4 records, " in said and "(here)" in said
    # Of one that is gone everything goes, and of the other nothing.
    shutil.rmtree(one.path)
    gone = gc(two, "--delete", **shared)
    assert sorted(entry["kind"] for entry in gone) == ["actions"] * 3 + ["objects"] * 3
    shutil.rmtree(two.path / "results")
    done = two.run("--config", "top=3", "least=5", **shared)
    assert len(jobs(done, "HIT")) == 3 and two.results() == before


def test_a_hit_is_a_use(words):
    """What was restored today is no garbage tomorrow, though it was made last week."""
    words.run("--config", "top=3")
    age(words.path / ".words/store")
    words.run()
    words.run("--config", "top=4")
    (record, _) = gc(words)
    assert record["kind"] == "actions"  # that of three words
    words.run("--config", "top=3")
    assert [entry["kind"] for entry in gc(words, "--older-than", "1h")] == []


def test_a_killed_run_leaves_its_root_open(tmp_path):
    """So that nobody removes what it made; the same command closes it."""
    words = Words.create(tmp_path / "one")
    words.edit("words/count.py", "import json", "import json\nimport os\nimport time")
    waits = "    while os.path.exists('wait'):\n        time.sleep(0.01)\n    words = re"
    words.edit("words/count.py", "    words = re", waits)
    wait = words.path / "wait"
    wait.touch()
    process = words.start("snakemake", "-c2")
    deadline = time.monotonic() + 120
    while not list((words.path / ".words/store/roots").glob("*.json")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    wait.unlink()
    process.communicate()
    (root,) = store(words)["roots"]
    assert root["is_open"] and root["records"] == 0
    assert "a run that has not ended" in words.ends("words", "store").stderr
    words.run()
    (root,) = store(words)["roots"]
    assert not root["is_open"] and root["records"] == 3
