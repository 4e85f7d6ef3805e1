"""Which columns of a table are text, where numbers were expected."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.errors import InputError
from emodag.science.tables import NUMBER, Table

_VALUE = f"^(?:{NUMBER}|true|false)$"


def text_columns(table: Table, names: Sequence[str]) -> list[str]:
    """Those of `names` in which more than half of the cells that are there are no numbers.

    A single slip in a column of numbers does not make it text. A column that cannot even be read as
    text is left out.
    """
    if not names:
        return []
    numbers, texts = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    try:
        for block in table.blocks([], names):
            for at, name in enumerate(names):
                cells = block.texts[name]
                there = pc.invert(pc.is_in(cells, pa.array([None, *table.missing], pa.string())))
                cells = cells.filter(there)
                pointed = pc.replace_substring(cells, ",", ".")
                matching = pc.sum(pc.match_substring_regex(pointed, _VALUE)).as_py() or 0
                numbers[at] += matching
                texts[at] += len(cells) - matching
    except InputError:
        if len(names) == 1:
            return []
        middle = len(names) // 2
        return text_columns(table, names[:middle]) + text_columns(table, names[middle:])
    return [names[at] for at in np.flatnonzero(texts > numbers)]
