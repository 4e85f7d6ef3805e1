"""`python -m words VERB`, and how jobs are run."""

import sys

from ledger import Application, combined, main
from words.jobs import workflow_of

WORDS = Application(
    configured=lambda files, settings: workflow_of(combined(files, settings)),
    results=("ranking",),
)

sys.exit(main(WORDS))
