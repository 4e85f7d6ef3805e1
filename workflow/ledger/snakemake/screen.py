"""What a run shows while it runs: on a terminal one line that is redrawn, elsewhere short lines.

Snakemake logs what it does as records, each to a handler for standard error and to one for its log
file. A `Screen` stands in the place of the former. It makes its own lines of the records it knows,
and hands on to Snakemake's handler whatever it does not know, and everything once something is not
as expected. Whoever asks Snakemake to be quiet, or to say more, gets Snakemake's own output.
"""

import logging
import os
import re
import secrets
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger import called
from ledger.jobs.results import job_of
from ledger.run import progress, tally
from ledger.run.talk import ERASE
from ledger.shown import shown
from ledger.snakemake.estimate import Running, seconds_left, share_done
from ledger.words import duration, plural

OURS = "DefaultStreamHandler"
"""What Snakemake calls its handler for standard error."""

OFTEN = 0.2
"""Seconds between two drawings of the last line."""

SELDOM = 30.0
"""Seconds between two lines on how far the run is, where there is no terminal."""

SOON = 1.0
"""Seconds until something is drawn before the jobs are known: a run with nothing to do is over."""

PLANS = "Building DAG of jobs"

NOISE = re.compile(
    rf"Config file .* is extended|Assuming unrestricted shared filesystem|{PLANS}|"
    r"Using shell: |Conda environments: ignored|Singularity containers: ignored|"
    r"Group jobs: inactive|Select jobs to execute|Complete log\(s\): |Elapsed time: |"
    r"Removing output files of failed job|Shutting down, this might take some time|"
    r"Migrating \.snakemake folder|Migration complete|"
    r"\d+ jobs have (missing|outdated) provenance/metadata",
    re.DOTALL,
)
"""How records begin that say nothing to who waits for results; the log file has them."""

SILENT = {
    *("workflow_started", "run_info", "job_info", "job_started", "job_finished", "progress"),
    *("group_info", "resources_info", "shellcmd"),
}
"""Events whose records are not handed on."""

BUILDER = "environment"
"""What a job calls itself that builds an environment; all others have manifests."""

LAST_WORDS = re.compile(
    "Exiting because a job execution failed|.*At least one job did not complete"
)
TERMINATING = "Terminating processes on user request"
COMMAND_FAILED = "CalledProcessError"

STOPPED = "stopped; what is finished is kept, and the same command goes on from there"

MEND = "Mend that, and give the same command again: what is finished is kept."

LINES = 12
"""Of an error in more lines the others are in the log."""


@dataclass
class Failure:
    """A job that failed: its name, its logs, and what it has said in them."""

    job: str
    logs: list[str]
    said: list[str]


@dataclass
class Begun:
    """A job that has begun: its name, stage and begin, and how far it has told that it is."""

    job: str
    stage: str
    since: float
    told: dict[str, Any] = field(default_factory=dict)

    def running(self, now: float, unit: str) -> Running:
        """What is known of it for an estimate: how many it has done of what takes it long."""
        of, is_long = self.told.get("of"), self.told.get("unit") == unit
        share = self.told["done"] / of if of and is_long else None
        return Running(self.stage, now - self.since, share)

    def text(self, figure: str | None) -> str:
        """What of it is drawn, such as `gen1/fold0 12/50 F1 0.612`, where `figure` is `F1`."""
        name = "/".join(self.job.split("/")[-2:])
        if not self.told:
            return name
        done, of, unit = (self.told[key] for key in ("done", "of", "unit"))
        far = f"{100 * done / of:.0f} %" if unit == "B" else f"{done}/{of}"
        figures = (f"{k} {v}" for k, v in self.told["figures"].items() if k == figure)
        return " ".join([name, far, *figures])


def take_over(
    workflow, long: Collection[str] = (), unit: str = "step", figure: str | None = None
) -> "Screen | None":
    """Put a screen in the place of Snakemake's handler; None where that one shall stay.

    Where a Snakefile is read again, it is the same one.

    Parameters
    ----------
    workflow : Snakemake's.
    long : the rules whose jobs take long, and about as long as each other's.
    unit : what their progress is counted in; see `ledger.context.Context.progress`.
    figure : which of the figures is drawn that a job's progress is told with.
    """
    from snakemake.logging import logger

    for handler in logger.handlers:
        if isinstance(handler, Screen) and handler.workflow is workflow:
            return handler
    try:
        asked = workflow.output_settings
        own = (asked.quiet, asked.dryrun, asked.printshellcmds, asked.verbose, asked.debug_dag)
        more = (asked.show_failed_logs, asked.log_handler_settings)
        found = [handler for handler in logger.handlers if handler.name == OURS]
        # A module's rules may be given other names.
        long = set(map(workflow.modifier.modify_rulename, long))
        if not workflow.is_main_process or any(own) or any(more) or len(found) != 1:
            return None
    except AttributeError:  # of another Snakemake
        return None
    screen = Screen(found[0], workflow, long, unit, figure)
    logger.removeHandler(found[0])
    logger.addHandler(screen)
    return screen


class Screen(logging.Handler):
    """Snakemake's handler for standard error, quieter.

    Attributes
    ----------
    workflow : Snakemake's, whose run it shows.
    failures : the jobs that have failed, by Snakemake's number.
    was_stopped : whether somebody has pressed Ctrl-C.
    went_wrong : whether an error has been said that is no failed job's.
    """

    def __init__(
        self,
        inner: logging.Handler,
        workflow,
        long: Collection[str] = (),
        unit: str = "step",
        figure: str | None = None,
    ) -> None:
        super().__init__()
        self.failures: dict[object, Failure] = {}
        self.was_stopped = self.went_wrong = False
        self._inner, self.workflow = inner, workflow
        self._long, self._unit, self._figure = long, unit, figure
        self._held: list[logging.LogRecord] = []
        self._unexplained: list[logging.LogRecord] = []
        self._is_run = self._has_begun = self._hands_on_all = self._has_summed = False
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._is_terminal = terminal and os.environ.get("TERM", "dumb") != "dumb"
        self._counts: dict[str, int] = {}
        self._begun: dict[object, Begun] = {}
        self._ended: dict[str, list[float]] = defaultdict(list)
        self._hits = 0
        self._since = self._said_at = time.monotonic()
        self._bar: Any = None
        self._is_over = threading.Event()
        self._mind_ctrl_c()

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a record, and hand it on where it is not known."""
        try:
            is_handed_on = self._hands_on_all or self._take(record)
        except Exception:
            self._stop_drawing()
            os.environ.pop(progress.VARIABLE, None)
            self._hands_on_all = is_handed_on = True
        if is_handed_on:
            self._hand_on(record)

    def say(self, *lines: str) -> None:
        """Lines of one's own, above the one that is drawn."""
        with self.lock, suppress(OSError, ValueError, AttributeError):  # a closed stream
            self._erase()
            sys.stderr.write("".join(f"{shown(line)}\n" for line in lines))
            sys.stderr.flush()

    def sum_up(self) -> None:
        """Say the sentence on the run, once."""
        if not self._has_summed and (line := tally.summary()):
            self.say(line)
        self._has_summed = True

    def ends_well(self) -> bool:
        """Say the last lines of a run, unless it went well; whether it did."""
        if self.was_stopped and not self.failures:
            self.say(f"{called.name()}: {STOPPED}")
            return False
        self.sum_up()
        if self.failures:
            self.say(*of_failures(self.failures.values()))
        return not (self.failures or self.went_wrong)

    def close(self) -> None:
        """Nothing is drawn any more."""
        self._stop_drawing()
        with self.lock:
            for record in [*self._held, *([] if self.was_stopped else self._unexplained)]:
                self._inner.handle(record)
            self._held.clear()
            self._unexplained.clear()
        self._inner.close()
        super().close()

    def _hand_on(self, record: logging.LogRecord) -> None:
        self._erase()
        for held in self._held:
            self._inner.handle(held)
        self._held.clear()
        self._inner.handle(record)

    def _take(self, record: logging.LogRecord) -> bool:
        """Make something of a record; whether it is to be handed on."""
        event, text = str(getattr(record, "event", None)), record.getMessage()
        is_noise = event in SILENT or NOISE.match(text) is not None
        if not self._is_run:
            if event == "workflow_started":
                self._is_run = True
                self._held.clear()
            elif text.startswith(PLANS):
                return True  # it does not run anything then
            elif is_noise:
                self._held.append(record)
            elif record.levelno >= logging.ERROR:
                self._held.clear()
            return not is_noise
        if not self._has_begun:
            self._has_begun = True
            self._begin()
        if event == "run_info":
            rules = record.stats.keys() - {"total"}
            self._counts = {n: record.stats[n] for n in rules if not self._makes_nothing(n)}
            if not self._is_terminal:
                self.say(f"{plural(sum(self._counts.values()), 'job')} to run")
        elif event == "job_info":
            self._start(record)
        elif event == "job_finished":
            self._end(record.job_id)
        elif event == "job_error":
            return self._fail(record.jobid, record.output, record.log)
        elif event == "group_error":
            told = [self._fail(j["jobid"], j["output"], j["log"]) for j in record.job_error_info]
            return all(told)
        elif event == "error":
            return self._is_error(record, text)
        elif text.startswith(f"{called.name()}: error: "):
            self.went_wrong = True
            self.sum_up()
        elif text.startswith(TERMINATING):
            self.was_stopped = True
            return False
        elif LAST_WORDS.match(text):
            return not self.failures and not self.was_stopped
        return not is_noise

    def _begin(self) -> None:
        """Snakemake knows by now what kind of run this is."""
        if self.workflow.touch:
            self._hands_on_all = True
            return
        if self.workflow.local_exec:
            name = (
                f"{called.name()}-{secrets.token_hex(16)}" if self._is_terminal else progress.LINES
            )
            os.environ[progress.VARIABLE] = name
        if self._is_terminal:
            threading.Thread(target=self._draw_on, daemon=True).start()

    def _start(self, record: Any) -> None:
        made = next((path for path in record.output if path.endswith("manifest.json")), None)
        if self._makes_nothing(record.rule_name):
            return
        if made is None:  # no job of ours, and long: an environment is built
            self.say(record.rule_msg or record.rule_name)
        name = job_of(made) if made else record.rule_name
        if not self._begun and not self._ended:
            self._since = time.monotonic()
        self._begun[record.jobid] = Begun(name, record.rule_name, time.monotonic())

    def _makes_nothing(self, rule: str) -> bool:
        """Whether a rule only names what is to be made, as `all` does."""
        return self.workflow.get_rule(rule).norun

    def _end(self, number: object) -> None:
        self.failures.pop(number, None)
        if (job := self._begun.pop(number, None)) is None:
            return
        now = time.monotonic()
        self._ended[job.stage].append(now - job.since)
        is_last = sum(map(len, self._ended.values())) == sum(self._counts.values())
        if not self._is_terminal and now - self._said_at >= SELDOM and not is_last:
            self._said_at = now
            self.say(self._how_far())

    def _fail(self, number: object, output: list[str], logs: list[str]) -> bool:
        """Note a failed job; whether Snakemake's words are needed, since it left none itself."""
        self._begun.pop(number, None)
        if self.was_stopped:
            self._unexplained.clear()
            return False
        made = next((path for path in output if path.endswith("manifest.json")), None)
        name = job_of(made) if made else ", ".join(output)
        said = _said_in(logs, name if made else BUILDER)
        self.failures[number] = Failure(name, logs, said)
        if said and self._begun:
            self.say(f"{name} failed; {plural(len(self._begun), 'other job')} still to end")
        if not said:
            for record in self._unexplained:
                self._hand_on(record)
        self._unexplained.clear()
        return not said

    def _is_error(self, record: logging.LogRecord, text: str) -> bool:
        """Whether an exception is to be shown: not where a failed job is told of instead."""
        if COMMAND_FAILED in text:
            self._unexplained.append(record)  # until it is known what the job has said
            return False
        if LAST_WORDS.match(text.replace("\n", " ")) and (self.failures or self.was_stopped):
            return False
        self.went_wrong = True
        self.sum_up()
        return True

    def _how_far(self) -> str:
        done, of = sum(map(len, self._ended.values())), sum(self._counts.values())
        left = seconds_left(self._share(), time.monotonic() - self._since)
        about = "" if left is None else f", about {duration(left)} left"
        return f"{done} of {plural(of, 'job')} done{about}"

    def _share(self) -> float | None:
        now = time.monotonic()
        running = [job.running(now, self._unit) for job in self._begun.values()]
        return share_done(self._counts, self._ended, running, self._long)

    def _draw_on(self) -> None:
        """Draw, and hear what jobs tell, until all is over; in a thread of its own."""
        ear = None
        with suppress(OSError, KeyError):  # not on Linux, or jobs on a cluster
            ear = progress.Ear(os.environ[progress.VARIABLE])
        drawn = 0.0
        while not self._is_over.is_set():
            facts = ear.hear(OFTEN) if ear else self._is_over.wait(OFTEN)
            now = time.monotonic()
            with self.lock, suppress(Exception):
                if ear and facts:
                    self._learn(facts)
                if now - drawn >= OFTEN and not self._is_over.is_set():
                    drawn = now
                    self._draw()
        if ear:
            ear.close()

    def _learn(self, facts: dict[str, Any]) -> None:
        self._hits += "hit" in facts
        for job in self._begun.values():
            if job.job == facts.get("job"):
                job.told = facts

    def _draw(self) -> None:
        if not self._counts and time.monotonic() - self._since < SOON:
            return
        if self._bar is None:
            self._bar = _bar()
        if not self._counts:
            self._bar.bar_format = "{desc}"
            self._bar.set_description_str(f"planning, {plural(self._hits, 'hit')}", refresh=True)
            return
        running = [shown(job.text(self._figure)) for job in self._begun.values()]
        self._bar.n = self._share() or 0.0
        self._bar.bar_format = "{percentage:3.0f}% |{bar:10}| {desc}"
        self._bar.set_description_str("; ".join([self._how_far(), *running]), refresh=True)

    def _erase(self) -> None:
        if self._bar is not None:
            with suppress(OSError, ValueError):
                sys.stderr.write(ERASE)
                sys.stderr.flush()

    def _stop_drawing(self) -> None:
        with self.lock:
            self._is_over.set()
            self._erase()
            self._bar = None

    def _mind_ctrl_c(self) -> None:
        """Have Ctrl-C noticed before jobs end by it, and no traceback for it."""
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            return
        show = sys.excepthook

        def stop(*_: object) -> None:
            self.was_stopped = True
            raise KeyboardInterrupt

        def complain(kind, error, trace) -> None:
            if not issubclass(kind, KeyboardInterrupt):
                show(kind, error, trace)

        with suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGINT, stop)
            sys.excepthook = complain


def of_failures(failures: Iterable[Failure]) -> Iterator[str]:
    """What to say after jobs have failed."""
    found = {failure.job: failure for failure in failures}
    yield f"{called.name()}: {plural(len(found), 'job')} failed"
    for job, failure in found.items():
        yield from failure.said[:LINES] or [f"ERROR {job}: what it said is above, and in its log"]
        if failure.logs:
            yield f"  log: {', '.join(failure.logs)}"
    yield MEND


def _bar() -> Any:
    """A bar of tqdm's that draws only when told to, and starts no thread."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())
    return tqdm(total=1.0, file=sys.stderr, leave=False, dynamic_ncols=True, delay=1e9)


def _said_in(logs: list[str], job: str) -> list[str]:
    """The last error that a job has written to its log, none where it did not come to that."""
    for log in logs:
        with suppress(OSError, ValueError):
            lines = Path(log).read_text().splitlines()
            starts = [at for at, line in enumerate(lines) if line.startswith(f"ERROR {job}: ")]
            if starts:
                return lines[starts[-1] :]
    return []
