"""Classes as numbers from 0, in as few bytes as hold them."""

import numpy as np


def code_dtype(classes: int) -> np.dtype:
    """The signed dtype of class codes: int8 up to 128 classes, int16 for more, and so on."""
    return np.min_scalar_type(-classes)
