"""`python -m emodag`."""

import sys

from emodag.face.cli import main

sys.exit(main())
