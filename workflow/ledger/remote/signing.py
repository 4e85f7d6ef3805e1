"""Who vouches for a record: signatures by ed25519 keys, which are written as OpenSSH writes them.

Signed is what a computation led to: its key, its outputs, whose labels it saw. Not signed is what
is told of it beside, such as when and where it was made. A signature lies beside the records of a
further store, in a file of its own for each key and signer, so several may vouch for one record.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from ledger.disk.canonical import canonical_json
from ledger.errors import InputError
from ledger.store.store import Action

BYTES = 64
"""How long a signature is."""

_START = struct.pack(">I11sI", 11, b"ssh-ed25519", 32)


class Signer(NamedTuple):
    """A private key.

    Attributes
    ----------
    public : the 32 bytes of its public key.
    sign : makes a signature of some bytes.
    """

    public: bytes
    sign: Callable[[bytes], bytes]


def public_key(text: str) -> bytes:
    """The 32 bytes of a public key that is written as in a file `id_ed25519.pub`.

    Raises
    ------
    ValueError
        When it is none.
    """
    kind, _, rest = text.strip().partition(" ")
    try:
        content = base64.b64decode(rest.split(" ")[0], validate=True)
    except binascii.Error:
        content = b""
    if kind != "ssh-ed25519" or len(content) != len(_START) + 32 or content[:19] != _START:
        raise ValueError(
            f"{text!r} is no public key of ed25519; expected a line as in ~/.ssh/id_ed25519.pub, "
            "such as 'ssh-ed25519 AAAA...'"
        )
    return content[19:]


def statement(key: str, action: Action) -> bytes:
    """What is signed of a record."""
    outputs = {name: asdict(output) for name, output in action.outputs.items()}
    told = {"key": key, "outputs": outputs, "labels_seen": action.labels_seen}
    return b"ledger record\n" + canonical_json(told)


def signature_name(key: str, public: bytes) -> str:
    """The name in a store of the file with somebody's signature of a record."""
    return f"signatures/{key[:2]}/{key[2:]}-{hashlib.sha256(public).hexdigest()[:16]}"


def is_signed(text: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a signature of some bytes is that of a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def signer(path: Path) -> Signer:
    """The private key in a file as `ssh-keygen -t ed25519` makes it, without a passphrase.

    Raises
    ------
    InputError
        When it holds no such key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        found = load_ssh_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise InputError(f"{path}: no such key file{_ADVICE}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a key file{_ADVICE}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: no private key to sign with ({error}){_ADVICE}") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise InputError(f"{path}: a key of another kind than ed25519{_ADVICE}")
    return Signer(found.public_key().public_bytes_raw(), found.sign)


_ADVICE = "; make one by `ssh-keygen -t ed25519 -N '' -f FILE`"
