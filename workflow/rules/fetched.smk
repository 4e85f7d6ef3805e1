# Needs a Snakefile that Snakemake has read from GitHub or GitLab, of which it takes no other files.
# Makes ROOT: all that this commit holds, in the working directory.
import shutil
import tempfile
from contextlib import suppress

SOURCE = workflow.included_stack[-1]
REPO = SOURCE.hosted_repo.repo
COMMIT = REPO.commit(SOURCE.ref).hexsha
ROOT = Path(".emodag/source", COMMIT).absolute()

if not ROOT.exists():
    ROOT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT.parent) as place:
        REPO.git.archive(COMMIT, output=f"{place}/archive.tar")
        shutil.unpack_archive(f"{place}/archive.tar", f"{place}/whole", filter="data")
        with suppress(FileExistsError):  # another process was quicker
            Path(place, "whole").rename(ROOT)
