"""The Slurm profile asks for what its comments say, by Snakemake's own evaluation of it."""

import re
from pathlib import Path

import pytest
import yaml
from snakemake.common import async_run
from snakemake.iocontainers import InputFiles
from snakemake.resources import Resource

from emodag.chain.stages import STAGES

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "workflow/profiles/slurm/config.yaml").read_text()
PROFILE = yaml.safe_load(TEXT)
OF_VARIANTS = ["submission_of", "scores_of"]
RULES = [name for name in STAGES if name != "predict"] + OF_VARIANTS  # `predict` is no rule


def asked(rule: str, resource: str, tables: list[Path], attempt: int) -> int:
    """What a rule asks for when it reads `tables` (and a file that is not there yet)."""
    settings = PROFILE["default-resources"] | PROFILE["set-resources"].get(rule, {})
    input = InputFiles([*map(str, tables), "missing/pseudo_labels.parquet"])
    input._set_name("files", 0, end=len(tables))
    value = Resource.from_cli_expression(resource, str(settings[resource])).evaluate(
        wildcards=None,
        input=input,
        attempt=attempt,
        threads=1,
        rulename=rule,
        async_run=async_run,
    )
    return value.value


@pytest.fixture
def tables(tmp_path) -> list[Path]:
    """The scaled features of the competition's size, without their content."""
    found = []
    for name, size in {"train": 131 * 10**6, "test": 62 * 10**6}.items():
        with (path := tmp_path / f"{name}.parquet").open("wb") as file:
            file.truncate(size)
        found.append(path)
    return found


# Seconds and MB measured at that size, as the profile's comments state them.
MEASURED = {
    "synthesize": (8, 670),
    "ingest": (15, 370),
    "scale": (10, 780),
    "teacher": (570, 1150),
    "student": (340, 1200),
    "stage0": (230, 1150),
    "report": (30, 900),
    "contrast": (45, 520),
}


def test_a_first_attempt_suffices_at_the_competition_s_size(tables):
    snakemake = 240
    for rule in RULES:
        seconds, megabytes = MEASURED.get(rule, (2, 215))
        assert asked(rule, "mem_mb", tables, 1) >= 1.25 * (megabytes + snakemake), rule
        assert asked(rule, "runtime", tables, 1) * 60 >= 3 * seconds, rule


@pytest.mark.parametrize("resource", ["mem_mb", "runtime"])
def test_every_retry_asks_for_more(resource, tables):
    for rule in RULES:
        first, second, third = (asked(rule, resource, tables, attempt) for attempt in (1, 2, 3))
        assert (second, third) == (2 * first, 3 * first), rule


@pytest.mark.parametrize("rule", ["teacher", "student", "stage0"])
def test_fits_ask_by_the_size_of_the_training_features(rule, tables):
    assert [asked(rule, "mem_mb", tables, 1), asked(rule, "runtime", tables, 1)] == [2810, 42]
    with tables[0].open("r+b") as file:
        file.truncate(1310 * 10**6)
    assert [asked(rule, "mem_mb", tables, 1), asked(rule, "runtime", tables, 1)] == [14600, 337]


@pytest.mark.parametrize("rule", ["ingest", "scale", "contrast", "report"])
def test_ten_times_the_rows_suffice_with_ten_times_the_growth(rule, tables):
    """Beyond 215 MB, which every job takes, memory grows as the tables do."""
    seconds, megabytes = MEASURED[rule]
    with tables[0].open("r+b") as file:
        file.truncate(1310 * 10**6)
    assert asked(rule, "mem_mb", tables, 1) >= 240 + 215 + 10 * (megabytes - 215)
    assert asked(rule, "runtime", tables, 1) * 60 >= 10 * seconds


def test_a_gpu_is_for_fits_once_its_lines_are_uncommented():
    assert not any("gpu" in resources for resources in PROFILE["set-resources"].values())
    text = re.sub(
        r"^    # (gpu|slurm_partition|gpu_model): ", r"    \1: ", TEXT, flags=re.MULTILINE
    )
    wanted = {"gpu": 1, "slurm_partition": "gpu", "gpu_model": "a100"}
    changed = yaml.safe_load(text)["set-resources"]
    for rule in RULES:
        before = PROFILE["set-resources"].get(rule, {})
        extra = wanted if rule in ("teacher", "student", "stage0") else {}
        assert changed.get(rule, {}) == before | extra


def test_account_partition_and_conda_are_there_to_be_uncommented():
    names = "slurm_account|slurm_partition|software-deployment-method|conda-prefix"
    text = re.sub(rf"^( *)# ({names}): ", r"\1\2: ", TEXT, flags=re.MULTILINE)
    changed = yaml.safe_load(text)
    extra = {"slurm_account": "myproject", "slurm_partition": "main"}
    assert changed["default-resources"] == PROFILE["default-resources"] | extra
    assert changed["software-deployment-method"] == "conda"


def test_every_rule_but_those_for_fits_alone_is_in_a_group():
    grouped = {entry.partition("=")[0] for entry in PROFILE["groups"]}
    assert grouped == set(RULES) - {"stage0"}
