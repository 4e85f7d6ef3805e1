"""What people call a job: by its name, its manifest, any file it makes, or a digest of it."""

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePath

from ledger.errors import InputError, IntegrityError
from ledger.jobs.job import RESULTS
from ledger.jobs.workflow import Workflow
from ledger.words import listed


def names(job: str, manifest: str, outputs: Iterable[str]) -> list[str]:
    """Everything a job answers to, its name first."""
    directory = PurePath(manifest).parent
    return [job, manifest, f"{RESULTS}/{job}", *(str(directory / name) for name in outputs)]


def find_in(workflow: Workflow, target: str) -> str:
    """The job of a workflow that `target` means; raises as `find`, and why there is none."""
    jobs = workflow.jobs.values()
    try:
        return find(target, {job.name: names(job.name, job.manifest, job.outputs) for job in jobs})
    except InputError:
        for part in reversed(Path(target).parts):
            if why := workflow.absent.get(part.partition(".")[0]):
                raise InputError(f"{target}: {why}") from None
        raise


def find(target: str, jobs: dict[str, list[str]]) -> str:
    """The job that `target` means, among jobs by name with what they answer to.

    Raises
    ------
    InputError
        When nothing answers to it; names what comes nearest.
    """
    path = of_digest(target) or Path(target)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    asked = os.path.normpath(path)
    answers = {name: job for job, names_ in reversed(jobs.items()) for name in names_}
    for name in (asked, f"{RESULTS}/{asked}"):
        if name in answers:
            return answers[name]
    ending = sorted((name for name in answers if name.endswith(f"/{asked}")), key=len)
    nearest = ending or difflib.get_close_matches(asked, answers, n=1, cutoff=0.4)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise InputError(f"{target}: no such job, manifest or result{hint}")


def of_digest(target: str) -> Path | None:
    """The manifest in the results whose key, or an output's digest, begins with `target`.

    None where `target` is no beginning of a digest, of at least four digits, or of none there.

    A key goes before outputs' digests, of which several jobs may have the same.

    Raises
    ------
    InputError
        When those of several jobs begin so; names the jobs.
    """
    from ledger.jobs.results import read_manifests

    if not re.fullmatch(r"[0-9a-f]{4,64}", target) or not Path(RESULTS).is_dir():
        return None
    keys: dict[str, Path] = {}
    outputs: dict[str, Path] = {}
    for path, manifest in read_manifests(Path(RESULTS)):
        if isinstance(manifest, IntegrityError):
            continue
        if manifest.key.startswith(target):
            keys[manifest.job] = path
        for made in manifest.outputs.values():
            if made.logical.startswith(target) or made.sha256.startswith(target):
                outputs[manifest.job] = path
    found = keys or outputs
    if len(found) > 1:
        raise InputError(
            f"{target}: digests of {len(found)} jobs begin so ({listed(found)}); give more digits, "
            "or the name of one"
        )
    return next(iter(found.values()), None)
