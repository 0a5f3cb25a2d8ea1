"""Feeds and REST are read within bounds, and asked at their cadence by the real crawler."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.model import Address
from archive.outcome import ChannelState
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.contents import digest
from archive.sites.wordpress.feeds import FORMS, form_of, parse_feed
from archive.sites.wordpress.rest import asking, edited_url, look_url, parse_posts, walk_url
from crawler.walk.plan import day_scopes, next_category
from tests.crawling import (
    AGAIN,
    article_requests,
    asked,
    asked_again,
    changes,
    crawl,
    in_step,
    is_channel,
    plain_posts,
    rows,
    states,
)
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
        ("title", "shown"),
        [
            ("a<b>c</b>d", "acd"),
            ('a<div xmlns="http://www.w3.org/1999/xhtml">b <em>&amp; c</em></div>', "ab & c"),
            ("<![CDATA[3 &lt; 4 in <em>Kafr</em> &amp; Alyan]]>", "3 < 4 in Kafr & Alyan"),
            ("a &LT; b &AMP; c&nbsp;d", "a < b & c\xa0d"),
            ("a &unknown; b", "a &unknown; b"),
            ("a<!-- n --> b", "a b"),
            ("3 &lt; 4 &gt; 2", "3 < 4 > 2"),
        ],
    )
    def test_the_title_of_an_entry_is_plain_text(self, title: str, shown: str) -> None:
        """Markup and entities of HTML are read, in each way in which feeds write them."""
        written = entry(5, "T").replace("<![CDATA[T]]>", title)
        assert feed(atom(written))[0][2] == shown

    def test_declarations_without_an_end_take_no_time(self) -> None:
        """Half a million signs that begin a feed again and again."""
        begun = time.process_time()
        assert feed("<?xml " * 90_000) == feed("<?xml version='1.0'" * 30_000) == []
        assert time.process_time() - begun < 2

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


@pytest.fixture
def site() -> Iterator[Replica]:
    with Replica(posts=20) as replica:
        yield replica


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
        with Replica(posts=16, feed=False) as site:
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
        with Replica(posts=16, **settings) as site:
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
        with Replica(posts=20, feed_excerpt=excerpts, rest=False) as site:
            crawl(site, tmp_path / "a", "edition=en")
            (post,) = plain_posts(site, 1)
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
