"""emodag: from raw tables to a submission, every artifact addressed by its content."""

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The repository: also where this file is named by a link to it, or imported as a module.
ROOT = Path(workflow.snakefile).resolve().parent

if "://" in workflow.snakefile:  # as in `github(...)`

    include: "workflow/rules/fetched.smk"


include: ROOT / "workflow/rules/terminal.smk"


# Every key has a default, so a working directory of its own needs no config.yaml.
if Path("config.yaml").is_file():

    configfile: "config.yaml"

elif os.path.lexists("config.yaml"):
    sys.exit("emodag: error: config.yaml: is no file")


include: ROOT / "workflow/rules/common.smk"
include: ROOT / "workflow/rules/environments.smk"
include: ROOT / "workflow/rules/data.smk"
include: ROOT / "workflow/rules/training.smk"
include: ROOT / "workflow/rules/evaluation.smk"
include: ROOT / "workflow/rules/drift.smk"
include: ROOT / "workflow/rules/variants.smk"
include: ROOT / "workflow/rules/report.smk"


entitle(workflow)


rule all:
    """Everything: the tables, the report, and a page on all that there is."""
    input:
        rules.tables.input,
        "results/report.html",
        "results/index.html",
