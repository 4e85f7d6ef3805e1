"""The report's bytes, however it is made."""

import shutil

from ledger.disk.canonical import file_sha256
from tests.project import Project, jobs
from tests.workflow.test_report import REPORT


def test_its_bytes_depend_on_nothing_else(reported, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(reported.path, project.path, symlinks=True)
    before = file_sha256(project.path / REPORT)
    store = str(tmp_path / "another")
    done = project.snakemake("--forcerun", "report", REPORT, EMODAG_STORE=store, TZ="Asia/Tokyo")
    assert jobs(done, "RUN") == ["report"] and file_sha256(project.path / REPORT) == before
