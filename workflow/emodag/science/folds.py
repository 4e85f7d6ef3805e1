"""Folds that no NumPy release and no processor can move.

scikit-learn up to 1.8 orders the groups by an unstable argsort of their sizes, whose order among
equal sizes depends on NumPy's SIMD kernels: people change folds between NumPy releases (see
scikit-learn issue 29495). Here ties are broken by the person id.

Folds are numbered through all repeats: fold `k` of `K` in repeat `r` is fold `r * K + k`. A table
of folds has two columns of these numbers, `group_fold` and `row_fold`, and two more for each repeat
after the first, such as `group_fold_1` and `row_fold_1`.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import numpy as np

from ledger.errors import InputError

INNER = 4
"""Of how many parts of the persons an inner fit leaves one out."""

DRAWS = 1000
"""How often an assignment is drawn anew because it is one of those before."""


def held_out(table: Mapping[str, np.ndarray], kind: str, fold: int) -> np.ndarray:
    """(n,) booleans: the rows that a fold holds out.

    Parameters
    ----------
    table : the columns of a table of folds, (n,) integers each.
    kind : ``group_fold`` or ``row_fold``.
    """
    return (assignments(table, kind) == fold).any(axis=0)


def assignments(table: Mapping[str, np.ndarray], kind: str) -> np.ndarray:
    """(repeats, n) integers: the fold that holds each row out in each repeat; see `held_out`."""
    return np.stack([column for name, column in table.items() if name.startswith(kind)])


def parted(
    persons: np.ndarray, labels: np.ndarray, is_held_out: np.ndarray, *, inner: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that a fit learns from, and those that it predicts without.

    Parameters
    ----------
    persons : (n,) integers or text; labels : (n,) class codes.
    is_held_out : (n,) booleans, the rows that a fold holds out.
    inner : whether the fit is an inner one: it has nothing to do with these rows, and predicts
        about a quarter of the other persons, one at least: the first of `group_folds` without whom
        it learns every class, or just the first.

    Returns
    -------
    Two arrays of row numbers, ascending.

    Raises
    ------
    InputError
        When an inner fit would have no other person to learn from.
    """
    train, valid = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
    if not inner:
        return train, valid
    own = persons[train]
    count = len(np.unique(own))
    if count == 1:
        raise InputError(
            f"the rows to learn from are all of one person ({own[0]}), so none is left to find a "
            "temperature on. Set `pseudo_labels.calibrate: none`."
        )
    folds, known = group_folds(own, folds=min(INNER, count)), labels[train]
    whole = (f for f in range(folds.max() + 1) if np.isin(known, known[folds != f]).all())
    is_apart = folds == next(whole, 0)
    return train[~is_apart], train[is_apart]


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
    return _filled(np.argsort(-sizes, kind="stable"), sizes, folds)[group]


def _filled(order: np.ndarray, sizes: np.ndarray, folds: int) -> np.ndarray:
    """(persons,) int16: each in this order goes to the fold with the fewest rows so far."""
    fold = np.empty(len(sizes), np.int16)
    load = np.zeros(folds, np.int64)
    for index in order:
        lightest = int(np.argmin(load))
        fold[index] = lightest
        load[lightest] += sizes[index]
    return fold


def other_group_folds(persons: np.ndarray, first: np.ndarray, *, repeats: int) -> list[np.ndarray]:
    """Further assignments to as many folds, in each of which other people are held out together.

    As `group_folds`, but the order in which people go is that of hashes of repeat and person id, so
    folds are about equally full whoever is in them: two differ by the largest person at most.

    Parameters
    ----------
    persons : (n,) integers or text.
    first : (n,) integers, the fold of each row in repeat 0.
    repeats : how many assignments there are to be, `first` being one of them.

    Returns
    -------
    (n,) int16 for each repeat from 1 on, folds numbered from 0.

    Raises
    ------
    InputError
        When there are so few ways to assign these people that one would be there twice.
    """
    ids, start, group, sizes = np.unique(
        persons, return_index=True, return_inverse=True, return_counts=True
    )
    folds = int(first.max()) + 1
    known, found = {_together(first[start])}, []
    for repeat in range(1, repeats):
        drawn = (_filled(_order(ids, repeat, draw), sizes, folds) for draw in range(DRAWS))
        other = next((each for each in drawn if _together(each) not in known), None)
        if other is None:
            raise InputError(
                f"the training table holds {len(ids)} persons ({', '.join(map(str, ids))}), too "
                f"few to put them into {folds} folds of about equal size in {repeats} ways. Lower "
                "`folds_repeats`."
            )
        known.add(_together(other))
        found.append(other[group])
    return found


def _order(ids: np.ndarray, repeat: int, draw: int) -> np.ndarray:
    """A permutation of people by repeat and draw, whatever NumPy's generators do."""
    texts = [f"folds\x1f{repeat}\x1f{draw}\x1f{id!r}" for id in ids.tolist()]
    return np.array(sorted(range(len(ids)), key=lambda at: sha256(texts[at].encode()).digest()))


def _together(fold: np.ndarray) -> bytes:
    """Who is in one fold with whom, whatever the folds' numbers: each as the first one there."""
    _, first, inverse = np.unique(fold, return_index=True, return_inverse=True)
    return first[inverse].tobytes()


def person_folds(persons: np.ndarray, *, folds: int) -> np.ndarray:
    """A fold for each person, in the order of their ids, as scikit-learn's `LeaveOneGroupOut`.

    Parameters and result are those of `group_folds`.

    Raises
    ------
    InputError
        When there are not just as many people as folds.
    """
    ids, group = np.unique(persons, return_inverse=True)
    if len(ids) != folds:
        raise InputError(
            f"the training table holds {len(ids)} persons, and {folds} were counted when the run "
            "was planned: it has changed since. Run the same command again."
        )
    return group.astype(np.int16)


def scikit_learn_group_folds(persons: np.ndarray, *, folds: int) -> np.ndarray:
    """The fold of each row as the installed scikit-learn's `GroupKFold` assigns it.

    Up to scikit-learn 1.8 an unstable sort decides among persons of equal size: with more than 16
    of them, NumPy's release and the processor do. For the replay of runs that used it.

    Parameters, result and errors are those of `group_folds`.
    """
    from sklearn.model_selection import GroupKFold

    ids, group = np.unique(persons, return_inverse=True)
    _require_persons(ids, folds)
    return _numbered(GroupKFold(folds).split(group, groups=group), len(group))


def _numbered(splits: Iterable[tuple[np.ndarray, np.ndarray]], rows: int) -> np.ndarray:
    """(rows,) int16: the number of scikit-learn's split that holds each row out."""
    fold = np.empty(rows, np.int16)
    for number, (_, valid) in enumerate(splits):
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
        lower = f"Lower `folds` to {len(ids)} or less, or check" if len(ids) > 1 else "Check"
        raise InputError(
            f"the training table holds {len(ids)} person{'s' * (len(ids) > 1)} "
            f"({', '.join(map(str, ids))}), and {folds} folds need at least {folds}. {lower} which "
            "column holds the person (`data.group`)."
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
    splitter = KFold(folds, shuffle=True, random_state=seed)
    return _numbered(splitter.split(np.empty((rows, 1), np.int8)), rows)
