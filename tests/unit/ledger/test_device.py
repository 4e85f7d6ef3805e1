"""A GPU is recognised from what the driver says, by the job that computes on it."""

import sys
from dataclasses import asdict

import pytest
import torch

from emodag.stages import fitting
from ledger.errors import ConfigError
from ledger.machine.device import device_for, kind
from ledger.machine.onednn import has_onednn
from tests.unit.emodag.test_training import MODEL


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """What NVIDIA's driver shows of two GPUs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 2024\n"
    (tmp_path / "version").write_text(version)
    for bus, model, uuid in (
        ("0000:1b:00.0", "NVIDIA H100 80GB HBM3", "GPU-1f"),
        ("0000:43:00.0", "NVIDIA A100-SXM4-40GB", "GPU-2e"),
    ):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        text = f"Model: \t\t {model}\nIRQ:   \t\t 18\nGPU UUID: \t {uuid}\n"
        (tmp_path / "gpus" / bus / "information").write_text(text)
    return tmp_path


def test_driver_and_models_enter_the_key(driver):
    found = device_for("cuda", driver)
    assert found == "cuda 550.54.15: NVIDIA H100 80GB HBM3, NVIDIA A100-SXM4-40GB"
    assert device_for("auto", driver) == found and kind(found) == "cuda"


@pytest.mark.parametrize("chosen", ["1", "GPU-2e", " GPU-2", "7,1"])
def test_only_visible_gpus_count(driver, monkeypatch, chosen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert device_for("auto", driver) == "cuda 550.54.15: NVIDIA A100-SXM4-40GB"


@pytest.mark.parametrize("chosen", ["", "-1"])
def test_hidden_gpus_are_not_used(driver, monkeypatch, chosen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert device_for("auto", driver) == kind("cpu") == "cpu"
    with pytest.raises(ConfigError, match=r"the device is to be `cuda`, and this process sees no"):
        device_for("cuda", driver)


def test_the_processor_is_used_where_it_is_asked_for(driver, tmp_path):
    assert device_for("cpu", driver) == "cpu"
    assert device_for("auto", tmp_path / "no driver") == "cpu"


def test_a_torch_without_onednn_multiplies_by_itself_and_the_key_says_so(tmp_path, monkeypatch):
    """Told by a header, since the key is made without loading torch."""
    assert has_onednn() == torch.backends.mkldnn.is_available()
    header = tmp_path / "torch/include/ATen/Config.h"
    header.parent.mkdir(parents=True)
    (tmp_path / "torch/__init__.py").touch()
    model, processor = asdict(MODEL), torch.device("cpu")
    told = {}
    for without in (True, False):
        header.write_text(f"#define AT_MKLDNN_ENABLED() {int(not without)}\n")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path)
            patch.delitem(sys.modules, "torch")  # for which its finder is not asked else
            told[without] = device_for("cpu"), fitting.model_settings(model, processor).matmul
    assert told == {True: ("cpu without oneDNN", "torch"), False: ("cpu", "ordered")}
    assert kind("cpu without oneDNN") == "cpu"
