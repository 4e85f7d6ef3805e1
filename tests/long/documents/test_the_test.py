"""Pages with a mistake in them do not pass, and commands within sentences are checked, too."""

import re
import shlex

import pytest

from tests.long.documents.blocks import PAGES, ROOT, Copy, blocks
from tests.long.documents.commands import mistake
from tests.long.documents.test_blocks import go_through

UNRUN = "<!-- not run: a test of the test -->\n```sh\n{}\n```\n"

PRINTED = "```sh\necho a 1; echo b\n```\n\n<!-- printed by the block above{} -->\n```\n{}\n```\n"

WRONG = {
    "fails": ("```sh\ntrue; false; true\n```\n", "exit status 1"),
    "fails otherwise": ("<!-- exit status 1: so it is -->\n```sh\ntrue\n```\n", "exit status 0"),
    "part of a pipe fails": ("```sh\nfalse | true\n```\n", "exit status 1"),
    "target": (UNRUN.format("snakemake -c8 results/submision.csv"), "submision"),
    "option": (UNRUN.format("snakemake -c8 --configfil mine.yaml"), "configfil"),
    "file": (UNRUN.format("X=1 snakemake -c8 --configfile no.yaml # c"), "no.yaml"),
    "verb": (UNRUN.format("cd x && python -m emodag whi submission"), "invalid choice: 'whi'"),
    "flag": (UNRUN.format("(python -m emodag \\\n verify --repare)"), "--repare"),
    "make": (UNRUN.format("make setup; make clusters"), "clusters"),
    "syntax": (UNRUN.format("if true; then echo"), "syntax error"),
    "cell": (UNRUN.format("%%writefile a.yaml\nfold: 3"), "fold: no such key"),
    "key": ("```yaml\ntraining: {epoch: 3}\n```\n", "did you mean 'epochs'"),
    "yaml": ("```yaml\na: [\n```\n", "parsing a flow"),
    "printed": (PRINTED.format("", "a 2"), "not printed: 'a 2'"),
    "order": (PRINTED.format(", but for its digits", "b\na 2"), "not printed: 'a 2'"),
    "skipped": (PRINTED.format("", "a 1\nc"), "not printed: 'c'"),
    "language": ("```bash\ntrue\n```\n", "no language of these pages"),
}

RIGHT = [
    PRINTED.format("", "a 1\nb"),
    PRINTED.format("", "b"),
    PRINTED.format(", but for its digits", "a 22\nb"),
    PRINTED.format("", "...\nb\n..."),
    UNRUN.format("snakemake -c8 results/scores.csv && python -m emodag gc a b --delete >x"),
    "<!-- exit status 3: so it is -->\n```sh\nexit 3\n```\n",
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Copy:
    directory = tmp_path_factory.mktemp("copy")
    return Copy.create(directory / "copy", directory / "store")


def gone_through(text: str, copy: Copy, tmp_path) -> list[str]:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{text}")
    return go_through(blocks(page), copy)


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_found(name, copy, tmp_path):
    text, message = WRONG[name]
    (found, *_) = gone_through(text, copy, tmp_path)
    assert found.startswith("page.md:") and message in found


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_passes(text, copy, tmp_path):
    assert not gone_through(text, copy, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_within_sentences(page, copy):
    spans = re.findall(r"`((?:python -m emodag|make) [^`\n]+)`", page.read_text())
    assert not list(filter(None, (mistake(shlex.split(span), copy) for span in spans)))
