"""Show an archived page without anything that acts: no script, request, form or link.

nh3 keeps an allow list of elements and attributes. The response's policy would block the rest too. The
evidence itself, byte for byte, is in the WARC file.
"""

from __future__ import annotations

import re

import nh3
from markupsafe import escape
from selectolax.lexbor import LexborHTMLParser

from archive.browse.language import ENGLISH, Language
from archive.html.bounds import is_hostile

POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; script-src 'none'; img-src 'none'; "
    "connect-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_LOOK = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem;color:#1d1c1a;"
    "background:#fff;overflow-wrap:anywhere}"
    "a{color:#14507d}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2em .5em}"
)
_WRAP = (
    '<!DOCTYPE html><html lang="{}" dir="{}"><head><meta charset="utf-8"><title>{}</title><style>{}</style>'
    "</head>"
    "<body>{}</body></html>"
)
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,20}")
_KEPT = (
    "a abbr address article aside b bdi bdo blockquote br caption cite code col colgroup dd del details dfn "
    "div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark nav ol p pre q "
    "rp rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul "
    "var wbr"
)
# Removed with everything in them; elements in neither list leave their words
_REMOVED = (
    "script style noscript template title iframe frame frameset object embed applet audio video canvas svg "
    "math"
)
_CLEANER = nh3.Cleaner(
    tags=set(_KEPT.split()),
    clean_content_tags=set(_REMOVED.split()),
    attributes={
        "*": {"dir", "lang", "title"},
        "ol": {"start"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan", "scope"},
        "time": {"datetime"},
    },
    link_rel=None,
)


def inert(html: str, t: Language = ENGLISH) -> str:
    """Return the words and structure of a page as a document that makes no request. A page that is too large
    or too deep to parse safely is shown as source."""
    if is_hostile(html.encode("utf-8", "replace")):
        return source(html, t)
    tree = LexborHTMLParser(html)
    if tree.body is None or tree.root is None:
        return source(html, t)
    for link in tree.css("a, area"):
        if address := link.attributes.get("href"):
            link.attrs["title"] = t.text("capture.led_to", address=address)
    for image in tree.css("img"):
        alt = image.attributes.get("alt")
        image.replace_with(t.text("capture.image_of" if alt else "capture.image", alt=alt))
    title = tree.css_first("title")
    attributes = tree.root.attributes
    language = attributes.get("lang") or ""
    return _WRAP.format(
        escape(language) if _LANGUAGE.fullmatch(language) else "en",
        "rtl" if (attributes.get("dir") or "").lower() == "rtl" else "ltr",
        escape((title.text() if title is not None else "") or t.text("capture.untitled")),
        _LOOK,
        _CLEANER.clean(tree.body.inner_html or ""),
    )


def source(html: str, t: Language = ENGLISH) -> str:
    """Return a page that shows the source of a document as text."""
    return _WRAP.format(
        t.code, t.direction, t("capture.page_source"), _LOOK, f'<pre dir="auto">{escape(html)}</pre>'
    )
