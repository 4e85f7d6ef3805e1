"""Whether there is oneDNN to multiply by, told without loading torch.

Both a fit and its key go by this, so the key cannot miss what the fit does.
"""

from importlib.util import find_spec
from pathlib import Path


def has_onednn() -> bool:
    """Whether torch was built with oneDNN, as a header that it brings along says."""
    torch = find_spec("torch")
    try:
        header = Path(torch.origin).with_name("include") / "ATen/Config.h"
        return "AT_MKLDNN_ENABLED() 1" in header.read_text()
    except (AttributeError, TypeError, OSError):
        return False
