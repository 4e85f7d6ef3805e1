# Needs the scaled features, the labels and the folds.
# Makes the teacher, its pseudo-labels, the students of every generation, and the leaky baseline.
# What leads to the next generation goes before the baseline, which then fills the cores that the
# last fits of a generation leave idle.


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
        "Train the teacher, {wildcards.part} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
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
        "Train student {wildcards.gen}, fold {wildcards.fold} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"


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
        "Blend the folds of generation {wildcards.gen} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"


use rule teacher as stage0 with:
    """Train the leaky baseline on one fold of a KFold that ignores persons."""
    input:
        **needs("stage0"),
    output:
        **makes("stage0"),
    log:
        log_of("stage0"),
    priority: 0
    message:
        "Train stage 0, fold {wildcards.fold} ({wildcards.env}, seed {wildcards.seed})"
