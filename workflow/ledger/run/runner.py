"""Run one planned job: from the store when its key is known, by computing it otherwise.

The key is made of the job's ingredients as they are now, not as they were planned: the code that
was really imported, the inputs' logical digests, the live environment. Whatever happens, the
store and the results hold only whole, verified files, and the manifest is written last.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.code.closure import code_closure, package_root
from ledger.code.from_source import all_read, import_stage
from ledger.errors import IntegrityError, UserError
from ledger.jobs.key import ingredients_of, key_of
from ledger.jobs.manifest import Manifest, Output, Source
from ledger.jobs.plan import MODULES, Plan
from ledger.kinds.digest import digests
from ledger.machine.builds import warning
from ledger.machine.device import kind
from ledger.machine.fingerprint import THREAD_VARIABLES, check
from ledger.run import tally, turn
from ledger.run.checkpoint import Checkpoint
from ledger.run.inputs import Input, bring, resolve
from ledger.run.talk import Talk
from ledger.store.sidecar import Sidecar, sidecar_path, write_record
from ledger.store.store import Action, Store


def run(
    plan: Plan,
    live: dict[str, Any],
    store: Store,
    talk: Talk,
    *,
    checkpoint_every: int,
    workers: int = 1,
) -> Manifest:
    """Bring a job's outputs and its manifest about; returns the manifest.

    The stage reads copies of its inputs, each hashed as the copy that it is, so what is recorded
    under a key was made from what the key says, whatever happens to the files meanwhile.

    Parameters
    ----------
    live : the fingerprint of this process as the plan's environment.
    checkpoint_every : how many steps a long job may lose when it is killed.
    workers : how many threads a stage may start. No result depends on these two, so they are part
        of no plan and no key.

    Raises
    ------
    EnvironmentMismatch
        When the interpreter is not the environment that the plan requires.
    PlanError
        When an input was made by another plan than this job's run has decided on, or when another
        run has taken over the directory meanwhile.
    IntegrityError
        When an input is damaged and the store cannot restore it, or the code changed meanwhile.
    UserError
        Whatever clear error the stage itself raises.
    """
    attempt = Attempt.begin(plan, live)
    if manifest := _restore(attempt, store, talk):
        return manifest
    talk.run(attempt.key)
    if message := warning(attempt.ingredients["environment"]):
        talk.warn(message)
    checkpoint = Checkpoint(store, attempt.key, checkpoint_every, talk)
    # As long as it has a directory in scratch, what it publishes is no garbage.
    with store.scratch() as scratch:
        action = _compute(attempt, store, talk, checkpoint, workers, scratch)
        with turn.current(turn.name()):
            manifest = _put(attempt, store, action, attempt.sidecar.computed(action), talk)
    if manifest is None:
        raise IntegrityError(f"{store.root}: objects vanish while they are being used")
    talk.done(attempt.key, action.cost["seconds"])
    tally.add(plan.job, hit=False, seconds=action.cost["seconds"])
    return manifest


def restore(plan: Plan, store: Store, talk: Talk, live: dict[str, Any]) -> Manifest | None:
    """Bring a job's outputs and its manifest about if the store has them, without computing.

    Parameters
    ----------
    live : the fingerprint of the environment that the job would run in.

    Returns
    -------
    The manifest, or None where the job must be run, be it only to tell what is wrong.
    """
    try:
        return _restore(Attempt.begin(plan, live), store, talk)
    except (UserError, OSError):
        return None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A job about to be done: its inputs as they are, and the key they lead to."""

    plan: Plan
    inputs: dict[str, Input]
    ingredients: dict[str, Any]
    key: str
    sidecar: Sidecar

    @classmethod
    def begin(cls, plan: Plan, live: dict[str, Any]) -> "Attempt":
        """Find the inputs of a job, and its key in the environment with the fingerprint `live`."""
        check(plan.environment.name, plan.environment.requires, live["distributions"])
        inputs = {role: resolve(endpoint) for role, endpoint in plan.inputs.items()}
        ingredients = ingredients_of(plan, live)
        key = key_of(ingredients, {role: entry.logical for role, entry in inputs.items()})
        package = package_root(plan.module)
        sidecar = Sidecar.begin(plan.job, plan.stage, key, live, package)
        return cls(plan=plan, inputs=inputs, ingredients=ingredients, key=key, sidecar=sidecar)


def _restore(attempt: Attempt, store: Store, talk: Talk) -> Manifest | None:
    plan, key = attempt.plan, attempt.key
    store.use(key)  # before it is read, or it may be removed in between
    action = store.lookup(key, talk.warn)
    if action is None or set(action.outputs) != set(plan.outputs):
        return None
    with turn.current(turn.name()):
        manifest = _put(attempt, store, action, attempt.sidecar.hit(action), talk)
        if manifest is None:
            return None
    talk.hit(key, action.cost["seconds"])
    tally.add(plan.job, hit=True, seconds=action.cost["seconds"])
    return manifest


def _put(
    attempt: Attempt, store: Store, action: Action, record: dict[str, Any], talk: Talk
) -> Manifest | None:
    """Put outputs, sidecar and manifest in place; None where an object is not to be had.

    A process that dies here leaves no manifest beside files of another result, as the old one goes
    first and the new one comes last; nor files without a sidecar, which tells that they are ours.
    """
    plan, inputs = attempt.plan, attempt.inputs
    try:
        is_same = Manifest.read(Path(plan.manifest)).outputs == action.outputs
    except IntegrityError:
        is_same = False
    if not is_same:  # else it stays, and what it needs is no garbage meanwhile
        Path(plan.manifest).unlink(missing_ok=True)
    write_record(sidecar_path(Path(plan.manifest)), record)
    if not _place(plan, store, action, talk):
        return None
    manifest = Manifest(
        job=plan.job,
        stage=plan.stage,
        plan=plan.identity,
        key=attempt.key,
        ingredients=attempt.ingredients,
        inputs={role: entry.logical for role, entry in inputs.items()},
        origins=plan.inputs,
        outputs=action.outputs,
        labels_seen=_labels_seen(action, inputs),
    )
    manifest.write(Path(plan.manifest))
    return manifest


def _labels_seen(action: Action, inputs: dict[str, Input]) -> tuple[str, ...]:
    """Everybody whose labels reached the outputs: the stage's own, and those of its inputs.

    Inputs of equal content may have seen other labels than when the action was recorded.
    """
    seen = set(action.labels_seen).union(*(entry.labels_seen for entry in inputs.values()))
    return tuple(sorted(seen))


def _compute(
    attempt: Attempt,
    store: Store,
    talk: Talk,
    checkpoint: Checkpoint,
    workers: int,
    scratch: Path,
) -> Action:
    plan, inputs = attempt.plan, attempt.inputs
    _set_threads(plan.environment.threads)
    stage = import_stage(plan.module, plan.code)
    _check_code(plan)  # after the import: what was imported is then what the key says
    device = kind(attempt.ingredients["environment"]["device"])
    files, names = {}, {}
    for role, entry in inputs.items():
        is_raw = isinstance(plan.inputs[role], Source)
        files[role] = bring(
            role, entry, is_raw=is_raw, store=store, room=scratch / "inputs", talk=talk
        )
        names[str(files[role])] = str(entry.path)
    context = RunContext(inputs, names, device, workers, talk, checkpoint)
    made = scratch / "outputs"
    made.mkdir()
    try:
        stage.run(files, plan.params, made, context)
    except UserError as error:
        raise type(error)(*map(context.in_users_words, error.args)) from error
    found = sorted(path.name for path in made.iterdir())
    if found != sorted(plan.outputs):
        raise UserError(f"stage {plan.stage!r} was to make {sorted(plan.outputs)} and made {found}")
    if not all_read(plan.code):
        _check_code(plan)
    outputs = {name: _publish(made / name, store) for name in found}
    action = Action(
        outputs=outputs,
        labels_seen=context.own_labels(),
        cost=attempt.sidecar.cost(),
        made=attempt.sidecar.circumstances(),
    )
    if plan.environment.fingerprint() != attempt.ingredients["environment"]:
        raise IntegrityError(
            "a package changed while it was being used. Run the same command again."
        )
    store.record(attempt.key, action)
    checkpoint.remove()
    return action


def _check_code(plan: Plan) -> None:
    if code_closure(plan.module, memory=MODULES) != plan.code:
        raise IntegrityError(
            f"the code of stage {plan.stage!r} changed after the job was planned. Run the same "
            "command again."
        )


def _publish(path: Path, store: Store) -> Output:
    """Move an output file into the store."""
    size = path.stat().st_size
    logical, parts = digests(path)
    return Output(logical=logical, sha256=store.publish(path), bytes=size, parts=parts)


def _place(plan: Plan, store: Store, action: Action, talk: Talk) -> bool:
    """Put verified copies of an action's objects in place; False where one cannot be had."""
    try:
        for name, output in action.outputs.items():
            store.place(output.sha256, Path(plan.directory) / name)
    except IntegrityError as error:
        talk.warn(f"{error}; computing it again")
        return False
    return True


def _set_threads(threads: int) -> None:
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)


class RunContext:
    """What the running stage may ask for; see `ledger.context.Context`."""

    def __init__(
        self,
        inputs: dict[str, Input],
        names: Mapping[str, str],
        device: str,
        workers: int,
        talk: Talk,
        checkpoint: Checkpoint,
    ) -> None:
        self.labels_seen = {role: frozenset(e.labels_seen) for role, e in inputs.items()}
        self.device = device
        self.workers = workers
        self._own: set[str] = set()
        self._names, self._talk = names, talk
        self.checkpoint = checkpoint
        self.progress = talk.progress

    def in_users_words(self, text: str) -> str:
        """The same with the names of the files that the inputs are copies of."""
        for own, name in self._names.items():
            text = text.replace(own, name)
        return text

    def note(self, message: str) -> None:
        """Tell the user something worth a line."""
        self._talk.note(self.in_users_words(message))

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the chain."""
        self._talk.warn(self.in_users_words(message))

    def saw_labels_of(self, whom) -> None:
        """Record that the outputs depend on the labels of `whom`."""
        self._own.update(map(str, whom))

    def own_labels(self) -> tuple[str, ...]:
        """Those whose labels the stage itself used, sorted."""
        return tuple(sorted(self._own))
