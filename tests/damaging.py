"""Archives to be damaged: crawls in WARC files of their own, flipped bits, rows changed past the triggers."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from archive.rebuild.verify import Finding, verify
from archive.warc import writer
from archive.warc.files import warc_files
from tests.archiving import Archive, capture
from tests.made_once import made_once

DAYS = ("2026-01-02", "2026-01-03", "2026-01-04")


@contextmanager
def new_file(folder: Path) -> Iterator[Archive]:
    """An archive whose records go into a WARC file that begins here."""
    before = files(folder)
    size = before[-1].stat().st_size if before else writer.ROTATE_BYTES
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "ROTATE_BYTES", size)
        with Archive(folder) as archive:
            patch.undo()
            yield archive


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs on three days: two closed files and an open one, three manifests, versions, changes, links,
    terms, failures."""
    return made_once(tmp_path_factory, "intact", _make)


def _make(beside: Path) -> Path:
    folder = beside / "archive"
    for number, day in enumerate(DAYS):
        with new_file(folder) as archive:
            archive.take(
                *(
                    capture(20 + n, f"{day}T09:00:00Z", status=404, body=b"gone")
                    for n in range(4 - 2 * number)
                ),
                capture(1, f"{day}T10:00:00Z", f"It says {number} today.", "And more."),
                capture(
                    2,
                    f"{day}T10:00:01Z",
                    "It says the same.",
                    f'A <a href="http://127.0.0.1:9/en/1/">link</a> {number}.',
                ),
                capture(3, f"{day}T10:00:02Z", status=404, body=b"gone"),
                capture(4, f"{day}T10:00:03Z", body=b"<html><body>No layout reads this.</body></html>"),
            )
    return folder


def findings(folder: Path, **options: object) -> list[Finding]:
    """What `verify` finds."""
    return list(verify(folder, **options))  # type: ignore[arg-type]


def flip(path: Path, at: int) -> None:
    """One bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 4
    path.write_bytes(raw)


def tamper(folder: Path, *statements: str) -> None:
    """Change rows as nobody may: past triggers and foreign keys."""
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            db.execute(f"drop trigger {name}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def files(folder: Path) -> list[Path]:
    """The WARC files in order."""
    return [file.path for file in warc_files(folder / "warc")]


def kill_readers() -> None:
    """Kill the processes of `archive.extract.pool` that this one started."""
    for child in psutil.Process().children(recursive=True):
        if "multiprocessing.spawn" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
