"""README.md and docs/*.md: every code block does what it says.

A block is a fence, and what is done with it follows from its language:

sh
    Run, in a copy of the project, as a reader does who goes through the page from its beginning.
    The copy's config.yaml is `blocks.SMALL`, so that the default run takes seconds.
yaml
    Read, and checked against the configuration's models. If its first line is a comment with a
    file's name, it is that file, which commands may use from there on.
math
    A formula.
python
    The file whose name is the comment in its first line.
(none)
    Something shown. If `<!-- printed by the block above -->` stands before it, that block must have
    printed these lines, one after the other; `...` stands for any lines. With the addition `, but
    for its digits`, numbers and digests may be others, as in the small configuration they are.

A block that a test cannot run, because it needs a cluster, a GPU, conda, Kaggle, hours or private
files, is preceded by `<!-- not run: REASON -->`. Such a block is parsed by bash, its calls of
`python -m emodag` and `make` by the real parsers, and its calls of `snakemake` are dry runs. One
that is to fail is preceded by `<!-- exit status N: REASON -->`.
"""
