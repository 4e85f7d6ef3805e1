"""Rows that are there twice: in both tables, under two persons, or but for noise."""

from itertools import accumulate

import numpy as np

from emodag.science.tables.suspicions.glance import Glance
from emodag.science.tables.suspicions.names import are
from emodag.science.tables.table import listed

_FEWEST = 20
"""Rows of a person from which on neighbours are compared."""

_NEARLY_EQUAL = 0.05
"""Ratio of neighbours' squared differences to those of any two rows of the person; 1 is chance."""

_COMPARED = 256
"""Rows of each table for which the nearest one is looked for."""

_AMONG = 1 << 16
"""And among how many training rows, about."""

_NEARLY_SAME, _MANY_NEAR = 0.01, 0.05
"""Up to which share of the usual distance between persons rows are copies but for noise, and how
many such rows, as a share of those compared, are told."""

_DISTINCT = 0.9
"""Share of a feature's values that differ from all others, from which on rounding is no noise."""

NOBODY = np.empty(0, np.int64)
"""The persons of no rows."""


def same_rows(
    train: Glance, pool: Glance | None, persons: np.ndarray, unlabelled: np.ndarray = NOBODY
) -> list[str]:
    """Rows that are equal in all features: of both tables, of two persons, or of one.

    Nothing is said of tables so coarse that equal rows are to be expected.

    Parameters
    ----------
    pool : the test rows, then the unlabelled ones; None if there are neither.
    persons : (n,) the person of each training row.
    unlabelled : (u,) and of each unlabelled one.
    """
    pages = [train] if pool is None else [train, pool]
    digests = np.concatenate([page.digests for page in pages])
    empty = np.concatenate([page.empty for page in pages])
    rows = len(digests)
    if _is_coarse(train.sampled, rows):
        return []
    found = []
    tested = slice(len(persons), rows - len(unlabelled))
    known = train.digests[~train.empty]
    shared = int((np.isin(digests[tested], known) & ~empty[tested]).sum())
    if shared:
        found.append(
            f"{_rows(shared)} of the test table {are(shared)} in the training table too: how the "
            "test table is predicted says nothing of people not seen; take them out of one table"
        )
    digests = np.delete(digests, tested)
    order = np.argsort(digests, kind="stable")
    order = order[~np.delete(empty, tested)[order]]
    digests = digests[order]
    who = np.concatenate([persons, unlabelled.astype(persons.dtype)])[order]
    twins = np.flatnonzero((digests[1:] == digests[:-1]) & (who[1:] != who[:-1]))
    if len(twins):
        names = sorted({str(who[at + side]) for at in twins for side in (0, 1)})
        where = "to learn from" if len(unlabelled) else "of the training table"
        found.append(
            f"{_rows(len(twins))} {where} {are(len(twins))} there under two persons "
            f"({listed(names)}): folds that keep people apart hold the same one on both sides; "
            "give each person one name, or remove the copies"
        )
    is_copy = (digests[1:] == digests[:-1]) & (who[1:] == who[:-1]) & (order[1:] < len(persons))
    if copies := int(is_copy.sum()):
        found.append(
            f"{_rows(copies)} of the training table {are(copies)} copies of others of the same "
            "person: were files read twice? Such rows weigh more; remove the copies"
        )
    return found


def _is_coarse(values: np.ndarray, rows: int) -> bool:
    """Whether among `rows` such rows as the (m, p) values some are equal by chance."""
    bits = accumulate(np.log2(len(np.unique(column))) for column in values.T)
    return not any(found >= 2 * np.log2(rows) + 10 for found in bits)  # pairs of rows, a margin


def nearly_same_rows(
    train: Glance, pool: Glance | None, persons: np.ndarray, tested: int = 0
) -> list[str]:
    """Rows of the test table, or under two names, that are copies but for rounding or noise.

    In the watched features they are far nearer to each other than rows of two persons usually are.
    Where there are enough of them, only features count that are fine in both tables, as others may
    have been rounded to decimals that are coarse for them.

    Parameters
    ----------
    pool : the `tested` test rows, then the unlabelled ones; None if there are neither.
    persons : (n,) the person of each training row.
    """
    low, middle, high = np.nanquantile(train.watched, [0.25, 0.5, 0.75], axis=0)
    with np.errstate(over="ignore"):  # of artefacts such as 1e308
        width = high - low
    varied = (width > 0) & np.isfinite(width)
    asked = np.empty(0, np.int64) if pool is None else pool.sample[pool.sample < tested][:_COMPARED]
    some = slice(None, None, 1 + len(persons) // _AMONG)
    fine = varied & _are_fine(train.watched[train.sample[:_COMPARED]])
    if len(asked):
        fine &= _are_fine(pool.watched[asked])
    if not _is_coarse(train.watched[some][:, fine], len(persons)):
        varied = fine

    def placed(values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            places = (values[:, varied] - middle[varied]) / width[varied]
        return np.nan_to_num(np.clip(places, -10, 10), nan=20)

    others = placed(train.watched[some])
    if _is_coarse(others, len(others)):
        return []
    _, which, counts = np.unique(train.digests, return_inverse=True, return_counts=True)
    rows = train.sample[:_COMPARED]
    rows = rows[counts[which[rows]] == 1]
    across = _nearest(placed(train.watched[rows]), others, persons[rows, None] == persons[some])
    usual = np.median(across) if len(across) else 0.0
    if not 0 < usual < np.inf:
        return []
    copied, found = (across < _NEARLY_SAME * usual).mean(), []
    if copied > _MANY_NEAR:
        found.append(
            f"about {copied:.0%} of the training table's rows are nearly equal to one of another "
            "person, as rounded copies are: folds that keep people apart hold the same one on both "
            "sides; give each person one name, or remove the copies"
        )
    if len(asked):
        rows = asked[~np.isin(pool.digests[asked], train.digests)]
        near = _nearest(placed(pool.watched[rows]), others) < _NEARLY_SAME * usual
        if len(near) and near.mean() > _MANY_NEAR + 2 * copied:
            found.append(
                f"about {near.mean():.0%} of the test table's rows are nearly equal to one of the "
                "training table, as rounded copies are: how the test table is predicted says "
                "nothing of people not seen; take them out of one table"
            )
    return found


def _are_fine(values: np.ndarray) -> np.ndarray:
    """(w,) whether nearly all of the values there are in (m, w) features are different."""
    columns = [column[~np.isnan(column)] for column in values.T]
    return np.array([len(np.unique(there)) >= _DISTINCT * len(there) > 0 for there in columns])


def _nearest(rows: np.ndarray, others: np.ndarray, apart: np.ndarray | None = None) -> np.ndarray:
    """(k,) how far each of some rows is from the nearest of (n, w) others, in its worst feature.

    `apart` tells for k rows and n others which not to look at, as those of the same person.
    """
    found = np.empty(len(rows))
    for at, row in enumerate(rows):
        distances = np.abs(others - row).max(axis=1)
        if apart is not None:
            distances[apart[at]] = np.inf
        found[at] = distances.min()
    return found


def equal_neighbours(train: Glance, persons: np.ndarray) -> list[str]:
    """Whether rows that follow each other are, for most persons, nearly equal.

    Of each person and feature the mean squared difference of neighbours is compared with twice the
    variance, which is what it is for rows in any order.
    """
    ratios = []
    for person in np.unique(persons):
        own = train.watched[persons == person]
        if len(own) < _FEWEST:
            continue
        for column in own.T:
            there = column[~np.isnan(column)]
            with np.errstate(over="ignore", invalid="ignore"):  # of artefacts such as 1e308
                step = np.diff(column)
                step = step[~np.isnan(step)]
                # Of few values, neighbours are often equal.
                is_coarse = len(np.unique(there)) < max(2, min(_FEWEST, len(there) / 2))
                if len(step) >= _FEWEST // 2 and not is_coarse:
                    ratios.append((step**2).mean() / (2 * there.var()))
    ratios = [ratio for ratio in ratios if np.isfinite(ratio)]
    if not ratios or np.median(ratios) >= _NEARLY_EQUAL:
        return []
    return [
        "neighbouring rows of a person are nearly equal, as windows that overlap are: there are "
        "far fewer independent rows than rows, and scores of folds that do not keep people whole, "
        "as stage 0's, are flattered; take windows farther apart"
    ]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count > 1 else ''}"
