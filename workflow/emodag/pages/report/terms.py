"""What the report's words mean."""

from emodag.pages.page_parts import Section, Table

TERMS = (
    (
        "macro-F1",
        "The mean of the classes' F1, in which small classes count as much as large ones.",
    ),
    ("fold", "Persons, or for stage 0 rows, that are held out together: not learned from."),
    ("stage 0", "A fit whose folds ignore persons, so that it knows those whom it is scored on."),
    ("teacher", "Generation 0: it learns from labelled rows alone."),
    (
        "generation",
        "A round of self-training: 0 is the teacher, and from 1 on students also learn from "
        "pseudo-labels: rows without a label, with the class that the round before was sure of.",
    ),
    (
        "published",
        "The paper's protocol: teacher, pseudo-labels, learning rate and the epoch that is "
        "reported have seen labels of the persons who are scored, which flatters the score.",
    ),
    (
        "nested",
        "The leak-free protocol: nothing that a score rests on has seen labels of those scored.",
    ),
    ("hidden people", "Those of the test table, whose labels no fit has seen."),
    ("guessing", "The same predictions, scored after each person's labels were shuffled."),
    ("run seed", "What all randomness of a run comes from; another one is another draw."),
    (
        "95 % interval",
        "Where the score of other people of the same kind is expected; over persons, as rows of "
        "one person resemble each other.",
    ),
    ("ECE", "Expected calibration error: how far confidence and accuracy are apart, by rows."),
)


def section() -> Section:
    """A table of the words."""
    table = Table("Every word", ["Word", "what it means"], [list(term) for term in TERMS])
    return Section("words", "Words", [table])
