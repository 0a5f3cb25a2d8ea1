"""Answers as real sites give them, through the real crawler: what browsers read is read, what is wrong has a
sentence and a status."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import rest
from archive.sites.wordpress.feeds import parse_feed
from archive.sites.wordpress.sitemaps import is_sitemap, parse_index, parse_sitemap
from tests.archiving import well
from tests.crawling import crawl, records, rows, states
from tests.exact import MISSING, Exact, http, read_case

POSTS = range(101, 107)
EN = "edition=en"
SITE = Site("http://127.0.0.1:1/")
XML = "application/xml; charset=UTF-8"


def sitting(site: Exact) -> Exact:
    """A site with six posts and nothing else."""
    site.add_posts(POSTS)
    return site


def sighted(folder: Path, channel: str) -> set[int]:
    """The posts that a channel showed."""
    sql = "select distinct post_id from sightings join articles using (article_id) where channel = ?"
    return {post_id for (post_id,) in rows(folder, sql, channel)}


def status(folder: Path) -> tuple[str, dict[str, Any]]:
    """What `sohr-archive status` prints, as text and as JSON."""
    return well(folder, "status").decode(), json.loads(well(folder, "status", "--json"))


class TestRetryAfterAndDelay:
    """What a site asks for is kept, up to a bound; then one request asks again."""

    def test_a_rest_of_57_years_is_a_day(self, tmp_path: Path) -> None:
        """One request, none for a day, then one again; a setting changes the bound."""
        folder = tmp_path / "a"
        with Exact() as site:
            site.put("/robots.txt", "retry-after-epoch.http")
            sitting(site)
            asked = []
            for clock, given in (
                ("+0s", {}),
                ("+23h", {}),
                ("+25h", {}),
                ("+26h", {}),
                ("+27h", {"ARCHIVE_RETRY_AFTER_MAX_SECONDS": 60}),
            ):
                site.log.clear()
                done = crawl(site.url, folder, EN, ARCHIVE_CLOCK=clock, **given)
                assert done.status == 69, done.stderr[-2000:]
                asked.append(len(site.paths))
            assert asked == [1, 0, 1, 0, 1]
            assert rows(folder, "select json_extract(counters, '$.retry_after') from crawls limit 1") == [
                (1795900000,)
            ]
            text, read = status(folder)
            assert read["last_crawl"]["retry_after"] == 1795900000
            assert "asked for a rest (Retry-After) of 20,785 days: shortened" in text
            site.answers["/robots.txt"] = MISSING
            assert crawl(site.url, folder, EN, ARCHIVE_CLOCK="+52h").status == 0
            text, read = status(folder)
            assert read["last_crawl"]["retry_after"] is None and "shortened" not in text

    def test_a_delay_of_a_day_is_an_hour(self, tmp_path: Path) -> None:
        """It is cut and reported; the setting says to what."""
        with Exact() as site:
            site.answers["/robots.txt"] = http("User-agent: *\nCrawl-delay: 86400\n", kind="text/plain")
            sitting(site)
            done = crawl(site.url, tmp_path / "a", EN, "budget=3", ARCHIVE_CRAWL_DELAY_MAX_SECONDS=0.1)
            assert done.status == 0 and "one request in 0.1 s is sent instead" in done.stderr
            counted = rows(tmp_path / "a", "select json_extract(counters, '$.crawl_delay') from crawls")
            assert counted == [(86400,)]
        text, read = status(tmp_path / "a")
        assert read["last_crawl"]["crawl_delay"] == 86400
        assert "a pause after each request (Crawl-delay) of 1 day: shortened" in text


def test_robots_txt_that_names_us_with_a_release(tmp_path: Path) -> None:
    """The User-Agent as the owner's log shows it is our group."""
    with Exact() as site:
        site.answers["/robots.txt"] = http(read_case("robots-ua-version.txt"), kind="text/plain")
        assert crawl(sitting(site).url, tmp_path / "a", EN).status == 69
        assert set(site.paths) == {"/robots.txt"}


class TestClock:
    """Evidence carries this machine's time: the site's Date shows that it is wrong."""

    def dated(self, hours: float, *headers: str) -> str:
        """A Date header so far from now."""
        at = datetime.now(UTC) + timedelta(hours=hours)
        return "\r\n".join((f"Date: {format_datetime(at, usegmt=True)}", *headers))

    @pytest.mark.parametrize("hours", [-720, 2])
    def test_a_wrong_clock_ends_the_crawl(self, tmp_path: Path, hours: float) -> None:
        """73 with a sentence; the two answers are failures, none is a capture."""
        with Exact() as site:
            sitting(site)
            site.rules.append(("", http("", "404 Not Found", self.dated(hours))))
            done = crawl(site.url, tmp_path / "a", EN)
            assert done.status == 73 and "clock is" in done.stderr and len(site.paths) == 2
            assert rows(tmp_path / "a", "select count(*) from captures") == [(0,)]
            assert rows(tmp_path / "a", "select detail from failures")[0][0].startswith("wrong clock")
            assert crawl(site.url, tmp_path / "b", EN, ARCHIVE_CLOCK_SECONDS=0).status == 65

    def test_a_copy_from_a_cache_and_one_wrong_answer_are_nothing(self, tmp_path: Path) -> None:
        """An old Date with an Age says nothing of the clock; nor does one answer out of two."""
        with Exact() as site:
            sitting(site)
            site.answers["/en/101/"] = http(site.post(101), "200 OK", self.dated(-30, "Age: 108000"))
            answers = iter([http(site.post(102), "200 OK", self.dated(-30))])
            right = http(site.post(102))
            site.answers["/en/102/"] = lambda host: next(answers, right)
            assert crawl(site.url, tmp_path / "a", EN).status == 0
            assert set(states(tmp_path / "a").values()) == {"live"}


class TestEditions:
    """Each edition is judged by itself."""

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (http("<title>Just a moment...</title>", "403 Forbidden", "cf-mitigated: challenge"), 69),
            (http("<p>Nothing to see.</p>"), 65),
            (MISSING, 65),
        ],
        ids=["challenge", "no-posts", "404"],
    )
    def test_an_edition_that_is_not_listed_is_not_healthy(
        self, tmp_path: Path, answer: bytes, status: int
    ) -> None:
        """English fails, Arabic is well: a refusal is 69, a page without posts 65; both name the edition."""
        with Exact() as site:
            sitting(site)
            site.add_posts(range(501, 506), "ar")
            site.answers["/en/"] = answer
            done = crawl(site.url, tmp_path / "a")
            assert done.status == status and "edition en" in done.told[-1], done.told
            [(counters,)] = rows(tmp_path / "a", "select counters from crawls")
            editions = json.loads(counters)["editions"]
            assert not editions["en"]["healthy"] and not editions["en"]["listed"]
            assert editions["ar"] == {"listed": True, "refused": 0, "unreadable": 0, "healthy": True}

    def test_articles_that_fail_are_not_outweighed_by_listings(self, tmp_path: Path) -> None:
        """Three of ten articles fail beside forty sitemaps."""
        with Exact() as site:
            site.add_posts(range(101, 111))
            names = [f"post-sitemap{n}.xml" for n in range(40)]
            index = "".join(f"<sitemap><loc>{site.url}en/{name}</loc></sitemap>" for name in names)
            site.answers["/en/sitemap_index.xml"] = http(f"<sitemapindex>{index}</sitemapindex>", kind=XML)
            one = http(f"<urlset><url><loc>{site.url}en/101/</loc></url></urlset>", kind=XML)
            site.answers |= {f"/en/{name}": one for name in names}
            for post_id in (102, 105, 108):
                site.answers[site.path(post_id)] = http("gone wrong", "500 Internal Server Error")
            assert crawl(site.url, tmp_path / "a", EN, RETRY_TIMES=0).status == 69


class TestChannels:
    """Junk around an answer costs nothing, a bad entry costs that entry."""

    @pytest.mark.parametrize("case", ["doctype-in-cdata.atom", "php-warning-before.atom"])
    def test_feeds(self, tmp_path: Path, case: str) -> None:
        """A document type inside a text is text; a warning before the XML is skipped."""
        with Exact() as site:
            sitting(site)
            body = site.case(case)
            site.answers["/en/feed/atom/?orderby=modified"] = http(body, kind="application/atom+xml")
            assert crawl(site.url, tmp_path / "a", EN).status == 0
            assert sighted(tmp_path / "a", "feed") == {104}

    def test_rest_with_half_a_character(self, tmp_path: Path) -> None:
        """A lone surrogate is stored as U+FFFD; junk around the JSON, null and impossible dates cost
        nothing."""
        entries = json.loads(read_case("rest-lone-surrogate.json"))
        with Exact() as site:
            sitting(site)
            posts = [None, {"id": "x"}, {"id": 103, "modified_gmt": "2024-02-30T00:00:00"}, *entries]
            text = f"<b>Warning</b>: [x] y<br />\n{json.dumps(posts)}\n<!-- cached -->"
            site.rules.append(("wp-json.*orderby=modified", http(text, kind="application/json")))
            assert crawl(site.url, tmp_path / "a", EN).status == 0
            assert sighted(tmp_path / "a", "rest") == {103, 104}

    def test_one_bad_answer_closes_nothing(self, tmp_path: Path) -> None:
        """A feed that was read and fails once is asked by the next run; after three failures a day later."""
        folder, path = tmp_path / "a", "/en/feed/atom/?orderby=modified"
        with Exact() as site:
            sitting(site)
            good = http(site.case("php-warning-before.atom"), kind="application/atom+xml")
            asked = []
            plays = (
                ("+0s", good),
                ("+1h", http("oops")),
                ("+2h", MISSING),
                ("+3h", good),
                *((f"+{n}h", http("oops")) for n in range(4, 9)),
            )
            for clock, answer in (*plays, ("+32h", good)):
                site.answers[path] = answer
                site.log.clear()
                assert crawl(site.url, folder, EN, "look=none", ARCHIVE_CLOCK=clock).status == 0
                asked.append(path in site.paths)
            assert asked == [True] * 7 + [False] * 2 + [True]

    def test_sitemaps(self, tmp_path: Path) -> None:
        """Named by robots.txt, an index of an index, packed, with a prefix for each name."""
        with Exact() as site:
            sitting(site)
            for post_id in (111, 112, 113):
                site.answers[site.path(post_id)] = http(site.post(post_id))
            index = (
                "<sitemapindex>"
                + "".join(f"<sitemap><loc>{site.url}en/{{}}</loc></sitemap>" for _ in "1")
                + "</sitemapindex>"
            )
            site.answers["/robots.txt"] = http(
                f"Sitemap: {site.url}en/my-sitemap-index.xml\n", kind="text/plain"
            )
            site.answers["/en/my-sitemap-index.xml"] = http(index.format("inner-sitemap-index.xml"), kind=XML)
            site.answers["/en/inner-sitemap-index.xml"] = http(index.format("post-sitemap2.xml.gz"), kind=XML)
            posts = site.case("sitemap-prefixed.xml", ("/en/104/", "/en/111/"))
            site.answers["/en/post-sitemap2.xml.gz"] = http(gzip.compress(posts), kind="application/gzip")
            assert crawl(site.url, tmp_path / "a", EN).status == 0
            assert sighted(tmp_path / "a", "sitemap") == {111} and states(tmp_path / "a")["en", 111] == "live"

    def test_yoasts_index_of_the_edition(self, tmp_path: Path) -> None:
        """`/en/sitemap_index.xml`, which robots.txt does not name."""
        with Exact() as site:
            sitting(site)
            site.answers["/en/112/"] = http(site.post(112))
            loc = f"<sitemapindex><sitemap><loc>{site.url}en/post-sitemap.xml</loc></sitemap></sitemapindex>"
            site.answers["/en/sitemap_index.xml"] = http(loc, kind=XML)
            site.answers["/en/post-sitemap.xml"] = http(
                f"<urlset><url><loc>{site.url}en/112/</loc></url></urlset>", kind=XML
            )
            assert crawl(site.url, tmp_path / "a", EN).status == 0
            assert sighted(tmp_path / "a", "sitemap") == {112}


class TestClient:
    """What the client refuses, and where it connects."""

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ("X bad name: v", "InvalidHeaderName: b'x bad name'"),
            ("X-Long: " + "x" * 300_000, "a header line of more than 262,144 bytes"),
        ],
        ids=["name", "long"],
    )
    def test_a_refused_answer_is_a_failure_with_its_reason(
        self, tmp_path: Path, headers: str, reason: str
    ) -> None:
        """The client's own words are kept and printed. It closes the connection at a header line over its
        limit."""
        with Exact() as site:
            sitting(site)
            site.answers["/en/103/"] = http(site.post(103), "200 OK", headers)
            site.answers["/en/104/"] = http(site.post(104), "200 OK", "X-Long: " + "x" * 200_000)
            done = crawl(site.url, tmp_path / "a", EN, RETRY_TIMES=0)
            assert states(tmp_path / "a")["en", 103] is None and states(tmp_path / "a")["en", 104] == "live"
            assert reason in done.stderr
            [(word, detail)] = rows(tmp_path / "a", "select reason, detail from failures")
            assert word == "no_answer" and reason in detail

    def test_a_host_with_ipv6_only(self, tmp_path: Path) -> None:
        """Its address in brackets, as a browser takes it."""
        try:
            site = Exact(host="::1")
        except OSError:
            pytest.skip("no IPv6 here")
        with site:
            assert crawl(sitting(site).url, tmp_path / "a", EN).status == 0
            assert len(states(tmp_path / "a")) == 6


class TestPure:
    """The parsers alone."""

    def test_a_sitemap_takes_linear_time(self) -> None:
        """Entries that are never closed: twice the bytes, about twice the time."""

        def seconds(count: int) -> float:
            text = "<urlset>" + "<url><loc>x</loc>" * count
            address = SITE.parse(SITE.home + "en/post-sitemap.xml")
            assert address is not None and is_sitemap(text)
            begun = time.process_time()
            assert not parse_sitemap(text, address, SITE).sightings and not parse_index(text, address, SITE)
            return time.process_time() - begun

        assert seconds(4_000) < 1 and seconds(64_000) < 64 * max(seconds(4_000), 0.005)

    @pytest.mark.parametrize(
        ("names", "read"),
        [
            (["post-sitemap.xml", "page-sitemap.xml", "category-sitemap.xml"], ["post-sitemap.xml"]),
            (["sitemap-pt-post-p1-2024-05.xml", "sitemap-misc.xml"], ["sitemap-pt-post-p1-2024-05.xml"]),
            (["posts-sitemap1.xml", "authors-sitemap.xml"], ["posts-sitemap1.xml"]),
            (["sitemap-1.xml", "image-sitemap-1.xml"], ["sitemap-1.xml"]),
            (["wp-sitemap-posts-post-2.xml", "wp-sitemap-users-1.xml"], ["wp-sitemap-posts-post-2.xml"]),
        ],
    )
    def test_the_names_of_plugins(self, names: list[str], read: list[str]) -> None:
        """Those of posts; where none is named so, all but those named as of something else."""
        locs = "".join(f"<sitemap><loc>{SITE.home}en/{name}</loc></sitemap>" for name in names)
        address = SITE.parse(SITE.home + "en/sitemap_index.xml")
        assert address is not None
        found = parse_index(f"<sitemapindex>{locs}</sitemapindex>", address, SITE)
        assert [url.rpartition("/")[2] for url in found] == read

    def test_a_list_in_json(self) -> None:
        """What stands before and after is skipped; an empty list is one only at the end."""
        for text in (
            '[{"id": 1}]',
            'Warning: [a] b\n[{"id": 1}]',
            '[{"id": 1}]<!-- x -->',
            '\ufeff [{"id": 1}]',
        ):
            assert rest.read_json_list(text) == [{"id": 1}]
        assert rest.read_json_list("[]") == [] == rest.read_json_list("Notice\n[]")
        assert rest.read_json_list("<html>[] and {}</html>") is None
        assert rest.make_storable(["a\ud83d\0", {"b\udc00": "\U0001f600"}]) == [
            "a\ufffd\ufffd",
            {"b\ufffd": "\U0001f600"},
        ]

    def test_a_feed_with_a_broken_entry(self) -> None:
        """An impossible date costs the date."""
        address = SITE.parse(SITE.feed_url("en", "atom"))
        assert address is not None
        entry = f'<entry><link href="{SITE.home}en/5/"/><updated>2024-02-30T00:00:00Z</updated></entry>'
        listing = parse_feed(
            f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}<entry/></feed>', address, SITE
        )
        assert listing and [(s.post_id, s.modified_at) for s in listing.sightings] == [(5, None)]


def test_the_client_keeps_each_case_as_evidence(tmp_path: Path) -> None:
    """Answers that browsers read are whole captures: labels that lie cost nothing."""
    with Exact() as site:
        sitting(site)
        for post_id, case in ((217, "cenc-text-html.http"), (205, "ctype-comma.http")):
            site.put(f"/en/{post_id}/", case)
        site.answers["/en/"] = http(site.listing([217, 205, *POSTS]))
        crawl(site.url, tmp_path / "a", EN)
        kept = {record.path for record in records(tmp_path / "a") if record.kind == "response"}
        assert {"/en/217/", "/en/205/"} <= kept


class TestFrontPage:
    """With REST, feeds and sitemaps closed, the front page of a magazine is not all there is."""

    @pytest.mark.parametrize("kind", ["unread", "six", "one", "ranks"])
    def test_all_posts_are_found(self, tmp_path: Path, kind: str) -> None:
        """Whatever home shows, the date archives are walked before the first crawl ends."""
        ids = list(range(160, 100, -1))
        with Exact() as site:
            site.add_posts(ids, listed=False)
            cards = {"unread": [], "six": ids[:6], "one": ids[:1], "ranks": ids[:4]}[kind]
            links = "".join(f'<div class="c"><a href="/en/{n}/"><h3>N</h3></a></div>' for n in cards)
            paging = (
                "".join(f'<a href="/en/page/{n}/">{n}</a>' for n in range(2, 7)) if kind == "ranks" else ""
            )
            site.answers["/en/"] = http(
                f"<html><body><main>{links or 'Welcome'}</main>{paging}</body></html>"
            )
            for number in range(2, 7) if kind == "ranks" else ():  # ranks 11 and on
                shown = ids[(number - 1) * 10 : number * 10]
                site.answers[f"/en/page/{number}/"] = http(site.listing(shown, page=number, last=6))
            days = {f"date/2024/{month:02}": ids[(5 - month) * 12 :][:12] for month in range(1, 6)}
            site.answers["/en/date/2024/"] = http(site.listing(ids[:12]))
            site.answers |= {f"/en/{scope}/": http(site.listing(shown)) for scope, shown in days.items()}
            done = crawl(site.url, tmp_path / "a", EN)
            assert done.status == (65 if kind == "unread" else 0), done.told
            found = states(tmp_path / "a")
            assert len(found) == 60 and set(found.values()) == {"live"}
