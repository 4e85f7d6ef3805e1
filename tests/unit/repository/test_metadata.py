"""What the repository says of itself elsewhere agrees with pyproject.toml and with the workflow."""

import re
import tomllib
from pathlib import Path

import yaml

from emodag.application import main
from emodag.chain.stages import TABLE

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_command_says_this_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"emodag {PROJECT['version']}\n"


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_changelog_keeps_its_form():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", v) for v in versions[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_catalog_is_told_what_is_true():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    rules = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    used = {
        "conda": any("conda:" in text for text in rules),
        "apptainer": any("container:" in text for text in rules),
    }
    stack = usage["software-stack-deployment"]
    assert {name: stack[name] for name in used} == used
    assert usage["report"] == any(stage.shown for stage in TABLE)
