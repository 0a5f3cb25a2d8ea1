"""A site that is restored from an old backup, or imported anew: nobody deleted or edited anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archiving import check_rebuild
from tests.bytewise import Site, http
from tests.crawling import Crawled, crawl, rows, states

OLD, NEW = tuple(range(101, 119)), tuple(range(121, 129))
EDITED = OLD[3:7]
PLACES = ("Harbour", "Mill", "Orchard", "Quarry", "Station", "Bridge", "Market", "Tower", "Garden")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def run(site: Site, folder: Path, *arguments: str, clock: str = "") -> Crawled:
    return crawl(site.url, folder, "edition=en", *arguments, ARCHIVE_CLOCK=clock, RETRY_TIMES=0)


def put(site: Site, post_id: int, of: int | None = None, people: int = 7, modified: str = "") -> None:
    """Let a post have its text, or that of another post."""
    n = of or post_id
    place = f"{PLACES[n % 9]}{n}"
    words = " ".join(f"{place.lower()}{k}" for k in range(9))
    lines = f"{words}: {people} people were counted.", f"Nothing else is known of {place}."
    site.put_post(post_id, *lines, title=f"{place} report {place}", modified=modified)


def kinds(folder: Path) -> Counter[str]:
    """What the feed says besides that posts were found, and what still holds of it."""
    sql = "select kind from valid_changes where kind != 'created'"
    return Counter(kind for (kind,) in rows(folder, sql))


def grow(site: Site, folder: Path, modified: tuple[str, str] = ("", "")) -> None:
    """Old posts, then newer ones and edits of old ones; three days of crawls."""
    for post_id in OLD:
        put(site, post_id, modified=modified[0])
    site.list_posts(*reversed(OLD))
    assert run(site, folder).status == 0
    for clock in ("+1h", "+1d"):
        assert run(site, folder, "look=all", clock=clock).status == 0
    for post_id in EDITED:
        put(site, post_id, people=9, modified=modified[1])
    for post_id in NEW:
        put(site, post_id, modified=modified[1])
    site.list_posts(*reversed(OLD + NEW))
    assert run(site, folder, "look=all", clock="+2d").status == 0
    assert run(site, folder, "look=all", clock="+3d").status == 0
    assert kinds(folder) == {"updated": len(EDITED)}


def set_back(site: Site, modified: str = "") -> None:
    """The site is as it was before."""
    for post_id in EDITED:
        put(site, post_id, modified=modified)
    for post_id in NEW:
        del site.answers[f"/en/{post_id}/"]
    site.list_posts(*reversed(OLD))


@pytest.mark.parametrize("modified", [("", ""), ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")])
def test_a_site_restored_from_a_backup(site: Site, tmp_path: Path, modified: tuple[str, str]) -> None:
    """The newest posts are gone and old ones show an earlier text: held from the second day on at the latest;
    once the site has its posts again, nothing is told."""
    folder = tmp_path / "a"
    grow(site, folder, modified)
    well_before = dict(site.answers)
    set_back(site, modified[0])
    ends = [run(site, folder, clock=clock).status for clock in ("+76h", "+78h", "+90h", "+99h")]
    assert ends[-1] == 69, ends
    assert kinds(folder) == {"updated": len(EDITED)}
    assert set(states(folder).values()) == {"live"}
    assert run(site, folder, "look=all", clock="+5d").status == 69
    assert kinds(folder) == {"updated": len(EDITED)}
    check_rebuild(folder)
    site.answers = well_before
    assert run(site, folder, "look=all", clock="+6d").status == 0
    assert kinds(folder) == {"updated": len(EDITED)} and set(states(folder).values()) == {"live"}


def test_a_site_that_stays_restored(site: Site, tmp_path: Path) -> None:
    """After a week it is told: the posts are not there, and the others have their earlier text. What it
    publishes under numbers that are used again is no edit of three posts until then."""
    folder = tmp_path / "a"
    grow(site, folder)
    set_back(site)
    assert run(site, folder, "look=all", clock="+76h").status == 69
    for number, post_id in enumerate(NEW[:4]):
        put(site, post_id, of=201 + number)
    site.list_posts(*reversed(OLD + NEW[:4]))
    for clock in ("+4d", "+6d", "+8d"):
        assert run(site, folder, "look=all", clock=clock).status == 69
        assert kinds(folder) == {"updated": len(EDITED)}
    run(site, folder, "look=all", clock="+11d")
    assert run(site, folder, "look=all", clock="+270h").status == 0
    told = kinds(folder)
    assert told["disappeared"] == 4 and told["updated"] == len(EDITED) * 2 + 4
    check_rebuild(folder)


@pytest.mark.parametrize("leads", [False, True], ids=["404", "301"])
def test_a_site_imported_anew(site: Site, tmp_path: Path, leads: bool) -> None:
    """Each post has another number: the old ones are held as missing, also where the site leads from their
    addresses to the new ones. After a week they are told as moved, for nobody deleted them."""
    folder = tmp_path / "a"
    for post_id in OLD:
        put(site, post_id)
    site.list_posts(*reversed(OLD))
    assert run(site, folder).status == 0
    for clock in ("+1h", "+1d", "+2d"):
        assert run(site, folder, "look=all", clock=clock).status == 0
    site.answers.clear()
    for post_id in OLD:
        put(site, post_id + 800, of=post_id)
        if leads:
            site.redirect(f"/en/{post_id}/", f"/en/{post_id + 800}/")
    site.list_posts(*(post_id + 800 for post_id in reversed(OLD)))
    ends = [run(site, folder, clock=clock).status for clock in ("+60h", "+62h", "+4d", "+5d", "+6d")]
    assert ends[-1] == 69, ends
    assert kinds(folder) == {} and len(states(folder)) == 2 * len(OLD)
    for clock in ("+8d", "+10d", "+12d"):
        done = run(site, folder, "look=all", clock=clock)
    assert done.status == 0, done.stderr[-2000:]
    assert kinds(folder) == {"moved": len(OLD)}
    sql = "select json_extract(details, '$.to'), json_extract(details, '$.reason') from changes"
    told = rows(folder, f"{sql} where kind = 'moved' order by 1")
    assert told == [(f"en:{post_id + 800}", "same_text") for post_id in OLD]
    check_rebuild(folder)


@pytest.mark.parametrize("of_two", [True, False], ids=["two had it", "another time"])
def test_a_text_that_the_site_repeats(site: Site, tmp_path: Path, of_two: bool) -> None:
    """Ten posts of 18 are deleted at once, one with a text that the site repeats. A new post with it is
    no proof that it moved there: where two posts had it, or the new one states another time."""
    folder = tmp_path / "a"
    line, said = "Calm in the city today.", {"title": "Calm in the city"}
    for post_id in OLD:
        put(site, post_id)
    site.put_post(OLD[0], line, **said, published="" if of_two else "2026-01-01T08:00:00Z")
    if of_two:
        site.put_post(OLD[17], line, **said)
    site.list_posts(*reversed(OLD))
    assert run(site, folder).status == 0
    assert run(site, folder, "look=all", clock="+1d").status == 0
    for post_id in OLD[:10]:
        del site.answers[f"/en/{post_id}/"]
    site.put_post(NEW[0], line, **said, published="" if of_two else "2026-01-03T08:00:00Z")
    site.list_posts(NEW[0], *reversed(OLD[10:]))
    for clock in ("+2d", "+4d", "+6d", "+10d", "+12d"):
        done = run(site, folder, "look=all", clock=clock)
    assert done.status == 0, done.stderr[-2000:]
    assert kinds(folder) == {"missing": 10, "disappeared": 10}
    check_rebuild(folder)


def test_posts_whose_numbers_were_exchanged(site: Site, tmp_path: Path) -> None:
    """Four posts have each other's title and text: held, and forgotten when they have their own again."""
    folder = tmp_path / "a"
    for post_id in OLD:
        put(site, post_id)
    site.list_posts(*reversed(OLD))
    assert run(site, folder).status == 0
    assert run(site, folder, "look=all", clock="+1d").status == 0
    for number, post_id in enumerate(OLD[:4]):
        put(site, post_id, of=OLD[(number + 1) % 4])
    assert run(site, folder, "look=all", clock="+2d").status == 65
    assert kinds(folder) == {}
    check_rebuild(folder)
    for post_id in OLD[:4]:
        put(site, post_id)
    assert run(site, folder, "look=all", clock="+3d").status == 0
    assert kinds(folder) == {}


def test_a_post_that_went_while_all_were_gone(site: Site, tmp_path: Path) -> None:
    """A mass 404 hides a true deletion: it is told a day after the others are back, not a week."""
    folder = tmp_path / "a"
    for post_id in OLD:
        put(site, post_id)
    site.list_posts(*reversed(OLD))
    assert run(site, folder).status == 0
    before = dict(site.answers)
    for post_id in OLD:
        del site.answers[f"/en/{post_id}/"]
    assert run(site, folder, "look=all", clock="+1h").status == 69
    site.answers = before
    del site.answers[f"/en/{OLD[0]}/"]
    site.list_posts(*reversed(OLD[1:]))
    assert [run(site, folder, clock=clock).status for clock in ("+3h", "+4h")] == [69, 69]
    assert kinds(folder) == {} and rows(folder, "select distinct article_id from pending_outcomes") == [(18,)]
    assert run(site, folder, clock="+31h").status == 0
    assert kinds(folder) == {"missing": 1} and states(folder)["en", OLD[0]] == "missing"
    check_rebuild(folder)


@pytest.mark.parametrize("turn", [0, 1])
def test_other_texts_everywhere_that_a_feed_shows_too(site: Site, tmp_path: Path, turn: int) -> None:
    """A translation in place of all texts, on the pages and in the feed, under the old times: that the feed
    has it announces no edit."""
    folder = tmp_path / "a"

    def show(line: str) -> None:
        entries = ""
        for post_id in OLD[:8]:
            put(site, post_id) if not line else site.put_post(post_id, line.format(post_id))
            text = line.format(post_id) or "As ever."
            entries += (
                f"<entry><link href='{site.post_url(post_id)}'/><updated>2026-01-01T00:00:00Z</updated>"
                f"<title>Post {post_id}</title><content>{text}</content></entry>"
            )
        feed = f"<feed xmlns='http://www.w3.org/2005/Atom'>{entries}</feed>"
        kind = "Content-Type: application/atom+xml"
        site.answers["/en/feed/atom/?orderby=modified"] = http(feed, "200 OK", kind)

    site.list_posts(*OLD[:8])
    show("")
    for clock in ("", "+2h")[: turn + 1]:
        assert run(site, folder, clock=clock).status == 0
    show("Le texte {} compte plusieurs mots.")
    for clock in ("+3h", "+4h"):
        assert run(site, folder, clock=clock).status == 65
        assert kinds(folder) == {}
