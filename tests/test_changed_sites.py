"""What sites become overnight: other permalinks, a wall of scripts, empty pages, pages of another post."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.clock import MACHINE, use
from tests.crawling import rows
from tests.replica.channels import Answer, redirect
from tests.replica.site import ReplicaSite
from tests.simulating import HOME, PAGE, Simulation, Trouble

ROOT = HOME.rstrip("/")
POSTS = 12


class World:
    """A site and its archive, crawled every two hours; a new post comes before each crawl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = datetime.now(UTC).replace(microsecond=0)
        self.site = ReplicaSite(POSTS, 7, self.at - timedelta(hours=2), "publisher", False, 300)
        self.site.turn("set", rest=False, sitemap=False)
        self.simulation = Simulation(folder, self.site, "edition=en")

    def crawl(self, times: int, trouble: Trouble | None = None) -> list[tuple[int, str]]:
        """Crawl; the exit statuses and sentences."""
        self.simulation.site.trouble = trouble
        ends = []
        for _ in range(times):
            self.at += timedelta(hours=2)
            self.simulation.set_time(self.at)
            self.site.turn("publish", edition="en")
            ended = self.simulation.crawl()
            ends.append((ended.status, ended.sentence))
        return ends

    def answer(self, path: str) -> Answer:
        """As the site answers in good health."""
        was, self.simulation.site.trouble = self.simulation.site.trouble, None
        try:
            return self.simulation.site.answer(ROOT + path, {})
        finally:
            self.simulation.site.trouble = was

    def kinds(self) -> set[str]:
        """The kinds of changes of the feed that still stand."""
        return {kind for (kind,) in rows(self.folder, "select distinct kind from valid_changes")}

    def captured(self) -> int:
        """How many posts have a text, or say that they have none."""
        sql = "select count(*) from articles where state in ('live', 'protected', 'empty')"
        [(number,)] = rows(self.folder, sql)
        return int(number)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "archive")
    try:
        assert world.crawl(3) == [(0, "")] * 3
        yield world
    finally:
        world.simulation.close()
        use(MACHINE)


def permalinks(world: World, spell: Callable[[int], str], read: Callable[[str], str | None]) -> Trouble:
    """The site serves its posts elsewhere, and leads there from the addresses of before."""

    def respell(text: str) -> str:
        return re.sub(r"/en/(\d{3,})/", lambda found: spell(int(found[1])), text)

    def answer(path: str, made: Answer) -> Answer:
        if (known := read(path)) is not None:
            made = world.answer(known)
        elif PAGE.fullmatch(path) and made.status == 200:
            return redirect(ROOT + respell(path))
        headers = tuple((name, respell(value)) for name, value in made.headers)
        return replace(made, body=respell(made.body), headers=headers)

    return answer


@pytest.mark.parametrize("has_number", [True, False], ids=["slug and number", "slug alone"])
def test_new_permalinks_are_followed_there_and_back(world: World, has_number: bool) -> None:
    """All posts lead to an address of another shape, with or without their number, and later do not any
    more. Their pages say who they are: nothing is missing, and new posts are read."""

    def spell(post_id: int) -> str:
        return f"/en/some-words/{post_id}/" if has_number else f"/en/words-{post_id}x/"

    def read(path: str) -> str | None:
        found = re.fullmatch(r"/en/some-words/(\d+)/" if has_number else r"/en/words-(\d+)x/", path)
        return f"/en/{found[1]}/" if found else None

    assert world.crawl(5, permalinks(world, spell, read)) == [(0, "")] * 5
    assert world.captured() == POSTS + 8
    assert world.crawl(6) == [(0, "")] * 6  # the addresses of yesterday answer 404
    assert world.captured() == POSTS + 14
    assert world.kinds() <= {"created", "metadata"}


SCRIPT = '<html><script>document.cookie="ok=1; path=/";location.reload();</script><body></body></html>'
REFRESH = '<html><head><meta http-equiv="refresh" content="0"></head><body>Loading...</body></html>'


@pytest.mark.parametrize("body", [SCRIPT, REFRESH, ""], ids=["script", "refresh", "nothing"])
@pytest.mark.parametrize("is_all", [True, False], ids=["everywhere", "posts"])
def test_a_wall_with_status_200_is_trouble_of_the_site(world: World, body: str, is_all: bool) -> None:
    """69, no layout is blamed, and nothing is said of any post."""
    ends = world.crawl(3, lambda path, made: Answer(body) if is_all or PAGE.fullmatch(path) else made)
    assert {status for status, _ in ends[is_all - 1 :]} <= {0, 69} and 69 in {status for status, _ in ends}
    assert not any("layout" in sentence for _, sentence in ends)
    assert all("edition en: " in sentence for status, sentence in ends if status)
    assert world.crawl(1) == [(0, "")]
    assert world.kinds() <= {"created", "updated"} and world.captured() == POSTS + 7


def test_pages_of_other_posts_are_no_edits(world: World) -> None:
    """A cache gives the page of one post for all: 65, and the sentence says that."""
    one = world.answer(f"/en/{world.site.ids('en')[-1]}/")
    ends = world.crawl(4, lambda path, made: one if PAGE.fullmatch(path) and made.status == 200 else made)
    told = [sentence for status, sentence in ends if status == 65]
    assert told and all("another post than the one asked for" in sentence for sentence in told)
    world.crawl(1)
    assert world.crawl(1) == [(0, "")] and world.kinds() <= {"created", "updated"}
