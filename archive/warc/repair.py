"""Cut what a crash left unfinished at the end of a WARC file."""

from __future__ import annotations

import os
from pathlib import Path

from archive.errors import DamagedWarc
from archive.warc.gzip_members import next_member, walk


def cut_torn(path: Path, start: int = 0) -> int:
    """Cut a file after its last whole member; return the bytes cut. ``start`` is where a member begins.

    What is cut is kept beside the file if it is not the beginning of a member (a power cut may leave zeros):
    it may have been whole once. Raises DamagedWarc where a record follows, for then it is no torn end.
    """
    whole, is_torn = start, True
    with open(path, "r+b") as file:
        for member in walk(file, start):
            member.drain()
            if member.end is None:
                is_torn = member.is_torn
                break
            whole = member.end
        cut = file.seek(0, os.SEEK_END) - whole
        if not cut:
            return 0
        if next_member(file, whole) is not None:
            advice = "keep the file, and run 'sohr-archive verify'"
            raise DamagedWarc(path.name, "is damaged, and whole records follow it", whole, advice)
        if not is_torn:
            file.seek(whole)
            _keep(path, whole, file.read())
        file.truncate(whole)
        os.fsync(file.fileno())
    return cut


def _keep(path: Path, offset: int, content: bytes) -> None:
    """Write cut bytes beside their file, never over an earlier piece."""
    name = f"{path.name}.cut-{offset}"
    taken = sum(1 for _ in path.parent.glob(f"{name}*"))
    with open(path.with_name(f"{name}.{taken}" if taken else name), "xb") as file:
        file.write(content)
        os.fsync(file.fileno())
