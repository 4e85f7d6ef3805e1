"""Stage `count`: how often each word occurs in a text."""

import json
import re
from collections import Counter


def run(inputs, params, output, context):
    """Write the words of `inputs["text"]` with `params["least"]` letters or more, sorted."""
    words = re.findall(r"\w+", inputs["text"].read_text().lower())
    counts = Counter(word for word in words if len(word) >= params["least"])
    context.note(f"{len(counts)} different words")
    (output / "counts.json").write_text(json.dumps(counts, sort_keys=True))
