"""The code a stage really runs, as a digest that formatting and comments cannot move.

From the stage's module, imports are followed to every module of its package and of this one; each
is parsed, its docstrings dropped, and its syntax tree written down without positions. Two modules
with the same digest compile to the same behaviour; an edited helper changes the digest of exactly
the stages that can reach it. Templates that lie in a package's directory count with the package.
What only a type checker imports is not followed. Dynamic imports are invisible, so stages use none.
"""

import ast
import contextlib
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ledger.disk.canonical import file_sha256
from ledger.disk.documents import keep, recall
from ledger.errors import UserError

LEDGER = Path(__file__).resolve().parents[1]
UNCOUNTED = {"ledger.context", "ledger.errors", "ledger.shown"}
"""What a stage may ask for, and how errors are called and shown, are in no output."""

TEMPLATES = (".html", ".css", ".js")
TYPES_ONLY = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PARSER = sys.version.encode() + Path(__file__).read_bytes()


def code_closure(module: str, memory: Path | None = None) -> dict[str, str]:
    """Digest by module name, for `module` and every first-party module it can import.

    Parameters
    ----------
    module : dotted name inside a package, such as ``words.count``.
    memory : file in which `Modules` may have remembered what was parsed.

    Raises
    ------
    SyntaxError
        Naming file and line, when a module does not parse.
    """
    return Modules(memory).closure(module)


def has_templates(names: Iterable[str]) -> bool:
    """Whether templates count for any of some modules of a closure: a stage may read them late."""
    files = (_module_file(name, package_root(name)) for name in names)
    return any(map(_template_files, filter(None, files)))


@cache
def package_root(module: str) -> Path:
    """The directory of the package that a module is in, which is not imported for that.

    Raises
    ------
    UserError
        When there is no such package.
    """
    package = module.partition(".")[0]
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise UserError(f"{module}: there is no package {package!r} to import it from")
    return Path(found.submodule_search_locations[0]).resolve()


class Modules:
    """The modules of a package as they are now, each read once, and parsed only when it is new.

    What parsing found is remembered in a file by the sha256 of what was parsed, this parser
    included, so that it cannot be out of date.

    Parameters
    ----------
    memory : file to remember in; None remembers nothing.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known = recall(memory) if memory else {}
        self._found: dict[tuple[str, Path], tuple[str, list[str]] | None] = {}
        self._used: dict[str, Any] = {}
        self._is_new = False

    def closure(self, module: str) -> dict[str, str]:
        """As `code_closure`."""
        found: dict[str, str] = {}
        root = package_root(module)
        queue = [module]
        while queue:
            name = queue.pop()
            if name not in found and (parsed := self._parse(name, root)):
                found[name], imports = parsed
                queue.extend(imports)
        return dict(sorted(found.items()))

    def remember(self) -> None:
        """Write down what was parsed, if any of it is new."""
        if self._memory and self._is_new:
            with contextlib.suppress(OSError):  # it only saves work
                keep(self._memory, self._used)

    def _parse(self, name: str, root: Path) -> tuple[str, list[str]] | None:
        """A module's digest and what it may import; None for anything else."""
        if name in UNCOUNTED:
            return None
        if (name, root) not in self._found:
            path = _module_file(name, root)
            self._found[name, root] = path and self._parse_file(path, name)
        return self._found[name, root]

    def _parse_file(self, path: Path, name: str) -> tuple[str, list[str]]:
        text = path.read_bytes()
        is_package = path.name == "__init__.py"
        beside = _templates(path)
        asked = hashlib.sha256(
            b"\0".join([_PARSER, f"{name} {is_package}".encode(), beside, text])
        ).hexdigest()
        if asked not in self._known:
            self._is_new = True
            self._known[asked] = _parsed(path, name, text, beside)
        self._used[asked] = self._known[asked]
        return self._known[asked]


@cache
def _parsed(path: Path, name: str, text: bytes, beside: bytes) -> tuple[str, list[str]]:
    """The digest of a module with this text and these templates, and what it may import."""
    tree = ast.parse(text, filename=str(path))
    imports = _imports(tree, name, is_package=path.name == "__init__.py")
    digest = hashlib.sha256(repr(_skeleton(tree)).encode() + beside).hexdigest()
    return digest, sorted(set(imports))


def definitions(module: str) -> tuple[str, dict[str, str]] | None:
    """A module's digest as in `code_closure`, and a short digest by each definition in it.

    Definitions are named as people call them: ``function fit``, ``method Bar.update``,
    ``class Bar`` (all of it but its methods), ``constant LIMIT``, ``imports``, ``templates``. None
    where there is no such module.
    """
    path = _module_file(module, package_root(module))
    if path is None:
        return None
    text, beside = path.read_bytes(), _templates(path)
    parts: dict[str, list] = {}
    for name, node in _definitions(ast.parse(text, filename=str(path))):
        parts.setdefault(name, []).append(_skeleton(node))
    if beside:
        parts["templates"] = [beside]
    return _parsed(path, module, text, beside)[0], {
        name: hashlib.sha256(repr(nodes).encode()).hexdigest()[:16] for name, nodes in parts.items()
    }


def _template_files(module: Path) -> list[Path]:
    """The templates beside a package's `__init__`, sorted; none for other modules."""
    beside = module.parent.iterdir() if module.name == "__init__.py" else ()
    return sorted(path for path in beside if path.suffix in TEMPLATES)


def _templates(module: Path) -> bytes:
    """Names and digests of a package's templates."""
    found = _template_files(module)
    return b"".join(path.name.encode() + file_sha256(path).encode() for path in found)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Name and syntax tree of everything a module defines; a name may come up more than once."""
    for node in tree.body[1:] if _has_docstring(tree) else tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield f"function {node.name}", node
            case ast.ClassDef():
                methods = [n for n in node.body if isinstance(n, FUNCTIONS)]
                yield from ((f"method {node.name}.{n.name}", n) for n in methods)
                rest = [n for n in node.body if n not in methods]
                yield f"class {node.name}", [node.bases, node.keywords, node.decorator_list, rest]
            case ast.Import() | ast.ImportFrom():
                yield "imports", node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield f"constant {name}", node
            case _:
                yield "statements outside of functions", node


def _module_file(name: str, root: Path) -> Path | None:
    """The file of a first-party module, or None for anything else (an attribute, a library)."""
    package, *rest = name.split(".")
    base = {LEDGER.name: LEDGER, root.name: root}.get(package)
    if base is None:
        return None
    base = base.joinpath(*rest)
    for candidate in (base / "__init__.py", base.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _imports(tree: ast.AST, name: str, *, is_package: bool) -> Iterator[str]:
    """Every dotted name the module may import, its own parent packages included."""
    parts = name.split(".")
    yield from (".".join(parts[:n]) for n in range(1, len(parts)))
    for node in _at_run_time(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = parts if is_package else parts[:-1]
                anchor = anchor[: len(anchor) - (node.level - 1)]
                base = ".".join([*anchor, base]) if base else ".".join(anchor)
            yield base
            # `from package import name` may name a module.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that is no expression, but those that only a type checker comes to."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) in TYPES_ONLY:
            waiting += node.orelse
        else:
            parts = ast.iter_child_nodes(node)
            waiting += [part for part in parts if not isinstance(part, ast.expr)]


def _skeleton(node: object) -> object:
    """A syntax tree as nested tuples without positions, docstrings and empty fields.

    Empty fields are left out because Python versions add fields (`type_params` in 3.12) that old
    code leaves empty: the digest is then the same on every Python that can run the project.
    """
    if isinstance(node, ast.AST):
        fields = []
        for field in node._fields:
            value = getattr(node, field, None)
            if value is None or value == []:
                continue
            if field == "body" and _has_docstring(node):
                value = value[1:] or [ast.Pass()]
            fields.append((field, _skeleton(value)))
        return (type(node).__name__, tuple(fields))
    if isinstance(node, list):
        return tuple([_skeleton(item) for item in node])
    return (type(node).__name__, repr(node))


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(
        node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    ) and (ast.get_docstring(node, clean=False) is not None)
