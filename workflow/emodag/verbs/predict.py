"""`emodag predict TABLE`: the classes of rows that came after the run, by its models."""

import argparse
import contextlib
import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ledger.cli.places import file_to_write
from ledger.cli.printing import tell
from ledger.disk.canonical import digest

NAME = re.compile(r"[^\w.-]+")
"""What of a file's path is left out of a directory's."""

ENDING = re.compile(r"\.\w+(\.(gz|bz2|xz|zst|zip))?$")
"""The ending of a file, which is left out, too."""

MARKED = re.compile(r"-[0-9a-f]{12}$")
"""What the name of predictions ends in that a table's path alone would not tell apart."""

MANY = 20
"""More persons than this are counted, not listed."""


def add(verbs) -> None:
    """Add the verb to the command line."""
    predict = verbs.add_parser(
        "predict",
        help="predict the rows of a table that came after the run",
        description="Predict the classes of a table's rows by the models behind "
        "results/submission.csv: their scalers, weights and class boost. The table is read like "
        "the test table; columns that are no features are left out. Says how far each person is "
        "from the training persons.",
    )
    predict.add_argument(
        "tables",
        nargs="+",
        type=Path,
        metavar="TABLE",
        help="a table of any kind that data.test can be; several files are one table",
    )
    predict.add_argument(
        "--out",
        type=file_to_write,
        metavar="FILE",
        help="write the predictions here too (they are in results/predictions/NAME: later for "
        "later.csv; of any other path, of several files and with --of, NAME ends in digits of its "
        "own)",
    )
    predict.add_argument(
        "--of",
        metavar="VARIANT",
        help="by the models of this variant in place of those behind results/submission.csv",
    )
    predict.set_defaults(verb=_predict)


def _predict(options: argparse.Namespace) -> int:
    from emodag.chain.chain import positions_of_numbers
    from emodag.config.raw_files import raw_files
    from emodag.verbs.last_run import LastRun, person_column
    from ledger.disk.atomic import read_bytes, write_bytes
    from ledger.disk.sources import refuse_raw
    from ledger.environments.interpreters import Interpreters
    from ledger.errors import InputError, UserError
    from ledger.jobs.job import RESULTS
    from ledger.run.forking import enter
    from ledger.run.runner import run
    from ledger.run.talk import Talk
    from ledger.store.place import asked_store
    from ledger.store.roots import register
    from ledger.store.store import Store

    files = [str(table) for table in options.tables]
    for path in raw_files(files):
        if not Path(path).exists():
            raise InputError(f"{path}: is not there; name the table whose rows are to be predicted")
    name = _name(files, options.of)
    last = LastRun.read(options.of, lambda chain: chain.predict(name, files, person_column(chain)))
    job = last.workflow.jobs[f"predictions/{name}"]
    if options.out:
        origins = (origin for job in last.workflow.jobs.values() for origin in job.inputs.values())
        refuse_raw(options.out, [origin for origin in origins if isinstance(origin, str)])
    last.require(job.inputs.values())
    plan = last.planner.plan(job.name)
    os.environ["PYTHONPATH"] = str(last.workflow.root / "workflow")
    Interpreters(last.workflow).export()
    enter(plan.environment)
    store = Store(Path(asked_store() or last.workflow.store))
    run(
        plan,
        plan.environment.fingerprint(),
        store,
        Talk(job.name, Path(job.directory) / f"{job.stage}.log"),
        checkpoint_every=1,
        workers=os.cpu_count() or 1,
    )
    with contextlib.suppress(UserError, OSError):  # a store that we may only read
        register(store, Path(RESULTS))
    made = Path(job.path("predictions.csv"))
    if options.out:
        write_bytes(options.out, read_bytes(made))
    tell(*_lines(made, Path(job.path("persons.csv"))), f"written: {options.out or made}")
    if told := positions_of_numbers(last.config):
        tell(f"NOTE {told}")
    return 0


def _name(tables: list[str], of: str | None) -> str:
    """What the predictions of some files, by the models of a variant, are called.

    No others are called so: a digest follows, but for the one file NAME.csv, which gives NAME.
    """
    name = NAME.sub("_", ENDING.sub("", tables[0])).strip("._") or "table"
    if (tables, of) == ([f"{name}.csv"], None) and not MARKED.search(name):
        return name
    # The end of a path tells most, and a directory's name may have 255 bytes.
    return f"{name[-50:]}{f'_of_{of[-20:]}' if of else ''}-{digest([tables, of])[:12]}"


def _lines(predictions: Path, persons: Path) -> Iterator[str]:
    """How many rows of each class, and whether the persons are like, or are, those of training."""
    from emodag.science.tables.spelling import skeleton
    from emodag.science.tables.suspicions.names import are
    from emodag.science.tables.table import listed

    with predictions.open(newline="", encoding="utf-8") as stream:
        heads, *rows = csv.reader(stream)
    counts = Counter(row[1] for row in rows)
    told = ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts))
    yield f"{len(rows):,} rows predicted; {heads[1]}: {told}"
    with persons.open(newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    known = sorted(float(row["distance"]) for row in found if row["table"] == "training")
    yield (
        "distance from the training persons, each of whom is "
        f"{known[0]:.2f} to {known[-1]:.2f} from the others:"
    )
    new = [row for row in found if row["table"] == "new"]
    for row in sorted(new, key=lambda row: -float(row["distance"]))[:MANY]:
        distance = float(row["distance"])
        nearer = sum(one < distance for one in known)
        far = f"farther than {nearer} of {len(known)}"
        who = f"person {row['person']}" if row["person"] else "the whole table"
        yield f"  {who}: {distance:.2f}, {far}"
    if len(new) > MANY:
        yield f"  and {len(new) - MANY} nearer ones, see {persons}"
    learnt = {skeleton(row["person"]) for row in found if row["table"] == "training"}
    both = [row["person"] for row in new if row["person"] and skeleton(row["person"]) in learnt]
    if both:
        yield (
            f"NOTE {listed(both)} {are(len(both))} in the training table too: how these rows are "
            "predicted says nothing of people not seen"
        )
