"""Where an export goes: standard output, a pipe, or a file that appears whole or not at all."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from archive.errors import CannotWrite, advice_after
from archive.folder import is_kept, whole_file


@contextmanager
def destination(target: str, keep: Path | None = None, *, replace: bool = True) -> Iterator[IO[bytes]]:
    """Open standard output for ``-``, a device or pipe as it is, or a file that appears when it is complete.

    Raises CannotWrite, also for the archive's own files in the folder ``keep`` and, unless ``replace``, for a
    file that exists.
    """
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = permitted(target, keep, replace=replace)
    with _translate_errors(target):
        if not is_file_to_be(path):
            with open(path, "wb") as out:
                yield out
            return
        with whole_file(path) as partial, open(partial, "wb") as out:
            yield out


def permitted(target: str, keep: Path | None = None, *, replace: bool = True) -> Path:
    """Check that a target may be written, and return its path. Raises CannotWrite."""
    path = Path(target).resolve()
    if path.is_dir():
        raise CannotWrite(f"{target} is a folder: give the name of a file in it")
    if keep is not None and is_kept(path, keep.resolve()):
        raise CannotWrite(f"{target} is a file of the archive itself: give another name")
    if not replace and path.exists() and is_file_to_be(path):
        raise CannotWrite(f"{target} exists: give another name, or --force to replace it")
    return path


def is_file_to_be(path: Path) -> bool:
    """Whether a file will be here, and not a device or a pipe."""
    return not path.exists() or stat.S_ISREG(path.stat().st_mode)


@contextmanager
def _translate_errors(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(
            f"{target} cannot be written ({error.strerror}): {advice_after(error)}; "
            "an older file there is unchanged"
        ) from error
