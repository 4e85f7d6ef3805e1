# Needs the blended predictions and every fit's scores.
# Makes the final tables: submission, scores and, where the truth is known, leaderboard.


use rule synthesize as submission with:
    """Turn the last generation's blend into the file to submit."""
    input:
        **needs("submission"),
    output:
        **makes("submission"),
    log:
        log_of("submission"),


use rule synthesize as scores with:
    """Collect the cross-validated scores of every stage, generation and fold."""
    input:
        **needs("scores"),
    output:
        **makes("scores"),
    log:
        log_of("scores"),


use rule synthesize as leaderboard with:
    """Score every generation's submission against the true labels of the test rows."""
    input:
        **needs("leaderboard"),
    output:
        **makes("leaderboard"),
    log:
        log_of("leaderboard"),


rule tables:
    """All final tables: scores and, where there is one, submission, leaderboard and comparison of variants."""
    input:
        ["results/submission.csv"] if "submission" in FLOW.jobs else [],
        "results/scores.csv",
        ["results/leaderboard.csv"] if "leaderboard" in FLOW.jobs else [],
        ["results/variants.csv"] if "variants" in FLOW.jobs else [],
