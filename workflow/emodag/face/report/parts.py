"""What a section of the report is made of."""

from typing import NamedTuple

from emodag.face.page_parts import Table

NAMES = {"stage0": "stage 0"}


class Figure(NamedTuple):
    """A drawing, as SVG, and what it shows."""

    svg: str
    caption: str


class Section(NamedTuple):
    """A section: paragraphs, tables and groups of figures, in the order to show them in.

    Attributes
    ----------
    name : its id in the page.
    """

    name: str
    title: str
    blocks: list[str | Table | list[Figure]]


def stage_name(stage: str) -> str:
    """What people call a stage, such as `generation 2` for `gen2`."""
    return NAMES.get(stage, stage.replace("gen", "generation "))


def capital(text: str) -> str:
    """The same with a capital letter to begin with."""
    return text[:1].upper() + text[1:]
