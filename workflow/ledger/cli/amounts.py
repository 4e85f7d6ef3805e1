"""Amounts on the command line: shares."""

import argparse
import re


def share(text: str) -> float:
    """A share above 0 and up to 1, written as a percentage, for argparse."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if match is None or not 0 < float(match[1]) <= 100:
        raise argparse.ArgumentTypeError(f"expected 5%, 0.5%, 100% or the like, found {text!r}")
    return float(match[1]) / 100
