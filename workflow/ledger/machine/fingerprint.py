"""The numerical environment a result depends on, read from the live interpreter.

Nothing heavy is imported: versions come from the installed distributions' metadata, builds from
their records, the processor from the operating system.
"""

import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ledger import called
from ledger.errors import ConfigError, EnvironmentMismatch
from ledger.machine.builds import LOADER_VARIABLES, builds
from ledger.machine.device import device_for

NUMERICAL = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "torch", "safetensors")
"""The distributions whose build can move bits; a change of any other leaves results valid."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What OpenMP, MKL, OpenBLAS and numexpr read when they are loaded."""

CPU_VARIABLES = (
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "OPENBLAS_CORETYPE",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
)
"""Variables that make NumPy, torch, MKL, OpenBLAS and oneDNN compute as on another processor."""

_READ = re.compile(
    r"(ATEN|BLIS|CUDNN|DNNL|GOMP|KMP|MKL|NPY|OMP|ONEDNN|OPENBLAS|PYTORCH|TORCH)_\w+"
    r"|ARROW_USER_SIMD_LEVEL|NVIDIA_TF32_OVERRIDE"
)
"""Variables that the numerical libraries read: which code they take, or with how many digits."""

_UNHEARD = re.compile(
    r"(?!MKL_DOMAIN)\w+_NUM_THREADS|\w+_VERBOSE\w*|MKL_INTERFACE_LAYER"
    r"|(GOMP|KMP|OMP)_(\w*AFFINITY\w*|BLOCKTIME|DISPLAY\w*|DUPLICATE_LIB_OK|INIT_AT_FORK|PLACES"
    r"|PROC_BIND|SETTINGS|SPINCOUNT|STACKSIZE|TOOL\w*|WAIT_POLICY|WARNINGS)"
    r"|PYTORCH_\w*ALLOC_CONF"
    r"|TORCH_(HOME|EXTENSIONS_DIR|CUDA_ARCH_LIST|LOGS\w*|SHOW_\w+|NCCL_\w+|DISTRIBUTED_\w+)"
)
"""Those that say where files and threads are, what to tell, or what jobs are told anyway."""

_ISA = re.compile(r"sse4_[12]|avx\w*|fma|amx_\w+|asimd\w*|sve\w*|bf16|fp16|f16c")


def installed_versions(
    more: Iterable[str] = (), path: Sequence[str] | None = None
) -> dict[str, str]:
    """Version by distribution, for those of `NUMERICAL` and `more` that can be imported.

    Parameters
    ----------
    path : the directories with another interpreter's packages; by default it is this one's.
    """
    where = {} if path is None else {"path": path}
    found = {name: metadata.distributions(name=name, **where) for name in _with(more)}
    told = {name: next(map(_version, each), None) for name, each in found.items()}
    return {name: version for name, version in told.items() if version}


def _version(found: metadata.Distribution) -> str | None:
    """What a distribution tells of itself; `importlib.metadata` would parse all of that."""
    line = re.search(r"^Version: *(\S+)", found.read_text("METADATA") or "", re.MULTILINE)
    return line[1] if line else found.version


def _with(more: Iterable[str]) -> list[str]:
    """The distributions that count: `NUMERICAL`, then those of `more` that it does not hold."""
    return [*NUMERICAL, *sorted(set(more).difference(NUMERICAL))]


def _normal(name: str) -> str:
    """A distribution's name as locks spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def differences(required: Mapping[str, str], installed: Mapping[str, str]) -> list[str]:
    """What is not installed as required, in words.

    A local version label (the ``+cpu`` of a torch build) is not compared; it still enters keys.
    """
    return [
        f"{package}: locked {wanted}, installed {installed.get(package, 'not at all')}"
        for package, wanted in required.items()
        if installed.get(package, "").partition("+")[0] != wanted.partition("+")[0]
    ]


def locked_versions(locks: list[Path], more: Iterable[str] = ()) -> dict[str, str]:
    """Version by distribution, for those of `NUMERICAL` and `more` that hashed locks pin.

    Raises
    ------
    ConfigError
        When a lock does not exist, or is not text.
    """
    pins: dict[str, str] = {}
    wanted = set(_with(more))
    for lock in locks:
        try:
            text = lock.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            raise ConfigError(
                f"{lock}: not a lock ({why}). It is named under `environments` in the "
                "configuration; choose an environment whose locks exist."
            ) from None
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE):
            if _normal(name) in wanted:
                pins[_normal(name)] = version
    return dict(sorted(pins.items()))


def fingerprint(
    variables: Mapping[str, str], threads: int, device: str, packages: Iterable[str] = ()
) -> dict[str, Any]:
    """Everything about the running environment that enters a key, as plain JSON.

    The processor counts by vendor and instruction sets, which is what libraries dispatch on; its
    model name and clock do not. Of the device it is what `device` comes to on this machine.
    `packages` are distributions that count beside `NUMERICAL`. The first time in an environment
    this takes some seconds (see `builds`).

    Raises
    ------
    ConfigError
        When `device` is ``cuda`` and there is none.
    """
    # Of threads that it has no processor for, OpenBLAS starts none.
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    return {
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
        "machine": platform.machine(),
        "processor": processor(),
        "distributions": installed_versions(packages),
        **builds(_with(packages)),
        "variables": {**steering(), **variables},
        "threads": threads,
        **({"processors": processors} if processors < threads else {}),
        "device": device_for(device),
    }


def steering() -> dict[str, str]:
    """The variables that are set and steer how libraries compute, or which are loaded.

    All that the numerical libraries may read count, known or not, but for a few that move nothing.
    """
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name in LOADER_VARIABLES or (_READ.fullmatch(name) and not _UNHEARD.fullmatch(name))
    }


@cache
def processor() -> str:
    """Vendor and floating-point instruction sets, such as ``AuthenticAMD avx avx2 fma``."""
    fields = _cpuinfo()
    if not fields:
        return platform.processor()
    vendor = fields.get("vendor_id", fields.get("CPU implementer", "unknown"))
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    return " ".join([vendor, *sorted(filter(_ISA.fullmatch, flags))])


def processor_model() -> str:
    """What the processor calls itself; it is part of no key."""
    return _cpuinfo().get("model name", platform.processor())


@cache
def _cpuinfo() -> dict[str, str]:
    """The first processor's entry in Linux's table, empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    lines = text.partition("\n\n")[0].splitlines()
    return dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)


def check(name: str, required: Mapping[str, str], installed: Mapping[str, str]) -> None:
    """Refuse to go on when what is installed is not what the environment's lock pins.

    Raises
    ------
    EnvironmentMismatch
        With one line per difference and the way out.
    """
    if found := differences(required, installed):
        title = f"this interpreter is not the environment {name!r}:"
        lines = (f"  {line}" for line in found)
        raise EnvironmentMismatch(title, *lines, f"{_way_out()} Nothing was computed.")


def _way_out() -> str:
    """What to do about an interpreter that is not what it should be, by what made it."""
    made = Path(sys.prefix)
    if str(called.home()) in made.parts or ".snakemake" in made.parts:
        return f"Remove {made} and run the same command again; it is built anew."
    setup = called.setup()
    here = f".venv (`{setup}` builds it from the locks)" if setup else "one that is as locked"
    return (
        f"Activate {here}, or choose another `environment` in the configuration, or give this one "
        "`python: built`."
    )
