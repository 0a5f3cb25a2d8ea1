"""The story of a backfill: a live crawl, then 200 captures of 2015 to 2024 in three themes. Edits of those
years stand in order before what the crawl saw, and nothing that was cited before has changed."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.archiving import check_rebuild, well
from tests.crawling import crawl, rows
from tests.public_archives import Kept, Wayback, backfill
from tests.replica import edits, layouts
from tests.replica.chrome import Look
from tests.replica.server import Replica
from tests.replica.site import ReplicaSite

pytestmark = pytest.mark.slow  # two crawls and a rebuild of 260 captures

POSTS, CAPTURES = 60, 200
ERAS = {"tielabs": range(2015, 2018), "publisher": range(2018, 2021), "foxiz": range(2021, 2025)}
EDITED_IN = (2016, 2019, 2023)  # no edit on a change of theme


@dataclass(frozen=True)
class Story:
    """Both archives are one: what it holds, what the site said when, and what was cited before."""

    folder: Path
    told: dict[int, list[tuple[str, str]]]  # of each post: when, and its text then; the last is of the crawl
    edited: int  # a post that was edited in 2016
    cited: bytes  # all versions of the live crawl, as exported before the backfill


def _instants(years: range) -> list[str]:
    return [f"{year}-{month}-01T12:00:00Z" for year in years for month in ("03", "09")]


def _captures(home: str, posts: dict[int, int | None], of: int) -> Iterator[tuple[Kept, str]]:
    """Captures in March and September of each year, with the text; ``posts`` were edited in the June of a
    year, or never."""
    base, numbers = home.rstrip("/"), count(1)
    for layout, years in ERAS.items():
        site = ReplicaSite(of, 7, layout=layout, days=4200)
        for post_id, edited_in in posts.items():
            post = site.post("en", post_id)
            assert post is not None
            for at in (at for at in _instants(years) if at > f"{post.published:%Y-%m-%d}"):
                then = post if edited_in is None or at < f"{edited_in}-06" else edits.one_digit(post)
                number = next(numbers)  # counters and related posts differ from capture to capture
                body = layouts.article(Look(site, "en", base, number), then, 1).encode()
                yield Kept(f"{home}en/{post_id}/", at, body), "\n".join(then.lines)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story in full."""
    return tell(tmp_path_factory.mktemp("story") / "archive")


def tell(folder: Path, of: int = POSTS, captures: int = CAPTURES) -> Story:
    """Crawl, cite, backfill: a site of so many posts."""
    with Replica(posts=of, layout="foxiz", days=4200) as site:
        plain = [post for post in site.posts("en") if post.lines and not post.odd and len(post.pages) == 1]
        posts: dict[int, int | None] = {}
        for number, post in enumerate(sorted(plain, key=lambda post: post.published)):
            years = [year for year in EDITED_IN if year > post.published.year]
            posts[post.post_id] = years[number % len(years)] if years and number % 2 == 0 else None
            if posts[post.post_id]:
                site.call("edit", edition="en", post_id=post.post_id, digit=True)
        live = crawl(site, folder, "edition=en")
        assert live.status == 0, live.stderr
        cited = well(folder, "export", "--versions", "all")
        every = sorted(_captures(site.url, posts, of), key=lambda one: (one[0].at, one[0].url))
        chosen = random.Random(5).sample(every, captures)
        with Wayback([capture for capture, _ in chosen]) as service:
            ran = backfill(service, folder, "edition=en", home=site.url)
            assert ran.status == 0, ran.stderr
    told: dict[int, list[tuple[str, str]]] = {}
    for capture, text in sorted(chosen, key=lambda one: one[0].at):
        told.setdefault(int(capture.url.rstrip("/").rpartition("/")[2]), []).append((capture.at, text))
    newest = dict(rows(folder, "select post_id, text from latest_versions"))
    for post_id, seen in told.items():
        seen.append(("2026", newest[post_id]))
    edited = next(
        post_id
        for post_id, seen in told.items()
        if posts[post_id] == 2016 and {at[:7] for at, _ in seen} >= {"2016-03", "2016-09"}
    )
    return Story(folder, told, edited, cited)


def test_versions_stand_in_order_of_time(story: Story) -> None:
    """Of each post: one version for each text in a row, from its first capture on."""
    sql = """select v.first_captured_at, text from versions v join articles using (article_id)
             where post_id = ? order by number"""
    assert sum(map(len, story.told.values())) == CAPTURES + len(story.told)
    for post_id, seen in story.told.items():
        runs = [next(run) for _, run in groupby(seen, key=lambda one: one[1])]
        found = rows(story.folder, sql, post_id)
        assert [text for _, text in found] == [text for _, text in runs], post_id
        assert found[0][0] == seen[0][0]


def test_an_edit_of_2016_is_in_comparison_and_feed(story: Story) -> None:
    """Both figures, at the times of the captures that show them."""
    name = f"en:{story.edited}"
    shown = well(story.folder, "diff", name, "1", "2", "--json")
    assert json.loads(shown)["figures"]
    feed = [json.loads(line) for line in well(story.folder, "changes").splitlines()]
    of_post = [one for one in feed if one["post_id"] == story.edited]
    [older] = [one for one in of_post if one["kind"] == "backfilled"]
    assert older["said_at"] == story.told[story.edited][0][0] < "2016-06"
    assert older["learnt_at"] > "2026" and older["text"] == story.told[story.edited][0][1]


def test_citations_of_the_live_crawl_are_unchanged(story: Story) -> None:
    """Each names the same text as before."""
    for before in map(json.loads, story.cited.splitlines()[:10]):
        found = json.loads(well(story.folder, "cite", before["citation"], "--json"))
        assert found["text_sha256"] == before["text_sha256"]


def test_a_rebuild_gives_the_same_rows(story: Story) -> None:
    """Times, sources and what was listed included."""
    check_rebuild(story.folder)
    well(story.folder, "verify")  # captures of the past, added to a sealed archive, are no forgery


def test_an_exported_wacz_has_the_times_of_the_captures(story: Story, tmp_path: Path) -> None:
    """Its index dates each page of the site by its capture, in all years, and each record can be read."""
    target = tmp_path / "all.wacz"
    well(story.folder, "export", "--format", "wacz", "--versions", "all", "-o", target)
    with zipfile.ZipFile(target) as package:
        lines = gzip.decompress(package.read("indexes/index.cdx.gz")).decode().splitlines()
    pages = [(line.split(" ")[1], json.loads(line.split(" ", 2)[2])) for line in lines]
    of_site = [(at, one) for at, one in pages if urlsplit(one["url"]).path.startswith("/en/")]
    assert {at[:4] for at, _ in of_site} >= {str(year) for year in range(2015, 2025)}
    assert sum(at < "2025" for at, _ in of_site) == CAPTURES
    assert b"Wayback Machine" in well(story.folder, "cite", f"en:{story.edited}", "1")
