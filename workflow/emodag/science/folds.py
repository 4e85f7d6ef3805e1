"""Folds that no NumPy release and no processor can move.

scikit-learn up to 1.8 orders the groups by an unstable argsort of their sizes, whose order among
equal sizes depends on NumPy's SIMD kernels: people change folds between NumPy releases (see
scikit-learn issue 29495). Here ties are broken by the person id.
"""

import numpy as np

from emodag.errors import InputError


def group_folds(persons: np.ndarray, *, folds: int) -> np.ndarray:
    """The GroupKFold fold of each row: people are kept whole, folds about equally full.

    The largest group goes first, each to the fold with the fewest rows so far, as in scikit-learn's
    `GroupKFold`; groups of one size go in the order of their ids, folds of one size in the order
    of their numbers.

    Parameters
    ----------
    persons : (n,) integers or text.
    folds : number of folds.

    Returns
    -------
    (n,) int16 : the fold whose validation set holds the row.

    Raises
    ------
    InputError
        When there are fewer people than folds.
    """
    ids, group, sizes = np.unique(persons, return_inverse=True, return_counts=True)
    _require_persons(ids, folds)
    fold_of_group = np.empty(len(ids), np.int16)
    load = np.zeros(folds, np.int64)
    for index in np.argsort(-sizes, kind="stable"):
        lightest = int(np.argmin(load))
        fold_of_group[index] = lightest
        load[lightest] += sizes[index]
    return fold_of_group[group]


def scikit_learn_group_folds(persons: np.ndarray, *, folds: int) -> np.ndarray:
    """The fold of each row as the installed scikit-learn's `GroupKFold` assigns it.

    Up to scikit-learn 1.8 an unstable sort decides among persons of equal size: with more than 16
    of them, NumPy's release and the processor do. For the replay of runs that used it.

    Parameters, result and errors are those of `group_folds`.
    """
    from sklearn.model_selection import GroupKFold

    ids, group = np.unique(persons, return_inverse=True)
    _require_persons(ids, folds)
    fold = np.empty(len(group), np.int16)
    for number, (_, valid) in enumerate(GroupKFold(folds).split(group, groups=group)):
        fold[valid] = number
    return fold


def folds_of_others(others: np.ndarray, persons: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """The fold that holds out the person of each of other rows, -1 where none does.

    Parameters
    ----------
    others : (m,) persons, written as in `persons`.
    persons, folds : (n,) the person of each row, and the fold whose validation set holds it.

    Returns
    -------
    (m,) int16.
    """
    fold_of = dict(zip(persons.tolist(), folds.tolist(), strict=True))
    return np.array([fold_of.get(person, -1) for person in others.tolist()], np.int16)


def _require_persons(ids: np.ndarray, folds: int) -> None:
    if len(ids) < folds:
        raise InputError(
            f"the training table holds {len(ids)} persons ({', '.join(map(str, ids))}), and "
            f"{folds} folds need at least {folds}. Lower `folds` to {max(len(ids), 2)} or less, or "
            "check which column holds the person (`data.group`)."
        )


def shuffled_folds(rows: int, *, folds: int, seed: int) -> np.ndarray:
    """The shuffled KFold fold of each row, people ignored: scikit-learn's `KFold(shuffle=True)`.

    Returns
    -------
    (rows,) int16 : the fold whose validation set holds the row.

    Raises
    ------
    InputError
        When there are fewer rows than folds.
    """
    from sklearn.model_selection import KFold

    if rows < folds:
        raise InputError(f"the training table holds {rows} rows, fewer than the {folds} folds")
    fold = np.empty(rows, np.int16)
    splitter = KFold(folds, shuffle=True, random_state=seed)
    for number, (_, valid) in enumerate(splitter.split(np.empty((rows, 1), np.int8))):
        fold[valid] = number
    return fold
