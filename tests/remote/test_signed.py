"""Signed records: by real keys, as `ssh-keygen` makes them."""

import subprocess
from pathlib import Path

import pytest

from ledger.errors import InputError
from ledger.remote.address import address
from ledger.remote.push import push
from ledger.remote.signing import signature_name, signer
from ledger.remote.through import StoreThrough
from ledger.store.store import Store
from tests.filled import bar, files, filled, key_of
from tests.project import jobs
from tests.words import ALL, Words

pytest.importorskip("cryptography", reason="needs what `make test-remote` installs")

KEYS = [key_of(0), key_of(1)]


def made(path: Path, *options: str) -> Path:
    """A private key; the public one is beside it."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", *options, "-f", path]
    subprocess.run(command, check=True)
    return path


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text()


@pytest.fixture
def alice(tmp_path) -> Path:
    return made(tmp_path / "alice")


@pytest.fixture
def lab(tmp_path, alice) -> Store:
    """A store behind others, with two records that Alice has signed."""
    (tmp_path / "lab").mkdir()
    put(tmp_path, alice)
    return Store(tmp_path / "lab")


def put(tmp_path, *by: Path, contents=(b"one", b"two")) -> None:
    mine = filled(tmp_path / "mine", list(contents))
    for key in by or [None]:
        place = address(str(tmp_path / "lab"))
        push(
            mine,
            place,
            KEYS[: len(contents)],
            bar,
            key and signer(key),
        )


def brought(tmp_path, *trusted: str) -> tuple[Store, list[str]]:
    store, said = StoreThrough(tmp_path / "theirs", [str(tmp_path / "lab")], trusted), []
    store.bring(store.find(KEYS, said.append), said.append)
    return store, said


def test_what_somebody_trusted_has_signed(lab, alice, tmp_path):
    bob = made(tmp_path / "bob")
    store, said = brought(tmp_path, public(bob))
    name = lab.name(lab.action(KEYS[0]))
    assert len(said) == 1 and "is signed by nobody who is `trusted` (and 1 more" in said[0]
    assert files(store.root) == {} and name.startswith("actions/")
    store, said = brought(tmp_path, public(bob), public(alice))
    assert said == [] and files(store.root) == files(lab.root)


def test_without_trust_all_is_believed(lab, tmp_path):
    assert brought(tmp_path)[1] == []


def test_several_vouch_for_one_record(lab, tmp_path):
    bob = made(tmp_path / "bob")
    put(tmp_path, bob)
    assert brought(tmp_path, public(bob))[1] == []
    assert len(list((lab.root / "signatures").glob("*/*"))) == 4


def test_a_forged_record_and_a_signature_of_another(lab, alice, tmp_path):
    """Who may write a store, and has no key, can make nobody believe anything."""
    raw = signer(alice).public
    one, two = (lab.root / signature_name(key, raw) for key in KEYS)
    forged = filled(tmp_path / "forged", [b"ONE", b"TWO"])
    for name, content in files(forged.root).items():
        target = lab.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(content)
    store, said = brought(tmp_path, public(alice))
    assert "(and 1 more like it)" in said[0] and files(store.root) == {}
    two.chmod(0o644)
    two.write_bytes(one.read_bytes())
    store, said = brought(tmp_path, public(alice))
    assert files(store.root) == {}
    # Nor does she sign it by pushing hers, which is otherwise.
    put(tmp_path, alice)
    assert files(brought(tmp_path, public(alice))[0].root) == {}


@pytest.mark.parametrize("spoilt", [b"", b"\0" * 64, b"x" * 10_000])
def test_a_damaged_signature_is_made_anew_by_the_next_push(lab, alice, tmp_path, spoilt):
    path = lab.root / signature_name(KEYS[1], signer(alice).public)
    path.chmod(0o644)
    path.write_bytes(spoilt)
    store, said = brought(tmp_path, public(alice))
    assert len(said) == 1 and store.peek(KEYS[0]) and not store.peek(KEYS[1])
    put(tmp_path, alice)
    assert brought(tmp_path, public(alice))[1] == []


def test_what_is_no_key_to_sign_with(tmp_path, alice):
    (tmp_path / "none").write_text("nothing")
    locked, other = made(tmp_path / "locked", "-N", "secret"), made(tmp_path / "rsa", "-t", "rsa")
    for path, said in ((tmp_path / "nope", "no such key file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=rf"{path.name}: {said}.*ssh-keygen -t ed25519"):
            signer(path)
    for path in (tmp_path / "none", locked, other, alice.with_name("alice.pub")):
        with pytest.raises(InputError, match=rf"{path.name}: .*ssh-keygen -t ed25519"):
            signer(path)


def test_a_run(tmp_path, alice):
    """Of what nobody trusted has signed, no job of it takes anything, and it is said once."""
    bob, lab = made(tmp_path / "bob"), tmp_path / "lab"
    lab.mkdir()
    first = Words.create(tmp_path / "first")
    first.run()
    said = first.ends("words", "push", "--to", str(lab), "--sign", str(alice))
    assert "3 records and 3 files put there" in said.stderr
    assert f"3 records there signed with {alice}." in said.stderr
    other = Words.create(tmp_path / "other")
    told = f"json.dumps(config), further=[{str(lab)!r}], trusted=[config['who']])"
    other.edit("words/jobs.py", "json.dumps(config))", told)
    done = other.run("--config", f"who={public(bob).strip()}")
    assert jobs(done, "RUN") == ALL and done.stderr.count("signed by nobody") >= 1
    third = Words.create(tmp_path / "third")
    third.edit("words/jobs.py", "json.dumps(config))", told)
    done = third.run("--config", f"who={public(alice).strip()}")
    assert jobs(done, "HIT") == ALL and "signed by nobody" not in done.stderr
