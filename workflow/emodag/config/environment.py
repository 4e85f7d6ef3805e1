"""The section of an environment."""

from typing import Annotated

from pydantic import Field

from emodag.config.kinds import Positive
from emodag.config.section import Section


class Environment(Section):
    """One environment: what must be installed and how a job runs in it."""

    locks: list[str] = Field(
        ["envs/local.lock", "envs/local.torch-cpu.lock"],
        description="hashed requirement files that must be installed; []: use what is installed",
    )
    python: Annotated[str, Field(min_length=1)] = Field(
        "running",
        description="running: the interpreter of Snakemake; built: a virtual environment made "
        "from the locks with its Python; else the interpreter, such as python3.12, to make it with",
    )
    conda: str | None = Field(
        "envs/local.yaml",
        description="the same for snakemake --use-conda; null: use what is installed",
    )
    variables: dict[str, str] = Field({}, description="environment variables of every job")
    threads: Positive = Field(1, description="threads of one job; fits run in parallel as jobs")


AVX2 = {
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_KNL AVX512_KNM AVX512_SKX AVX512_CLX "
    "AVX512_CNL AVX512_ICL",
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""What makes NumPy, OpenBLAS, torch, oneDNN and MKL compute as on a processor without AVX-512."""
