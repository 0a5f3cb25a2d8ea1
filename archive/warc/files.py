"""The WARC files of an archive: their names, their order, and how one is closed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"([a-z0-9.-]+)-([0-9]{8})-([0-9]{6})\.warc\.gz(\.open)?")

LAST_NUMBER = 999_999  # of files and manifests: their names have six digits
_SERIAL = re.compile(r"-([0-9]{6})\.warc\.gz")


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
    """The WARC files in the order they were written. Of two with one serial number: the longer."""
    return list({file.serial: file for file in _all_files(folder)}.values())


def spare_files(folder: Path) -> list[WarcFile]:
    """Files whose serial number a longer one has, as after restoring a copy that holds both."""
    return sorted(set(_all_files(folder)) - set(warc_files(folder)), key=lambda file: file.serial)


def next_serial(folder: Path, known: Iterable[int]) -> int:
    """A serial number that no file has, nor a piece cut from one, nor is ``known``."""
    found = (_SERIAL.search(path.name) for path in folder.glob("*.warc.gz*"))
    return max((*known, *(int(serial[1]) for serial in found if serial)), default=0) + 1


def _all_files(folder: Path) -> list[WarcFile]:
    files = [file for path in folder.glob("*.warc.gz*") if (file := parse_name(path))]
    return sorted(files, key=lambda file: (file.serial, file.path.stat().st_size, not file.is_open))


def find_file(folder: Path, serial: int) -> Path | None:
    """The WARC file with a serial number, closed or open."""
    return next((file.path for file in warc_files(folder) if file.serial == serial), None)


def can_close(file: WarcFile) -> bool:
    """Whether the name of the closed file is free."""
    return not file.path.with_name(file.name).exists()


def close_file(file: WarcFile) -> WarcFile:
    """Take ``.open`` off a file's name, which must be free."""
    path = file.path.with_name(file.name)
    file.path.rename(path)
    return WarcFile(path, file.name, file.serial, file.day, False)
