"""Roots: what results need stays in the store, on whichever machine they are."""

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from emodag.application import main
from ledger.disk.canonical import digest
from ledger.disk.documents import sealed
from ledger.jobs.manifest import Manifest, Output
from ledger.store import garbage, roots
from ledger.store.roots import Needs, Root
from ledger.store.store import Action, Store
from tests.unit.ledger.test_store import manifest, publish

WEEK = 7 * 86400


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of three jobs of last week, of which results here and others need one each."""
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "store")
    for name in ("here/results", "there/results", "nowhere"):
        made(store, name)
    shutil.rmtree("nowhere")
    Path("results").symlink_to("here/results")
    for name in ("results", "there/results"):
        roots.register(store, Path(name), is_open=False)
    age(store)
    return store


def made(store, results):
    """Results of one job, and what the store has of it."""
    content = f"made for {results}".encode()
    output = Output(logical=digest(results), sha256=publish(store, content), bytes=len(content))
    outputs = {"file": output}
    store.record(digest(results), Action(outputs=outputs, labels_seen=(), cost={"seconds": 1.0}))
    manifest(key=digest(results), outputs=outputs).write(Path(results, "j/manifest.json"))


def age(store, seconds=WEEK):
    for path in store.root.rglob("*"):
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def gc(capsys, *arguments):
    assert main(["gc", "--json", "--store", "store", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def removed(found):
    return {Path(entry["path"]) for entry in found["entries"] if entry["removed"]}


def both(store, results):
    """The record and the object of a job."""
    sha256 = store.read(digest(results)).outputs["file"].sha256
    return {store.action(digest(results)), store.object(sha256)}


def elsewhere(store, results, **changes):
    """Have a root be that of another machine."""
    for path, root in roots.read_roots(store).items():
        if root.path == str(Path(results).resolve()):
            there = replace(root, host="cluster:1234abcd:-", path="/scratch/results", **changes)
            times = path.stat().st_atime_ns, path.stat().st_mtime_ns
            path.write_bytes(sealed(asdict(there), roots.SCHEMA))
            os.utime(path, ns=times)


def test_what_a_root_needs_stays_without_its_name(store, capsys):
    wanted = both(store, "nowhere")
    assert {Path(entry["path"]) for entry in gc(capsys)["entries"]} == wanted
    assert removed(gc(capsys, "--delete")) == wanted
    assert all(
        path.exists() for name in ("here/results", "there/results") for path in both(store, name)
    )
    assert len(list((store.root / "roots").iterdir())) == 2


def test_a_root_that_is_gone_needs_nothing(store, capsys):
    wanted = both(store, "nowhere") | both(store, "there/results")
    shutil.rmtree("there")
    assert main(["store", "--store", "store"]) == 0
    assert f"{Path('there/results').absolute()} (gone)" in capsys.readouterr().out
    assert removed(gc(capsys, "--delete")) == wanted
    assert [root.path for root in roots.read_roots(store).values()] == [
        str(Path("results").resolve())
    ]


def test_a_root_whose_disk_is_not_mounted_is_not_gone(store, capsys):
    shutil.rmtree("there")
    (path,) = (p for p, r in roots.read_roots(store).items() if "there" in r.path)
    root = replace(roots.read_roots(store)[path], mount=f"{Path('there').absolute()} / lab:/disk")
    path.write_bytes(sealed(asdict(root), roots.SCHEMA))
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete")) == wanted


def test_another_machines_root_counts_until_it_is_forgotten(store, capsys):
    elsewhere(store, "there/results")
    shutil.rmtree("there")
    wanted = both(store, "there/results")
    assert removed(gc(capsys, "--delete")) and all(path.exists() for path in wanted)
    assert main(["store", "--store", "store"]) == 0
    said = capsys.readouterr().out
    assert "cluster:/scratch/results (not to be seen from here): 1 record, 1 object" in said
    assert main(["gc", "--store", "store", "--forget", "cluster:/scratch/result"]) == 1
    assert "did you mean 'cluster:/scratch/results'?" in capsys.readouterr().err
    forgotten = ("--forget", "cluster:/scratch/results")
    assert {Path(entry["path"]) for entry in gc(capsys, *forgotten)["entries"]} == wanted
    assert len(roots.read_roots(store)) == 2
    assert removed(gc(capsys, "--delete", *forgotten)) == wanted
    (here,) = roots.read_roots(store).values()
    assert main(["gc", "--store", "store", "--delete", "--forget", here.name]) == 1
    assert f"{here.name}: is here, so it counts" in capsys.readouterr().err


def test_of_an_open_root_all_stays_that_was_used_since(store, capsys):
    """As of a run on another machine that was killed: it may need what its file does not tell."""
    elsewhere(store, "there/results", is_open=True, keys=(), objects=())
    for path in (store.root / "roots").iterdir():
        os.utime(path, (path.stat().st_mtime - WEEK,) * 2)
    shutil.rmtree("there")
    assert gc(capsys)["entries"] == []
    for path in both(store, "nowhere"):
        os.utime(path, (path.stat().st_mtime - 2 * WEEK,) * 2)
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete")) == wanted


def test_a_root_that_was_left_open_is_open_since_then(store, capsys):
    """A killed run's work without a manifest stays, whatever runs come after it."""
    results = Path("there/results")
    roots.register(store, results, is_open=True)
    (path,) = (path for path, root in roots.read_roots(store).items() if root.is_open)
    begun = path.stat().st_mtime - WEEK
    os.utime(path, (begun, begun))
    for again in (True, None):  # another run, and what only adds to the results
        roots.register(store, results, is_open=again)
        root = roots.read_roots(store)[path]
        assert root.is_open and roots.needs(path, root).since == begun
    roots.register(store, results, is_open=False)
    roots.register(store, results)
    assert not roots.read_roots(store)[path].is_open


def test_what_was_pulled_stays_for_those_who_asked(store, capsys):
    """Whatever runs come in between, until all is asked for anew."""
    results, wanted = Path("there/results"), both(store, "nowhere")
    roots.register(store, results, pulled=[digest("nowhere")])
    roots.register(store, results, pulled=[digest("other")])
    for is_open in (True, False):
        roots.register(store, results, is_open=is_open)
    assert gc(capsys)["entries"] == []
    elsewhere(store, "there/results")
    assert gc(capsys)["entries"] == []
    roots.register(store, results, pulled=[digest("other")], is_all=True)
    assert removed(gc(capsys, "--delete")) == wanted


def test_results_behind_links_are_needed(store, capsys):
    """As where a part of them lies on another disk; no link leads in circles."""
    Path("disk").mkdir()
    Path("there/results/j").rename("disk/j")
    Path("there/results/far").symlink_to(Path("disk").absolute())
    Path("disk/back").symlink_to(Path("there/results").absolute())
    Path("disk/self").symlink_to(".")
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete")) == wanted


def test_manifests_go_before_what_was_written_down(store, capsys):
    """Where they can be seen: results that were emptied need nothing, new ones what they hold."""
    shutil.rmtree("there/results/j")
    manifest(key=digest("nowhere"), outputs=store.read(digest("nowhere")).outputs).write(
        Path("there/results/k/manifest.json")
    )
    wanted = both(store, "there/results")
    assert removed(gc(capsys, "--delete")) == wanted


def test_a_copy_within_results_hides_none_of_them(store, capsys):
    """`cp -r elsewhere/results results` makes results/results where there are results."""
    for results in ("here/results", "there/results"):
        Path(results, "results").mkdir()
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete")) == wanted
    roots.register(store, Path("there/results"), is_open=False)
    assert [len(root.keys) for root in roots.read_roots(store).values()] == [1, 1]


def test_a_damaged_manifest_leaves_what_was_written_down(store, capsys):
    path = Path("there/results/j/manifest.json")
    path.write_text(path.read_text().replace("j", "k"))
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete")) == wanted


def test_a_damaged_root_stops_it(store, capsys):
    (path, *_) = (store.root / "roots").iterdir()
    path.write_text("{}")
    assert main(["gc", "--delete", "--store", "store"]) == 1
    said = capsys.readouterr().err
    assert f"{path}: not a root of schema 1" in said and "or delete this file" in said


def test_a_store_of_which_nothing_is_known_is_left_alone(store, capsys):
    """As of one that many push to: what results here need of it is not all that somebody does."""
    shutil.rmtree(store.root / "roots")
    assert main(["gc", "--delete", "--store", "store"]) == 1
    assert "no results are known that need this store" in capsys.readouterr().err
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete", "here/results", "there/results")) == wanted


def test_the_longest_unused_goes_first_and_no_more_than_has_to(store, capsys):
    shutil.rmtree("there")
    store.use(digest("there/results"))
    old, young = both(store, "nowhere"), both(store, "there/results")
    record = store.action(digest("there/results"))
    os.utime(record, (record.stat().st_mtime - WEEK / 2,) * 2)
    all_ = sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())
    all_ -= sum(path.stat().st_size for path in (store.root / "roots").iterdir())
    assert gc(capsys, "--max-size", f"{all_}B")["entries"] == []
    (first,) = gc(capsys, "--max-size", f"{all_ - 1}B")["entries"]
    assert Path(first["path"]) == store.action(digest("nowhere"))
    size = sum(path.stat().st_size for path in old)
    assert removed(gc(capsys, "--delete", "--max-size", f"{all_ - size}B")) == old
    assert all(path.exists() for path in young)
    assert removed(gc(capsys, "--delete", "--max-size", "0B")) == young
    assert all(path.exists() for path in both(store, "here/results"))
    assert main(["gc", "--store", "store", "--max-size", "1B"]) == 0
    assert "is more than 1 B" in capsys.readouterr().out
    assert main(["gc", "--store", "store", "--max-size", "1"]) == 2
    assert "expected 50GB" in capsys.readouterr().err


def test_what_is_used_meanwhile_stays_with_its_objects(store):
    found = garbage.sort(store, Needs(), float("inf"))
    store.use(digest("nowhere"))
    spared, failed = garbage.clear(store, found.garbage)
    assert spared == both(store, "nowhere") and failed == {}
    assert all(path.exists() for path in spared)
    left = [path for kind in ("actions", "objects") for path in (store.root / kind).rglob("*.*")]
    assert left == [store.action(digest("nowhere"))]


def test_an_object_made_anew_meanwhile_stays(store):
    found = garbage.sort(store, Needs(), float("inf"))
    again = store.object(publish(store, b"made for nowhere"))
    spared, _ = garbage.clear(store, found.garbage)
    assert spared == {again} and again.read_bytes() == b"made for nowhere"


def test_somebody_elses_record_is_used(store, monkeypatch):
    """Who does not own a file cannot set its time, but may put another in its place."""

    def refuse(*_, **__):
        raise PermissionError

    path, before = store.action(digest("nowhere")), store.read(digest("nowhere"))
    then = path.stat().st_mtime
    monkeypatch.setattr(os, "utime", refuse)
    store.use(digest("nowhere"))
    assert path.stat().st_mtime > then + WEEK / 2 and store.read(digest("nowhere")) == before


def test_what_a_root_says_comes_back(store):
    found = {root.path: root for root in roots.read_roots(store).values()}
    root = found[str(Path("results").resolve())]
    assert isinstance(root, Root) and root.keys == (digest("here/results"),)
    made = Manifest.read(Path("results/j/manifest.json"))
    assert root.objects == (made.outputs["file"].sha256,)
    assert root.path.startswith(root.mount.split(" ")[0])


def test_one_place_in_two_containers_is_two_roots(store, capsys, monkeypatch):
    """As where each has another directory mounted at /data, of which the other sees nothing."""
    for part in ("/home/a", "/home/b"):
        disk = "8:1 / / rw - ext4 /dev/sda1 rw"
        table = f"1 0 {disk}\n9 1 {disk.replace('/ /', f'{part} /data')}"
        assert roots.mount_of(Path("/data/results"), table) == f"/data {part}"
        assert roots.mount_of(Path("/database"), table) == "/ /"
    nfs = "7 1 0:9 / /my\\040lab rw shared:1 - nfs4 host:/lab rw"
    assert roots.mount_of(Path("/my lab/results"), nfs) == "/my lab / host:/lab"
    before = len(roots.read_roots(store))
    table = Path("mounts")
    table.write_text("1 0 8:1 /other / rw - ext4 /dev/sda1 rw")
    monkeypatch.setattr(roots, "MOUNTS", table)
    roots.register(store, Path("there/results"), is_open=False)
    assert len(roots.read_roots(store)) == before + 1
    shutil.rmtree("there")
    age(store)
    wanted = both(store, "nowhere")
    assert removed(gc(capsys, "--delete")) == wanted
