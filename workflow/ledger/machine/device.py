"""Which device a job computes on, told without loading the library that will use it."""

import os
import re
from pathlib import Path

from ledger.errors import ConfigError
from ledger.machine.onednn import has_onednn

NVIDIA = Path("/proc/driver/nvidia")
"""Where NVIDIA's Linux driver describes itself and its GPUs."""

CPU = "cpu"

UNORDERED = "cpu without oneDNN"
"""A processor on which products of matrices are torch's own, since there is no oneDNN."""


def device_for(wanted: str, driver: Path = NVIDIA) -> str:
    """What enters the key for a device: `CPU`, `UNORDERED`, or driver and models of visible GPUs.

    Parameters
    ----------
    wanted : ``cpu``; ``cuda``; ``auto``, a GPU where one is visible.

    Raises
    ------
    ConfigError
        When a GPU is wanted and none is visible to this process.
    """
    models = [] if wanted == CPU else _visible(driver)
    if models:
        return f"cuda {_version(driver)}: {', '.join(models)}"
    if wanted == "cuda":
        raise ConfigError(
            "the device is to be `cuda`, and this process sees no NVIDIA GPU. Ask for one where "
            "the job runs (on a cluster, by the profile's resources), or choose `auto` or `cpu`."
        )
    return CPU if has_onednn() else UNORDERED


def kind(device: str) -> str:
    """``cpu`` or ``cuda``, of what `device_for` returns."""
    return device.partition(" ")[0]


def _visible(driver: Path) -> list[str]:
    """The models of the GPUs that CUDA_VISIBLE_DEVICES leaves, by position on the bus."""
    gpus = []
    for path in sorted(driver.glob("gpus/*/information")):
        lines = [line.split(":", 1) for line in path.read_text().splitlines() if ":" in line]
        gpus.append({name.strip(): value.strip() for name, value in lines})
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        names = [name.strip() for name in chosen.split(",")]
        gpus = [
            gpu
            for number, gpu in enumerate(gpus)
            if str(number) in names
            or any(name and gpu.get("GPU UUID", "").startswith(name) for name in names)
        ]
    return [gpu.get("Model", "unknown") for gpu in gpus]


def _version(driver: Path) -> str:
    try:
        match = re.search(r"\b\d+\.\d+(\.\d+)?\b", (driver / "version").read_text())
    except OSError:
        match = None
    return match[0] if match else "unknown"
