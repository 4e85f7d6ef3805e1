"""Which columns of a table are text, where numbers were expected."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.table import MINUS, NUMBER, Table
from ledger.errors import InputError

_VALUE = f"^(?:{NUMBER}|true|false)$"


def text_columns(table: Table, names: Sequence[str]) -> list[str]:
    """Those of `names` in which more than half of the cells that are there are no numbers.

    A single slip in a column of numbers does not make it text, nor does the minus sign of print. A
    column that cannot even be read as text is left out.
    """
    names = [name for name in names if name not in table.numeric]
    if not names:
        return []
    numbers, texts = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    known = pa.array([None, *table.missing], pa.string())
    try:
        for block in table.blocks([], names):
            # All columns at once, one after another: of very many each call would count.
            cells = pa.concat_arrays([block.texts[name] for name in names])
            there = pc.invert(pc.is_in(cells, known))
            pointed = pc.replace_substring(cells, ",", ".")
            pointed = pc.replace_substring(pointed, MINUS, "-")
            is_number = pc.and_(there, pc.match_substring_regex(pointed, _VALUE).fill_null(False))
            found = is_number.to_numpy(zero_copy_only=False).reshape(len(names), -1).sum(axis=1)
            numbers += found
            texts += (
                there.to_numpy(zero_copy_only=False).reshape(len(names), -1).sum(axis=1) - found
            )
    except InputError:
        if len(names) == 1:
            return []
        middle = len(names) // 2
        return text_columns(table, names[:middle]) + text_columns(table, names[middle:])
    return [names[at] for at in np.flatnonzero(texts > numbers)]
