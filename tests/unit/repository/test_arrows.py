"""The rooms of the two packages, and which may import which: in one direction, without a circle."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parents[3] / "workflow"

ALLOWED = {
    "ledger": "",
    "ledger.disk": "ledger",
    "ledger.machine": "ledger ledger.disk",
    "ledger.code": "ledger ledger.disk",
    "ledger.kinds": "ledger.disk",
    "ledger.jobs": "ledger ledger.disk ledger.machine ledger.code",
    "ledger.store": "ledger ledger.disk ledger.machine ledger.jobs",
    "ledger.remote": "ledger ledger.disk ledger.jobs ledger.store",
    "ledger.environments": "ledger ledger.disk ledger.machine ledger.code ledger.jobs",
    "ledger.run": "ledger ledger.disk ledger.machine ledger.code ledger.kinds ledger.jobs "
    "ledger.store ledger.remote",
    "ledger.compare": "ledger ledger.disk ledger.machine ledger.kinds ledger.jobs ledger.store",
    "ledger.ask": "ledger ledger.disk ledger.machine ledger.kinds ledger.jobs ledger.store "
    "ledger.environments ledger.run ledger.compare",
    "ledger.snakemake": "ledger ledger.disk ledger.code ledger.jobs ledger.store ledger.remote "
    "ledger.run ledger.environments",
    "ledger.cli": "ledger ledger.disk ledger.machine ledger.code ledger.jobs ledger.store "
    "ledger.remote ledger.run ledger.environments ledger.compare ledger.ask ledger.snakemake",
    "emodag.config": "ledger ledger.disk ledger.store ledger.remote ledger.snakemake",
    "snakemake_report_plugin_emodag": "ledger ledger.snakemake",
    "emodag.science": "ledger ledger.disk",
    "emodag.pages": "ledger ledger.kinds ledger.compare emodag.science",
    "emodag.stages": "ledger ledger.machine ledger.kinds ledger.compare emodag.science "
    "emodag.pages",
    "emodag.chain": "ledger ledger.disk ledger.code ledger.jobs ledger.remote emodag.config "
    "emodag.science emodag.stages",
    "emodag.terminal": "ledger ledger.jobs ledger.run emodag.config emodag.chain emodag.pages",
    "emodag.verbs": "ledger ledger.disk ledger.machine ledger.jobs ledger.store ledger.run "
    "ledger.environments ledger.snakemake ledger.cli ledger.compare emodag.config emodag.chain "
    "emodag.science emodag.pages emodag.stages emodag.terminal",
    "emodag": "ledger ledger.jobs ledger.environments ledger.snakemake ledger.cli emodag.config "
    "emodag.chain emodag.terminal emodag.verbs",
}
"""What each room may import, besides itself; a room stands below those that name it."""

MODULES = {
    ".".join(path.relative_to(WORKFLOW).with_suffix("").parts).removesuffix(".__init__"): path
    for path in WORKFLOW.rglob("*.py")
}


def room(module: str) -> str:
    """The package's directory that a module is in, or the package itself."""
    first = module.split(".")[:2]
    return ".".join(first) if WORKFLOW.joinpath(*first).is_dir() else first[0]


def imported(path: Path) -> Iterator[str]:
    """Our modules that a file imports, wherever in it that stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_room_is_in_the_table_and_no_other():
    assert {room(name) for name in MODULES} == set(ALLOWED)


def test_the_table_has_no_circle():
    below: set[str] = set()
    for name, allowed in ALLOWED.items():
        assert set(allowed.split()) <= below, name
        below.add(name)


def test_a_module_imports_only_what_its_room_may():
    for name, path in MODULES.items():
        own = room(name)
        found = {room(other) for other in imported(path) if other in MODULES}
        others = found - {own, *ALLOWED[own].split()}
        assert not others, f"{name}: {others}"


def test_the_ledger_needs_little():
    """The standard library, NumPy and pyarrow, and what only some of its rooms are for."""
    tensors = {"safetensors", "torch"}
    special = {
        "ledger.kinds": tensors,
        "ledger.compare": tensors,
        "ledger.machine": tensors,
        "ledger.run": {"safetensors", "tqdm"},
        "ledger.store": {"threadpoolctl"},
        "ledger.remote": {"obstore", "asyncssh", "cryptography"},
        "ledger.snakemake": {"yaml", "snakemake", "snakemake_interface_executor_plugins", "tqdm"},
    }
    for name, path in MODULES.items():
        if name.startswith("ledger"):
            allowed = {*sys.stdlib_module_names, "ledger", "numpy", "pyarrow"}
            allowed |= special.get(room(name), set())
            others = {other.partition(".")[0] for other in imported(path)} - allowed
            assert not others, f"{name}: {others}"
