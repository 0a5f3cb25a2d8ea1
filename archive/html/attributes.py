"""What attributes of elements say and a script shows: numbers that count up, e-mail addresses; and images
that show nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from selectolax.lexbor import LexborNode

# Page builders let a number count up: the text of its element is 0 until then
_OWN = ("data-to-value", "data-number-value", "data-counter-value")  # of Elementor, Divi, Ultimate Addons
_COMMON = ("data-to", "data-count", "data-value", "data-end", "data-target")  # beside a class of a counter
COUNTERS = ", ".join(f"[{name}]" for name in (*_OWN, *_COMMON))
_CLASS = re.compile(r"count|odometer|timer|number|stat", re.IGNORECASE)
_OF_THE_PAGE = re.compile(r"share|view|like|comment|vote|follow|down", re.IGNORECASE)
_AMOUNT = re.compile(r"-?[0-9](?:[0-9.,]{0,18}[0-9])?")


def find_amount(node: LexborNode, attributes: Mapping[str, str | None]) -> str | None:
    """The number that an element will show in the end; None for one that shows its text."""
    names = _OWN if any(name in attributes for name in _OWN) else _COMMON
    amount = next((value.strip() for name in names if (value := attributes.get(name))), "")
    if not _AMOUNT.fullmatch(amount):
        return None
    if has_elements(node):
        shown = node.css_first(".percent-value")
        return amount if names is _OWN and shown is not None and not shown.text().strip() else None
    text = node.text().strip()
    if names is _OWN:
        return amount if not text or _AMOUNT.fullmatch(text) else None
    named = attributes.get("class") or ""
    is_counter = _CLASS.search(named) and not _OF_THE_PAGE.search(named)
    return amount if is_counter and text.strip("0") == "" and text else None


def has_elements(node: LexborNode) -> bool:
    """Whether an element holds other elements."""
    return next(node.iter(), None) is not None


def unprotect(hidden: str) -> str | None:
    """The e-mail address that Cloudflare hides from robots: hexadecimal, each byte combined with the
    first."""
    try:
        key, *rest = bytes.fromhex(hidden)
    except ValueError:
        return None
    return bytes(byte ^ key for byte in rest).decode("utf-8", "replace")


def is_pixel(attributes: Mapping[str, str | None]) -> bool:
    """True for an image that counts visitors and shows nothing."""
    sizes = [(attributes.get(name) or "").strip().removesuffix("px") for name in ("width", "height")]
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return sizes[0] in ("0", "1") or sizes[1] in ("0", "1") or "display:none" in style
