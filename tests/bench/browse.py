"""`make bench-browse`: the reading pages over a small and a large archive, by turns, served by real Datasette
processes.

Each page is asked for the same number of times of both, about posts all over the archive. The 95th percentile
over a million versions may be 1.5 times that over ten thousand, in the same run; 3 times where a search is
ordered by relevance, since it ranks up to 50,000 posts. Datasette's own tables are measured, without a bound.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.bench.generating import VERSIONS, Shape, generate

ROOT = Path(__file__).parents[2]
SERVE = "import sys; from archive.browse.serving import run; run(sys.argv[1], int(sys.argv[2]))"
MOST, MOST_RANKED = 1.5, 3.0  # times the small archive's 95th percentile
_SKIPPED = 3  # first answers of each page, which fill caches


@dataclass(frozen=True, slots=True)
class Page:
    """A kind of page: its address for the n-th time, and how many times as long it may take; None: any."""

    name: str
    address: Callable[[Shape, int], str]
    most: float | None = MOST


def _post(shape: Shape, turn: int, edition: str = "") -> str:
    place = (turn * 104_729 + 11) % shape.articles
    while edition and shape.edition(place) != edition:
        place = (place + 1) % shape.articles
    return f"{shape.edition(place)}/{shape.post_id(place)}"


def _words(shape: Shape, turn: int) -> str:
    """A word's beginning that fills a page of the small archive, and of the large one stands in some thousand
    posts."""
    return f"name{turn * 37 % 300 + 100}*"


OURS = "/-/sohr/"
PAGES = (
    Page("front page", lambda shape, turn: OURS),
    Page("front page in Arabic", lambda shape, turn: f"{OURS}ar/"),
    Page("newest posts", lambda shape, turn: f"{OURS}search?page={turn % 5 + 1}"),
    Page("search, a rarer word", lambda shape, turn: f"{OURS}search?q={_words(shape, turn)}"),
    Page(
        "search, a common word",
        lambda shape, turn: (
            f"{OURS}search?q={('civilians', 'drone+strike', quote('مدنيون'), 'killed+people')[turn % 4]}"
        ),
    ),
    Page(
        "search, a common word, filters",
        lambda shape, turn: (
            f"{OURS}search?q=civilians&edition=en&changed=silently&since={2021 + turn % 4}-01-01"
        ),
    ),
    Page(
        "search, filters alone",
        lambda shape, turn: f"{OURS}search?edition=ar&state=live&since={2021 + turn % 4}-02-01",
    ),
    Page("article, English", lambda shape, turn: OURS + _post(shape, turn, "en")),
    Page("article, Arabic", lambda shape, turn: OURS + _post(shape, turn, "ar")),
    Page("comparison", lambda shape, turn: f"{OURS}{_post(shape, turn)}/diff/{turn % 4 + 1}/{turn % 4 + 2}"),
    Page("comparison in one text", lambda shape, turn: f"{OURS}{_post(shape, turn)}/diff/1/5?view=inline"),
    Page("changes", lambda shape, turn: f"{OURS}changes"),
    Page(
        "changes, filters",
        lambda shape, turn: (
            f"{OURS}changes?{('severity=3', 'silent=1&edition=ar', 'kind=missing', 'severity=0')[turn % 4]}"
        ),
    ),
    Page("missing", lambda shape, turn: f"{OURS}missing"),
    Page("series", lambda shape, turn: f"{OURS}series"),
    # The one series that grows with the archive: of both archives the page shows as many points
    Page("points of a series", lambda shape, turn: f"{OURS}series/{0:016x}"),
    Page("coverage", lambda shape, turn: f"{OURS}coverage?year={2020 + turn % 6}"),
    Page("crawls", lambda shape, turn: f"{OURS}crawls"),
    Page("citation", lambda shape, turn: f"{OURS}{_post(shape, turn)}/cite.json"),
    Page("feed of new posts", lambda shape, turn: f"{OURS}new.atom"),
    Page("feed of changes", lambda shape, turn: f"{OURS}changes.atom"),
    Page("changes as lines", lambda shape, turn: f"{OURS}changes.jsonl?after={turn * 7}&limit=100"),
    Page(
        "search by relevance, rarer",
        lambda shape, turn: f"{OURS}search?q={_words(shape, turn)}&sort=relevance",
        MOST_RANKED,
    ),
    Page(
        "search by relevance, common",
        lambda shape, turn: f"{OURS}search?q=civilians+killed&sort=relevance",
        MOST_RANKED,
    ),
    *(
        Page(f"table {name}", lambda shape, turn, name=name: f"/archive/{name}?_nofacet=1", None)  # type: ignore[misc]
        for name in ("articles", "versions", "changes", "captures", "latest_versions", "edits", "coverage")
    ),
)


class Server:
    """One archive behind a Datasette of its own."""

    def __init__(self, path: Path, shape: Shape, *, by_cpu: bool = False) -> None:
        self.shape, self.by_cpu = shape, by_cpu
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = path.with_name("served.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(path), str(self.port)], cwd=ROOT, stdout=log, stderr=log
            )
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def started(self) -> None:
        """Wait until it listens. Raises RuntimeError."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self._connection.connect()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Datasette did not start:\n{self.log.read_text()}") from None
                time.sleep(0.02)

    def _clock(self) -> float:
        """Seconds: elapsed, or the CPU time of all threads of the server so far."""
        if not self.by_cpu:
            return time.perf_counter()
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def ask(self, address: str) -> float:
        """Seconds that an answer took. Raises RuntimeError for any but a good one."""
        start = self._clock()
        self._connection.request("GET", address)
        answer = self._connection.getresponse()
        body = answer.read()
        seconds = self._clock() - start
        # A connection left idle while the other archive answers may be closed under us
        self._connection.close()
        if answer.status != 200 or not body:
            raise RuntimeError(
                f"{address}: status {answer.status}\n{body[:500]!r}\n{self.log.read_text()[-2000:]}"
            )
        return seconds

    def end(self) -> None:
        """Stop serving."""
        self._connection.close()
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def served(path: Path, shape: Shape, *, by_cpu: bool = False) -> Iterator[Server]:
    """A server that listens."""
    server = Server(path, shape, by_cpu=by_cpu)
    try:
        server.started()
        yield server
    finally:
        server.end()


def measure(small: Server, large: Server, page: Page, times: int) -> dict[str, Any]:
    """A page of both, by turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(-min(_SKIPPED, times // 3), times):
        for seconds, server in zip(taken, (small, large), strict=True):
            took = server.ask(page.address(server.shape, abs(turn)))
            if turn >= 0:
                seconds.append(took * 1000)
    figures = [(statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]) for seconds in taken]
    (small_p50, small_p95), (large_p50, large_p95) = figures
    return {
        "page": page.name,
        "most": page.most,
        "small_p50_ms": small_p50,
        "small_p95_ms": small_p95,
        "large_p50_ms": large_p50,
        "large_p95_ms": large_p95,
        "ratio_p95": large_p95 / small_p95,
    }


def line(row: dict[str, Any]) -> str:
    """A row of the table, for people."""
    figures = " ".join(
        f"{row[name]:10.1f}" for name in ("small_p50_ms", "small_p95_ms", "large_p50_ms", "large_p95_ms")
    )
    verdict = "" if row["most"] is None else "over" if row["ratio_p95"] > row["most"] else "ok"
    return f"{row['page']:32} {figures} {row['ratio_p95']:7.2f}  {verdict}"


def main() -> int:
    """Print the table, write build/bench/browse.json; 1 where a page is over the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "bench", help="where the archives and the JSON go"
    )
    parser.add_argument("--small", type=int, default=10_000, help="versions of the small archive")
    parser.add_argument(
        "--large",
        type=int,
        default=1_000_000,
        help="versions of the large one: some 5 GB and minutes to make, once",
    )
    parser.add_argument("--times", type=int, default=60, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="measure CPU time of the server instead of elapsed time (Linux), for a machine with other work",
    )
    chosen = parser.parse_args()
    if chosen.times < 2 or min(chosen.small, chosen.large) < 20 * VERSIONS:
        parser.error("at least 2 times and 100 versions")
    archives = []
    for size in (chosen.small, chosen.large):
        print(f"... an archive of {size:,} versions", file=sys.stderr, flush=True)
        archives.append((generate(chosen.folder / "browse" / str(size), size), Shape(size // VERSIONS)))
    unit = f"milliseconds{' of CPU' * chosen.cpu}"
    print(f"{chosen.small:,} and {chosen.large:,} versions, {chosen.times} answers a page, {unit}")
    print(f"{'':32} {'small p50':>10} {'small p95':>10} {'large p50':>10} {'large p95':>10} {'ratio':>7}")
    rows = []
    by_cpu = {"by_cpu": chosen.cpu}
    with served(*archives[0], **by_cpu) as small, served(*archives[1], **by_cpu) as large:
        cold = [server.ask(OURS) * 1000 for server in (small, large)]
        for page in PAGES:
            if chosen.only in page.name:
                rows.append(measure(small, large, page, chosen.times))
                print(line(rows[-1]), flush=True)
    print(f"{'first answer after the start':32} {cold[0]:10.1f} {'':10} {cold[1]:10.1f}")
    about = {
        "python": platform.python_version(),
        "datasette": version("datasette"),
        "cpus": os.cpu_count(),
        "times": chosen.times,
    }
    told = about | {"small": chosen.small, "large": chosen.large, "first_answer_ms": cold, "pages": rows}
    (chosen.folder / "browse.json").write_text(json.dumps(told, indent=1) + "\n")
    over = [row["page"] for row in rows if row["most"] and row["ratio_p95"] > row["most"]]
    if over:
        print(f"Too much longer over the large archive: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
