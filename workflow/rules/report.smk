# Needs every result of the chain, and what its fits left behind.
# Makes the report for people.


rule report:
    """Report the results, with figures and tables, in one file."""
    input:
        **needs("report"),
    output:
        **makes("report"),
    log:
        log_of("report"),
    conda:
        conda_file
    threads: job_threads
    message:
        "Report the results"
    shell:
        RUN
