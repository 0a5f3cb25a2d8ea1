"""The crawl's side of the archive process: send captures, get outcomes, ask what is known. Needs an asyncio
loop, no crawler."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate

from archive.errors import CANNOT_WRITE, INTERNAL, OK, ArchiveError
from archive.model import Capture, Extract, Unextractable
from archive.outcome import Outcome
from archive.sites.sohr.addresses import Site
from archive.writer.messages import A, Ask, Failed, Happened, Judge, Judged, Open, P, Questions, Took, frame

# Messages sent and not answered: what a kill -9 of both processes could cost, and a bound for memory
IN_FLIGHT = 256
# While fewer messages than AT_HAND wait there, each is sent at once; else AT_ONCE of them in one write
AT_HAND, AT_ONCE = 16, 16
# The longest that such a message waits for others: what a kill -9 of the crawl alone could cost
UNSENT_SECONDS = 0.02
# So many messages: the archive process has a batch (`archive.writer.server.BATCH`) and some of the next
BUSY = 24
# Larger pages are not read here, where reading blocks the event loop; a page of the site has 10,000 bytes
READ_HERE_BYTES = 2**18
IN_FLIGHT_BYTES = 64 * 2**20
CLOSE_SECONDS = 60  # what a slow disk may need to write what is in flight


class ArchiveFailed(ArchiveError):
    """Raised when the archive process gives up, by `ArchiveProcess`; ``status`` is the exit status to end
    with."""

    def __init__(self, sentence: str, status: int = CANNOT_WRITE) -> None:
        super().__init__(sentence)
        self.status = status


class ArchiveClosed(ArchiveFailed):
    """Raised when a message comes after `ArchiveProcess.close`: the crawl is over, and nothing is wrong."""

    def __init__(self) -> None:
        super().__init__("the archive is closed", OK)


@dataclass(frozen=True, slots=True)
class _Started:
    """An archive process that waits for its first message, and our ends of two sockets. Two, so that its last
    message can still be read after writing to it fails."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    answers: socket.socket


_started: list[_Started] = []  # by `start_early`, for the one crawl of this process


def start_early() -> None:
    """Start the process of an archive that will soon be opened, while the crawl gets ready on another core.
    If nobody opens it, it ends with this process."""
    _started.append(_start())


def _start() -> _Started:
    line, source = socket.socketpair()
    answers, sink = socket.socketpair()
    with source, sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "archive.writer.server"],
            stdin=source.fileno(),
            stdout=sink.fileno(),
            start_new_session=True,  # the terminal's Ctrl-C is for the crawl
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    return _Started(process, line, answers)


class ArchiveProcess:
    """The archive, in a process of its own. Open it, send it captures, close it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: asyncio.StreamWriter | None = None
        # Nothing is written to it; it keeps its socket open
        self._answers: asyncio.StreamWriter | None = None
        self._site: Site | None = None
        self._waiting: deque[tuple[asyncio.Future[Any], int]] = deque()
        self._unsent: list[bytes] = []  # frames that wait for more of their kind
        self._bytes = 0
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self.failure: ArchiveFailed | None = None
        self.opened = False
        self._closing = False

    async def open(self, message: Open) -> None:
        """Start the process and open the archive. Raises ArchiveFailed with the sentence for people."""
        started = _started.pop() if _started else _start()
        self._process = started.process
        self._site = Site(message.site)
        _, self._line = await asyncio.open_unix_connection(sock=started.line)
        answers, self._answers = await asyncio.open_unix_connection(sock=started.answers, limit=2**20)
        self._reader = asyncio.ensure_future(self._read(answers))
        await self._send(message, 0)
        self.opened = True

    async def capture(self, capture: Capture, look: str | None = None) -> asyncio.Future[Outcome]:
        """Send an exchange, waiting while too much is in flight; the future is its outcome, once it is
        durable.

        If the archive process has more waiting than it takes at a time, the page is read here: a crawl
        without delays has two cores to use.
        """
        read = self._read_here(capture) if len(self._waiting) >= BUSY else None
        return await self._send_soon(Took(capture, look, read), len(capture.body))

    def _read_here(self, capture: Capture) -> Extract | Unextractable | None:
        # Imported late: a crawl at the pace of a guest never reads pages itself
        from archive.extract.document import promised
        from archive.extract.page import extract

        assert self._site is not None  # opened before
        expected = (
            promised(capture, self._site)
            if capture.status == 200 and len(capture.body) <= READ_HERE_BYTES
            else None
        )
        if expected is None:
            return None
        try:
            return extract(capture, self._site, expected)
        except Exception:  # noqa: BLE001  # the archive process reads it once more, and reports the error
            return None

    async def happened(self, event: dict[str, Any]) -> None:
        """Send an event, and wait until it is durable."""
        await self._send(Happened(event), 0)

    async def judge(self, crawl: str) -> Judged:
        """Judge the outcomes of looks that wait."""
        answer: Judged = await self._send(Judge(crawl), 0)
        return answer

    async def ask(
        self, question: Callable[Concatenate[Questions, P], A], /, *args: P.args, **kwargs: P.kwargs
    ) -> A:
        """Ask one of `Questions`, as `archive.writer.messages.Asker` says."""
        assert not kwargs  # questions travel with positional arguments
        answer: A = await self._send(Ask(question.__name__, args), 0)
        return answer

    async def close(self) -> None:
        """Let the archive process write what it was sent, and end."""
        if self._process is None or self._line is None:
            return
        self._closing = True
        self._room.set()
        self._send_all()
        with contextlib.suppress(OSError):
            self._line.write_eof()
        assert self._reader is not None  # made when it was opened
        until = asyncio.get_running_loop().time() + CLOSE_SECONDS
        # It ends when the process closes its end of the socket
        done, _ = await asyncio.wait((self._reader,), timeout=CLOSE_SECONDS)
        while self._process.poll() is None and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  # a process sets no event
            await asyncio.sleep(0.01)
        if not done:
            self._give_up(
                ArchiveFailed("the archive process did not end; what has reached it is written when it does")
            )
        for line in (self._line, self._answers):
            if line is not None:
                line.close()
        self._process = None

    async def _send(self, message: Any, size: int) -> Any:
        return await (await self._send_soon(message, size))

    async def _send_soon(self, message: Any, size: int) -> asyncio.Future[Any]:
        while (
            not self.failure
            and not self._closing
            and (len(self._waiting) >= IN_FLIGHT or self._bytes + size > IN_FLIGHT_BYTES > size)
        ):
            self._room.clear()
            await self._room.wait()
        if self.failure:
            raise self.failure
        if self._closing:
            raise ArchiveClosed
        assert self._line is not None  # opened before
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, size))
        self._bytes += size
        self._unsent.append(frame(message))
        if len(self._waiting) - len(self._unsent) < AT_HAND or len(self._unsent) >= AT_ONCE:
            self._send_all()
        elif len(self._unsent) == 1:
            asyncio.get_running_loop().call_later(UNSENT_SECONDS, self._send_all)
        return future

    def _send_all(self) -> None:
        """Each write wakes the archive process: while it has enough at hand, several go in one."""
        if self._unsent and self._line is not None:
            self._line.write(b"".join(self._unsent))  # memory is bounded by what may be in flight
            self._unsent.clear()

    async def _read(self, answers: asyncio.StreamReader) -> None:
        try:
            while True:
                (length,) = struct.unpack(">I", await answers.readexactly(4))
                answer = pickle.loads(await answers.readexactly(length))  # noqa: S301  # our own child sent it
                if isinstance(answer, Failed):
                    self._give_up(ArchiveFailed(answer.sentence, answer.exit_status))
                    continue
                future, size = self._waiting.popleft()
                self._bytes -= size
                self._room.set()
                if not future.done():
                    future.set_result(answer)
                if len(self._waiting) - len(self._unsent) < AT_HAND:
                    self._send_all()
        except (asyncio.IncompleteReadError, OSError):
            if self._waiting or not self._closing:
                self._give_up(
                    ArchiveFailed(
                        "the archive process ended unexpectedly: run the same command again, "
                        "nothing durable is lost",
                        INTERNAL,
                    )
                )

    def _give_up(self, failure: ArchiveFailed) -> None:
        self.failure = self.failure or failure
        self._unsent.clear()
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(self.failure)
                # Marks it as seen, or a future that nobody waits for would log a complaint
                future.exception()
        self._room.set()
