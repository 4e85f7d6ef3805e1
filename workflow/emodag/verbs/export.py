"""`emodag export DIRECTORY`: the models of the last run as files that need no emodag."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.printing import tell

if TYPE_CHECKING:
    import numpy as np

    from emodag.config.sections import Config
    from emodag.verbs.last_run import LastRun

CARD = """\
# An emodag model

{persons} training persons, {rows:,} labelled rows, {features:,} features.
Classes: {names}.

{members} networks (attentive denoising autoencoders), {generation} under the protocol
`{protocol}`, whose probabilities are averaged. Class boost: {boost}.

## Score

{scores}
A score says what to expect of persons who are like those of training, recorded in the same way;
`emodag predict` says how far a new person is from these.

## Use

    python load.py TABLE.csv > predictions.csv

The table needs the features of `model.json` under their names{and_persons}; what else it has is not
read.
`model.safetensors` holds the weights of each network, and the quantiles and medians that its
features are scaled with. There is no pickle in it.

## Made from

| | |
|---|---|
{made_from}
"""

UNSCORED = "- not scored on held-out persons"


def add(verbs) -> None:
    """Add the verb to the command line."""
    export = verbs.add_parser(
        "export",
        help="write the models of the last run as files that need no emodag",
        description="Write the models behind results/submission.csv into a directory: weights and "
        "scalers, the names of features and classes, a model card, and a short Python file that "
        "predicts with them.",
    )
    export.add_argument("directory", type=Path, metavar="DIR", help="a new or empty directory")
    export.add_argument(
        "--of",
        metavar="VARIANT",
        help="the models of this variant in place of those behind results/submission.csv",
    )
    export.set_defaults(verb=_export)


def _export(options: argparse.Namespace) -> int:
    from safetensors.numpy import save

    from emodag.chain.chain import KINDS
    from emodag.terminal.command import command
    from emodag.verbs.last_run import LastRun
    from ledger.disk.atomic import read_bytes, write_bytes
    from ledger.errors import InputError
    from ledger.jobs.job import RESULTS
    from ledger.jobs.results import verified
    from ledger.snakemake.beginning import CONFIGURATION

    directory = options.directory
    if directory.exists() and any(directory.iterdir()):
        raise InputError(f"{directory}: is not empty; name another directory")
    last = LastRun.read(options.of)
    if last.config.training.adapt != "none":
        raise InputError(
            "`training.adapt` normalises by all rows of a person, which the exported load.py does "
            "not do; use `emodag predict`, with --of where the submission is a vote"
        )
    artifacts = last.models
    last.require(artifacts.values())
    files = {
        role: verified(Path(last.workflow.jobs[job].manifest), file)
        for role, (job, file) in artifacts.items()
    }
    tensors, model = _tensors(files, KINDS[last.config.scheme]), _model(last, files)
    card = _card(last, files, model)
    last.require(artifacts.values())  # again: a run may have put others there meanwhile
    tell(f"{len(tensors)} arrays of {len(model['scalers'])} networks and their scalers")
    written = {
        "model.safetensors": save(tensors),
        "model.json": (json.dumps(model, indent=1, ensure_ascii=False) + "\n").encode(),
        "load.py": read_bytes(Path(__file__).with_name("exported.py")),
        "README.md": card.encode(),
    }
    for name, content in written.items():
        write_bytes(directory / name, content)
        tell(f"written: {directory / name} ({len(content):,} bytes)")
    if UNSCORED in card:
        again = command(f"{RESULTS}/{last.chain.at}scores.csv", "--configfile", str(CONFIGURATION))
        tell(f"NOTE README.md has no score on held-out persons, which {again} makes")
    return 0


def _tensors(files: Mapping[str, Path], kind_of_folds: str) -> dict[str, "np.ndarray"]:
    """Weights as `fold0.norm.weight`, scalers as `all.quantiles` (q, p) and `all.medians` (p,)."""
    import numpy as np
    import pyarrow.parquet as pq
    from safetensors.numpy import load_file

    from emodag.science.folds import held_out
    from emodag.science.scaling import median
    from emodag.science.tables.matrices import read_column, read_columns

    train = pq.ParquetFile(files["train"])
    folds = read_columns(files["folds"]) if "folds" in files else None
    found = {}
    for role, path in files.items():
        kind, _, part = role.partition("/")
        if kind == "weights":
            found |= {f"{part}.{name}": array for name, array in load_file(path).items()}
        elif kind == "quantiles":
            rows = slice(None)
            if folds is not None:
                rows = ~held_out(folds, kind_of_folds, int(part.removeprefix("fold")))
            names = train.schema_arrow.names
            columns = (read_column(train, name)[rows] for name in names)
            found[f"{part}.medians"] = np.array([median(column) for column in columns])
            found[f"{part}.quantiles"] = np.column_stack(list(read_columns(path).values()))
    return found


def _model(last: "LastRun", files: Mapping[str, Path]) -> dict:
    import pyarrow.parquet as pq

    from emodag.science.person_scaling import LEAST
    from emodag.science.tables.table import MISSING
    from emodag.verbs.last_run import person_column

    data = last.config.data
    folds = [role.partition("/")[2] for role in files if role.startswith("weights/")]
    return {
        "classes": last.chain.classes,
        "boost": last.chain.boost,
        "person": last.config.scaling.person,
        "rows_of_a_person": LEAST,
        "group": person_column(last.chain),
        "resolution": last.chain.resolution(last.config.protocols[0]),
        "scalers": {fold: fold if "folds" in files else "all" for fold in folds},
        "separator": data.separator,
        "decimal": data.decimal,
        "decimals": data.decimals,
        "missing": [*MISSING, *data.missing_values],
        "words": [w for w in MISSING if w.isalpha() and w not in data.missing_values],
        "features": pq.read_schema(files["train"]).names,
    }


def _card(last: "LastRun", files: Mapping[str, Path], model: Mapping) -> str:
    from emodag.science.tables.matrices import read_columns
    from ledger.jobs.manifest import Manifest

    rows = read_columns(files["rows"])["person"]
    home, _ = list(last.models.values())[-1]
    manifest = Manifest.read(Path(last.workflow.jobs[home].manifest))
    environment = manifest.ingredients["environment"]
    facts = {
        "protocol, run seed": f"{last.config.protocols[0]}, {last.config.seeds[0]}",
        "epochs, generations": f"{last.config.training.epochs}, {last.chain.last}",
        "Python": environment["python"],
        **environment["distributions"],
        "key of the last network": manifest.key,
    }
    boost = {n: f for n, f in zip(model["classes"], model["boost"], strict=True) if f != 1.0}
    return CARD.format(
        persons=len(set(rows.tolist())),
        rows=len(rows),
        features=len(model["features"]),
        names=", ".join(model["classes"]),
        members=len(model["scalers"]),
        generation=_generation(last.config),
        protocol=last.config.protocols[0],
        boost=", ".join(f"{name} {factor}" for name, factor in boost.items()) or "none",
        scores=_scores(last),
        and_persons="" if model["person"] == "none" else f", and the persons as {model['group']!r}",
        made_from="\n".join(f"| {name} | {value} |" for name, value in facts.items()),
    )


def _generation(config: "Config") -> str:
    """What the networks are."""
    if not config.generations:
        return "the teacher, which has learned from labelled rows alone,"
    if not config.data.has_pool:
        return "students that have learned from labelled rows alone, without pseudo-labels,"
    return "the last generation of self-training"


def _scores(last: "LastRun") -> str:
    """The scores of the last generation, cross-validated and on the hidden people."""
    import numpy as np

    stage = f"gen{last.chain.last}"
    rows = _rows(last, f"{last.chain.at}scores", "scores.csv")
    told = [] if rows else [UNSCORED]
    for protocol in last.config.protocols if rows else []:
        found = [
            row["macro_f1_last_epoch"]
            for row in rows
            if row["protocol"] == protocol and row["stage"] == stage
        ]
        kind = "persons never seen" if protocol == "nested" else "leaky, as the paper's protocol is"
        told.append(
            f"- macro-F1 {np.mean(found):.3f} on held-out persons (folds {min(found):.3f} to "
            f"{max(found):.3f}), protocol `{protocol}`: {kind}"
        )
    ours = {"protocol": last.config.protocols[0], "seed": last.config.seeds[0], "stage": stage}
    for row in _rows(last, f"{last.chain.at}leaderboard", "leaderboard.csv"):
        if ours.items() <= row.items():
            told.append(f"- macro-F1 {row['macro_f1']:.3f} on the hidden people")
    return "\n".join(told) + "\n"


def _rows(last: "LastRun", job: str, file: str) -> list[dict[str, Any]]:
    """The rows of a final table, none where there is no such table or it is not up to date."""
    from emodag.pages.comparison import read_table

    if job not in last.workflow.jobs or last.planner.must_run(job):
        return []
    return read_table(Path(last.workflow.jobs[job].path(file)))
