# Needs the chain in every environment, and with every run seed, that a contrast compares.
# Makes the contrasts, and the report on them.


rule contrast:
    """Compare two environments, or run seeds, stage by stage."""
    input:
        **needs("contrast"),
    output:
        **makes("contrast"),
    log:
        log_of("contrast"),
    conda:
        conda_file
    message:
        "Compare {wildcards.contrast}"
    shell:
        RUN


rule drift:
    """Report which stage differs first, by how much, and whether it matters."""
    input:
        **needs("drift"),
    output:
        **makes("drift"),
    log:
        log_of("drift"),
    conda:
        conda_file
    message:
        "Report the drift"
    shell:
        RUN
