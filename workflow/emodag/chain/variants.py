"""Variants: their chains, which share what is alike, and the jobs that compare them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emodag.chain.chain import Chain, asked_for
from emodag.chain.learners import environment_of, packages_of
from emodag.config.sections import Config, controls_of, variants_of
from emodag.config.variants import BASE, ROUND, dotted
from ledger.disk.canonical import digest
from ledger.errors import ConfigError
from ledger.jobs.job import Job
from ledger.words import plural


class Variants:
    """All variants of a configuration with the number of its folds, under the leak-free protocol.

    A job that does what a job before it does is that job, so what variants share is there once.

    Attributes
    ----------
    chains : the chain of each by name, `base` first; none without variants.
    rests_on : the names of all jobs that each rests on, tables included.

    Raises
    ------
    ConfigError
        When a variant computes nothing but what another one does. Of trials of a search the first
        such one is compared.
    """

    def __init__(self, config: Config) -> None:
        self._config, env = config, config.environment
        self.chains = {
            name: Chain(made, env, "" if name == BASE else _at(name))
            for name, made in variants_of(config).items()
        }
        self._home = self.chains.get(BASE)
        self._first: dict[str, str] = {}
        self._same: dict[str, str] = {}
        self.rests_on: dict[str, set[str]] = {}
        self._own = [job for name, chain in self.chains.items() for job in self._new(name, chain)]
        self._stand_in = self._alike()

    def _alike(self) -> dict[str, str]:
        """For each variant the first one that computes the same, which is itself but for trials."""
        known: dict[Any, str] = {}
        found = {}
        for name, chain in self.chains.items():
            what = (frozenset(self.rests_on[name]), chain.last, tuple(chain.boost))
            other = found[name] = known.setdefault(what, name)
            if other != name and name in self._config.variants:
                raise ConfigError(
                    f"variants.{name}: with these tables and this learner it computes what "
                    f"{other!r} does; leave it out"
                )
        return found

    def jobs(self) -> Iterator[Job]:
        """The jobs of all variants and blends, and the comparison."""
        if not self.chains:
            return
        yield from self._own
        for name, chain in self.chains.items():
            yield self._held_out(name, chain)
            if chain.at:
                yield self.shared(chain.scores())
            if chain.has_test:
                yield self._submission(name)
        for name in self._config.blends:
            yield self._vote(name)
            if self._home.has_test:
                yield self._submission(name)
        for number in range(2, 2 + len(self._config.draws) // ROUND):
            if (number - 1) * ROUND < self._config.search.trials:
                yield self._suggestion(number)
        yield from self.comparison()

    def comparison(self) -> list[Job]:
        """The job that compares them, if there are any."""
        return [self._comparison()] if self.chains else []

    def submitted(self) -> Job | None:
        """The submission of the variant or blend that is chosen, None for the configuration's.

        That of a trial which is not known yet follows the next round, as the comparison does.
        """
        chosen = self._config.submit
        if chosen == BASE:
            return None
        if chosen in {*self.chains, *self._config.blends}:
            return replace(self._submission(chosen), name="submission", beside=False)
        made = self._submission(BASE)
        return replace(made, name="submission", beside=False, inputs=self._next_round())

    def shared(self, job: Job) -> Job:
        """A job that reads from the first of the jobs that do the same."""
        return replace(job, inputs=self.firsts(job.inputs))

    def firsts(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs of a job, by role, from the first of the jobs that do the same."""
        return {
            role: o if isinstance(o, str) else (self._same.get(o[0], o[0]), o[1])
            for role, o in inputs.items()
        }

    def _new(self, name: str, chain: Chain) -> Iterator[Job]:
        """The jobs of a variant that no variant before it has."""
        asked = [chain.by_person()] if chain.is_by_person else []
        asked += chain.protocol("nested")
        asked += [job for seed in self._config.seeds for job in chain.fits("nested", seed)]
        for job in map(self.shared, asked):
            first = self._first.setdefault(_computation(job), job.name)
            self._same[job.name] = first
            if first == job.name:
                yield job
        tables = {job.name for job in self._home.tables()} - {f"{self._home.home}/by_person"}
        self.rests_on[name] = tables | {self._same[job.name] for job in asked}

    def _held_out(self, name: str, chain: Chain) -> Job:
        inputs: dict[str, Any] = {**chain.labels(), **chain.fold_input()}
        for seed in self._config.seeds:
            last = f"{chain.run('nested', seed)}/gen{chain.last}"
            for fold in chain.folds:
                inputs[f"{seed}/{fold}"] = (f"{last}/fold{fold}", "validation.parquet")
            if chain.has_test:
                inputs[str(seed)] = (chain.predicted("nested", seed, chain.last), "test.parquet")
        if chain.has_test:
            inputs["test_rows"] = chain.test_rows()["rows"]
        params = {
            "seeds": self._config.seeds,
            "folds": len(chain.folds),
            "leak_free": chain.config.scheme == "group_kfold",
        }
        return self.shared(chain.job(f"variants/{name}/held_out", "held_out", params, inputs))

    def _vote(self, name: str) -> Job:
        blend = self._config.blends[name]
        files = ["held_out", "answers"] if self._home.has_test else ["held_out"]
        inputs = {
            f"{member}/{file}": (f"variants/{member}/held_out", f"{file}.parquet")
            for member in blend.of
            for file in files
        }
        params = {"members": blend.of, "weights": blend.weights, "folds": self._config.folds}
        tables = self._home.labels()
        return self._home.job(f"variants/{name}/vote", "vote", params, {**tables, **inputs})

    def _submission(self, name: str) -> Job:
        """The submission of a variant or blend, of the first run seed."""
        at = Chain(self._home.config, self._config.environment, _at(name))
        if name in self._config.blends:
            return at.submission_of((self._collected(name), "answers.parquet"), at.no_boost)
        chain = self.chains[name]
        predicted = chain.predicted("nested", self._config.seeds[0], chain.last)
        return self.shared(at.submission_of((predicted, "test.parquet"), chain.boost))

    def jobs_of(self, name: str) -> set[str]:
        """The names of all jobs that a variant, or the members of a blend, rest on."""
        blend = self._config.blends.get(name)
        return set().union(*(self.rests_on[member] for member in (blend.of if blend else [name])))

    def _collected(self, name: str) -> str:
        """The job with the held-out rows of a variant or blend."""
        return f"variants/{name}/{'vote' if name in self._config.blends else 'held_out'}"

    def _suggestion(self, number: int) -> Job:
        """The trials of a round, drawn from the scores of all rounds before it."""
        config, home = self._config, self._home
        before = list(config.draws.items())[: (number - 1) * ROUND]
        params = {
            "choices": {
                key: len(entry) if isinstance(entry, list) else None
                for key, entry in sorted(config.search.space.items())
            },
            "before": {name: draw.shares for name, draw in before},
            "seed": config.search.seed,
            "round": number,
            "trials": ROUND,
            "seeds": config.seeds,
            "folds": len(home.folds),
            "classes": len(home.classes),
        }
        scored = {name: (self._collected(name), "held_out.parquet") for name, _ in before}
        return home.job(
            f"search/round{number}",
            "suggest",
            params,
            {**home.labels(), **scored},
            environment=environment_of("tpe", home.env),
            packages=packages_of("tpe"),
        )

    def _next_round(self) -> dict[str, Any]:
        """What a job rests on that must wait for more trials; nothing where all are there."""
        number = self._config.next_round
        return {"next": (f"search/round{number}", "suggested.json")} if number else {}

    def _comparison(self) -> Job:
        home, config = self._home, self._config
        names = [*dict.fromkeys(self._stand_in.values()), *config.blends]
        files = ["held_out", "answers"] if home.truth() else ["held_out"]
        inputs: dict[str, Any] = {**home.labels(), **home.fold_input()}
        inputs |= {
            f"{name}/{file}": (self._collected(name), f"{file}.parquet")
            for name in names
            for file in files
        }
        if truth := home.truth():
            inputs |= {"truth": truth, "test_rows": home.test_rows()["rows"]}
        inputs |= self._next_round()
        often = Counter(job for name in {*self._stand_in.values()} for job in self.rests_on[name])
        params = {
            "variants": [self._described(name, often) for name in names],
            "baseline": self._stand_in[config.compare.baseline],
            "seeds": config.seeds,
            "folds": len(home.folds),
            **home.of_truth(),
            **asked_for(controls=self._controls()),
        }
        return home.job("variants", "variants", params, inputs)

    def _controls(self) -> dict[str, str]:
        """By name of each control of equal compute that is named, whose control it is."""
        found = controls_of({name: chain.config for name, chain in self.chains.items()})
        return {
            name: self._stand_in[of]
            for name, of in found.items()
            if name in self._config.variants and of is not None
        }

    def _described(self, name: str, often: Counter) -> dict[str, Any]:
        """What the table says of a variant besides its scores."""
        if name in self._config.blends:
            blend, jobs = self._config.blends[name], self.jobs_of(name)
            chains = [self.chains[member] for member in blend.of]
            changes = {"blend": blend.of, "weights": blend.weights}
            boost, shared = self._home.no_boost, len(jobs)
        else:
            chains, jobs, boost = [self.chains[name]], self.rests_on[name], self.chains[name].boost
            changes = dotted({**self._config.variants, **self._config.trials}.get(name, {}))
            shared = sum(often[job] > 1 for job in jobs)
        return {
            "name": name,
            "changes": changes,
            "leak_free": all(chain.config.scheme == "group_kfold" for chain in chains),
            "environments": sorted({environment_of(c.config.learner, c.env) for c in chains}),
            "boost": boost,
            "jobs": len(jobs),
            "shared": shared,
        }


def fewer_trials(config: Config, jobs: Mapping[str, Job]) -> str | None:
    """Why fewer trials are compared than a search asks for, None if they are not, or not yet.

    Parameters
    ----------
    jobs : all of the configuration, by name.
    """
    if not config.search.trials or config.next_round:
        return None
    names = {entry["name"] for entry in jobs["variants"].params["variants"]}
    compared = len(names.intersection(config.trials))
    found = len(config.trials)
    told = [f"the space holds {found:,} of them"] * (found < config.search.trials)
    told += [f"{found - compared:,} compute what another one does"] * (compared < found)
    if not told:
        return None
    asked = plural(config.search.trials, "trial")
    return f"{asked} asked for, {compared:,} compared: {', and '.join(told)}"


def _at(name: str) -> str:
    return f"variants/{name}/"


def _computation(job: Job) -> str:
    """A digest of all that a job is but its name."""
    facts = {key: value for key, value in vars(job).items() if key not in ("name", "beside")}
    return digest(facts)
