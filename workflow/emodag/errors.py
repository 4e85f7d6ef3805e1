"""The errors a user can cause, each reported as one message and never as a traceback."""


class EmodagError(Exception):
    """Something a user can mend: says what was expected, what was found, where, and what to do."""


class InputError(EmodagError):
    """The data cannot be used: names the file, and the column and row where known."""


class ConfigError(EmodagError):
    """The configuration is wrong: names the key and what was expected of it."""


class EnvironmentMismatch(EmodagError):
    """The running environment is not the one that was planned."""


class DivergenceError(EmodagError):
    """A fit's loss is no longer a number."""


class IntegrityError(EmodagError):
    """An artifact, manifest, plan or store object is damaged and cannot be restored."""
