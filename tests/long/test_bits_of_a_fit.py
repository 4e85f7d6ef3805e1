"""A fit has the same bits whatever the threads, the registers and MKL: in processes of its own."""

import os
import subprocess
import sys
from pathlib import Path

from numpy._core._multiarray_umath import __cpu_dispatch__

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
FIT = """
import hashlib, sys
import numpy as np, torch
from emodag.science.fit.devices import prepared
from emodag.science.fit.model import ModelSettings
from emodag.science.fit.randomness import Derived
from emodag.science.seeds import generator
from emodag.science.fit.training import Cosine, FitSettings, fit, probabilities
torch.set_num_threads(int(sys.argv[1]))
prepared("cpu")
rng = np.random.default_rng(0)
for rows, width, hidden, batch, classes in ((300, 1793, 512, 128, 4), (61, 37, 21, 16, 9)):
    x = torch.from_numpy(rng.standard_normal((rows, width), dtype=np.float32))
    network, history = fit(
        x, np.arange(rows), rng.integers(0, classes, rows), classes=classes,
        model=ModelSettings(
            hidden=hidden, code=hidden // 4, head=hidden // 4, attention=True, gate_ratio=4,
            dropout=0.3, residual=True, corruption=0.1, matmul=sys.argv[2],
        ),
        settings=FitSettings(
            epochs=2, batch=batch, learning_rate=1e-3, weight_decay=1e-3, mixup=0.4,
            reconstruction=0.1, drop_last=False, schedule=Cosine(end=1e-5),
        ),
        randomness=Derived(lambda purpose: generator(1, "test", purpose)),
    )
    digest = hashlib.sha256(probabilities(network, x, np.arange(rows), at_once=64).tobytes())
    for value in network.state_dict().values():
        digest.update(value.numpy().tobytes())
    print(digest.hexdigest(), history)
assert "torch._dynamo" not in sys.modules, "a fit imports torch's compiler"
"""
"""A fit at the widths and the batch of the defaults, and one of odd sizes."""


def said_by_fit(threads, matmul, **variables):
    return subprocess.run(
        [sys.executable, "-c", FIT, threads, matmul],
        env={**os.environ, **variables},
        cwd=WORKFLOW,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_neither_threads_nor_registers_nor_mkl_move_a_bit_of_a_fit():
    mkl = {"MKL_CBWR": "COMPATIBLE"}
    narrow = {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__),
    }
    found = {
        said_by_fit("1", "ordered"),
        said_by_fit("3", "ordered", **mkl),
        said_by_fit("2", "ordered", **narrow),
    }
    assert len(found) == 1
    assert said_by_fit("1", "torch") != said_by_fit("1", "torch", **mkl)
