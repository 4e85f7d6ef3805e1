"""What a stage runs and reads is what lay there when its code was checked, and nothing later."""

import os
import shutil
import subprocess
import sys

import pytest

from ledger.code.closure import LEDGER

IMPORTED = """
import sys
from ledger.code.closure import code_closure
from ledger.code.from_source import import_stage
closure = code_closure("emodag.stages.{}")
stage = import_stage("emodag.stages.{}", closure)
"""

ALL_OF_IT = "print(*(name for name in closure if name not in sys.modules))"

A_PAGE = """
from pathlib import Path
from emodag.pages import page_parts
for path in Path("emodag/pages").rglob("*.*"):
    path.suffix == ".py" or path.write_text("EDITED")
print("EDITED" in page_parts.render("drift/page.html", contents=[]))
"""

LAZY = """
from ledger.code.from_source import all_read, import_stage
from pathlib import Path
Path("pack").mkdir()
Path("pack/__init__.py").touch()
Path("pack/stage.py").write_text("def run():\\n    from pack.helper import said\\n    return said")
Path("pack/helper.py").write_text("said = 'before'")
Path("pack/broken.py").write_text("import ctypes\\nctypes.CDLL('libabsent.so')")
names = ["pack", "pack.absent", "pack.broken", "pack.helper", "pack.stage"]
stage = import_stage("pack.stage", names)
Path("pack/helper.py").write_text("said = 'after'")
print(stage.run(), all_read(names[3:]), all_read(["pack.broken"]))
"""

SAY = """
from ledger.code.from_source import import_stage
print(import_stage("pack.stage", ["pack.stage"]).said)
"""


def said(code, where):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=where,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def packages(tmp_path):
    """A copy of all the code."""
    shutil.copytree(LEDGER.parent, tmp_path / "workflow", ignore=shutil.ignore_patterns("__py*"))
    return tmp_path / "workflow"


def test_what_is_imported_while_a_stage_runs_was_read_before(packages):
    """A module that fails to be imported may be imported later, and then be another one."""
    assert said(LAZY, packages) == "before True False"


@pytest.mark.parametrize("stage", ["contrast", "drift"])
def test_stages_that_import_late_have_all_of_their_code(packages, stage):
    assert said(IMPORTED.format(stage, stage) + ALL_OF_IT, packages) == ""


def test_a_template_that_is_edited_while_a_stage_runs(packages):
    assert said(A_PAGE, packages) == "False"


@pytest.mark.parametrize("is_by_hash", [False, True])
def test_bytecode_of_another_source_of_that_size_and_time(packages, is_by_hash):
    stage, here = packages / "pack/stage.py", packages / "pack/__pycache__"
    stage.parent.mkdir()
    (stage.parent / "__init__.py").touch()
    for text in ("before", "later!"):
        stage.write_text(f"said = {text!r}")
        os.utime(stage, (1, 1))
        said(SAY if is_by_hash else "import pack.stage", packages)
        assert said(SAY, packages) == text
    (bytecode,) = here.glob("stage.*")
    made = bytecode.stat().st_mtime_ns
    assert said(SAY, packages) == "later!"
    assert bytecode.stat().st_mtime_ns == made, "it is used"


def test_where_no_bytecode_can_be_written(packages):
    stage = packages / "pack/stage.py"
    stage.parent.mkdir()
    stage.write_text("said = 1")
    (stage.parent / "__pycache__").touch()
    assert said(SAY, packages) == "1"
