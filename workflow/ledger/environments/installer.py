"""Virtual environments by uv: what locks pin, every hash checked, and nothing else.

Needs the standard library alone, since it sets up the environment that all the rest runs in.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from configparser import Error, RawConfigParser
from functools import cached_property
from pathlib import Path
from threading import Timer

from ledger import called
from ledger.errors import ConfigError

PATIENCE = {"UV_HTTP_TIMEOUT": "12", "UV_HTTP_RETRIES": "1"}
"""A host that cannot be reached costs half a minute at most, but for those who set it otherwise."""

MISLEADING = re.compile(
    r"VIRTUAL_ENV|CONDA_PREFIX|PYTHON\w+|UV_(NO_VERIFY_HASHES|SYSTEM_PYTHON|PYTHON|TORCH_BACKEND|"
    r"NO_BINARY|NO_BUILD|BREAK_SYSTEM_PACKAGES|WORKING_DIR|COMPILE_BYTECODE|CONSTRAINT|OVERRIDE|"
    r"EXCLUDE|EXCLUDE_NEWER)"
)
"""Variables that would have uv do something else than it is told to."""

UNUSED = re.compile(
    r"/(_dynamo|_inductor|distributed|docutils|fontTools|mpmath|networkx|onnx|setuptools|sympy|"
    r"testing|tests|torchgen)/"
)
"""What no job imports: half of all code, and compiling it takes longer than installing it."""


class Unreachable(ConfigError):
    """No answer of use from an index, or the host of its files."""


class Absent(Unreachable):
    """No index in use has what a lock pins."""


DAMAGED = "a lock is damaged. Take it as it was published"

SENTENCES: dict[str, tuple[type[ConfigError], str]] = {
    r"os error (28|122)\b|No space left|quota": (
        ConfigError,
        "the disk is full, or a quota used up. Free some space, then run the same again",
    ),
    r"os error (1|13|30)\b|Permission denied": (ConfigError, "there is no right to write there"),
    r"Hash mismatch|--require-hashes": (
        ConfigError,
        "a hash in the lock is missing, or is not that of the file in the index. Take the lock as "
        "it was published; if it is, the index has another file",
    ),
    r"Unexpected '|Couldn't parse|Invalid hash": (ConfigError, DAMAGED),
    r"Required uv version": (ConfigError, "uv.toml wants another version of uv"),
    r"Failed to initialize cache": (ConfigError, "uv's cache cannot be where it is set to be"),
    r"peer certificate": (
        Unreachable,
        "a certificate is not trusted. Set SSL_CERT_FILE, or pip's `cert`",
    ),
    r"\b40[137]\b|authorization required": (
        Unreachable,
        "an index or a proxy wants another user or password",
    ),
    r"No solution found": (
        Absent,
        "the indexes in use do not have all that is pinned, for this Python and machine; one that "
        "wants another user or password shows nothing",
    ),
    r"`--find-links`": (ConfigError, "a directory that pip or uv is configured for is not there"),
    r"error sending request|timed out|Failed to (fetch|download)": (
        Unreachable,
        "no answer. Check the network, and the indexes that pip or uv are configured for",
    ),
}
"""What went wrong, and what to do, by what uv says; the first that fits."""

LAST_WORDS = 12
"""How many of uv's lines are repeated after a failure."""


class Uv:
    """uv, for one purpose: to make environments from locks.

    Parameters
    ----------
    path : the command.
    say : told what is done, line by line.
    """

    def __init__(self, path: str, say: Callable[[str], None]) -> None:
        self.path, self.say = path, say

    @classmethod
    def found(cls, say: Callable[[str], None]) -> "Uv":
        """The one in the running environment, else in PATH.

        Raises
        ------
        ConfigError
            When there is none.
        """
        path = shutil.which("uv", path=str(Path(sys.prefix, "bin"))) or shutil.which("uv")
        if path is None:
            first = "`{}` puts it into .venv; into another environment, "
            ours = first.format(setup) if (setup := called.setup()) else ""
            raise ConfigError(f"building an environment needs uv. {ours}`pip install uv` does.")
        return cls(path, say)

    def create(self, place: Path, python: str) -> None:
        """Make an empty virtual environment in the new directory `place`.

        Raises
        ------
        ConfigError
            When `python` is no interpreter, or the directory cannot be written.
        """
        # Its commands find their Python beside them, wherever they are moved, whatever the path.
        command = ["venv", "--no-project", "--relocatable", "--python", python, str(place)]
        self._run(command, f"{python} cannot create a virtual environment")

    def install(self, place: Path, locks: Sequence[Path], *options: str) -> None:
        """Add what hashed locks pin to a virtual environment.

        Packages that come as source are built with the setuptools that one of the locks pins.

        Raises
        ------
        ConfigError
            When that cannot be done, or a lock pins nothing: one sentence, and uv's last words.
        """
        for number, lock in enumerate(locks):
            if not re.search(r"^[\w.-]+==", _text(lock), re.MULTILINE):
                raise ConfigError(f"{lock} cannot be installed: {DAMAGED}.")
            if pin := pinned("torch", lock, label="cpu"):
                locks, found = [*locks], self._without_cuda(place, pin, lock)
                locks[number], options = found[0], (*options, *found[1])
        complaint = f"{', '.join(map(str, locks))} cannot be installed"
        if builder := [pin for lock in locks if (pin := pinned("setuptools", lock))]:
            self._add(place, builder[0], complaint)
        self._add(place, "\n".join(_text(lock) for lock in locks), complaint, *options)

    def compile(self, place: Path) -> None:
        """Write the bytecode of what jobs import, which else each of the first ones would do."""
        command = [str(interpreter(place)), "-m", "compileall", "-qq", "-x", UNUSED.pattern]
        # One process where several cannot be had, as without shared memory.
        for processes in ("-j0", "-j1"):
            done = subprocess.run(
                [*command, processes, str(place / "lib")], env=_environment(), capture_output=True
            )
            if not done.returncode:
                break

    @cached_property
    def indexes(self) -> list[str]:
        """What pip is configured for, as options for uv, which reads its own configuration."""
        told = pip_settings()
        alone = told.get("no-index", "").lower() in ("1", "true", "yes", "on")
        options = ["--no-index"] if alone else []
        for setting, option, own in (
            ("index-url", "--default-index", {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}),
            ("extra-index-url", "--index", {"UV_INDEX", "UV_EXTRA_INDEX_URL"}),
            ("find-links", "--find-links", {"UV_FIND_LINKS"}),
            ("trusted-host", "--allow-insecure-host", {"UV_INSECURE_HOST"}),
        ):
            if not own & os.environ.keys():
                options += [word for v in told.get(setting, "").split() for word in (option, v)]
        return options

    def _without_cuda(self, place: Path, pin: str, lock: Path) -> tuple[Path, list[str]]:
        """Where the build of torch that `pin` locks is to be had: a lock, and options for uv.

        PyTorch keeps it in an index of its own, whose address uv knows. Where that does not answer,
        or the host of its files, there is the main index's build, which computes the same on a
        processor. To know that, it is installed here.
        """
        if sys.platform == "darwin":
            return lock.with_name(lock.name.replace("torch-cpu", "torch-macos")), []
        if self._offers(place, pin):
            return lock, []
        own = ["--torch-backend", "cpu"]
        try:
            if self._offers(place, pin, *own):
                self.say("torch without CUDA: from PyTorch's own index (200 MB)")
                self._add(place, pin, f"{lock} cannot be installed", "--no-deps", *own)
                return lock, own
            why = "does not have it"
        except Unreachable:
            why = "does not answer"
        self.say(
            "torch without CUDA: the indexes above do not have it and PyTorch's own "
            f"{why}, so the build with CUDA it is, which computes the same: 2.5 GB"
        )
        return lock.with_name(lock.name.replace("torch-cpu", "torch-cuda")), []

    def _offers(self, place: Path, pin: str, *options: str) -> bool:
        """Whether an index in use has what an entry of a lock pins; an error where none answers."""
        asked = ("--dry-run", "--no-deps", *options)
        try:
            self._add(place, pin, f"looking for {pin.split()[0]}", *asked, limit=30)
        except Absent:
            return False
        return True

    def _add(
        self, place: Path, pins: str, complaint: str, *options: str, limit: int | None = None
    ) -> None:
        # As every file is known by its hash, it may come from whichever index has it. Two signs of
        # equality take a labelled build, such as that of torch without CUDA, for the one without.
        exact = re.sub(r"^([\w.-]+)==(?=[^\s+]+\s)", r"\1===", pins, flags=re.MULTILINE)
        command = ["pip", "install", "--python", str(interpreter(place)), "--require-hashes"]
        command += ["--no-build-isolation", "--index-strategy", "unsafe-best-match"]
        self._run([*command, *self.indexes, *options, "-r", "-"], complaint, exact, limit)

    def _run(
        self, command: list[str], complaint: str, given: str = "", limit: int | None = None
    ) -> None:
        """Run uv with `given` as input, for `limit` seconds; tells what it downloads."""
        process = subprocess.Popen(
            [self.path, "--color", "never", "--no-progress", *command],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        timer = Timer(limit or 0, process.kill)
        if limit:
            timer.start()
        lines = []
        try:
            with process:
                process.stdin.write(given)
                process.stdin.close()
                for line in process.stdout:
                    lines.append(line.rstrip())
                    if line.startswith(("Downloading", "Building")):
                        self.say("  " + line.strip())
        finally:
            timer.cancel()
        if limit and process.returncode < 0:
            raise Unreachable(f"{complaint}: no answer within {limit} s.")
        if process.returncode:
            telling = [line for line in lines if line and not line.startswith("Using Python")]
            raise _error(complaint, telling)


def interpreter(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / "bin" / "python"


def pinned(distribution: str, lock: Path, label: str = "") -> str | None:
    """The entry of a lock, hashes included, that pins a distribution, or a labelled build of it."""
    version = rf"\S+\+{label}" if label else r"\S+"
    entry = rf"^{distribution}=={version}([ \\\n]+--hash=\S+)+"
    found = re.search(entry, _text(lock), re.MULTILINE)
    return found and found[0]


def _text(lock: Path) -> str:
    # What is no text is for uv to refuse.
    return lock.read_text(errors="replace")


def pip_settings() -> dict[str, str]:
    """What pip would be told by its files and variables, in that order, as pip reads them."""
    home, chosen = Path("~"), os.environ.get("PIP_CONFIG_FILE")
    with contextlib.suppress(RuntimeError):  # neither HOME nor a user of this number
        home = Path.home()
    if chosen == os.devnull:
        files = []
    else:
        shared = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        own = os.environ.get("XDG_CONFIG_HOME") or home / ".config"
        files = [Path(folder, "pip/pip.conf") for folder in shared.split(":")]
        files.append(Path("/etc/pip.conf"))
        if not (chosen and Path(chosen).exists()):
            files += [home / ".pip/pip.conf", Path(own, "pip/pip.conf")]
        files += [Path(chosen)] if chosen else []
    settings: dict[str, str] = {}
    for file in files:
        parser = RawConfigParser()
        try:
            parser.read(file)
        except (Error, UnicodeDecodeError):
            continue  # pip itself says so
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= parser.items(section)
    for name, value in os.environ.items():
        if name.startswith("PIP_"):
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def _environment() -> dict[str, str]:
    """The variables that uv is run with."""
    inherited = {k: v for k, v in os.environ.items() if not MISLEADING.fullmatch(k)}
    told = pip_settings()
    if "cert" in told:
        inherited.setdefault("SSL_CERT_FILE", told["cert"])
    if "proxy" in told:
        inherited.setdefault("ALL_PROXY", told["proxy"])
    return {**PATIENCE, "UV_PYTHON_DOWNLOADS": "never", **inherited}


def _error(complaint: str, lines: list[str]) -> ConfigError:
    said, last = "\n".join(lines), [f"  {line}" for line in lines[-LAST_WORDS:]]
    for sign, (kind, sentence) in SENTENCES.items():
        if re.search(sign, said):
            return kind(f"{complaint}: {sentence}.", *last)
    return ConfigError(f"{complaint}:", *last)
