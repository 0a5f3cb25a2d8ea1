"""`sohr-archive serve` as a person runs it: a process of its own, on a free port of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.crawling import environment
from tests.replica.server import ROOT

_SECONDS = 90


@dataclass(frozen=True)
class Served:
    """An archive that is being served: the address of Datasette, without a slash at its end, and what it
    wrote so far."""

    url: str
    log: Path

    def get(self, address: str) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers (names in lower case) of an address; ``address`` begins with a slash."""
        try:
            with urllib.request.urlopen(self.url + address, timeout=_SECONDS) as answer:
                return (
                    answer.status,
                    answer.read().decode(),
                    {name.lower(): value for name, value in answer.headers.items()},
                )
        except urllib.error.HTTPError as error:
            with error:
                return (
                    error.code,
                    error.read().decode(),
                    {name.lower(): value for name, value in error.headers.items()},
                )


@contextmanager
def serve(log: Path, *arguments: object) -> Iterator[Served]:
    """Serve until the end of the block; ``arguments`` as on the command line, beside the port."""
    line = [sys.executable, "-m", "archive.cli.main", *map(str, arguments), "--port", "0"]
    with open(log, "wb") as stream:
        child = subprocess.Popen(line, cwd=ROOT, env=environment(), stdout=stream, stderr=stream)
    try:
        yield Served(_listening(child, log), log)
    finally:
        child.terminate()
        child.wait(_SECONDS)


def _listening(child: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _SECONDS
    while True:
        assert child.poll() is None and time.monotonic() < deadline, log.read_text()
        if found := re.search(r"archive at (http://[^/\s]+)/", log.read_text()):
            try:
                urllib.request.urlopen(found[1] + "/-/sohr/pages.css", timeout=5).close()
            except OSError:
                pass  # told, and not listening yet
            else:
                return found[1]
        time.sleep(0.1)
