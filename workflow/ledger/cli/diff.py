"""`diff A B`: where two results part, why, and how far they are apart."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.cli.printing import answer
from ledger.jobs.targets import of_digest
from ledger.words import LONG, SHORT, listed, plural, spelt


def add(verbs) -> None:
    """Add the verb to the command line."""
    diff = verbs.add_parser(
        "diff",
        help="tell where two results part, why, and by how much",
        description="Compare two directories of results, or two manifests. Tells which job is the "
        "first to differ, which ingredients of its key do, and how far its values are apart. Jobs "
        "are matched by their names below the directories, so results/ENV of two environments can "
        "be compared. For results elsewhere a pack of theirs will do (see `pack`), or a directory "
        "in one, such as elsewhere.zip/ENV: of files that a pack does not hold, it tells which "
        "columns or tensors differ. Exit status: 0 if identical, 1 if different, 2 on error.",
    )
    diff.add_argument(
        "a", type=Path, metavar="A", help="results, a part of them, a pack, a manifest, or a digest"
    )
    diff.add_argument("b", type=Path, metavar="B", help="what to compare it with")
    diff.add_argument("--all", action="store_true", help="describe every job that differs")
    diff.add_argument("--json", action="store_true", help="print JSON instead")
    diff.set_defaults(verb=_diff, failure=2)


def _diff(options: argparse.Namespace) -> int:
    from ledger.compare.difference import difference, is_identical

    found = difference(_place(options.a), _place(options.b), everything=options.all)
    answer(options.json, found, _lines(found))
    return 0 if is_identical(found) else 1


def _place(named: Path) -> Path:
    """What is there by that name, or the manifest in the results that has such a digest."""
    return named if named.exists() else of_digest(str(named)) or named


def _lines(found: dict[str, Any]) -> Iterator[str]:
    """What was found: whether the data are the same, the answer, who is on one side only."""
    for data in found["data_differ"]:
        a, b = (f"{data[side]['path']} ({data[side]['digest'][:SHORT]})" for side in "ab")
        yield f"different data: A was made from {a}, B from {b}. These runs need not agree."
    yield _summary(found)
    yield from _jobs(found)
    for side in "ab":
        for job in found[f"only_in_{side}"]:
            yield f"only in {found[side]}: {job}"


def _summary(found: dict[str, Any]) -> str:
    keys, values = len(found["keys_differ"]), len(found["values_differ"])
    both = f"{found['in_both']} jobs in both: "
    if not keys and not values:
        return f"{both}the same keys, the same values."
    if not values:
        return f"{both}{keys} differ in their keys, and all values are identical."
    return f"{both}{keys} differ in their keys, {values} in their values."


def _jobs(found: dict[str, Any]) -> Iterator[str]:
    keys, values = found["keys_differ"], found["values_differ"]
    for job in found["jobs"]:
        name = job["job"]
        first = [what for what, names in (("key", keys), ("values", values)) if names[:1] == [name]]
        title = f"first to differ in {' and '.join(first)}: " if first else ""
        yield f"{title}{name or found['a']} (stage {job['stage']})"
        if not job["key"]:
            yield "  the same key: the computation does not repeat its own bits"
        yield from (f"  {change_line(change)}" for change in job["key"])
        for file, apart in job["outputs"].items():
            yield from (f"  {file}: {line}" for line in apart_lines(apart))


def change_line(change: dict[str, Any]) -> str:
    """What `ledger.compare.dotted.changes` says of one leaf, in a line."""
    sides = [spelt(change[side]) if side in change else "absent" for side in "ab"]
    if any(len(text) > LONG for text in sides):
        # Only the words in which they differ.
        left, right = (text.split() for text in sides)
        sides = [
            " ".join(word for word in mine if word not in other) or "(nothing)"
            for mine, other in ((left, right), (right, left))
        ]
        return f"{change['key']}: {sides[0]} -> {sides[1]} (where they differ)"
    return f"{change['key']}: {sides[0]} -> {sides[1]}"


def apart_lines(apart: dict[str, Any]) -> Iterator[str]:
    """What `file_distance` says of one file, in lines."""
    if "unknown" in apart:
        yield apart["unknown"]
    if "in_both" in apart:
        names, of = apart["differ"], plural(apart["in_both"], "part")
        yield f"{len(names)} of {of} differ by their digests{': ' if names else ''}{listed(names)}"
    for side in "ab":
        if names := apart.get(f"only_in_{side}"):
            yield f"only in {side.upper()}: {listed(names)}"
    for what, pairs in (("type", apart.get("types", {})), ("shape", apart.get("shapes", {}))):
        yield from (f"{what} of {name}: {a} -> {b}" for name, (a, b) in pairs.items())
    if rows := apart.get("rows"):
        yield f"rows: {rows[0]} -> {rows[1]}"
    if whole := apart.get("whole"):
        yield _figures(whole) + _worst(apart["parts"])
    yield from map(change_line, apart.get("changes", ()))
    if lines := apart.get("lines"):
        of = f"{lines['a']}" if lines["a"] == lines["b"] else f"{lines['a']} and {lines['b']}"
        yield f"{lines['differ']} of {of} lines differ"
    if first := apart.get("first"):
        sides = [repr(first[side]) if side in first else "absent" for side in "ab"]
        yield f"line {first['line']}: {sides[0]} -> {sides[1]}"


def _figures(whole: dict[str, Any]) -> str:
    text = f"{whole['differing']:,} of {whole['cells']:,} cells differ ({whole['share']:.3%})"
    if whole["absolute"] is not None:
        text += f", at most by {whole['absolute']:.3g}, relatively by {whole['relative']:.3g}"
    if whole["ulps"] is not None:
        text += f", {whole['ulps']:,} ulp"
    if whole["incomparable"]:
        text += f"; {whole['incomparable']:,} of them where either is missing or infinite"
    return text


def _worst(parts: dict[str, dict[str, Any]]) -> str:
    """Which column or tensor differs most, where there are several."""
    if len(parts) < 2:
        return "".join(f" (all in {name})" for name in parts)
    worst = max(parts, key=lambda name: (parts[name]["relative"] or 0, parts[name]["share"]))
    return f" (in {len(parts)} parts, most in {worst})"
