"""A file in a WACZ, which is a zip file, as a file that can be read from any place."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from tempfile import TemporaryFile
from typing import IO, cast

_PIECE = 1 << 16


def open_part(package: zipfile.ZipFile, file: IO[bytes], part: zipfile.ZipInfo) -> IO[bytes]:
    """A file of a zip file, seekable: where it is stored a view, else a copy.
    Raises BadZipFile."""
    if part.compress_type == zipfile.ZIP_STORED:
        file.seek(part.header_offset + 26)
        lengths = file.read(4)
        if len(lengths) < 4:
            raise zipfile.BadZipFile("its place is beyond the end")
        start = part.header_offset + 30 + sum(struct.unpack("<HH", lengths))
        return cast("IO[bytes]", io.BufferedReader(_View(file, start, part.file_size)))
    copy = TemporaryFile()  # noqa: SIM115  # the caller closes it
    with package.open(part) as packed:
        while piece := packed.read(_PIECE):
            copy.write(piece)
    return copy


class _View(io.RawIOBase):
    """A range of a file's bytes as a file."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        piece = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
