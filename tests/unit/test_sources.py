"""Digests of raw files, remembered only where an edit cannot go unnoticed."""

import hashlib
import json
import os

import pytest

from emodag.errors import InputError
from emodag.provenance import sources
from emodag.provenance.sources import source_digests


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path, monkeypatch):
    raw, memory = tmp_path / "train.csv", tmp_path / "sources.json"
    raw.write_bytes(b"1")
    assert source_digests([str(raw)], memory) == {str(raw): sha256(b"1")}
    assert not memory.exists()
    monkeypatch.setattr(sources, "TICK", 0)
    source_digests([str(raw)], memory)
    assert json.loads(memory.read_text())["facts"][str(raw)]["sha256"] == sha256(b"1")


def test_an_edit_that_keeps_size_and_modification_time_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "TICK", 0)
    raw, memory = tmp_path / "train.csv", tmp_path / "sources.json"
    raw.write_bytes(b"1")
    status = raw.stat()
    source_digests([str(raw)], memory)
    raw.write_bytes(b"2")
    os.utime(raw, ns=(status.st_atime_ns, status.st_mtime_ns))
    if raw.stat().st_ctime_ns == status.st_ctime_ns:
        pytest.skip("both within one tick of the file system's clock")
    assert source_digests([str(raw)], memory) == {str(raw): sha256(b"2")}


def test_a_damaged_memory_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "TICK", 0)
    raw, memory = tmp_path / "train.csv", tmp_path / "sources.json"
    raw.write_bytes(b"1")
    for content in ["", "{", "[]", '{"x": 1}', '{"files": 1, "digest": 2}', "[" * 100_000]:
        memory.write_text(content)
        assert source_digests([str(raw)], memory) == {str(raw): sha256(b"1")}
    memory.write_text(memory.read_text().replace(sha256(b"1"), sha256(b"2")))
    assert source_digests([str(raw)], memory) == {str(raw): sha256(b"1")}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: No such file"):
        source_digests(["nowhere.csv"], tmp_path / "sources.json")
