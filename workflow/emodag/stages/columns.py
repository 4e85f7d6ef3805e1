"""What the columns of each raw table are, and what is told of them."""

from collections.abc import Mapping
from typing import Any

from emodag.science.tables.ingest import (
    Layout,
    layout_of_test,
    layout_of_train,
    layout_of_unlabelled,
)
from emodag.science.tables.table import RESET, Table, listed
from emodag.science.tables.text_columns import text_columns
from emodag.stages.reading import found_text
from ledger.context import Context, Params
from ledger.errors import InputError


def layouts_of(
    tables: Mapping[str, Table], params: Params, ignored: frozenset[str]
) -> dict[str, Layout]:
    """What the columns of each table are."""
    train = layout_of_train(tables["train"], params, ignored)
    found = {"train": train}
    try:
        if "test" in tables:
            found["test"] = layout_of_test(tables["test"], train, params, ignored)
        if "unlabelled" in tables:
            found["unlabelled"] = layout_of_unlabelled(tables["unlabelled"], train, ignored)
    except InputError as error:
        # What is text would be the next complaint.
        if texts := text_columns(tables["train"], train.features):
            raise InputError(f"{error}; {tables['train'].path}: {found_text(texts)}") from None
        raise
    return found


def told_columns(
    name: str,
    tables: Mapping[str, Table],
    layouts: Mapping[str, Layout],
    ignored: frozenset[str],
    context: Context,
) -> dict[str, Any]:
    """Tell which columns of a table besides the training one are not read, or in another order."""
    table, layout = tables[name], layouts[name]
    others = {layout.group} if name == "test" else {layouts["train"].id, layout.group}
    read = {layout.id, *layout.indices, *layout.features, *others} | ignored
    unread = [column for column in table.columns if column not in read]
    if unread:
        context.warn(f"{table.path}: {listed(unread)} in the {name} table will not be read")
    reordered = layout.features != layouts["train"].features
    if reordered:
        order = f"features are ordered as in {tables['train'].path}, by name"
        context.warn(f"{table.path}: {order}")
    return {f"{name}_columns_ignored": unread, f"{name}_columns_reordered": reordered}


def told_reading(table: Table, layout: Layout, params: Params) -> list[str]:
    """What was found out of how a table is written, in words; nothing of a plain one."""
    notes, named = list(table.notes), params["label"] is not None
    if not named and table.counted and layout.id is not None:
        notes.append(
            f"the first column, {layout.id!r}, is taken for the index, "
            "as the one of pandas only counts the rows"
        )
    for index in layout.indices:
        became = "taken for the rows' id" if layout.id == index else "not read"
        if index == table.index:
            shown = f"the index {index!r}" if index else "the first column, without a name,"
            notes.append(f"{shown} is {became}")
        else:
            way = "call it otherwise" if index in RESET else "let another column come first"
            notes.append(
                f"{index!r} looks like an index that was saved along, and is {became}; if it is a "
                f"feature, {way}"
            )
    return notes
