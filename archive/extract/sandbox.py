"""Pages too heavy to be read beside others: read in a process of their own, which is stopped where it takes
too much time or memory.

A clock decides here, and nowhere else. So what it decided is written down (event ``read-apart``) before it
takes effect, and a rebuild follows that record instead of a clock. Ordinary pages never come here:
`archive.html.bounds.is_heavy` tells them by their bytes.
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

from archive.extract.other_sites import extract_general
from archive.extract.page import NO_PARSE, extract
from archive.extract.reread import pack, unpack
from archive.model import STOPPED, ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site

SECONDS = 30.0  # an ordinary page takes a thousandth of it, a liveblog of 4 MB a tenth
MEMORY = 2**30  # bytes of address space


def read_apart(
    capture: Capture, site: Site, expected: ArticleKey | None, seconds: float = SECONDS
) -> Extract | Unextractable | None:
    """What a page says; ``Unextractable("stopped")`` where that took longer than ``seconds`` or more than
    `MEMORY`.

    None where an error of ours ended the reading: whoever reads it here meets it again.
    """
    line = [sys.executable, "-m", "archive.extract.sandbox", str(math.ceil(seconds))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    asked = pickle.dumps((capture, site, expected))
    try:
        done = subprocess.run(
            line, input=asked, capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return _stopped(f"took more than {seconds:g} s")
    if done.returncode == -signal.SIGXCPU:
        return _stopped(f"took more than {seconds:g} s")
    if done.returncode < 0:
        return _stopped(f"ended the process that read it (signal {-done.returncode})")
    told: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    if "extract" in told:
        return unpack(told["extract"])
    return Unextractable(**told["unextractable"]) if "unextractable" in told else None


def _stopped(why: str) -> Unextractable:
    return Unextractable(STOPPED, f"reading the page {why}")


def main() -> None:
    """Read the one page that standard input brings, within bounds; the answer is JSON."""
    seconds = int(sys.argv[1])
    # Should the one who waits be killed, this ends too
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 2))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (OSError, ValueError):
        pass  # a system that knows no such limit
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    capture, site, expected = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own parent sent it
    try:
        found = (
            extract(capture, site, expected, apart=True)
            if site.parse(capture.url)
            else extract_general(capture, site, apart=True)
        )
    except MemoryError:
        found = _out_of_memory()
    if isinstance(found, Unextractable) and found.detail.startswith(NO_PARSE):
        found = _out_of_memory()  # the one reason for which Lexbor gives up
    json.dump(
        {"extract": pack(found)} if isinstance(found, Extract) else {"unextractable": asdict(found)},
        sys.stdout,
    )


def _end_with(parent: int) -> None:
    """A process that was killed cannot end its children; they watch it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _out_of_memory() -> Unextractable:
    return _stopped(f"needed more than {MEMORY // 2**20:,} MB of memory")


if __name__ == "__main__":
    main()
