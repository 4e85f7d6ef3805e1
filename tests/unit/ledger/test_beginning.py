"""What is put in order before a run: which tables stay, which are set aside, and what is kept."""

import os
from pathlib import Path

import pytest

from emodag.chain.chain import Chain
from emodag.chain.stages import FINALS
from emodag.config.sections import Config
from emodag.config.written import effective_yaml
from ledger.disk.canonical import digest, file_sha256
from ledger.jobs.job import Job
from ledger.jobs.manifest import Output
from ledger.snakemake.beginning import bring_to_the_present, clear_away, keep_together
from ledger.store.sidecar import sidecar_path
from tests.unit.ledger.test_plan import plan
from tests.unit.ledger.test_store import manifest

SUBMISSION = Path("results/submission.csv")
MANIFEST = Path("results/submission.manifest.json")
CONFIGURATION = Path("results/configuration.yaml")
PLANNED = plan(job="submission", directory="results", manifest=str(MANIFEST), inputs={})
TEXT = effective_yaml(Config()).encode()


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch) -> str:
    """A submission as planned, by the configuration that lies beside it; returns its text."""
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    SUBMISSION.write_text("first")
    output = Output(logical=digest("l"), sha256=file_sha256(SUBMISSION), bytes=5)
    made = manifest(job="submission", plan=PLANNED.identity, outputs={"submission.csv": output})
    made.write(MANIFEST)
    sidecar_path(MANIFEST).write_text("{}")
    CONFIGURATION.write_bytes(TEXT)
    return "first"


def begin(planned=PLANNED, *, anew=False, held: tuple[str, ...] = ()) -> dict[Path, Path]:
    """Where the tables were moved to; `held` are texts that the store has."""
    hashes = set()
    for text in held:
        Path("held").write_text(text)
        hashes.add(file_sha256(Path("held")))

    def make_anew(name: str) -> bool:
        if anew:
            SUBMISSION.write_text("second")
        return anew

    plans = {"submission": planned}
    return keep_together(TEXT, FINALS, plans.get, make_anew, hashes.__contains__)


def earlier() -> list[str]:
    return sorted(path.read_text() for path in Path("results").glob("earlier/*.csv"))


OTHER = plan(job="submission", directory="results", manifest=str(MANIFEST), params={"other": 1})


def test_what_is_as_recorded_stays_whatever_the_store_has(table):
    assert begin() == {} and SUBMISSION.read_text() == table and MANIFEST.exists()


def test_what_was_edited_by_hand_is_set_aside_though_nothing_else_changed(table):
    SUBMISSION.write_text("mine")
    assert list(begin(held=(table,))) == [SUBMISSION]
    assert earlier() == ["mine"] and not SUBMISSION.exists() and MANIFEST.exists()


@pytest.mark.parametrize("planned", [OTHER, None])
def test_what_is_not_of_this_run_is_set_aside_without_its_manifest(table, planned):
    assert list(begin(planned, held=(table,))) == [SUBMISSION]
    assert earlier() == [table]
    assert not (SUBMISSION.exists() or MANIFEST.exists() or sidecar_path(MANIFEST).exists())


def test_what_the_store_has_gives_way_to_what_takes_its_place(table):
    assert begin(OTHER, anew=True, held=(table,)) == {}
    assert SUBMISSION.read_text() == "second" and earlier() == []


def test_what_is_made_anew_where_there_was_no_table_stays():
    """Somebody has deleted it, or a power cut has, and its manifest is still there."""
    SUBMISSION.unlink()
    assert begin(OTHER, anew=True) == {} and SUBMISSION.read_text() == "second"
    assert earlier() == []


def test_what_the_store_lacks_does_not(table):
    begin(OTHER, anew=True, held=())
    assert earlier() == [table] and not SUBMISSION.exists()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{}")])
def test_without_a_manifest_nobody_can_tell_what_it_is(table, damage):
    damage(MANIFEST)
    assert list(begin(held=(table,))) == [SUBMISSION] and earlier() == [table]


def test_nothing_set_aside_replaces_what_was_set_aside_before(table):
    for text in ("mine", "mine too", "mine"):
        SUBMISSION.write_text(text)
        begin()
    assert earlier() == ["mine", "mine too"]


def test_the_configuration_goes_with_its_tables(table):
    CONFIGURATION.write_text("another")
    moved = begin(OTHER)
    assert moved[CONFIGURATION].read_text() == "another"
    assert CONFIGURATION.read_text() == TEXT.decode()


def test_the_configuration_is_written_where_nothing_is_set_aside(table):
    CONFIGURATION.write_text("another")
    assert begin() == {} and CONFIGURATION.read_text() == TEXT.decode()


def test_a_manifest_that_somebody_has_copied_decides_nothing(table):
    """It lists the table as its own, and is of no job of that name."""
    copied = Path("results/mine.manifest.json")
    copied.write_bytes(MANIFEST.read_bytes())
    assert begin() == {} and copied.exists() and SUBMISSION.exists()
    begin(OTHER, anew=True, held=(table,))
    assert copied.exists() and SUBMISSION.read_text() == "second"


def test_tables_of_a_variant_that_is_gone_are_set_aside_under_its_name():
    home = Path("results/variants/linear")
    home.mkdir(parents=True)
    (home / "submission.csv").write_text("first")
    output = Output(logical=digest("l"), sha256=file_sha256(SUBMISSION), bytes=5)
    made = manifest(job="variants/linear/submission", outputs={"submission.csv": output})
    made.write(home / "submission.manifest.json")
    (moved,) = begin(held=("first",)).values()
    assert moved.parent == Path("results/earlier/variants/linear") and moved.read_text() == "first"
    assert SUBMISSION.exists() and not list(home.iterdir())


def test_what_the_workflow_does_not_make_is_left_alone(table):
    others = [Path("results/notes.csv"), Path("results/submission.txt")]
    for path in others:
        path.write_text("mine")
    begin(OTHER)
    assert all(path.exists() for path in others)


def job(name: str = "local/table") -> Job:
    return Chain(Config(), "local").job(name, "folds", {})


def test_leftovers_of_killed_processes_go_and_nothing_else():
    home = Path("results/local/table")
    home.mkdir(parents=True)
    leftovers = [home / f".{name}.ab_cd123" for name in ("folds.parquet", "manifest.json")]
    leftovers += [home / ".provenance.json.abcdefgh", Path("results/.configuration.yaml.abcdefgh")]
    kept = [home / name for name in (".mine.abcdefgh", ".folds.parquet.abc", "folds.parquet")]
    for path in (*leftovers, *kept):
        path.write_text("")
    clear_away([job()])
    assert not any(path.exists() for path in leftovers) and all(path.exists() for path in kept)


def test_times_of_the_future_are_brought_to_the_present():
    home = Path("results/local/table")
    home.mkdir(parents=True)
    old, new = home / "folds.parquet", home / "manifest.json"
    for path in (old, new):
        path.write_text("")
    now = new.stat().st_mtime
    os.utime(old, (now - 100, now - 100))
    os.utime(new, (now + 3600, now + 3600))
    bring_to_the_present([job()], now)
    assert old.stat().st_mtime == now - 100 and new.stat().st_mtime < now + 3600
