"""Pages of other sites are read by their main text."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest

from archive.extract import other_sites
from archive.extract.other_sites import extract_general
from archive.model import Capture, Extract, Unextractable
from archive.sites.addresses_elsewhere import clean, identity
from archive.sites.sohr.addresses import Site
from tests.press import LINES, page


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
