"""A crawl writes at full speed and ten people read, all in processes of their own."""

from __future__ import annotations

import re
import threading
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from tests.crawling import Running, command, crawl, rows
from tests.replica.server import Replica
from tests.serving import Served, serve

READERS = 10
PAGES = (
    "/-/sohr/",
    "/-/sohr/search?q=civilians",
    "/-/sohr/search?q=killed&sort=relevance",
    "/-/sohr/search?edition=ar&changed=yes",
    "/-/sohr/changes",
    "/-/sohr/changes?severity=3",
    "/-/sohr/missing",
    "/-/sohr/coverage",
    "/-/sohr/crawls",
    "/-/sohr/new.atom",
    "/-/sohr/changes.atom",
    "/-/sohr/changes.jsonl?after=0",
    "/archive",
    "/archive/articles",
    "/archive/versions.json?_shape=array",
    "/archive/captures.csv?_stream=on",
    "/archive/latest_versions",
    "/archive/edits",
    "/archive/coverage.csv",
    "/archive/figures_changed.json",
)


def front_table(page: str) -> dict[str, list[int]]:
    """The table of the front page: articles captured, still to be captured, versions, gone, by edition."""
    found = re.findall(r"<tr><th scope=\"row\">(\w+)</th>((?:\s*<td>[\d,]+</td>){4})", page)
    return {
        name: [int(cell.replace(",", "")) for cell in re.findall(r"<td>([\d,]+)", cells)]
        for name, cells in found
    }


class Reader(threading.Thread):
    """Reads one page after another until it is stopped. Each reader begins at another page."""

    def __init__(self, served: Served, own: list[str], start: int, stop: threading.Event) -> None:
        super().__init__()
        self.answers: Counter[int] = Counter()
        self.bad: list[str] = []
        self.versions: list[int] = []
        self._served, self._stop_now = served, stop
        pages = [*PAGES, *own]
        self._pages = pages[start * 3 % len(pages) :] + pages[: start * 3 % len(pages)]

    def run(self) -> None:
        for address in cycle(["/-/sohr/", *self._pages]):
            if self._stop_now.is_set():
                return
            status, body, _ = self._served.get(address)
            self.answers[status] += 1
            if status != 200 or "database is locked" in body:
                self.bad.append(f"{address}: {status} {body[:300]}")
            elif address == "/-/sohr/":
                self.versions.append(sum(cells[2] for cells in front_table(body).values()))


@pytest.mark.slow
def test_readers_and_a_crawl_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """No answer but 200, no word of a lock, counts that only grow; at the end the front page counts what the
    database holds."""
    folder = tmp_path / "archive"
    with Replica(posts=250) as site:
        assert crawl(site, folder, "pages=2").status == 0
        edited = [
            row[0]
            for row in rows(
                folder, "select post_id from articles where edition = 'en' and state = 'live' limit 8"
            )
        ]
        for post_id in edited:
            site.call("edit", edition="en", post_id=post_id, digit=True)
        assert crawl(site, folder, "pages=1", "look=all").status == 0
        changed = rows(folder, "select edition, post_id from articles where versions > 1")
        assert changed
        own = [f"/-/sohr/{edition}/{post_id}" for edition, post_id in changed[:4]]
        own += [f"{address}/diff/1/2" for address in own] + [f"{address}/cite.json" for address in own]
        place = rows(
            folder,
            "select f.serial, c.offset from captures c join warc_files f using (warc_file_id) where "
            "c.outcome = 'new' limit 1",
        )[0]
        own.append(f"/-/sohr/capture/{place[0]}/{place[1]}")
        stop = threading.Event()
        with serve(tmp_path / "served.log", "--archive", folder, "serve") as served:
            before = front_table(served.get("/-/sohr/")[1])
            line = command(
                site,
                folder,
                "look=all",
                CONCURRENT_REQUESTS=16,
                CONCURRENT_REQUESTS_PER_DOMAIN=16,
                LOG_LEVEL="WARNING",
            )
            running = Running(line, tmp_path / "crawl.log")
            readers = [Reader(served, own, number, stop) for number in range(READERS)]
            try:
                for reader in readers:
                    reader.start()
                crawled = running.wait(300)
            finally:
                stop.set()
                for reader in readers:
                    reader.join(120)
            after = front_table(served.get("/-/sohr/")[1])
        log = (tmp_path / "served.log").read_text()
    assert crawled.status == 0, crawled.stderr
    assert [bad for reader in readers for bad in reader.bad] == []
    assert all(reader.answers[200] > len(PAGES) // 2 for reader in readers), [
        reader.answers for reader in readers
    ]
    assert "locked" not in log and "Traceback" not in log
    for reader in readers:
        assert reader.versions == sorted(reader.versions)
    assert len({count for reader in readers for count in reader.versions}) > 5, (
        "readers saw the archive grow while the crawl wrote"
    )
    counted = """select edition, count(*) filter (where state is not null), count(*) filter (where state is
                 null), sum(versions),
        count(*) filter (where state in ('missing', 'disappeared')) from articles group by 1"""
    assert after == {
        {"en": "English", "ar": "Arabic"}[edition]: list(cells) for edition, *cells in rows(folder, counted)
    }
    assert sum(cells[2] for cells in after.values()) == rows(folder, "select count(*) from versions")[0][0]
    assert after["English"][0] > before["English"][0]
