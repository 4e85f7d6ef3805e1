# Needs every result of the chain, and what its fits left behind.
# Makes the report for people, and a page on everything in the results.


use rule synthesize as report with:
    """Report the results, with figures and tables, in one file."""
    input:
        **needs("report"),
    output:
        **makes("report"),
    log:
        log_of("report"),
    threads: threads_of("report")


rule index:
    """List every run, variant, file and job in the results, until a job changes them."""
    input:
        ancient(rules.tables.input),
        ancient("results/report.html"),
    output:
        report(
            "results/index.html",
            category="Reports",
            labels={"what": "everything in the results"},
            caption=str(ROOT / "workflow/report/index.rst"),
        ),
    log:
        ".emodag/index.log",
    localrule: True
    conda:
        conda_file
    shell:
        FLOW.python + " -P -m emodag index >{log}"
