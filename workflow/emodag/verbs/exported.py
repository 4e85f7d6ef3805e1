"""Predict with an exported model, without emodag: `python load.py TABLE.csv` prints a CSV.

Needs numpy, pandas, safetensors and torch. The products of matrices are torch's own here, so
probabilities differ from those of `emodag predict` in the last digits.
"""

import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from torch.nn.functional import batch_norm, leaky_relu, linear

BOUND = 1e-7 - np.spacing(1.0)
FAR = 1e300  # values beyond are taken for this one, so that nothing overflows
NUMBERS = ("boolean", "integer", "floating", "empty")


def predict(table: pd.DataFrame, directory: Path = Path(__file__).parent) -> pd.DataFrame:
    """The class of each row, and the probability of each class; columns are matched by name.

    Numbers that stand for a missing value in the run, such as -999, do so here.
    """
    model = json.loads((directory / "model.json").read_text(encoding="utf-8"))
    tensors = load_file(directory / "model.safetensors")
    x = floats(table, model["features"])
    codes = pd.to_numeric(pd.Series(model["missing"]), errors="coerce")
    x = np.where(np.isin(x, codes), np.nan, x)
    if model["person"] != "none":
        if model["group"] not in table:
            raise ValueError(f"no column {model['group']!r}, which must say whose each row is")
        persons = names(table[model["group"]], model["missing"], model["words"])
        rows = persons.value_counts()
        if rows.min() < (least := model["rows_of_a_person"]):
            few = f"{rows.idxmin()!r} has {rows.min()} rows"
            raise ValueError(f"{few}; at least {least} are needed")
        x = by_person(np.where(np.isfinite(x), x, np.nan), persons, model["person"])
    members = []
    for fold, scaler in model["scalers"].items():
        quantiles, medians = (
            tensors[f"{scaler}.{name}"].numpy() for name in ("quantiles", "medians")
        )
        weights = {
            k.removeprefix(f"{fold}."): v for k, v in tensors.items() if k.startswith(f"{fold}.")
        }
        scores = torch.from_numpy(scaled(x, quantiles, medians, model))
        members.append(probabilities(scores, weights).numpy())
    mean = np.mean(members, axis=0, dtype=np.float32)
    made = pd.DataFrame(mean, table.index, model["classes"])
    best = (mean * np.array(model["boost"], np.float32)).argmax(axis=1)
    predicted = np.array(model["classes"])[best]
    made.insert(0, "predicted", predicted, allow_duplicates=True)  # a class may be called so
    return made


def read(path: str, directory: Path = Path(__file__).parent) -> pd.DataFrame:
    """A table of text, with the separator, the decimals and the missing values of the run's tables.

    Where the run has found these out by itself, so does this: by the features' names, and by
    whether their cells are numbers. All cells are trimmed, as in the run. Raises `ValueError` for
    what is no such table, as the run does: see `written`, and for a number that is no float64.
    """
    model = json.loads((directory / "model.json").read_text(encoding="utf-8"))
    features, group = model["features"], model["group"]
    try:
        cells = written(path, features, model["separator"] or ",;\t|")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not UTF-8; give a table of text, such as CSV") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise ValueError(f"{path}: {error}") from None
    trimmed = cells.to_csv(index=False)
    how = {"na_values": model["missing"], "keep_default_na": False}
    how |= {"float_precision": {"nearest": "round_trip", "pandas": None}[model["decimals"]]}
    how |= {"converters": {group: str}}  # 07 is not 7, and NA may be a name
    text = {}
    for decimal in model["decimal"] or ".,":
        table = pd.read_csv(io.StringIO(trimmed), decimal=decimal, **how)
        kinds = {name: pd.api.types.infer_dtype(table[name], skipna=True) for name in features}
        text[decimal] = [name for name in features if kinds[name] not in NUMBERS]
        if not text[decimal]:
            if decimal == "," and group in table:  # 7,0 is 7
                table[group] = table[group].str.replace(r"^([+-]?\d+),(0+)$", r"\1.\2", regex=True)
            for row, at in np.argwhere(np.abs(floats(table, features)) >= 2**53):
                cell = cells[features[at]].iat[row]
                if is_beyond(cell):
                    where = f"{path}: column {features[at]!r}, data row {row + 1}"
                    raise ValueError(f"{where}: a float64 cannot hold {cell}")
            return table
    column = min(text.values(), key=len)[0]
    raise ValueError(f"{path}: not every cell of the column {column!r} is a number")


def written(path: str, features: list[str], marks: str) -> pd.DataFrame:
    """All cells as text, trimmed; of several separators by the one that finds most features.

    Raises `ValueError` where a feature is lacking, a name repeated, a row not as wide as the names,
    or no row there.
    """
    headers = {mark: pd.read_csv(path, sep=mark, nrows=0).columns for mark in marks}
    lacking = {mark: [name for name in features if name not in headers[mark]] for mark in marks}
    separator = min(lacking, key=lambda mark: len(lacking[mark]))
    if lacking[separator]:
        raise ValueError(f"{path} lacks the column {lacking[separator][0]!r}")
    is_wide = len(headers[separator]) > 1  # in one column an empty line is a missing cell
    how = {"dtype": object, "na_filter": False, "skip_blank_lines": is_wide}
    # pandas' other parser fills a short row up, and takes what is too much for an index.
    rows = pd.read_csv(path, sep=separator, header=None, engine="python", **how)
    header, cells = rows.iloc[0], rows.iloc[1:]
    if header.duplicated().any():
        raise ValueError(f"{path}: repeats the column {header[header.duplicated()].iloc[0]!r}")
    if cells.empty:
        raise ValueError(f"{path}: has no rows")
    if is_wide and (short := cells.isna().any(axis=1)).any():
        found = f"expected {len(header)} cells, found {cells.loc[short.idxmax()].count()}"
        raise ValueError(f"{path}: data row {short.idxmax()}: {found}")
    return cells.fillna("").apply(lambda column: column.str.strip()).set_axis(header, axis=1)


def is_beyond(cell: str) -> bool:
    """Whether a number is too long or too large for a float64; an infinity may be spelt out."""
    if cell.lstrip("+-").isdecimal():
        return int(cell) != float(cell)
    return any(map(str.isdecimal, cell)) and np.isinf(float(cell.replace(",", ".")))


def names(persons: pd.Series, missing: Sequence[str] = (), words: Sequence[str] = ()) -> pd.Series:
    """Persons as text: 7 and 7.0 are one, 7 and 07 are two; none may be `missing`.

    Such `words` as NA are missing among numbers, and else are persons.
    """
    cells = persons.astype(str).str.strip()
    text = cells.str.replace(r"^(-?(?:0|[1-9][0-9]*))\.0*$", r"\1", regex=True)
    empty = persons.isna() | text.isin(["", *missing]) | cells.isin(missing)
    if pd.to_numeric(text[~empty], errors="coerce").isna().any():
        empty &= persons.isna() | ~text.isin(words)
    if empty.any():
        row = int(empty.to_numpy().argmax()) + 1
        raise ValueError(f"column {persons.name!r}, data row {row}: the person is missing")
    return text


def floats(table: pd.DataFrame, features: list[str]) -> np.ndarray:
    """Columns as float64, (n, p); True is 1, and a missing cell NaN."""
    return table[features].to_numpy(np.float64, na_value=np.nan)


def by_person(x: np.ndarray, persons: pd.Series, kind: str) -> np.ndarray:
    """Each person's rows among themselves: less the median, in robust z-scores, or ranked."""
    found = np.full_like(x, np.nan)
    for rows in pd.RangeIndex(len(x)).groupby(persons.to_numpy()).values():
        for at, column in enumerate(x[rows].T):
            there = ~np.isnan(column)
            if there.any():
                found[rows[there], at] = relative(column[there].clip(-FAR, FAR), kind)
    return found


def relative(x: np.ndarray, kind: str) -> np.ndarray:
    """One person's values of one feature, bit for bit as in the run, but for scores of ranks."""
    if kind == "rank":
        _, group, counts = np.unique(x, return_inverse=True, return_counts=True)
        shares = (np.cumsum(counts) - counts / 2)[group] / len(x)
        return torch.special.ndtri(torch.from_numpy(shares)).numpy()
    centred = x - np.median(x)
    if kind == "centre":
        return centred
    spread = 1.482602218505602 * np.median(np.abs(centred))
    if spread == 0:
        spread = 1.2533141373155003 * np.sum(np.sort(np.abs(centred)) / len(x))
    return np.clip(centred / spread, -FAR, FAR) if spread else np.zeros_like(x)


def scaled(x: np.ndarray, quantiles: np.ndarray, medians: np.ndarray, model: dict) -> np.ndarray:
    """Features as one scaler makes them, (n, p) float32; a missing cell is the training median."""
    columns = list(zip(np.where(np.isfinite(x), x, medians).T, quantiles.T, strict=True))
    if model["person"] == "rank":
        columns = [(at_quantiles(*column), column[1]) for column in columns]
    scores = [normal_scores(*column, model["resolution"]) for column in columns]
    return np.column_stack(scores).astype(np.float32)


def at_quantiles(x: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Scores of ranks, those that a quantile differs from in its last digits alone as it is.

    torch gives other last digits than the run's scipy, and equal values must stay equal.
    """
    after = np.searchsorted(quantiles, x).clip(1, len(quantiles) - 1)
    low, high = quantiles[after - 1], quantiles[after]
    nearest = np.where(x - low < high - x, low, high)
    return np.where(np.isclose(x, nearest, rtol=1e-12, atol=0.0), nearest, x)


def normal_scores(x: np.ndarray, quantiles: np.ndarray, resolution: float) -> np.ndarray:
    """Where each value lies among a feature's quantiles, as a score of the normal distribution."""
    if np.isnan(quantiles[0]):
        return np.zeros(len(x))
    shares = np.linspace(0.0, 1.0, len(quantiles))
    below = np.interp(x, quantiles, shares)
    share = 0.5 * (below - np.interp(-x, -quantiles[::-1], -shares[::-1]))
    if resolution:
        at_upper, at_lower = x + resolution > quantiles[-1], x - resolution < quantiles[0]
    else:
        at_upper, at_lower = x >= quantiles[-1], x <= quantiles[0]
    share[at_upper], share[at_lower] = 1.0, 0.0
    clipped = torch.from_numpy(share.clip(BOUND, 1.0 - BOUND))
    return np.nan_to_num(torch.special.ndtri(clipped).numpy())


def probabilities(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """What one network says of scaled rows, (n, p): (n, classes)."""

    def layer(name: str, x: torch.Tensor) -> torch.Tensor:
        return linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        parts = ("running_mean", "running_var", "weight", "bias")
        return batch_norm(x, *(weights[f"{name}.{part}"] for part in parts))

    if "gate.squeeze.weight" in weights:
        x = x * torch.sigmoid(layer("gate.excite", torch.relu(layer("gate.squeeze", x))))
    x = leaky_relu(norm("encoder.1", layer("encoder.0", norm("norm", x))))
    at = 4
    if "encoder.4.linear.weight" in weights:
        x, at = leaky_relu(x + norm("encoder.4.norm", layer("encoder.4.linear", x))), 5
    x = leaky_relu(norm(f"encoder.{at + 1}", layer(f"encoder.{at}", x)))
    x = torch.relu(norm("classifier.2", layer("classifier.1", x)))
    return torch.softmax(layer("classifier.4", x), dim=1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python load.py TABLE.csv")
    try:
        made = predict(read(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"load.py: {error}")
    try:
        made.to_csv(sys.stdout, index_label="row")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)  # the reader, such as head, has seen enough; nothing is left to be flushed
