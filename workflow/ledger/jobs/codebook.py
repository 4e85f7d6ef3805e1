"""What each version of a module consisted of, so that an edit can be named.

Plans and manifests hold one digest per module. What was behind it is written down here, once per
version, in a small file called by that digest. Nothing but explanations is made of it.
"""

import json
from pathlib import Path

from ledger.code.closure import definitions
from ledger.disk.atomic import write_bytes
from ledger.disk.canonical import is_sha256
from ledger.disk.documents import read_object
from ledger.jobs.plan import PLANS, Plan

BOOK = PLANS / ".code"


def remember(plan: Plan) -> None:
    """Write down what the modules of this plan define now, where that is not yet known."""
    for module, digest in plan.code.items():
        if _page(digest).exists():
            continue
        found = definitions(module)
        if found is not None:
            write_bytes(_page(found[0]), json.dumps(found[1], indent=1).encode() + b"\n")


def edits(module: str, digest: str) -> list[str]:
    """What differs between a module's version with this digest and the present one.

    Phrases such as ``function fit changed``; none where that version was never written down.
    """
    before, found = _read(digest), definitions(module)
    if before is None or found is None:
        return []
    now = found[1]
    return [
        f"{name} {'is new' if name not in before else 'is gone' if name not in now else 'changed'}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _page(digest: str) -> Path:
    return BOOK / f"{digest}.json"


def _read(digest: str) -> dict[str, str] | None:
    return read_object(_page(digest)) if is_sha256(digest) else None
