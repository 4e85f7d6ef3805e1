"""Names of persons and classes: in both tables, in several spellings, or as missing cells are."""

from collections.abc import Iterable, Sequence

from emodag.science.tables.spelling import several_spellings, skeleton
from emodag.science.tables.table import few, listed


def same_persons(
    train: Iterable[object], test: Iterable[object], unlabelled: Iterable[object] = ()
) -> list[str]:
    """Persons whom both tables name, and such as are written in several spellings.

    `unlabelled` are the persons of unlabelled rows, who may be the training table's.
    """
    learnt = {str(person) for person in train}
    spellings: dict[str, list[str]] = {}
    for name in sorted(learnt.union(map(str, unlabelled))):
        spellings.setdefault(skeleton(name), []).append(name)
    found = []
    twice = [f"{' and '.join(map(repr, names))}" for names in spellings.values() if len(names) > 1]
    if twice:
        found.append(
            f"{few(twice, '; ')}: probably one person in several spellings, whom folds then take "
            "for several; write each name one way"
        )
    plain = {skeleton(name) for name in learnt}
    both = sorted({str(person) for person in test if skeleton(str(person)) in plain})
    if both:
        found.append(
            f"{listed(both)} of the test table {are(len(both))} in the training table too: how "
            "the test table is predicted says nothing of people not seen; under nested a person's "
            "test rows stay out of what this person is scored by, where both tables write the name "
            "alike; take them out of one"
        )
    return found


def one_of_several_spellings(numbers: Sequence[str], what: str) -> list[str]:
    """That `numbers`, each given in all its spellings, were taken for one person, or class, each.

    The spellings come as "'1' and '1.0'".
    """
    if not numbers:
        return []
    return [
        f"{few(numbers, '; ')}: one number each, and so taken for one {what}; if that is "
        f"not meant, begin each {what}'s name with a letter"
    ]


def classes_alike(classes: Sequence[str]) -> list[str]:
    """Classes that are probably one in several spellings."""
    found = [" and ".join(map(ascii, names)) for names in several_spellings(classes)]
    if not found:
        return []
    return [
        f"{few(found, '; ')}: probably one class in several spellings, which fits then take for "
        "several; write each class one way, and name it once in data.classes"
    ]


def presumed_classes(written: Iterable[object], classes: Sequence[str]) -> list[str]:
    """That labels are numbers, which are read as the default's `classes`."""
    if not {*classes}.isdisjoint(map(str, written)):
        return []
    return [
        f"labels 0 to {len(classes) - 1} are read as {', '.join(classes)}, as data.classes are by "
        "default, and pseudo_labels.boost goes by these names, HVHA's by default; if they are "
        "other classes, name them in data.classes"
    ]


def called_as_missing(names: Sequence[str]) -> list[str]:
    """That persons are called by `names` that often stand for a missing cell, such as NA."""
    if not names:
        return []
    one, them = ("a person", "it") if len(names) == 1 else ("persons", "them")
    return [
        f"{listed(names)} {are(len(names))} taken for {one}, as cells of text are there; "
        f"where that stands for a missing one, name {them} in data.missing_values"
    ]


def are(count: int) -> str:
    return "are" if count > 1 else "is"
