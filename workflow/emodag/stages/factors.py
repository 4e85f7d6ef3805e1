"""Which factors tell the circumstances of two runs apart: with one, it is to blame."""

from collections.abc import Mapping
from typing import Any

from ledger.machine.fingerprint import CPU_VARIABLES

SPELLINGS = {"numpy": "NumPy", "scipy": "SciPy", "torch": "PyTorch", "pyarrow": "PyArrow"}
"""How distributions are called that are not called as they are spelt."""


def factors(
    a: Mapping[str, Any], b: Mapping[str, Any], *, other_seed: bool
) -> list[dict[str, Any]]:
    """The factors in which two runs differ; an effect is that of one only if there is one.

    Parameters
    ----------
    a, b : environments, with `requires` (version by distribution), `variables` and `threads`.
    other_seed : whether the runs also differ in their seed.

    Returns
    -------
    Objects with `name`, and `changes`, objects with `what`, `a` and `b` (text, None where absent).
    Each distribution is a factor; all variables that stand for another processor are one.
    """
    packages = _changes(a["requires"], b["requires"])
    variables = _changes(a["variables"], b["variables"])
    cpu = [change for change in variables if change["what"] in CPU_VARIABLES]
    others = [change for change in variables if change["what"] not in CPU_VARIABLES]
    threads = _changes({"threads": a["threads"]}, {"threads": b["threads"]})
    found = [_factor(SPELLINGS.get(p["what"], p["what"]), [p]) for p in packages]
    found += [_factor("the CPU instruction set", cpu)] if cpu else []
    found += [_factor(f"the variable {change['what']}", [change]) for change in others]
    found += [_factor("the thread count", threads)] if threads else []
    return found + ([_factor("the run seed", [])] if other_seed else [])


def _factor(name: str, changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "changes": changes}


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"what": name, "a": _text(a.get(name)), "b": _text(b.get(name))}
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
