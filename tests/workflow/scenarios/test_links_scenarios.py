"""Security: links put into the results do not lead writes elsewhere."""

from tests.workflow.scenarios.test_edits import edit_blending


def test_a_link_in_place_of_an_output_is_replaced(scenario, tmp_path, correct):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    blend = scenario.home("gen1/blend")
    for name in ("test.parquet", "manifest.json", "provenance.json", "blend.log"):
        (blend / name).unlink()
        (blend / name).symlink_to(precious)
    assert scenario.run().hit == {"gen1/blend"}
    assert precious.read_text() == "kept"
    assert not any(path.is_symlink() for path in blend.iterdir())
    correct(scenario)


def test_a_link_in_place_of_a_directory_is_refused(scenario, tmp_path, correct):
    elsewhere, blend = tmp_path / "elsewhere", scenario.home("gen1/blend")
    elsewhere.mkdir()
    (elsewhere / "provenance.json").write_text("kept")
    for name in ("test.parquet", "manifest.json"):
        (blend / name).rename(elsewhere / name)
    scenario.forget(blend.relative_to(scenario.path))
    blend.symlink_to(elsewhere)
    edit_blending(scenario)
    done = scenario.run(check=False)
    assert done.status != 0 and done.ran == set()
    assert "'results/local/published/seed1/gen1/blend' leads out of `results`" in done.said
    assert (elsewhere / "provenance.json").read_text() == "kept"
    blend.unlink()
    assert scenario.run().ran == {"gen1/blend", "submission"}
    correct(scenario)
