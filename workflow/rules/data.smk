# Needs the raw tables, or the recipe of the synthetic ones.
# Makes typed tables, the folds, and the scaled features.


rule synthesize:
    """Generate the synthetic twin of the competition's tables."""
    input:
        **needs("raw"),
    output:
        multiext(
            "results/raw/",
            manifest="manifest.json",
            train="train.parquet",
            test="test.parquet",
            truth="truth.csv",
        ),
    log:
        "results/raw/synthesize.log",
    conda:
        conda_file
    message:
        "Generate the synthetic tables"
    shell:
        RUN


rule ingest:
    """Read the raw tables into typed, validated Parquet, with a record of their quality."""
    input:
        **needs("{env}/table"),
    output:
        multiext(
            "results/{env}/table/",
            manifest="manifest.json",
            **made("ingest"),
        ),
    log:
        "results/{env}/table/ingest.log",
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
        **needs("{env}/folds"),
    output:
        multiext(
            "results/{env}/folds/",
            manifest="manifest.json",
            **made("folds"),
        ),
    log:
        "results/{env}/folds/folds.log",
    conda:
        conda_file
    message:
        "Assign persons to folds ({wildcards.env})"
    shell:
        RUN


rule by_person:
    """Put each person's features relative to that person, where `scaling.person` asks for it."""
    input:
        **needs("{env}/by_person"),
    output:
        multiext(
            "results/{env}/by_person/",
            manifest="manifest.json",
            **made("by_person"),
        ),
    log:
        "results/{env}/by_person/by_person.log",
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
        **needs("{env}/{protocol}/scaled/{part}"),
    output:
        multiext(
            "results/{env}/{protocol}/scaled/{part}/",
            manifest="manifest.json",
            **made("scale"),
        ),
    log:
        "results/{env}/{protocol}/scaled/{part}/scale.log",
    conda:
        conda_file
    threads: 2
    message:
        "Scale the features, {wildcards.part} ({wildcards.env}, {wildcards.protocol})"
    shell:
        RUN
