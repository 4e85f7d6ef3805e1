"""What the pages share: their templates and style sheets, and tables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, Template

HERE = Path(__file__).resolve().parent

NONE = "\N{EN DASH}"
"""What a cell shows that has nothing to show."""


MOST_FOLDS = 10
"""As many folds as are told apart in columns of a table, or as lines of a figure."""


class Table(NamedTuple):
    """A table; the first cell of a row is its heading."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    note: str = ""


def text(name: str) -> str:
    """The text of a file beside this one, such as a style sheet."""
    return (HERE / name).read_text(encoding="utf-8")


def template(name: str, where: Path = HERE, **filters: Callable[[Any], Any]) -> Template:
    """The Jinja template in a file of a directory, which escapes what is put into it.

    It may import those beside this file.
    """
    environment = Environment(autoescape=True, loader=FileSystemLoader([where, HERE]))
    environment.filters |= filters
    return environment.get_template(name)
