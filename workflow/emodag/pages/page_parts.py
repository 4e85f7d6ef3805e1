"""What the pages share: their templates, sections, tables, and tables as files."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import DictLoader, Environment
from markupsafe import Markup, escape

from emodag.pages.words import MINUS

HERE = Path(__file__).resolve().parent

TEMPLATES = {
    path.relative_to(HERE).as_posix(): path.read_text(encoding="utf-8")
    for path in HERE.rglob("*")
    if path.suffix in (".html", ".css", ".js")
}
"""Read with the code: an edit while a job runs is in none of its pages."""

NONE = "\N{EN DASH}"
"""What a cell shows that has nothing to show."""

MOST_FOLDS = 10
"""As many folds as are told apart in columns of a table, or as lines of a figure."""


class Table(NamedTuple):
    """A table; the first cell of a row is its heading; a cell may be `Markup` with a link.

    Attributes
    ----------
    of : what its title is of, where the page has several of one title.
    """

    title: str
    heads: list[str]
    rows: list[list[str]]
    note: str = ""
    of: str = ""

    @property
    def label(self) -> str:
        """What no other table of the page is called."""
        return f"{self.title}, {self.of}" if self.of else self.title

    @property
    def linked(self) -> set[int]:
        """The columns after the first that hold links, which are read as text."""
        return {
            at
            for row in self.rows
            for at, cell in enumerate(row)
            if at and isinstance(cell, Markup)
        }

    @property
    def file(self) -> Markup:
        """A link that saves it."""
        rows = ([Markup(cell).striptags().replace(MINUS, "-") for cell in row] for row in self.rows)
        return csv_link(self.label, self.heads, rows)


class Commands(NamedTuple):
    """Lines for a shell."""

    commands: str


class Files(NamedTuple):
    """Links that save files which the page holds."""

    text: str
    files: list[Markup]


class Section(NamedTuple):
    """A section: paragraphs, tables, groups of figures, and so on, in the order to show them in.

    Attributes
    ----------
    name : its id in the page.
    blocks : `str`, `Table`, lists of `emodag.pages.drawing.Figure`, `Commands`, `Files`.
    """

    name: str
    title: str
    blocks: list[Any]


def csv_link(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """A link that saves a table as a file, which the page holds; numbers have all their digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(["" if is_nothing(value) else value for value in row] for row in rows)
    file = re.sub(r"\W+", "-", name.lower()).strip("-") + ".csv"
    return file_link(file, stream.getvalue(), f"CSV<span> of {escape(name)}</span>")


def file_link(file: str, content: str, text: str) -> Markup:
    """A link that saves a text as a file, which the page holds."""
    data = quote(content, safe=",;:/+=()")
    return Markup(
        f'<a download="{escape(file)}" href="data:text/csv;charset=utf-8,{data}">{text}</a>'
    )


def is_nothing(value: Any) -> bool:
    """Whether there is nothing to show: None, NaN, or an empty cell."""
    return value is None or value != value or value in ("", NONE)


def shown(value: Any, show: Callable[[Any], str]) -> str:
    """A cell with a value, `NONE` where there is nothing to show."""
    return NONE if is_nothing(value) else show(value)


def render(name: str, others: Mapping[str, str] | None = None, **values: Any) -> str:
    """The page of a Jinja template of `TEMPLATES` and `others`, which escapes `values`.

    It may import and include any of them.
    """
    environment = Environment(autoescape=True, loader=DictLoader(TEMPLATES | (others or {})))
    environment.filters["code"] = _code
    return environment.get_template(name).render(**values) + "\n"


def _code(text: str) -> Markup:
    """Escaped text, with what stands in backticks as code, whose lines break between its words."""

    def code(match: re.Match) -> str:
        words = match[1].split(" ")
        told = " ".join(f"<span>{word}</span>" for word in words) if len(words) > 1 else match[1]
        return f"<code>{told}</code>"

    return Markup(re.sub("`([^`]+)`", code, str(escape(text))))
