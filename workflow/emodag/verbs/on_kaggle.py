"""The cells of the notebook that `emodag kaggle` writes, each after a line with # %%."""

# %% The project, the packages that the image lacks, and the tables
import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

GIVEN, HERE, KEPT = Path("/kaggle/input"), Path("/kaggle/temp/emodag"), Path("/kaggle/working")


def given(name: str) -> Path:
    """The one file of that name in what is attached to the notebook."""
    found = sorted(GIVEN.rglob(name))
    if len(found) != 1:
        raise RuntimeError(
            f"{name}: found {len(found)} times below {GIVEN}, expected once; attach the dataset, "
            "and the competition's data if its tables are to be used, and nothing else"
        )
    return found[0]


shutil.unpack_archive(given("emodag.bundle"), HERE, "gztar")
wanted = json.loads((HERE / "wanted.json").read_text())
python = f"{sys.version_info.major}.{sys.version_info.minor}"
if python != wanted["python"]:
    raise RuntimeError(
        f"this image has Python {python}, and the packages are for {wanted['python']}; write the "
        f"dataset anew with --python {python}"
    )
for table in map(HERE.joinpath, wanted["tables"]):
    table.parent.mkdir(parents=True, exist_ok=True)
    table.symlink_to(given(table.name))

# %% An environment that sees these packages first, and then all of the image
subprocess.run([sys.executable, "-m", "venv", "--without-pip", HERE / ".venv"], check=True)
(place,) = HERE.glob(".venv/lib/python3*/site-packages")
places = [HERE / "packages", HERE / "workflow", *site.getsitepackages()]
(place / "kaggle.pth").write_text("".join(f"{path}\n" for path in places))
PYTHON = HERE / ".venv/bin/python"

# %% The run
command = [PYTHON, "-m", "snakemake", f"-c{os.cpu_count()}", "--configfile", "mine.yaml"]
subprocess.run(command, cwd=HERE, check=True)

# %% What the notebook keeps
for table in sorted(HERE.glob("results/*.csv")):
    shutil.copy(table, KEPT)
subprocess.run([PYTHON, "-m", "emodag", "pack", KEPT / "kaggle.zip"], cwd=HERE, check=True)
