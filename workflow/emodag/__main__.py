"""`python -m emodag`."""

import sys

from emodag.application import main

sys.exit(main())
