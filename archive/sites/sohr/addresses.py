"""URL -> identity. One post has eight shapes of address (see docs/evidence.md); the archive knows it by
`(edition, post_id)` alone.

Seen [E]: ``/en/{id}/``, ``/en/{id}``, ``http``, no ``www``, ``/en/?p={id}``, tracking parameters,
``/{arabic-slug}/{id}/`` in both hex cases, ``/en/2015/03/{slug}/`` (no id: its redirect tells). Listings:
``/en/page/N/``, ``/en/date/YYYY/MM/DD/page/N/``, ``/en/category/.../page/N/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urljoin, urlsplit

from archive.model import Address, ArticleKey, Edition, Kind

HOME = "https://www.syriahr.com/"

# Parameters that name the visitor's way here, never the page [E: fbclid, doing_wp_cron, __cf_chl_*, utm_*].
_TRACKING = re.compile(
    r"^(fbclid|gclid|doing_wp_cron|mc_[a-z]+|ref|amp|igshid|share|replytocom|__cf_\w+|utm_\w+|_ga|fb_\w+)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^[1-9][0-9]{0,9}$")
_YEAR = re.compile(r"^(19|20)[0-9]{2}$")
_MONTH_OR_DAY = re.compile(r"^[0-3][0-9]$")
_LISTINGS = ("category", "tag", "author")
_RESERVED = {
    "wp-content",
    "wp-includes",
    "wp-admin",
    "wp-login.php",
    "wp-cron.php",
    "xmlrpc.php",
    "search",
    "comments",
    "cdn-cgi",
    *_LISTINGS,
}
_FEEDS = {"feed", "rdf", "rss", "rss2", "atom"}
_SAFE = "!$&'()*+,;=:@-._~"  # RFC 3986 pchar without "%"


@dataclass(frozen=True, slots=True)
class Site:
    """The site an archive is of, known by its home address. Scheme and a leading ``www.`` do not tell sites
    apart."""

    home: str = HOME

    def __post_init__(self) -> None:
        parts = urlsplit(self.home)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{self.home!r} is no site: give its home address, for example {HOME}")
        _ = parts.port  # raises ValueError where it is no number
        if not self.home.endswith("/"):
            object.__setattr__(self, "home", self.home + "/")

    @property
    def name(self) -> str:
        """Host (and port) without ``www.``, and the path: what two spellings of one site share."""
        parts = urlsplit(self.home)
        return _host(parts.scheme, parts.netloc) + parts.path.rstrip("/")

    @property
    def is_loopback(self) -> bool:
        """True for a test site on this machine."""
        host = urlsplit(self.home).hostname or ""
        # 127.example.org is somebody's
        return host in ("localhost", "::1") or re.fullmatch(r"127(?:\.[0-9]{1,3}){3}", host) is not None

    def edition_home(self, edition: Edition) -> str:
        """The first listing page of an edition."""
        return self.home + ("en/" if edition == "en" else "")

    def listing_url(self, edition: Edition, scope: str, page: int = 1) -> str:
        """The address of a page of a listing, ``scope`` as in `Address`."""
        path = "" if scope == "home" else scope + "/"
        return self.edition_home(edition) + path + (f"page/{page}/" if page > 1 else "")

    def feed_url(self, edition: Edition, form: str, page: int = 1) -> str:
        """The address of a page of an edition's feed: ``atom-modified``, ``atom`` or ``rss``
        (`archive.sites.wordpress.feeds`)."""
        query = (["orderby=modified"] if form == "atom-modified" else []) + (
            [f"paged={page}"] if page > 1 else []
        )
        return (
            self.edition_home(edition)
            + ("feed/" if form == "rss" else "feed/atom/")
            + (f"?{'&'.join(query)}" if query else "")
        )

    def article_url(self, key: ArticleKey, page: int = 1) -> str:
        """An address that leads to the post whatever its slug; the Arabic one costs a redirect."""
        if key.edition == "en":
            return f"{self.home}en/{key.key}/" + (f"{page}/" if page > 1 else "")
        return f"{self.home}?p={key.key}" + (f"&page={page}" if page > 1 else "")

    def parse(self, url: str, base: str | None = None) -> Address | None:
        """Read an address, relative ones against ``base``. None where it is not of this site, or no address
        at all."""
        try:
            return _parse(self, urljoin(base, url.strip()) if base else url.strip())
        except ValueError:
            return None

    def _parse(self, absolute: str) -> Address | None:
        parts = urlsplit(absolute)
        here = urlsplit(self.home)
        if parts.scheme not in ("http", "https") or _host(parts.scheme, parts.netloc) != _host(
            here.scheme, here.netloc
        ):
            return None
        if not (parts.path or "/").startswith(here.path):
            return None
        segments = [_plain(s) for s in (parts.path or "/")[len(here.path) :].split("/") if s]
        query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)]
        edition: Edition = "ar"
        if segments[:1] == ["en"]:
            edition, segments = "en", segments[1:]
        return self._read(edition, segments, query, trailing=parts.path.endswith("/"))

    def _read(
        self, edition: Edition, segments: list[str], query: list[tuple[str, str]], *, trailing: bool
    ) -> Address:
        home = self.edition_home(edition)
        parameters = dict(query)
        post = parameters.get("p", "")
        if segments in ([], ["index.php"]) and _NUMBER.match(post):
            page = int(parameters["page"]) if _NUMBER.match(parameters.get("page", "")) else 1
            kind = Kind.FEED if "feed" in parameters else Kind.ARTICLE
            if kind is Kind.ARTICLE:
                return Address(
                    kind, self.article_url(ArticleKey(edition, post), page), edition, int(post), page
                )
        plain = home + "/".join(segments) + ("/" if segments and trailing else "")
        exact = plain + (f"?{urlencode(query)}" if query else "")
        first, last = (segments[0], segments[-1]) if segments else ("", "")
        if "rest_route" in parameters or first == "wp-json":
            return Address(Kind.REST, exact, edition)
        if "feed" in parameters:
            return Address(Kind.FEED, exact, edition)
        if last.endswith(".xml") and "sitemap" in last:
            return Address(Kind.SITEMAP, exact, edition)
        if segments == ["robots.txt"] and edition == "ar":
            return Address(Kind.ROBOTS, exact)
        if "s" in parameters:
            return Address(Kind.OTHER, exact, edition)
        if last == "embed" or last in _FEEDS or (len(segments) > 1 and segments[-2] == "feed"):
            below = segments[: segments.index("feed")] if "feed" in segments else segments[:-1]
            of_post = bool(below) and self._read(edition, below, [], trailing=True).kind in (
                Kind.ARTICLE,
                Kind.SLUG,
            )
            return Address(Kind.EMBED if of_post or last == "embed" else Kind.FEED, exact, edition)
        page, rest = 1, segments
        if len(segments) >= 2 and segments[-2] == "page" and _NUMBER.match(last):
            page, rest = int(last), segments[:-2]
        elif _NUMBER.match(parameters.get("paged", "")):
            page = int(parameters["paged"])
        scope = _scope(rest)
        if scope is not None:
            return Address(
                Kind.LISTING, self.listing_url(edition, scope, page), edition, page=page, scope=scope
            )
        if page == 1 and not (first in _RESERVED or re.search(r"\.[a-z][a-z0-9]{1,4}$", last)):
            found = self._post(edition, segments)
            if found:
                return found
        return Address(Kind.OTHER, exact, edition)

    def _post(self, edition: Edition, segments: list[str]) -> Address | None:
        home = self.edition_home(edition)
        if len(segments) == 3 and _YEAR.match(segments[0]) and _MONTH_OR_DAY.match(segments[1]):
            return Address(Kind.SLUG, home + "/".join(segments) + "/", edition)
        if (
            len(segments) == 4
            and _YEAR.match(segments[0])
            and _MONTH_OR_DAY.match(segments[1])
            and _MONTH_OR_DAY.match(segments[2])
        ):
            return Address(Kind.SLUG, home + "/".join(segments) + "/", edition)
        slug = segments[: 0 if edition == "en" else 1]
        numbers = segments[len(slug) :]
        if not 1 <= len(numbers) <= 2 or not all(_NUMBER.match(n) for n in numbers):
            return None
        page = int(numbers[1]) if len(numbers) == 2 else 1
        return Address(Kind.ARTICLE, home + "/".join([*slug, *numbers]) + "/", edition, int(numbers[0]), page)


@lru_cache(maxsize=4096)
def _parse(site: Site, absolute: str) -> Address | None:
    """An address comes many times: with its listing, its request, its page's own links. Raises ValueError."""
    return site._parse(absolute)


def _scope(segments: list[str]) -> str | None:
    """The scope of a listing, or None where the segments name no listing."""
    if not segments:
        return "home"
    days = segments[1:] if segments[0] == "date" else segments
    dated = 1 <= len(days) <= 3 and _YEAR.match(days[0]) and all(_MONTH_OR_DAY.match(d) for d in days[1:])
    # Without "date/" a year alone is a post's id in the English edition: /en/2015/ is post 2015.
    if dated and (segments[0] == "date" or len(days) > 1):
        return "date/" + "/".join(days)
    return "/".join(segments) if segments[0] in _LISTINGS and len(segments) > 1 else None


def day_of_scope(scope: str) -> str | None:
    """The archive day a listing's scope names: ``date/2024/05/03`` -> ``2024-05-03``; None for anything
    wider."""
    parts = scope.split("/")
    return "-".join(parts[1:]) if parts[0] == "date" and len(parts) == 4 else None


def _plain(segment: str) -> str:
    """One spelling of a path segment: percent-encoded bytes in capitals, characters that need no encoding
    bare."""
    return quote(unquote_to_bytes(segment), safe=_SAFE)


def _host(scheme: str, netloc: str) -> str:
    host = netloc.rpartition("@")[2].lower()
    host = host.removesuffix({"http": ":80", "https": ":443"}.get(scheme, ":80"))
    return host.removeprefix("www.")
