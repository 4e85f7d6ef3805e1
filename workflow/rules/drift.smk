# Needs the chain in every environment, and with every run seed, that a contrast compares.
# Makes the contrasts, and the report on them.


rule contrast:
    """Compare two environments, or run seeds, stage by stage."""
    input:
        **needs("drift/{contrast}"),
    output:
        multiext(
            "results/drift/{contrast}/",
            manifest="manifest.json",
            contrast="contrast.json",
        ),
    log:
        "results/drift/{contrast}/contrast.log",
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
        manifest="results/drift.manifest.json",
        facts="results/drift.json",
        report=report(
            "results/drift.html",
            caption="../report/drift.rst",
            category="Reports",
            labels={"what": "drift between environments"},
        ),
    log:
        "results/drift.log",
    conda:
        conda_file
    message:
        "Report the drift"
    shell:
        RUN
