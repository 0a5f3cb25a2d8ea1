"""Start the project's own commands, and warcio's, as forks of a process that has loaded their modules.

A crawl of a few posts takes 1.8 s of CPU, of which 1.0 is loading modules. `conftest.py` puts `Popen` in the
place of `subprocess.Popen`: where a test starts `python -m MODULE` of `MODULES` from the root of the project,
the process is a fork of `tests.fork_server`. It is a process of its own as before: with its own arguments,
environment, files, signals, session and exit status. Everything else starts as always, and so does every
process of a test marked ``real_process``.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CRAWL, ARCHIVE = "scrapy.cmdline", "archive.writer.server"
MODULES = (CRAWL, ARCHIVE, "archive.cli.main", "warcio.cli", "tests.replica")
# Variables that Python reads before it runs anything
BEFORE_START = ("PYTHON", "LC_", "LANG")


@dataclass(frozen=True)
class Start:
    """What a process is to be."""

    arguments: list[str]  # of the module, which stands first
    environment: dict[str, str]
    new_session: bool


_Popen = subprocess.Popen
real = False  # whether every process starts as always
_server: _Server | None = None


class Popen(_Popen):  # type: ignore[type-arg]
    """`subprocess.Popen`, which forks the server where it can."""

    _line: socket.socket | None = None  # brings the process id, later the status; None for a child of our own
    _status: int | None = None  # as waitpid gives it

    def _execute_child(self, args: Any, *more: Any) -> None:
        (
            executable, preexec_fn, _, pass_fds, cwd, env, _, _, shell,
            p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite,
            _, gid, gids, uid, umask, start_new_session, process_group,
        ) = more  # fmt: skip
        unusual = (executable, preexec_fn, gid, gids, uid) != (None,) * 5 or pass_fds or shell
        start = None
        if not (real or unusual or umask != -1 or process_group != -1):
            start = _start(args, cwd, env, start_new_session)
        if start is None:
            with _interruptible():
                super()._execute_child(args, *more)  # type: ignore[misc]
            return
        files = [own if own != -1 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))]
        try:
            self._line = server().fork(start, files)
            self.pid = struct.unpack(">i", self._line.recv(4, socket.MSG_WAITALL))[0]
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]
        self._child_created = True

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._line is None:
            found: tuple[int, int] = super()._try_wait(wait_flags)  # type: ignore[misc]
            return found
        if self._status is None:
            try:
                status = self._line.recv(
                    4, socket.MSG_DONTWAIT if wait_flags & os.WNOHANG else socket.MSG_WAITALL
                )
            except BlockingIOError:
                return 0, 0
            self._status = struct.unpack(">i", status)[0] if status else signal.SIGKILL
            self._line.close()
        return self.pid, self._status

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        if self._line is None:
            return super()._internal_poll(_deadstate)  # type: ignore[misc, no-any-return]
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """A child started in here ends on Ctrl-C, also where this process, a background job, ignores it. Only the
    main thread may say so: a child of another thread ignores it too."""
    is_main = threading.current_thread() is threading.main_thread()
    ignored = is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start(args: object, cwd: object, env: dict[str, str] | None, new_session: bool) -> Start | None:
    """What to ask the server for; None for what it does not start."""
    if not isinstance(args, Sequence) or isinstance(args, str | bytes):
        return None
    line = [os.fsdecode(part) for part in args]
    if line[:2] != [sys.executable, "-m"] or not line[2:] or line[2] not in MODULES:
        return None
    environment = {
        os.fsdecode(name): os.fsdecode(value) for name, value in (os.environ if env is None else env).items()
    }
    if Path.cwd() / str(cwd or ".") != ROOT or _before_start(environment) != _before_start(os.environ):
        return None
    return Start(line[2:], environment, bool(new_session))


def _before_start(environment: Any) -> dict[str, str]:
    found = {name: value for name, value in environment.items() if name.startswith(BEFORE_START)}
    if found.get("PYTHONPATH") in ("", str(ROOT)):
        del found["PYTHONPATH"]
    return found


# -- the server ----------------------------------------------------------------------------------------------


class _Server:
    """The process to fork from, seen from the one that asks."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = _Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # the terminal's Ctrl-C is not for it: it ends with its parent
            )

    def fork(self, start: Start, files: Sequence[int]) -> socket.socket:
        """Start a process with these three files; what it gives brings its id, and its status when it has
        ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            send(self._line, start, [*files, theirs.fileno()])
        return ours

    def stop(self) -> None:
        """End it; what it has started goes on."""
        self._line.close()
        self._process.wait()


def server() -> _Server:
    """The one of this process, which starts it when it is first needed."""
    global _server  # one a process
    if _server is None:
        _server = _Server()
    return _server


def stop() -> None:
    """End the server, if there is one."""
    global _server
    if _server is not None:
        _server.stop()
        _server = None


def send(line: socket.socket, start: Start, files: Sequence[int]) -> None:
    content = pickle.dumps(start)
    socket.send_fds(line, [struct.pack(">I", len(content))], files)
    line.sendall(content)


def receive(line: socket.socket) -> tuple[Start, list[int]] | None:
    """A request and its files; None once nobody can send one."""
    head, files, _, _ = socket.recv_fds(line, 4, 4)
    if not head:
        return None
    (length,) = struct.unpack(">I", head)
    return pickle.loads(line.recv(length, socket.MSG_WAITALL)), files  # noqa: S301  # our own parent sent it
