"""Facts that are remembered between runs to save work: a JSON file that vouches for itself."""

import json
from pathlib import Path
from typing import Any

from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import digest
from ledger.disk.documents import MALFORMED


def recall(memory: Path) -> dict[str, Any]:
    """What is remembered, or nothing where the file is not as it was written."""
    try:
        record = json.loads(read_bytes(memory))
        return record["facts"] if record["digest"] == digest(record["facts"]) else {}
    except (OSError, *MALFORMED):
        return {}


def keep(memory: Path, facts: dict[str, Any]) -> None:
    """Remember these facts instead of what was remembered before."""
    record = {"facts": facts, "digest": digest(facts)}
    write_bytes(memory, json.dumps(record, indent=1).encode() + b"\n")
