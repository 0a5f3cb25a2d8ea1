"""Copy the database as of one instant."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from archive.errors import CannotWrite, advice_after
from archive.folder import is_kept, whole_file, write_whole

_SQLITE = b"SQLite format 3\0"  # the first bytes of a database


def backup(connection: sqlite3.Connection, target: Path, keep: Path) -> str:
    """Copy a database; return the copy's SHA-256, which is also written beside it.

    ``keep`` is the archive's folder. An earlier copy is replaced. Raises CannotWrite, also if the target is a
    file of the archive itself or not a database.
    """
    target = target.resolve()
    if is_kept(target, keep.resolve()):
        raise CannotWrite(f"{target} is a file of the archive itself: give another place")
    try:
        if target.exists() and target.stat().st_size and _first_bytes(target) != _SQLITE:
            raise CannotWrite(f"{target} exists and is not a copy of a database: give another name")
        with whole_file(target) as partial:
            partial.touch()  # SQLite would not say why it cannot
            with closing(sqlite3.connect(partial)) as copy:
                # In one step: page by page it would begin again with every commit of a crawl.
                connection.backup(copy)
                copy.execute("pragma journal_mode = delete")
            with open(partial, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        write_whole(target.with_name(target.name + ".sha256"), f"{digest}  {target.name}\n")
    except OSError as error:
        raise CannotWrite(
            f"the copy {target} cannot be written ({error.strerror}): {advice_after(error)}"
        ) from error
    except sqlite3.Error as error:
        raise CannotWrite(
            f"the copy {target} cannot be written ({error}): free some space or give another place"
        ) from error
    return digest


def _first_bytes(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(len(_SQLITE))
