"""The figures of versions beside the extraction of the same versions: CPU of one process, and how much the
database grows."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from archive.figures import RULES, lines
from archive.figures.derive import KEY, derive
from archive.store.rows import Store
from tests.bench.filling import extract_pages, fill, posts, read_pages
from tests.bench.measure import Bench, Spent, alternate, over, ratio


def bench(turns: int, quick: bool) -> Bench:
    """Both over the versions of one archive, by turns."""
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside, "archive")
        fill(folder, posts(200 if quick else 1000))
        captures = read_pages(folder)
        with closing(Store(folder / "archive.db")) as store:
            size = _sizes(store)

            def read_figures() -> Spent:
                lines._read_line.cache_clear()  # as in the first process that reads them
                lines._by_form.clear()
                with store.transaction():
                    store.execute("delete from figures")
                    store.set_about(KEY, f"[{RULES}, 0, 0]")
                wall, cpu = time.monotonic(), time.process_time()
                units = derive(store)
                return Spent(time.monotonic() - wall, time.process_time() - cpu, units=units)

            arms = {"figures": read_figures, "extraction": lambda: extract_pages(captures)}
            spent = alternate(arms, turns)
            [(figures, characters)] = store.query(
                "select (select count(*) from figures), (select sum(length(text)) from versions)"
            )
    cost = over(spent, "figures", "extraction", lambda s: s.cpu / s.units)
    rates = sorted(s.cpu / s.units * 1000 for s in spent["figures"])
    return Bench(
        "figures",
        turns,
        [
            ratio("figures / extraction, CPU a version", cost, 0.1, higher_is_better=False),
            ratio("database with figures / without", [size[0] / size[1]], higher_is_better=False),
        ],
        {
            "versions": len(captures),
            "figures a version": round(figures / len(captures), 1),
            "characters a version": round(characters / len(captures)),
            "CPU ms for the figures of a version here": round(rates[len(rates) // 2], 2),
        },
    )


def _sizes(store: Store) -> tuple[int, int]:
    """Bytes of the database, and without the tables of figures: of a copy that lacks them."""
    with tempfile.TemporaryDirectory() as beside:
        sizes = []
        for name, drop in (("whole", False), ("without", True)):
            path = Path(beside, name)
            store.query(f"vacuum into '{path}'")
            with closing(sqlite3.connect(path)) as copy:
                if drop:
                    copy.execute("delete from figures")
                    copy.execute("delete from series")
                    copy.commit()
                copy.execute("vacuum")
            sizes.append(path.stat().st_size)
    return sizes[0], sizes[1]
