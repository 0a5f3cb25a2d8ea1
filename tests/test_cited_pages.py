"""`scrapy crawl pages`: pages of other sites, from a loopback server of their own, into the archive of a site
that nobody asks."""

from __future__ import annotations

import html
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from archive.extract import other_sites
from archive.extract.other_sites import LAYOUT, extract_general
from archive.model import Capture, Extract, Unextractable
from archive.sites.addresses_elsewhere import clean, identity
from archive.sites.sohr.addresses import Site
from tests.archiving import HOME, dump, told, well
from tests.crawling import Crawled, environment, rows
from tests.crawling import crawl as sohr_crawl
from tests.replica.server import ROOT, Replica

LINES = [
    (
        "Three people were wounded on Monday when a wall fell in the market of Kafr Alyan, according to "
        "residents of the town."
    ),
    (
        "The market was closed for the day, and engineers of the council looked at the other walls, which "
        "are of the same age."
    ),
    (
        "A spokesman said that 17 shops would open again by Thursday, and that the owners had been told to "
        "keep the passage free."
    ),
]
Page = tuple[int, dict[str, str], str]


def page(title: str, lines: list[str], *, canonical: str = "", tail: str = "") -> str:
    """A simple press page: menu, headline, text, what stands below it."""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    body = "".join(f"<p>{html.escape(line, quote=False)}</p>\n" for line in lines)
    name = html.escape(title)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{name} – The Daily '
        f"Example</title>{link}"
        f'<meta property="og:title" content="{name}"><meta property="og:site_name" content="The Daily '
        'Example">'
        '<meta property="article:published_time" content="2024-03-02T08:00:00+02:00"></head><body>'
        '<header><nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul></nav>'
        "</header>"
        f"<main><article><h1>{name}</h1>{body}{tail}</article></main>"
        '<aside><h3>MARKERWORD Most read</h3><ul><li><a href="/x">MARKERWORD another story</a></li></ul>'
        "</aside>"
        "<footer><p>MARKERWORD Copyright The Daily Example. All rights reserved.</p></footer></body></html>"
    )


class Press:
    """Another site: what it answers by path, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {
            "/robots.txt": (200, {"Content-Type": "text/plain"}, "User-agent: *\nDisallow: /private/\n")
        }
        self.asked: list[str] = []
        self.url = ""

    def put(self, path: str, body: str, status: int = 200, **headers: str) -> str:
        """Answer a path from now on; its address."""
        self.pages[path] = (status, {"Content-Type": "text/html; charset=utf-8", **headers}, body)
        return self.url + path


@contextmanager
def press() -> Iterator[Press]:
    """A site on a free port of loopback."""
    site = Press()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            status, headers, body = site.pages.get(
                self.path, (404, {"Content-Type": "text/html"}, "<html><title>Not found</title></html>")
            )
            content = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def command(
    folder: Path, urls: list[str], *arguments: str, site: str = HOME, **settings: object
) -> list[str]:
    """`scrapy crawl pages` with these addresses in a file beside the archive."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    cited = folder.with_name("urls.txt")
    cited.write_text("# cited\n" + "\n".join(urls) + "\n")
    line = [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        "crawl",
        "pages",
        "-O",
        str(folder.with_name("new.jsonl")),
    ]
    line += [part for a in (f"site={site}", f"urls={cited}", *arguments) for part in ("-a", a)]
    given = {"ARCHIVE_DIR": folder, "DOWNLOAD_DELAY": 0, "BACKOFF_SECONDS": 0.05, **settings}
    return line + [part for name, value in given.items() for part in ("-s", f"{name}={value}")]


def crawl(folder: Path, urls: list[str], *arguments: str, site: str = HOME, **settings: object) -> Crawled:
    """`scrapy crawl pages` to its end."""
    out = folder.with_name("new.jsonl")
    line = command(folder, urls, *arguments, site=site, **settings)
    done = subprocess.run(
        line, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    new = [json.loads(text) for text in out.read_text().splitlines()] if out.exists() else []
    return Crawled(done.returncode, 0, done.stderr, new)


def articles(folder: Path) -> list[tuple[str, str, str, int, str | None]]:
    """source, key, state, versions and next look of each article."""
    return rows(folder, "select source, key, state, versions, next_look_at from articles order by key")


def failures(folder: Path) -> set[tuple[str, str]]:
    """Path and reason of each failure."""
    return {
        ("/" + url.split("/", 3)[3], reason)
        for url, reason in rows(folder, "select url, reason from failures")
    }


def test_cited_pages_come_in_stay_and_are_rebuilt(tmp_path: Path) -> None:
    """One crawl of all that can be cited; then the same again, an edit, a page that is gone; then all of it
    from the evidence alone."""
    folder = tmp_path / "archive"
    with press() as site:
        source = f"<p>Source: {HOME}en/195945/</p><p>[Disclaimer]</p>"
        repost = site.put(
            "/a/repost", page("A wall falls", LINES, canonical=f"{site.url}/a/repost/", tail=source)
        )
        edited = site.put("/b?id=7&lang=en", page("Shops | seventeen to open again", LINES[::-1]))
        site.put("/old", "", 301, Location="/new")
        site.put("/new", page("Under its new address", LINES))
        site.put("/round", "", 302, Location="/trip")
        site.put("/trip", "", 302, Location="/round")
        challenge = (
            "<html><head><title>Just a moment...</title></head><body><p>Checking your browser before "
            "accessing</p></body></html>"
        )
        site.put("/challenge", challenge, 403)
        site.put(
            "/polite",
            "<html><head><title>Just a moment...</title></head><body><p>Enable JavaScript to go on.</p>"
            "</body></html>",
        )
        site.put("/menu", "<html><body><nav><a href='/x'>Home</a></nav></body></html>")
        site.put("/private/secret", page("Not for robots", LINES))
        paths = ("/old", "/round", "/challenge", "/polite", "/menu", "/gone", "/private/secret")
        urls = [
            repost + "?utm_source=feed#top",
            edited,
            *(site.url + path for path in paths),
            "http://127.0.0.1:9/en/1/",
            "mailto:someone@example.org",
        ]
        first = crawl(folder, urls)
        assert "/private/secret" not in site.asked and site.asked.count("/robots.txt") == 1
        host = site.url.removeprefix("http://")
        assert articles(folder) == [
            (host, f"{site.url}/a/repost/", "live", 1, None),
            (host, f"{site.url}/b?id=7&lang=en", "live", 1, None),
            (host, f"{site.url}/new", "live", 1, None),
        ]
        assert failures(folder) == {
            *{
                ("/challenge", "challenge"),
                ("/polite", "challenge"),
                ("/menu", "layout"),
                ("/gone", "missing"),
                ("/private/secret", "not_asked"),
            },
        }
        assert sorted(version["title"] for version in first.new) == [
            "A wall falls",
            "Shops | seventeen to open again",
            "Under its new address",
        ]
        [(edition, post_id, text, url, published, layout)] = rows(
            folder,
            """select edition, post_id, v.text, source_url, v.published_at, v.layout from articles join
               versions v using (article_id)
               where url like '%repost%'""",
        )
        assert (edition, post_id, text.split("\n"), url) == (None, None, LINES, f"{HOME}en/195945/")
        assert (published, layout) == ("2024-03-02T06:00:00Z", LAYOUT)
        assert rows(folder, "select url from links") == [(f"{HOME}en/195945/",)]
        assert rows(
            folder, "select count(*) from captures where requested_url like '%/old' and url like '%/new'"
        ) == [(1,)]
        assert "127.0.0.1:9/en/1/ is not a page of another site" in first.stderr
        assert first.status == 69, first.told  # a third of what was asked for was refused

        site.asked.clear()
        again = crawl(folder, [repost, edited, f"{site.url}/old"])  # /old led to what is held
        assert (again.status, again.new, site.asked) == (0, [], [])
        site.put(
            "/b?id=7&lang=en",
            page("Shops | seventeen to open again", [LINES[2].replace("17", "18"), *LINES[:2]]),
        )
        site.put("/new", "gone", 410)
        looked = crawl(folder, [repost, edited, f"{site.url}/new"], "look=all")
        assert looked.status == 0, looked.told
        assert [(one["kind"], one["number"]) for one in looked.new] == [("updated", 2)]
        assert [row[2:] for row in articles(folder)] == [
            ("live", 1, None),
            ("live", 2, None),
            ("live", 1, None),
        ]
        assert ("/new", "missing") in failures(folder)
    before, said = dump(folder), told(folder)
    for path in folder.glob("archive.db*"):
        path.unlink()
    well(folder, "rebuild")
    assert (dump(folder), told(folder)) == (before, said)


def test_a_host_that_is_down_is_passed_over(tmp_path: Path) -> None:
    """One dead host, or one whose robots.txt fails, costs its own pages and no others'."""
    with press() as good, press() as bad:
        bad.put("/robots.txt", "", 503)
        url = good.put("/page", page("A wall falls", LINES))
        bad.put("/page", page("Not to be seen", LINES))
        done = crawl(tmp_path / "archive", ["http://127.0.0.1:1/dead", f"{bad.url}/page", url])
        assert "/page" not in bad.asked
    assert [version["title"] for version in done.new] == ["A wall falls"]
    assert failures(tmp_path / "archive") >= {
        ("/robots.txt", "no_answer"),
        ("/dead", "not_asked"),
        ("/page", "not_asked"),
    }


def test_cited_pages_cost_the_site_nothing_of_its_day(tmp_path: Path) -> None:
    """What other hosts were asked is not in the daily budget of the archive's site, nor in what `politeness`
    counts against it."""
    folder = tmp_path / "archive"
    with press() as other, Replica(posts=10) as site:
        done = crawl(folder, [other.put(f"/{n}", page(f"Story {n}", LINES)) for n in range(8)], site=site.url)
        assert len(done.new) == 8, done.stderr
        sohr_crawl(site, folder, "budget=6")
        asked = len(site.log())
        assert asked in (6, 7)  # one may be under way when the last is answered
        assert sohr_crawl(site, folder, "budget=6").status == 0 and len(site.log()) == asked
        assert b"over the budget" not in well(folder, "politeness", "--budget", "7")


@pytest.mark.parametrize(
    ("arguments", "told_so"),
    [
        ((), "urls=FILE is missing"),
        (("urls=/no/such/file",), "cannot be read"),
        (("pages=3",), "there is no argument"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: tuple[str, ...], told_so: str) -> None:
    """Before anything is made."""
    line = [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        "crawl",
        "pages",
        *(part for a in arguments for part in ("-a", a)),
    ]
    done = subprocess.run(
        [*line, "-s", f"ARCHIVE_DIR={tmp_path / 'none'}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and told_so in done.stderr and not (tmp_path / "none").exists()


# -- reading -------------------------------------------------------------------------------------------------


def read(
    body: str, url: str = "https://press.example/story", status: int = 200, **headers: str
) -> Extract | Unextractable:
    """A page, read."""
    given = {"Content-Type": "text/html; charset=utf-8"} | headers
    return extract_general(
        Capture(url, status, tuple(given.items()), body.encode(), "2026-01-02T00:00:00Z"), Site()
    )


def test_reading_twice_gives_the_same() -> None:
    """Nothing is remembered from one page to the next."""
    body = page("A wall falls", LINES)
    first = read(body)
    assert isinstance(first, Extract) and [line.text for line in first.lines] == LINES
    assert all(read(body) == first for _ in range(5))


def test_kinds_of_lines() -> None:
    """Lists, headings, quotes and table rows are lines with their kind; no bullet is invented."""
    tail = (
        "<h2>The shops</h2><ul><li>Bakery</li><li>Tailor of the old street</li></ul><table><tr>"
        "<td>Open</td><td>17</td></tr></table>"
    )
    found = read(page("A wall falls", LINES * 2, tail=tail))
    assert isinstance(found, Extract)
    assert [(line.kind.value, line.text) for line in found.lines[6:]] == [
        ("heading", "The shops"),
        ("list", "Bakery"),
        ("list", "Tailor of the old street"),
        ("row", "Open\t17"),
    ]


@pytest.mark.parametrize(
    "body",
    ["<div>" * 100_000, "<p>a</p>" * 120_000, "a" * 5_000_000, "<b>" * 30_000],
    ids=lambda body: body[:8],
)
def test_pages_out_of_bounds_are_not_read(body: str) -> None:
    """Byte guards come before any parser, also where a page is read by itself."""
    content = page("A wall falls", LINES, tail=body).encode()
    capture = Capture(
        "https://press.example/story", 200, (("Content-Type", "text/html"),), content, "2026-01-02T00:00:00Z"
    )
    found = extract_general(capture, Site(), apart=True)
    assert isinstance(found, Unextractable) and found.reason == "hostile"


def test_identity_follows_a_sound_canonical_address() -> None:
    """The page's own canonical address, unless it is another host's or the front page."""
    url = clean("HTTPS://www.Press.example:443/Story?utm_medium=x&id=3#top")
    assert url == "https://www.press.example/Story?id=3"
    assert str(identity(url, "/story/3")) == "press.example:https://www.press.example/story/3"
    for wrong in (
        None,
        "https://other.example/story",
        "https://press.example/",
        "javascript:void(0)",
        "http://[broken",
    ):
        assert str(identity(url, wrong)) == f"press.example:{url}"


@pytest.mark.parametrize("spelled", ["/caf%c3%a9/a", "/caf%C3%A9/./a", "/x/../caf%C3%A9/a", "/caf%C3%A9/%61"])
def test_one_page_is_one_article_however_its_address_is_spelled(spelled: str) -> None:
    """Hex case, dot segments and needless encoding make no other article."""
    assert identity("https://press.example/s", spelled).key == "https://press.example/caf%C3%A9/a"


def test_another_site_is_never_written_by_the_observatory() -> None:
    """A page that names SOHR as its author has none: it is a copy."""
    head = '<meta name="author" content="The Syrian Observatory for Human Rights"></head>'
    found = read(page("A wall falls", LINES).replace("</head>", head))
    assert isinstance(found, Extract) and found.author is None


def test_a_second_try_finds_what_precision_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """If precision mode finds a crumb, the default mode may find the article."""
    real, modes = other_sites._run_trafilatura, list[bool]()

    def crumb(text: str, *, favor_precision: bool) -> Any:
        modes.append(favor_precision)
        found = real(text, favor_precision=favor_precision)
        if favor_precision:
            del found.lines[1:]
        return found

    monkeypatch.setattr(other_sites, "_run_trafilatura", crumb)
    found = read(page("A wall falls", LINES * 2))
    assert isinstance(found, Extract) and [line.text for line in found.lines] == LINES * 2
    assert modes == [True, False]


@pytest.mark.seeds
def test_seeds_in_an_invented_page(seeds: Path) -> None:
    """A repost and a press article come out with their title and lines, and the repost with the post it
    copies."""
    for seed in json.loads((seeds / "expected.json").read_text(encoding="utf-8")):
        if not seed["file"].startswith(("000", "004")):
            continue
        tail = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in reversed(seed["chrome"]))
        found = read(page(seed["title"], seed["lines"], tail=tail))
        assert isinstance(found, Extract)
        assert (found.title, [line.text for line in found.lines], found.source_url) == (
            seed["title"],
            seed["lines"],
            seed["source_url"],
        )
