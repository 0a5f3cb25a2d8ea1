"""The replica lists its posts as WordPress does: home, days, categories, feeds, REST, sitemap."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from lxml import etree

from tests.asking import ask, link, plain, seen
from tests.replica.server import Replica
from tests.replica.site import LOCAL
from tests.replica.words import EDITIONS, Edition

POSTS = 60


@pytest.fixture
def replica(site: Replica) -> Replica:
    """Posts keep what other tests did to them."""
    return site


@pytest.mark.parametrize("edition", EDITIONS)
def test_home_pages_hold_every_post_once_and_the_sticky_on_top(replica: Replica, edition: Edition) -> None:
    """Following `next` from the home page meets all posts, newest first; the sticky one stands first on page
    1, out of order."""
    address, met = replica.url + ("en/" if edition == "en" else ""), []
    while address:
        page = ask(replica, address)
        met.append(seen(page))
        address = page.tree.xpath('string(//a[@class="next page-numbers"]/@href)')
    sticky = replica.truth.sticky(edition)
    expected = [post.post_id for post in replica.posts(edition)]
    assert len(sticky) == 1 and met[0][:1] == sticky
    assert met[0][1:] + [i for page in met[1:] for i in page] == expected
    assert ask(replica, f"{replica.url}{'en/' if edition == 'en' else ''}page/{len(met) + 1}/").status == 404


def test_date_archives_part_the_posts_by_local_day(replica: Replica) -> None:
    """Each day holds its own posts; a day without posts and an archive switched off are both 404."""
    posts = replica.posts("en")
    day = f"{posts[20].published.astimezone(LOCAL):%Y/%m/%d}"
    expected = [post.post_id for post in posts if f"{post.published.astimezone(LOCAL):%Y/%m/%d}" == day]
    assert seen(ask(replica, f"/en/date/{day}/")) == expected
    assert ask(replica, "/en/date/1999/01/01/").status == ask(replica, "/en/date/2025/13/").status == 404
    assert ask(replica, f"/en/date/{day[:4]}/").status == 200
    replica.call("set", date_archives=False, home_paging=False)
    assert [ask(replica, a).status for a in (f"/en/date/{day}/", "/en/page/2/", "/en/")] == [404, 404, 200]


def test_categories_and_tags_hold_their_own(replica: Replica) -> None:
    """A category lists its posts and its children's, not all; a tag likewise."""
    post = next(p for p in replica.posts("ar") if p.tags)
    for address in (
        f"/category/{quote(post.categories[0])}/",
        f"/tag/{quote(post.tags[0].replace(' ', '-'))}/",
    ):
        assert ask(replica, address).status == 200, address
    news = replica.truth.under("en", "category", "news")
    assert (
        0
        < len(replica.truth.under("en", "category", "news/syria-news"))
        < len(news)
        < len(replica.posts("en"))
    )


def test_feeds_walk_the_archive_and_atom_is_an_edit_log(replica: Replica) -> None:
    """RSS pages by `paged`; Atom by modified shows the newest edit first; a silent edit is answered 304."""
    posts = replica.posts("en")
    ids = [
        int(i)
        for page in range(1, 9)
        for i in re.findall(r"<guid[^>]*>[^<]*p=(\d+)", ask(replica, f"/en/feed/?paged={page}").text)
    ]
    assert ids == [p.post_id for p in posts]
    assert ask(replica, "/en/feed/?paged=99").status == 404
    edited = plain(replica, "en", 9)
    replica.call("edit", edition="en", post_id=edited.post_id, replace=[edited.lines[-1], "An edited line."])
    atom = ask(replica, "/en/feed/atom/?orderby=modified")
    first = etree.fromstring(atom.body).find("{*}entry")
    assert (
        first is not None
        and first.findtext("{*}id", "").endswith(f"?p={edited.post_id}")
        and "An edited line." in first.findtext("{*}content", "")
    )
    replica.call(
        "edit",
        edition="en",
        post_id=edited.post_id,
        replace=["An edited line.", "A silent one."],
        silent=True,
    )
    assert ask(replica, "/en/feed/", If_Modified_Since=atom.headers["last-modified"]).status == 304
    weak = ask(replica, "/en/feed/", Accept_Encoding="gzip").headers["etag"]
    assert weak.startswith('W/"') and ask(replica, "/en/feed/", If_None_Match=weak).status == 200


def test_rest_answers_as_wordpress(replica: Replica) -> None:
    """Counts, fields, include, strict modified_after, a page past the end, switched off."""
    path = "/en/wp-json/wp/v2/posts"
    posts = replica.posts("en")
    page = ask(replica, f"{path}?per_page=100&_fields=id,modified_gmt")
    assert page.headers["x-wp-total"] == str(len(posts)) and [row["id"] for row in json.loads(page.body)] == [
        p.post_id for p in posts
    ]
    edited = sorted(posts, key=lambda p: p.modified)[-3]
    newer = json.loads(
        ask(
            replica, f"{path}?per_page=100&modified_after={edited.modified:%Y-%m-%dT%H:%M:%S}Z&_fields=id"
        ).body
    )
    assert {row["id"] for row in newer} == {p.post_id for p in posts if p.modified > edited.modified}
    assert [
        row["id"] for row in json.loads(ask(replica, f"{path}?include={posts[2].post_id},999999").body)
    ] == [posts[2].post_id]
    assert (
        ask(replica, f"{path}?per_page=100&page=2").status
        == ask(replica, f"{path}?modified_after=2025-01-01").status
        == 400
    )
    replica.call("set", rest=False)
    assert ask(replica, path).status == 401


def test_sitemap_and_robots(replica: Replica) -> None:
    """The sitemap names every post once, with or without lastmod; robots.txt is WordPress's own or the
    test's."""
    urls = re.findall("<loc>(.*?)</loc>", ask(replica, "/en/wp-sitemap-posts-post-1.xml").text)
    assert sorted(urls) == sorted(link(replica, p) for p in replica.posts("en"))
    replica.call("set", sitemap_lastmod=False, robots="User-agent: *\nDisallow: /\n", robots_status=503)
    assert "lastmod" not in ask(replica, "/en/wp-sitemap-posts-post-1.xml").text
    assert (ask(replica, "/robots.txt").status, ask(replica, "/robots.txt").text) == (
        503,
        "User-agent: *\nDisallow: /\n",
    )


def test_posts_published_during_a_crawl_shift_the_pages() -> None:
    """After the second listing request three posts appear on top: page 3 repeats what page 2 ended with."""
    with Replica(posts=40) as replica:
        replica.call("publish_during_crawl", edition="en", after=2, count=3)
        pages = [seen(ask(replica, f"/en/page/{n}/" if n > 1 else "/en/")) for n in (1, 2, 3)]
        assert pages[2][:3] == pages[1][-3:]
        assert (
            len(replica.posts("en")) == 43
            and replica.posts("en")[0].published > replica.posts("en")[3].published
        )
