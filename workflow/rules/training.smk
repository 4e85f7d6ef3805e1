# Needs the scaled features, the labels and the folds.
# Makes the teacher, its pseudo-labels, the students of every generation, and the leaky stage 0.


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
    threads: threads_of("teacher")
    shell:
        FLOW.run_fit


use rule synthesize as calibrate with:
    """Find how sure the teacher should be, where `pseudo_labels.calibrate` asks for it."""
    input:
        **needs("calibrate"),
    output:
        **makes("calibrate"),
    log:
        log_of("calibrate"),
    priority: 1


use rule calibrate as pseudo_label with:
    """Label the rows to predict that the previous generation is sure of."""
    input:
        **needs("pseudo_label"),
    output:
        **makes("pseudo_label"),
    log:
        log_of("pseudo_label"),


use rule teacher as student with:
    """Train a student on labelled and pseudo-labelled rows; score it on held-out persons."""
    input:
        **needs("student"),
    output:
        **makes("student"),
    log:
        log_of("student"),


use rule pseudo_label as blend with:
    """Average the folds' class probabilities of the rows to predict."""
    input:
        **needs("blend"),
    output:
        **makes("blend"),
    log:
        log_of("blend"),


use rule teacher as stage0 with:
    """Train on one fold of a KFold that ignores persons, which flatters the score."""
    input:
        **needs("stage0"),
    output:
        **makes("stage0"),
    log:
        log_of("stage0"),
    priority: 0  # fills the cores that the last fits of a generation leave idle


use rule pseudo_label as learner with:
    """Fit another learner in the place of a teacher, a student or stage 0."""
    input:
        **needs("learner"),
    output:
        **makes("learner"),
    log:
        log_of("learner"),
    conda:
        FLOW.conda_of(STAGES["learner"].place)
