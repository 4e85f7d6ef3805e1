# Needs every result of the chain, and what its fits left behind.
# Makes the report for people.


use rule synthesize as report with:
    """Report the results, with figures and tables, in one file."""
    input:
        **needs("report"),
    output:
        **makes("report"),
    log:
        log_of("report"),
    threads: job_threads
    message:
        "Report the results"
