"""`emodag.open("results")`: what a run made, as frames, for notebooks and scripts."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from emodag.chain.chain import Chain
from emodag.chain.jobs import jobs
from emodag.chain.person_count import with_persons
from emodag.chain.settled import recorded
from emodag.config.sections import Config, load
from ledger.disk.atomic import read_bytes
from ledger.disk.canonical import digest
from ledger.errors import InputError, IntegrityError
from ledger.jobs.freshness import Manifests
from ledger.jobs.job import RESULTS, Job
from ledger.jobs.planner import ADDED
from ledger.jobs.results import verified

if TYPE_CHECKING:
    import pandas as pd


class Results:
    """The results in a directory, read only; each file is checked against its manifest first.

    Parameters
    ----------
    directory : `results` of a project.

    Attributes
    ----------
    config : the configuration that was run last.

    Raises
    ------
    InputError
        When the directory has no `configuration.yaml`, as before the first run.
    IntegrityError
        From its methods, when a file is not there, damaged, or not as recorded.
    """

    def __init__(self, directory: Path | str) -> None:
        path = Path(directory, "configuration.yaml")
        try:
            self.config: Config = load(yaml.safe_load(read_bytes(path)))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; are these results of a run?") from None
        self._directory = path.parent
        config = self.config
        if config.folds == "persons":
            home = self._directory / config.environment / "table"
            quality = read_bytes(verified(home / "manifest.json", "quality.json"))
            persons = json.loads(quality)["rows_per_person"]
            config = with_persons(config, len(persons))
        config = recorded(config, self._directory)
        self._chain, self._jobs = Chain(config, config.environment), jobs(config)

    def scores(self) -> "pd.DataFrame":
        """The cross-validated scores, a row per fit that held rows out: `results/scores.csv`."""
        return self._table("scores", "scores.csv")

    def leaderboard(self) -> "pd.DataFrame":
        """The scores on the hidden people, where the truth is known: `results/leaderboard.csv`."""
        return self._table("leaderboard", "leaderboard.csv")

    def variants(self) -> "pd.DataFrame":
        """The comparison of variants, where there are some: `results/variants.csv`."""
        import pandas as pd

        # A variant may be called NA.
        path = self._file("variants", "variants.csv")
        return pd.read_csv(path, keep_default_na=False, na_values=[""])

    def predictions(self) -> "pd.DataFrame":
        """The submission, with the probability of each class that it was made from.

        Ids and names of classes are as in the tables, where 0900 is another id than 900. A class
        that is called as another column is, such as ID, has its probabilities in `probability of
        ID`.
        """
        import pandas as pd

        submission = self._job("submission")
        head, label = submission.params.get("heads", ["ID", "Predicted"])
        written = {label: str} if "names" in submission.params else {}
        path = self._file("submission", "submission.csv")
        table = pd.read_csv(path, dtype=written, keep_default_na=False)
        if submission.params["ids"]:
            rows = self._file(*submission.inputs["rows"])
            table[head] = pd.read_parquet(rows, columns=["id"])["id"]
        columns = [f"p{code}" for code in range(len(self._chain.classes))]
        path = self._file(*submission.inputs["probabilities"])
        probabilities = pd.read_parquet(path, columns=columns)
        return _beside(table, probabilities, self._chain.classes)

    def held_out(self) -> "pd.DataFrame":
        """What every fit said of the rows that it held out.

        Returns
        -------
        A row per fit and held-out row: protocol, seed, stage, fold, id, person, label, predicted
        (names of classes, before any boost), and the probability of each class, in columns as
        those of `predictions`.
        """
        import pandas as pd

        classes = self._chain.classes
        facts = pd.read_parquet(self._file(*self._chain.labels()["rows"]))
        frames = []
        for fit in self._jobs["scores"].params["fits"]:
            made = pd.read_parquet(self._file(fit["role"], "validation.parquet"))
            rows = facts.loc[made.pop("row")].reset_index(drop=True)
            names = ("protocol", "seed", "stage", "fold")
            frame = pd.DataFrame({name: fit[name] for name in names}, index=rows.index)
            frame["id"], frame["person"] = rows["id"], rows["person"]
            frame["label"] = [classes[code] for code in rows["label"]]
            frame["predicted"] = [classes[code] for code in made.to_numpy().argmax(axis=1)]
            frames.append(_beside(frame, made, classes))
        return pd.concat(frames, ignore_index=True)

    def report(self) -> "Page":
        """The report, which a notebook shows: `results/report.html`."""
        return Page(self._file("report", "report.html"))

    def _table(self, job: str, file: str) -> "pd.DataFrame":
        import pandas as pd

        return pd.read_csv(self._file(job, file))

    def _file(self, job: str, file: str) -> Path:
        """The path of an artifact that is as its manifest says."""
        place = self._place(job)
        self._require(job)
        return verified(place, file)

    def _job(self, name: str) -> Job:
        if name not in self._jobs:
            raise InputError(f"the configuration of {self._directory} leads to no {name}")
        return self._jobs[name]

    def _place(self, job: str) -> Path:
        return self._directory / Path(self._job(job).manifest).relative_to(RESULTS)

    def _require(self, name: str) -> None:
        """See that what a job made, and all that it rests on, is of the configuration.

        A run may have been asked for less than all, or have begun since these results were opened,
        so manifests are read anew each time. Of what is not there nothing is known.
        """
        manifests, waiting, seen = Manifests(), {name}, set()
        while waiting:
            job = self._jobs[waiting.pop()]
            seen.add(job.name)
            if (made := manifests[str(self._place(job.name))]) is None:
                continue
            needed = ((role, o[0]) for role, o in job.inputs.items() if not isinstance(o, str))
            above = {role: manifests[str(self._place(maker))] for role, maker in needed}
            is_same = made.inputs.keys() == job.inputs.keys() and all(
                getattr(made.origins[role], "plan", None) == other.plan
                for role, other in above.items()
                if other
            )
            asked = {k: v for k, v in made.ingredients["params"].items() if k not in ADDED}
            if not is_same or digest(asked) != digest(job.params):
                raise IntegrityError(
                    f"{self._place(job.name)}: is not of the configuration that was run last, "
                    f"which {name} is asked of; run `snakemake` for it"
                )
            waiting |= set(job.needs) - seen


def _beside(
    frame: "pd.DataFrame", probabilities: "pd.DataFrame", classes: Sequence[str]
) -> "pd.DataFrame":
    """A frame and the probability of each class, called as the class unless a column is."""
    heads = [f"probability of {name}" if name in frame.columns else name for name in classes]
    return frame.join(probabilities.set_axis(heads, axis="columns"))


class Page:
    """An HTML page that a notebook shows as the value of a cell."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Page({str(self.path)!r})"

    def _repr_html_(self) -> str:
        text = self.path.read_text(encoding="utf-8")
        return (
            f'<iframe srcdoc="{html.escape(text)}" title="{html.escape(self.path.name)}" '
            'style="width: 100%; height: 50em; border: 0"></iframe>'
        )
