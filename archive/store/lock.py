"""One writer an archive: a lock of the kernel's on ``archive.lock``, gone with its holder however that
ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from archive.errors import CannotWrite, Locked, advice_after
from archive.folder import LOCK

DRAIN_SECONDS = 20  # what the archive process of a killed crawl may need to write what it was handed


def hold(folder: Path, owner: int) -> IO[str]:
    """Lock the archive for this process; closing the file, or dying, frees it.

    ``owner`` is the process id of the crawl this is done for. While the lock is held by the archive process
    of a crawl that is dead, it is waited for: that process is writing what it was handed, and ends by itself.
    Raises Locked, or CannotWrite.
    """
    try:
        file = open(folder / LOCK, "a+", encoding="ascii")  # noqa: SIM115  # held open on purpose
    except OSError as error:
        raise CannotWrite(
            f"the archive {folder} cannot be written ({error.strerror}): {advice_after(error)}"
        ) from error
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if _alive(_holder(file)) or time.monotonic() > deadline:
                file.close()
                raise Locked(
                    f"another crawl or command holds the archive {folder}: "
                    "let it finish, or stop it, and try again"
                ) from None
            time.sleep(0.05)
        else:
            file.seek(0)
            file.truncate()
            file.write(str(owner))
            file.flush()
            return file


def _holder(file: IO[str]) -> int | None:
    file.seek(0)
    text = file.read().strip()
    return int(text) if text.isdigit() else None


def _alive(pid: int | None) -> bool:
    if pid is None:
        return True  # just taken, its owner not yet written
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
