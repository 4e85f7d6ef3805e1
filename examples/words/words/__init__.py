"""Words of texts, counted and ranked."""

import os

os.environ["LEDGER_NAME"] = "words"  # this package: jobs are run by `python -m words`
