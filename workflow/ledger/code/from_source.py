"""Import a stage and all that it can reach as the source files are, whatever bytecode lies there.

Python takes bytecode for that of a source file whose size and second of modification it bears. An
edit within a second of another one, or one whose file gets its old time back, would run the code
from before under the key of the code from after. So would an import while the stage runs: of a file
that was edited since its job was planned.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from py_compile import PycInvalidationMode, PyCompileError, compile
from types import ModuleType

from ledger.code.closure import has_templates
from ledger.errors import UserError

BY_HASH = PycInvalidationMode.CHECKED_HASH


def import_stage(module: str, closure: Iterable[str]) -> ModuleType:
    """Import a stage's module, and all it may import of its package and this one, as they now are.

    Parameters
    ----------
    closure : names of the modules that it may import, at once or while it runs.

    Raises
    ------
    UserError
        When there is no such module.
    """
    finder = _Finder((module.partition(".")[0], __name__.partition(".")[0]))
    sys.meta_path.insert(0, finder)
    try:
        stage = importlib.import_module(module)
        for name in closure:
            # The stage need not import it, and meets the same error if it does.
            with contextlib.suppress(Exception, SystemExit):
                importlib.import_module(name)
        return stage
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UserError(f"{module}: no such stage.") from None
    finally:
        sys.meta_path.remove(finder)


def all_read(closure: Iterable[str]) -> bool:
    """Whether a stage can read none of its code while it runs, as it has all of it.

    A template is read when it is needed, and a module that failed to be imported may be imported
    again.
    """
    return sys.modules.keys() >= set(closure) and not has_templates(closure)


class _Loader(SourceFileLoader):
    """Takes bytecode only where its source has the hash that it tells (PEP 552), and makes such."""

    def path_stats(self, path: str) -> dict:
        """A time that no other bytecode tells of its source."""
        return {"mtime": -1, "size": None}

    def _cache_bytecode(self, source_path: str, bytecode_path: str, data: bytes) -> None:
        with contextlib.suppress(OSError, PyCompileError):
            compile(source_path, bytecode_path, doraise=True, invalidation_mode=BY_HASH)


class _Finder:
    """Finds the modules of some packages where they are, and has them loaded as they now are."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        """As Python's own finder."""
        if name.partition(".")[0] not in self._packages:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec
