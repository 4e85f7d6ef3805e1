"""The commands of Snakemake that messages tell, to be given where the results are."""

import os
import shlex

from emodag.chain.jobs import ROOT


def naming(snakefile: str | None) -> str:
    """The option by which a Snakefile is named, and a space; nothing without one."""
    return f"-s {shlex.quote(snakefile)} " if snakefile else ""


def command(*words: str) -> str:
    """The command for some targets and options, in backquotes.

    It names emodag's Snakefile where the present directory has none of its own.
    """
    from snakemake.api import resolve_snakefile

    is_there = resolve_snakefile(None, allow_missing=True)
    snakefile = naming(None if is_there else str(ROOT / "Snakefile"))
    return f"`snakemake {snakefile}{shlex.join([f'-c{os.cpu_count()}', *words])}`"
