"""Packs: deterministic, bounded, and refused unless they are just what was packed."""

import hashlib
import io
import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.disk.canonical import digest
from ledger.errors import InputError, UserError
from ledger.jobs.manifest import Manifest, Output, Source
from ledger.store import pack
from tests.unit.ledger.test_store import ENVIRONMENT

INGREDIENTS = {
    "code": {},
    "params": {},
    "environment": ENVIRONMENT,
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def results(tmp_path) -> Path:
    for job in ("raw", "local/table", "submission"):
        file = "x.csv"
        made = Manifest(
            job=job,
            stage="stage",
            plan=digest(job),
            key=digest([job]),
            ingredients=INGREDIENTS,
            inputs={},
            origins={},
            outputs={
                file: Output(logical=digest(file), sha256=sha256(job), bytes=len(job)),
                "lost.csv": Output(logical=digest(file), sha256=digest(file), bytes=1),
            },
            labels_seen=("person 1",),
        )
        home = tmp_path / "results" / ("" if job == "submission" else job)
        prefix = "submission." if job == "submission" else ""
        made.write(home / f"{prefix}manifest.json")
        (home / f"{prefix}provenance.json").write_text("{}")
        (home / file).write_text(job)
    (tmp_path / "results/.plan").mkdir()
    (tmp_path / "results/.plan/manifest.json").write_text("no manifest")
    return tmp_path / "results"


def zipped(path: Path, files: dict[str, bytes], **options) -> Path:
    """A zip file with an index that fits, but for an `index` of its own."""
    index = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files = {"index.json": json.dumps({"schema": 2, "files": index}).encode(), **files}
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_manifests_and_sidecars_and_sound_outputs(results, tmp_path):
    out = tmp_path / "out.zip"
    (results / "raw/x.csv").write_text("rav")
    assert pack.write_pack(results, out) == (3, 2)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [
            "index.json",
            "local/table/manifest.json",
            "local/table/provenance.json",
            "local/table/x.csv",
            "raw/manifest.json",
            "raw/provenance.json",
            "submission.manifest.json",
            "submission.provenance.json",
            "x.csv",
        ]
        archive.extractall(tmp_path / "unpacked")
    found = pack.read_pack(out, Path())
    assert set(found) == {"raw", "local/table", "submission"}
    assert found["raw"].manifest == Manifest.read(results / "raw/manifest.json")
    assert found["raw"].files == {} and found["submission"].files == {"x.csv": b"submission"}
    assert found["local/table"].path == out / "local/table/manifest.json"
    assert set(pack.read_pack(out, Path("local"))) == {"table"}
    again = tmp_path / "again.zip"
    pack.write_pack(tmp_path / "unpacked", again)
    assert again.read_bytes() == out.read_bytes()


def test_a_raw_file_that_is_a_zip_file_is_not_written_over(results, tmp_path):
    place = results / "raw/manifest.json"
    raw = Source(path="train.zip", sha256=sha256("rows"))
    replace(Manifest.read(place), inputs={"train": digest("rows")}, origins={"train": raw}).write(
        place
    )
    (tmp_path / "train.zip").write_text("rows")
    with pytest.raises(InputError, match=r"train\.zip: is the raw file"):
        pack.write_pack(results, tmp_path / "train.zip")
    assert (tmp_path / "train.zip").read_text() == "rows"


def test_small_outputs_and_the_smallest_of_them(results, tmp_path, monkeypatch):
    """The contents are `raw`, `submission` and `local/table`: 3, 10 and 11 bytes."""
    out = tmp_path / "out.zip"

    def carried():
        pack.write_pack(results, out)
        return {name for name, job in pack.read_pack(out, Path()).items() if job.files}

    assert carried() == {"raw", "submission", "local/table"}
    monkeypatch.setattr(pack, "SMALL_TOTAL", 3 * 1 + 3 + 10 + 10)
    assert carried() == {"raw", "submission"}
    monkeypatch.setattr(pack, "SMALL_BYTES", 9)
    assert carried() == {"raw"}


def test_outputs_that_are_not_what_their_manifest_says(results, tmp_path, monkeypatch):
    manifest = (results / "raw/manifest.json").read_bytes()

    def made(content):
        return zipped(tmp_path / "x.zip", {"a/manifest.json": manifest, "a/x.csv": content})

    assert pack.read_pack(made(b"raw"), Path())["a"].files == {"x.csv": b"raw"}
    with pytest.raises(InputError, match=r"a/x\.csv is not what its manifest says"):
        pack.read_pack(made(b"rav"), Path())
    monkeypatch.setattr(pack, "SMALL_TOTAL", 2)
    with pytest.raises(InputError, match="holds more of outputs than a pack may"):
        pack.read_pack(made(b"raw"), Path())
    monkeypatch.setattr(pack, "SMALL_BYTES", 2)
    with pytest.raises(InputError, match=r"a/x\.csv is not .* too large"):
        pack.read_pack(made(b"raw"), Path())


def test_a_path_may_lead_into_a_pack(results, tmp_path):
    out = tmp_path / "out.zip"
    pack.write_pack(results, out)
    assert pack.pack_in(out) == pack.pack_in(out / "local/table") == out
    assert pack.pack_in(results) is None and pack.pack_in(tmp_path / "no.zip") is None
    with pytest.raises(InputError, match=r"out\.zip/other: holds no manifest"):
        pack.read_pack(out, Path("other"))


def test_what_is_not_packed(results, tmp_path):
    with pytest.raises(InputError, match=r"out\.tar: a pack is a zip file"):
        pack.write_pack(results, tmp_path / "out.tar")
    (results / "raw/manifest.json").write_text("{}")
    with pytest.raises(UserError, match=r"raw/manifest\.json: not a manifest"):
        pack.write_pack(results, tmp_path / "out.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no manifest"):
        pack.write_pack(tmp_path / "empty", tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


NAMES = ["/manifest.json", "../manifest.json", "a/../manifest.json", "a\\..\\manifest.json"]


@pytest.mark.parametrize("name", [*NAMES, "a//manifest.json", "./manifest.json"])
def test_paths_that_lead_out(results, tmp_path, name):
    content = (results / "raw/manifest.json").read_bytes()
    with pytest.raises(InputError, match="is no path of a file in it"):
        pack.read_pack(zipped(tmp_path / "bad.zip", {name: content}), Path())


def test_an_altered_pack(results, tmp_path):
    content = (results / "raw/manifest.json").read_bytes()
    out = zipped(tmp_path / "out.zip", {"raw/manifest.json": content})
    assert list(pack.read_pack(out, Path())) == ["raw"]

    def refused(reason, path=out):
        with pytest.raises(InputError, match=f"not a pack as it was made .*{reason}"):
            pack.read_pack(path, Path())

    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("more/manifest.json", content)
    refused("not hold just what its index lists")
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("raw/manifest.json", content)
    refused("not hold just what its index lists")
    wrong = {"schema": 2, "files": {"raw/manifest.json": "0" * 64}}
    for index, reason in (
        (wrong, "not what its index says"),
        ({"schema": 1, "files": {}}, "another schema"),
        ([], "indices must be integers"),
        ({"schema": 2, "files": 3}, "must be an iterable"),
    ):
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("index.json", json.dumps(index))
            archive.writestr("raw/manifest.json", content)
        refused(reason)
    refused("other way", zipped(out, {"a/manifest.json": b"x"}, compression=zipfile.ZIP_LZMA))
    out.write_bytes(b"PK\x05\x06 not a zip file")
    refused("not a zip file")
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("manifest.json", content)
    refused("no item named 'index.json'")


def test_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "MEMBER_BYTES", 1000)
    monkeypatch.setattr(pack, "TOTAL_BYTES", 3000)
    monkeypatch.setattr(pack, "MEMBERS", 20)
    for files in (
        {"manifest.json": bytes(1001)},
        {f"{n}/manifest.json": bytes(900) for n in range(4)},
        {f"{n}/manifest.json": b"" for n in range(20)},
    ):
        out = zipped(tmp_path / "big.zip", files, compression=zipfile.ZIP_DEFLATED)
        with pytest.raises(InputError, match=r"more than a pack may|larger than a pack"):
            pack.read_pack(out, Path())


def test_a_zip_file_that_lies_about_its_sizes(tmp_path):
    """A small size in the directory of a file that unpacks to more must not be believed."""
    bomb = io.BytesIO()
    zipped(bomb, {"manifest.json": bytes(1 << 20)}, compression=zipfile.ZIP_DEFLATED)
    content = bomb.getvalue().replace(struct.pack("<I", 1 << 20), struct.pack("<I", 10))
    (tmp_path / "bomb.zip").write_bytes(content)
    with pytest.raises(InputError, match="Bad CRC-32"):
        pack.read_pack(tmp_path / "bomb.zip", Path())


def test_an_encrypted_pack(tmp_path):
    content = zipped(tmp_path / "out.zip", {"manifest.json": b"x"}).read_bytes()
    # Bit 0 of the flags, in the local headers and in the directory.
    content = content.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
    content = content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    (tmp_path / "out.zip").write_bytes(content)
    with pytest.raises(InputError, match="encrypted"):
        pack.read_pack(tmp_path / "out.zip", Path())
