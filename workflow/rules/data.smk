# Needs the raw tables, or the recipe of the synthetic ones.
# Makes typed tables, the folds, and the scaled features.


rule synthesize:
    """Generate the synthetic twin of the competition's tables."""
    input:
        **needs("synthesize"),
    output:
        **makes("synthesize"),
    log:
        log_of("synthesize"),
    conda:
        conda_file
    message:
        "Generate the synthetic tables"
    shell:
        RUN


rule ingest:
    """Read the raw tables into typed, validated Parquet, with a record of their quality."""
    input:
        **needs("ingest"),
    output:
        **makes("ingest"),
    log:
        log_of("ingest"),
    conda:
        conda_file
    threads: 2
    message:
        "Read the raw tables ({wildcards.env})"
    shell:
        RUN


rule folds:
    """Decide once which fold holds each training row."""
    input:
        **needs("folds"),
    output:
        **makes("folds"),
    log:
        log_of("folds"),
    conda:
        conda_file
    message:
        "Assign persons to folds ({wildcards.env})"
    shell:
        RUN


rule by_person:
    """Put each person's features relative to that person, where `scaling.person` asks for it."""
    input:
        **needs("by_person"),
    output:
        **makes("by_person"),
    log:
        log_of("by_person"),
    conda:
        conda_file
    threads: 2
    message:
        "Put each person's features relative to that person ({wildcards.env})"
    shell:
        RUN


rule scale:
    """Map every feature to a normal distribution by its quantiles."""
    input:
        **needs("scale"),
    output:
        **makes("scale"),
    log:
        log_of("scale"),
    conda:
        conda_file
    threads: 2
    message:
        "Scale the features, {wildcards.part} ({wildcards.env}, {wildcards.protocol})"
    shell:
        RUN
