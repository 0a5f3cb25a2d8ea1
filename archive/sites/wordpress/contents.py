"""The text that a feed or REST carries of a post -> a digest, to tell whether it is what it was. Pure.

It is compared with earlier digests of the same channel only, never with a page: the two are rendered
differently. It covers title and text; what else may change of a post (links, images, terms) the site's
modified claim tells, and the unconditional look.
"""

from __future__ import annotations

import html

from selectolax.lexbor import LexborHTMLParser

from archive.html.bounds import is_heavy, is_hostile
from archive.html.lines import read
from archive.sites.wordpress.noise import is_noise
from archive.text.normalise import same_sha256


def digest(title: str, content: str) -> str | None:
    """Digest (hex) of a post as a channel renders it: both are HTML. None where it cannot be read within
    bounds, or says nothing."""
    page = content.encode("utf-8", "replace")
    if is_hostile(page) or is_heavy(page):
        return None
    body = LexborHTMLParser(f"<body>{content}</body>").body
    lines = [line.text for line in read(body, is_noise).lines if line.text.strip()] if body else []
    if not lines and not title.strip():
        return None
    return same_sha256(html.unescape(title), "\n".join(lines))
