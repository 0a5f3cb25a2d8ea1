"""Errors, each a sentence for people with an exit status, and the one table of exit statuses.

README.md, docs/operating.md and ``--help`` show `EXIT_STATUSES`; a test compares them with it.
"""

from __future__ import annotations

import errno
from typing import ClassVar, NamedTuple

OK, FOUND, USAGE, UNREADABLE, UNAVAILABLE = 0, 1, 2, 65, 69
INTERNAL, CANNOT_WRITE, LOCKED, REPLAY, INTERRUPTED = 70, 73, 75, 76, 130


class ExitStatus(NamedTuple):
    """What an exit status means. An empty meaning: this side never ends with it."""

    status: int
    crawl: str  # of `scrapy crawl`
    command: str  # of `sohr-archive`


EXIT_STATUSES = (
    ExitStatus(OK, "ended, or was told to stop, and nothing wrong was found", "done"),
    ExitStatus(
        FOUND,
        "",
        "verify, audit, politeness, check or publish-copy found something, or an alert could not be sent",
    ),
    ExitStatus(
        USAGE,
        "an argument or a setting is wrong",
        "an argument is wrong, or the folder holds no archive",
    ),
    ExitStatus(
        UNREADABLE,
        "pages could not be read or are implausible, or no new post has appeared for unusually long",
        "the file given to import is damaged or contains no captures",
    ),
    ExitStatus(
        UNAVAILABLE,
        "the site or public archive is unavailable, or refuses",
        "a public archive is unavailable or refuses, or no Dask cluster answers",
    ),
    ExitStatus(INTERNAL, "a bug in this software", "a bug in this software"),
    ExitStatus(
        CANNOT_WRITE,
        "the archive cannot be written, is damaged, or a newer release wrote it",
        "a file cannot be written, or the archive is damaged or written by a newer release",
    ),
    ExitStatus(
        LOCKED, "another crawl or command holds the archive", "another crawl or command holds the archive"
    ),
    ExitStatus(
        REPLAY, "", "changes --consumer: the feed has new numbers (a new epoch); read it from the start"
    ),
    ExitStatus(INTERRUPTED, "stopped with Ctrl-C", "stopped with Ctrl-C"),
)


def exit_status_table() -> str:
    """The table in Markdown, as README.md and docs/operating.md show it."""
    rows = (f"| {one.status} | {one.crawl or '-'} | {one.command or '-'} |" for one in EXIT_STATUSES)
    return "\n".join(("| status | `scrapy crawl` | `sohr-archive` |", "|---|---|---|", *rows))


def exit_status_lines(side: str) -> list[str]:
    """One line for each status of one side, ``crawl`` or ``command``, as ``--help`` shows it."""
    return [f"{one.status:>3}  {meaning}" for one in EXIT_STATUSES if (meaning := getattr(one, side))]


_ADVICE = {
    errno.ENOSPC: "free some space or give another place",
    errno.EDQUOT: "free some space or give another place",
    errno.EACCES: "correct its permissions or give another place",
    errno.EPERM: "correct its permissions or give another place",
    errno.ENOENT: "make its folder first",
    errno.ENOTDIR: "a file stands where a folder must be: give another place",
    errno.EEXIST: "a file stands where a folder must be: give another place",
    errno.EISDIR: "give the name of a file",
}


def advice_after(error: OSError) -> str:
    """What a person does about a file or folder that cannot be written."""
    return _ADVICE.get(error.errno or 0, "give another place")


class ArchiveError(Exception):
    """Raised when the archive cannot go on; the message says what happened and what to do."""

    exit_status: ClassVar[int] = INTERNAL


class WrongSite(ArchiveError):
    """Raised when an archive of one site is asked to take another's pages, by `Archive.open`."""

    exit_status = USAGE


class NoArchive(ArchiveError):
    """Raised when a folder holds no archive, by the commands that read one."""

    exit_status = USAGE


class NewerArchive(ArchiveError):
    """Raised when a later release has written the archive, by `Archive.open`."""

    exit_status = CANNOT_WRITE


class CannotWrite(ArchiveError):
    """Raised when the archive's folder, disk or database does not take what must be kept."""

    exit_status = CANNOT_WRITE


class Locked(ArchiveError):
    """Raised when another crawl or command holds the archive, by `lock.hold`."""

    exit_status = LOCKED


class DamagedWarc(ArchiveError):
    """Raised when a WARC file does not hold the record that is asked of it.

    ``file`` is its name, ``offset`` the record's byte, None if the whole file is meant; ``what`` and
    ``advice`` say what is wrong and what to do.
    """

    exit_status = CANNOT_WRITE

    def __init__(
        self, file: str, what: str, offset: int | None = None, advice: str = "run 'sohr-archive verify'"
    ) -> None:
        self.file, self.what, self.offset, self.advice = file, what, offset, advice
        self.place = file if offset is None else f"the record at byte {offset} of {file}"
        super().__init__(f"{self.place} {what}: {advice}")
