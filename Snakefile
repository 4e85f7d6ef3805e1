"""emodag: from raw tables to a submission, every artifact addressed by its content."""

from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/environments.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/drift.smk"
include: "workflow/rules/baselines.smk"
include: "workflow/rules/report.smk"


rule all:
    """Everything: the submission, the cross-validated scores and, where there is one, leaderboard and baselines."""
    default_target: True
    input:
        "results/submission.csv",
        "results/scores.csv",
        ["results/leaderboard.csv"] if "leaderboard" in CHAIN else [],
        ["results/baselines.csv"] if "baselines" in CHAIN else [],
