"""Keys of jobs before any of them has run, followed down the chain by what is recorded of them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from ledger.jobs.key import key_ahead
from ledger.jobs.manifest import Manifest, Output, Upstream
from ledger.jobs.plan import Environment, Plan
from ledger.remote.through import StoreThrough, Warn
from ledger.store.store import Action


class Ahead(NamedTuple):
    """What is known of jobs before they run.

    Attributes
    ----------
    keys : the key by job, where it can be told.
    found : what further stores have recorded, by key.
    """

    keys: dict[str, str]
    found: dict[str, Action]


def look_ahead(
    plans: Collection[Plan],
    live: Callable[[Environment], dict[str, Any] | None],
    store: StoreThrough,
    warn: Warn,
    manifest_at: Callable[[str], Manifest | None] = lambda _: None,
) -> Ahead:
    """Find what further stores have recorded of jobs that the store has not; brings nothing here.

    A job's key is known once the digests of its inputs are, so jobs are asked for in as many
    batches as the longest path through them is long.

    Parameters
    ----------
    plans : each after those it rests on.
    live : the fingerprint of an environment, None where this machine cannot tell.
    manifest_at : the manifest at a path, for what need not be asked for as the results have it.
    """
    outputs: dict[str, Mapping[str, Output]] = {plan.manifest: {} for plan in plans}
    ahead, waiting = Ahead({}, {}), list(plans)

    def digest_of(endpoint: Upstream) -> str | None:
        if endpoint.manifest in outputs:
            output = outputs[endpoint.manifest].get(endpoint.file)
            return output and output.logical
        manifest = manifest_at(endpoint.manifest)
        return manifest and manifest.logical(endpoint.file)

    while waiting:
        known: dict[str, str] = {}
        plans, waiting = waiting, []
        for plan in plans:
            if (now := live(plan.environment)) is None:
                continue
            if (key := key_ahead(plan, now, digest_of)) is None:
                waiting.append(plan)
                continue
            ahead.keys[plan.job] = known[plan.manifest] = key
            manifest = manifest_at(plan.manifest)
            if manifest and manifest.key == key:
                outputs[plan.manifest] = manifest.outputs
            elif action := store.whole(key):
                outputs[plan.manifest] = action.outputs
        found = store.find([k for path, k in known.items() if not outputs[path]], warn)
        ahead.found.update(found)
        outputs |= {path: found[key].outputs for path, key in known.items() if key in found}
        if not known:
            break
    return ahead
