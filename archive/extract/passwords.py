"""Whether a page asks for a password in place of a text."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from archive.sites.wordpress.noise import is_noise

_FEW_WORDS = 40  # a text of fewer beside a form for a password is a wall's
# What no reader sees, or what stands beside a text
_BESIDE = frozenset(("nav", "aside", "dialog", "template", "noscript", "header", "footer", "details"))
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDDEN_CLASSES = frozenset(
    ("hidden", "hide", "d-none", "is-hidden", "mfp-hide", "collapse", "lightbox-hide")
)


def asks_for_password(body: LexborNode) -> bool:
    """Whether WordPress asks for a post's password, or a form for a password is nearly all of a text, as with
    plugins for members. A form that no reader sees, or that stands in a box of the theme, is neither."""
    fields = body.css("form.post-password-form, input[type='password']")
    asked = [field for field in fields if _is_shown(field, body)]
    if any(field.tag == "form" for field in asked):
        return True
    return bool(asked) and len(body.text(separator=" ").split()) < _FEW_WORDS


def _is_shown(node: LexborNode, body: LexborNode) -> bool:
    above: LexborNode | None = node
    while above is not None and above.mem_id != body.mem_id:
        attributes, tag = above.attributes, above.tag or ""
        if tag in _BESIDE or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return False
        if _HIDDEN_STYLE.search(attributes.get("style") or ""):
            return False
        if not _HIDDEN_CLASSES.isdisjoint((attributes.get("class") or "").split()):
            return False
        is_form = tag == "form" or attributes.get("role") == "form"
        if not is_form and is_noise(above, tag, attributes):
            return False
        above = above.parent
    return True
