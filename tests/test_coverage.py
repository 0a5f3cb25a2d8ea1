"""A stretch is unbroken: whatever is published and taken away between and during walks, no post that was
never seen stands between a stretch's newest and oldest post."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.clock import format_time, parse_time
from archive.model import Capture
from archive.software import software
from archive.writer.messages import Happened
from tests.archiving import HOME, Archive

PER_PAGE = 3
BEGIN = parse_time("2026-01-01T00:00:00Z")
# A crawl: the page it begins with, and before each page how many posts are published
WALK = st.tuples(st.integers(1, 6), st.lists(st.integers(0, 4), min_size=1, max_size=6))
# Before a crawl: how many posts are published, and which of the newest ones are taken away
LIFE = st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 12), max_size=3), WALK), max_size=6)


@dataclass
class Site:
    """The posts of a site, newest first, and those that were taken away."""

    listed: list[int] = field(default_factory=list)
    published: int = 0
    asked: int = 0

    def publish(self, count: int) -> None:
        for _ in range(count):
            self.published += 1
            self.listed.insert(0, self.published)

    def page(self, number: int, crawl: str) -> Capture:
        """A page of home as the site answers it now; 404 after the last."""
        self.asked += 1
        path = "en/" + (f"page/{number}/" if number > 1 else "")
        ids = self.listed[(number - 1) * PER_PAGE : number * PER_PAGE]
        body = "".join(
            f'<article id="post-{n}" class="post-{n} post"><h2 class="entry-title"><a '
            f'href="{HOME}en/{n}/">N</a></h2></article>'
            for n in ids
        )
        last = -(-len(self.listed) // PER_PAGE)
        links = "".join(f'<a href="{HOME}en/page/{n}/">{n}</a>' for n in range(2, last + 1))
        at = format_time(BEGIN.replace(minute=self.asked // 60, second=self.asked % 60))
        headers = (("Content-Type", "text/html"),)
        html = f"<html><body>{body}{links}</body></html>".encode()
        return Capture(HOME + path, 200 if ids else 404, headers, html, at, channel="home", crawl=crawl)


def begin(archive: Archive, name: str) -> None:
    event = {"event": "crawl-started", "name": name, "kind": "crawl", "at": format_time(BEGIN), "site": HOME}
    archive.writer.work([Happened(event | {"arguments": {}, "software": software(), "extractor": "x"})])


@given(st.integers(1, 20), LIFE)
@settings(max_examples=40, deadline=None)
def test_no_unseen_post_stands_in_a_stretch(
    first: int, life: list[tuple[int, set[int], tuple[int, list[int]]]]
) -> None:
    """Also of posts that were published while a crawl walked, and of stretches that were joined."""
    site = Site()
    site.publish(first)
    with TemporaryDirectory() as folder, Archive(Path(folder, "a")) as archive:
        for turn, (count, taken, (start, pushes)) in enumerate(life):
            site.publish(count)
            site.listed = [n for place, n in enumerate(site.listed) if place not in taken]
            begin(archive, f"crawl {turn}")
            for number, pushed in enumerate(pushes, start):
                site.publish(pushed)
                archive.take(site.page(number, f"crawl {turn}"))
            stretches: dict[int, list[int]] = {}
            seen = set()
            for row in archive.writer.store.query("select post_id, stretch_id from articles"):
                seen.add(row["post_id"])
                if row["stretch_id"] is not None:
                    stretches.setdefault(row["stretch_id"], []).append(row["post_id"])
            for members in stretches.values():
                between = {n for n in site.listed if min(members) < n < max(members)}
                assert between <= seen, (turn, sorted(members), sorted(between - seen))
