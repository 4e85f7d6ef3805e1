# Needs the blended predictions and every fit's scores.
# Makes the final tables: submission, scores and, where the truth is known, leaderboard.


rule submission:
    """Turn the last generation's blend into the file to submit."""
    input:
        **needs("submission"),
    output:
        **makes("submission"),
    log:
        log_of("submission"),
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
        **makes("scores"),
    log:
        log_of("scores"),
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
        **makes("leaderboard"),
    log:
        log_of("leaderboard"),
    conda:
        conda_file
    message:
        "Score the submissions against the truth"
    shell:
        RUN
