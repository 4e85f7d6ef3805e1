# Needs the blended predictions and every fit's scores.
# Makes the final tables: submission, scores and, where the truth is known, leaderboard.


rule submission:
    """Turn the last generation's blend into the file to submit."""
    input:
        **needs("submission"),
    output:
        manifest="results/submission.manifest.json",
        submission=report(
            "results/submission.csv",
            caption="../report/submission.rst",
            category="Tables",
            labels={"what": "the submission"},
        ),
    log:
        "results/submission.log",
    conda:
        conda_file
    message:
        "Write the submission"
    shell:
        RUN


rule scores:
    """Collect the cross-validated scores of every stage, generation and fold."""
    input:
        **needs("scores"),
    output:
        manifest="results/scores.manifest.json",
        scores=report(
            "results/scores.csv",
            caption="../report/scores.rst",
            category="Tables",
            labels={"what": "cross-validated scores"},
        ),
    log:
        "results/scores.log",
    conda:
        conda_file
    message:
        "Collect the scores"
    shell:
        RUN


rule leaderboard:
    """Score every generation's submission against the true labels of the test rows."""
    input:
        **needs("leaderboard"),
    output:
        manifest="results/leaderboard.manifest.json",
        leaderboard=report(
            "results/leaderboard.csv",
            caption="../report/leaderboard.rst",
            category="Tables",
            labels={"what": "scores on the hidden people"},
        ),
    log:
        "results/leaderboard.log",
    conda:
        conda_file
    message:
        "Score the submissions against the truth"
    shell:
        RUN
