"""An archived page that can do nothing: no script, no request, no form, no way out. The answer's policy would
stop all of it; this takes it out.

What is left is for reading. The evidence itself, byte for byte, is in the WARC file.
"""

from __future__ import annotations

import re

from markupsafe import escape
from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.html.bounds import is_hostile

POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; script-src 'none'; img-src 'none'; connect-src 'none'; frame-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# Elements that run, load, lead elsewhere or draw what cannot be checked; with what stands in them.
_OUT = (
    "script, noscript, template, iframe, frame, frameset, object, embed, applet, portal, fencedframe, link, meta, base, svg, math, audio, video, "
    "source, track, canvas, style, marquee, dialog"
)
# What may stay on an element: how a text is shaped, in which direction and language it runs. No address, no
# style, no handler.
_STAYS = frozenset(
    ("dir", "lang", "title", "alt", "colspan", "rowspan", "scope", "datetime", "start", "type", "class")
)
_FORM = ("form", "button", "input", "select", "textarea", "option")
_LOOK = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem;color:#1d1c1a;background:#fff;overflow-wrap:anywhere}"
    "[data-image]{display:inline-block;border:1px solid #999;padding:.1em .5em;color:#555;font-size:.85em}a,[data-leads-to]{color:#14507d}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2em .5em}"
)
_WRAP = '<!DOCTYPE html><html lang="{}" dir="{}"><head><meta charset="utf-8"><title>{}</title><style>{}</style></head><body>{}</body></html>'
_MAX_ELEMENTS = 60_000
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,20}")


def inert(html: str) -> str:
    """The page's words and their shape, as a document that asks nobody for anything. What cannot be read
    within bounds is shown as its source."""
    if is_hostile(html.encode("utf-8", "replace")):
        return source(html)
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None or len(tree.css("*")) > _MAX_ELEMENTS:
        return source(html)
    for node in tree.css(_OUT):
        if node.tag in ("meta", "style", "link", "base") or node.parent is not None:
            node.decompose()
    for node in tree.css("*"):
        _disarm(node)
    root = tree.root
    attributes = root.attributes if root is not None else {}
    language = attributes.get("lang") or ""
    title = tree.css_first("title")
    words = title.text() if title is not None else ""
    inner = body.inner_html or ""
    return _WRAP.format(
        escape(language) if _LANGUAGE.fullmatch(language) else "en",
        "rtl" if (attributes.get("dir") or "").lower() == "rtl" else "ltr",
        escape(words or "archived page"),
        _LOOK,
        inner,
    )


def source(html: str) -> str:
    """A document as its source, to be read as text."""
    return _WRAP.format(
        "en", "ltr", "source of an archived page", _LOOK, f'<pre dir="auto">{escape(html)}</pre>'
    )


def _disarm(node: LexborNode) -> None:
    attributes = dict(node.attributes)
    address = attributes.get("href") if node.tag in ("a", "area") else None
    shown = attributes.get("alt") if node.tag == "img" else None
    for name in attributes:
        if name not in _STAYS:
            del node.attrs[name]
    if address:
        node.attrs["title"] = f"led to {address}"
    if node.tag == "img":
        node.replace_with(f"[image{': ' + shown if shown else ''}]")
    elif node.tag in _FORM:
        if node.first_child is None:  # nothing to read in it; unwrapping would leave it
            node.decompose()
        else:
            node.unwrap()
