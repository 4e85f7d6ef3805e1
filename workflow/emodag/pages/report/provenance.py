"""Where all this comes from, and how to get it again."""

from typing import Any

from emodag.pages.page_parts import Commands, Files, Section, Table, file_link
from emodag.pages.report.run import Run
from ledger.kinds.digest import logical_digest

DIGESTED = (
    "table/train.parquet",
    "table/train_rows.parquet",
    "table/test_rows.parquet",
    "folds/folds.parquet",
    "scores.csv",
    "leaderboard.csv",
    "submission.csv",
)
"""What the run is recognised by."""

RESULTS = ("scores.csv", "leaderboard.csv", "variants.csv")
"""What the page holds as files."""

COMMANDS = """\
# the run again; only what is not in the store is computed
snakemake -c8 results/report.html --configfile results/configuration.yaml
# every job behind this page, with its key, digests, environment and commit
python -m emodag lineage report.html --json
# time, memory and hits, stage by stage
python -m emodag cost
# whether results and store are what they claim to be
python -m emodag verify"""


def section(run: Run) -> Section:
    """Digests, environment, settings and commands."""
    text = (
        "Everything here follows from the inputs, the settings, the code and the environment; two "
        "builds of this page from them are the same to the last byte. Times, memory, hits and the "
        "commit may differ between such builds, so they are not part of the page but of the "
        "provenance records beside the results, which `results/index.html` shows, job by job. "
        "`configuration.yaml` beside this page is its whole configuration; a run with another one "
        "sets both aside, into `results/earlier`."
    )
    blocks = [text, Commands(COMMANDS), _files(run), *_raw(run), _digests(run)]
    blocks += [_environment(run), _settings(run)]
    return Section("provenance", "Provenance, and how to reproduce this", blocks)


def _files(run: Run) -> Files:
    names = [name for name in RESULTS if name in run.inputs]
    files = [file_link(name, run.inputs[name].read_text(encoding="utf-8"), name) for name in names]
    return Files("The tables that this page is made from:", files)


def _raw(run: Run) -> list[Table]:
    rows = [[name, sha256] for name, sha256 in run.params.get("cited", {}).items()]
    note = "As they were read; the bytes of the files."
    return [Table("Tables", ["File", "sha256"], rows, note)] if rows else []


def _digests(run: Run) -> Table:
    rows = [[role, logical_digest(run.inputs[role])] for role in DIGESTED if role in run.inputs]
    note = "Of the content, whatever wrote the file: equal digests, equal values to the last bit."
    return Table("Digests", ["Artifact", "logical digest"], rows, note)


def _environment(run: Run) -> Table:
    found = run.params["environments"][run.params["environment"]]
    rows = [[name, version] for name, version in found["requires"].items()]
    rows += [[name, _shown(value)] for name, value in found["variables"].items()]
    rows += [["threads of a job", str(found["threads"])], ["device", found["device"]]]
    return Table(f"Environment “{run.params['environment']}”", ["What", "as required"], rows)


def _settings(run: Run) -> Table:
    seen = ("protocols", "seeds", "folds", "generations")
    found = {name: run.params[name] for name in seen} | run.params["settings"]
    rows = [[name, _shown(value)] for name, value in found.items() if value is not None]
    return Table("Settings", ["Key of the configuration", "value"], rows)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
