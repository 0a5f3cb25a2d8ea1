"""One post, whatever its address: one article, one fetch, and every address met leads to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.crawling import Crawled, archived, article_requests, asked, crawl, rows, states, truth, versions
from tests.replica.posts import Post
from tests.replica.server import Replica
from tests.replica.site import LOCAL
from tests.replica.words import EDITIONS

PASSED_OVER = ("embed", "feed")


def small(path: str) -> str:
    """Percent-encoding in small letters."""
    return re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), path)


def shapes(post: Post) -> dict[str, str]:
    """The addresses of a post, from the site's root; http and a missing www are one with the others on
    loopback."""
    root = "en/" if post.edition == "en" else ""
    plain = quote(post.path.lstrip("/"))
    dated = f"{root}{post.published.astimezone(LOCAL):%Y/%m}/{quote(post.slug)}/"
    found = {
        "permalink": plain,
        "no slash": plain.rstrip("/"),
        "shortlink": f"{root}?p={post.post_id}",
        "tracking": f"{plain}?utm_source=x&utm_medium=social&fbclid=y",
        "dated": dated,
        "embed": f"{plain}embed/",
        "feed": f"{plain}feed/",
    }
    if len(post.pages) > 1:
        found["page 2"] = f"{plain}2/"
    if post.edition == "ar":
        found |= {
            "small hex": small(plain),
            "unencoded": post.path.lstrip("/"),
            "small hex, dated": small(dated),
        }
    return found


@dataclass(frozen=True)
class Cited:
    """A crawl of a list of addresses of two posts, and a second one of the same list."""

    replica: Replica
    folder: Path
    posts: list[Post]
    addresses: dict[str, str]  # edition and shape -> address
    first: Crawled
    first_asked: list[str]
    second: Crawled
    second_asked: list[str]


@pytest.fixture(scope="module", params=["in order", "backwards"])
def cited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cited]:
    folder = tmp_path_factory.mktemp("identity")
    with Replica(posts=60) as replica:
        posts = [
            next(p for p in replica.posts("en") if p.odd == "pages"),
            next(p for p in replica.posts("ar") if not p.odd),
        ]
        addresses = {
            f"{p.edition} {name}": replica.url + path for p in posts for name, path in shapes(p).items()
        }
        every = list(addresses.values())
        file = folder / "urls.txt"
        file.write_text(
            "# addresses met\n" + "\n".join(every if request.param == "in order" else every[::-1]) + "\n\n",
            encoding="utf-8",
        )
        first = crawl(replica, folder / "archive", f"urls={file}")
        first_asked = asked(replica)
        second = crawl(replica, folder / "archive", f"urls={file}")
        yield Cited(
            replica,
            folder / "archive",
            posts,
            addresses,
            first,
            first_asked,
            second,
            asked(replica)[len(first_asked) :],
        )


def test_all_shapes_are_one_article(cited: Cited) -> None:
    """Eight shapes of each of two posts: two articles, one version each, with all its pages."""
    assert cited.first.status == 0
    keys = [(post.edition, post.post_id) for post in cited.posts]
    assert states(cited.folder) == dict.fromkeys(keys, "live") and versions(cited.folder) == 2
    assert archived(cited.folder) == {key: text for key, text in truth(cited.replica).items() if key in keys}


def test_one_fetch_of_each_page(cited: Cited) -> None:
    """Each page of each post comes once; what costs more are the redirects of addresses that do not tell the
    post."""
    by_path = {p: n for p, n in article_requests(cited.replica).items() if p in cited.first_asked}
    permalinks = {"/" + shapes(post)["permalink"] for post in cited.posts}
    pages = permalinks | {f"/{shapes(cited.posts[0])['permalink']}{n}/" for n in (2, 3)}
    fetched = [path for path in cited.first_asked if path in pages]
    assert sorted(fetched) == sorted(pages), by_path


def test_every_address_met_is_an_alias(cited: Cited) -> None:
    """Of the article it leads to, spelled as it was met; embeds and feeds of a post are no address of it."""
    aliases = {
        url: (e, i)
        for url, e, i in rows(
            cited.folder, "select aliases.url, edition, post_id from aliases join articles using (article_id)"
        )
    }
    lacking = {
        name for name, url in cited.addresses.items() if not name.endswith(PASSED_OVER) and url not in aliases
    }
    assert lacking == set()
    assert all(aliases[url][0] == name[:2] for name, url in cited.addresses.items() if url in aliases)
    assert not [url for url in aliases if url.rstrip("/").endswith(PASSED_OVER)]


def test_what_is_no_article_is_passed_over_and_said(cited: Cited) -> None:
    """One line for each embed and feed; none is asked for."""
    for post in cited.posts:
        for name in PASSED_OVER:
            assert [
                line
                for line in cited.first.stderr.splitlines()
                if shapes(post)[name] in line and "passed over" in line
            ]
    assert not [path for path in cited.first_asked if path.rstrip("/").endswith(PASSED_OVER)]


def test_a_second_run_of_the_list_asks_for_nothing(cited: Cited) -> None:
    """Each address is known by now, the dated ones too."""
    assert cited.second.status == 0
    assert [path for path in cited.second_asked if path != "/robots.txt"] == []


@pytest.mark.parametrize("shape", ["shortlink", "dated", "page 2", "tracking"])
def test_one_address_alone_is_enough(tmp_path: Path, shape: str) -> None:
    """The whole post comes, all its pages, whichever of its addresses is given."""
    with Replica(posts=60) as replica:
        posts = [next(p for p in replica.posts(e) if p.odd == "pages") for e in EDITIONS]
        file = tmp_path / "urls.txt"
        file.write_text("\n".join(replica.url + shapes(post)[shape] for post in posts), encoding="utf-8")
        assert crawl(replica, tmp_path / "a", f"urls={file}").status == 0
        keys = [(post.edition, post.post_id) for post in posts]
        assert archived(tmp_path / "a") == {key: text for key, text in truth(replica).items() if key in keys}
        assert set(article_requests(replica).values()) == {1}


def test_a_listing_leads_to_what_a_list_brought(tmp_path: Path) -> None:
    """A post that was captured at one of its addresses is not fetched again when a listing shows another."""
    with Replica(posts=20) as replica:
        post = replica.posts("ar")[2]
        file = tmp_path / "urls.txt"
        file.write_text(replica.url + shapes(post)["shortlink"], encoding="utf-8")
        assert crawl(replica, tmp_path / "a", f"urls={file}").status == 0
        assert crawl(replica, tmp_path / "a").status == 0
        assert archived(tmp_path / "a") == truth(replica)
        assert set(article_requests(replica).values()) == {1}


def test_ids_of_the_editions_do_not_meet(tmp_path: Path) -> None:
    """Both editions have a post of the same id: two articles."""
    with Replica(posts=20) as replica:
        for edition, title in (("en", "English"), ("ar", "عربي")):
            replica.call(
                "put",
                edition=edition,
                post_id=50_000,
                title=title,
                html=f"<p>{title} text.</p>",
                lines=[f"{title} text."],
            )
        assert crawl(replica, tmp_path / "a", "pages=1").status == 0
    assert archived(tmp_path / "a")["en", 50_000] == ("English", ("English text.",))
    assert archived(tmp_path / "a")["ar", 50_000] == ("عربي", ("عربي text.",))
