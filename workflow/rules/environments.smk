# Needs the locks of the environments that are not the running interpreter's.
# Makes their virtual environments, each once.


rule environment:
    """Build a virtual environment from its locks."""
    output:
        ".emodag/environments/{built}/ready.json",
    log:
        ".emodag/environments/{built}.log",
    localrule: True  # on a cluster, only where Snakemake was started may be a network
    # Snakemake's own interpreter builds, never one of conda's.
    conda:
        lambda wildcards: None
    params:
        python=lambda wildcards: FLOW.built(wildcards).python,
        locks=FLOW.locks,
    message:
        "Build the environment {wildcards.built}"
    # Not `run`, for which Snakemake starts its interpreter by a path that it does not quote.
    shell:
        "python -P -m emodag environment --python {params.python:q} --log {log}"
        " .emodag/environments/{wildcards.built} {params.locks:q}"


rule environments:
    """All of them, to have them before a long run."""
    input:
        FLOW.marks(),
