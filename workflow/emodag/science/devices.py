"""The device of a fit, set up so that the same fit gives the same bits on it again."""

import ctypes
import os

import pyarrow as pa
import torch

from emodag.errors import ConfigError


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
        _keep_freed_memory()
    return torch.device(device)


def _keep_freed_memory() -> None:
    """Have the C library give blocks of up to 32 MiB out again instead of returning them.

    By default it unmaps what a step has freed, and the next step pays a page fault for every four
    kilobytes of its intermediate results. Only glibc has this switch (mallopt(3)). Arrow's own
    allocator returns memory, too, between one group of rows and the next.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        trim_threshold, mmap_threshold = -1, -3
        library.mallopt(mmap_threshold, 32 << 20)
        library.mallopt(trim_threshold, 2**31 - 1)
