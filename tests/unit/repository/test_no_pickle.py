"""No artifact is ever read in a way that could run code."""

import ast
from pathlib import Path

import pytest

import emodag

WORKFLOW = Path(emodag.__file__).parents[1]
MODULES = {
    *("pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"),
    *("jsonpickle", "pandas.read_pickle", "torch.load", "torch.jit", "numpy.load"),
}
NAMES = {"read_pickle", "to_pickle", "allow_pickle", "unsafe_load", "full_load"}
CALLS = {"eval", "exec", "torch.load", "np.load", "numpy.load", "yaml.load"}


def suspects(tree):
    """Every name in a syntax tree that belongs to unpickling or to running text as code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            yield from names & MODULES
        elif isinstance(node, ast.Attribute | ast.Name | ast.keyword):
            name = getattr(node, "attr", None) or getattr(node, "id", None) or node.arg
            if name in NAMES or ast.unparse(node) in CALLS:
                yield name


def test_a_module_neither_unpickles_nor_evaluates():
    found = {path: list(suspects(ast.parse(path.read_text()))) for path in WORKFLOW.rglob("*.py")}
    assert found and {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "text",
    [
        *("import pickle", "from joblib import load", "torch.load(path)", "pd.read_pickle(path)"),
        *("np.load(path, allow_pickle=True)", "from torch import load", "yaml.load(text)"),
        *("import marshal", "eval(text)"),
    ],
)
def test_the_search_finds_what_it_is_for(text):
    assert list(suspects(ast.parse(text)))
