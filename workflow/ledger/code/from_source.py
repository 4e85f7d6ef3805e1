"""Import a stage and all that it can reach from source files, whatever bytecode lies beside them.

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
from types import ModuleType

from ledger.code.closure import has_templates
from ledger.errors import UserError


def import_stage(module: str, closure: Iterable[str]) -> ModuleType:
    """Import a stage's module, and all it may import of its package and this one, from source.

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
