"""Scenario 17: a store on a full disk; `tests/workflow/scenarios` has results on one."""

import shutil

from tests.workflow.scenarios.scenario import is_sound
from tests.workflow.scenarios.test_edits import edit_blending
from tests.workflow.scenarios.test_store_scenarios import fill


def test_17_the_stores_disk_is_full(scenario, tmp_path, mount, correct):
    scenario.store.rename(tmp_path / "kept")
    scenario.store.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", at=scenario.store)
    shutil.copytree(tmp_path / "kept", scenario.store, dirs_exist_ok=True)
    filler = fill(scenario.store)
    edit_blending(scenario)
    done = scenario.run(check=False)
    assert done.status != 0 and done.ran == {"gen1/blend"}
    advice = "the disk is full; free some space and run the same command again"
    assert advice in done.said and "Traceback" not in done.said
    assert is_sound(scenario.store) and not list((scenario.store / "scratch").iterdir())

    # Weights are not written by Arrow, and fail in a way of their own.
    scenario.forget_computing("gen0/all")
    scenario.forget("results/local/published/seed1/gen0/all/manifest.json")
    done = scenario.run("results/local/published/seed1/gen0/all/manifest.json", check=False)
    assert done.status != 0 and done.ran == {"gen0/all"}
    assert advice in done.said and "Traceback" not in done.said

    filler.unlink()
    assert scenario.run().ran == {"gen0/all", "gen1/blend", "submission"}
    correct(scenario)
