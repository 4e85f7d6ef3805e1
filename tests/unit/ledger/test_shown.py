"""Nothing that a name holds steers the terminal it is shown on."""

import pytest

from emodag.application import main
from emodag.config.sections import load
from ledger.errors import ConfigError, InputError, UserError
from ledger.run.talk import Talk
from ledger.shown import shown

STEERING = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    "\ud800",
    "\udcff",
]


def test_what_steers_is_spelt_out():
    for character in STEERING:
        text = shown(f"a{character}b")
        assert text.isprintable() and text == "a" + ascii(character)[1:-1] + "b"


@pytest.mark.parametrize("text", ["", "plain", "ä é 中 😀", "back\\slash", "└─ x", "'\"$%{}"])
def test_what_does_not_is_left_alone(text):
    assert shown(text) == text


def test_an_error_is_lines_of_its_own_and_no_others():
    assert str(InputError("a\nb\x1b.csv: no such file")) == "a\\nb\\x1b.csv: no such file"
    assert str(UserError("one:", "two\r")) == "one:\ntwo\\r"
    with pytest.raises(ConfigError) as caught:
        load({"a\n\x1b]0;x\x07": 1, "folds": "\x1b[2J"})
    lines = str(caught.value).split("\n")
    assert len(lines) == 3 and all(line.isprintable() for line in lines)


def test_a_job_says_and_logs_names_spelt_out(tmp_path, capsys):
    talk = Talk("job", tmp_path / "log")
    talk.note("column 'a\x1b[31m\nDONE 123  job'")
    talk.warn("person \u202e1\x07")
    talk.error(str(InputError("train\r.csv: is empty")))
    said = capsys.readouterr().err
    assert said == (tmp_path / "log").read_text()
    assert said.splitlines() == [
        r"NOTE job: column 'a\x1b[31m\nDONE 123  job'",
        r"WARNING job: person \u202e1\x07",
        r"ERROR job: train\r.csv: is empty",
    ]


def test_what_the_command_line_is_told_of_itself(capsys):
    assert main(["verify", "results", "x\x1b]0;y\x07"]) == 2
    assert "\x1b" not in capsys.readouterr().err
