"""The log of crawls and of the commands that timers start: standard error, or a file that is rotated by size.

Lines are text, lines for the journal with their priority, or JSON objects. A log that cannot be written stops
nothing.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import sys
from datetime import UTC, datetime
from logging import ERROR, INFO, WARNING
from pathlib import Path
from typing import TextIO

from archive.clock import format_time
from archive.errors import USAGE, ArchiveError

MOST, KEPT = 1_000_000, 5  # bytes of the file; older files beside it, .1 the newest
JSON_ENDING = ".jsonl"  # of a file: its lines are JSON
told = logging.getLogger("sohr")  # sentences for people: on a terminal without time and level
told.addHandler(logging.NullHandler())  # else Python writes warnings where nobody has opened a log
_PRIORITIES = {logging.DEBUG: 7, INFO: 6, WARNING: 4, ERROR: 3, logging.CRITICAL: 2}  # syslog's


class BadLog(ArchiveError):
    """Raised when the log may not be where the setting says, by `open_log`."""

    exit_status = USAGE


class _Form(logging.Formatter):
    """A line of text: stamped, or as people or the journal want it."""

    def __init__(self, command: str, form: str) -> None:
        super().__init__()
        self._command, self._form = command, form

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)  # with the traceback
        at = format_time(datetime.fromtimestamp(record.created, UTC))
        if self._form == "json":
            line: dict[str, object] = {
                "time": at,
                "level": record.levelname.lower(),
                "command": self._command,
            }
            line |= {"process": record.process, "message": message, **getattr(record, "facts", {})}
            return json.dumps(line, ensure_ascii=False)
        if self._form == "journal":  # which has time and process itself
            return "\n".join(f"<{_PRIORITIES[record.levelno]}>{line}" for line in message.split("\n"))
        if self._form == "people" and record.name == told.name:
            return message if record.levelno < WARNING else f"sohr: {message}"
        of = f" {self._command}[{record.process}]:" if self._form == "file" else ""
        return f"{at} {record.levelname}{of} {message}"


class _Stderr(logging.StreamHandler[TextIO]):
    """Standard error: lines from the level ``least`` on, and what people are told."""

    def __init__(self, form: _Form, least: int, *, is_for_people: bool) -> None:
        super().__init__()
        self.least, self.is_for_people = least, is_for_people
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= self.least or (self.is_for_people and record.name == told.name):
            super().emit(record)


class _File(logging.Handler):
    """Appends to a file that several processes may share; each line is written as a whole."""

    def __init__(self, form: _Form, level: int, path: Path, otherwise: _Stderr) -> None:
        super().__init__(level)
        self._path, self._otherwise, self._is_broken = path, otherwise, False
        self.setFormatter(form)

    def emit(self, record: logging.LogRecord) -> None:
        if self._is_broken:
            return
        try:
            self._append((self.format(record) + "\n").encode(errors="backslashreplace"))
        except OSError as error:
            self._is_broken = True
            stderr = self._otherwise
            sentence = (
                f"the log {self._path} cannot be written ({error.strerror}): "
                "correct its permissions, or name another with ARCHIVE_LOG"
            )
            logging.StreamHandler.emit(stderr, told.makeRecord(told.name, ERROR, "", 0, sentence, (), None))
            if stderr.least == ERROR:  # it had errors only, because the file had the rest
                stderr.least, stderr.is_for_people = self.level, True
                if record.levelno < ERROR:
                    stderr.emit(record)

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                size = os.fstat(handle).st_size
                if size and size + len(line) > MOST and self._is_current(handle):
                    self._rotate()
                if self._is_current(handle):
                    if os.write(handle, line) < len(line):  # no room for all of it: half a line is no JSON
                        os.ftruncate(handle, size)
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    return
            finally:
                os.close(handle)

    def _is_current(self, handle: int) -> bool:
        """Whether nobody has rotated the file since it was opened."""
        try:
            return self._path.stat().st_ino == os.fstat(handle).st_ino
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        names = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, KEPT + 1))]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)


def open_log(
    command: str, place: str, folder: Path, level: int = INFO, on_terminal: int = WARNING, *, is_json: bool
) -> None:
    """Send what a crawl logs to ``place`` (a file; empty: none) and to standard error.

    Standard error has what people are told, and all lines from ``level`` or ``on_terminal``. Where it is no
    terminal and there is a file, it has errors alone, so that cron writes only of these. ``folder`` is the
    archive's. Raises BadLog.
    """
    is_terminal = sys.stderr.isatty()
    form = "json" if is_json else "journal" if _is_journal(sys.stderr) else "people"
    least = on_terminal if is_terminal else max(level, ERROR) if place else level
    stderr = _Stderr(_Form(command, form), least, is_for_people=is_terminal or not place)
    for handler in (stderr, *([_file(command, place, folder, level, stderr)] if place else [])):
        handler.addFilter(lambda record: level <= logging.DEBUG or not _is_chatter(record))
        logging.root.addHandler(handler)
    logging.root.setLevel(logging.NOTSET)


def open_closed_streams() -> None:
    """Open the null device where a caller closed standard input, output or error (``>&-``): the next file,
    evidence among them, would get that number, and what is written to the stream."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number
            os.set_inheritable(number, True)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # while the process runs
            setattr(sys, name, stream)


def open_task_log(command: str, place: str, folder: Path) -> None:
    """Send what a command tells to a file too; it writes to standard error itself. Raises BadLog."""
    stderr = _Stderr(_Form(command, "people"), logging.CRITICAL + 1, is_for_people=False)
    told.addHandler(_file(command, place, folder, INFO, stderr))
    told.setLevel(INFO)


def _file(command: str, place: str, folder: Path, level: int, stderr: _Stderr) -> _File:
    path = Path(place).expanduser()
    if not path.is_absolute():
        raise BadLog(f"the log {place} is not a full path: begin it with / or ~/")
    if path.resolve().is_relative_to(folder.resolve()):
        raise BadLog(f"the log {place} is in the archive's folder, which holds evidence: name another place")
    return _File(_Form(command, "json" if path.suffix == JSON_ENDING else "file"), level, path, stderr)


def _is_chatter(record: logging.LogRecord) -> bool:
    """Scrapy's own lines below warnings: 40 of a crawl."""
    return record.name.startswith("scrapy") and record.levelno < WARNING


def _is_journal(stream: TextIO) -> bool:
    """Whether systemd's journal reads a stream (``JOURNAL_STREAM``, systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
