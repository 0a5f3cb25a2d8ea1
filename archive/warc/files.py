"""The WARC files of an archive: their names, their order, and how one is closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from archive.errors import CannotWrite

_NAME = re.compile(r"([a-z0-9.-]+)-([0-9]{8})-([0-9]{6})\.warc\.gz(\.open)?")


@dataclass(frozen=True, slots=True)
class WarcFile:
    """A WARC file of the archive, known by its serial number; ``name`` is without ``.open``."""

    path: Path
    name: str
    serial: int
    day: str  # 20260102
    is_open: bool


def parse_name(path: Path) -> WarcFile | None:
    """The WARC file at a path; None for a file of another name."""
    found = _NAME.fullmatch(path.name)
    return found and WarcFile(path, path.name.removesuffix(".open"), int(found[3]), found[2], bool(found[4]))


def warc_files(folder: Path) -> list[WarcFile]:
    """The WARC files of an archive in the order they were written."""
    files = [file for path in folder.glob("*.warc.gz*") if (file := parse_name(path))]
    return sorted(files, key=lambda file: file.serial)


def find_file(folder: Path, serial: int) -> Path | None:
    """The WARC file with a serial number, closed or open."""
    return next((file.path for file in warc_files(folder) if file.serial == serial), None)


def close_file(file: WarcFile) -> WarcFile:
    """Take ``.open`` off a file's name. Raises CannotWrite where a file of that name exists."""
    path = file.path.with_name(file.name)
    if path.exists():
        raise CannotWrite(
            f"{file.path} cannot be closed, because {path.name} exists: move one of the two away"
        )
    file.path.rename(path)
    return WarcFile(path, file.name, file.serial, file.day, False)
