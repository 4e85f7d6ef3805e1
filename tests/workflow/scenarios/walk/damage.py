"""Moves: what gets lost, flipped, cut short or overwritten."""

import shutil

from tests.workflow.scenarios.scenario import flip as flip_bit
from tests.workflow.scenarios.walk.walked import Walked

WHOLE = {
    "results": "results",
    "plans": "results/.plan",
    "snakemake": ".snakemake",
    "metadata": ".snakemake/metadata",
    "store": ".emodag/store",
    "objects": ".emodag/store/objects",
    "actions": ".emodag/store/actions",
    "emodag": ".emodag",
    "fits": "results/local/published/seed1",
}
"""Directories that may go at once."""

RUBBISH = ("", "[]", "{}", "null", '{"schema": 1}', '{"schema": 1, "nonce": 0}', "[" * 5000)


def delete(walked: Walked, kind: str, n: int) -> None:
    """Delete a file."""
    if path := walked.pick(kind, n):
        path.unlink()


def delete_job(walked: Walked, n: int) -> None:
    """Delete the directory of a job's outputs."""
    if path := walked.pick("manifest", n):
        shutil.rmtree(path.parent)


def delete_all(walked: Walked, what: str) -> None:
    """Delete a directory."""
    shutil.rmtree(walked.path / WHOLE[what], ignore_errors=True)


def flip(walked: Walked, kind: str, n: int, where: int) -> None:
    """Flip a bit, which neither size nor times betray."""
    if (path := walked.pick(kind, n)) and (size := path.stat().st_size):
        flip_bit(path, where % size)


def truncate(walked: Walked, kind: str, n: int, where: int) -> None:
    """Cut a file short."""
    if path := walked.pick(kind, n):
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content[: where % (len(content) or 1)])


def overwrite(walked: Walked, kind: str, n: int, rubbish: int) -> None:
    """Put something else into a file."""
    if path := walked.pick(kind, n):
        path.chmod(0o644)
        path.write_text(RUBBISH[rubbish])


def swap(walked: Walked, kind: str, n: int, m: int) -> None:
    """Copy one file over another of its kind."""
    one, other = walked.pick(kind, n), walked.pick(kind, m)
    if one and one != other:
        other.chmod(0o644)
        shutil.copy2(one, other)


def rename(walked: Walked, kind: str, n: int, m: int) -> None:
    """Rename one file over another of its kind."""
    one, other = walked.pick(kind, n), walked.pick(kind, m)
    if one and one != other:
        one.replace(other)
