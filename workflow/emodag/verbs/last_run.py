"""The chain that the results in this directory were made by, for the verbs that use its models."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from emodag.chain.chain import Chain
from emodag.chain.jobs import workflow_of
from emodag.chain.settled import settled
from emodag.chain.variants import Variants
from emodag.config.combined import combined
from emodag.config.sections import Config
from emodag.config.variants import BASE
from emodag.terminal.command import command
from ledger.errors import InputError
from ledger.jobs.job import RESULTS, Job
from ledger.jobs.planner import Planner
from ledger.jobs.workflow import Workflow
from ledger.snakemake.beginning import CONFIGURATION


@dataclass(frozen=True)
class LastRun:
    """The chain behind a submission of the last run, and all jobs of that run.

    Attributes
    ----------
    config : of the chain.
    models : by role, the artifacts of the networks behind the submission, see `Chain.models`.
    """

    config: Config
    chain: Chain
    models: dict[str, tuple[str, str]]
    workflow: Workflow
    planner: Planner

    @classmethod
    def read(cls, of: str | None = None, more: Callable[[Chain], Job] | None = None) -> "LastRun":
        """Of the results in the present directory.

        Parameters
        ----------
        of : the variant whose submission it is, None for what results/submission.csv is of.
        more : makes one more job of the chain.

        Raises
        ------
        InputError
            When there was no run, or no such variant, or none with networks.
        """
        config = last_configuration()
        variants = Variants(config)
        chain = _chain(config, variants, of or config.submit)
        workflow = workflow_of(config, *([variants.shared(more(chain))] if more else []))
        models = variants.firsts(chain.models())
        return cls(chain.config, chain, models, workflow, Planner(workflow))

    def require(self, artifacts: Iterable[tuple[str, str] | str]) -> None:
        """See that artifacts, named as in a job's inputs, are of this configuration and code.

        Raises
        ------
        InputError
            Naming the first job whose artifacts are not.
        """
        planner = Planner(self.workflow)  # a new one, as each looks at a job once
        for name in dict.fromkeys(a[0] for a in artifacts if not isinstance(a, str)):
            if planner.must_run(name):
                target = f"{self.chain.at}submission"
                target = target if target in self.workflow.jobs else f"{self.chain.at}scores"
                again = command(f"results/{target}.csv", "--configfile", str(CONFIGURATION))
                raise InputError(
                    f"{name}: is not finished, or code or data have changed since; "
                    f"run {again} first"
                )


def last_configuration() -> Config:
    """The configuration of the last run in the present directory, with the number of its folds.

    Raises
    ------
    InputError
        When there was no run.
    """
    if not CONFIGURATION.is_file():
        raise InputError(f"{CONFIGURATION}: is not there; run {command()} first")
    return settled(combined([CONFIGURATION], []), read_only=True)


def person_column(chain: Chain) -> str:
    """The column of persons in tables that come later.

    Where the configuration names none, it is called as that of the training table.

    Raises
    ------
    InputError
        When the training table has to be asked and cannot be read.
    """
    from emodag.science.tables.ingest import layout_of_train, matching
    from emodag.stages.reading import opened

    data, job = chain.config.data, chain.ingest()
    if named := data.test_group or data.group:
        return named
    origins = {role: [o] if isinstance(o, str) else [RESULTS, *o] for role, o in job.inputs.items()}
    files = {role: Path(*origin) for role, origin in origins.items()}
    table = opened(files, "train", job.params)
    ignored = {name for entry in data.ignore for name in matching(table.columns, entry)}
    return layout_of_train(table, job.params, frozenset(ignored)).group


def _chain(config: Config, variants: Variants, of: str) -> Chain:
    # The configuration's own submission is of its first protocol.
    chains = {**variants.chains, BASE: Chain(config, config.environment)}
    networks = [name for name in chains if chains[name].config.learner == "network"]
    if of in networks:
        return chains[of]
    if of not in {*chains, *config.blends}:
        raise InputError(f"{of}: is no variant of the last run; there are {', '.join(chains)}")
    what = f"its learner is {chains[of].config.learner}" if of in chains else "is a vote"
    named = f"name one by --of ({', '.join(networks)}), or " if networks else ""
    raise InputError(
        f"{of}: {what}, of which no model is kept; only networks predict what comes later; {named}"
        "name the later table in data.test and run again"
    )
