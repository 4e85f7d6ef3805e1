"""What the report's answer is made of: findings, and the commands that it tells."""

import json
import shlex
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """One of the things to know, `figure` being the number it comes to."""

    title: str
    figure: str
    text: str
    is_warning: bool = False

    @property
    def line(self) -> str:
        """The same for a terminal."""
        return f"{self.title}: {self.figure}. {self.text}"


CONFIGURATION = "results/configuration.yaml"
"""The whole configuration of the run."""


def command(target: str = "", **settings: Any) -> str:
    """The command for a target, or for the report, of this configuration with other settings."""
    told = " ".join(f"{key}={shlex.quote(_spelt(value))}" for key, value in settings.items())
    words = ["snakemake", "-c8", target, f"--configfile {CONFIGURATION}"]
    return f"`{' '.join(filter(None, [*words, told and f'--config {told}']))}`"


def _spelt(value: Any) -> str:
    """A setting as the command line takes it, in YAML."""
    return value if isinstance(value, str) else json.dumps(value).replace('"', "")


SIMPLE = command("results/variants.csv", variants={"linear": {"learner": "logistic_regression"}})
"""The command that compares with a simple learner."""
