"""Labels, persons and ids of a table in one canonical form, whatever its file wrote."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emodag.science.tables.class_codes import code_dtype
from emodag.science.tables.spelling import have_other_numbers, skeleton, whole_number
from emodag.science.tables.table import FALSE, MISSING, RESET, SAVED_INDEX, TRUE, Table, fault

UNLABELLED = "-1"
"""What stands for a missing label besides the spellings of any missing cell."""

_WHOLE = r"^-?(0|[1-9][0-9]{0,17})(\.0*)?$"
# As Python writes decimals; a spreadsheet writes 1E+02, and may have lost digits.
_EXPONENT = r"-?(0|[1-9])(\.[0-9]+)?E(\+[1-9]|-[0-9]{1,2})"
# Of ids, which cannot fall together, unless there are as many digits as a spreadsheet leaves.
_LONG = r"-?[1-9](\.[0-9]{1,4})?E\+[1-9][0-9]"
_CUT = r"^[+-]?[0-9](\.[0-9]+)?E\+[0-9]{2}$"
_DECIMAL = r"-?(0|[1-9][0-9]*)\.[0-9]+"
# As nobody writes a float, 1e5 is a name.
_FRACTION = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-][0-9]+)?$"

# As pandas writes lists, arrays and dictionaries, which Parquet has as such.
_LIST = r"(?s)^(\[.*\]|\{.*\})$"


def label_codes(
    table: Table,
    column: str,
    text: pa.Array,
    classes: Sequence[str],
    *,
    rows: np.ndarray | None = None,
    advice: str = "",
) -> np.ndarray:
    """Turn labels, each the name of a class or its number from 0, into codes.

    A column is read as names if all its values are names of classes, else as numbers; where classes
    are called by other numbers than theirs, as names only. A whole number is the same name however
    it is written (1, 1.0), and so is a boolean (True, true, 1).

    Parameters
    ----------
    text : string array of shape (rows,)
        The column as read by `table.blocks`.
    rows : int array of shape (rows,)
        Where in the table they stand; None: from its first row on.
    advice : what else to do about a label that is missing.

    Returns
    -------
    array of shape (rows,), int8 or as `code_dtype` says for many classes.

    Raises
    ------
    InputError
        If a label is missing or of no class.
    """
    text = _complete(table, column, text, "label", classes, advice)
    encoded = text.dictionary_encode()
    found = encoded.dictionary.to_pylist()
    named = _codes_by_name(classes)
    by_name = {value: code for value in found if (code := named(value)) is not None}
    by_number = {value: _class_number(value, len(classes)) for value in found}
    only_names = have_other_numbers(classes)
    codes = by_name if only_names or all(value in by_name for value in found) else by_number
    wrong = [at for at, value in enumerate(found) if codes.get(value) is None]
    if wrong:
        strangers = [at for at in wrong if found[at] not in by_name]
        mixed_in = [at for at, value in enumerate(found) if value not in by_name]
        at = (strangers or mixed_in)[0]
        row = int(np.flatnonzero(encoded.indices.to_numpy() == at)[0])
        row = row if rows is None else int(rows[row])
        alike = [name for name in classes if skeleton(name) == skeleton(found[at])]
        otherwise = f", which is {alike[0]!r} in another spelling" if alike else ""
        unknown = advice if _one_spelling(found[at]) == UNLABELLED else ""
        raise table.fault(
            f"expected one of the classes {', '.join(map(repr, classes))}, all by name"
            f"{'' if only_names else f' or all by number from 0 to {len(classes) - 1}'}, "
            f"found {found[at]!r}{otherwise}; "
            "correct it, or data.classes, or data.label if this is not the column of labels"
            f"{unknown}",
            column=column,
            row=row,
        )
    lookup = np.array([codes[value] for value in found], dtype=code_dtype(len(classes)))
    return lookup[encoded.indices.to_numpy()]


def lacks_label(table: Table, text: pa.Array, classes: Sequence[str]) -> np.ndarray:
    """Which of the labels are missing: boolean of shape (rows,).

    -1 is such a spelling, too, as in scikit-learn, and the name of a class never is.
    """
    spellings = [spelling for spelling in table.missing if spelling not in classes]
    missing = is_missing(text, spellings).to_numpy(zero_copy_only=False)
    codes = [v for v in pc.unique(text).to_pylist() if v and _one_spelling(v) == UNLABELLED]
    codes = [value for value in codes if _codes_by_name(classes)(value) is None]
    return missing | pc.is_in(text, pa.array(codes, text.type)).to_numpy(zero_copy_only=False)


def persons(table: Table, column: str, text: pa.Array, *, min_rows: int = 1) -> pa.Array:
    """The person of each row, as int64 if all are whole numbers and else as strings.

    Raises
    ------
    InputError
        If one is missing, or has fewer than `min_rows` rows, or they look like measurements.
    """
    ids = canonical_keys(table, column, _complete(table, column, text, "person"), "person")
    counts = pc.value_counts(ids).to_pylist()
    few = sorted(count["values"] for count in counts if count["counts"] < min_rows)
    if few:
        rows = next(count["counts"] for count in counts if count["values"] == few[0])
        raise fault(
            table.path,
            f"person {few[0]!r} has {rows} row{'s' if rows > 1 else ''} and at least {min_rows} "
            f"are needed ({len(few)} of {len(counts)} persons have fewer); is this really the "
            "column of persons? If so, remove the rows or lower data.min_rows_per_person",
            column=column,
        )
    return ids


def row_ids(table: Table, column: str, text: pa.Array, *, is_sure: bool = True) -> pa.Array:
    """The id of each row, as int64 if all are whole numbers and else as strings.

    Parameters
    ----------
    is_sure : whether the column is known to hold ids, which may then be decimals, as of seconds.

    Raises
    ------
    InputError
        If one is missing or occurs twice, or they look like measurements.
    """
    text = _complete(table, column, text, "id")
    ids = canonical_keys(table, column, text, "id" if is_sure else "first column")
    first: dict[object, int] = {}
    advice = "a number that restarts with each person is no id: name it in data.ignore instead"
    if pa.types.is_string(ids.type) and not ids.equals(text):
        advice = "1.10 is the number 1.1, too: if these are no numbers, begin them with a letter"
    elif SAVED_INDEX.fullmatch(column) or column in RESET:  # as of tables that were joined
        advice = "this index looks saved by accident: save the table without it, or name it in "
        advice += f"data.ignore: [{column!r}]"
    alike = ids if pa.types.is_integer(ids.type) else one_number(ids)
    if pc.count_distinct(alike).as_py() < len(ids):
        for row, value in enumerate(alike.to_pylist()):
            if value in first:
                raise table.fault(
                    f"the id {value!r} was already used in data row {first[value] + 1}; "
                    f"ids must be unique; {advice}",
                    column=column,
                    row=row,
                )
            first[value] = row
    return ids


def canonical_keys(table: Table, column: str, text: pa.Array, what: str) -> pa.Array:
    """Strings as int64 if each is a whole number as usually written (7, 7.0, not 07).

    Beside text, a whole number is one person, or class, however it is written; ids stay as written.
    Where all are numbers and some have decimals, ids are written one way (0.5, not 0.50), and what
    is no "id" is refused.

    Raises
    ------
    InputError
        If they look like measurements, or like long numbers that a spreadsheet has cut.
    """
    text = _without_exponents(text, is_id=what == "id")
    if pc.all(pc.match_substring_regex(text, _WHOLE)).as_py():
        return pc.replace_substring_regex(text, r"\.0*$", "").cast(pa.int64())
    numbers = pointed(table, text)
    whole = pc.match_substring_regex(numbers, r"^[+-]?[0-9]+(\.0*)?$")
    are_numbers = pc.all(pc.match_substring_regex(numbers, _FRACTION)).as_py()
    if not are_numbers or pc.all(whole).as_py():
        return text if what in ("id", "first column") else one_number(text)
    cut = pc.match_substring_regex(numbers, _CUT)
    if pc.any(cut).as_py() or what != "id":
        row = pc.index(cut, True).as_py() if pc.any(cut).as_py() else pc.index(whole, False).as_py()
        looks = "a long number that a spreadsheet has cut" if cut[row].as_py() else "a measurement"
        of, way = what, "begin it with a letter"
        if what == "first column":
            of, way = "id", f"set data.id: {column!r}"
        raise table.fault(
            f"expected the {of} of a row, a whole number or text, found {text[row].as_py()!r}, "
            f"which looks like {looks}; is this the right column? If so, {way}",
            column=column,
            row=row,
        )
    numbers = pc.replace_substring_regex(numbers, r"^([+-]?[0-9]+)$", r"\1.0")
    return pc.replace_substring_regex(numbers, r"^([+-]?[0-9]+\.[0-9]+?)0*$", r"\1")


def pointed(table: Table, text: pa.Array) -> pa.Array:
    """The same strings of a column, numbers among them with a point before their decimals."""
    if table.decimal == ".":
        return text
    return pc.replace_substring_regex(text, r"^([+-]?\d*),(\d+([eE][+-]\d+)?)$", r"\1.\2")


def one_number(text: pa.Array) -> pa.Array:
    """The same strings, whole numbers among them (7, 7.0, not 07) written one way."""
    return pc.replace_substring_regex(
        _without_exponents(text), r"^(-?(?:0|[1-9][0-9]*))\.0*$", r"\1"
    )


def numbers_written_twice(text: pa.Array) -> list[str]:
    """Which whole numbers are written in several ways beside text, such as "'1' and '1.0'".

    Where all are numbers, they are meant so.
    """
    written = pc.unique(_without_exponents(text))
    if pc.all(pc.match_substring_regex(written, _WHOLE)).as_py():
        return []
    spellings: dict[str, list[str]] = {}
    for cell, number in zip(written.to_pylist(), one_number(written).to_pylist(), strict=True):
        spellings.setdefault(number, []).append(cell)
    several = (sorted(found) for found in spellings.values() if len(found) > 1)
    return [" and ".join(map(repr, found)) for found in sorted(several)]


def _without_exponents(text: pa.Array, *, is_id: bool = False) -> pa.Array:
    """The same strings, those such as 1E+2 written out: Parquet does not keep how they were."""
    exponent = _EXPONENT
    if is_id and not pc.any(pc.match_substring_regex(text, r"\.[0-9]{5,}E\+[0-9]{2}$")).as_py():
        exponent = f"({_EXPONENT}|{_LONG})"
    if not pc.any(pc.match_substring_regex(text, f"^{exponent}$")).as_py():
        return text
    encoded = text.dictionary_encode()
    written = [
        f"{Decimal(cell):f}" if re.fullmatch(exponent, cell) else cell
        for cell in encoded.dictionary.to_pylist()
    ]
    return pa.array(written, pa.string()).take(encoded.indices)


def is_missing(text: pa.Array, spellings: Sequence[str]) -> pa.Array:
    """Which cells are null or one of the spellings; -999 is also spelt -999.0."""
    whole = pc.replace_substring_regex(text, r"^([+-]?[0-9]+)\.0*$", r"\1")
    spelt = pa.array(spellings, pa.string())
    return pc.or_(pc.is_null(text), pc.or_(pc.is_in(text, spelt), pc.is_in(whole, spelt)))


def missing_spellings(table: Table, text: pa.Array, what: str) -> list[str]:
    """The spellings of a missing cell in a column of ids, persons or labels.

    An id is missing where its cell is empty only: a code such as -1 may well number a row. So may
    NA and other words be persons' names, in a column of text; among numbers they are none.
    """
    if what == "id":
        return [""]
    there = pointed(table, text.filter(pc.invert(is_missing(text, table.missing))))
    are_text = pc.any(pc.invert(pc.match_substring_regex(there, _FRACTION))).as_py()
    if what != "person" or not are_text:
        return [*table.missing]
    own = table.missing[len(MISSING) :]
    return [*own, *(spelling for spelling in MISSING if not spelling.isalpha())]


def named_as_missing(written: pa.Array) -> list[str]:
    """Which of the persons, each as it is written, are called as a missing cell is: NA, None."""
    return sorted({*MISSING}.intersection(written.to_pylist()))


def _complete(
    table: Table,
    column: str,
    text: pa.Array,
    what: str,
    names: Sequence[str] = (),
    advice: str = "",
) -> pa.Array:
    """The same strings, none of them missing, and not lists; `names` are never missing."""
    if pc.all(pc.match_substring_regex(text, _LIST)).as_py():
        raise table.fault(
            f"expected the {what} of a row, a whole number or text, found {text[0].as_py()!r}, "
            "which looks like a list; write one value in each row",
            column=column,
            row=0,
        )
    known = missing_spellings(table, text, what)
    missing = is_missing(text, [spelling for spelling in known if spelling not in names])
    if pc.any(missing).as_py():
        row = pc.index(missing, True).as_py()
        found = text[row].as_py()
        own = ", by data.missing_values" if found and found not in MISSING else ""
        shown = f" (found {found!r}{own})" if found else ""
        name = "; if that is a name, write it otherwise" if found else ""
        raise table.fault(
            f"the {what} is missing{shown}; fill it in or remove the row{advice}{name}",
            column=column,
            row=row,
        )
    return text


def _codes_by_name(classes: Sequence[str]) -> Callable[[str], int | None]:
    """What finds the code of a label among the classes' names: as written, else in one spelling."""
    exact = {name: code for code, name in enumerate(classes)}
    alike = {_one_spelling(name): code for name, code in exact.items()}
    if len(alike) < len(exact):
        alike = {}
    elif set(alike) == {"True", "False"}:
        alike |= {"1": alike["True"], "0": alike["False"]}

    def code(value: str) -> int | None:
        spelling = _one_spelling(value)
        number = {"True": "1", "False": "0"}.get(spelling, spelling)
        found = (exact.get(value), alike.get(spelling), alike.get(number))
        return next((code for code in found if code is not None), None)

    return code


def _one_spelling(value: str) -> str:
    if re.fullmatch(_EXPONENT, value):
        value = f"{Decimal(value):f}"
    if re.fullmatch(_WHOLE, value):
        return str(int(value.partition(".")[0]))
    if re.fullmatch(_DECIMAL, value):
        return value.rstrip("0").rstrip(".")
    return "True" if value in TRUE else "False" if value in FALSE else value


def _class_number(value: str, classes: int) -> int | None:
    number = whole_number({"True": "1", "False": "0"}.get(_one_spelling(value), value))
    return None if number is None or not 0 <= number < classes else number
