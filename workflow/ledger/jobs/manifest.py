"""Manifests: what a job made and from what, identity only.

No time, host or duration is in a manifest, so an identical recomputation leaves it identical. It
carries its own digest, so that a damaged one is noticed before anything is built on it.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.canonical import is_file_name, is_sha256
from ledger.disk.documents import MALFORMED, check, sealed, unsealed
from ledger.errors import IntegrityError
from ledger.machine.builds import PARTS

SCHEMA = 3
"""Version 3 has digests of parts; an older manifest is made anew, like a damaged one."""


class NoManifest(IntegrityError):
    """Where a manifest was looked for, nothing is."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """One output file: its logical digest, the sha256 of its bytes, and their number.

    `parts` holds the first digits of a digest of each column or tensor, by name.
    """

    logical: str
    sha256: str
    bytes: int
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What one job made.

    Attributes
    ----------
    job, stage, plan : the job, its stage, and the identity of the plan it followed.
    key : the action's key, the sha256 of all its ingredients.
    ingredients : what the key was made of: code, params, inputs, environment.
    inputs : logical digest by role.
    origins : where each input came from, by role: a raw file or another job's output, as planned.
    outputs : output by file name.
    labels_seen : whose labels these outputs depend on, sorted, as text.
    """

    job: str
    stage: str
    plan: str
    key: str
    ingredients: dict[str, Any]
    inputs: dict[str, str]
    origins: dict[str, dict[str, str]]
    outputs: dict[str, Output]
    labels_seen: tuple[str, ...]

    def logical(self, file: str) -> str | None:
        """Logical digest of an output file, None where the job makes no such file."""
        output = self.outputs.get(file)
        return output and output.logical

    def content(self) -> bytes:
        """The bytes of the file that it is written to."""
        return sealed(asdict(self), SCHEMA)

    def write(self, path: Path) -> None:
        """Write the manifest, atomically and to last."""
        write_bytes(path, self.content(), lasting=True)

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read a manifest and refuse anything that is not one, whole and unaltered.

        Raises
        ------
        NoManifest
            When there is no such file.
        IntegrityError
            When it is not a manifest, altered, or names a path.
        """
        try:
            return cls.parse(read_bytes(path), path)
        except FileNotFoundError:
            raise NoManifest(f"{path}: no such manifest. Run `snakemake` to make it.") from None
        except OSError as error:
            raise IntegrityError(f"{path}: cannot be read: {error.strerror}.") from None

    @classmethod
    def parse(cls, content: bytes, name: Path) -> "Manifest":
        """The same for a manifest's bytes; errors call it `name`."""
        try:
            body = unsealed(content, SCHEMA)
            body["outputs"] = {name: Output(**entry) for name, entry in body["outputs"].items()}
            body["labels_seen"] = tuple(body["labels_seen"])
            manifest = cls(**body)
            manifest._check()
        except MALFORMED as error:
            raise IntegrityError(
                f"{name}: not a manifest of schema {SCHEMA} ({error}). Run `snakemake`; it makes "
                "the manifest anew."
            ) from None
        return manifest

    def _check(self) -> None:
        check(self)
        digests = [self.plan, self.key, *self.inputs.values()]
        for name, output in self.outputs.items():
            if not is_file_name(name):
                raise ValueError(f"{name!r} is not a plain file name")
            digests += [output.logical, output.sha256]
        environment = self.ingredients["environment"]
        nested = (
            environment["distributions"],
            environment["variables"],
            *(environment[part] for part in PARTS if "builds" in environment),
            self.ingredients["params"],
        )
        if not all(isinstance(part, dict) for part in (*nested, self.ingredients["code"])):
            raise ValueError("its ingredients are not those of a key")
        for origin in self.origins.values():
            # Manifests of version 0.1 do not name the plan.
            if set(origin) - {"plan"} not in ({"path", "sha256"}, {"manifest", "file"}):
                raise ValueError(f"{origin!r} is not an input's origin")
            if not all(isinstance(part, str) and "\0" not in part for part in origin.values()):
                raise ValueError(f"{origin!r} is not an input's origin")
            if "manifest" in origin and leads_out(origin["manifest"]):
                raise ValueError(f"{origin['manifest']!r} leads out of the working directory")
            if "file" in origin and not is_file_name(origin["file"]):
                raise ValueError(f"{origin['file']!r} is not a plain file name")
        if self.origins.keys() != self.inputs.keys():
            raise ValueError("its inputs and their origins differ")
        if not all(map(is_sha256, digests)):
            raise ValueError("a digest in it is not a sha256")


def leads_out(path: str) -> bool:
    """Whether a relative path written in a file could lead out of the working directory."""
    return PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts
