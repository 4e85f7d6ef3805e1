"""What may lie where a file should be, each by the word that it is refused with."""

import os
import socket
from pathlib import Path


def pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    """Bound by its name alone, since a socket's address is short."""
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(path.parent)
        try:
            bound.bind(path.name)
        finally:
            os.chdir(here)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.mkdir()
    (path / "kept").write_text("kept")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


OBSTACLES = {
    pipe: "a pipe",
    a_socket: "a socket",
    device: "a device",
    directory: "a directory",
    loop: "Too many levels of symbolic links",
}
