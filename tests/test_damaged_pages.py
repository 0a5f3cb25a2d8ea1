"""Pages damaged at random: reading them raises nothing, and no menu or counter gets into a text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from archive.extract.page import extract
from archive.model import REASONS, Extract, Unextractable
from archive.sites.sohr.layouts import LAYOUTS
from tests.golden_pages import CASES, SITE, read_golden

_PIECES = (
    b"",
    b"<",
    b">",
    b"</div>",
    b"<div>",
    b"<p>",
    b"\0",
    b"\xff",
    b'"',
    b"<!--",
    b"<table>",
    b"<script>",
    b"&#",
    b"<tr>",
)


def mutated(data: st.DataObject, body: bytes, most: int = 6) -> bytes:
    """A page with up to so many places cut out, doubled or filled with what breaks a parser."""
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, most))):
        at = data.draw(st.integers(0, len(changed)))
        length = data.draw(st.integers(0, 200))
        changed[at : at + length] = data.draw(
            st.sampled_from([*_PIECES, bytes(changed[at : at + length]) * 2])
        )
    return bytes(changed)


def never_raises(name: str, data: st.DataObject) -> None:
    """Extraction of a damaged golden page ends with an Extract or a reason."""
    page, _, key = read_golden(name)
    got = extract(replace(page, body=mutated(data, page.body[:20_000])), SITE, key)
    if isinstance(got, Unextractable):
        assert got.reason in REASONS
    else:
        assert all(
            line.text == line.text.strip() and line.text and "\n" not in line.text for line in got.lines
        )


_SHORT = [f"{layout.name}-{lang}-short" for layout in LAYOUTS for lang in ("en", "ar")]
_NAMES = (
    "related-posts",
    "post-share",
    "post-views",
    "screen-reader-text",
    "cookie-notice",
    "ad-slot",
    "widget",
    "site-footer",
)
_CHROME = "".join(
    f'<div class="{name}"><h3><a href="/en/17/">MARKERWORD 17</a></h3><p>MARKERWORD of a line.</p></div>'
    for name in _NAMES
)


def never_leaks(name: str, data: st.DataObject) -> None:
    """With the damage outside the element of the text, and outside what stands in it, no marker word of the
    chrome comes into the text."""
    page, expected, key = read_golden(name)
    html = page.body.decode()
    first, last = (html.index(expected["lines"][n][2]) for n in (0, -1))
    start = html.rindex("<div", 0, first)
    end = html.index("</div>", last) + len("</div>")
    before, text, after = (part.encode() for part in (html[:start], html[start:end], html[end:]))
    after = after.replace(b"</article>", _CHROME.encode() + b"</article>", 1).replace(
        b"</body>", _CHROME.encode() + b"</body>", 1
    )
    before = before.replace(b"<article", _CHROME.encode() + b"<article", 1)
    before = mutated(data, before, 3)
    damaged = before + text.replace(b"<div", b"<div data-here", 1) + mutated(data, after, 3)
    here = LexborHTMLParser(damaged).css_first("[data-here]")
    if here is None or expected["lines"][0][2] not in here.text():
        return  # cut inside a tag or a quote: it swallows the text's own element, which is damage to the text
    got = extract(replace(page, body=damaged), SITE, key)
    assert not isinstance(got, Extract) or "MARKERWORD" not in got.text


# How long a page may take is asserted elsewhere
SOME = settings(max_examples=200, deadline=None, derandomize=True)
MANY = settings(max_examples=10_000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@SOME
@given(st.sampled_from(CASES), st.data())
def test_mutated_pages_never_raise(name: str, data: st.DataObject) -> None:
    """Whatever is cut out, doubled or put in."""
    never_raises(name, data)


@SOME
@given(st.sampled_from(_SHORT), st.data())
def test_damaged_chrome_never_leaks(name: str, data: st.DataObject) -> None:
    """Wherever beside the text a page is broken."""
    never_leaks(name, data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@MANY
@given(st.sampled_from(CASES), st.data())
def test_ten_thousand_mutated_pages_never_raise(name: str, data: st.DataObject) -> None:
    """The same pages each time."""
    never_raises(name, data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@MANY
@given(st.sampled_from(_SHORT), st.data())
def test_ten_thousand_pages_with_damaged_chrome_never_leak(name: str, data: st.DataObject) -> None:
    """The same pages each time."""
    never_leaks(name, data)


@pytest.mark.parametrize(
    "name", [f"{layout.name}-{lang}-short" for layout in LAYOUTS for lang in ("en", "ar")]
)
def test_damage_beside_the_text_changes_nothing(name: str) -> None:
    """A counter, another stamp, other related posts and marker words in their names: the text is the same."""
    page, expected, key = read_golden(name)
    text = page.body.decode()
    names = ("related-posts", "post-share", "post-views", "screen-reader-text", "cookie-notice", "ad-slot")
    noise = "".join(f'<div class="{name}"><h3>MARKERWORD 17</h3></div>' for name in names)
    for at in ("</body>", "</article>", "<article"):
        got = extract(replace(page, body=text.replace(at, noise + at, 1).encode()), SITE, key)
        assert isinstance(got, Extract)
        assert [[line.kind.value, line.depth, line.text] for line in got.lines] == expected["lines"]
