"""The code digest sees what runs and is blind to how it is written down."""

import pytest

from ledger.code.closure import code_closure, definitions, package_root

STAGE = '''
"""A stage."""
from pack.helper import double
import pack.other as other


def run(x):
    """Do it."""
    return double(x)  # twice
'''


@pytest.fixture
def pack(tmp_path, monkeypatch):
    root = tmp_path / "pack"
    (root / "stages").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "stages/__init__.py": "",
        "stages/one.py": STAGE,
        "stages/two.py": "from ..helper import double\n",
        "helper.py": "def double(x):\n    return 2 * x\n",
        "other.py": "import numpy\n",
        "unused.py": "1\n",
    }.items():
        (root / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    package_root.cache_clear()
    yield root
    package_root.cache_clear()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_closure_holds_what_can_be_imported(pack):
    modules = ["pack", "pack.helper", "pack.other", "pack.stages", "pack.stages.one"]
    assert list(code_closure("pack.stages.one")) == modules
    assert "pack.helper" in code_closure("pack.stages.two")
    assert "pack.other" not in code_closure("pack.stages.two")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# twice", "# a much longer comment"),
        ('"""Do it."""', '"""Do it, well."""'),
        ('"""A stage."""', ""),
        ("return double(x)", "return (double(\n        x))"),
        ("\n\n\n", "\n\n\n\n\n"),
    ],
)
def test_blind_to_comments_docstrings_and_formatting(pack, old, new):
    before = code_closure("pack.stages.one")
    edit(pack / "stages" / "one.py", old, new)
    assert code_closure("pack.stages.one") == before


def test_an_edited_helper_moves_its_importers_and_nobody_else(pack):
    before = {m: code_closure(f"pack.stages.{m}") for m in ("one", "two")}
    edit(pack / "other.py", "import numpy", "import numpy\nLIMIT = 3")
    assert code_closure("pack.stages.one") != before["one"]
    assert code_closure("pack.stages.two") == before["two"]
    edit(pack / "helper.py", "2 * x", "2.0 * x")
    assert code_closure("pack.stages.two") != before["two"]


def test_a_string_that_is_not_a_docstring_counts(pack):
    edit(pack / "helper.py", "return 2 * x", "return '2 * x'")
    before = code_closure("pack.stages.one")
    edit(pack / "helper.py", "'2 * x'", "'3 * x'")
    assert code_closure("pack.stages.one") != before


def test_definitions_name_what_was_edited(pack):
    helper = pack / "helper.py"
    helper.write_text(
        "import os\nLIMIT = 2\n\n\nclass Bar(Base):\n    n = 1\n\n    def go(self):\n        pass\n"
    )

    def now():
        return definitions("pack.helper")

    digest, before = now()
    assert digest == code_closure("pack.stages.two")["pack.helper"]
    assert list(before) == ["imports", "constant LIMIT", "method Bar.go", "class Bar"]
    for old, new, name in [
        ("pass", "return 1", "method Bar.go"),
        ("n = 1", "n = 2", "class Bar"),
        ("(Base)", "(Other)", "class Bar"),
        ("LIMIT = 2", "LIMIT = 3", "constant LIMIT"),
        ("import os", "import sys", "imports"),
    ]:
        edit(helper, old, new)
        _, after = now()
        assert [n for n in after if after[n] != before[n]] == [name]
        before = after
    edit(helper, "class Bar", "# a comment\nclass Bar")
    assert now()[1] == before
    assert definitions("pack.absent") is None


def test_what_only_a_type_checker_imports_is_not_followed(pack):
    helper = pack / "helper.py"
    helper.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import pack.other\nelse:\n    import pack.real\n"
    )
    (pack / "real.py").write_text("")
    found = code_closure("pack.stages.two")
    assert "pack.real" in found and "pack.other" not in found


def test_how_errors_are_called_is_in_no_key(pack):
    before = code_closure("pack.stages.two")
    helper = pack / "helper.py"
    helper.write_text(f"from ledger.errors import UserError\n{helper.read_text()}")
    after = code_closure("pack.stages.two")
    assert before.keys() == after.keys()


@pytest.mark.parametrize("name", ["page.html", "style.css", "sort.js"])
def test_a_template_counts_with_its_package(pack, name):
    (pack / name).write_text("first")
    before, (_, parts) = code_closure("pack.stages.two"), definitions("pack")
    (pack / name).write_text("second")
    after = code_closure("pack.stages.two")
    assert [module for module in after if after[module] != before[module]] == ["pack"]
    assert definitions("pack")[1]["templates"] != parts["templates"]


def test_every_stage_imports_only_what_it_needs():
    """A stage that reached the training code would be recomputed at every edit of the network."""
    for stage in ("ingest", "folds", "scale", "pseudo_label", "blend", "submission", "scores"):
        closure = code_closure(f"emodag.stages.{stage}")
        assert not {"emodag.science.fit.training", "emodag.science.fit.model"} & set(closure), stage
        assert all(n.startswith("ledger.disk") for n in closure if n.startswith("ledger."))
