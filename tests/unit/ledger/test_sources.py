"""Digests of raw files, remembered only where an edit cannot go unnoticed."""

import hashlib
import json
import os
import shutil

import pytest

from ledger.disk import owner, sources
from ledger.disk.sources import TICK, refuse_raw, source_digests
from ledger.errors import InputError


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def uptime(monkeypatch):
    """The time since boot, in nanoseconds, to be set by the test."""
    now = ["boot", 0]
    monkeypatch.setattr(owner, "uptime", lambda: tuple(now))
    return now


@pytest.fixture
def coarse(monkeypatch):
    """A file system of one tick for all that happens, on a host with whatever clock."""
    real = sources._stamp
    monkeypatch.setattr(sources, "_stamp", lambda path: [*real(path)[:3], 7, 7])


@pytest.fixture
def raw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_bytes(b"1")
    return tmp_path / "train.csv"


def looked_at(path, memory="sources.json"):
    return source_digests([path.name], path.parent / memory)[path.name]


def edit(path, content):
    """Write in place: the inode stays, and so may the times."""
    with path.open("r+b") as stream:
        stream.write(content)


def test_an_edit_within_a_tick_of_the_first_look_is_noticed(raw, uptime, coarse):
    assert looked_at(raw) == sha256(b"1")
    uptime[1] += TICK - 1
    edit(raw, b"2")
    assert looked_at(raw) == sha256(b"2")
    edit(raw, b"3")
    assert looked_at(raw) == sha256(b"3")


def test_a_digest_made_a_tick_after_the_first_look_is_trusted(raw, uptime, coarse, monkeypatch):
    looked_at(raw)
    uptime[1] += TICK
    looked_at(raw)
    monkeypatch.setattr(sources, "file_sha256", None)  # not to be called
    assert looked_at(raw) == sha256(b"1")


def test_another_boot_says_nothing_of_how_long_ago_a_look_was(raw, uptime, coarse):
    looked_at(raw)
    uptime[:] = ["another", 10 * TICK]
    looked_at(raw)
    edit(raw, b"2")
    assert looked_at(raw) == sha256(b"2")


def test_a_file_that_changes_while_it_is_hashed_is_not_trusted(raw, uptime, monkeypatch):
    looked_at(raw)
    uptime[1] += TICK
    real = sources.file_sha256

    def hashed(path):
        found = real(path)
        edit(path, b"22")
        return found

    monkeypatch.setattr(sources, "file_sha256", hashed)
    looked_at(raw)
    monkeypatch.setattr(sources, "file_sha256", real)
    assert looked_at(raw) == sha256(b"22")


@pytest.mark.parametrize("how", ["in place", "moved", "link"])
def test_an_edit_that_keeps_size_and_modification_time_is_noticed(raw, uptime, how):
    other = raw.with_name("other.csv")
    other.write_bytes(b"2")
    shutil.copystat(raw, other)
    for _ in range(3):
        looked_at(raw)
        uptime[1] += TICK
    status = raw.stat()
    if how == "in place":
        edit(raw, b"2")
    elif how == "moved":
        other.rename(raw)
    else:
        raw.unlink()
        raw.symlink_to(other)
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert looked_at(raw) == sha256(b"2")


def test_a_damaged_memory_is_forgotten(raw, uptime):
    memory = raw.with_name("sources.json")
    for content in ["", "{", "[]", '{"x": 1}', '{"files": 1, "digest": 2}', "[" * 100_000]:
        memory.write_text(content)
        assert looked_at(raw) == sha256(b"1")
    uptime[1] += TICK
    looked_at(raw)
    assert json.loads(memory.read_text())["facts"]["train.csv"]["trusted"]
    memory.write_text(memory.read_text().replace(sha256(b"1"), sha256(b"2")))
    assert looked_at(raw) == sha256(b"1")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: No such file"):
        source_digests(["nowhere.csv"], tmp_path / "sources.json")


def test_no_raw_file_is_written_over_however_it_is_called(tmp_path):
    raw = tmp_path / "train.csv"
    raw.write_text("1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(raw)
    os.link(raw, tmp_path / "hard.csv")
    for name in ("train.csv", "folder/../train.csv", "link.csv", "hard.csv"):
        with pytest.raises(InputError, match=rf"{name}: is the raw file .*train\.csv, which"):
            refuse_raw(tmp_path / name, [tmp_path / "absent.csv", raw])
    (tmp_path / "copy.csv").write_text("1")
    for name in ("copy.csv", "absent.csv", "none/yet.csv"):
        refuse_raw(tmp_path / name, [tmp_path / "absent.csv", raw])
