"""Moves: what a user changes on purpose, or only seems to change."""

import os
import shutil
import time
from pathlib import Path

from tests.workflow.scenarios.scenario import SUBMISSION, TINY
from tests.workflow.scenarios.walk.walked import Walked

SETTINGS = {
    "threshold": ("pseudo_labels", "threshold", [0.4, 0.3]),
    "boost": ("pseudo_labels", "boost", [None, {"LVLA": 9.0}]),
    "epochs": ("training", "epochs", [8, 25]),
    "checkpoint_every": ("training", "checkpoint_every", [10, 1]),
    "n_quantiles": ("scaling", "n_quantiles", [20, 30]),
    "min_rows_per_person": ("data", "min_rows_per_person", [2, 3]),
}
"""Section, key, and the values it takes: parameters of every part of the chain."""

BOOSTED = "emodag/science/pseudo_label.py"
CODE = {
    "labels": (BOOSTED, "confidence >= np.full_like", "confidence <= np.full_like"),
    "boost": (BOOSTED, "return probabilities * np.array", "return probabilities / np.array"),
    "blend": (
        "emodag/science/blending.py",
        "np.zeros_like(members[0])",
        "np.ones_like( members[0])",
    ),
    "scale": ("emodag/stages/scale.py", "COLUMNS_AT_ONCE = 64", "COLUMNS_AT_ONCE = 32"),
    "tally": ("ledger/run/tally.py", "KEPT = 20", "KEPT = 21"),
}
"""Edits that leave a file its size: of results, of nothing but the code, of no stage's code."""

MODULES = (
    "emodag/science/blending.py",
    "emodag/stages/scale.py",
    "emodag/chain/chain.py",
    "ledger/store/store.py",
)

ENVIRONMENTS = {
    "plain": {},
    "threads": {"threads": 2},
    "variables": {"variables": {"MKL_CBWR": "COMPATIBLE"}},
}
SLOWER = {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}


def setting(walked: Walked, name: str, value: int) -> None:
    """Give a parameter one of its values."""
    section, key, values = SETTINGS[name]
    walked.set(section, **{key: values[value]})


def seed(walked: Walked, value: int) -> None:
    """Use another seed, and with it other directories."""
    walked.settings["seeds"] = [value]
    walked.configure(**walked.settings)


def environment(walked: Walked, entry: str, slower: bool) -> None:
    """Change what is configured of the environment, and the one Snakemake is called in."""
    walked.set("environments", local=ENVIRONMENTS[entry])
    walked.variables = SLOWER if slower else {}


def code(walked: Walked, edit: str, keep_time: bool) -> None:
    """Edit a module, or take the edit back."""
    name, *texts = CODE[edit]
    old, new = reversed(texts) if edit in walked.edits else texts
    walked.edits ^= {edit}
    path = walked.path / "workflow" / name
    text = path.read_text()
    assert text.count(old) == 1
    _rewrite(path, text.replace(old, new), keep_time)


def comment(walked: Walked, module: str) -> None:
    """Add a comment to a module."""
    path = walked.path / "workflow" / module
    _rewrite(path, f"{path.read_text()}# a comment\n", False)


def raw(walked: Walked, table: str, digit: int, keep_time: bool) -> None:
    """Change a digit of a raw table, or write the same one again."""
    path = walked.path / f"{table}.csv"
    lines = path.read_text().splitlines(keepends=True)
    cells = lines[30 if table == "train" else 7].split(",")
    cells[1] = f"{cells[1][:-1]}{digit}"
    lines[30 if table == "train" else 7] = ",".join(cells)
    _rewrite(path, "".join(lines), keep_time)


def take_all_back(walked: Walked, keep_time: bool) -> None:
    """Configuration, environment and code as they were at first."""
    walked.settings = dict(TINY)
    walked.configure(**TINY)
    walked.variables = {}
    for edit in sorted(walked.edits):
        code(walked, edit, keep_time)


def touch(walked: Walked, kind: str, n: int, days: int) -> None:
    """Give a file another modification time, in the past or the future perhaps."""
    if path := walked.pick(kind, n):
        then = time.time() + days * 86400
        os.utime(path, (then, then))


def touch_all(walked: Walked) -> None:
    """`snakemake --touch`."""
    walked.run("--touch", SUBMISSION, check=False, **walked.variables)


def back_up(walked: Walked) -> None:
    """Put a copy of the results aside."""
    aside = walked.path.with_name("aside")
    shutil.rmtree(aside, ignore_errors=True)
    if (walked.path / "results").exists():
        shutil.copytree(walked.path / "results", aside)


def copy_results_over(walked: Walked, times: bool, instead: bool) -> None:
    """Copy the results put aside over the present ones, or in their place."""
    aside, results = walked.path.with_name("aside"), walked.path / "results"
    if aside.exists():
        if instead:
            shutil.rmtree(results, ignore_errors=True)
        copy = shutil.copy2 if times else shutil.copyfile
        shutil.copytree(aside, results, copy_function=copy, dirs_exist_ok=True)


def _rewrite(path: Path, text: str, keep_time: bool) -> None:
    """Write a file; with its modification time kept, which its change time betrays."""
    status = path.stat()
    path.write_text(text)
    if keep_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
