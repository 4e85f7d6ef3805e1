"""Import a stage from its source files, whatever bytecode lies beside them.

Python takes bytecode for that of a source file whose size and second of modification it bears. An
edit within a second of another one, or one whose file gets its old time back, would run the code
from before under the key of the code from after.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

from ledger.errors import UserError


def import_stage(module: str) -> ModuleType:
    """Import a module, and those of its package and this one, by compiling their source.

    Raises
    ------
    UserError
        When there is no such module.
    """
    finder = _Finder((module.partition(".")[0], __name__.partition(".")[0]))
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UserError(f"{module}: no such stage.") from None
    finally:
        sys.meta_path.remove(finder)


class _Loader(SourceFileLoader):
    """Neither reads nor writes bytecode."""

    def path_stats(self, path: str) -> dict:
        """Python's way to say that a source file's bytecode cannot be judged."""
        raise OSError(f"{path}: no bytecode wanted")


class _Finder:
    """Finds the modules of some packages where they are, and has them loaded from source."""

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
