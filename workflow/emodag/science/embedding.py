"""A map of rows in two dimensions."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

COMPONENTS = 30
"""Principal components that neighbours are looked for in."""

PERPLEXITY = 30.0
"""About how many neighbours count; scikit-learn's default."""


def embed(x: np.ndarray) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008) from a start by principal components.

    One thread, since sums over threads would move bits. Distances within a neighbourhood mean
    something; those between neighbourhoods, and directions, do not.

    Parameters
    ----------
    x : (n, p) finite floats, n >= 8.

    Returns
    -------
    (n, 2) float32.
    """
    # Of rows that are all equal, shares of the variance are 0 / 0; they have no influence.
    with threadpool_limits(1), np.errstate(invalid="ignore"):
        size = min(COMPONENTS, *x.shape)
        reduced = PCA(size, svd_solver="full").fit_transform(x.astype(np.float64))
        perplexity = min(PERPLEXITY, (len(x) - 1) / 3)
        start = np.zeros((len(x), 2))
        start[:, : min(size, 2)] = reduced[:, :2] / max(reduced[:, 0].std(), 1e-12) * 1e-4
        return TSNE(perplexity=perplexity, init=start, random_state=0, n_jobs=1).fit_transform(
            reduced
        )
