"""The crawl's end of the pipe to the archive process: hand over captures, get outcomes, ask what is held. Needs an asyncio loop, no crawler."""

from __future__ import annotations

import asyncio
import os
import pickle
import struct
import sys
from collections import deque
from typing import Any

from archive.errors import CANNOT_WRITE, INTERNAL, OK, ArchiveError
from archive.model import Capture
from archive.outcome import Outcome
from archive.wire import Ask, Failed, Happened, Open, Took, frame

IN_FLIGHT = 256  # messages handed over and not answered: what a kill -9 of both processes could cost, and a bound for memory
IN_FLIGHT_BYTES = 64 * 2**20
CLOSE_SECONDS = 60  # what a slow disk may need to write what is in flight


class ArchiveFailed(ArchiveError):
    """Raised when the archive process has given up; its sentence says why, ``status`` is the exit status to end with."""

    def __init__(self, sentence: str, status: int = CANNOT_WRITE) -> None:
        super().__init__(sentence)
        self.status = status


class ArchiveClosed(ArchiveFailed):
    """Raised when something is handed to an archive process that was told to end; by then the crawl is over, and nothing is wrong."""

    def __init__(self) -> None:
        super().__init__("the archive is closed", OK)


class ArchiveProcess:
    """The archive, in a process of its own. Open it, hand it captures, close it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: deque[tuple[asyncio.Future[Any], int]] = deque()
        self._bytes = 0
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self.failure: ArchiveFailed | None = None
        self.opened = False
        self._closing = False

    async def open(self, message: Open) -> None:
        """Start the process and open the archive. Raises ArchiveFailed with the sentence for people."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "archive.writer",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
            start_new_session=True,  # the terminal's Ctrl-C is for the crawl
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        self._reader = asyncio.ensure_future(self._read())
        await self._send(message, 0)
        self.opened = True

    async def capture(self, capture: Capture, look: str | None = None) -> asyncio.Future[Outcome]:
        """Hand over an exchange, waiting while too much is under way; the future is its outcome, once it is durable."""
        return await self._hand(Took(capture, look), len(capture.body))

    async def happened(self, event: dict[str, Any]) -> None:
        """Hand over an event, and wait until it is durable."""
        await self._send(Happened(event), 0)

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Ask one of `archive.writer.Answers`."""
        return await self._send(Ask(name, arguments), 0)

    async def close(self) -> None:
        """Let the archive process write what it was handed, and end."""
        if self._process is None:
            return
        self._closing = True
        self._room.set()
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), CLOSE_SECONDS)
        except TimeoutError:
            self._give_up(ArchiveFailed("the archive process did not end; what it was handed is written when it does"))
        if self._reader:
            await self._reader
        self._process = None

    async def _send(self, message: Any, size: int) -> Any:
        return await (await self._hand(message, size))

    async def _hand(self, message: Any, size: int) -> asyncio.Future[Any]:
        while not self.failure and not self._closing and (len(self._waiting) >= IN_FLIGHT or self._bytes + size > IN_FLIGHT_BYTES > size):
            self._room.clear()
            await self._room.wait()
        if self.failure:
            raise self.failure
        if self._closing:
            raise ArchiveClosed
        assert self._process is not None  # opened before
        assert self._process.stdin is not None
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, size))
        self._bytes += size
        try:
            self._process.stdin.write(frame(message))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the reader learns why
        return future

    async def _read(self) -> None:
        assert self._process is not None  # called once opened
        assert self._process.stdout is not None
        stdout = self._process.stdout
        try:
            while True:
                (length,) = struct.unpack(">I", await stdout.readexactly(4))
                answer = pickle.loads(await stdout.readexactly(length))  # noqa: S301  # our own child sent it
                if isinstance(answer, Failed):
                    self._give_up(ArchiveFailed(answer.sentence, answer.exit_status))
                    continue
                future, size = self._waiting.popleft()
                self._bytes -= size
                self._room.set()
                if not future.done():
                    future.set_result(answer)
        except asyncio.IncompleteReadError:
            if self._waiting:
                self._give_up(ArchiveFailed("the archive process ended unexpectedly: run the same command again, nothing durable is lost", INTERNAL))

    def _give_up(self, failure: ArchiveFailed) -> None:
        self.failure = self.failure or failure
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(self.failure)
                future.exception()  # looked at: whoever waits is told, and a future nobody waits for does not complain
        self._room.set()
