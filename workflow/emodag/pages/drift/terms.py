"""What the drift page explains at its end."""

TERMS = (
    (
        "Identical",
        "The logical digests of all files of a step are equal: every value, to the last bit.",
    ),
    (
        "ulp",
        "Steps from one number of a type to the next. A relative difference is that of two numbers "
        "in units of the larger one.",
    ),
    (
        "Relative difference, root mean square",
        "Over all cells of what the next step reads (features, then class probabilities of the "
        "test rows), equal cells counting as 0: how large a difference is in a typical cell.",
    ),
    (
        "Amplification",
        "That figure for one step, divided by the same for the nearest earlier step that has one. "
        "Folds and pseudo-labels are decisions and have none: what they do shows one step later.",
    ),
    (
        "Effect",
        "Score of the right side less that of the left, by generation of students. Under the "
        "published protocol the cross-validated score is that of the best epoch, chosen on the "
        "held-out persons, as in the paper.",
    ),
    (
        "Intervals",
        "All at 95 %: chi-square for the standard deviation between seeds, Student's t for the "
        "mean effect of several pairs. An effect in standard deviations allows for the uncertainty "
        "of both (Bonferroni); of a single pair of runs, for that of the standard deviation alone.",
    ),
    (
        "Two runs that differ in their seed alone",
        "Their scores differ by less than the bound given, in 95 of 100 cases; by Student's t, "
        "since the standard deviation itself is estimated from few seeds.",
    ),
)
