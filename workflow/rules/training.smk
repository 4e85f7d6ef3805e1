# Needs the scaled features, the labels and the folds.
# Makes the teacher, its pseudo-labels, the students of every generation, and the leaky stage 0.
# What leads to the next generation goes before stage 0, which then fills the cores that the last
# fits of a generation leave idle.


rule teacher:
    """Train generation 0 on labelled rows alone."""
    input:
        **needs("teacher"),
    output:
        **makes("teacher"),
    log:
        log_of("teacher"),
    priority: 1
    conda:
        conda_file
    threads: job_threads
    message:
        "Train generation 0, the teacher, {wildcards.part} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
    shell:
        RUN_FIT


use rule synthesize as pseudo_label with:
    """Label the rows to predict that the previous generation is sure of."""
    input:
        **needs("pseudo_label"),
    output:
        **makes("pseudo_label"),
    log:
        log_of("pseudo_label"),
    priority: 1
    message:
        "Select pseudo-labels of generation {wildcards.gen}, {wildcards.part} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"


use rule teacher as student with:
    """Train a student on labelled and pseudo-labelled rows; score it on held-out persons."""
    input:
        **needs("student"),
    output:
        **makes("student"),
    log:
        log_of("student"),
    message:
        "Train generation {wildcards.gen}, fold {wildcards.fold} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"


use rule synthesize as blend with:
    """Average the folds' class probabilities of the rows to predict."""
    input:
        **needs("blend"),
    output:
        **makes("blend"),
    log:
        log_of("blend"),
    priority: 1
    message:
        "Blend the folds of generation {wildcards.blend} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"


use rule teacher as stage0 with:
    """Train on one fold of a KFold that ignores persons, which flatters the score."""
    input:
        **needs("stage0"),
    output:
        **makes("stage0"),
    log:
        log_of("stage0"),
    priority: 0
    message:
        "Train stage 0, fold {wildcards.fold} ({wildcards.env}, seed {wildcards.seed})"


use rule synthesize as learner with:
    """Fit another learner in the place of a teacher, a student or stage 0."""
    input:
        **needs("learner"),
    output:
        **makes("learner"),
    log:
        log_of("learner"),
    priority: 1
    conda:
        lambda wildcards: FLOW.conda(
            FLOW.job(STAGES["learner"].place, wildcards).environment
        )
    message:
        "Fit another learner, {wildcards.fit} ({wildcards.learner}{wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
