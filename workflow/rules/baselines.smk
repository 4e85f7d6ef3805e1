# Needs the typed tables and the folds.
# Makes what other models predict on the same folds, and the table of their scores.


use rule synthesize as baseline with:
    """Fit another model on one fold, and predict the rows that it holds out."""
    input:
        **needs("baseline"),
    output:
        **makes("baseline"),
    log:
        log_of("baseline"),
    conda:
        lambda wildcards: FLOW.conda(BASELINES)
    message:
        "Fit the baseline {wildcards.baseline}, {wildcards.scheme} fold {wildcards.fold} ({wildcards.env})"


use rule synthesize as voting with:
    """Have the baselines vote on the rows that a fold holds out."""
    input:
        **needs("voting"),
    output:
        **makes("voting"),
    log:
        log_of("voting"),
    message:
        "Vote among the baselines, {wildcards.voting}, {wildcards.scheme} fold {wildcards.fold} ({wildcards.env})"


use rule synthesize as baselines with:
    """Collect the baselines' scores under both schemes."""
    input:
        **needs("baselines"),
    output:
        **makes("baselines"),
    log:
        log_of("baselines"),
    message:
        "Collect the scores of the baselines"
