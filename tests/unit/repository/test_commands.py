"""Commands in the pages are commands that there are: verbs, and options of theirs."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emodag.application import EMODAG, VERBS
from ledger.cli.command import parser
from tests.unit.repository.test_links import PAGES, ROOT

VERB = re.compile(r"(?:^|[`;&(] ?)(?:python -m )?emodag ([a-z]+\b)?([^`;&\n#]*)", re.MULTILINE)
CODE = re.compile(r"^```sh\n(.*?)^```|(`[^`\n]+`)", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The options of every verb."""
    (verbs,) = (
        action
        for action in parser(EMODAG, VERBS)._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return {name: set(found._option_string_actions) for name, found in verbs.choices.items()}


def commands(text: str) -> list[tuple[str, set[str]]]:
    """The verbs of a page's code, each with its options."""
    code = "\n".join("".join(groups) for groups in CODE.findall(text))
    return [
        (verb, set(re.findall(r"--[a-z-]+", rest))) for verb, rest in VERB.findall(code) if verb
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_verbs_and_options_are_there(page: Path, options):
    wrong = [
        (verb, asked)
        for verb, asked in commands(page.read_text())
        if verb not in options or asked - options[verb]
    ]
    assert not wrong


def test_what_is_not_there_is_found():
    text = "`emodag kagle x`, `emodag gc --all`\n```sh\npython -m emodag why a --json | cat\n```\n"
    assert commands(text) == [("kagle", set()), ("gc", {"--all"}), ("why", {"--json"})]


@pytest.mark.parametrize(
    ("verbs", "heavy"),
    [
        ("VERBS", ("numpy", "pandas", "pyarrow", "torch", "sklearn", "scipy", "matplotlib")),
        ("['ledger.cli.run']", ("numpy", "pydantic", "yaml", "snakemake")),
    ],
)
def test_the_command_line_imports_little(verbs: str, heavy: tuple[str, ...]):
    """With conda, packages of jobs are in the environments of jobs alone; jobs start often."""
    code = (
        "import sys; from emodag.application import EMODAG, VERBS; from ledger.cli import command; "
        f"command.parser(EMODAG, {verbs}); sys.exit(str(set({heavy}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )
    assert done.stderr == "set()\n"
