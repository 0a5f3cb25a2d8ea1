"""Edits that nobody made: old copies of caches, a line that all posts got, a wall in place of the text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.clock import format_time
from archive.ingest.doubts import Held, describe_edit, find_shared, is_stale_copy
from archive.model import Capture, Extract, Line, Text
from tests.archiving import Archive, capture, check_rebuild, well
from tests.bytewise import Site, http
from tests.crawling import Crawled, crawl, rows
from tests.first_crawl import FirstCrawl
from tests.replica.server import Replica

IDS = tuple(range(101, 113))
TEXT = "The text of post {} has some words in one line.", "And a second line, of which 12 words are no more."


@pytest.fixture(scope="module")
def first_crawl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstCrawl]:
    with Site() as site:
        site.list_posts(*IDS)
        for post_id in IDS:
            site.put_post(post_id, TEXT[0].format(post_id), TEXT[1])
        yield FirstCrawl(site, tmp_path_factory.mktemp("first") / "archive")


@pytest.fixture
def site(first_crawl: FirstCrawl) -> Site:
    """The site, as it was at the first crawl."""
    return first_crawl.restore_site()


@pytest.fixture
def folder(first_crawl: FirstCrawl, tmp_path: Path) -> Path:
    """The archive after the first crawl."""
    return first_crawl.copy_archive(tmp_path / "a")


def run(site: Site, folder: Path, *arguments: str, clock: str = "") -> Crawled:
    return crawl(site.url, folder, "edition=en", *arguments, ARCHIVE_CLOCK=clock, RETRY_TIMES=0)


def kinds(folder: Path) -> list[str]:
    """What the feed says besides that posts were found."""
    return [kind for (kind,) in rows(folder, "select kind from changes where kind != 'created' order by seq")]


def extract(title: str, *lines: str, modified: str | None = None) -> Extract:
    return Extract(title, tuple(map(Line, lines)), "general", "1", modified_at=modified)


@pytest.mark.parametrize(
    ("header", "modified", "is_former", "is_stale"),
    [
        (("Age", "25000"), None, False, True),
        (("Age", "60"), None, False, False),
        (("Age", "soon"), None, False, False),
        (("X-Cache", "HIT from edge"), None, True, True),
        (("X-Cache", "HIT"), None, False, False),
        (("CF-Cache-Status", "DYNAMIC"), None, True, False),
        (("X-Cache", "TCP_MEM_HIT from edge"), None, True, True),
        (("X-Sucuri-Cache", "HIT"), None, True, True),
        (("Cache-Status", '"edge"; hit; ttl=30'), None, True, True),
        (("Cache-Control", "max-age=60, stale-while-revalidate=30"), None, True, False),
        (("Server", "x"), "2026-01-01T00:00:00Z", False, True),
        (("Server", "x"), "2026-01-03T00:00:00Z", False, False),
        (("Server", "x"), None, True, False),
        (("Last-Modified", "Fri, 02 Jan 2026 08:00:00 GMT"), None, False, True),
        (("Last-Modified", "Fri, 02 Jan 2026 09:00:00 GMT"), None, True, False),
        (("Last-Modified", "tomorrow"), None, True, False),
    ],
)
def test_what_makes_an_old_copy(
    header: tuple[str, str], modified: str | None, is_former: bool, is_stale: bool
) -> None:
    """Age before the text we hold, an older modified time, or a cache that answers with a former text."""
    capture = Capture("https://example.org/en/1/", 200, (header,), b"", "2026-01-02T12:00:00Z")
    found = extract("", "A line", modified=modified)
    held = Held("2026-01-02T00:00:00Z", "2026-01-02T11:00:00Z", "Fri, 02 Jan 2026 09:00:00 GMT")
    assert is_stale_copy(capture, found, held, is_former_text=is_former) is is_stale


def test_marks_of_an_edit() -> None:
    """Lines of a pure addition, with numbers masked; nothing where a line was replaced."""
    before = Text("A title", "One\nTwo 3")
    assert describe_edit(before, extract("A title", "One", "Updated 3 minutes ago", "Two 3"))["marks"][
        1:
    ] == ["line Updated # minutes ago"]
    assert describe_edit(before, extract("(1) A title", "One", "Two 3"))["marks"] == ["line (#) "]
    assert describe_edit(before, extract("A title - Daily 2", "One", "Two 3"))["marks"] == ["line  - Daily #"]
    both = extract("(1) A title - Daily", "One", "Two 3")
    assert describe_edit(before, both)["marks"] == ["title (1) A title - Daily"]
    other = extract("Something else", "Three", "Four 3")
    assert describe_edit(before, other)["marks"][1:] == ["title Something else", "replaced"]
    assert describe_edit(before, extract("A title", "One", "Two 4"))["marks"] == []
    long = Text("A title", "One sentence of many words, and more of them.\nTwo")
    assert describe_edit(long, extract("A title", "Log in"))["marks"][1:] == ["wall Log in"]
    assert describe_edit(long, extract("A title", "One sentence of…"))["marks"][-1] == "cut"
    assert find_shared([(1, ["a"]), (2, ["a"]), (3, ["a", "b"]), (4, ["b"])]) == {1: "a", 2: "a", 3: "a"}


@pytest.mark.parametrize("by", ["Age", "Last-Modified"])
def test_old_copies_are_marked_and_asked_again(site: Site, tmp_path: Path, by: str) -> None:
    """Old, new, old from a cache: three versions, the stale one of severity 0; asked again past caches."""
    folder = tmp_path / "a"
    old: dict[str, Any] = {"modified": "2026-01-01T00:00:00Z"}
    edited: dict[str, Any] = {"modified": "2026-01-02T00:00:00Z"}
    if by == "Last-Modified":
        old, edited = (
            {"headers": (f"Last-Modified: {day} Jan 2026 00:00:00 GMT",)} for day in ("Thu, 01", "Fri, 02")
        )
    site.put_post(103, "7 people were killed in the town.", **old)
    assert run(site, folder).status == 0
    site.put_post(103, "9 people were killed in the town.", **edited)
    assert run(site, folder, "look=all", clock="+1h").status == 0
    new = site.answers["/en/103/"]
    cached = {"headers": ("Age: 25000", "X-Cache: HIT")} if by == "Age" else {}
    site.put_post(103, "7 people were killed in the town.", **old | cached)
    stale = site.answers["/en/103/"]
    site.answers["/en/103/"] = lambda request: new if b"no-cache" in request else stale
    site.asked.clear()
    assert run(site, folder, "look=all", clock="+2h").status == 0
    assert site.asked.count("/en/103/") == 2 and not any("?" in path for path in site.asked if "103" in path)
    sql = """select severity, stale_copy, same_as_version_id is not null from changes
             where kind = 'updated' order by seq"""
    assert rows(folder, sql) == [(3, 0, 0), (0, 1, 1), (0, 0, 1)]
    assert rows(folder, "select versions from articles where post_id = 103") == [(4,)]
    check_rebuild(folder)


def test_an_old_copy_that_hides_an_announced_edit(site: Site, tmp_path: Path) -> None:
    """A feed shows an edit, the page comes unchanged from a cache that is older: it is asked once more past
    the caches, and an hour later; found then, it is an edit of the site."""
    folder, post = tmp_path / "a", site.post_url(103)

    def show_in_feed(at: str) -> None:
        entry = f"<entry><link href='{post}'/><updated>{at}</updated></entry>"
        site.answers["/en/feed/atom/?orderby=modified"] = http(
            f"<feed xmlns='http://www.w3.org/2005/Atom'>{entry}</feed>", "200 OK", "Content-Type: text/xml"
        )

    site.put_post(103, "7 people were killed in the town.", headers=("Age: 90000",))
    show_in_feed("2026-01-01T00:00:00Z")
    assert run(site, folder, clock="+1h").status == 0
    show_in_feed(format_time(datetime.now(UTC) + timedelta(hours=2)))
    site.asked.clear()
    assert run(site, folder, clock="+3h").status == 0
    assert site.asked.count("/en/103/") == 2
    site.put_post(103, "9 people were killed in the town.")
    assert run(site, folder, clock="+250m").status == 0
    assert kinds(folder) == ["updated"]
    assert rows(folder, "select severity, stale_copy from changes where kind = 'updated'") == [(3, 0)]


@pytest.mark.parametrize("case", ["line", "title", "suffix"])
def test_an_addition_to_many_posts_waits_for_a_day(site: Site, folder: Path, case: str) -> None:
    """The crawl ends with 65. A day later the addition is accepted, with a class of its own. A true edit in
    the same crawl is reported at once."""
    for number, post_id in enumerate(IDS[:4]):
        lines = (TEXT[0].format(post_id), TEXT[1])
        if case == "line":
            site.put_post(post_id, f"Updated at 14:0{number}", *lines)
        else:
            site.put_post(
                post_id,
                *lines,
                title=f"Post {post_id} - Daily {number}"
                if case == "suffix"
                else f"({number}) Post {post_id}",
            )
    site.put_post(112, TEXT[0].format(112), "And a second line, of which 13 words are no more.")
    done = run(site, folder, "look=all", clock="+1h")
    assert done.status == 65 and kinds(folder) == ["updated"], done.stderr[-2000:]
    assert [item["post_id"] for item in done.new] == [112]
    assert run(site, folder, "look=all", clock="+3h").status == 65 and kinds(folder) == ["updated"]
    assert run(site, folder, "look=all", clock="+26h").status == 0
    sql = (
        "select classes, severity <= 1, count(*) from changes where kind = 'updated' group by 1, 2 order by 3"
    )
    assert rows(folder, sql)[-1] == ('["same_addition"]', 1, 4)
    # Three looks that found nothing but noise: the next one is as far away as after three unchanged ones
    sql = "select min(unchanged_looks) from articles where versions > 1 and post_id != 112"
    assert rows(folder, sql) >= [(3,)]
    check_rebuild(folder)


def test_a_post_that_gets_its_text_later(tmp_path: Path) -> None:
    """It was empty, or no layout read it: the first text is compared with none."""
    unread = capture(2, "2026-01-02T00:00:00Z", body=b"<html><body><p>Oops</p></body></html>")
    with Archive(tmp_path / "a") as archive:
        first = archive.take(capture(1, "2026-01-02T00:00:00Z"), unread)
        later = archive.take(*(capture(n, "2026-01-03T00:00:00Z", f"Text {n}.") for n in (1, 2)))
    assert [one.word for one in (*first, *later)] == ["empty", "layout", "new", "new"]


def test_posts_that_an_editor_rewrites_are_edits(tmp_path: Path) -> None:
    """Title and text of three posts are others, and the feed says that they were edited: no other posts."""
    folder = tmp_path / "a"
    with Replica(posts=12) as replica:
        assert crawl(replica, folder).status == 0
        posts = [post.post_id for post in replica.posts("en") if not post.odd and post.lines][:3]
        for post_id, word in zip(posts, ("alpha", "beta", "gamma"), strict=True):
            replica.rewrite(post_id, " ".join(f"{word}{n}" for n in range(12)) + ".", title=f"{word} {word}s")
        assert crawl(replica, folder, ARCHIVE_CLOCK="+3h").status == 0
    assert kinds(folder) == ["updated"] * 3
    check_rebuild(folder)


def test_numbers_that_repeat_are_never_held(site: Site, folder: Path) -> None:
    """A running toll is corrected in three posts alike: three edits, at once."""
    for post_id in IDS[:4]:
        site.put_post(post_id, TEXT[0].format(post_id), "And a second line, of which 14 words are no more.")
    assert run(site, folder, "look=all").status == 0
    assert kinds(folder) == ["updated"] * 4


def test_an_error_of_php_is_no_text(site: Site, folder: Path) -> None:
    """In front of each text: unreadable, 65; nothing is said of the posts."""
    for post_id in IDS:
        warning = "<b>Warning</b>: Undefined array key 1 in <b>/srv/www/plugin.php</b> on line <b>17</b>"
        site.put_post(post_id, warning, TEXT[0].format(post_id), TEXT[1])
    assert run(site, folder, "look=all").status == 65
    assert kinds(folder) == []


@pytest.mark.parametrize("case", ["captcha", "teaser", "excerpt", "named", "title"])
def test_a_wall_inside_the_layout(site: Site, tmp_path: Path, case: str) -> None:
    """A page that asks something, with a number of its own; a first line, and a request to subscribe; or
    the title of each post in one; nothing but the beginning of each post; or one title for all."""
    folder = tmp_path / "a"

    def put(number: int, post_id: int, *lines: str, title: str = "") -> None:
        place = ("mill", "bridge", "harbour", "tower")[number]
        site.put_post(post_id, *lines, title=title or f"The {place}")

    for number, post_id in enumerate(IDS[:4]):
        put(number, post_id, TEXT[0].format(post_id), TEXT[1])
    assert run(site, folder).status == 0
    for number, post_id in enumerate(IDS[:4]):
        walls = {
            "captcha": (f"Prove that you are a reader: what is {number} and 4?",),
            "teaser": (f"The text of {post_id}.", "Subscribe to read on."),
            "named": (f"Subscribe to read The {('mill', 'bridge', 'harbour', 'tower')[number]} on.",),
            "title": (TEXT[0].format(post_id), TEXT[1]),
            "excerpt": (f"{TEXT[0].format(post_id)[:30]}…",),
        }
        put(number, post_id, *walls[case], title="The daily news" if case == "title" else "")
    assert run(site, folder, "look=all", clock="+1h").status == 65
    assert kinds(folder) == []
    for number, post_id in enumerate(IDS[:4]):
        put(number, post_id, TEXT[0].format(post_id), TEXT[1])
    assert run(site, folder, "look=all", clock="+2h").status == 0
    assert kinds(folder) == [] and Counter(rows(folder, "select versions from articles")) == {(1,): len(IDS)}


def test_a_form_for_a_password_in_place_of_one_text(site: Site, tmp_path: Path) -> None:
    """Its post is protected, which is its state, and its text stays; a form below a text is no wall."""
    folder = tmp_path / "a"
    form = '<form action="/wp-login.php"><input name="log"><input type="password" name="pwd"></form>'
    site.put_post(104, *TEXT, TEXT[0] * 5, form)
    assert run(site, folder).status == 0
    site.put_post(103, "This is for members only.", form)
    assert run(site, folder, "look=all", clock="+1h").status == 0
    assert kinds(folder) == ["metadata"] and rows(folder, "select max(number) from versions") == [(1,)]
    sql = "select post_id, state from articles where post_id in (103, 104) order by 1"
    assert rows(folder, sql) == [(103, "protected"), (104, "live")]


def test_a_wall_that_comes_to_a_few_posts_in_each_crawl(site: Site, folder: Path) -> None:
    """Two posts, then two more: what was told of the first two is taken back. When a post shows another text
    than the wall, that is an edit and is told at once."""
    for number, (clock, status) in enumerate((("+1h", 0), ("+2h", 65))):
        for post_id in IDS[number * 2 :][:2]:
            site.put_post(post_id, f"Prove that you are a reader: what is {post_id} and 4?")
        assert run(site, folder, "look=all", clock=clock).status == status
    assert kinds(folder) == ["updated"] * 2 + ["retracted"] * 2
    sql = "select count(*) from latest_versions where text like 'Prove%'"
    assert rows(folder, sql) == [(0,)]
    check_rebuild(folder)
    site.put_post(IDS[0], TEXT[0].format(IDS[0]), "And a second line, of which 15 words are no more.")
    for post_id in IDS[1:4]:
        site.put_post(post_id, TEXT[0].format(post_id), TEXT[1])
    assert run(site, folder, "look=all", clock="+3h").status == 0
    assert kinds(folder)[4:] == ["updated"]
    assert rows(folder, "select post_id from edits") == [(IDS[0],)]


def test_old_copies_of_all_posts_are_no_trouble(site: Site, tmp_path: Path) -> None:
    """A cache serves yesterday's site: kept and marked, severity 0, exit 0."""
    folder = tmp_path / "a"
    for post_id in IDS:
        site.put_post(post_id, f"{post_id} people live in the town.", modified="2026-01-02T00:00:00Z")
    assert run(site, folder).status == 0
    for post_id in IDS:
        site.put_post(post_id, f"{post_id + 9} people live in the town.", modified="2026-01-01T00:00:00Z")
    assert run(site, folder, "look=all", clock="+1h").status == 0
    sql = "select severity, stale_copy, count(*) from changes where kind = 'updated' group by 1, 2"
    assert rows(folder, sql) == [(0, 1, len(IDS))]
    assert noise(folder)["stale_copy"] == len(IDS)


@pytest.mark.parametrize("stated", ["page", "header"])
def test_an_edit_after_a_time_that_lay_ahead(site: Site, tmp_path: Path, stated: str) -> None:
    """The site once stated a modified time of many years ahead: edits after that are no old copies."""
    folder = tmp_path / "a"
    ahead = "2099-01-02T00:00:00Z", "Fri, 02 Jan 2099 00:00:00 GMT"
    now = "2026-01-02T00:00:00Z", "Fri, 02 Jan 2026 00:00:00 GMT"
    for people, (modified, header) in ((3, ahead), (31, now)):
        line = f"{people} people were killed in the town."
        if stated == "page":
            site.put_post(IDS[0], line, modified=modified)
        else:
            site.put_post(IDS[0], line, headers=(f"Last-Modified: {header}",))
        assert run(site, folder, "look=all", clock="" if people == 3 else "+1h").status == 0
    sql = "select severity, stale_copy from changes where kind = 'updated'"
    assert rows(folder, sql) == [(3, 0)]


def noise(folder: Path) -> dict[str, int]:
    """What status counts as noise of the English edition."""
    [edition] = json.loads(well(folder, "status", "--json"))["editions"]
    assert edition["healthy"] is True
    counts: dict[str, int] = edition["noise"]
    return counts


def test_noise_is_counted_and_wakes_nobody(site: Site, tmp_path: Path) -> None:
    """Addresses made anew for each request, an entry of the feed that nobody can read: 0, and in status."""
    folder = tmp_path / "a"
    entries = (
        f"<entry><link href='{site.post_url(101)}'/><updated>2026-01-01T00:00:00Z</updated></entry>"
        "<entry><link href='http://[bad'/><updated>2026-01-01T00:00:00Z</updated></entry>"
    )
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'>{entries}</feed>"
    site.answers["/en/feed/atom/?orderby=modified"] = http(
        feed, "200 OK", "Content-Type: application/atom+xml"
    )
    for clock in ("", "+1h"):
        link = f'<a href="{site.url}file?nonce={len(clock)}ab12">the file</a>'
        site.put_post(103, TEXT[0].format(103), f"See {link}.")
        assert run(site, folder, "look=all", clock=clock).status == 0
    # Three feeds: the walk through all of it begins with the page that showed the newest posts
    # Short texts of a layout without a name can be checked by no second reader
    assert kinds(folder) == [] and noise(folder) == {"bad_entry": 3, "new_address": 1, "doubtful": 12}
    [told] = re.findall("noise of 30 days: .*", well(folder, "status").decode())
    assert "3 feeds with an entry that cannot be read" in told and "1 looks at pages with addresses" in told
    check_rebuild(folder)
