"""A further store: files by name that are asked for, read and put, and never listed.

It has the layout of a store (see `ledger.store.store`), be it a directory, a bucket of S3, or a
directory behind SSH. Whatever it does is bounded: a few seconds without an answer or a byte, and it
counts as away. Its methods may be called by many threads at once.
"""

import contextlib
import io
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from datetime import timedelta
from multiprocessing.connection import Connection, Pipe
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn, Protocol

from ledger.disk.atomic import CHUNK
from ledger.disk.regular import other_kind
from ledger.errors import UserError
from ledger.remote import served
from ledger.remote.address import Address

METADATA = "169.254.169.254"
"""Where a machine of AWS learns of its own role, which is asked last."""

PARTS = 2
"""How many parts of one large file are sent to S3 at once; many files are at once, too."""

PROCESSES = 8
"""How many processes use a directory at once."""

SLOWEST = 1e6
"""How many bytes a second a directory takes at least."""

DRIP = 1e3
"""How many bytes a second of each file come at least; many files come at once."""

ASKED_FOR = "actions"
"""What no file of a bucket is called, by which one tells whether it denies all."""

ENDPOINTS = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
"""The variables that may say where the server of S3 is."""


Pieces = Generator[bytes, None, None]
"""What a file holds, piece by piece; to be closed where it is not read to its end."""


class RemoteError(UserError):
    """A further store is away, or refuses what is asked of it; says why, and not which it is."""


class Refused(RemoteError):
    """One file there cannot be had or put, which tells nothing of the others."""


class Remote(Protocol):
    """A further store.

    Attributes
    ----------
    patience : how many seconds it may leave without an answer.

    Raises
    ------
    RemoteError
        When it gives no answer, or refuses.
    """

    patience: float

    def size(self, name: str) -> int | None:
        """How many bytes a file has, None where there is none."""

    def read(self, name: str) -> Pieces | None:
        """What a file holds; None where there is none."""

    def put(self, name: str, source: Path) -> None:
        """Put a file there, which appears whole or not at all, and takes another one's place."""

    def use(self, name: str) -> None:
        """Have a file's time be that of now, where it can be set and tells what is used."""


def connect(place: Address, patience: float) -> Remote:
    """A further store; `patience` is how many seconds it may leave without an answer.

    Raises
    ------
    RemoteError
        When it cannot be reached.
    """
    return {"": Directory, "s3": Bucket, "ssh": Host}[place.kind](place, patience)


def fetch(remote: Remote, name: str, sink: BinaryIO, limit: int) -> bool:
    """Write a file to an empty one, and stop soon after `limit` bytes; False where there is none.

    Raises
    ------
    RemoteError
        When it cannot be had.
    OSError
        When it cannot be written.
    """
    pieces = remote.read(name)
    if pieces is None:
        return False
    began = time.monotonic()
    with contextlib.closing(pieces):
        for piece in pieces:
            sink.write(piece)
            if time.monotonic() - began > remote.patience + sink.tell() / DRIP:
                raise RemoteError(f"it sends less than {DRIP:,.0f} bytes a second")
            if sink.tell() > limit:
                break
    return True


def fetched(remote: Remote, name: str, limit: int) -> bytes | None:
    """What a file holds, and little more than `limit` bytes of it; None where there is none."""
    sink = io.BytesIO()
    return sink.getvalue() if fetch(remote, name, sink, limit) else None


@contextlib.contextmanager
def _explained(*kinds: type[BaseException]) -> Iterator[None]:
    """Have errors of these kinds be those of a further store."""
    try:
        yield
    except kinds as error:
        raise RemoteError(_in_short(str(error))) from error
    except BaseException as error:
        # What Rust calls a panic is no Exception; its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise RemoteError(f"obstore has failed: {_in_short(str(error))}") from error


def _in_short(text: str) -> str:
    """What an error comes to: what a server of S3 says, else the end of its first line."""
    if METADATA in text or "Missing AccessKeyId" in text:
        return "no credentials here; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    said = [re.search(rf"<{tag}>([^<]+)</{tag}>", text) for tag in ("Code", "Message")]
    if any(said):
        return "the server says " + ": ".join(match[1] for match in said if match)
    first, _, debug = text.partition("\n")
    kind = re.search(r"kind: (\w+)", debug)
    return first.rpartition(" - ")[2].strip(" :") + (f" ({kind[1]})" if kind else "")


class Directory:
    """A directory, such as one that a lab shares; used through other processes, see `served`."""

    def __init__(self, place: Address, patience: float) -> None:
        self._root, self.patience = str(Path(place.path).absolute()), patience
        self._given_up: str | None = None
        self._lines: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(PROCESSES):
            self._lines.put(None)
        if not list(self._ask("is_there")):
            raise RemoteError("there is no such directory")

    def size(self, name: str) -> int | None:
        """See `Remote`."""
        return next(map(int, self._ask("size", name)), None)

    def read(self, name: str) -> Pieces | None:
        """See `Remote`."""
        pieces = self._ask("read", name)
        return None if next(pieces, None) is None else pieces

    def put(self, name: str, source: Path) -> None:
        """See `Remote`."""
        seconds = self.patience + source.stat().st_size / SLOWEST
        list(self._ask("put", name, str(source.absolute()), seconds=seconds))

    def use(self, name: str) -> None:
        """See `Remote`."""
        list(self._ask("use", name))

    def _ask(self, what: str, *about: str, seconds: float | None = None) -> Pieces:
        """What a process answers, piece by piece, each after so many seconds at most.

        One that is not heard to its end is of no use any more.
        """
        line, is_heard, seconds = self._lines.get(), False, seconds or self.patience
        try:
            if self._given_up:
                raise RemoteError(self._given_up)
            line = line or _begun()
            line.send_bytes(json.dumps([what, self._root, *about]).encode())
            while line.poll(seconds):
                answer = line.recv_bytes()
                if answer.startswith(served.PIECE):
                    yield answer[1:]
                    continue
                is_heard = True
                if answer.startswith(served.END):
                    return
                kind = Refused if answer.startswith(served.REFUSED) else RemoteError
                raise kind(os.fsdecode(answer[1:]))
            self._given_up = f"no answer in {seconds:g} s"
            raise RemoteError(self._given_up)
        except (OSError, EOFError) as error:
            raise RemoteError("the process that used it has ended") from error
        finally:
            if line and not is_heard:
                line.close()
            self._lines.put(line if is_heard else None)


def _begun() -> Connection:
    """A line to a new process that uses directories, and ends when the line is closed."""
    here, there = Pipe()
    with there:
        # Nothing of it keeps anybody waiting, nor says that it was interrupted.
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", served.PROGRAM, str(there.fileno())],
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return here


class Bucket:
    """A bucket of S3, or of a server that speaks as S3 does.

    Who one is, and where the server is, the usual variables say, such as `AWS_ACCESS_KEY_ID`,
    `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and `AWS_ENDPOINT_URL`.
    """

    def __init__(self, place: Address, patience: float) -> None:
        import obstore

        self._obstore = obstore
        # What it says of a bucket that is not there is a FileNotFoundError.
        self._errors = (obstore.exceptions.BaseError, FileNotFoundError)
        self._denied = obstore.exceptions.PermissionDeniedError
        self.patience, seconds = patience, timedelta(seconds=patience)
        endpoints = _endpoints()
        with _explained(*self._errors):
            self._bucket = obstore.store.S3Store(
                place.host,
                prefix=place.path or None,
                client_options={
                    "allow_http": any(url.lower().startswith("http://") for url in endpoints),
                    "connect_timeout": seconds / 2,
                    "read_timeout": seconds,
                    "timeout": timedelta(days=1),
                },
                retry_config={"max_retries": 2, "retry_timeout": seconds},
            )

    def size(self, name: str) -> int | None:
        """See `Remote`."""
        with _explained(*self._errors), contextlib.suppress(FileNotFoundError):
            try:
                return self._obstore.head(self._bucket, name)["size"]
            except self._denied as error:
                self._refuse(name, error)

    def read(self, name: str) -> Pieces | None:
        """See `Remote`."""
        with _explained(*self._errors):
            try:
                return self._pieces(self._obstore.get(self._bucket, name))
            except self._denied as error:
                self._refuse(name, error)
            except FileNotFoundError as error:
                # A bucket that is not there, or a server that is none of S3, has nothing either.
                if "<Code>NoSuchKey</Code>" not in str(error):
                    raise

    def put(self, name: str, source: Path) -> None:
        """See `Remote`."""
        with _explained(*self._errors):
            self._obstore.put(self._bucket, name, source, max_concurrency=PARTS)

    def use(self, name: str) -> None:
        """See `Remote`; a bucket tells when a file was put there, and nothing else."""

    def _refuse(self, name: str, error: Exception) -> NoReturn:
        """Raise an error for a file that is denied: of the bucket, if all there is denied."""
        with contextlib.suppress(self._denied):
            try:
                self._obstore.head(self._bucket, ASKED_FOR)
            except FileNotFoundError:
                raise Refused(f"{name}: {_in_short(str(error))}") from error
        raise error

    def _pieces(self, found: Any) -> Pieces:
        stream = found.stream(1)  # as it comes, so that its speed is seen
        while True:
            with _explained(*self._errors):
                piece = next(stream, None)
            if piece is None:
                return
            yield piece


def _endpoints() -> list[str]:
    """Where the server of S3 is, as far as variables say.

    Raises
    ------
    RemoteError
        When a variable holds what obstore would fail on.
    """
    for name, value in os.environ.items():
        if name.startswith("AWS_") and not value.isprintable():
            raise RemoteError(f"{name} holds a line break or the like; set it anew")
    found = {name: os.environ[name] for name in ENDPOINTS if os.environ.get(name)}
    for name, url in found.items():
        if not re.fullmatch(r"https?://[^\s/?#]+(/\S*)?", url, re.ASCII | re.IGNORECASE):
            raise RemoteError(f"{name} is {url!r}; expected https://HOST or http://HOST:PORT")
    return list(found.values())


class Host:
    """A directory on a host behind SSH, with the keys, settings and known hosts of `~/.ssh`."""

    def __init__(self, place: Address, patience: float) -> None:
        import asyncio

        import asyncssh

        self._asyncio, self._asyncssh = asyncio, asyncssh
        self.patience, self._root = patience, PurePosixPath(place.path)
        self._made: set[str] = set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._sftp = self._wait(self._connect, place)

    def size(self, name: str) -> int | None:
        """See `Remote`."""
        with contextlib.suppress(FileNotFoundError):
            return self._stat(name).size

    def read(self, name: str) -> Pieces | None:
        """See `Remote`."""
        with contextlib.suppress(FileNotFoundError):
            self._stat(name)
            return self._pieces(self._wait(self._sftp.open, str(self._root / name), "rb"))

    def put(self, name: str, source: Path) -> None:
        """See `Remote`."""
        target = self._root / name
        # Other threads, processes and hosts may be putting the same.
        unfinished = str(target.with_name(f".{target.name}.{os.urandom(4).hex()}"))
        with _explained(FileNotFoundError):  # as the root is gone
            self._wait(self._make, str(target.parent))
            stream = self._wait(self._sftp.open, unfinished, "xb")
            with source.open("rb") as content:
                while piece := content.read(CHUNK):
                    self._wait(stream.write, piece)
            self._wait(stream.close)
            self._wait(self._sftp.chmod, unfinished, 0o444)
            self._wait(self._sftp.posix_rename, unfinished, str(target))

    def use(self, name: str) -> None:
        """See `Remote`."""
        with contextlib.suppress(FileNotFoundError, RemoteError):  # it may be read only
            try:
                self._wait(self._sftp.utime, str(self._root / name))
            except Refused:  # another user's
                with tempfile.NamedTemporaryFile() as copy:
                    copy.writelines(self.read(name) or ())
                    copy.flush()
                    self.put(name, Path(copy.name))

    def _stat(self, name: str) -> Any:
        """What is told of a file; to open anything else may take for ever.

        Raises
        ------
        FileNotFoundError
            When there is none.
        Refused
            When it is of another kind.
        """
        found = self._wait(self._sftp.stat, str(self._root / name))
        if kind := other_kind(found.permissions):
            raise Refused(f"{self._root / name}: Is {kind}")
        return found

    def _pieces(self, stream: Any) -> Pieces:
        try:
            while piece := self._wait(stream.read, CHUNK):
                yield piece
        finally:
            self._wait(stream.close)

    async def _connect(self, place: Address) -> Any:
        known = {"port": place.port, "username": place.user}
        connection = await self._asyncssh.connect(
            place.host, **{name: value for name, value in known.items() if value}
        )
        sftp = await connection.start_sftp_client()
        if not await sftp.isdir(str(self._root)):
            raise RemoteError("there is no such directory on the host")
        self._mode = (await sftp.stat(str(self._root))).permissions & 0o2775
        return sftp

    async def _make(self, directory: str) -> None:
        """Make a directory below the root, as `Store.make` does."""
        if directory in self._made:
            return
        below = PurePosixPath(directory).relative_to(self._root)
        for path in (*reversed(below.parents[:-1]), below):
            made = str(self._root / path)
            try:
                await self._sftp.mkdir(made)
                await self._sftp.chmod(made, self._mode)
            except self._asyncssh.SFTPError:
                if not await self._sftp.isdir(made):
                    raise
        self._made.add(directory)

    def _wait(self, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """What a call comes to, made in the thread that speaks with the host.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        Refused
            When the host is there and refuses this.
        RemoteError
            When anything else is wrong.
        """
        asyncssh = self._asyncssh

        async def bounded() -> Any:
            async with self._asyncio.timeout(self.patience):
                return await call(*arguments)

        try:
            return self._asyncio.run_coroutine_threadsafe(bounded(), self._loop).result()
        except TimeoutError:
            raise RemoteError(f"no answer in {self.patience:g} s") from None
        except asyncssh.SFTPNoSuchFile as error:
            raise FileNotFoundError(str(error)) from None
        except asyncssh.HostKeyNotVerifiable as error:
            advice = "log in once by `ssh`, which asks whether to trust it"
            raise RemoteError(f"{error}; {advice}") from error
        except (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost) as error:
            raise RemoteError(str(error)) from error
        except asyncssh.SFTPError as error:
            of = f"{arguments[0]}: " if isinstance(arguments[0], str) else ""
            raise Refused(f"{of}{error}") from error
        # What is wrong in ~/.ssh is a ValueError.
        except (asyncssh.Error, OSError, ValueError) as error:
            raise RemoteError(str(error) or type(error).__name__) from error
