"""Does everything that results rest on still have the bytes it was recorded with? Reads only.

Every file is hashed anew, none is trusted for its size or time: the outputs and the raw files, and
in the store the objects and action records that the manifests refer to. Manifests are checked
against their own digests, their keys, and the manifests upstream. What a run is making anew
meanwhile is no damage.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ledger.context import Bars
from ledger.disk.canonical import file_sha256
from ledger.disk.regular import size_of
from ledger.errors import IntegrityError, UserError
from ledger.jobs.key import key_of
from ledger.jobs.manifest import Manifest, Output, Source
from ledger.jobs.results import is_unchanged, job_below, read_manifests
from ledger.run import turn
from ledger.store.store import RecordError, Store

MISSING = "no such file"


@dataclass(kw_only=True)
class Damage:
    """Something that is not as recorded.

    Attributes
    ----------
    path : what is damaged.
    expected, found : in words, digests in full.
    todo : what to do about it by hand.
    restored : whether `ledger.ask.repair` has put it right.
    """

    path: Path
    expected: str
    found: str
    todo: str
    restored: bool = False


@dataclass
class Finding:
    """What `verify` has seen, and what of it is damaged.

    Attributes
    ----------
    manifests : the sound ones, by path.
    outputs : what the manifests say of each output file, by path.
    hashed : how many files have been hashed.
    files, objects, records : damage by path of an output file, by sha256 of an object, by path of
        the manifest whose action record it is.
    others : damage to manifests and raw files, which nothing here has a copy of.
    earlier : manifests that rest on what has been made anew since, by another plan.
    meanwhile : manifests that a run has made anew or taken away while this looked, and those that
        are not there while one is on.
    absent : raw files that are not here and so could not be checked.
    """

    manifests: dict[Path, Manifest] = field(default_factory=dict)
    outputs: dict[Path, Output] = field(default_factory=dict)
    hashed: int = 0
    files: dict[Path, Damage] = field(default_factory=dict)
    objects: dict[str, Damage] = field(default_factory=dict)
    records: dict[Path, Damage] = field(default_factory=dict)
    others: list[Damage] = field(default_factory=list)
    earlier: list[Path] = field(default_factory=list)
    meanwhile: list[Path] = field(default_factory=list)
    absent: list[Path] = field(default_factory=list)

    def damages(self) -> list[Damage]:
        """All damage, manifests first."""
        parts = (self.files, self.objects, self.records)
        return [*self.others, *(damage for part in parts for damage in part.values())]


def verify(results: Path, store: Store, progress: Bars) -> Finding:
    """Check a results directory, the raw files behind it, and what it refers to in a store.

    Raises
    ------
    InputError
        When `results` is no directory, or holds no manifest.
    """
    found, known = Finding(), set()
    for path, manifest in read_manifests(results):
        known.add(path)
        if isinstance(manifest, IntegrityError):
            found.others.append(_manifest_damage(path, "a sound manifest", str(manifest)))
            continue
        if manifest.job != (here := job_below(results, path)):
            wanted, is_ = f"the manifest of job {here!r}", f"that of {manifest.job!r}"
            found.others.append(_manifest_damage(path, wanted, is_))
            continue
        found.manifests[path] = manifest
    found.outputs = _outputs(found.manifests)
    raw = _check_manifests(results, found, known)
    _check_files(raw, store, found, progress)
    if found.damages():
        _leave_out_the_changing(results, found)
    return found


def _check_manifests(results: Path, found: Finding, known: set[Path]) -> dict[Path, set[str]]:
    """Check keys and inputs; returns each sha256 that raw files had, by path."""
    raw: dict[Path, set[str]] = {}
    for path, manifest in found.manifests.items():
        key = key_of(manifest.ingredients, manifest.inputs)
        if key != manifest.key:
            wanted = f"key {key}, by its ingredients"
            found.others.append(_manifest_damage(path, wanted, f"key {manifest.key}"))
        for role, origin in manifest.origins.items():
            if isinstance(origin, Source):
                wanted, where = origin.sha256, f"the raw file {origin.path}"
                raw.setdefault(Path(origin.path), set()).add(wanted)
            else:
                maker = results / origin.manifest.removeprefix("results/")
                if maker not in known:
                    known.add(maker)
                    what = f"the manifest of what {path} was made from"
                    found.others.append(_manifest_damage(maker, what, MISSING))
                if maker not in found.manifests:
                    continue
                if origin.plan != found.manifests[maker].plan:
                    found.earlier.append(path)
                    break
                wanted = found.manifests[maker].logical(origin.file)
                where = f"{origin.file} of {maker}"
            if manifest.inputs[role] != wanted:
                wanted = f"input {role!r} with digest {wanted}, that of {where}"
                found.others.append(_manifest_damage(path, wanted, manifest.inputs[role]))
    return raw


def _check_files(raw: dict[Path, set[str]], store: Store, found: Finding, progress: Bars) -> None:
    """Hash outputs, objects and raw files, each once, and look at the action records."""
    makers = {
        path.parent / name: path for path, made in found.manifests.items() for name in made.outputs
    }
    objects = {output.sha256: (path, output) for path, output in found.outputs.items()}
    seen = _look_at([*makers, *map(store.object, objects), *raw], progress)
    found.hashed = len(seen)
    for path, output in found.outputs.items():
        if damage := _file_damage(path, output, seen[path], makers[path]):
            found.files[path] = damage
    for sha256, (path, output) in objects.items():
        place = store.object(sha256)
        if damage := _file_damage(place, output, seen[place], makers[path]):
            found.objects[sha256] = damage
    for path, manifest in found.manifests.items():
        if damage := _record_damage(path, manifest, store):
            found.records[path] = damage
    for path, digests in raw.items():
        if seen[path] == MISSING:
            found.absent.append(path)
        elif not any(seen[path].startswith(f"sha256 {sha256}") for sha256 in digests):
            todo = "restore it from a copy of your own, or run `snakemake` to use it as it is"
            wanted = " or ".join(f"sha256 {sha256}" for sha256 in sorted(digests))
            found.others.append(Damage(path=path, expected=wanted, found=seen[path], todo=todo))


def _leave_out_the_changing(results: Path, found: Finding) -> None:
    """Take back what was found of manifests that are not what they were when they were read.

    Snakemake removes the manifest of a job that it is about to start, so while a run is on here,
    one that is not there is no damage either.
    """
    for path in [p for p, manifest in found.manifests.items() if not is_unchanged(p, manifest)]:
        found.meanwhile.append(path)
        del found.manifests[path]
    is_on = turn.holder(results) is not None
    for damage in list(found.others):
        is_missing = damage.found == MISSING and damage.path not in found.meanwhile
        if is_missing and (is_on or os.path.lexists(damage.path)):
            found.meanwhile.append(damage.path)
        if damage.path in found.meanwhile:
            found.others.remove(damage)
    found.outputs = _outputs(found.manifests)
    needed = {output.sha256 for output in found.outputs.values()}
    found.files = {path: d for path, d in found.files.items() if path in found.outputs}
    found.objects = {sha256: d for sha256, d in found.objects.items() if sha256 in needed}
    found.records = {path: d for path, d in found.records.items() if path in found.manifests}


def _outputs(manifests: dict[Path, Manifest]) -> dict[Path, Output]:
    return {
        path.with_name(name): output
        for path, manifest in manifests.items()
        for name, output in manifest.outputs.items()
    }


def _look_at(paths: list[Path], progress: Bars) -> dict[Path, str]:
    """What each file is found to be, in words; several files at once, on all cores."""
    sizes = {path: size_of(path) or 0 for path in paths}
    # The largest first, or one of them may be left for the end on a single core.
    order = sorted(sizes, key=sizes.__getitem__, reverse=True)
    seen = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool, progress(sum(sizes.values()), "B") as bar:
        for path, words in zip(order, pool.map(_words, order), strict=True):
            seen[path] = words
            bar.update(sizes[path])
    return seen


def _words(path: Path) -> str:
    try:
        return f"sha256 {file_sha256(path)}, {path.stat().st_size} bytes"
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _file_damage(path: Path, output: Output, seen: str, manifest: Path) -> Damage | None:
    """Damage of an output file or an object, if it is not what its manifest says."""
    expected = f"sha256 {output.sha256}, {output.bytes} bytes"
    if seen == expected:
        return None
    return Damage(path=path, expected=expected, found=seen, todo=_anew(manifest))


def _record_damage(path: Path, manifest: Manifest, store: Store) -> Damage | None:
    """Damage of the action record behind a manifest."""
    place, todo = store.action(manifest.key), _anew(path)
    try:
        action = store.read(manifest.key)
    except (RecordError, UserError) as error:
        seen = str(error)
    else:
        if action is None and os.path.lexists(place):
            return None  # of an earlier schema: to be computed anew, but no damage
        if action is None:
            seen = MISSING
        elif action.outputs == manifest.outputs and (
            {*action.labels_seen} <= {*manifest.labels_seen}
        ):
            return None
        else:
            seen, todo = "another result of the same computation", f"delete {place}, {todo}"
    return Damage(path=place, expected=f"a record of the outputs in {path}", found=seen, todo=todo)


def _manifest_damage(path: Path, expected: str, found: str) -> Damage:
    return Damage(path=path, expected=expected, found=found, todo=_anew(path))


def _anew(manifest: Path) -> str:
    delete = f"delete {manifest} and " if manifest.exists() else ""
    return f"{delete}give the `snakemake` command again that made it, with its configuration"
