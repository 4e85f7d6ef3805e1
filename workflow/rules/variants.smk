# Needs what variants of the configuration say of the rows they hold out, and of the test rows.
# Makes the votes of several, the comparison of all, and tables of single ones.


use rule synthesize as held_out with:
    """Collect what a variant says of the rows it has held out, and of the test rows."""
    input:
        **needs("held_out"),
    output:
        **makes("held_out"),
    log:
        log_of("held_out"),


use rule synthesize as suggest with:
    """Draw the next trials of a search from the scores of those before."""
    input:
        **needs("suggest"),
    output:
        **makes("suggest"),
    log:
        log_of("suggest"),
    conda:
        FLOW.conda_of(STAGES["suggest"].place)


use rule synthesize as vote with:
    """Have variants vote."""
    input:
        **needs("vote"),
    output:
        **makes("vote"),
    log:
        log_of("vote"),


use rule synthesize as variants with:
    """Compare all variants, person by person."""
    input:
        **needs("variants"),
    output:
        **makes("variants"),
    log:
        log_of("variants"),


use rule submission as submission_of with:
    """Write the submission of a variant, or of a vote."""
    input:
        **needs("submission", "variants/{entry}/"),
    output:
        **makes("submission", "variants/{entry}/"),
    log:
        log_of("submission", "variants/{entry}/"),


use rule scores as scores_of with:
    """Collect the cross-validated scores of a variant."""
    input:
        **needs("scores", "variants/{entry}/"),
    output:
        **makes("scores", "variants/{entry}/"),
    log:
        log_of("scores", "variants/{entry}/"),
