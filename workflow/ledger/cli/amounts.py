"""Amounts on the command line: shares, times and sizes."""

import argparse
import re

TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Units of an age, in seconds."""

SIZES = ("B", "kB", "MB", "GB", "TB")
"""Units of a size, each a thousand of the one before."""


def share(text: str) -> float:
    """A share above 0 and up to 1, written as a percentage, for argparse."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if match is None or not 0 < float(match[1]) <= 100:
        raise argparse.ArgumentTypeError(f"expected 5%, 0.5%, 100% or the like, found {text!r}")
    return float(match[1]) / 100


def minutes(text: str) -> float:
    """Minutes above 0, in seconds, for argparse."""
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not float(text):
        raise argparse.ArgumentTypeError(f"expected 10, 0.5 or the like, found {text!r}")
    return float(text) * TIMES["m"]


def age(text: str) -> int:
    """An age in seconds, for argparse."""
    match = re.fullmatch(r"(\d+)([smhd])|0", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected 30m, 12h, 7d or the like, found {text!r}")
    return int(match[1]) * TIMES[match[2]] if match[1] else 0


def bytes_(text: str) -> int:
    """A number of bytes, for argparse."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected 50GB, 800MB or the like, found {text!r}")
    return int(float(match[1]) * 1000 ** SIZES.index(match[2]))


def size(count: float) -> str:
    """Bytes, such as `364 B` or `1.2 GB`."""
    unit, *larger = SIZES
    while count >= 1000 and larger:
        count, unit = count / 1000, larger.pop(0)
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
