"""What is thought of a table's columns."""

from dataclasses import dataclass, field

from emodag.science.tables.guesses.column import Column


@dataclass
class Guesses:
    """What is thought of the columns of a training table, each with a reason in words.

    Attributes
    ----------
    label, person, id : a column, or None where it cannot be told, or there is none.
    indices : columns that are indices saved along, of which one may be the id where `id` is None.
    features : all columns that are nothing else.
    test_group : the test table's column of persons, where it is called otherwise.
    ignore : columns that are no features.
    missing : further spellings of a missing cell.
    decimal : "," where numbers have that before their decimals and it is not seen without a word.
    unsure : by role, or "features", what could not be told, or could be otherwise.
    """

    label: Column | None = None
    person: Column | None = None
    id: str | None = None
    indices: tuple[str, ...] = ()
    features: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    ignore: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    decimal: str | None = None
    test_group: str | None = None
    unsure: dict[str, str] = field(default_factory=dict)
