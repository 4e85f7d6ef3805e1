"""The chain's shape and nothing else: same rules, files and wildcards, without plans or a package.

What a no-op of plain Snakemake costs; `benchmarks.speed` compares emodag with it.
"""

FOLDS = range(5)
GENERATIONS = range(1, 3)
RUN = "results/{env}/{protocol}/seed{seed}"


def part(wildcards):
    return "all" if wildcards.protocol == "published" else f"fold{wildcards.fold}"


def before(wildcards):
    if wildcards.part == "all" and wildcards.gen != "1":
        return f"{RUN}/gen{int(wildcards.gen) - 1}/blend/manifest.json"
    return f"{RUN}/gen{int(wildcards.gen) - 1}/{wildcards.part}/manifest.json"


def data_of(manifest, *files):
    return ancient([manifest.replace("manifest.json", file) for file in files])


wildcard_constraints:
    env="local",
    protocol="published|nested",
    seed="1",
    gen="1|2",
    fold="[0-4]",
    part="all|fold[0-4]",


rule ingest:
    input:
        ancient(["train.csv", "test.csv"]),
    output:
        multiext(
            "results/{env}/table/",
            "manifest.json",
            "train.parquet",
            "test.parquet",
            "train_rows.parquet",
            "test_rows.parquet",
            "quality.json",
        ),
    shell:
        "touch {output}"


rule folds:
    input:
        "results/{env}/table/manifest.json",
        ancient("results/{env}/table/train_rows.parquet"),
    output:
        multiext("results/{env}/folds/", "manifest.json", "folds.parquet"),
    shell:
        "touch {output}"


rule scale:
    input:
        "results/{env}/table/manifest.json",
        ancient("results/{env}/table/train.parquet"),
        ancient("results/{env}/table/test.parquet"),
    output:
        multiext(
            "results/{env}/{protocol}/scaled/{part}/",
            "manifest.json",
            "train.parquet",
            "test.parquet",
            "quantiles.parquet",
        ),
    shell:
        "touch {output}"


rule teacher:
    input:
        "results/{env}/{protocol}/scaled/{part}/manifest.json",
        "results/{env}/table/manifest.json",
        ancient("results/{env}/{protocol}/scaled/{part}/train.parquet"),
        ancient("results/{env}/{protocol}/scaled/{part}/test.parquet"),
        ancient("results/{env}/table/train_rows.parquet"),
    output:
        multiext(
            f"{RUN}/gen0/{{part}}/",
            "manifest.json",
            "weights.safetensors",
            "history.parquet",
            "fit.json",
            "test.parquet",
        ),
    shell:
        "touch {output}"


rule pseudo_label:
    input:
        before,
        lambda wildcards: data_of(before(wildcards), "test.parquet"),
    output:
        multiext(
            f"{RUN}/gen{{gen}}/pseudo_labels/{{part}}/",
            "manifest.json",
            "pseudo_labels.parquet",
        ),
    shell:
        "touch {output}"


rule student:
    input:
        lambda w: f"results/{{env}}/{{protocol}}/scaled/{part(w)}/manifest.json",
        "results/{env}/table/manifest.json",
        "results/{env}/folds/manifest.json",
        lambda w: f"{RUN}/gen{{gen}}/pseudo_labels/{part(w)}/manifest.json",
        ancient(
            lambda w: f"results/{{env}}/{{protocol}}/scaled/{part(w)}/train.parquet"
        ),
        ancient(lambda w: f"results/{{env}}/{{protocol}}/scaled/{part(w)}/test.parquet"),
        ancient("results/{env}/table/train_rows.parquet"),
        ancient("results/{env}/folds/folds.parquet"),
        ancient(
            lambda w: f"{RUN}/gen{{gen}}/pseudo_labels/{part(w)}/pseudo_labels.parquet"
        ),
    output:
        multiext(
            f"{RUN}/gen{{gen}}/fold{{fold}}/",
            "manifest.json",
            "weights.safetensors",
            "history.parquet",
            "fit.json",
            "validation.parquet",
            "test.parquet",
        ),
    shell:
        "touch {output}"


rule blend:
    input:
        expand(
            f"{RUN}/gen{{gen}}/fold{{fold}}/manifest.json",
            fold=FOLDS,
            allow_missing=True,
        ),
        ancient(
            expand(
                f"{RUN}/gen{{gen}}/fold{{fold}}/test.parquet",
                fold=FOLDS,
                allow_missing=True,
            )
        ),
    output:
        multiext(f"{RUN}/gen{{gen}}/blend/", "manifest.json", "test.parquet"),
    shell:
        "touch {output}"


rule submission:
    input:
        "results/local/published/seed1/gen2/blend/manifest.json",
        "results/local/table/manifest.json",
        ancient("results/local/published/seed1/gen2/blend/test.parquet"),
        ancient("results/local/table/test_rows.parquet"),
    output:
        multiext("results/", "submission.manifest.json", "submission.csv"),
    shell:
        "touch {output}"
