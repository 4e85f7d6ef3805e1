"""What the name of a column tells."""

import pytest

from emodag.science.tables.guesses.words import IDS, LABELS, PERSONS, rank


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("Subject_ID", PERSONS, True),
        ("participantNumber", PERSONS, True),
        ("PID", PERSONS, True),
        ("participant_uuid", PERSONS, True),
        ("SubjectNr", PERSONS, True),
        ("subject_age", PERSONS, False),
        ("video_id", PERSONS, False),
        ("emotion_label", LABELS, True),
        ("raw.label", LABELS, True),
        ("classes", LABELS, False),
        ("y", LABELS, True),
        ("label_rate", LABELS, False),
        ("ROW_ID", IDS, True),
    ],
)
def test_what_names_tell(name, words, told):
    assert (rank(name, words) is not None) == told
