"""A crawl faster than the archive process reads pages for itself: what is kept and told is the same."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from archive.extract import page
from archive.outcome import Outcome
from archive.software import software
from archive.writer import client
from archive.writer.client import ArchiveFailed, ArchiveProcess, start_early
from archive.writer.messages import Open
from tests.archiving import HOME, Archive, capture, well

AT = "2026-01-02T10:{:02d}:{:02d}Z"
POSTS = 150
HEAVY = b"<!DOCTYPE html><html><body class='single'>" + b"<p>Word.</p>" * 12_000 + b"</body></html>"


def captures() -> list[Any]:
    """Posts, some of them twice and once edited; and pages that are no article, or are read apart."""
    first = [
        capture(
            n, AT.format(0, n % 60), f"In this post {n} people were killed.", "And more.", title=f"Post {n}"
        )
        for n in range(1, POSTS)
    ]
    again = [
        capture(
            n,
            AT.format(1, n),
            f"In this post {n + n % 2} people were killed.",
            "And more.",
            title=f"Post {n}",
        )
        for n in range(1, 30)
    ]
    odd = [
        capture(200, AT.format(2, 0), status=404, body=b"gone"),
        capture(201, AT.format(2, 1), body=b"<html><body>No layout reads this.</body></html>"),
        capture(202, AT.format(2, 2), body=HEAVY),
        capture(203, AT.format(2, 3), "Cut.", truncated="disconnect"),
        capture(204, AT.format(2, 4), status=503, body=b"busy"),
        capture(205, AT.format(2, 5), "Another post.", body=b"\0\1\2"),
    ]
    return [*first, *again, *odd]


async def handed(folder: Path) -> list[Outcome]:
    """All of them, faster than the archive process takes them."""
    start_early()
    archive = ArchiveProcess()
    await archive.open(Open(str(folder), HOME, os.getpid(), "fast", "crawl", {}, software()))
    futures = [await archive.capture(one) for one in captures()]
    outcomes = [await future for future in futures]
    await archive.close()
    assert archive.failure is None
    return outcomes


async def test_what_the_crawl_reads_is_kept_and_told_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same outcomes, texts and changes as from an archive process that reads every page itself; most
    pages were read here."""
    read = []
    ours = page.extract
    monkeypatch.setattr(page, "extract", lambda *given: read.append(given) or ours(*given))
    outcomes = await handed(tmp_path / "fast")
    assert len(read) > POSTS // 2
    monkeypatch.undo()
    with Archive(tmp_path / "slow") as archive:
        assert [archive.take(one)[0] for one in captures()] == outcomes
    for folder in ("fast", "slow"):
        well(tmp_path / folder, "verify", "--deep")
    for command in (("export", "--content"), ("changes",)):
        assert well(tmp_path / "fast", *command) == well(tmp_path / "slow", *command)


async def test_a_page_that_breaks_our_reading_is_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose reading fails in the crawl is read by the archive process, and the crawl continues."""

    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(page, "extract", broken)
    outcomes = await handed(tmp_path / "a")
    assert [outcome.word for outcome in outcomes[: POSTS - 1]] == ["new"] * (POSTS - 1)


async def opened(folder: Path) -> ArchiveProcess:
    """An archive process under the hand of a test."""
    archive = ArchiveProcess()
    await archive.open(Open(str(folder), HOME, os.getpid(), "fast", "crawl", {}, software()))
    return archive


@pytest.mark.parametrize("busy", [True, False], ids=["while the loop is busy", "while it is idle"])
async def test_an_archive_process_that_dies_is_told(tmp_path: Path, busy: bool) -> None:
    """Nobody waits for it for ever, whatever the loop does in that moment."""
    archive = await opened(tmp_path / "a")
    first = await archive.capture(capture(1, AT.format(0, 1), "Text."))
    assert (await first).word == "new"
    assert archive._process is not None
    archive._process.kill()
    archive._process.wait()
    if not busy:
        await asyncio.sleep(0.2)
    with pytest.raises(ArchiveFailed, match="ended unexpectedly"):
        async with asyncio.timeout(10):
            await (await archive.capture(capture(2, AT.format(0, 2), "Text.")))
    await archive.close()


async def test_one_that_dies_before_it_is_opened_is_told(tmp_path: Path) -> None:
    """As at every other time."""
    start_early()
    client._started[-1].process.kill()
    client._started[-1].process.wait()
    with pytest.raises(ArchiveFailed, match="ended unexpectedly"):
        async with asyncio.timeout(10):
            await opened(tmp_path / "a")


async def test_what_it_says_last_is_heard_though_nothing_can_be_written(tmp_path: Path) -> None:
    """Its sentence and its exit status, not that the line is broken."""
    archive = await opened(tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "warc")
    (tmp_path / "a" / "warc").write_text("no folder")
    # Of another day: a file is to be begun
    future = await archive.capture(capture(1, "2031-01-02T10:00:00Z", "Text."))
    time.sleep(0.5)  # noqa: ASYNC251  # the loop is busy meanwhile
    with pytest.raises(ArchiveFailed) as failure:
        async with asyncio.timeout(10):
            await (await archive.capture(capture(2, "2031-01-02T10:00:00Z", "Text.")))
    assert failure.value.status == 73 and isinstance(future.exception(), ArchiveFailed)
    await archive.close()


async def test_a_process_that_was_begun_and_not_opened_ends_with_its_crawl() -> None:
    """Its line is closed: there is nothing to write, and nothing wrong."""
    start_early()
    begun = client._started.pop()
    begun.line.close()
    begun.answers.close()
    assert begun.process.wait(20) == 0
