"""Read the pages of tests/cases, and posts that a test makes."""

from __future__ import annotations

from pathlib import Path

from archive.extract.page import extract
from archive.model import ArticleKey, Capture, Extract
from archive.sites.sohr.addresses import Site

CASES = Path(__file__).parent / "cases"
FIRST = "SOHR activists have documented the death of 3 civilians in Kafr Alyan."
LAST = "According to SOHR sources, the mine was planted last year in the area."


def read(
    name: str, url: str = "https://www.syriahr.com/en/332481/", home: str = "https://www.syriahr.com/"
) -> Extract:
    """Read a case as the page at an address of a site."""
    page = Capture(
        url, 200, (("Content-Type", "text/html"),), (CASES / name).read_bytes(), "2026-01-02T00:00:00Z"
    )
    found = extract(page, Site(home), ArticleKey("en", url.rstrip("/").rpartition("/")[2]))
    assert isinstance(found, Extract), found
    return found


def page_of(text: str, *, head: str = "", beside: str = "") -> Capture:
    """A post with this text, and what stands in its head and beside its headline."""
    html = (
        f'<!DOCTYPE html><html><head><title>T - SOHR</title>{head}</head><body class="single postid-1">'
        f'<article id="post-1"><h1 class="entry-title">T</h1>{beside}'
        f'<div class="entry-content">{text}</div></article></body></html>'
    )
    return Capture("https://www.syriahr.com/en/1/", 200, (), html.encode(), "2026-01-02T00:00:00Z")


def post(text: str, *, head: str = "", beside: str = "") -> Extract:
    """What such a page says."""
    found = extract(page_of(text, head=head, beside=beside), Site())
    assert isinstance(found, Extract), found
    return found


def lines(html: str) -> list[str]:
    """The lines of a post with this text."""
    return [line.text for line in post(html).lines]
