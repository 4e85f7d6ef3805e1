"""The errors a user can cause, each reported as one message and never as a traceback."""

from ledger.shown import shown


class UserError(Exception):
    """Something a user can mend: says what was expected, what was found, where, and what to do.

    Each argument is one line of the message. Names in it come from files, so wherever it is
    printed, by Snakemake too, nothing in it steers a terminal.
    """

    def __str__(self) -> str:
        return "\n".join(shown(str(line)) for line in self.args)


class InputError(UserError):
    """The data cannot be used: names the file, and the column and row where known."""


class ConfigError(UserError):
    """The configuration is wrong: names the key and what was expected of it."""


class EnvironmentMismatch(UserError):
    """The running environment is not the one that was planned."""


class DivergenceError(UserError):
    """A fit's loss is no longer a number."""


class IntegrityError(UserError):
    """An artifact, manifest, plan or store object is damaged and cannot be restored."""
