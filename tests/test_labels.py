"""Answers as servers, caches and plugins label and pack them, through the real crawler: read as a browser
reads them."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import pytest
from backports import zstd

from tests.crawling import crawl, rows, states
from tests.exact import Answer, Exact, http
from tests.test_cases_crawl import EN, sighted

PAGE = "text/html; charset=UTF-8"


def bare(body: bytes, *headers: str) -> bytes:
    """An answer with these headers alone."""
    lines = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(body: bytes, *headers: str) -> bytes:
    """In chunks of which the last one, which says that it is the last, is missing."""
    head = ["HTTP/1.1 200 OK", *headers, "Transfer-Encoding: chunked", "Connection: close"]
    return "\r\n".join(head).encode() + b"\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


def raw_deflate(body: bytes) -> bytes:
    """Without the two bytes that zlib puts before it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def packed(coding: str, body: bytes) -> bytes:
    """A page under a Content-Encoding."""
    return bare(body, f"Content-Type: {PAGE}", f"Content-Encoding: {coding}")


def labelled(site: Exact) -> dict[str, bytes]:
    """A page under each label, by what is special; the n-th is of post 201 + n."""
    pages = (site.post(number).encode() for number in range(201, 300))
    plain = [
        ("empty charset", lambda page: bare(page, "Content-Type: text/html;charset=")),
        ("two types", lambda page: bare(page, "Content-Type: text/plain", "Content-Type: text/html")),
        ("two types, one unknown", lambda page: bare(page, "Content-Type: text/html", "Content-Type: */*")),
        ("xhtml", lambda page: bare(page, "Content-Type: application/xhtml+xml; charset=utf-8")),
        ("html as text", lambda page: bare(page, "Content-Type: text/plain")),
        ("no type", lambda page: bare(page)),
        ("empty type", lambda page: bare(page, "Content-Type:")),
        ("two charsets", lambda page: bare(page, "Content-Type: text/html; charset=utf8; charset=latin1")),
        ("mark over label", lambda page: bare(b"\xff\xfe" + wide(page), f"Content-Type: {PAGE}")),
        ("big-endian", lambda page: bare(b"\xfe\xff" + page.decode().encode("utf-16-be"))),
        ("no mark", lambda page: bare(wide(page), "Content-Type: text/html; charset=utf-16")),
        ("utf-8 mark", lambda page: bare(b"\xef\xbb\xbf" + page, "Content-Type: text/html; charset=latin1")),
        ("gzip twice", lambda page: packed("gzip, gzip", gzip.compress(gzip.compress(page)))),
        ("junk after gzip", lambda page: packed("gzip", gzip.compress(page) + b"\0\0junk")),
        ("two members", lambda page: packed("gzip", gzip.compress(page[:300]) + gzip.compress(page[300:]))),
        ("zlib", lambda page: packed("deflate", zlib.compress(page))),
        ("raw deflate", lambda page: packed("deflate", raw_deflate(page))),
        ("identity, gzip", lambda page: packed("identity, gzip", gzip.compress(page))),
        ("two headers", lambda page: packed("gzip\r\nContent-Encoding: identity", gzip.compress(page))),
        ("x-gzip, capitals", lambda page: packed("X-GZIP", gzip.compress(page))),
        ("empty coding", lambda page: packed("", page)),
        ("a coding of nobody", lambda page: packed("amazing", page)),
        ("no last chunk", lambda page: chunked(page, f"Content-Type: {PAGE}")),
        ("gzip, no last chunk", lambda page: chunked(gzip.compress(page), "Content-Encoding: gzip")),
        ("gzip twice, said once", lambda page: packed("gzip", gzip.compress(gzip.compress(page)))),
        ("gzip, not said", lambda page: packed("identity", gzip.compress(page))),
        ("gzip called deflate", lambda page: packed("deflate", gzip.compress(page))),
        ("zlib called gzip", lambda page: packed("gzip", zlib.compress(page))),
        ("gzip called utf-8", lambda page: packed("UTF-8", gzip.compress(page))),
        ("gzip called br", lambda page: packed("br", gzip.compress(page))),
        ("gzip with a weight", lambda page: packed("gzip;q=1.0", gzip.compress(page))),
        ("gzip in quotes", lambda page: packed('"gzip"', gzip.compress(page))),
        ("zstd, not said", lambda page: packed("", zstd.compress(page))),
        ("gzip that is plain", lambda page: packed("gzip", page)),
    ]
    return {name: make(page) for (name, make), page in zip(plain, pages, strict=False)}


def wide(page: bytes) -> bytes:
    """In UTF-16, without a mark."""
    return page.decode().encode("utf-16-le")


def test_pages_under_every_label(tmp_path: Path) -> None:
    """Each is read; its text is that of the page."""
    with Exact() as site:
        made = labelled(site)
        posts = dict(zip(range(201, 300), made, strict=False))
        for post_id, name in posts.items():
            site.answers[site.path(post_id)] = made[name]
        site.answers["/en/"] = http(site.listing(sorted(posts, reverse=True)))
        crawl(site.url, tmp_path / "a", EN)
    found = dict(rows(tmp_path / "a", "select post_id, text from latest_versions"))
    texts = {number: text.partition("\n")[0] for number, text in found.items()}
    right = {n: f"Paragraph {n} tells of {n} apples counted near gate {n * 3}." for n in posts}
    assert [posts[n] for n in posts if texts.get(n) != right[n]] == []


def atom(site: Exact, entry: str = "", head: str = "") -> str:
    """A feed with one post, 104, in the order of edits."""
    title = "<title>One&nbsp;post &hellip; of&#160;104</title>"
    return (
        f'{head}<feed xmlns="http://www.w3.org/2005/Atom"><entry>{title}'
        f'<link href="{site.url}en/104/"/><updated>2024-05-01T00:00:00Z</updated>{entry}</entry></feed>'
    )


def rss1(site: Exact) -> str:
    """RSS 1.0: the items stand beside the channel."""
    return (
        '<?xml version="1.0"?><rdf:RDF xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel><title>T</title></channel>'
        f'<item rdf:about="x"><title>N</title><link>{site.url}en/104/</link>'
        "<dc:date>2024-05-01T00:00:00Z</dc:date></item></rdf:RDF>"
    )


def prefixed(feed: str) -> str:
    """The same, with a prefix for each name."""
    return re.sub("<(/?)([a-z])", r"<\1a:\2", feed).replace("xmlns=", "xmlns:a=")


XHTML = (
    '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>A <b>word</b>.</p></div></content>'
)
FEEDS = {
    "entities": lambda site: atom(site).encode(),
    "xhtml": lambda site: atom(site, XHTML, '<?xml version="1.0"?>').encode(),
    "utf-16": lambda site: (
        b"\xff\xfe" + wide(atom(site, "", '<?xml version="1.0" encoding="UTF-16"?>').encode())
    ),
    "rss 1.0": lambda site: rss1(site).encode(),
    "https in the namespace": lambda site: atom(site).replace("http://www.w3", "https://www.w3").encode(),
    "no namespace": lambda site: re.sub(' xmlns="[^"]*"', "", atom(site)).encode(),
    "a prefix": lambda site: prefixed(atom(site)).encode(),
    "undeclared prefixes": lambda site: re.sub(' xmlns:?[a-z]*="[^"]*"', "", rss1(site)).encode(),
    "junk around": lambda site: (
        "<br />\n<b>Warning</b>: x < 3 in <b>/srv/feed.php</b>\n" + atom(site) + "<!-- cached --><p>x"
    ).encode(),
    "half an emoji": lambda site: atom(
        site, "<summary>&#55357; &#xDE00; &#0; &#99999999;</summary>"
    ).encode(),
    "a broken tag": lambda site: atom(site, '<l:ink:x href="y"/><9/><a:/>').encode(),
    "bad entries": lambda site: atom(
        site, "</entry><entry/><entry><id>7</id></entry><entry><updated>yesterday</updated>"
    ).encode(),
    "mark, blank lines": lambda site: b"\xef\xbb\xbf\n\n" + atom(site, "", '<?xml version="1.0"?>').encode(),
}


@pytest.mark.parametrize("kind", FEEDS)
def test_feeds_of_every_kind(tmp_path: Path, kind: str) -> None:
    """Each shows its post."""
    with Exact() as site:
        site.add_posts(range(101, 104))
        site.answers["/en/104/"] = http(site.post(104))
        body = FEEDS[kind](site)
        where = (
            "/en/feed/" if kind in ("rss 1.0", "undeclared prefixes") else "/en/feed/atom/?orderby=modified"
        )
        site.answers[where] = http(body, kind="application/xml")
        assert crawl(site.url, tmp_path / "a", EN).status == 0
    assert sighted(tmp_path / "a", "feed") == {104} and states(tmp_path / "a")["en", 104] == "live"


@pytest.mark.parametrize("charset", ["iso-8859-6", "windows-1256", "utf-16"])
def test_a_feed_in_the_charset_that_it_declares(tmp_path: Path, charset: str) -> None:
    """Its header names none: the XML does, and the letters are right."""
    title = "مقتل ثلاثة مدنيين في ريف حلب"
    with Exact() as site:
        site.add_posts(range(101, 104))
        text = re.sub("<title>.*</title>", f"<title>{title}</title>", atom(site))
        body = f'<?xml version="1.0" encoding="{charset}"?>{text}'.encode(charset)
        site.answers["/en/feed/atom/?orderby=modified"] = http(body, kind="application/xml")
        assert crawl(site.url, tmp_path / "a", EN).status == 0
    sql = "select json_extract(claims, '$.title') from sightings where channel = 'feed'"
    assert rows(tmp_path / "a", sql) == [(title,)]


SITEMAPS = {
    "packed twice": (".xml.gz", lambda text: packed("gzip", gzip.compress(gzip.compress(text)))),
    "a text": (
        ".txt",
        lambda text: http(text.split(b"<loc>")[1].split(b"</loc>")[0] + b"\n", kind="text/plain"),
    ),
    "news and images": (".xml", lambda text: http(text, kind="text/xml")),
}


@pytest.mark.parametrize("kind", SITEMAPS)
def test_sitemaps_of_every_kind(tmp_path: Path, kind: str) -> None:
    """Each shows its post, and only that: an image's address is not a page's."""
    ending, make = SITEMAPS[kind]
    with Exact() as site:
        site.add_posts(range(101, 104))
        site.answers["/en/104/"] = http(site.post(104))
        text = (
            '<urlset xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" '
            'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url>'
            f"<loc>{site.url}en/104/</loc><image:image><image:loc>{site.url}en/105/</image:loc></image:image>"
            "<news:news><news:title>N</news:title></news:news><lastmod>2024-05-01</lastmod></url></urlset>"
        )
        site.answers["/robots.txt"] = http(f"Sitemap: {site.url}en/post-sitemap{ending}\n", kind="text/plain")
        site.answers[f"/en/post-sitemap{ending}"] = make(text.encode())
        assert crawl(site.url, tmp_path / "a", EN).status == 0
    assert sighted(tmp_path / "a", "sitemap") == {104} and states(tmp_path / "a")["en", 104] == "live"


JSON = "application/json; charset=UTF-8"
REST: dict[str, tuple[bytes, set[int]]] = {
    "no route": (http('{"code":"rest_no_route","data":{"status":404}}', "404 Not Found", kind=JSON), set()),
    "no route, 200": (http('{"code":"rest_no_route","data":{"status":404}}', kind=JSON), set()),
    "a log-in": (http("<html><body><form>[Log in] {}</form></body></html>", kind=PAGE), set()),
    "numbered": (http('{"0": {"id": 104, "link": "LINK"}, "2": null}', kind=JSON), {104}),
    "a mark": (http(b"\xef\xbb\xbf" + b'[{"id": 104, "link": "LINK"}]', kind=JSON), {104}),
    "html type": (http('[{"id": 104, "link": "LINK"}]', kind=PAGE), {104}),
}


@pytest.mark.parametrize("kind", REST)
def test_rest_of_every_kind(tmp_path: Path, kind: str) -> None:
    """A list is read; what is none closes nothing else, and the crawl is healthy."""
    answer, shown = REST[kind]
    with Exact() as site:
        site.add_posts(range(101, 104))
        site.answers["/en/104/"] = http(site.post(104))
        link = f"{site.url}en/104/".encode()
        body = answer.partition(b"\r\n\r\n")[2].replace(b"LINK", link)
        status = answer[9:].partition(b"\r\n")[0].decode()
        kind_of = JSON if b"json" in answer[:200] else PAGE
        site.rules.append(("wp-json", http(body, status, kind=kind_of)))
        assert crawl(site.url, tmp_path / "a", EN).status == 0
    assert sighted(tmp_path / "a", "rest") == shown


PADDING = "".join(f"Disallow: /none-{n}/\n" for n in range(30_000))  # 600 KB
ROBOTS: dict[str, tuple[Answer, int]] = {
    "600 KB, returns": (http(f"User-agent: *\r{PADDING}Disallow: /*\r", kind="text/plain"), 69),
    "a mark, one group in two": (
        http(b"\xef\xbb\xbfUser-agent: sohr-archive\nAllow: /x\n\nUser-agent: SOHR-ARCHIVE\nDisallow: /\n"),
        69,
    ),
    "other cases and blanks": (http(" USER-AGENT :*\r\n\tdisallow :/ # all\r\n"), 69),
    "another's group": (http("User-agent: sohr\nUser-agent: archive\nDisallow: /\n"), 0),
    "a star and an end": (http("User-agent: *\nDisallow: /*.pdf$\nDisallow: /$\nAllow: /en/\n"), 0),
    "a page": (http("<!DOCTYPE html><html><body>Disallow: /</body></html>"), 0),
    "utf-16": (http(b"\xff\xfe" + wide(b"User-agent: *\nDisallow: /\n"), kind="text/plain"), 69),
    "packed": (packed("gzip", gzip.compress(b"User-agent: *\nDisallow: /\n")), 69),
    "403": (http("", "403 Forbidden"), 0),
    "429": (http("", "429 Too Many Requests"), 69),
}


@pytest.mark.parametrize("kind", ROBOTS)
def test_robots_txt_of_every_kind(tmp_path: Path, kind: str) -> None:
    """What it forbids is not asked for. One that fails means stay away, one that is not there allows all."""
    answer, status = ROBOTS[kind]
    with Exact({"/robots.txt": answer}) as site:
        site.add_posts([101])
        done = crawl(site.url, tmp_path / "a", EN, RETRY_TIMES=0)
        assert done.status == status, done.stderr[-2000:]
        assert (set(site.paths) == {"/robots.txt"}) is (status == 69)
