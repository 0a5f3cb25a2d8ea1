"""What a test may switch about the site, while it runs. None of it changes what a post says."""

from __future__ import annotations

from dataclasses import dataclass, fields

LAYOUTS = ("tielabs", "publisher", "foxiz", "unknown", "alien")
NOISE = ("views", "related", "nonce", "ads", "share", "cookie", "stamp")


@dataclass
class Settings:
    """Looks, noise, channels and bad days. Switches of bad days hold for the paths that match ``only``; all
    of them where it is empty."""

    layout: str = "publisher"  # one of LAYOUTS
    per_page: int = 10  # entries of a listing page and of a feed

    # Noise: differs from request to request.
    views: bool = True  # a bare number under the headline, growing
    related: bool = True  # other posts' headlines and beginnings
    nonce: bool = True  # a script with a token
    ads: bool = True  # between the paragraphs
    share: bool = True  # buttons below the text
    cookie: bool = True  # consent banner
    stamp: bool = True  # a comment at the end of the page: generated in ...

    # What pages state.
    seo: bool = True  # OpenGraph and JSON-LD: published, modified, author
    listing_times: bool = True  # `<time datetime>` in listings
    listing_excerpts: bool = True
    lastmod: bool = False  # articles answer Last-Modified and ETag, and 304

    # Channels.
    home_paging: bool = True  # off: /page/2/ is 404
    date_archives: bool = True
    categories: bool = True
    feed: bool = True
    feed_excerpt: bool = False  # feeds carry excerpts only
    feed_atom: bool = True  # off: RSS alone, Atom is 404
    feed_by_edit: bool = True  # off: orderby is ignored, as behind some caches
    feed_validators: bool = True  # Last-Modified and ETag of the newest edit, and 304: as WordPress
    rest: bool = True  # off: 401, as security plugins do
    sitemap: bool = True
    sitemap_lastmod: bool = True  # off: as before WordPress 6.5

    # robots.txt
    robots: str = ""  # its text; "" is WordPress's own
    robots_status: int = 200

    # Bad days.
    only: str = ""  # regular expression, searched in path and query
    slow_ms: int = 0
    drip_ms: int = 0  # between each of 50 pieces of the body
    challenge: int = 0  # 200 or 403: a bot check instead of every page
    maintenance: int = 0  # 200 or 503
    fail_status: int = 0  # 429, 503, ...
    fail_next: int = 0  # so many requests fail; counts down
    fail_every: int = 0  # each so manieth fails
    retry_after: str = ""  # seconds, or "date:SECONDS" for a date that far from now
    # Share of the body that is sent, under the Content-Length of the whole; then the connection is closed
    truncate: float = 0.0
    charset: str = ""  # in Content-Type, whatever the bytes are
    coding: str = ""  # in Content-Encoding, whatever the bytes are
    chunked: bool = False
    gzip: bool = True  # where the client accepts it
    soft404: bool = False  # a missing page answers 200
    redirect_missing: bool = False  # a missing page leads home
    fake_listing: bool = False  # listings are pages without entries

    def change(self, **values: object) -> None:
        """Set some. ``frozen=True`` switches all noise off, False on. Raises ValueError for an unknown name
        or a value of another type."""
        if "frozen" in values:
            values = {
                **dict.fromkeys(NOISE, not values["frozen"]),
                **{k: v for k, v in values.items() if k != "frozen"},
            }
        types = {f.name: type(f.default) for f in fields(self)}
        for name, value in values.items():
            if name not in types:
                raise ValueError(f"no setting {name!r}; there are: {', '.join(types)}")
            if types[name] is float and type(value) is int:
                value = float(value)
            if type(value) is not types[name]:
                raise ValueError(f"{name} is a {types[name].__name__}, not {value!r}")
            if name == "layout" and value not in LAYOUTS:
                raise ValueError(f"no layout {value!r}; there are: {', '.join(LAYOUTS)}")
            setattr(self, name, value)
