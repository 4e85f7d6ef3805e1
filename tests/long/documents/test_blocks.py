"""Every code block of every page; see the package's own text for what is done with which."""

from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from emodag.config.sections import Config, load
from ledger.errors import ConfigError
from tests.long.documents.blocks import (
    AS_IT_IS,
    PAGES,
    PRINTED,
    PRINTED_ROUGHLY,
    ROOT,
    Block,
    Copy,
    blocks,
    unprinted,
)
from tests.long.documents.commands import mistakes, plain


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """One store for all pages, so that what several of them compute is computed once."""
    return tmp_path_factory.mktemp("store")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page, store, tmp_path):
    copy = Copy.create(tmp_path / "copy", store, as_it_is=page.name in AS_IT_IS)
    found = go_through(blocks(page), copy)
    assert not found, "\n".join(found)


def go_through(page: list[Block], copy: Copy) -> list[str]:
    """What is wrong with the first block of a page that fails, if any, named by its line."""
    output = ""
    for block in page:
        match block.language:
            case "sh" if block.why_not_run:
                found = unrun(block, copy)
            case "sh":
                done = copy.run(block.text)
                output = done.stdout
                failed = done.returncode != block.status
                found = [f"exit status {done.returncode}\n{output}"] if failed else []
            case "yaml":
                found = settings(block.text)
                keep(block, copy)
            case "python":
                found = [] if block.file else ["the first line does not say which file it is"]
                keep(block, copy)
            case "":
                is_printed = block.comment in (PRINTED, PRINTED_ROUGHLY)
                line = unprinted(output, block) if is_printed else None
                found = [f"not printed: {line!r}, but\n{output}"] if line else []
            case "math":
                unbalanced = block.text.count("{") != block.text.count("}")
                found = ["its braces are not balanced"] if unbalanced else []
            case other:
                found = [f"no language of these pages: {other!r}"]
        if found:
            return [f"{block}: {each}" for each in found]
    return []


def unrun(block: Block, copy: Copy) -> list[str]:
    """What is wrong with a block that is not run."""
    head, _, rest = block.text.partition("\n")
    if head.startswith("%%writefile "):
        return settings(rest)
    return mistakes(plain(block.text), copy)


def settings(text: str) -> list[str]:
    """What is wrong with a configuration on top of the default one."""
    values = Config().model_dump()
    try:
        update_config(values, yaml.safe_load(text))
        load(values)
    except (ConfigError, yaml.YAMLError) as error:
        return [str(error)]
    return []


def keep(block: Block, copy: Copy) -> None:
    if block.file:
        path = copy.path / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
