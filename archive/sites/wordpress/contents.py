"""The digest of a post's text in a feed or REST answer, to see whether it changed.

Compare it with digests of the same channel only: a page is rendered differently. It covers title and text.
"""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser

from archive.html.bounds import is_heavy, is_hostile
from archive.text.normalise import same_sha256

_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*-->")


def plain_title(title: str) -> str:
    """A title as a page shows it, of the HTML of a channel."""
    return html.unescape(_MARKUP.sub("", title)).strip()


def digest(title: str, content: str) -> str | None:
    """Digest (hex) of a post as a channel renders it (both are HTML). None if it is empty or cannot be read
    within bounds."""
    from archive.html.lines import read_lines  # on first use: most runs of a crawl get a 304 instead
    from archive.sites.wordpress.noise import is_noise

    page = content.encode("utf-8", "replace")
    if is_hostile(page) or is_heavy(page):
        return None
    body = LexborHTMLParser(f"<body>{content}</body>").body
    lines = [line.text for line in read_lines(body, is_noise).lines if line.text.strip()] if body else []
    if not lines and not title.strip():
        return None
    return same_sha256(plain_title(title), "\n".join(lines))
