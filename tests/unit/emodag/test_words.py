"""Names as figures, directories and commands have them: short, and apart."""

import pytest

from emodag.pages.words import short
from emodag.terminal import ending


def test_long_names_are_cut_where_they_stay_apart():
    assert short(["Ada", "a name of more than twenty-six letters"]) == [
        "Ada",
        "a name of mo…y-six letters",
    ]
    for text in ("person number {} with quite a long name", "{} of many persons of the study"):
        names = [text.format(number) for number in range(30)]
        found = short(names)
        assert len({*found}) == 30 and max(map(len, found)) <= 26
    same = [f"{'x' * 20}{number}{'x' * 20}" for number in range(3)]
    assert len({*short(same)}) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-c8", "results/scores.csv"], ""),
        (["-c8", "-s", "my place/Snakefile"], "-s 'my place/Snakefile' "),
        (["--snakefile=other", "-c8"], "-s other "),
    ],
)
def test_the_next_command_names_the_snakefile_that_the_run_named(arguments, told):
    assert ending._snakefile(arguments) == told
