"""Manifests: what a job made and from what, identity only.

No time, host or duration is in a manifest, so an identical recomputation leaves it identical. It
carries its own digest, so that a damaged one is noticed before anything is built on it.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar

from ledger.disk.atomic import read_bytes, write_bytes
from ledger.disk.documents import MALFORMED, Below, FileName, Sha256, sealed, typed, unsealed
from ledger.errors import IntegrityError
from ledger.machine.builds import PARTS

SCHEMA = 3
"""Version 3 has digests of parts; an older manifest is made anew, like a damaged one."""


class NoManifest(IntegrityError):
    """Where a manifest was looked for, nothing is."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A raw file from outside the chain, known by the sha256 of its bytes."""

    path: Annotated[str, lambda path: "\0" not in path, "is no path"]
    sha256: Sha256
    manifest: ClassVar[None] = None


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """One output file of another job, found through that job's manifest.

    Attributes
    ----------
    plan : the identity of the plan that the manifest must have followed.
    """

    manifest: Below
    file: FileName
    plan: Sha256

    @property
    def path(self) -> str:
        """Where the file lies: beside the manifest, whatever that is called."""
        return str(PurePosixPath(self.manifest).parent / self.file)


@dataclass(frozen=True, kw_only=True)
class Output:
    """One output file: its logical digest, the sha256 of its bytes, and their number.

    `parts` holds the first digits of a digest of each column or tensor, by name.
    """

    logical: Sha256
    sha256: Sha256
    bytes: Annotated[int, lambda size: size >= 0, "is no size"]
    parts: dict[str, str] = field(default_factory=dict)


def _are_ingredients(found: dict[str, Any]) -> bool:
    environment = found["environment"]
    parts = [environment[name] for name in ("distributions", "variables", *PARTS)]
    return all(isinstance(part, dict) for part in (*parts, found["params"], found["code"]))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What one job made.

    Attributes
    ----------
    job, stage, plan : the job, its stage, and the identity of the plan it followed.
    key : the action's key, the sha256 of all its ingredients.
    ingredients : what the key was made of: code, params, inputs, environment.
    inputs : logical digest by role.
    origins : where each input came from, by role, as planned.
    outputs : output by file name.
    labels_seen : whose labels these outputs depend on, sorted, as text.
    """

    job: str
    stage: str
    plan: Sha256
    key: Sha256
    ingredients: Annotated[dict[str, Any], _are_ingredients, "is not what a key is made of"]
    inputs: dict[str, Sha256]
    origins: dict[str, Source | Upstream]
    outputs: dict[FileName, Output]
    labels_seen: tuple[str, ...]

    def digests(self) -> dict[str, str]:
        """Logical digest by output file."""
        return {name: output.logical for name, output in self.outputs.items()}

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
            manifest = typed(cls, unsealed(content, SCHEMA))
            if manifest.origins.keys() != manifest.inputs.keys():
                raise ValueError("its inputs and their origins differ")
        except MALFORMED as error:
            raise IntegrityError(
                f"{name}: not a manifest of schema {SCHEMA} ({error}). Run `snakemake`; it makes "
                "the manifest anew."
            ) from None
        return manifest
