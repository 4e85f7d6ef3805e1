"""What is checked of a script that is not run: each of its commands, as far as it goes."""

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Iterator

from emodag.application import EMODAG, VERBS
from ledger.cli.command import parser
from tests.long.documents.blocks import Copy

PYTHONS = ("python", ".venv/bin/python")
SNAKEMAKES = ("snakemake", ".venv/bin/snakemake")


def plain(script: str) -> str:
    """A notebook's cell as a script."""
    script = re.sub(r"\A%%bash\n", "", script)
    return re.sub(r"^!", "", script, flags=re.MULTILINE)


def mistakes(script: str, copy: Copy) -> list[str]:
    """What is wrong with a script, without running it."""
    parsed = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True)
    found = [parsed.stderr] if parsed.returncode else []
    for words in simple_commands(script):
        found += filter(None, [mistake(words, copy)])
    return found


def mistake(words: list[str], copy: Copy) -> str | None:
    """What is wrong with a single command, None where nothing is or nothing can be known."""
    match words:
        case [python, "-m", "emodag", *arguments] if python in PYTHONS:
            return _refused(arguments)
        case ["emodag", *arguments]:
            return _refused(arguments)
        case ["make", *arguments]:
            done = copy.run(shlex.join(["make", "-n", *arguments]))
        case [snakemake, *arguments] if snakemake in SNAKEMAKES:
            done = copy.run(shlex.join(["snakemake", "-n", *_without_profile(arguments, copy)]))
        case _:
            return None
    return f"{shlex.join(words)}: {done.stdout[-2000:]}" if done.returncode else None


def simple_commands(script: str) -> Iterator[list[str]]:
    """The simple commands of a script as words, without assignments, comments, redirections."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();|&"):
                while words and re.fullmatch(r"\w+=.*", words[0]):
                    words.pop(0)
                if words:
                    yield _without_redirections(words)
                words = []
            else:
                words.append(word)


def _without_redirections(words: list[str]) -> list[str]:
    marks = [number for number, word in enumerate(words) if set(word) <= set("<>&")]
    dropped = {place for mark in marks for place in (mark, mark + 1)}
    return [word for number, word in enumerate(words) if number not in dropped]


def _refused(arguments: list[str]) -> str | None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parser(EMODAG, VERBS).parse_args(arguments)
        except SystemExit as stopped:
            return said.getvalue() if stopped.code else None
    return None


def _without_profile(arguments: list[str], copy: Copy) -> list[str]:
    """The arguments without a profile, whose executor is not installed here; it must exist."""
    if "--profile" not in arguments:
        return arguments
    at = arguments.index("--profile")
    assert (copy.path / arguments[at + 1] / "config.yaml").is_file(), arguments[at + 1]
    return ["-c1", *arguments[:at], *arguments[at + 2 :]]
