"""The HTML document of a capture in UTF-8, or the reason why it must not be read as a page."""

from __future__ import annotations

from dataclasses import dataclass

from archive.html.bounds import HEAVY_TAGS, is_heavy, is_hostile
from archive.html.decode import MAX_BODY, Cut, TooLarge, Undecodable, decode_body, is_cut, is_html, to_utf8
from archive.model import APART, ArticleKey, Capture, Kind, Unextractable
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import refusals

HEAVY = "the page is large: it is read by itself"
_BEGINNING = 65_536  # bytes in which a refusal says so


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a page: bytes unpacked, tags, and tags above which it is read apart."""

    max_bytes: int = MAX_BODY
    max_tags: int | None = None
    heavy_tags: int = HEAVY_TAGS


def open_document(capture: Capture, bounds: Bounds, *, apart: bool) -> bytes | Unextractable:
    """Check status, packing, media type and bounds; return the page in UTF-8 or the reason to refuse it.

    A page that may take long is `Unextractable("apart")` unless ``apart`` is set.
    """
    if known := refusals.by_status(capture):
        return Unextractable(*known)
    try:
        body = decode_body(capture, bounds.max_bytes)
    except Cut as error:
        return Unextractable("truncated", str(error))
    except Undecodable as error:
        return Unextractable("hostile" if isinstance(error, TooLarge) else "not_html", str(error))
    if is_cut(capture, body):
        return Unextractable("truncated", f"the body was cut ({capture.truncated})")
    if not is_html(capture, body):
        kind = capture.header("content-type") or "nothing"
        wrong = ("not_html", f"the server calls it {kind}, {len(body)} bytes")
        return refused(capture, to_utf8(capture, body[:_BEGINNING])) or Unextractable(*wrong)
    html = to_utf8(capture, body)
    if not 200 <= capture.status < 300 or (capture.header("cf-mitigated") or "").lower() == "challenge":
        return refused(capture, html) or Unextractable("error", f"status {capture.status}")
    if not apart and is_heavy(html, bounds.heavy_tags):
        return Unextractable(APART, HEAVY)
    tags = html.count(b"<") if bounds.max_tags else 0
    if bounds.max_tags and tags > bounds.max_tags:
        return Unextractable("hostile", f"{tags:,} tags, more than {bounds.max_tags:,}")
    hostile = is_hostile(html)
    return Unextractable("hostile", hostile) if hostile else html


def refused(capture: Capture, html: bytes) -> Unextractable | None:
    """The refusal, challenge or error that a page shows, by its status and words; None for any other page."""
    found = refusals.by_text(capture, html[:_BEGINNING].decode("utf-8", "ignore"))
    return Unextractable(*found) if found else None


def promised(capture: Capture, site: Site) -> ArticleKey | None:
    """The article that an answer's address names; None for other addresses and for redirects."""
    address = site.parse(capture.url)
    if address is None or address.kind is not Kind.ARTICLE or 300 <= capture.status < 400:
        return None
    if address.edition is None or address.post_id is None:
        return None
    return ArticleKey(address.edition, str(address.post_id))
