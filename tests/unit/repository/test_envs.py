"""The locks are complete, portable and in step with each other and with the conda files."""

import functools
import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ENVS = ROOT / "envs"

spec = importlib.util.spec_from_file_location("lock", ENVS / "lock.py")
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)

NAMES = [entry.name for entry in lock.LOCKS]
ENTRY = re.compile(r"[a-z0-9.-]+==[\w.+]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n")


@functools.cache
def pins(name: str) -> dict[str, lock.Pin]:
    """Pins of a lock by distribution."""
    found = lock.read_pins((ENVS / f"{name}.lock").read_text())
    return {pin.requirement.partition("==")[0]: pin for pin in found}


def wanted(name: str) -> list[str]:
    """Requirements of a lock's source, as written there."""
    text = (ENVS / f"{name}.in").read_text()
    return re.findall(r"^[a-z0-9-]+(?:==[\w.+]+)?", text, re.MULTILINE)


def test_every_lock_is_known_to_the_script():
    assert {path.stem for path in ENVS.glob("*.lock")} == set(NAMES)
    assert {path.stem for path in ENVS.glob("*.yaml")} == set(lock.CONDA)


@pytest.mark.parametrize("name", NAMES)
def test_lock_holds_only_hashed_pins(name):
    """No index, no address, no option, nothing without a hash."""
    text = (ENVS / f"{name}.lock").read_text()
    entries = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    assert ENTRY.sub("", entries) == ""
    assert len(pins(name)) == len(ENTRY.findall(entries)) > 0
    assert "//" not in text


@pytest.mark.parametrize("name", NAMES)
def test_lock_pins_what_its_source_wants(name):
    locked = pins(name)
    for requirement in wanted(name):
        distribution, _, version = requirement.partition("==")
        assert locked[distribution].requirement.startswith(f"{distribution}=={version}")


def test_locks_agree_on_what_they_share():
    for entry in lock.LOCKS:
        own = pins(entry.name)
        for other in entry.agrees_with:
            theirs = pins(other)
            shared = (own.keys() & theirs.keys()) - {"torch"}
            assert {k: own[k] for k in shared} == {k: theirs[k] for k in shared}


def test_torch_flavours_differ_by_cuda_only():
    cpu, cuda = pins("local.torch-cpu"), pins("local.torch-cuda")
    assert cpu["torch"].requirement == cuda["torch"].requirement + "+cpu"
    assert not set(cpu["torch"].hashes) & set(cuda["torch"].hashes)
    assert cpu.keys() < cuda.keys()
    is_cuda = re.compile(r"nvidia-.+|cuda-.+|triton")
    assert all(is_cuda.fullmatch(name) for name in cuda.keys() - cpu.keys())
    assert not any(is_cuda.fullmatch(name) for name in cpu)


def test_torch_for_macos_is_that_of_linux_without_its_packages():
    cpu, macos = pins("local.torch-cpu"), pins("local.torch-macos")
    assert macos.keys() == cpu.keys()
    assert macos["torch"] == pins("local.torch-cuda")["torch"]
    assert {name for name in cpu if cpu[name] != macos[name]} == {"torch"}


def test_cpu_lock_holds_the_builds_its_source_lists():
    (stated,) = lock.read_pins((ENVS / "local.torch-cpu.in").read_text())
    assert pins("local.torch-cpu")["torch"] == stated


def test_cluster_adds_the_executor_and_changes_nothing():
    """It is installed into the `local` environment, without pip's looking at dependencies."""
    local, cluster = pins("local"), pins("cluster")
    added = cluster.keys() - local.keys()
    assert added == {
        "snakemake-executor-plugin-slurm",
        "snakemake-executor-plugin-slurm-jobstep",
    }
    assert {name: cluster[name] for name in cluster.keys() - added} == {
        name: local[name] for name in cluster.keys() - added
    }
    for name in set(NAMES) - {"cluster"}:
        assert not added & pins(name).keys(), "importing it slows every start of Snakemake"


def test_learners_are_installed_into_local_without_cuda():
    """Their lock leaves torch to the one without CUDA, and none of theirs is in the core's."""
    own, core = pins("learners"), {**pins("local"), **pins("local.torch-cpu")}
    assert {"lightgbm", "xgboost-cpu", "catboost", "tabm"} <= own.keys() - core.keys()
    assert not any(re.match(r"nvidia-|cuda-|triton|torch$", name) for name in own)
    assert {name: own[name] for name in own.keys() & core.keys()} == {
        name: core[name] for name in own.keys() & core.keys()
    }


@pytest.mark.parametrize("name", lock.CONDA)
def test_conda_file_is_in_step_with_its_locks(name):
    text = (ENVS / f"{name}.yaml").read_text()
    assert text == lock.conda_file(name), "run `make lock`"
    assert "//" not in text

    *_, pip = yaml.safe_load(text)["dependencies"]
    merged = {k: v for part in lock.CONDA[name] for k, v in pins(part).items()}
    assert pip["pip"] == [
        " ".join([pin.requirement, *(f"--hash={digest}" for digest in pin.hashes)])
        for pin in sorted(merged.values())
    ]


@pytest.mark.parametrize("name", lock.CONDA)
def test_configured_locks_are_those_of_the_conda_file(name):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    environment = config["environments"][name]
    assert [Path(path).stem for path in environment["locks"]] == list(lock.CONDA[name])
    assert environment["conda"] == f"envs/{name}.yaml"


def test_the_control_differs_in_numpy_only():
    local, control = pins("local"), pins("numpy2")
    assert local.keys() == control.keys()
    assert {name for name in local if local[name] != control[name]} == {"numpy"}
