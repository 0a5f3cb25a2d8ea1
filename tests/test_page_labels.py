"""Pages under wrong labels, cut on their way, or unlike what they look like: read as a browser reads them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from archive.extract.page import extract
from archive.html.decode import decode_text
from archive.model import Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site
from tests.case_pages import CASES, page_of, read


@pytest.mark.parametrize(
    ("header", "head"),
    [
        ("", '<meta charset="iso-8859-6">'),
        ("text/html; charset=iso-8859-6", '<!-- <meta charset="koi8-r"> -->'),
        (
            "text/html",
            '<script>"<meta charset=koi8-r>"</script><meta name="x" content="<meta charset=koi8-r>">',
        ),
    ],
)
def test_charsets_are_read_as_browsers_do(header: str, head: str) -> None:
    """Labels by their standard, meta tags only where they are tags, and windows-1256 for unlabelled
    Arabic."""
    words = "قتل ثلاثة مدنيين في ريف حلب"
    charset = "iso-8859-6" if "8859-6" in header + head else "cp1256"
    body = f"<!DOCTYPE html><html><head>{head}</head><body><p>{words}</p></body></html>".encode(charset)
    got = decode_text(Capture("https://www.syriahr.com/en/1/", 200, (("Content-Type", header),), body, ""))
    assert words in got


def answer(name: str) -> Capture:
    """A whole answer of tests/cases/crawl as the crawler keeps it."""
    head, _, body = (CASES / "crawl" / name).read_bytes().partition(b"\r\n\r\n")
    pairs = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
    headers = tuple((key, value) for key, value in pairs)
    short = int(dict(headers)["Content-Length"]) > len(body)
    found = re.search(rb'canonical" href="([^"]+)"', body)
    url = found[1].decode() if found else "http://127.0.0.1:9220/en/1/"
    return Capture(url, 200, headers, body, "2026-01-02T00:00:00Z", truncated="disconnect" if short else None)


@pytest.mark.parametrize("name", ["cenc-text-html.http", "ctype-comma.http", "length-of-unpacked.http"])
def test_labels_that_lie(name: str) -> None:
    """A plain body under a wrong coding, a comma in the type, the length of the unpacked body: read all the
    same."""
    found = extract(answer(name), Site("http://127.0.0.1:9220/"))
    assert isinstance(found, Extract), found
    assert len(found.lines) == 2


@pytest.mark.parametrize(
    "kind", ["*/*", "unknown/unknown", "nonsense", "text/html; charset", "text/html, text/html"]
)
@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip", "utf8", "chunked", "UTF-8"])
def test_a_plain_page_is_read_whatever_its_labels(kind: str, coding: str) -> None:
    """The first bytes decide."""
    page = replace(page_of("<p>Words.</p>"), headers=(("Content-Type", kind), ("Content-Encoding", coding)))
    found = extract(page, Site())
    assert isinstance(found, Extract), found


def test_a_page_without_its_end_is_truncated() -> None:
    """Only a closing tag or a checksum proves that an interrupted answer is whole."""
    page = replace(page_of("<p>Words.</p>"), truncated="disconnect")
    assert isinstance(extract(page, Site()), Extract)
    cut = extract(replace(page, body=page.body[:-20]), Site())
    assert isinstance(cut, Unextractable) and cut.reason == "truncated"


def test_a_minified_script_is_not_hostile() -> None:
    """Attributes are counted outside scripts."""
    assert len(read("pages/hostile-false-alarm-script.html", "https://www.syriahr.com/en/1/").lines) == 2
