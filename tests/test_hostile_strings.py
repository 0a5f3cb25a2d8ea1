"""Strings that are long and the same all along cost no more than their length, wherever they come from."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from archive.extract.page import extract
from archive.model import Capture
from archive.sites.robots import parse_robots
from archive.sites.sohr.addresses import Site
from archive.sites.sohr.hidden_words import HIDDEN
from archive.sites.wordpress.listings import parse_listing
from archive.text.fold import fold
from archive.warc.payloads import split_http
from tests.case_pages import FIRST, page_of

SIZE = 400_000  # characters; what is quadratic takes minutes
SITE = Site()
BREAK = "<html><head>{}</head><body><script>location.reload()</script>{}"


def _read(html: str) -> None:
    extract(Capture("https://www.syriahr.com/en/1/", 200, (), html.encode(), "2026-01-02T00:00:00Z"), Site())


CASES: dict[str, Callable[[str], object]] = {
    "search": lambda text: fold(f"a{text}!", HIDDEN),
    "text": lambda text: extract(page_of(f"<p>{FIRST}</p><p>{text}</p>"), Site(), apart=True),
    "head": lambda text: _read(f'<html><head><meta {text}"></head><body>'),
    "wall": lambda text: _read(BREAK.format("", text)),
    "header": lambda text: extract(
        Capture("https://www.syriahr.com/en/1/", 200, (("Link", text),), b"<html><body>", ""), Site()
    ),
    "robots": lambda text: parse_robots(f"user-agent: *\nallow: a{text[: SIZE // 4]}b"),
    "record": lambda text: split_http(b"HTTP/1.1 100\r\n\r\n" * (SIZE // 5) + text.encode()),
}


@pytest.mark.parametrize("sign", ["*", "-", "—", "\u200b", "ـ", "<", "<script", "a", " ", "<!--", "=", "1,"])
@pytest.mark.parametrize("place", CASES)
def test_a_long_string_of_the_same(place: str, sign: str) -> None:
    """In a text, a head, a wall, a header, robots.txt and a record of others."""
    text = (sign * SIZE)[:SIZE]
    begun = time.process_time()
    CASES[place](text)
    assert time.process_time() - begun < 3


def _list(html: str) -> None:
    address = SITE.parse("https://www.syriahr.com/en/")
    assert address is not None
    parse_listing(f'<html><body class="home">{html}</body></html>', address, SITE)


def _read_text(html: str) -> None:
    extract(page_of(f"<p>{FIRST}</p>{html}<p>{FIRST}</p>"), SITE, apart=True)


LINK = '<a href="https://www.syriahr.com/en/{}/">A town in the north</a>'
MANY: dict[str, Callable[[], object]] = {
    "entries in each other": lambda: _list('<article class="post">' * 480 + LINK.format(9) * 2000),
    "other posts": lambda: _read_text('<article class="post-2 type-post"><p>A. B.</p></article>' * 5000),
    "cards": lambda: _read_text(
        f"<div>{f'<p>{LINK}</p><p>It begins…</p>' * 5000}</div>".format(*range(2, 5002))
    ),
}


@pytest.mark.parametrize("name", MANY)
def test_many_elements(name: str) -> None:
    """The time grows with their number, however they stand."""
    begun = time.process_time()
    MANY[name]()
    assert time.process_time() - begun < 3


def test_robots_are_read_as_before() -> None:
    """White space around a rule does not belong to it."""
    robots = parse_robots(" User-agent : *  \n\tDisallow: \t/a b  \nAllow /c\t")
    assert robots.rules == (("/a%20b", False), ("/c", True))
