"""The configuration: one model per section, from which the JSON schema and config.yaml follow.

Every key has a default, so an empty configuration is the default run. Unknown keys are errors.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from emodag.config.data import Data
from emodag.config.environment import AVX2, Environment
from emodag.config.kinds import Name, Positive, PublicKey, Stores
from emodag.config.learners import Learner, Learners
from emodag.config.method import Model, PseudoLabels, Scaling, Training
from emodag.config.output import Drift, Report, Submission
from emodag.config.section import Section, section_in
from emodag.config.variants import BASE, FIXED, OPEN, ROUND, Blend, Compare, Draw, Search, drawn
from ledger.errors import ConfigError


def _folds(value: Any, known: ValidatorFunctionWrapHandler) -> Any:
    try:
        return known(value)
    except ValidationError:
        raise ValueError(
            "expected a whole number from 2 on, or `persons`, which holds out each person once; "
            f"found {value!r}"
        ) from None


def _there(entries: dict[str, Any]) -> dict[str, Any]:
    """Less those that are taken out; see also `emodag.config.combined`."""
    return {name: entry for name, entry in entries.items() if entry is not None}


RESERVED = {"raw", "drift", "variants", "search", "predictions"}
"""What stands beside the environments in the results."""


class Config(Section):
    """The whole configuration."""

    environment: str = Field("local", description="the environment, by its name below")
    environments: dict[Name, Environment] = Field(
        {
            "local": Environment(),
            "numpy2": Environment(
                locks=["envs/numpy2.lock", "envs/local.torch-cpu.lock"],
                python="built",
                conda="envs/numpy2.yaml",
            ),
            "reported": Environment(
                locks=["envs/local.lock", "envs/reported.torch-cuda.lock"],
                python="built",
                conda="envs/reported.yaml",
            ),
            "kaggle": Environment(
                locks=["envs/kaggle.lock", "envs/kaggle.torch-cuda.lock"],
                python="built",
                conda="envs/kaggle.yaml",
            ),
            "learners": Environment(
                locks=["envs/local.lock", "envs/local.torch-cpu.lock", "envs/learners.lock"],
                python="built",
                conda="envs/learners.yaml",
            ),
            "ambient": Environment(locks=[], conda=None),
            "avx2": Environment(variables=AVX2),
            "threads2": Environment(threads=2),
        },
        description="environments by name",
    )
    store: Stores = Field(
        ".emodag/store",
        description="content-addressed store, EMODAG_STORE takes precedence; or a list: further "
        "ones are read where the first has nothing, see docs/remote-stores.md",
    )
    trusted: list[PublicKey] = Field(
        [],
        description="public keys of ed25519, of which one must have signed what further stores "
        "have; []: all that they have is believed",
    )
    data: Data = Field(Data(), description="the tables")
    protocols: Annotated[list[Literal["published", "nested"]], Field(min_length=1)] = Field(
        ["published", "nested"],
        description="published: as reported, leaky; nested: leak-free; the first one submits",
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        [1], description="run seeds; the first one submits"
    )
    folds: Annotated[Annotated[int, Field(ge=2)] | Literal["persons"], WrapValidator(_folds)] = (
        Field(5, description="folds of the cross-validation; persons: one for each training person")
    )
    folds_repeats: Positive = Field(
        1,
        description="how often there are so many folds, each time with others held out together",
    )
    fold_assignment: Literal["stable", "scikit_learn"] = Field(
        "stable",
        description="among persons of equal size, by id; or as the installed scikit-learn does, "
        "which up to 1.8 leaves it to NumPy and the processor",
    )
    scheme: Literal["group_kfold", "kfold"] = Field(
        "group_kfold",
        description="folds hold persons out; kfold, for a variant: rows of all persons, which is "
        "leaky",
    )
    generations: Annotated[int, Field(ge=0)] = Field(
        2, description="student generations; 0: the teacher alone, without self-training"
    )
    learner: Learner = Field(
        "network", description="what teacher and students are; see docs/variants.md"
    )
    learners: Learners = Field(Learners(), description="settings of learners but the network")
    scaling: Scaling = Field(Scaling(), description="quantile scaling")
    model: Model = Field(Model(), description="the network")
    training: Training = Field(Training(), description="the fits")
    pseudo_labels: PseudoLabels = Field(PseudoLabels(), description="self-training")
    submission: Submission = Field(Submission(), description="the form of submission.csv")
    drift: Drift = Field(Drift(), description="comparison of environments")
    report: Report = Field(Report(), description="the report")
    variants: Annotated[dict[Name, dict[str, Any] | None], AfterValidator(_there)] = Field(
        {},
        description="by name, what differs from the rest of the configuration, such as {no_mixup: "
        "{training: {mixup: 0}}}; compared in results/variants.csv; null takes out one that "
        "another file has",
    )
    search: Search = Field(Search(), description="more variants, drawn")
    _suggested: list[list[float]] = PrivateAttr([])
    blends: Annotated[dict[Name, Blend | None], AfterValidator(_there)] = Field(
        {},
        description="votes of variants by name, such as {all: {of: [base, no_mixup]}}; null takes "
        "out one that another file has",
    )
    compare: Compare = Field(Compare(), description="the comparison of variants")
    submit: str = Field(BASE, description="the variant or blend that results/submission.csv is of")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.environment not in self.environments:
            raise ValueError(
                f"`environment` is {self.environment!r}, and `environments` holds "
                f"{', '.join(self.environments)}"
            )
        for name, entry in self.environments.items():
            if entry.python != "running" and not entry.locks:
                raise ValueError(f"`environments.{name}` has nothing to build: name its `locks`")
        for name in RESERVED.intersection(self.environments):
            raise ValueError(f"`environments` holds {name!r}, which is the name of other results")
        values = {"protocols": self.protocols, "seeds": self.seeds}
        values |= {"drift.seeds": self.drift.seeds}
        values |= {"drift.contrasts": [tuple(pair) for pair in self.drift.contrasts]}
        for name, found in values.items():
            if len(set(found)) != len(found):
                raise ValueError(f"`{name}` holds a value twice")
        for a, b in self.drift.contrasts:
            for name in {a, b} - set(self.environments):
                raise ValueError(
                    f"`drift.contrasts` names {name!r}, and `environments` holds "
                    f"{', '.join(self.environments)}"
                )
            if a == b:
                raise ValueError(f"`drift.contrasts` compares {a!r} with itself")
        # The default's class may be none of the tables'; a name that somebody has written must be.
        for name in set(self.pseudo_labels.boost or {}).difference(
            self.data.classes, PseudoLabels().boost or {}
        ):
            raise ValueError(
                f"`pseudo_labels.boost` names {name!r}, and `data.classes` holds "
                f"{', '.join(self.data.classes)}"
            )
        if self.folds == "persons" and self.folds_repeats > 1:
            raise ValueError(
                f"`folds_repeats` is {self.folds_repeats}, and with `folds: persons` each person "
                "is held out alone every time; leave `folds_repeats` out"
            )
        if self.pseudo_labels.control and not (self.generations and self.data.has_pool):
            none = (
                "no `generations`" if self.data.has_pool else "no `data.test` or `data.unlabelled`"
            )
            raise ValueError(
                "`pseudo_labels.control: true` stands in for pseudo-labels, of which there are "
                f"none: the configuration has {none}; leave it out, or set that"
            )
        if self.training.randomness == "global":
            self._replayable()
        self._comparable()
        return self

    def _comparable(self) -> None:
        """Whether learner, variants and blends can be run."""
        for key, is_asked in {
            f"learner: {self.learner}": self.learner != "network",
            "generations: 0": not self.generations,
            "training.adapt: persons": self.training.adapt != "none",
        }.items():
            if is_asked and self.protocols != ["nested"]:
                raise ValueError(
                    f"`{key}` is nothing that the published protocol knows: set `protocols: "
                    "[nested]`, or leave it to a variant"
                )
        if self.training.randomness == "global" and (self.variants or self.search.trials):
            raise ValueError(
                "`training.randomness: global` has one stream for all fits of a script; variants "
                "need `derived`"
            )
        trials = self.trial_names
        taken = {BASE, *self.variants, *trials}
        if BASE in self.variants:
            raise ValueError("`variants` holds 'base', which is the configuration itself")
        for name in {*self.variants}.intersection(trials):
            raise ValueError(f"`variants` holds {name!r}, which is the name of a trial of `search`")
        for name, blend in self.blends.items():
            if name in taken:
                raise ValueError(f"`blends` holds {name!r}, which is a variant's name")
            if len(set(blend.of)) != len(blend.of):
                raise ValueError(f"`blends.{name}.of` holds a value twice")
            for member in blend.of:
                self._known(f"blends.{name}.of", member, taken)
            twin = next(n for n in self.blends if self._votes(n) == self._votes(name))
            if twin != name:
                raise ValueError(f"`blends` holds {name!r}, which is the same vote as {twin!r}")
            if len({self._is_leaky(member) for member in blend.of}) > 1:
                raise ValueError(
                    f"`blends.{name}.of` holds variants of both schemes, which hold out other rows"
                )
        self._known("compare.baseline", self.compare.baseline, taken)
        self._known("submit", self.submit, taken | {*self.blends})
        for key, name in {"compare.baseline": self.compare.baseline, "submit": self.submit}.items():
            if self._is_leaky(name):
                raise ValueError(f"`{key}` names {name!r}, which is leaky by its `scheme: kfold`")

    def _is_leaky(self, name: str) -> bool:
        if name in self.blends:
            return any(map(self._is_leaky, self.blends[name].of))
        return {**self.variants, **self.trials}.get(name, {}).get("scheme") == "kfold"

    def _votes(self, name: str) -> tuple[set[str], str]:
        return {*self.blends[name].of}, self.blends[name].weights

    def _known(self, key: str, name: str, names: set[str]) -> None:
        if name not in names:
            near = difflib.get_close_matches(name, sorted(names), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(names))}"
            raise ValueError(f"`{key}` names {name!r}, which is no variant; {hint}")

    @cached_property
    def draws(self) -> dict[str, Draw]:
        """Each trial of the search by its name; with `tpe` those that are known so far."""
        found = enumerate(drawn(self.search, self._suggested), start=1)
        return {f"t{number:03}": draw for number, draw in found}

    @cached_property
    def trials(self) -> dict[str, dict[str, Any]]:
        """What each trial of the search changes, by its name."""
        return {name: draw.changes for name, draw in self.draws.items()}

    @property
    def trial_names(self) -> list[str]:
        """How trials are called, also those that are not known yet."""
        if self.search.sampler != "tpe":
            return list(self.draws)
        return [f"t{number:03}" for number in range(1, self.search.trials + 1)]

    def with_suggested(self, rows: list[list[float]]) -> Self:
        """The same with the trials that were drawn from scores, and without what needs later ones.

        Parameters
        ----------
        rows : the shares of those after the first `ROUND`, see `emodag.config.variants.Draw`.
        """
        found = self.model_copy()
        found._suggested = rows
        for name in ("draws", "trials"):  # as they were before
            found.__dict__.pop(name, None)
        known = {BASE, *self.variants, *found.trials}
        less = {"blends": {n: b for n, b in self.blends.items() if known.issuperset(b.of)}}
        if self.compare.baseline not in known:
            less |= {"compare": Compare()}
        return found.model_copy(update=less)

    @property
    def compared_names(self) -> set[str]:
        """The variants and trials that are named somewhere."""
        members = {member for blend in self.blends.values() for member in blend.of}
        return {*members, self.compare.baseline, self.submit}

    @property
    def next_round(self) -> int | None:
        """Which round of trials, from 2 on, is to be drawn next; None where none is."""
        number = len(self._suggested) // ROUND + 2
        is_full = len(self.draws) == (number - 1) * ROUND < self.search.trials
        return number if self.search.sampler == "tpe" and is_full else None

    @property
    def learns_softly(self) -> bool:
        """Whether students learn from probabilities, as networks alone can."""
        return self.pseudo_labels.soft and self.learner == "network"

    @property
    def told(self) -> str:
        """The protocol whose score is told: the leak-free one where there is one, in any order."""
        return "nested" if "nested" in self.protocols else self.protocols[-1]

    @property
    def uses_persons(self) -> bool:
        """Whether its own fits need to know of whom each row is, those to predict too."""
        return {self.scaling.person, self.training.adapt} != {"none"}

    @cached_property
    def needs_persons(self) -> bool:
        """Whether it, or a variant, needs to know of whom each row is, those to predict too."""
        changes = [*self.variants.values(), *self.trials.values()]
        asked = [change.get(name) for change in changes for name in ("scaling", "training")]
        return self.uses_persons or any(
            isinstance(section, Mapping) and {"person", "adapt"} & {*section} for section in asked
        )

    @property
    def has_variants(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.variants or self.blends or self.search.trials)

    def _replayable(self) -> None:
        """Whether a plain script's stream has a place for all that would be drawn."""
        why = "and `training.randomness: global` draws what the published script draws"
        device, matmul = self.training.device, self.training.matmul
        is_calibrated = self.pseudo_labels.calibrate != "none"
        repeats, once = self.folds_repeats, ", which has one assignment of folds"
        rules = {
            "protocols: [published]": (self.protocols != ["published"], "holds 'nested'", ""),
            "training.device: cpu": (device != "cpu", f"is {device!r}", " on a processor"),
            "training.matmul: torch": (
                matmul != "torch",
                f"is {matmul!r}",
                " and multiplies as torch does",
            ),
            "folds_repeats: 1": (repeats > 1, f"is {repeats}", once),
            "pseudo_labels.calibrate: none": (is_calibrated, "asks for more fits", ""),
            "model.corruption: 0": (self.model.corruption, "masks input", ""),
        }
        for setting, (is_wrong, what, more) in rules.items():
            if is_wrong:
                key = setting.partition(":")[0]
                raise ValueError(f"`{key}` {what}, {why}{more}; set `{setting}`")
        if max(self.seeds) >= 2**32:
            raise ValueError(f"`seeds` holds one from 2**32 on, {why}; NumPy takes none so large")


def load(values: Mapping[str, Any]) -> Config:
    """The configuration that a mapping describes.

    Raises
    ------
    ConfigError
        One line per mistake: the key, what was expected, what was found, the nearest known key.
    """
    try:
        config = Config.model_validate(_with_nulls(values))
    except ValidationError as error:
        raise ConfigError("the configuration is wrong:", *_explained(error)) from None
    for asked, is_asked, own in (
        ("scheme: kfold", config.scheme == "kfold", "that of people whom its models have not seen"),
        ("pseudo_labels.control: true", config.pseudo_labels.control, "that of self-training"),
    ):
        if is_asked:
            raise ConfigError(
                "the configuration is wrong:",
                f"  {asked} is for a variant, to be compared with; the configuration's own score "
                f"is {own}",
            )
    variants_of(config)
    if not config.data.has_test:  # what a preset would submit is of no account
        config = config.model_copy(update={"submit": BASE})
    return config


def variants_of(config: Config) -> dict[str, Config]:
    """The configuration itself, called `base`, and each variant: whole, leak-free, by name.

    Raises
    ------
    ConfigError
        When a variant is wrong, cannot be compared with the others, or is one that is there twice.
    """
    if not config.has_variants:
        return {}
    changes = {BASE: {}, **config.variants, **config.trials}
    lines: list[str] = []
    # `emodag.chain.person_count` has put a number in the place of `folds: persons`.
    counted = {"folds": config.folds, "fold_assignment": config.fold_assignment}
    values = config.model_dump(exclude={*counted, "variants", "search", "blends", "compare"})
    values |= {"protocols": ["nested"], "submit": BASE}
    found: dict[str, Config] = {}
    for name, change in changes.items():
        if lines and name in config.trials:  # what is wrong with one is wrong with all
            break
        where = _where(config, name)
        refused = list(_not_comparable(where, change))
        lines += refused
        if not refused:
            try:
                made = Config.model_validate(_merged(values, _with_nulls(change)))
                found[name] = made.model_copy(update=counted)
            except ValidationError as error:
                lines += _explained(error, f"{where}.")
    known: dict[str, str] = {}
    for name, made in found.items():
        other = known.setdefault(made.model_dump_json(), name)
        if other != name and name in config.variants:
            lines.append(f"  {_where(config, name)}: changes nothing that {other!r} does not")
    lines += [
        f"  variants.{name}: is the control of a variant that is not there, the same without "
        "`pseudo_labels.control`; add that one"
        for name, other in controls_of(found).items()
        if other is None and name in config.variants
    ]
    if lines:
        raise ConfigError("the configuration is wrong:", *lines)
    return found


def controls_of(variants: Mapping[str, Config]) -> dict[str, str | None]:
    """By name of each control of equal compute, the variant that is the same but for that."""
    texts = {name: made.model_dump_json() for name, made in variants.items()}
    known = {text: name for name, text in reversed(texts.items())}
    found = {}
    for name, made in variants.items():
        if made.pseudo_labels.control:
            own = made.pseudo_labels.model_copy(update={"control": False})
            whole = made.model_copy(update={"pseudo_labels": own})
            found[name] = known.get(whole.model_dump_json())
    return found


def _where(config: Config, name: str) -> str:
    return f"variants.{name}" if name in config.variants else f"search, trial {name}"


def _not_comparable(where: str, changes: Mapping[str, Any]) -> Iterator[str]:
    for key in changes:
        if key in FIXED:
            yield (
                f"  {where}.{key}: {FIXED[key]}, so its scores cannot be compared with "
                "those of the others; give it a configuration file of its own"
            )
        elif key in Config.model_fields and key not in OPEN:
            yield f"  {where}.{key}: is the same for all variants; leave it out there"


def _merged(values: Any, changes: Any) -> Any:
    """Values with those of sections replaced one by one, and all others whole."""
    if not isinstance(values, Mapping) or not isinstance(changes, Mapping):
        return changes
    whole = {"boost"}
    return {
        **values,
        **{k: v if k in whole else _merged(values.get(k), v) for k, v in changes.items()},
    }


def _with_nulls(value: Any) -> Any:
    """Snakemake's `--config` passes `null` on as text."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(item) for key, item in value.items()}
    return None if value == "null" else value


def _explained(error: ValidationError, before: str = "") -> list[str]:
    """A line for each mistake.

    Of what may be of several kinds, each kind complains. The one told is that which looked deepest
    into the value, of equal ones the first that found more wrong than its kind.
    """
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for mistake in error.errors():
        if not any(str(part).startswith("literal[") for part in mistake["loc"]):
            place = tuple(_place(mistake))
            if place not in found or _is_of_another_kind(found[place]) > _is_of_another_kind(
                mistake
            ):
                found[place] = mistake
    above = {place[:end] for place in found for end in range(len(place))}
    return [_explain(each, before) for place, each in found.items() if place not in above]


def _is_of_another_kind(mistake: Mapping[str, Any]) -> bool:
    return mistake["type"].endswith(("_type", "_parsing"))


def _place(mistake: Mapping[str, Any]) -> list[str]:
    parts = map(str, mistake["loc"])  # less what is a kind, and no key
    return [part for part in parts if "[" not in part and not part.startswith("constrained-")]


def _explain(mistake: Mapping[str, Any], before: str) -> str:
    where = (before + ".".join(_place(mistake))).rstrip(".") or "(top level)"
    if mistake["type"] == "extra_forbidden":
        return f"  {where}: no such key{_suggestion(mistake['loc'])}"
    if mistake["type"] == "list_type":
        found = mistake["input"]
        items = ", ".join(map(str, found.values() if isinstance(found, Mapping) else [found]))
        return f"  {where}: expected a list, such as [{items}]; found {found!r}"
    if mistake["type"] in ("dict_type", "model_type"):
        return f"  {where}: expected values by name, such as {{a: 1}}; found {mistake['input']!r}"
    if mistake["type"] == "string_pattern_mismatch":
        wanted = "a name is up to 64 letters from a to z, digits and _, a letter first"
        return f"  {where}: {wanted}; found {mistake['input']!r}"
    if mistake["type"] == "string_type" and mistake["loc"][-1] == "[key]":
        section = where.rpartition(".")[0]
        return f"  {section}: YAML reads a name as {mistake['input']!r}; put it in quotes"
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "value_error":
        return f"  {where}: {message}"
    if mistake["type"] in ("too_long", "too_short"):
        message = message.replace("List", "it").replace(" after validation", "")
    told = f"  {where}: {message[0].lower()}{message[1:]}; found {mistake['input']!r}"
    if mistake["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", mistake["ctx"]["expected"])
        near = difflib.get_close_matches(str(mistake["input"]), choices, n=1)
        told += f". Did you mean {near[0]!r}?" if near else ""
    return told


_OTHER_WORDS = {
    **dict.fromkeys(("person", "persons", "subject", "subjects", "participant", "groups"), "group"),
    **dict.fromkeys(("target", "labels", "y"), "label"),
    **dict.fromkeys(("sep", "delimiter"), "separator"),
    **dict.fromkeys(("exclude", "drop", "ignored"), "ignore"),
    "na_values": "missing_values",
    "lr": "learning_rate",
}
"""What people call keys, as elsewhere they are called so."""


def _suggestion(location: tuple) -> str:
    """The key of that section that it is a slip of, else the same key elsewhere, else the nearest.

    `seed` is far more often `seeds` than `data.seed`, and `epochs` always `training.epochs`.
    """
    *path, key = location
    section: type[Section] = Config
    for part in path:
        if part in section.model_fields:  # which no name of an entry is
            section = section_in(section.model_fields[part].annotation) or section
    known = list(section.model_fields)
    places = {name: name for name in Config.model_fields}
    for name, field in Config.model_fields.items():
        places |= {f"{name}.{own}": own for own in getattr(field.annotation, "model_fields", {})}
    elsewhere = [place for place, own in places.items() if own == key]
    if key in places and not path and "." in key:
        outer, _, inner = key.partition(".")
        return f"; write {outer}: {{{inner}: ...}}"
    near = (
        [name for name in known if name == _OTHER_WORDS.get(str(key))]
        or difflib.get_close_matches(str(key), known, n=1, cutoff=0.8)
        or elsewhere
        or difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
    )
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(known)}"
