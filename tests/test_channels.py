"""Feeds and REST: read within bounds, asked at their cadence, and looks done by them; through the real
crawler."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.model import Address
from archive.outcome import ChannelState
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.contents import digest
from archive.sites.wordpress.feeds import FORMS, form_of, parse_feed
from archive.sites.wordpress.rest import asking, edited_url, look_url, parse_posts, walk_url
from crawler.walk.plan import day_scopes, next_category
from tests.archiving import sohr
from tests.crawling import (
    AGAIN,
    article_requests,
    asked,
    asked_again,
    changes,
    crawl,
    in_step,
    is_channel,
    rows,
    states,
    versions,
)
from tests.replica.posts import Post
from tests.replica.server import Replica

SITE = Site("http://127.0.0.1:1/")
BOMB = '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def feed(body: str, form: str = "atom") -> list[tuple[int | None, str | None, str | None]]:
    """Id, modified and title of each entry."""
    address = SITE.parse(SITE.feed_url("en", form))
    assert address is not None
    listing = parse_feed(body, address, SITE)
    return [(s.post_id, s.modified_at, s.title) for s in listing.sightings] if listing else []


def atom(*entries: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed '
        f'xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'
    )


def entry(post_id: int, title: str = "T", content: str = "<p>One.</p>") -> str:
    return (
        f'<entry><title type="html"><![CDATA[{title}]]></title><link rel="alternate" '
        f'href="http://127.0.0.1:1/en/{post_id}/"/>'
        f"<id>http://127.0.0.1:1/en/?p={post_id}</id><updated>2026-01-02T03:04:05Z</updated>"
        f'<content type="html"><![CDATA[{content}]]></content></entry>'
    )


class TestReading:
    """What strangers send is read within bounds, or not at all."""

    def test_addresses_are_told_apart(self) -> None:
        """Each address that the crawl asks for is parsed as that question. Feeds of single posts, comments
        and categories are not channels."""
        for edition in ("en", "ar"):
            for form in FORMS:
                for page in (1, 3):
                    address = SITE.parse(SITE.feed_url(edition, form, page))
                    assert (
                        address is not None
                        and form_of(address, SITE) == (form, page)
                        and address.edition == edition
                    )
            for url, question in (
                (edited_url(SITE, edition, "2026-01-02T03:04:05Z", 2), "edited"),
                (walk_url(SITE, edition, 4), "walk"),
                (look_url(SITE, edition, [7, 5]), "look"),
            ):
                found = asking(_address(url), SITE)
                assert found is not None and found.question == question
                assert (found.since, found.page) == {
                    "edited": ("2026-01-02T03:04:05Z", 2),
                    "walk": (None, 4),
                    "look": (None, 1),
                }[question]
        for path in ("en/123/feed/", "comments/feed/", "en/category/news/feed/", "en/feed/?cat=3&paged=x"):
            assert form_of(_address(SITE.home + path), SITE) is None

    def test_entries_are_sightings(self) -> None:
        """Identity from link or id, the modified claim in UTC, the title as the site shows it."""
        assert feed(atom(entry(12, "A &#8211; B"), entry(13))) == [
            (12, "2026-01-02T03:04:05Z", "A – B"),
            (13, "2026-01-02T03:04:05Z", "T"),
        ]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "<html><body>No feed</body></html>",
            BOMB
            + (
                "<rss><channel><item><title>&b;</title><link>http://127.0.0.1:1/en/5/</link></item>"
                "</channel></rss>"
            ),
            '<!DOCTYPE feed SYSTEM "file:///etc/passwd">' + atom(entry(5)),
            "<feed>" * 100_000,
        ],
        ids=["empty", "page", "bomb", "external", "deep"],
    )
    def test_what_is_no_feed_or_is_hostile_is_none(self, body: str) -> None:
        """No entity is expanded, nothing is loaded."""
        assert feed(body) == []

    def test_a_broken_feed_is_read_as_far_as_it_goes(self) -> None:
        """Cut in the middle, with characters XML does not know, entries of other sites between."""
        other = entry(6).replace("127.0.0.1:1", "elsewhere.example")
        whole = atom(entry(5, "T\x0b\ufffe"), other, entry(7), entry(8))
        assert [post_id for post_id, _, _ in feed(whole[: whole.rindex("<entry>") + 40])] == [5, 7]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "null",
            "{}",
            '{"code": "x"}',
            '[{"id": "5"}]',
            "[" * 100_000,
            '[{"id": true}]',
            f"[{'9' * 5000}]",
        ],
    )
    def test_what_is_no_list_of_posts_is_none(self, text: str) -> None:
        """A security plugin's answer, a page, a bomb."""
        address = _address(walk_url(SITE, "en", 1))
        found = asking(address, SITE)
        assert found is not None and parse_posts(text, address, SITE, found, "1", "1") is None

    def test_a_digest_is_of_the_text(self) -> None:
        """White space, scripts and share bars aside; a digit or the title is another."""
        one = digest("T", "<p>31 dead.</p>")
        assert (
            one
            == digest(
                "T", "\n<p> 31  dead.</p><script>var nonce='1'</script><div class='sharedaddy'>Share</div>"
            )
            != digest("T", "<p>3 dead.</p>")
        )
        assert one != digest("U", "<p>31 dead.</p>") and digest("", "<div>" * 600) is None


def _address(url: str) -> Address:
    address = SITE.parse(url)
    assert address is not None
    return address


class TestPlan:
    """What to walk next: pure."""

    def test_days_are_walked_by_month_where_posts_are_few(self) -> None:
        """Newest first; a month of many posts day by day."""
        days = {"2026-02-03": 2, "2026-02-01": 90, "2026-01-31": 1, "2025-12-30": 60, "2025-12-31": 60}
        assert list(day_scopes(days)) == [
            "date/2026/02",
            "date/2026/01/31",
            "date/2025/12/31",
            "date/2025/12/30",
        ]

    def test_one_category_a_run(self) -> None:
        """Those never asked, then those asked a day ago, then one whose walk is under way; closed ones after
        a week."""
        now = "2026-01-10T12:00:00Z"
        fresh = ChannelState("category", "a", "2026-01-10T11:00:00Z", is_open=True)
        walked = ChannelState("category", "b", "2026-01-10T11:00:00Z", is_open=True, next_page=7)
        daily = ChannelState("category", "c", "2026-01-09T12:00:00Z", is_open=True)
        never = ChannelState("category", "d", None, is_open=True)
        closed = ChannelState("category", "e", "2026-01-08T12:00:00Z", is_open=False)
        order = [fresh, walked, daily, never, closed]
        for expected in (never, daily, walked, None):
            assert next_category(order, now) is expected
            order = [state for state in order if state is not expected]


# -- crawls --------------------------------------------------------------------------------------------------


# By each of these clocks all looks are due that were last done by the one before
LOOKS = ("+1h", "+3h", "+7h", "+15h")


def plain(replica: Replica, count: int) -> list[Post]:
    return [post for post in replica.posts("en") if not post.odd and len(post.pages) == 1][-count:]


@pytest.fixture
def site() -> Iterator[Replica]:
    with Replica(posts=30) as replica:
        yield replica


class TestLooksByRest:
    """Where REST is open, one request looks at 100 articles. Only those that differ, or cannot be compared,
    cost a page."""

    def test_an_unchanged_article_costs_no_page(self, site: Replica, tmp_path: Path) -> None:
        """The first look compares with nothing and asks for pages; from then on one request does all that are
        due."""
        crawl(site, tmp_path / "a", "edition=en")
        count = versions(tmp_path / "a")
        for clock in LOOKS[:3]:
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock).status == 0
        assert len(asked(site, lambda path: "include=" in path)) == 1
        odd = {post.post_id for post in site.posts("en") if post.password or not post.lines}
        # Protected and empty ones have no text to compare
        assert {int(path.split("/")[2]) for path in article_requests(site)} == odd
        assert versions(tmp_path / "a") == count
        sql = """select channel, max(looks), max(unchanged_looks), max(captures) from digests join articles
                 using (article_id)
                 join versions using (article_id) group by 1 order by 1"""
        # The feed's 304 looks at nothing
        assert rows(tmp_path / "a", sql)[:2] == [("feed", 0, 3, 2), ("rest", 2, 3, 2)]

    def test_edits_are_found_by_the_digest_and_read_from_the_page(
        self, site: Replica, tmp_path: Path
    ) -> None:
        """A silent one, a title alone, an honest one: each is a version of the page, and the next look is
        quiet."""
        crawl(site, tmp_path / "a", "edition=en")
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[0])
        silent, title, honest = plain(site, 3)
        in_step(site, "+2h")
        site.call(
            "edit",
            edition="en",
            post_id=silent.post_id,
            html="<p>The people counted there are six by now.</p>",
            lines=["The people counted there are six by now."],
            silent=True,
        )
        site.call("edit", edition="en", post_id=title.post_id, title="Another", silent=True)
        site.call("edit", edition="en", post_id=honest.post_id, html="<p>Now 5.</p>", lines=["Now 5."])
        edited = {f"/en/{post.post_id}/" for post in (silent, title, honest)}
        for turn in (1, 2, 3):
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[turn]).status == 0
            pages = set(article_requests(site))
            # At 2 a digest that came after the page proves nothing
            assert {1: edited <= pages, 2: True, 3: edited.isdisjoint(pages)}[turn]
        assert [changes(tmp_path / "a", "en", post.post_id)[-1] for post in (silent, title, honest)] == [
            "updated"
        ] * 3
        stealth = (
            "select stealth from changes join articles using (article_id) where post_id = ? and kind = "
            "'updated'"
        )
        assert [rows(tmp_path / "a", stealth, post.post_id) for post in (silent, title, honest)] == [
            [(1,)],
            [(1,)],
            [(0,)],
        ]

    def test_what_rest_does_not_show_any_more_is_asked_for(self, site: Replica, tmp_path: Path) -> None:
        """A trashed post becomes missing. A post that only REST stopped showing stays live: the feed reports
        that once, and once more when REST shows it again."""
        crawl(site, tmp_path / "a", "edition=en")
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[0])
        trashed, hidden = plain(site, 2)
        site.call("trash", edition="en", post_id=trashed.post_id)
        site.call("hide", edition="en", post_id=hidden.post_id, channels=["rest", "feed"])
        for clock in LOOKS[1:3]:
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock)
        found = states(tmp_path / "a")
        assert (found["en", trashed.post_id], found["en", hidden.post_id]) == ("missing", "live")
        told = (
            "select details from changes join articles using (article_id) where post_id = ? and kind = "
            "'metadata'"
        )
        assert rows(tmp_path / "a", told, hidden.post_id) == [('{"rest": ["listed", "absent"]}',)]
        site.call("hide", edition="en", post_id=hidden.post_id, channels=[])
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[3])
        assert rows(tmp_path / "a", told, hidden.post_id)[1:] == [('{"rest": ["absent", "listed"]}',)]
        # Made again from the evidence: the same digests and channels
        assert sohr(tmp_path / "a", "verify", "--deep").status == 0

    def test_a_count_that_is_not_ours_leads_to_another_walk(self, site: Replica, tmp_path: Path) -> None:
        """An old post comes back to REST without an edit. After a week the site's count differs from the
        archive's, and the walk by id finds the post."""
        crawl(site, tmp_path / "a", "edition=en")
        old = site.call(
            "put",
            edition="en",
            title="Old",
            html="<p>O.</p>",
            lines=["O."],
            published="2025-01-01T00:00:00Z",
            modified="2025-01-01T00:00:00Z",
        )
        site.call("hide", edition="en", post_id=old, channels=["home", "date", "category", "feed", "sitemap"])
        for clock, walks in (("+6d", 0), ("+8d", 1), ("+9d", 0), ("+16d", 1)):
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK=clock)
            assert len(asked(site, lambda path: "orderby=id" in path)) == walks
        assert states(tmp_path / "a")["en", old] == "live"  # type: ignore[index]  # it is a number

    def test_without_rest_pages_are_asked_for(self, tmp_path: Path) -> None:
        """The channel is closed, remembered, and tried again after a week; a full-text feed does the looks of
        what it shows."""
        with Replica(posts=30, rest=False, feed_validators=False) as site:
            crawl(site, tmp_path / "a", "edition=en")
            for clock in LOOKS[:2]:
                site.clear_log()
                assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock).status == 0
            assert not asked(site, lambda path: "/wp-json/" in path)
            assert len(article_requests(site)) >= 20
            assert rows(tmp_path / "a", "select is_open, status from channels where channel = 'rest'") == [
                (0, 401)
            ]
            ((looks,),) = rows(
                tmp_path / "a", "select count(*) from digests where channel = 'feed' and looks > 0"
            )
            assert looks >= 5
            crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK="+8d")
            assert len(asked(site, lambda path: "/wp-json/" in path)) == 1


class TestFeeds:
    """The feed that shows most is asked once a run."""

    def test_another_run_asks_for_the_feed_alone(self, site: Replica, tmp_path: Path) -> None:
        """REST an hour later, with a bound."""
        crawl(site, tmp_path / "a")
        site.clear_log()
        crawl(site, tmp_path / "a")
        assert asked_again(site) == AGAIN
        site.clear_log()
        crawl(site, tmp_path / "a", "look=none", ARCHIVE_CLOCK="+1h")
        rest = asked(site, lambda path: "/wp-json/" in path)
        assert (
            len(asked_again(site)) == len(AGAIN) + 2
            and len(rest) == 2
            and all("modified_after=2026-" in path for path in rest)
        )

    def test_what_the_site_does_not_offer_is_found_out_once(self, tmp_path: Path) -> None:
        """No feed at all: three questions, then none for a week; no failure of the crawl."""
        with Replica(posts=30, feed=False) as site:
            assert crawl(site, tmp_path / "a", "edition=en").status == 0
            assert len(asked(site, lambda path: "/feed/" in path)) == 3
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en").status == 0
            assert asked_again(site) == ["/robots.txt", "/en/"]

    @pytest.mark.parametrize(
        ("settings", "form", "tried"),
        [
            ({"feed_by_edit": False}, "atom", 2),
            ({"feed_atom": False}, "rss", 3),
            ({"feed_excerpt": True}, "atom-modified", 1),
        ],
        ids=["order-ignored", "rss-alone", "excerpts"],
    )
    def test_the_form_that_tells_most_is_found_and_remembered(
        self, tmp_path: Path, settings: dict[str, object], form: str, tried: int
    ) -> None:
        """Edit log, Atom, RSS: what the site does not have is tried once, what it has from then on; the
        better one again after a week."""
        with Replica(posts=30, **settings) as site:
            # Of the first page: edited last, not published last
            post = [post for post in site.posts("en") if not post.odd][3]
            site.call("edit", edition="en", post_id=post.post_id, title="Edited")
            for clock, times in (("+0s", tried), ("+1m", 1), ("+8d", tried)):
                site.clear_log()
                assert crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK=clock).status == 0
                assert len(asked(site, lambda path: "/feed/" in path and "paged" not in path)) == times
            assert rows(tmp_path / "a", "select scope from channels where channel = 'feed' and is_open") == [
                (form,)
            ]
            full = rows(tmp_path / "a", "select count(digest) > 0 from digests where channel = 'feed'")
            assert full == [(int(not settings.get("feed_excerpt")),)]

    def test_a_feed_leads_to_all_where_nothing_else_does(self, tmp_path: Path) -> None:
        """No pages, no date archives, no categories, no REST, no sitemap: ten posts a request, to the end."""
        off = dict.fromkeys(("home_paging", "date_archives", "categories", "rest", "sitemap"), False)
        with Replica(posts=40, **off) as site:
            for clock in ("+0s", "+1m"):
                assert crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK=clock).status == 0
            assert len([key for key, state in states(tmp_path / "a").items() if state]) == 40
            assert rows(
                tmp_path / "a", "select whole_at is not null from channels where channel = 'feed' and is_open"
            ) == [(1,)]

    @pytest.mark.parametrize("excerpts", [False, True])
    def test_an_edit_of_an_old_post_is_seen_at_the_next_run(self, tmp_path: Path, excerpts: bool) -> None:
        """By the edit log, with its text or by its modified claim; nothing is due, so that nothing is asked
        for but it and its neighbours."""
        with Replica(posts=30, feed_excerpt=excerpts, rest=False) as site:
            crawl(site, tmp_path / "a", "edition=en")
            (post,) = plain(site, 1)
            # It is the oldest of all
            beside = (
                "select post_id from articles where state = 'live' and post_id > ? order by post_id limit 3"
            )
            neighbours = {f"/en/{number}/" for (number,) in rows(tmp_path / "a", beside, post.post_id)}
            # A title with a figure, and one without: an edit of figures
            for number, how in enumerate(({"digit": True}, {"title": "Once more"}), 1):
                in_step(site, f"+{number * 2}m")
                site.call("edit", edition="en", post_id=post.post_id, **how)
                site.clear_log()
                crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=f"+{number * 2 + 1}m")
                assert set(article_requests(site)) == {f"/en/{post.post_id}/"} | neighbours
            assert changes(tmp_path / "a", "en", post.post_id) == ["created", "updated", "updated"]
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+6m")
            assert not article_requests(site) and [p for p in asked_again(site) if is_channel(p)] == [
                "/en/feed/atom/?orderby=modified"
            ]


CHANNELS = ("home", "date", "category", "feed", "rest", "sitemap")


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replica, Path, dict[str, Post]]]:
    """500 posts, of which six are each in one channel only, and one in none; crawled once."""
    with Replica(posts=250, frozen=True, days=40) as site:
        posts = [post for post in site.posts("en") if not post.odd]
        own = {channel: posts[10 + 30 * n] for n, channel in enumerate((*CHANNELS, "sweep"))}
        for channel, post in own.items():
            hidden = [name for name in CHANNELS if name != channel]
            if channel == "feed":  # the feed is a log of edits, not walked whole beside the others
                site.call("edit", edition="en", post_id=post.post_id, title="Seen in the feed alone")
            site.call("hide", edition="en", post_id=post.post_id, channels=hidden)
        folder = tmp_path_factory.mktemp("spread") / "archive"
        assert crawl(site, folder, "budget=0").status == 0
        yield site, folder, own


class TestDiscovery:
    """Nothing is missed, whichever channel alone shows it; and nothing is asked for needlessly."""

    def test_each_channel_shows_what_it_alone_has(
        self, spread: tuple[Replica, Path, dict[str, Post]]
    ) -> None:
        """All posts are captured, and the audit says which channel showed each."""
        site, folder, own = spread
        for turn in range(1, 7):  # one category a run
            assert crawl(site, folder, "look=none", ARCHIVE_CLOCK=f"+{turn}m").status == 0
        sql = (
            "select channel from sightings join articles using (article_id) where edition = 'en' and "
            "post_id = ? and state = 'live'"
        )
        found = {
            channel: {name for (name,) in rows(folder, sql, post.post_id)} for channel, post in own.items()
        }
        assert found == {channel: {channel} for channel in CHANNELS} | {"sweep": set()}
        assert len(states(folder)) == 499
        alone = (
            "select channel, sum(alone) from channel_coverage where edition = 'en' group by channel "
            "having sum(alone) > 0"
        )
        assert dict(rows(folder, alone)) == dict.fromkeys(CHANNELS, 1)
        assert all(
            "(1 alone)" in part
            for part in sohr(folder, "audit", "--edition", "en")
            .out.decode()
            .split("\n")[1]
            .split("  ")[-1]
            .split(", ")
        )

    def test_a_sweep_finds_what_no_channel_shows(self, spread: tuple[Replica, Path, dict[str, Post]]) -> None:
        """A sweep finds the post by its number. A number without a post is asked for once a month, an
        archived post never."""
        site, folder, own = spread
        post_id = own["sweep"].post_id
        sweep = f"sweep={post_id - 20}-{post_id + 20}"
        held_already = {i for _, i in states(folder)}
        site.call("set", rest=False)
        site.clear_log()
        assert crawl(site, folder, "edition=en", sweep, ARCHIVE_CLOCK="+12h").status == 0
        expected = {f"/en/{i}/" for i in range(post_id - 20, post_id + 21) if i not in held_already}
        assert article_requests(site) == dict.fromkeys(expected, 1) and len(expected) > 30
        sql = (
            "select channel from sightings join articles using (article_id) where edition = 'en' and "
            "post_id = ? and state = 'live'"
        )
        assert rows(folder, sql, post_id) == [("sweep",)]
        for clock, again in (("+13h", 0), ("+50d", len(expected) - 1)):
            site.clear_log()
            assert crawl(site, folder, "edition=en", sweep, ARCHIVE_CLOCK=clock).status == 0
            assert len(article_requests(site)) == again

    def test_a_sweep_asks_rest_for_a_hundred_at_once(self, site: Replica, tmp_path: Path) -> None:
        """What is there comes in, what is not is remembered; two questions for 150 ids."""
        first = min(post.post_id for post in site.posts("ar"))
        for clock, questions in (("+0s", 2), ("+1h", 0)):
            site.clear_log()
            assert (
                crawl(
                    site, tmp_path / "a", "edition=ar", f"sweep={first}-{first + 149}", ARCHIVE_CLOCK=clock
                ).status
                == 0
            )
            assert len(asked(site, lambda path: "include=" in path)) == questions
        there = {post.post_id for post in site.posts("ar") if post.post_id < first + 150}
        assert {i for (_, i), state in states(tmp_path / "a").items() if state} == there

    @pytest.mark.parametrize("given", ["9-5", "1-", "a-b", "0-5", "1-9999999", "1-5 "])
    def test_bad_ranges_end_with_2(self, site: Replica, tmp_path: Path, given: str) -> None:
        """With a sentence that says what would do; nothing is asked."""
        done = crawl(site, tmp_path / "a", "edition=en", f"sweep={given}")
        assert done.status == 2 and "sweep=" in done.stderr and not asked(site)


class TestUnchanged:
    """A run on a site that did not change costs it next to nothing."""

    @pytest.mark.slow
    def test_a_thousand_posts_unchanged(self, tmp_path: Path) -> None:
        """No version, no article's body beyond looks; robots.txt and one request a channel and edition on its
        cadence, from the server's log."""
        with Replica(posts=500, frozen=True, per_page=100) as site:
            turn = 0
            assert crawl(site, tmp_path / "a", "budget=0").status == 0
            while rows(
                tmp_path / "a", "select 1 from channels where channel = 'category' and asked_at is null"
            ):
                turn += 1
                assert (
                    crawl(site, tmp_path / "a", "look=none", "budget=0", ARCHIVE_CLOCK=f"+{turn}m").status
                    == 0
                )
            assert len(states(tmp_path / "a")) == 1000
            count = versions(tmp_path / "a")

            site.clear_log()
            assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK=f"+{turn + 1}m").status == 0
            assert asked(site) == AGAIN
            assert [entry["status"] for entry in site.log() if "/feed/" in str(entry["path"])] == [304, 304]

            # The first looks compare REST's text with nothing: each page once, ten questions
            site.clear_log()
            assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK="+1h").status == 0
            looks = [path for path in asked(site) if "include=" in path]
            assert 10 <= len(looks) <= 12

            site.clear_log()  # from then on a hundred in one request
            assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK="+3h").status == 0
            paths = asked(site)
            looks = [path for path in paths if "include=" in path]
            edited = [path for path in paths if "modified_after=" in path]
            textless = len(
                rows(tmp_path / "a", "select 1 from articles where state in ('protected', 'empty')")
            )
            assert (
                10 <= len(looks) <= 12
                and len(edited) == 2
                and sum(article_requests(site).values()) == textless
            )
            assert len(paths) == len(AGAIN) + len(looks) + len(edited) + textless
            assert versions(tmp_path / "a") == count

            site.clear_log()  # a day later: sitemaps, and one category an edition
            assert crawl(site, tmp_path / "a", "look=none", ARCHIVE_CLOCK="+25h").status == 0
            others = [path for path in asked(site) if path not in AGAIN and "modified_after=" not in path]
            assert len([path for path in others if path.endswith(".xml")]) == 4 and len(others) == 6
        # Rebuilt beside it: the same rows, channels and digests too
        assert sohr(tmp_path / "a", "verify", "--deep").status == 0


class TestLooks:
    """How a look is asked for, and what an edit leads to."""

    def test_a_condition_at_every_second_look(self, tmp_path: Path) -> None:
        """304 is a look, and no proof: the next one is unconditional, and finds what was edited silently."""
        with Replica(posts=12, lastmod=True, rest=False, feed=False, gzip=True) as site:
            crawl(site, tmp_path / "a", "edition=en")
            (post,) = plain(site, 1)
            site.call(
                "edit",
                edition="en",
                post_id=post.post_id,
                html="<p>The people counted there are six by now.</p>",
                lines=["The people counted there are six by now."],
                silent=True,
            )
            path = f"/en/{post.post_id}/"
            for clock, status in (("+1h", 304), ("+3h", 200), ("+5h", 304)):
                site.clear_log()
                assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock).status == 0
                [entry] = [entry for entry in site.log() if entry["path"] == path]
                assert entry["status"] == status and set(entry["headers"]) & {
                    "if-none-match",
                    "if-modified-since",
                } == ({"if-modified-since"} if status == 304 else set())
            assert changes(tmp_path / "a", "en", post.post_id) == ["created", "updated"]

    def test_the_look_that_ends_a_sweep_is_a_page(self, tmp_path: Path) -> None:
        """Without a condition, though REST is open and the page has a validator; a look before it is
        REST's."""
        with Replica(posts=12, lastmod=True) as site:
            # First captured, then by condition, then compared: from now on REST does the looks
            for clock in ("+0s", "+1h", "+3h"):
                crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock)
            last, before = plain(site, 2)
            with closing(sqlite3.connect(tmp_path / "a" / "archive.db")) as db:
                db.execute("update articles set unchanged_looks = 14 where post_id = ?", (last.post_id,))
                db.execute("update articles set unchanged_looks = 13 where post_id = ?", (before.post_id,))
                db.commit()
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+200d").status == 0
            found = {str(entry["path"]): entry for entry in site.log()}
            assert f"/en/{before.post_id}/" not in found
            assert found[f"/en/{last.post_id}/"]["status"] == 200
            [(due,)] = rows(
                tmp_path / "a", "select unchanged_looks from articles where post_id = ?", last.post_id
            )
            assert due == 15

    def test_neighbours_of_an_edit_are_due(self, tmp_path: Path) -> None:
        """Three on either side, of an edit of the text alone; their own edits bring none forward."""
        with Replica(posts=30, rest=False, feed=False) as site:
            crawl(site, tmp_path / "a", "edition=en")
            ids = sorted(post.post_id for post in site.posts("en") if post.lines and not post.password)
            place = 12
            # The second is found by the edit of the first: it promotes nobody
            for edited in (ids[place], ids[place + 3]):
                site.call(
                    "edit", edition="en", post_id=edited, html="<p>Now 6 dead.</p>", lines=["Now 6 dead."]
                )
            urls = tmp_path / "urls.txt"
            urls.write_text(f"{site.url}en/{ids[place]}/\n")
            crawl(site, tmp_path / "a", f"urls={urls}", "look=all", ARCHIVE_CLOCK="+2m")
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+4m")
            beside = [ids[place + n] for n in (-3, -2, -1, 1, 2, 3)]
            assert {path.split("/")[2] for path in article_requests(site)} == {str(i) for i in beside}
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+6m")
            assert not article_requests(site)
            assert changes(tmp_path / "a", "en", ids[place + 3])[-1] == "updated"

    def test_an_address_that_led_nowhere_rests_longer_each_time(self, tmp_path: Path) -> None:
        """As a missing article does: after an hour, six hours, a day."""
        with Replica(posts=12) as site:
            urls = tmp_path / "urls.txt"
            urls.write_text(f"{site.url}en/2015/03/no-such-post/\n")
            crawl(site, tmp_path / "a", f"urls={urls}")
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+1m")
            with closing(sqlite3.connect(tmp_path / "a" / "archive.db")) as db:
                db.execute(
                    "insert into aliases (url, first_seen_at) values (?, '2026-01-01T00:00:00Z')",
                    (f"{site.url}en/2015/03/no-such-post/",),
                )
                db.commit()
            for clock, times in (("+30m", 0), ("+3h", 1), ("+5h", 0), ("+12h", 1)):
                site.clear_log()
                crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK=clock)
                assert len(asked(site, lambda path: "no-such-post" in path)) == times
