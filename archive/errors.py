"""What can go wrong, in one sentence for people, each with the exit status it ends a command with (README,
Exit status)."""

from __future__ import annotations

from typing import ClassVar

OK, USAGE, UNREADABLE, UNAVAILABLE, INTERNAL, CANNOT_WRITE, LOCKED, INTERRUPTED = (
    0,
    2,
    65,
    69,
    70,
    73,
    75,
    130,
)


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
    """Raised when a WARC file does not hold the record that is asked of it, by `warc.read_record`."""

    exit_status = CANNOT_WRITE
