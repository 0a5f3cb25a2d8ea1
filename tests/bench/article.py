"""The page of an article with many versions beside that of one with two, by a real Datasette process."""

from __future__ import annotations

import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.clock import format_time
from tests.archiving import Archive, capture
from tests.bench.browse import Server, served
from tests.bench.generating import Shape
from tests.bench.measure import Bench, ratio

MANY, FEW = 200, 2
ANSWERS = 20  # of each page in a turn; their 95th percentile counts
MOST = 3.0  # times as long
LINES = [f"Observers counted {n + 3} carts of salt on the road to Tel Zafran." for n in range(20)]


def bench(turns: int, quick: bool) -> Bench:
    """CPU of the server, by turns; the first turn fills caches."""
    start = datetime(2026, 1, 2, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside, "archive")
        with Archive(folder) as archive:
            for post_id, versions in ((1, MANY), (2, FEW)):
                for n in range(versions):
                    at = format_time(start + timedelta(hours=n))
                    archive.take(capture(post_id, at, f"The toll is {n + 5} today.", *LINES))
        ratios = []
        with served(folder / "archive.db", Shape(2), by_cpu=True) as server:
            for turn in range(turns + 1):
                many, few = (_slowest(server, f"/-/sohr/en/{post_id}") for post_id in (1, 2))
                if turn:
                    ratios.append(many / few)
    name = f"page of an article with {MANY} versions / with {FEW}, p95 of CPU"
    return Bench("article", turns, [ratio(name, ratios, MOST, higher_is_better=False)])


def _slowest(server: Server, address: str) -> float:
    return statistics.quantiles([server.ask(address) for _ in range(ANSWERS)], n=20)[-1]
