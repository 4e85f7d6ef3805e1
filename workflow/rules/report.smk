# Needs every result of the chain, and what its fits left behind.
# Makes the report for people.


rule report:
    """Report the results, with figures and tables, in one file."""
    input:
        **needs("report"),
    output:
        manifest="results/report.manifest.json",
        page=report(
            "results/report.html",
            caption="../report/report.rst",
            category="Reports",
            labels={"what": "the whole run"},
        ),
    log:
        "results/report.log",
    conda:
        conda_file
    threads: job_threads
    message:
        "Report the results"
    shell:
        RUN
