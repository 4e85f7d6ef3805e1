"""`emodag kaggle DIRECTORY`: a run as a dataset and a notebook for Kaggle, without internet."""

import argparse
import json
import os
import re
import shutil
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ledger.cli.places import add_configuration
from ledger.cli.printing import tell
from ledger.errors import InputError
from ledger.words import listed, plural

if TYPE_CHECKING:
    from emodag.config.sections import Config

PYTHON = "3.12"
"""The Python of Kaggle's image."""

PLATFORM = "x86_64-manylinux_2_28"
"""What Kaggle's image can load, as uv calls it."""

IMAGE = """
contourpy cycler fonttools joblib kiwisolver matplotlib numpy packaging pandas pillow pyarrow
pyparsing python-dateutil pytz scikit-learn scipy threadpoolctl tzdata
"""
"""What of envs/kaggle.lock any of Kaggle's images has, as it has torch: numbers, and figures."""

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAMES = range(6, 51)
"""How many characters Kaggle's client takes for a dataset's name."""

PINNED = re.compile(r"[\w./:-]+@sha256:[0-9a-f]{64}")


def add(verbs) -> None:
    """Add the verb to the command line."""
    kaggle = verbs.add_parser(
        "kaggle",
        help="write a run as a dataset and a notebook for Kaggle",
        description="Write what Kaggle needs to run this configuration without internet: "
        "DIR/dataset with the project, the tables and the packages that Kaggle's image lacks, and "
        "DIR/notebook, each with its metadata. `emodag compare` compares what comes back.",
    )
    kaggle.add_argument("directory", type=Path, metavar="DIR", help="a new or empty directory")
    kaggle.add_argument(
        "--as",
        dest="name",
        required=True,
        metavar="USER/NAME",
        help="your name at Kaggle, and what the dataset and the notebook are to be called",
    )
    add_configuration(kaggle, "config.yaml alone")
    kaggle.add_argument(
        "--competition",
        metavar="NAME",
        help="take the tables from this competition's data, where they have the same names; "
        "otherwise they are put into the dataset, which is private",
    )
    kaggle.add_argument(
        "--image",
        metavar="IMAGE@sha256:DIGEST",
        help="run in this image of Kaggle's, not in the latest",
    )
    kaggle.add_argument(
        "--python",
        default=PYTHON,
        metavar="VERSION",
        help=f"the image's Python (default: {PYTHON}; a notebook says it: !python --version)",
    )
    kaggle.set_defaults(verb=_kaggle)


def _kaggle(options: argparse.Namespace) -> int:
    from emodag.config.combined import combined

    directory = options.directory
    if directory.exists() and any(directory.iterdir()):
        raise InputError(f"{directory}: is not empty; name another directory")
    user, name = _names(options)
    config = combined(options.configfile, options.config)
    _require_one_environment(config)
    config, tables = _tables(config)
    if options.competition and not tables:
        raise InputError("--competition: this configuration names no tables (`data.source`)")
    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}.") as made:
        made = Path(made, directory.name)
        project, dataset = Path(made.parent, "project"), made / "dataset"
        packages = _project(project, config, tables, options)
        dataset.mkdir(parents=True)
        with tarfile.open(dataset / "emodag.bundle", "w:gz", compresslevel=6) as bundle:
            bundle.add(project, ".", filter=_nobodys)
        size = (dataset / "emodag.bundle").stat().st_size / 1e6
        about = {"title": name, "id": f"{user}/{name}", "licenses": [{"name": "other"}]}
        _write_json(dataset / "dataset-metadata.json", about)
        notebook = made / "notebook"
        _write_json(notebook / "kernel-metadata.json", _of_notebook(user, name, config, options))
        _write_json(notebook / "emodag.ipynb", _notebook())
        made.replace(directory)
    given = f"{plural(len(tables), 'table')} of {options.competition or 'yours'}"
    tell(
        f"{directory}/dataset: the project, {plural(packages, 'package')} for Python "
        f"{options.python}, {size:.0f} MB" + (f"; {given}" if tables else ""),
        f"{directory}/notebook: runs it without internet",
        f"Next: kaggle datasets create -p {directory}/dataset",
        f"      kaggle kernels push -p {directory}/notebook    (when the dataset is ready)",
        f"      kaggle kernels output {user}/{name} -p {directory}/output    (when it has run)",
        f"      emodag compare {directory}/output/kaggle.zip",
    )
    return 0


def _names(options: argparse.Namespace) -> tuple[str, str]:
    """The user and the dataset's name, where Kaggle takes all that is named."""
    user, found, name = options.name.partition("/")
    if not found:
        raise InputError(f"--as: expected USER/NAME, such as me/my-run, found {user!r}")
    for option, text in (("--as", user), ("--as", name), ("--competition", options.competition)):
        if text is not None and not SLUG.fullmatch(text):
            nearest = "-".join(re.findall("[a-z0-9]+", text.lower()))
            hint = f"; did you mean {nearest!r}?" if nearest else ""
            wanted = " of USER/NAME" if option == "--as" else ""
            raise InputError(
                f"{option}: {text!r}{wanted} is no name at Kaggle, which are small letters, digits "
                f"and single hyphens{hint}"
            )
    if len(name) not in NAMES:
        raise InputError(
            f"--as: Kaggle takes names of {NAMES[0]} to {NAMES[-1]} characters for a dataset, and "
            f"{name!r} has {len(name)}"
        )
    if options.image and not PINNED.fullmatch(options.image):
        raise InputError(
            f"--image: {options.image!r} has no digest; name it as `kaggle kernels pull -m` writes "
            "`docker_image` of a notebook that has run: IMAGE@sha256:DIGEST"
        )
    if not re.fullmatch(r"3\.(1[1-9]|[2-9]\d)", options.python):
        raise InputError(
            f"--python: expected a version such as {PYTHON}, from 3.11 on; found {options.python!r}"
        )
    return user, name


def _require_one_environment(config: "Config") -> None:
    """Kaggle has one environment, its own; see whether the run asks for others."""
    if config.report.drift and config.drift.contrasts:
        names = sorted({name for pair in config.drift.contrasts for name in pair})
        raise InputError(
            f"`report.drift: true` compares the environments {listed(names)}, and the notebook has "
            "none but Kaggle's own; leave the comparison out: --config report='{drift: false}'"
        )


def _learners(config: "Config") -> set[str]:
    """What the run asks for of learners, and samplers, that need packages of their own."""
    from emodag.chain.learners import REQUIRED
    from emodag.config.sections import variants_of

    asked = {made.learner for made in (config, *variants_of(config).values())}
    return (asked | ({config.search.sampler} if config.search.trials else set())) & {*REQUIRED}


def _tables(config: "Config") -> tuple["Config", dict[str, Path]]:
    """The configuration as it is to be there, and every file of its tables by its path there.

    Raises
    ------
    InputError
        When one is not there.
    """
    from emodag.config.raw_files import raw_files
    from ledger.disk.sources import source_digests
    from ledger.jobs.plan import PLANS

    named = config.data.files
    if not named:
        return config, {}
    files = [Path(file) for entry in named.values() for file in raw_files(entry)]
    source_digests(sorted(map(str, files)), PLANS / "sources.json", read_only=True)
    entries = [Path(path) for entry in named.values() for path in _each(entry)]
    home = Path(os.path.commonpath([_absolute(path).parent for path in [*files, *entries]]))
    there = {
        role: [_there(Path(path), home) for path in _each(entry)]
        if isinstance(entry, list)
        else _there(Path(entry), home)
        for role, entry in named.items()
    }
    config = config.model_copy(update={"data": config.data.model_copy(update=there)})
    return config, {_there(file, home): file for file in files}


def _each(entry: str | list[str]) -> list[str]:
    return [entry] if isinstance(entry, str) else entry


def _there(path: Path, home: Path) -> str:
    return Path("tables", _absolute(path).relative_to(home)).as_posix()


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))


def _project(
    project: Path, config: "Config", tables: dict[str, Path], options: argparse.Namespace
) -> int:
    """Lay out what the notebook unpacks; returns how many packages are in it."""
    import yaml

    from emodag.chain.jobs import ROOT
    from emodag.chain.learners import ENVIRONMENT
    from emodag.config.environment import Environment

    made = shutil.ignore_patterns("__pycache__")
    for folder in ("workflow", "envs"):
        shutil.copytree(ROOT / folder, project / folder, ignore=made)
    for file in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / file, project)
    values = config.model_dump(mode="json")
    values |= {"environment": "ambient", "store": ".emodag/store"}
    locks, ambient = [ROOT / "envs/kaggle.lock"], Environment(locks=[], conda=None)
    values["environments"]["ambient"] = ambient.model_dump(mode="json")
    if _learners(config):
        locks.append(ROOT / "envs/learners.lock")
        values["environments"][ENVIRONMENT] = values["environments"]["ambient"]
    (project / "mine.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    wanted = list(tables) if options.competition else []
    for there in tables.keys() - wanted:
        (project / there).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tables[there], project / there)
    _write_json(project / "wanted.json", {"python": options.python, "tables": wanted})
    return _packages(project / "packages", locks, options.python)


def _packages(place: Path, locks: list[Path], python: str) -> int:
    """Put what the image lacks into a directory, every hash checked; returns how many it is.

    Of a package that several locks hold, the first counts.

    Raises
    ------
    ConfigError
        When it cannot be had.
    """
    import sys

    from ledger.environments.installer import Uv, pinned

    entries: dict[str, str | None] = {}
    for lock in locks:
        for name in re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE):
            if name not in IMAGE.split():
                entries.setdefault(name, pinned(name, lock))
    with TemporaryDirectory() as few:
        part = Path(few, "kaggle.lock")
        part.write_text("\n".join(filter(None, entries.values())) + "\n")
        options = ["--target", str(place), "--no-deps", "--python-version", python]
        uv = Uv.found(tell)
        uv.install(Path(sys.prefix), [part], *options, "--python-platform", PLATFORM)
    return len(entries)


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """An entry of an archive that does not tell whose it was."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _of_notebook(user: str, name: str, config: "Config", options: argparse.Namespace) -> dict:
    pinned = {"docker_image": options.image, "docker_image_pinning_type": "original"}
    return {
        "id": f"{user}/{name}",
        "title": name,
        "code_file": "emodag.ipynb",
        "language": "python",
        "kernel_type": "notebook",
        "is_private": True,
        "enable_gpu": config.training.device == "cuda",
        "enable_internet": False,
        "dataset_sources": [f"{user}/{name}"],
        "competition_sources": [options.competition] if options.competition else [],
        **(pinned if options.image else {}),
    }


def _notebook() -> dict:
    """The notebook, in version 4.4 of its format."""
    _, *cells = Path(__file__).with_name("on_kaggle.py").read_text().split("# %% ")
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": f"# {cell.rstrip()}",
            }
            for cell in cells
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def _write_json(path: Path, values: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n")
