"""What a section of the report is made of."""

from typing import NamedTuple

from emodag.pages.page_parts import Table


class Figure(NamedTuple):
    """A drawing, as SVG, and what it shows."""

    svg: str
    caption: str


class Commands(NamedTuple):
    """Lines for a shell."""

    commands: str


class Section(NamedTuple):
    """A section: paragraphs, tables, groups of figures and commands, in the order to show them in.

    Attributes
    ----------
    name : its id in the page.
    """

    name: str
    title: str
    blocks: list[str | Table | list[Figure] | Commands]


def stage_name(stage: str) -> str:
    """What people call a stage, such as `generation 2` for `gen2`."""
    return stage.replace("gen", "generation ").replace("stage", "stage ")


def capital(text: str) -> str:
    """The same with a capital letter to begin with."""
    return text[:1].upper() + text[1:]
