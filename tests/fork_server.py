"""The process that has loaded the modules of the project's commands, and forks for each that a test starts
(`tests.forking`)."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
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
from collections.abc import Sequence
from functools import cache
from importlib import import_module, metadata
from typing import Any

from tests.forking import ARCHIVE, CRAWL, MODULES, Start, receive, send

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


def load() -> None:
    """Load what the commands need, as far as that has no effect."""
    # Each reads the files of a hundred packages, and Scrapy asks both in each crawl
    metadata.entry_points, metadata.version = cache(metadata.entry_points), cache(metadata.version)
    metadata.entry_points(group="scrapy.commands")
    for package in ("scrapy.commands", "archive", "crawler", "tests.replica"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    for name in (*MODULES[:-1], *LOADED_LATER):
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
                request = receive(line)
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
    request = receive(theirs)
    theirs.close()
    return _become(*request) if request else os._exit(0)


class _ForksArchive(subprocess.Popen):  # type: ignore[type-arg]
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
            send(line, Start([ARCHIVE], env, new_session), files)
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
    main()
