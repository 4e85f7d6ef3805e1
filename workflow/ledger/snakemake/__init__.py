"""The way into Snakemake: what rules need and make, which jobs run, what is shown."""
