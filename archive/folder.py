"""Names and places of an archive's files, and writing a file whole or not at all.

Below all packages, because `archive.warc` names files of the archive too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from time import time

DATABASE, CONSUMERS, LOCK = "archive.db", "consumers.db", "archive.lock"
ALERTS = "alerts.json"  # those whose last try failed
LEFT_OVER = 86_400  # seconds
WARC, MANIFESTS = "warc", "manifests"  # folders


def is_kept(path: Path, folder: Path) -> bool:
    """Whether a path is one of an archive's own files, which nothing may overwrite. Both are absolute."""
    inside = any(folder / name in path.parents for name in (WARC, MANIFESTS))
    return inside or (path.parent == folder and path.name.startswith(("archive.", "consumers.")))


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``target`` when the block ends.

    Whoever looks at ``target`` sees the whole new file or what was there before, also after a power cut. If
    the block raises, nothing changes. What a killed writer left beside it is removed a day later. Raises
    OSError.
    """
    _remove_left_over(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield partial
        put_in_place(partial, target)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):  # of a database
            partial.with_name(partial.name + suffix).unlink(missing_ok=True)


def _remove_left_over(target: Path) -> None:
    """Remove unfinished files of earlier processes: those of this one's number (in a container it is always
    the same), and those that nobody has written to for a day."""
    own = f".{target.name}.{os.getpid()}.partial"
    for path in target.parent.glob(f".{escape(target.name)}.*.partial*"):
        with suppress(OSError):  # it was finished meanwhile, or is another user's
            if path.name.startswith(own) or path.stat().st_mtime < time() - LEFT_OVER:
                path.unlink()


def write_whole(target: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; text as UTF-8. Raises OSError."""
    with whole_file(target) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def put_in_place(partial: Path, target: Path) -> None:
    """Move a finished file over another in the same folder, durably. Raises OSError."""
    _sync(partial)
    partial.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
