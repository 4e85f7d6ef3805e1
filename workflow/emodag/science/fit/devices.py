"""The device of a fit, set up so that the same fit gives the same bits on it again."""

import os

import torch

from emodag.science.tables.memory import keep_freed_memory
from ledger.errors import ConfigError


def prepared(device: str) -> torch.device:
    """A device to compute on: ``cpu`` or ``cuda``.

    On a GPU only deterministic kernels are allowed, at full float32 precision (no TF32); cuBLAS
    needs a fixed workspace for that (PyTorch's notes on reproducibility). On a processor the whole
    process is made to keep the memory it frees.

    Raises
    ------
    ConfigError
        When torch cannot use the GPU.
    """
    if device == "cuda":
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        if not torch.cuda.is_available():
            raise ConfigError(
                f"torch {torch.__version__} cannot use the GPU. Install a build with CUDA "
                "(`make setup TORCH=cuda`), or set `training.device: cpu`."
            )
        torch.use_deterministic_algorithms(True)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    else:
        keep_freed_memory()
    return torch.device(device)
