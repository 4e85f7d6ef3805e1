"""Run one planned job: from the store when its key is known, by computing it otherwise.

The key is made of the job's ingredients as they are now, not as they were planned: the code that
was really imported, the inputs' logical digests, the live environment. Whatever happens, the
store and the results hold only whole, verified files, and the manifest is written last.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emodag.errors import EmodagError, IntegrityError
from emodag.provenance import tally
from emodag.provenance.canonical import file_sha256
from emodag.provenance.checkpoint import Checkpoint
from emodag.provenance.closure import code_closure
from emodag.provenance.device import kind
from emodag.provenance.digest import logical_digest
from emodag.provenance.fingerprint import THREAD_VARIABLES, check
from emodag.provenance.freshness import is_replaced
from emodag.provenance.from_source import import_stage
from emodag.provenance.key import ingredients_of, key_of
from emodag.provenance.manifest import Manifest, Output
from emodag.provenance.plan import Plan, PlanError, Source
from emodag.provenance.sidecar import Sidecar, sidecar_path, write_record
from emodag.provenance.store import Action, Store
from emodag.provenance.talk import Talk


@dataclass(frozen=True)
class Input:
    """An input as the job finds it: its file, digests, and the labels behind it."""

    path: Path
    logical: str
    sha256: str
    labels_seen: tuple[str, ...] = ()


def run(
    plan: Plan, store: Store, talk: Talk, *, checkpoint_every: int, workers: int = 1
) -> Manifest:
    """Bring a job's outputs and its manifest about; returns the manifest.

    `checkpoint_every` is how many epochs a fit may lose when it is killed, `workers` how many
    threads a stage may start; no result depends on them, so they are part of no plan and no key.

    Raises
    ------
    EnvironmentMismatch
        When the interpreter is not the environment that the plan requires.
    PlanError
        When the job outlived its Snakemake and another one has planned it anew meanwhile.
    IntegrityError
        When an input is damaged and the store cannot restore it, or the code changed meanwhile.
    EmodagError
        Whatever clear error the stage itself raises.
    """
    attempt = Attempt.begin(plan, plan.environment.fingerprint())
    if manifest := _restore(attempt, store, talk):
        return manifest
    talk.run(attempt.key)
    checkpoint = Checkpoint(store, attempt.key, checkpoint_every, talk)
    action = _compute(attempt, store, talk, checkpoint, workers)
    if is_replaced(plan):
        raise PlanError(
            "was planned anew while it ran. Its result is in the store, and the results are "
            "left to the new plan; run the same command again if that one was yours."
        )
    if not _place(plan, store, action, talk):
        raise IntegrityError(f"{store.root}: objects vanish while they are being used")
    talk.done(attempt.key, action.cost["seconds"])
    tally.add(plan.job, hit=False, seconds=action.cost["seconds"])
    return _finish(attempt, action, attempt.sidecar.computed(action))


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
    except (EmodagError, OSError):
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
        inputs = {role: _resolve(endpoint) for role, endpoint in plan.inputs.items()}
        ingredients = ingredients_of(plan, live)
        key = key_of(ingredients, {role: entry.logical for role, entry in inputs.items()})
        sidecar = Sidecar.begin(plan.job, key, live)
        return cls(plan=plan, inputs=inputs, ingredients=ingredients, key=key, sidecar=sidecar)


def _restore(attempt: Attempt, store: Store, talk: Talk) -> Manifest | None:
    plan, key = attempt.plan, attempt.key
    action = store.lookup(key)
    if action is None or set(action.outputs) != set(plan.outputs):
        return None
    if not _place(plan, store, action, talk):
        return None
    talk.hit(key, action.cost["seconds"])
    tally.add(plan.job, hit=True, seconds=action.cost["seconds"])
    return _finish(attempt, action, attempt.sidecar.hit(action))


def _finish(attempt: Attempt, action: Action, record: dict[str, Any]) -> Manifest:
    """Write the sidecar and, last of all, the manifest."""
    plan, inputs = attempt.plan, attempt.inputs
    write_record(sidecar_path(Path(plan.manifest)), record)
    manifest = Manifest(
        job=plan.job,
        stage=plan.stage,
        plan=plan.identity(),
        key=attempt.key,
        ingredients=attempt.ingredients,
        inputs={role: entry.logical for role, entry in inputs.items()},
        origins={role: asdict(endpoint) for role, endpoint in plan.inputs.items()},
        outputs=action.outputs,
        labels_seen=_labels_seen(action, inputs),
    )
    manifest.write(Path(plan.manifest))
    return manifest


def _labels_seen(action: Action, inputs: dict[str, Input]) -> tuple[str, ...]:
    """Every person whose labels reached the outputs: the stage's own, and those of its inputs.

    Inputs of equal content may have seen other labels than when the action was recorded.
    """
    seen = set(action.labels_seen).union(*(entry.labels_seen for entry in inputs.values()))
    return tuple(sorted(seen))


def _resolve(endpoint) -> Input:
    if isinstance(endpoint, Source):
        return Input(Path(endpoint.path), endpoint.sha256, endpoint.sha256)
    path = Path(endpoint.manifest)
    manifest = Manifest.read(path)
    if endpoint.file not in manifest.outputs:
        raise IntegrityError(
            f"{path}: lists no {endpoint.file!r}. Run the same command again; it plans anew."
        )
    output = manifest.outputs[endpoint.file]
    # An artifact lies beside its manifest, whatever the manifest is called.
    return Input(path.parent / endpoint.file, output.logical, output.sha256, manifest.labels_seen)


def _verify(entry: Input, store: Store, talk: Talk) -> None:
    """Make sure an input's bytes are the ones its manifest promises; mend it from the store."""
    found = file_sha256(entry.path) if entry.path.is_file() else None
    if found == entry.sha256:
        return
    state = "is missing" if found is None else "is damaged"
    try:
        store.place(entry.sha256, entry.path)
    except IntegrityError:
        raise IntegrityError(
            f"{entry.path}: {state} (expected sha256 {entry.sha256[:12]}), and the store cannot "
            "restore it. Delete the manifest beside it and run the same command again."
        ) from None
    talk.warn(f"{entry.path} {state}; restored from the store")


def _compute(
    attempt: Attempt, store: Store, talk: Talk, checkpoint: Checkpoint, workers: int
) -> Action:
    plan, inputs = attempt.plan, attempt.inputs
    for role, endpoint in plan.inputs.items():
        if isinstance(endpoint, Source):
            _verify_source(inputs[role])
        else:
            _verify(inputs[role], store, talk)
    _set_threads(plan.environment.threads)
    module = f"emodag.stages.{plan.stage}"
    stage = import_stage(module)
    # Checked after the import: what was imported is then what the key says.
    if code_closure(module) != plan.code:
        raise IntegrityError(
            f"the code of stage {plan.stage!r} changed after the job was planned. Run the same "
            "command again."
        )
    device = kind(attempt.ingredients["environment"]["device"])
    context = RunContext(inputs, device, workers, talk, checkpoint)
    with store.scratch() as scratch:
        files = {role: entry.path for role, entry in inputs.items()}
        stage.run(files, plan.params, scratch, context)
        made = sorted(path.name for path in scratch.iterdir())
        if made != sorted(plan.outputs):
            raise EmodagError(
                f"stage {plan.stage!r} was to make {sorted(plan.outputs)} and made {made}"
            )
        outputs = {}
        for name in made:
            outputs[name] = _publish(scratch / name, store)
    action = Action(
        outputs=outputs,
        labels_seen=context.own_labels(),
        cost=attempt.sidecar.cost(),
        made=attempt.sidecar.circumstances(),
    )
    store.record(attempt.key, action)
    checkpoint.remove()
    return action


def _publish(path: Path, store: Store) -> Output:
    """Move an output file into the store; digest and sketch are made in one reading of it."""
    from emodag.provenance.sketch import Sketcher

    sketcher, size = Sketcher(), path.stat().st_size
    logical = logical_digest(path, sketcher)
    return Output(logical=logical, sha256=store.publish(path), bytes=size, sketch=sketcher.text())


def _verify_source(entry: Input) -> None:
    if not entry.path.is_file() or file_sha256(entry.path) != entry.sha256:
        raise IntegrityError(
            f"{entry.path}: changed while the workflow was running. Run the same command again."
        )


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
    """What the running stage may ask for; see `emodag.context.Context`."""

    def __init__(
        self,
        inputs: dict[str, Input],
        device: str,
        workers: int,
        talk: Talk,
        checkpoint: Checkpoint,
    ) -> None:
        self.labels_seen = {role: frozenset(e.labels_seen) for role, e in inputs.items()}
        self.device = device
        self.workers = workers
        self._own: set[str] = set()
        self._talk = talk
        self.checkpoint = checkpoint
        self.note, self.warn, self.progress = talk.note, talk.warn, talk.progress

    def saw_labels_of(self, persons) -> None:
        """Record that the outputs depend on the labels of `persons`."""
        self._own.update(map(str, persons))

    def own_labels(self) -> tuple[str, ...]:
        """The persons whose labels the stage itself used, sorted."""
        return tuple(sorted(self._own))
