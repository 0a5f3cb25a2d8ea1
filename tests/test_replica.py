"""The replica behaves as WordPress does, and its truth is what it serves."""

from __future__ import annotations

import http.client
import json
import re
import time
from datetime import datetime
from urllib.parse import quote

import pytest
from lxml import html

from tests.asking import ask, lines_of, link, plain, seen
from tests.replica.posts import ODD
from tests.replica.server import Replica
from tests.replica.settings import LAYOUTS, NOISE
from tests.replica.site import LOCAL, ReplicaSite
from tests.replica.words import EDITIONS, Edition

POSTS = 60


@pytest.fixture
def replica(site: Replica) -> Replica:
    """Posts keep what other tests did to them."""
    return site


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_truth_is_what_is_served(replica: Replica, edition: Edition) -> None:
    """Every post's lines, known without parsing, are what a reader of its HTML finds; all oddities occur."""
    replica.call("set", frozen=True, layout="unknown")
    posts = replica.posts(edition)
    assert {post.odd for post in posts} >= set(ODD)
    for post in posts:
        lines: list[str] = []
        for page in range(1, len(post.pages) + 1):
            tree = ask(replica, link(replica, post) + (f"{page}/" if page > 1 else "")).tree
            content = tree.xpath('//div[@itemprop="articleBody"]')[0]
            for outside in content.xpath('.//form | .//div[@class="page-links"]'):
                outside.drop_tree()
            lines += lines_of(content)
            assert (
                tree.xpath('string(//h1[@class="entry-title"])')
                .removeprefix("Protected: ")
                .removeprefix("محمي: ")
                == post.title
            )
        assert lines == list(post.lines), post


def test_the_same_seed_makes_the_same_site() -> None:
    """Another process makes the same posts; another seed makes others; both editions share ids."""
    one, two, other = ReplicaSite(40), ReplicaSite(40), ReplicaSite(40, seed=8)
    assert [one.post("en", i) for i in one.ids("en")] == [two.post("en", i) for i in two.ids("en")]
    assert {p.title for i in one.ids("en") if (p := one.post("en", i))} != {
        p.title for i in other.ids("en") if (p := other.post("en", i))
    }
    assert set(one.ids("en")) & set(one.ids("ar"))


def test_a_hundred_thousand_posts_cost_only_their_index() -> None:
    """A large site is there at once, and the middle of it too."""
    begun = time.process_time()
    site = ReplicaSite(100_000)
    post = site.post("ar", site.ids("ar")[50_000])
    assert post and post.lines and len(site.ids("ar")) == 100_000
    assert time.process_time() - begun < 3


def test_frozen_pages_are_equal_and_noisy_ones_are_not(replica: Replica) -> None:
    """Without noise the same request has the same bytes; each kind of noise alone, in each layout, makes them
    differ or adds to them."""
    address = link(replica, next(p for p in replica.posts("ar") if p.odd == "long"))
    for layout in LAYOUTS:
        replica.call("set", layout=layout, frozen=True)
        still = ask(replica, address).body
        assert ask(replica, address).body == still
        for noise in NOISE:
            replica.call("set", frozen=True, **{noise: True})
            assert ask(replica, address).body != still, (layout, noise)


def test_each_layout_has_its_marks(replica: Replica) -> None:
    """The selectors that the layouts name contain the text; the alien theme has no mark of WordPress."""
    post = plain(replica, "en")
    marks = {
        "tielabs": "entry-content entry clearfix",
        "publisher": "single-post-content",
        "foxiz": "ruby-table-contents",
        "unknown": "articleBody",
    }
    for layout, mark in marks.items():
        replica.call("set", layout=layout)
        page = ask(replica, link(replica, post))
        assert (
            mark in page.text
            and f"postid-{post.post_id}" in page.text
            and post.lines[-1] in html.tostring(page.tree, encoding="unicode")
        )
        assert 40_000 < len(page.body) < 110_000
    replica.call("set", layout="alien")
    assert not re.search(
        "entry-content|<article|canonical|postid-|entry-title", ask(replica, link(replica, post)).text
    )


def test_a_page_states_its_times_only_where_asked(replica: Replica) -> None:
    """Published and modified are in meta and JSON-LD with the SEO switch, else not."""
    post = plain(replica, "en", 1)
    tree = ask(replica, link(replica, post)).tree
    assert (
        datetime.fromisoformat(tree.xpath('string(//meta[@property="article:modified_time"]/@content)'))
        == post.modified
    )
    assert (
        datetime.fromisoformat(
            json.loads(tree.xpath('string(//script[@type="application/ld+json"])'))["datePublished"]
        )
        == post.published
    )
    replica.call("set", seo=False)
    assert "modified_time" not in ask(replica, link(replica, post)).text


def test_every_address_of_a_post_leads_to_it(replica: Replica) -> None:
    """Shortlinks, missing slashes, dated and wrong slugs redirect; tracking parameters and both hex cases do
    not matter."""
    en, ar = plain(replica, "en"), plain(replica, "ar")
    to_en, to_ar = link(replica, en), link(replica, ar)
    dated = f"/en/{en.published.astimezone(LOCAL):%Y/%m}/{en.slug}/"
    for address in (f"/en/?p={en.post_id}", f"/en/{en.post_id}", dated):
        assert (ask(replica, address).status, ask(replica, address).headers["location"]) == (301, to_en), (
            address
        )
    for address in (f"/?p={ar.post_id}", f"/{quote('خطأ')}/{ar.post_id}/"):
        assert ask(replica, address).headers["location"].lower() == to_ar.lower()
    for address in (to_ar, to_ar.lower(), to_ar + "?fbclid=x&utm_source=y", to_en + "?doing_wp_cron=1"):
        assert ask(replica, address).status == 200
    for address in (
        "/en/999999/",
        "/en/?p=999999",
        "/no-such-word/",
        "/en/page/0/",
        "/en/wp-sitemap-posts-post-9.xml",
    ):
        assert ask(replica, address).status == 404, address


def test_what_hangs_below_a_post(replica: Replica) -> None:
    """Its pages, embed and comment feed answer; a page it has not leads back to it."""
    post = next(p for p in replica.posts("en") if p.odd == "pages")
    assert [
        ask(replica, f"{link(replica, post)}{below}").status for below in ("2/", "3/", "embed/", "feed/")
    ] == [200] * 4
    assert ask(replica, f"{link(replica, post)}4/").headers["location"] == link(replica, post)


def test_edits_change_the_page_and_the_truth_alike(replica: Replica) -> None:
    """Honest, silent, one digit, title, obfuscation, white space: the lines known are the lines served, and
    only honest ones move `modified`."""
    replica.call("set", frozen=True, layout="unknown")
    edits: tuple[dict[str, object], ...] = (
        {"digit": True},
        {"obfuscate": True},
        {"whitespace": True},
        {"title": "Another <title>"},
        {"html": "<p>New.</p>", "lines": ["New."]},
    )
    for n, edit in enumerate(edits):
        before = next(
            p for p in replica.posts("ar")[n:] if not p.odd and re.search("[0-9]", " ".join(p.lines))
        )
        replica.call("edit", edition="ar", post_id=before.post_id, silent=n % 2 == 0, **edit)
        after = replica.truth.post("ar", before.post_id)
        assert after and (after.modified == before.modified) == (n % 2 == 0)
        assert ((after.title, after.lines) == (before.title, before.lines)) == ("whitespace" in edit)
        tree = ask(replica, link(replica, after)).tree
        assert lines_of(tree.xpath('//div[@itemprop="articleBody"]')[0]) == list(after.lines)
        assert tree.xpath('string(//h1[@class="entry-title"])') == after.title
    with pytest.raises(ValueError, match="0 times"):
        replica.call(
            "edit", edition="ar", post_id=plain(replica, "ar", 5).post_id, replace=["no such words", "x"]
        )


def test_trash_delete_gone_move_and_back(replica: Replica) -> None:
    """HTML and REST answer as WordPress for each state; a moved post is found from its old address."""
    expected = {"trash": (404, 401), "delete": (404, 404), "gone": (410, 404)}
    for n, (knob, statuses) in enumerate(expected.items()):
        post = plain(replica, "en", n)
        replica.call(knob, edition="en", post_id=post.post_id)
        addresses = (link(replica, post), f"/en/wp-json/wp/v2/posts/{post.post_id}")
        assert tuple(ask(replica, a).status for a in addresses) == statuses
        assert post.post_id not in seen(ask(replica, "/en/"))
        replica.call("untrash", edition="en", post_id=post.post_id)
        back = replica.truth.post("en", post.post_id)
        assert ask(replica, link(replica, post)).status == 200 and back and back.modified > post.modified
    post = plain(replica, "ar", 3)
    replica.call("move", edition="ar", post_id=post.post_id, to=777_777)
    assert ask(replica, link(replica, post)).headers["location"].endswith("/777777/")
    moved = replica.truth.post("ar", 777_777)
    assert (
        moved
        and moved.lines == post.lines
        and ask(replica, f"/wp-json/wp/v2/posts/{post.post_id}").status == 404
    )


def test_a_test_puts_in_its_own_post(replica: Replica) -> None:
    """It is served under its id, listed by its date, and replaced by another of the same id."""
    given = {
        "edition": "en",
        "post_id": 5_000_000,
        "title": "A & B",
        "html": "<p>Mine.</p>",
        "lines": ["Mine."],
        "published": "2026-02-01T10:00:00Z",
    }
    assert replica.call("post", **given) == 5_000_000
    assert (
        "<p>Mine.</p>" in ask(replica, "/en/5000000/").text
        and "A &amp; B" in ask(replica, "/en/date/2026/02/01/").text
    )
    replica.call("put", **{**given, "title": "C"})
    assert replica.posts("en")[0].title == "C"
    replica.call("delete", edition="en", post_id=5_000_000)


def test_refusals_come_as_asked(replica: Replica) -> None:
    """429 with seconds or a date for the next requests or each third; challenges, maintenance, and only where
    the pattern matches."""
    replica.call("set", fail_status=429, fail_next=2, retry_after="37")
    answers = [ask(replica, "/en/") for _ in range(3)]
    assert [a.status for a in answers] == [429, 429, 200] and answers[0].headers["retry-after"] == "37"
    replica.call("set", fail_status=503, fail_every=3, retry_after="date:5")
    answers = [ask(replica, "/en/") for _ in range(6)]
    assert sorted(a.status for a in answers) == [200] * 4 + [503] * 2
    assert next(a for a in answers if a.status == 503).headers["retry-after"].endswith("GMT")
    replica.call("set", fail_every=0, challenge=403, only="page")
    refused = ask(replica, "/en/page/2/")
    assert (refused.status, refused.headers["cf-mitigated"]) == (
        403,
        "challenge",
    ) and "Just a moment..." in refused.text
    assert ask(replica, "/en/").status == 200
    replica.call("set", challenge=200, only="")
    assert "Just a moment..." in ask(replica, "/en/").text and ask(replica, "/en/").status == 200
    replica.call("set", challenge=0, maintenance=503)
    assert ask(replica, "/en/").status == 503 and "maintenance" in ask(replica, "/en/").text


def test_bodies_may_be_cut_chunked_mislabelled_or_slow(replica: Replica) -> None:
    """A cut body ends before its Content-Length; a wrong charset is only in the header; chunks carry no
    length; a slow answer takes its time."""
    replica.call("set", truncate=0.5)
    with pytest.raises(http.client.IncompleteRead):
        ask(replica, "/en/")
    replica.call("set", truncate=0.0, charset="windows-1256")
    assert (
        ask(replica, "/").headers["content-type"] == "text/html; charset=windows-1256"
        and "المرصد" in ask(replica, "/").text
    )
    replica.call("set", charset="", chunked=True, slow_ms=120)
    begun = time.monotonic()
    answer = ask(replica, "/en/")
    assert (
        answer.headers["transfer-encoding"] == "chunked"
        and "content-length" not in answer.headers
        and time.monotonic() - begun >= 0.12
    )


def test_missing_pages_may_lie(replica: Replica) -> None:
    """A soft 404 is a 200 in the theme's looks; others lead home; a listing may have no entries."""
    replica.call("set", soft404=True)
    assert ask(replica, "/en/999999/").status == 200 and "error404" in ask(replica, "/en/999999/").text
    replica.call("set", soft404=False, redirect_missing=True)
    assert ask(replica, "/en/999999/").headers["location"] == replica.url + "en/"
    replica.call("set", redirect_missing=False, fake_listing=True)
    assert ask(replica, "/en/page/2/").status == 200 and not seen(ask(replica, "/en/page/2/"))


def test_validators_only_where_switched_on(replica: Replica) -> None:
    """WordPress's articles have none; with a cache in front they have, and a silent edit does not show in
    them."""
    post = plain(replica, "en", 7)
    assert not {"etag", "last-modified"} & set(ask(replica, link(replica, post)).headers)
    replica.call("set", lastmod=True)
    stated = ask(replica, link(replica, post)).headers["last-modified"]
    replica.call("edit", edition="en", post_id=post.post_id, title="Silently another", silent=True)
    assert ask(replica, link(replica, post), If_Modified_Since=stated).status == 304


def test_the_log_keeps_what_was_asked_and_no_control(replica: Replica) -> None:
    """One entry a request: time, path with its query, status, bytes sent, User-Agent, conditional headers."""
    ask(replica, "/en/?utm_source=x", User_Agent="test/1", If_None_Match='"a"')
    replica.call("set", gzip=False)
    [entry] = replica.log()
    assert (entry["method"], entry["path"], entry["status"], entry["user_agent"]) == (
        "GET",
        "/en/?utm_source=x",
        200,
        "test/1",
    )
    assert (
        entry["headers"]["if-none-match"] == '"a"'
        and entry["bytes"] > 40_000
        and entry["time"] <= time.monotonic()
    )
    replica.clear_log()
    assert replica.log() == []


def test_a_wrong_knob_says_why(replica: Replica) -> None:
    """Names and types are checked; the reason comes back."""
    for knob, arguments, reason in (
        ("shake", {}, "no knob"),
        ("set", {"layout": "x"}, "no layout"),
        ("set", {"views": 3}, "is a bool"),
        ("trash", {"edition": "en", "post_id": 1}, "unknown"),
    ):
        with pytest.raises(ValueError, match=reason):
            replica.call(knob, **arguments)
