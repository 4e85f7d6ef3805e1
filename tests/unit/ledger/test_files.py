"""Whatever is read, nothing but a file is waited for."""

import errno
import gzip
import hashlib
import os
from argparse import ArgumentTypeError

import pytest

from ledger.cli.places import file_to_write
from ledger.disk import atomic
from ledger.disk.atomic import copy_hashed, read_bytes, write_bytes
from ledger.disk.canonical import file_sha256
from ledger.disk.documents import read_object, recall
from ledger.disk.regular import open_regular, size_of
from tests.unit.obstacles import OBSTACLES, a_socket, device, directory, pipe

pytestmark = pytest.mark.usefixtures("alarm")


@pytest.fixture
def alarm():
    """A read that waits for ever ends the test."""
    import signal

    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    "read", [open_regular, read_bytes, file_sha256, lambda path: copy_hashed(path, path / "x")]
)
def test_what_is_no_file_is_refused_by_name(tmp_path, make, read):
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(OSError, match=OBSTACLES[make]) as caught:
        read(path)
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
@pytest.mark.parametrize(("read", "nothing"), [(recall, {}), (read_object, None)])
def test_what_is_only_remembered_is_then_forgotten(tmp_path, make, read, nothing):
    make(tmp_path / "thing")
    assert read(tmp_path / "thing") == nothing


@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
def test_only_a_file_has_a_size(tmp_path, make):
    make(tmp_path / "there")
    assert size_of(tmp_path / "there") is size_of(tmp_path / "nowhere") is None
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert size_of(tmp_path / "file") == size_of(tmp_path / "link") == 3


@pytest.mark.parametrize("make", [pipe, a_socket, device, directory])
def test_only_a_file_is_written_over_by_a_users_wish(tmp_path, make):
    make(tmp_path / "there")
    with pytest.raises(ArgumentTypeError, match=f"there is {OBSTACLES[make]}; name a file"):
        file_to_write(str(tmp_path / "there"))
    (tmp_path / "file").touch()
    for name in ("file", "new", "absent/new"):
        assert file_to_write(str(tmp_path / name)) == tmp_path / name


@pytest.mark.parametrize("name", ["x" * 255, "\u00e4" * 127])
def test_a_file_may_have_the_longest_of_names(tmp_path, name):
    write_bytes(tmp_path / name, b"abc")
    assert read_bytes(tmp_path / name) == b"abc"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_takes_a_files_place_meanwhile_is_refused(tmp_path, monkeypatch):
    """Between the look at a path and its opening."""
    path = tmp_path / "thing"
    path.write_text("a file")
    really_open = os.open

    def replaced(name, *arguments):
        path.unlink()
        os.mkfifo(path)
        return really_open(name, *arguments)

    monkeypatch.setattr(os, "open", replaced)
    with pytest.raises(OSError, match="a pipe"):
        open_regular(path)


def test_a_copy_is_what_its_hash_says(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"some bytes" * 1000)
    found = copy_hashed(source, target)
    assert found == hashlib.sha256(target.read_bytes()).hexdigest() == file_sha256(source)
    with pytest.raises(FileExistsError):
        copy_hashed(source, target)


@pytest.mark.parametrize("how", ["overwrite", "truncate", "append"])
def test_a_source_that_changes_while_it_is_copied(tmp_path, monkeypatch, how):
    """The hash is that of the copy, so it can never be that of a file which was never there."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"a" * (3 << 20))
    copyfileobj = atomic.shutil.copyfileobj

    def changing(stream, sink, size):
        sink.write(stream.read(size))
        with source.open("r+b") as other:
            if how == "truncate":
                other.truncate(10)
            else:
                other.seek(0, os.SEEK_END if how == "append" else os.SEEK_SET)
                other.write(b"b" * (3 << 20))
        copyfileobj(stream, sink, size)

    def no_clone(*_):
        raise OSError(errno.EOPNOTSUPP, "no reflinks here")

    monkeypatch.setattr(atomic.fcntl, "ioctl", no_clone)
    monkeypatch.setattr(atomic.shutil, "copyfileobj", changing)
    found = copy_hashed(source, target)
    assert found == hashlib.sha256(target.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize("make", OBSTACLES, ids=lambda make: make.__name__)
def test_a_raw_table_that_is_no_file(tmp_path, suffix, make):
    from emodag.science.tables.csv_tables import CsvTable
    from emodag.science.tables.parquet_tables import ParquetTable

    path = tmp_path / f"table{suffix}"
    make(path)
    with pytest.raises(OSError, match=OBSTACLES[make]):
        (ParquetTable if suffix == ".parquet" else CsvTable)(path)


def test_a_compressed_table_is_read_to_its_end(tmp_path):
    from emodag.science.tables.csv_tables import CsvTable

    path = tmp_path / "table.csv.gz"
    with gzip.open(path, "wt") as stream:
        stream.write("a,b\n" + "1,2\n" * 1000)
    blocks = list(CsvTable(path).blocks(["a"], ["b"]))
    assert sum(len(block.values) for block in blocks) == 1000
