# Needs the typed tables and the folds.
# Makes what other models predict on the same folds, and the table of their scores.


rule baseline:
    """Fit another model on one fold, and predict the rows that it holds out."""
    input:
        **needs("{env}/baselines/{scheme}/{baseline}/fold{fold}"),
    output:
        multiext(
            "results/{env}/baselines/{scheme}/{baseline}/fold{fold}/",
            manifest="manifest.json",
            validation="validation.parquet",
            facts="fit.json",
        ),
    log:
        "results/{env}/baselines/{scheme}/{baseline}/fold{fold}/baseline.log",
    conda:
        lambda wildcards: CONFIG.environments[BASELINES].conda
        and str(ROOT / CONFIG.environments[BASELINES].conda)
    message:
        "Fit the baseline {wildcards.baseline}, {wildcards.scheme} fold {wildcards.fold} ({wildcards.env})"
    shell:
        RUN


rule voting:
    """Have the baselines vote on the rows that a fold holds out."""
    input:
        **needs("{env}/baselines/{scheme}/{voting}/fold{fold}"),
    output:
        multiext(
            "results/{env}/baselines/{scheme}/{voting}/fold{fold}/",
            manifest="manifest.json",
            validation="validation.parquet",
            facts="fit.json",
        ),
    log:
        "results/{env}/baselines/{scheme}/{voting}/fold{fold}/voting.log",
    conda:
        conda_file
    message:
        "Vote among the baselines, {wildcards.voting}, {wildcards.scheme} fold {wildcards.fold} ({wildcards.env})"
    shell:
        RUN


rule baselines:
    """Collect the baselines' scores under both schemes."""
    input:
        **needs("baselines"),
    output:
        manifest="results/baselines.manifest.json",
        baselines=report(
            "results/baselines.csv",
            caption="../report/baselines.rst",
            category="Tables",
            labels={"what": "scores of the baselines"},
        ),
    log:
        "results/baselines.log",
    conda:
        conda_file
    message:
        "Collect the scores of the baselines"
    shell:
        RUN
