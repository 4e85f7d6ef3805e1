# Needs nothing, and comes first: has what a run shows on the terminal be short.
import sys

sys.path.insert(0, str(ROOT / "workflow"))

from emodag.chain.stages import FITS
from ledger.snakemake.screen import take_over

SCREEN = take_over(workflow, FITS, unit="epoch", figure="F1")
