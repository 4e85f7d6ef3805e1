"""The sentence at the end of a run."""

import re
import shutil

SUMMARY = (
    r"^emodag: (\d+) jobs?, (\d+) hits?; took \d+\.\d s, "
    r"computed (\d+\.\d) s summed over jobs, saved (\d+\.\d) s$"
)
TABLE = "results/local/table/manifest.json"


def summary(done) -> tuple[int, int, float, float]:
    """Jobs, hits, seconds computed and seconds saved of the one summary a run prints."""
    ((jobs, hits, computed, saved),) = re.findall(SUMMARY, done.stderr, re.MULTILINE)
    return int(jobs), int(hits), float(computed), float(saved)


def test_jobs_hits_and_seconds_and_the_last_twenty_runs_are_kept(project):
    runs = project.path / ".emodag/runs"
    runs.mkdir(parents=True)
    for day in range(1, 26):
        (runs / f"202001{day:02d}T000000-1.jsonl").write_text("")
    jobs, hits, computed, saved = summary(project.snakemake(TABLE))
    assert (jobs, hits, saved) == (1, 0, 0.0) and computed > 0
    kept = sorted(path.name for path in runs.iterdir())
    assert len(kept) == 20 and kept[0] == "20200107T000000-1.jsonl"
    assert "emodag:" not in project.snakemake(TABLE).stderr, "nothing was done"
    shutil.rmtree(project.path / "results")
    (project.path / "results").mkdir()
    assert summary(project.snakemake(TABLE)) == (1, 1, 0.0, computed)
