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
    shell:
        FLOW.run


use rule synthesize as ingest with:
    """Read the raw tables into typed, validated Parquet, with a record of their quality."""
    input:
        **needs("ingest"),
    output:
        **makes("ingest"),
    log:
        log_of("ingest"),
    threads: threads_of("ingest")


use rule synthesize as folds with:
    """Decide once which fold holds each training row."""
    input:
        **needs("folds"),
    output:
        **makes("folds"),
    log:
        log_of("folds"),


use rule synthesize as by_person with:
    """Put each person's features relative to that person, where `scaling.person` asks for it."""
    input:
        **needs("by_person"),
    output:
        **makes("by_person"),
    log:
        log_of("by_person"),
    threads: threads_of("by_person")


use rule synthesize as scale with:
    """Map every feature to a normal distribution by its quantiles."""
    input:
        **needs("scale"),
    output:
        **makes("scale"),
    log:
        log_of("scale"),
    priority: 3  # more than two fits, one of which else takes a core that it waits for
    threads: threads_of("scale")
