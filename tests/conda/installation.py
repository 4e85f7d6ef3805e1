"""The directory that stands in for conda's own installation."""

import shlex
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent


def install_front_end(base: Path, channel: Path) -> None:
    """Lay out `base` as `front_end.py` expects it, with `channel` in conda-forge's place."""
    (base / "bin").mkdir(parents=True)
    (base / "channels").mkdir()
    (base / "channels" / "conda-forge").symlink_to(channel)
    shutil.copy(HERE / "activate.sh", base / "bin" / "activate")
    command = [sys.executable, "-I", str(HERE / "front_end.py"), str(base)]
    conda = base / "bin" / "conda"
    conda.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    conda.chmod(0o755)
