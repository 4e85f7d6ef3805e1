"""What `check` says a run will take of a table with very many features."""

import pytest

from emodag.config.sections import load
from emodag.verbs import check


@pytest.mark.parametrize("ratio", [4, 16])
def test_the_weights_that_grow_are_nearly_all_of_a_wide_network(ratio):
    from emodag.science.fit.model import AttentiveAutoencoder, ModelSettings

    widths = {"hidden": 32, "code": 8, "head": 8, "gate_ratio": ratio}
    rest = {"dropout": 0.0, "residual": True, "corruption": 0.0, "matmul": "torch"}
    config, settings = load({"model": widths}), ModelSettings(**widths, **rest)
    network = AttentiveAutoencoder(2000, 4, settings, None)
    weights = sum(each.numel() for each in network.parameters())
    assert check._weights(config, 2000) == pytest.approx(weights, rel=0.02)


def test_what_a_fit_takes_is_told_where_it_is_much():
    assert list(check._memory(load({}), 700)) == []
    (line,) = check._memory(load({}), 100_000)
    assert line.strip() == "a fit takes about 82 GB of memory for 100,000 features"
