"""Predict with an exported model, without emodag: `python load.py TABLE.csv` prints a CSV.

Needs numpy, pandas, safetensors and torch. The products of matrices are torch's own here, so
probabilities differ from those of `emodag predict` in the last digits.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from torch.nn.functional import batch_norm, leaky_relu, linear

BOUND = 1e-7 - np.spacing(1.0)


def predict(table: pd.DataFrame, directory: Path = Path(__file__).parent) -> pd.DataFrame:
    """The class of each row, and the probability of each class; columns are matched by name."""
    model = json.loads((directory / "model.json").read_text(encoding="utf-8"))
    tensors = load_file(directory / "model.safetensors")
    x = table[model["features"]].to_numpy(np.float64)
    if model["person"] != "none":
        persons = names(table[model["group"]])
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
        filled = np.where(np.isfinite(x), x, medians)
        columns = zip(filled.T, quantiles.T, strict=True)
        scores = [normal_scores(*column, model["resolution"]) for column in columns]
        weights = {
            k.removeprefix(f"{fold}."): v for k, v in tensors.items() if k.startswith(f"{fold}.")
        }
        scaled = torch.from_numpy(np.column_stack(scores).astype(np.float32))
        members.append(probabilities(scaled, weights).numpy())
    mean = np.mean(members, axis=0, dtype=np.float32)
    made = pd.DataFrame(mean, table.index, model["classes"])
    best = (mean * np.array(model["boost"], np.float32)).argmax(axis=1)
    made.insert(0, "predicted", np.array(model["classes"])[best])
    return made


def read(path: str, directory: Path = Path(__file__).parent) -> pd.DataFrame:
    """A table of text, with the separator, the decimals and the missing values of the run's tables.

    Where the run has found these out by itself, so does this: by the features' names, and by
    whether their cells are numbers.
    """
    model = json.loads((directory / "model.json").read_text(encoding="utf-8"))
    features = model["features"]

    def cells(separator: str, **how) -> pd.DataFrame:
        how |= {"na_values": model["missing"], "keep_default_na": False}
        how |= {"converters": {model["group"]: str}}  # 07 is not 7, and NA may be a name
        return pd.read_csv(path, sep=separator, float_precision="round_trip", **how)

    lacking = {
        mark: [name for name in features if name not in cells(mark, nrows=0)]
        for mark in model["separator"] or ",;\t|"
    }
    separator = min(lacking, key=lambda mark: len(lacking[mark]))
    if lacking[separator]:
        raise ValueError(f"{path} lacks the column {lacking[separator][0]!r}")
    for decimal in model["decimal"] or ".,":
        table = cells(separator, decimal=decimal)
        text = [name for name in features if not pd.api.types.is_numeric_dtype(table[name])]
        if not text:
            return table
    raise ValueError(f"{path}: not every cell of the column {text[0]!r} is a number")


def names(persons: pd.Series) -> pd.Series:
    """Persons as text: 7 and 7.0 are one, 7 and 07 are two; none may be missing."""
    text = persons.astype(str).str.replace(r"^(-?(?:0|[1-9][0-9]*))\.0*$", r"\1", regex=True)
    if (missing := persons.isna() | (text.str.strip() == "")).any():
        row = int(missing.to_numpy().argmax()) + 1
        raise ValueError(f"column {persons.name!r}, data row {row}: the person is missing")
    return text


def by_person(x: np.ndarray, persons: pd.Series, kind: str) -> np.ndarray:
    """Each person's rows among themselves: less the median, in robust z-scores, or ranked."""
    who, frame = persons.to_numpy(), pd.DataFrame(x)
    groups = frame.groupby(who)
    if kind == "rank":
        shares = (groups.rank() - 0.5) / groups.transform("count")
        return torch.special.ndtri(torch.from_numpy(shares.to_numpy())).numpy()
    centred = frame - groups.transform("median")
    if kind == "centre":
        return centred.to_numpy()
    distances = centred.abs().groupby(who)
    spread = 1.482602218505602 * distances.transform("median")
    spread = spread.where(spread > 0, 1.2533141373155003 * distances.transform("mean"))
    return (centred / spread.where(spread > 0, 1.0)).to_numpy()


def normal_scores(x: np.ndarray, quantiles: np.ndarray, resolution: float) -> np.ndarray:
    """Where each value lies among a feature's quantiles, as a score of the normal distribution."""
    if np.isnan(quantiles[0]):
        return np.zeros(len(x))
    shares = np.linspace(0.0, 1.0, len(quantiles))
    below = np.interp(x, quantiles, shares)
    share = 0.5 * (below - np.interp(-x, -quantiles[::-1], -shares[::-1]))
    share[x + resolution >= quantiles[-1]] = 1.0
    share[x - resolution <= quantiles[0]] = 0.0
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
    try:
        made = predict(read(sys.argv[1]))
    except ValueError as error:
        sys.exit(f"load.py: {error}")
    made.to_csv(sys.stdout, index_label="row")
