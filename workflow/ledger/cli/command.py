"""The command line of a workflow: the verbs of this package, and those that it adds."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, TextIO

from ledger import called
from ledger.cli.printing import complain, drop, stand_in_for_closed_streams
from ledger.errors import UserError
from ledger.jobs.workflow import Application
from ledger.shown import shown

VERBS = (
    "ledger.cli.why",
    "ledger.cli.lineage",
    "ledger.cli.verify",
    "ledger.cli.audit",
    "ledger.cli.diff",
    "ledger.cli.cost",
    "ledger.cli.pack",
    "ledger.cli.push",
    "ledger.cli.pull",
    "ledger.cli.store",
    "ledger.cli.gc",
    "ledger.cli.environment",
    "ledger.cli.run",
)
"""The modules with the verbs of this package, each of which is called as its verb is."""


def main(
    application: Application, verbs: Sequence[str] = VERBS, arguments: list[str] | None = None
) -> int:
    """Parse the command line and carry it out; returns the exit status.

    Parameters
    ----------
    application : whose command line it is.
    verbs : names of the modules with its verbs, in the order in which they are listed; each has a
        function `add`, which adds its verb to what `argparse` calls subparsers.
    arguments : the words behind the command's name; by default this process's.
    """
    stand_in_for_closed_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    # One is imported where one is asked for: a job would wait for all others.
    chosen = [name for name in verbs if name.rpartition(".")[2] in arguments[:1]]
    failure = 1
    try:
        options = parser(application, chosen or verbs).parse_args(arguments)
        failure = options.failure
        status = options.verb(options)
    except SystemExit as asked:  # for help, or by a mistake
        status = asked.code
    except BrokenPipeError:
        status = 0
    except (UserError, OSError) as error:
        complain(f"error: {error}")
        status = failure
    except KeyboardInterrupt:  # ends as by the signal, without a traceback
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return _finish(status, failure)


def _finish(status: int, failure: int) -> int:
    """The exit status: `failure` where what was said could not be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)  # the reader, such as `head`, has seen enough
    except OSError as error:
        complain(f"error: standard output: {error.strerror}")
        drop(sys.stdout)
        status = failure
    try:
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)
    return status


class Parser(argparse.ArgumentParser):
    """A parser whose complaints, which quote the command line, steer no terminal."""

    def print_help(self, file: TextIO | None = None) -> None:
        (file or sys.stdout).write(self.format_help())  # argparse would hide that this failed

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def parser(application: Application, modules: Sequence[str]) -> argparse.ArgumentParser:
    """The command line's parser; parameters as in `main`."""
    name = called.name()
    made = Parser(prog=name, description=f"{name} VERB --help tells about each verb.")
    if application.version:
        told = f"{name} {application.version}"
        made.add_argument("--version", action="version", version=told)
    made.set_defaults(failure=1, application=application)
    verbs = made.add_subparsers(required=True, metavar="VERB")

    for module in modules:
        import_module(module).add(verbs)
    return made
