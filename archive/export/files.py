"""Where an export goes: standard output, a pipe, or a file that appears whole or not at all."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from archive.errors import CannotWrite
from archive.folder import is_kept, whole_file


@contextmanager
def destination(target: str, keep: Path | None = None, *, replace: bool = True) -> Iterator[IO[bytes]]:
    """Standard output for ``-``; a device or a pipe as it is; else a file that appears whole when all is
    written.

    Raises CannotWrite: also for the archive's own files in the folder ``keep``, and for a file that is there
    already unless ``replace``.
    """
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = permitted(target, keep, replace=replace)
    with _sentence(target):
        if not is_file_to_be(path):
            with open(path, "wb") as out:
                yield out
            return
        with whole_file(path) as partial, open(partial, "wb") as out:
            yield out


def permitted(target: str, keep: Path | None = None, *, replace: bool = True) -> Path:
    """The path of a target, if it may be written. Raises CannotWrite."""
    path = Path(target).resolve()
    if path.is_dir():
        raise CannotWrite(f"{target} is a folder: give the name of a file in it")
    if keep is not None and is_kept(path, keep.resolve()):
        raise CannotWrite(f"{target} is a file of the archive itself: give another name")
    if not replace and path.exists() and is_file_to_be(path):
        raise CannotWrite(f"{target} is there already: give another name, or --force to replace it")
    return path


def is_file_to_be(path: Path) -> bool:
    """Whether a whole file takes this place; a device or a pipe is written to as it is."""
    return not path.exists() or stat.S_ISREG(path.stat().st_mode)


@contextmanager
def _sentence(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(
            f"{target} cannot be written ({error.strerror}): free some space or give another name; what was there still is"
        ) from error
