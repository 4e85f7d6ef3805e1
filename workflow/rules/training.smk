# Needs the scaled features, the labels and the folds.
# Makes the teacher, its pseudo-labels, the students of every generation, and the leaky baseline.
# What leads to the next generation goes before the baseline, which then fills the cores that the
# last fits of a generation leave idle.


rule stage0:
    """Train the leaky baseline on one fold of a KFold that ignores persons."""
    input:
        **needs("{env}/published/seed{seed}/stage0/fold{fold}"),
    output:
        multiext(
            "results/{env}/published/seed{seed}/stage0/fold{fold}/",
            manifest="manifest.json",
            **made("stage0"),
        ),
    log:
        "results/{env}/published/seed{seed}/stage0/fold{fold}/stage0.log",
    conda:
        conda_file
    threads: job_threads
    message:
        "Train stage 0, fold {wildcards.fold} ({wildcards.env}, seed {wildcards.seed})"
    shell:
        RUN_FIT


rule teacher:
    """Train generation 0 on labelled rows alone."""
    input:
        **needs("{env}/{protocol}/seed{seed}/gen0/{part}"),
    output:
        multiext(
            "results/{env}/{protocol}/seed{seed}/gen0/{part}/",
            manifest="manifest.json",
            **made("teacher"),
        ),
    log:
        "results/{env}/{protocol}/seed{seed}/gen0/{part}/teacher.log",
    priority: 1
    conda:
        conda_file
    threads: job_threads
    message:
        "Train the teacher, {wildcards.part} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
    shell:
        RUN_FIT


rule pseudo_label:
    """Label the rows to predict that the previous generation is sure of."""
    input:
        **needs("{env}/{protocol}/seed{seed}/gen{gen}/pseudo_labels/{part}"),
    output:
        multiext(
            "results/{env}/{protocol}/seed{seed}/gen{gen}/pseudo_labels/{part}/",
            manifest="manifest.json",
            pseudo_labels="pseudo_labels.parquet",
        ),
    log:
        "results/{env}/{protocol}/seed{seed}/gen{gen}/pseudo_labels/{part}/pseudo_label.log",
    priority: 1
    conda:
        conda_file
    message:
        "Select pseudo-labels of generation {wildcards.gen}, {wildcards.part} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
    shell:
        RUN


rule student:
    """Train a student on labelled and pseudo-labelled rows; score it on held-out persons."""
    input:
        **needs("{env}/{protocol}/seed{seed}/gen{gen}/fold{fold}"),
    output:
        multiext(
            "results/{env}/{protocol}/seed{seed}/gen{gen}/fold{fold}/",
            manifest="manifest.json",
            **made("student"),
        ),
    log:
        "results/{env}/{protocol}/seed{seed}/gen{gen}/fold{fold}/student.log",
    priority: 1
    conda:
        conda_file
    threads: job_threads
    message:
        "Train student {wildcards.gen}, fold {wildcards.fold} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
    shell:
        RUN_FIT


rule blend:
    """Average the folds' class probabilities of the rows to predict."""
    input:
        **needs("{env}/{protocol}/seed{seed}/gen{gen}/blend"),
    output:
        multiext(
            "results/{env}/{protocol}/seed{seed}/gen{gen}/blend/",
            manifest="manifest.json",
            test="test.parquet",
        ),
    log:
        "results/{env}/{protocol}/seed{seed}/gen{gen}/blend/blend.log",
    priority: 1
    conda:
        conda_file
    message:
        "Blend the folds of generation {wildcards.gen} ({wildcards.env}, {wildcards.protocol}, seed {wildcards.seed})"
    shell:
        RUN
