"""Reads one heavy page in a process of its own, which is stopped when it takes too much time or memory.

Only here does a clock decide. The decision is therefore recorded (event ``read-apart``) before it takes
effect, and a rebuild follows that record. `archive.html.bounds.is_heavy` says which pages are heavy.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from archive.extract.reader import Reader
from archive.extract.reread import pack, unpack
from archive.model import STOPPED, ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site

SECONDS = 30.0  # an ordinary page takes a thousandth of it, a liveblog of 4 MB a tenth
MEMORY = 2**30  # bytes of address space


def read_apart(
    capture: Capture, site: Site, expected: ArticleKey | None, seconds: float = SECONDS
) -> Extract | Unextractable | None:
    """Read a page; ``Unextractable("stopped")`` if that takes more than ``seconds`` or `MEMORY`.

    None if an error of ours ended the reading: reading the page again here raises that error.
    """
    line = [sys.executable, "-m", "archive.extract.sandbox", str(math.ceil(seconds))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    question = pickle.dumps((capture, site, expected))
    try:
        done = subprocess.run(
            line, input=question, capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return _stopped(f"took more than {seconds:g} s")
    if done.returncode == -signal.SIGXCPU:
        return _stopped(f"took more than {seconds:g} s")
    if done.returncode < 0:
        return _stopped(f"ended the process that read it (signal {-done.returncode})")
    answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    if "extract" in answer:
        return unpack(answer["extract"])
    return Unextractable(**answer["unextractable"]) if "unextractable" in answer else None


def _stopped(why: str) -> Unextractable:
    return Unextractable(STOPPED, f"reading the page {why}")


def main() -> None:
    """Read the page on standard input, within bounds; write the answer as JSON."""
    seconds = int(sys.argv[1])
    # Ends this process even when the one that waits for it was killed
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 2))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (OSError, ValueError):
        pass  # this system has no such limit
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    capture, site, expected = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own parent sent it
    try:
        found = Reader(site, in_full=True).read(capture, expected)
    except MemoryError:
        found = Unextractable("", is_unparsed=True)
    if isinstance(found, Unextractable) and found.is_unparsed:
        found = _stopped(f"needed more than {MEMORY // 2**20:,} MB of memory")
    json.dump(
        {"extract": pack(found)} if isinstance(found, Extract) else {"unextractable": asdict(found)},
        sys.stdout,
    )


def _end_with(parent: int) -> None:
    """End with the parent process: one that is killed cannot end its children."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
