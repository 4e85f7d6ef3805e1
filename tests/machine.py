"""A machine to set up on: a directory with the commands it has, indexes, and a small project.

The project's own set-up runs there on locks of tiny packages. Real are sh, uv, Python, and the
indexes, which are directories; what is missing on the machine is not in its PATH.
"""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import urllib.parse
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

COMMANDS = "sh cat cp env flock mkdir mv rm tail tar uname"

PRETENDER = """\
import sys
version, absent = {version!r}, {absent!r}
if version:
    sys.version_info = (*version, "final", 0)
    sys.version = ".".join(map(str, version)) + " (pretended)"
class Absent:
    def find_spec(self, name, path=None, target=None):
        # Not in what set-up makes to be without it: a virtual environment, pip in a wheel.
        own = sys.prefix != sys.base_prefix or any(path.endswith(".whl") for path in sys.path)
        if name.partition(".")[0] in absent and not own:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Absent())
"""


def wheel(folder: Path, name: str, version: str, script: str | None = None) -> str:
    """Write a wheel with one module of one line, and a script; returns its entry in a lock."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{name}-{version}.data/scripts/{name}"] = script
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            member = zipfile.ZipInfo(file)
            member.external_attr = (0o100755 if "/scripts/" in file else 0o100644) << 16
            archive.writestr(member, text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"


def refusal(done):
    """What set-up says when it gives up: its last line of its own, and what follows."""
    assert done.returncode != 0, done.stdout
    return done.stdout[done.stdout.rindex("set-up: ") :]


@contextlib.contextmanager
def silent():
    """An address that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def accept():
            while True:
                try:
                    kept.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def any_host(pages: Path, place: Path):
    """A proxy that answers for every host as if it were it; the variables that have it asked.

    It serves what is called as the end of an address in the directory `pages`. Its certificates,
    made for each host in `place`, are signed by an authority that the variables name.
    """

    def certify(*arguments: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        command = ["openssl", "req", "-x509", *key, *arguments]
        subprocess.run(command, cwd=place, check=True, capture_output=True)

    place.mkdir()
    certify("-subj", "/CN=a test", "-keyout", "own.key", "-out", "own.pem")

    class Host(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            host = self.path.rpartition(":")[0]
            name = ["-addext", f"subjectAltName=DNS:{host}", "-subj", f"/CN={host}"]
            leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", f"{host}.key"]
            certify(*name, *leaf, "-CA", "own.pem", "-CAkey", "own.key", "-out", f"{host}.pem")
            self.send_response(200)
            self.end_headers()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(place / f"{host}.pem", place / f"{host}.key")
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            self.close_connection = False

        def translate_path(self, path: str) -> str:
            asked = urllib.parse.unquote(path).strip("/").split("/")
            found = [pages.joinpath(*asked[n:]) for n in range(len(asked))]
            return str(next((one for one in found if one.exists()), pages / "absent"))

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield {"ALL_PROXY": address, "SSL_CERT_FILE": str(place / "own.pem")}
        server.shutdown()


class Machine:
    """Has uv in PATH and the running Python, and an index with all that the locks pin.

    Attributes
    ----------
    project : the directory that set-up runs in.
    commands : the directory that is its PATH.
    main, more : directories of wheels: the main index, and one with torch without CUDA.
    variables : what set-up finds in its environment.
    """

    def __init__(self, place: Path, name: str = "project") -> None:
        self.project, self.commands = place / name, place / "bin"
        self.main, self.more = place / "main", place / "more"
        place.mkdir(exist_ok=True)
        self.commands.mkdir()
        for command in COMMANDS.split():
            (self.commands / command).symlink_to(shutil.which(command))
        self.add_python("python3")
        self.uv = Path(sys.prefix, "bin/uv").resolve()
        (self.commands / "uv").symlink_to(self.uv)
        self.variables = {
            "PATH": str(self.commands),
            "HOME": str(place),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"{self.main} {self.more}",
        }

        modules = ("__init__", "called", "errors", "shown")
        modules += ("environments/__init__", "environments/installer")
        for name in ("emodag/__init__", "emodag/setup", *(f"ledger/{name}" for name in modules)):
            to = self.project / f"workflow/{name}.py"
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / f"workflow/{name}.py", to)
        envs = self.project / "envs"
        envs.mkdir()
        shutil.copy(ROOT / "Makefile", self.project)
        shutil.copy(ROOT / "envs/setup.sh", envs)
        forward = f'#!/bin/sh\nexec {self.uv} "$@"\n'
        version = (ROOT / "envs/uv.in").read_text().split("==")[1].strip()
        self.lock("uv", wheel(self.main, "uv", version, forward))
        self.lock("local", wheel(self.main, "pandas", "9.9"))
        self.lock("dev", wheel(self.main, "pytest", "8.8"))
        self.lock("local.torch-cuda", wheel(self.main, "torch", "9.9"))
        self.lock("local.torch-cpu", wheel(self.more, "torch", "9.9+cpu"))

    def without(self, *commands: str) -> None:
        """Take commands away."""
        for command in commands:
            (self.commands / command).unlink()

    def offer_python(self) -> dict[str, str]:
        """A mirror with an archive of the running Python; the variable that tells uv of it."""
        base, version = Path(sys.base_prefix), platform.python_version()
        series = f"python3.{sys.version_info.minor}"
        setup = self.project / "envs/setup.sh"
        text, _ = re.subn(r"(?m)^CPYTHON=\S+", f"CPYTHON={version}", setup.read_text())
        setup.write_text(text)
        place = self.main.parent / "mirror"
        place.mkdir()
        archive = place / "cpython.tar.gz"
        needless = re.compile(r"/(test|__pycache__|site-packages|config-[^/]*|idlelib)(/|$)")
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(base / "bin" / series, f"python/bin/{series}")
            tar.add(
                base / "lib" / series,
                f"python/lib/{series}",
                filter=lambda member: None if needless.search(member.name) else member,
            )
        about = {
            "name": "cpython",
            "arch": {"family": platform.machine(), "variant": None},
            **{"os": "linux", "libc": "gnu", "prerelease": "", "variant": None, "build": "1"},
            **dict(zip(("major", "minor", "patch"), map(int, version.split(".")), strict=True)),
            "url": archive.as_uri(),
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        }
        key = f"cpython-{version}-linux-{platform.machine()}-gnu"
        (place / "list.json").write_text(json.dumps({key: about}))
        return {"UV_PYTHON_DOWNLOADS_JSON_URL": str(place / "list.json")}

    def lock(self, name: str, text: str) -> None:
        """Write a lock of the project."""
        (self.project / "envs" / f"{name}.lock").write_text(text)

    def add_python(
        self, command: str, version: tuple[int, int, int] | None = None, absent: tuple = ()
    ) -> None:
        """Give it a Python that says another version than its own, or lacks modules."""
        pretence = self.commands.parent / f"pretence-{command}"
        pretence.mkdir(exist_ok=True)
        text = PRETENDER.format(version=version, absent=absent)
        (pretence / "sitecustomize.py").write_text(text)
        path = self.commands / command
        real = Path(sys.base_prefix, "bin/python3")
        # One that pretends nothing is linked, as uv asks after the real ones.
        path.unlink(missing_ok=True)
        if version or absent:
            more = f'PYTHONPATH="{pretence}${{PYTHONPATH:+:$PYTHONPATH}}"'
            # uv asks in isolated mode, which would tell it the truth.
            heed = '[ "$1" = -I ] && shift'
            path.write_text(f'#!/bin/sh\n{heed}\n{more} exec {real} "$@"\n')
            path.chmod(0o755)
        else:
            path.symlink_to(real)

    def start(self, *layers: str, **variables: str) -> subprocess.Popen:
        """Start set-up in a process group of its own; its output and errors are one text."""
        return subprocess.Popen(
            ["sh", "envs/setup.sh", *layers],
            cwd=self.project,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def set_up(self, *layers: str, **variables: str) -> subprocess.CompletedProcess:
        """The same, to its end."""
        process = self.start(*layers, **variables)
        said, _ = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    def installed(self, module: str) -> str:
        """The version of a module in .venv."""
        code = f"import {module}; print({module}.VERSION)"
        python = self.project / ".venv/bin/python"
        done = subprocess.run([python, "-c", code], env={}, capture_output=True, text=True)
        return done.stdout.strip() or done.stderr
