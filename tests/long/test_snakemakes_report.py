"""Snakemake's own report, of `--report`, on a finished run."""

from tests.workflow.test_report import INDEX, REPORT


def test_snakemake_s_own_report_holds_it(reported, tmp_path):
    tables = ["results/scores.csv", "results/leaderboard.csv", "results/submission.csv"]
    reported.snakemake("--report", str(tmp_path / "own.html"))
    text = (tmp_path / "own.html").read_text()
    for path in (REPORT, INDEX, *tables):
        assert f'"{path}"' in text
    for word in ("Reports", "Tables", "the whole run", "how far the published protocol flatters"):
        assert word in text
