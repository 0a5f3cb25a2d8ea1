"""Start the project's own commands as forks of a process that has loaded their modules already.

A crawl of a few posts takes 1.8 s of CPU, of which 1.0 is loading modules. `conftest.py` puts `Popen` in the
place of `subprocess.Popen`: where a test starts `python -m MODULE` of `MODULES` from the root of the project,
the process is a fork of the server below. It is a process of its own as before: with its own arguments,
environment, files, signals, session and exit status. Everything else starts as always, and so does every
process of a test marked ``real_process``.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import pickle
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CRAWL, ARCHIVE = "scrapy.cmdline", "archive.writer.server"
MODULES = (CRAWL, ARCHIVE, "archive.cli.main", "tests.replica")
# What these load when they are under way
LOADED_LATER = (
    "_strptime",
    "click._textwrap",
    "datasette.app",
    "datasette.default_magic_parameters",
    "cryptography.hazmat.backends.openssl.backend",
    "encodings.charmap",
    "encodings.idna",
    "encodings.utf_8_sig",
    "multiprocessing.resource_tracker",
    "multiprocessing.spawn",
    "multiprocessing.synchronize",
    "queuelib",
    "rfc3161_client.verify",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.core.scheduler",
    "scrapy.dupefilters",
    "scrapy.exporters",
    "scrapy.logformatter",
    "scrapy.pipelines",
    "scrapy.pqueues",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "scrapy.utils.serialize",
    "trafilatura",
    "tqdm",
    "twisted.internet.asyncioreactor",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "xml.sax.saxutils",
)
# These read the environment when they are loaded: each process loads its own
READ_ENVIRONMENT = ("crawler.settings",)
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
    """A child started in here ends on Ctrl-C, also where this process, a background job, ignores it."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
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
                [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
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
            _send(self._line, start, [*files, theirs.fileno()])
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


def _send(line: socket.socket, start: Start, files: Sequence[int]) -> None:
    content = pickle.dumps(start)
    socket.send_fds(line, [struct.pack(">I", len(content))], files)
    line.sendall(content)


def _receive(line: socket.socket) -> tuple[Start, list[int]] | None:
    """A request and its files; None once nobody can send one."""
    head, files, _, _ = socket.recv_fds(line, 4, 4)
    if not head:
        return None
    (length,) = struct.unpack(">I", head)
    return pickle.loads(line.recv(length, socket.MSG_WAITALL)), files  # noqa: S301  # our own parent sent it


def load() -> None:
    """Load what the commands need, as far as that has no effect."""
    # Each reads the files of a hundred packages, and Scrapy asks both in each crawl
    metadata.entry_points, metadata.version = cache(metadata.entry_points), cache(metadata.version)
    metadata.entry_points(group="scrapy.commands")
    for package in ("scrapy.commands", "archive", "crawler", "tests.replica"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    for name in (*MODULES[:3], *LOADED_LATER):
        import_module(name)
    settings = import_module("scrapy.utils.project").get_project_settings()
    for components in ("DOWNLOADER_MIDDLEWARES_BASE", "SPIDER_MIDDLEWARES_BASE", "EXTENSIONS_BASE"):
        for name in settings[components]:
            import_module(name.rpartition(".")[0])
    import_module("tests.replica.__main__")
    import_module("archive.sites.hosts").registrable_domain("example.org")  # reads the public suffix list
    import_module("archive.software").software()
    import_module("scrapy.utils.versions").get_versions()
    gc.collect()
    gc.set_threshold(20_000)
    gc.freeze()  # the garbage collector of a fork must not touch, and so copy, what all of them share
    assert "twisted.internet.reactor" not in sys.modules, "a reactor belongs to one process"


def serve(line: socket.socket) -> Start:
    """Fork for each request, until nobody can send one; comes back in each fork, with what it is to be."""
    woken, waking = socket.socketpair()
    for one in (woken, waking):
        one.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno())
    statuses: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(line, selectors.EVENT_READ)
        ready.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is woken:
                    with contextlib.suppress(BlockingIOError):
                        woken.recv(4096)
                    _report(statuses)
                    continue
                request = _receive(line)
                if request is None:
                    os._exit(0)
                start, files = request
                status = socket.socket(fileno=files.pop())
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for one in (line, woken, waking, status, *statuses.values()):
                        one.close()
                    ready.close()
                    return _become(start, files)
                for file in files:
                    os.close(file)
                statuses[pid] = status
                status.sendall(struct.pack(">i", pid))


def _report(statuses: dict[int, socket.socket]) -> None:
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with statuses.pop(pid) as line, contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
            line.sendall(struct.pack(">i", status))


# -- in a fork -----------------------------------------------------------------------------------------------


def _become(start: Start, files: Sequence[int]) -> Start:
    """Make this process what was asked for."""
    if start.new_session:
        os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        new = open(  # noqa: SIM115  # the process's own
            stream.fileno(), mode, encoding=stream.encoding, errors=stream.errors, closefd=False
        )
        if name == "stderr" or (mode == "w" and os.isatty(stream.fileno())):
            new.reconfigure(line_buffering=True)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(start.environment)
    time.tzset()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # also where SIGINT is ignored: in a background job
    if start.arguments[0] == CRAWL:
        return _with_archive(start)
    return start


def _with_archive(crawl: Start) -> Start:
    """Fork once more, before anything of the crawl happens: the fork becomes its archive process when the
    crawl starts one, and is its child, as that must be."""
    line, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        _ForksArchive.waiting = (pid, line)
        subprocess.Popen = _ForksArchive  # type: ignore[misc]
        return crawl
    line.close()
    request = _receive(theirs)
    theirs.close()
    return _become(*request) if request else os._exit(0)


class _ForksArchive(_Popen):  # type: ignore[type-arg]
    """`subprocess.Popen` in a crawl: its first archive process is the one that waits."""

    waiting: tuple[int, socket.socket] | None = None

    def _execute_child(self, args: Any, *more: Any) -> None:
        env, new_session = more[5], more[-2]
        if self.waiting is None or args != [sys.executable, "-m", ARCHIVE]:
            super()._execute_child(args, *more)  # type: ignore[misc]
            return
        self.pid, line = self.waiting
        _ForksArchive.waiting = None
        files = [own if own != -1 else number for number, own in enumerate((more[9], more[12], more[14]))]
        with line, contextlib.suppress(BrokenPipeError):  # it was killed: the crawl notices
            _send(line, Start([ARCHIVE], env, new_session), files)
        self._close_pipe_fds(*more[9:15])  # type: ignore[attr-defined]
        self._child_created = True


def main() -> None:
    """Load, serve, and in each fork run what it has become."""
    line = socket.socket(fileno=int(sys.argv[1]))
    load()
    start = serve(line)
    module, *arguments = start.arguments
    sys.argv = [module, *arguments]
    for name in (module, f"{module}.__main__", *READ_ENVIRONMENT):
        sys.modules.pop(name, None)
    code: object = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as exit_:
        code = exit_.code
    if code is not None and not isinstance(code, int):
        sys.exit(code)
    # As the interpreter does it, but for freeing memory piece by piece, which takes 45 ms
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # it flushes again, and says what is wrong
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    # What crosses processes must be of this module, for `__main__` is another one in each of them
    import_module("tests.forking").main()
