"""Stage `ranking`: the most frequent words of all texts."""

import json
from collections import Counter


def run(inputs, params, output, context):
    """Write the `params["top"]` most frequent words, those of equal count by name."""
    total = Counter()
    for path in inputs.values():
        total.update(json.loads(path.read_text()))
    ranked = sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = ["word,count", *(f"{word},{count}" for word, count in ranked[: params["top"]])]
    (output / "ranking.csv").write_text("\n".join(lines) + "\n")
