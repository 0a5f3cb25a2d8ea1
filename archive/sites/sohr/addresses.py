"""Read the site's addresses. A post has eight shapes of address; its identity is ``(edition, post_id)``.

Seen: ``/en/{id}/``, ``/en/{id}``, ``http``, no ``www``, ``/en/?p={id}``, tracking parameters,
``/{arabic-slug}/{id}/`` in both hex cases, ``/en/2015/03/{slug}/`` (no id: it redirects). Listings:
``/en/page/N/``, ``/en/date/YYYY/MM/DD/page/N/``, ``/en/category/.../page/N/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urljoin, urlsplit

from archive.model import Address, ArticleKey, Edition, Kind
from archive.sites.hosts import is_loopback_host
from archive.text.wordlists import word_set

HOME = "https://www.syriahr.com/"

# Parameters that track the visitor and do not change the page
_TRACKING = re.compile(
    r"^(fbclid|gclid|doing_wp_cron|mc_[a-z]+|ref|amp|igshid|share|replytocom|__cf_\w+|utm_\w+|_ga|fb_\w+)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^[1-9][0-9]{0,9}$")
_LONG_NUMBER = re.compile(r"^[1-9][0-9]{2,9}$")  # after a slug, an id; a shorter number is a page of a post
_YEAR = re.compile(r"^(19|20)[0-9]{2}$")
_MONTH_OR_DAY = re.compile(r"^[0-3][0-9]$")
_FILE = re.compile(r"\.[a-z][a-z0-9]{1,4}$")
_LISTINGS = ("category", "tag", "author")
_RESERVED = word_set(
    "wp-content wp-includes wp-admin wp-login.php wp-cron.php xmlrpc.php search comments cdn-cgi"
)
_FEEDS = {"feed", "rdf", "rss", "rss2", "atom"}
_SAFE = "!$&'()*+,;=:@-._~"  # RFC 3986 pchar without "%"


@dataclass(slots=True, unsafe_hash=True)  # a site gets further homes while an archive learns them
class Site:
    """The site of an archive, named by its home address. Scheme and a leading ``www.`` make no difference.

    Under ``other_homes`` it is served too (`archive.sites.moves`): their addresses are read as those of home.
    """

    home: str = HOME
    other_homes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = urlsplit(self.home)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{self.home!r} is not the address of a site: give one like {HOME}")
        if "@" in parts.netloc:  # each request and each page of the archive would show it
            raise ValueError("a site's address must contain no login (user:password@): leave it out")
        _ = parts.port  # raises ValueError where it is no number
        if not self.home.endswith("/"):
            self.home += "/"

    def add_home(self, home: str) -> None:
        """Read addresses below another home as well. Raises ValueError."""
        if home not in (self.home, *self.other_homes):
            self.other_homes += (Site(home).home,)

    @property
    def name(self) -> str:
        """Host (and port) without ``www.``, and the path."""
        parts = urlsplit(self.home)
        return _host(parts.scheme, parts.netloc) + parts.path.rstrip("/")

    @property
    def is_loopback(self) -> bool:
        """True for a test site on this machine."""
        return is_loopback_host(urlsplit(self.home).hostname or "")

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
        """An address that leads to the post whatever its slug; in Arabic by a redirect."""
        if key.edition == "en":
            return f"{self.home}en/{key.key}/" + (f"{page}/" if page > 1 else "")
        return f"{self.home}?p={key.key}" + (f"&page={page}" if page > 1 else "")

    def id_url(self, key: ArticleKey) -> str:
        """The address by id alone. WordPress guesses no other post for it, as it does for a slug."""
        return f"{self.home}{'en/' if key.edition == 'en' else ''}?p={key.key}"

    def parse(self, url: str, base: str | None = None) -> Address | None:
        """Read an address, relative to ``base``; None if it is invalid or not of this site."""
        try:
            return _parse(self, urljoin(base, url.strip()) if base else url.strip())
        except ValueError:
            return None

    def _parse(self, absolute: str) -> Address | None:
        parts = urlsplit(absolute)
        path = parts.path or "/"
        homes = (urlsplit(home) for home in (self.home, *self.other_homes))
        below = [home.path for home in homes if _host(*home[:2]) == _host(*parts[:2])]
        below = [base for base in below if path.startswith(base)]
        if parts.scheme not in ("http", "https") or not below:
            return None
        segments = [_plain(s) for s in path[len(max(below, key=len)) :].split("/") if s]
        query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)]
        edition: Edition = "ar"
        if segments[:1] == ["en"]:
            edition, segments = "en", segments[1:]
        if segments[-1:] == ["amp"]:  # another form of the same page
            found = self._read(edition, segments[:-1], query, trailing=True)
            if found.kind in (Kind.ARTICLE, Kind.SLUG):
                return found
        return self._read(edition, segments, query, trailing=parts.path.endswith("/"))

    def _read(
        self, edition: Edition, segments: list[str], query: list[tuple[str, str]], *, trailing: bool
    ) -> Address:
        parameters = dict(query)
        paged = _page_number(parameters.get("paged", ""))
        path = "/".join(segments) + ("/" if segments and trailing else "")
        exact = self.edition_home(edition) + path + (f"?{urlencode(query)}" if query else "")
        return (
            self._read_post_id(edition, segments, parameters)
            or self._read_channel(edition, segments, parameters, exact)
            or self._read_listing(edition, segments, paged)
            or (self._read_path(edition, segments) if paged == 1 else None)
            or Address(Kind.OTHER, exact, edition)
        )

    def _read_post_id(
        self, edition: Edition, segments: list[str], parameters: dict[str, str]
    ) -> Address | None:
        post = parameters.get("p", "")
        if segments not in ([], ["index.php"]) or not _NUMBER.match(post) or "feed" in parameters:
            return None
        page = _page_number(parameters.get("page", ""))
        url = self.article_url(ArticleKey(edition, post), page)
        return Address(Kind.ARTICLE, url, edition, int(post), page)

    def _read_channel(
        self, edition: Edition, segments: list[str], parameters: dict[str, str], exact: str
    ) -> Address | None:
        """An address of REST, a feed, a sitemap, robots.txt, an embedded post or a search."""
        first, last = (segments[0], segments[-1]) if segments else ("", "")
        if "rest_route" in parameters or first == "wp-json":
            return Address(Kind.REST, exact, edition)
        if "feed" in parameters:
            return Address(Kind.FEED, exact, edition)
        if last.endswith((".xml", ".xml.gz", ".txt", ".txt.gz")) and "sitemap" in last:
            return Address(Kind.SITEMAP, exact, edition)
        if segments == ["robots.txt"] and edition == "ar":
            return Address(Kind.ROBOTS, exact)
        if "s" in parameters:
            return Address(Kind.OTHER, exact, edition)
        if last != "embed" and last not in _FEEDS and segments[-2:-1] != ["feed"]:
            return None
        above = segments[: segments.index("feed")] if "feed" in segments else segments[:-1]
        is_post = above and self._read(edition, above, [], trailing=True).kind in (Kind.ARTICLE, Kind.SLUG)
        return Address(Kind.EMBED if is_post or last == "embed" else Kind.FEED, exact, edition)

    def _read_listing(self, edition: Edition, segments: list[str], page: int) -> Address | None:
        if segments[-2:-1] == ["page"] and _NUMBER.match(segments[-1]):
            page, segments = int(segments[-1]), segments[:-2]
        scope = _scope(segments)
        if scope is None:
            return None
        return Address(Kind.LISTING, self.listing_url(edition, scope, page), edition, page=page, scope=scope)

    def _read_path(self, edition: Edition, segments: list[str]) -> Address | None:
        """A post by its path."""
        home = self.edition_home(edition)
        if segments[0] in _RESERVED or _FILE.search(segments[-1]):
            return None
        days = segments[1:-1]
        if _YEAR.match(segments[0]) and 1 <= len(days) <= 2 and all(map(_MONTH_OR_DAY.match, days)):
            return Address(Kind.SLUG, home + "/".join(segments) + "/", edition)
        # English posts have no slug today; the Arabic ones have
        slug = segments[: 0 if edition == "en" and _NUMBER.match(segments[0]) else 1]
        numbers = segments[len(slug) :]
        if not 1 <= len(numbers) <= 2 or not all(_NUMBER.match(n) for n in numbers):
            return None
        if edition == "en" and slug and not _LONG_NUMBER.match(numbers[0]):
            return None
        page = int(numbers[1]) if len(numbers) == 2 else 1
        return Address(Kind.ARTICLE, home + "/".join([*slug, *numbers]) + "/", edition, int(numbers[0]), page)


def later_page_url(url: str, page: int) -> str:
    """The address of a later page of a post, from that of its first."""
    base, _, query = url.partition("?")
    return f"{base}?{query}&page={page}" if query else f"{base.rstrip('/')}/{page}/"


@lru_cache(maxsize=4096)
def _parse(site: Site, absolute: str) -> Address | None:
    """Cached: listings, requests and pages repeat addresses. Raises ValueError."""
    return site._parse(absolute)


def _page_number(text: str) -> int:
    return int(text) if _NUMBER.match(text) else 1


def _scope(segments: list[str]) -> str | None:
    """The scope of a listing, or None for other addresses."""
    if not segments:
        return "home"
    days = segments[1:] if segments[0] == "date" else segments
    dated = 1 <= len(days) <= 3 and _YEAR.match(days[0]) and all(_MONTH_OR_DAY.match(d) for d in days[1:])
    # Without "date/" a year alone is a post's id: /en/2015/ is post 2015
    if dated and (segments[0] == "date" or len(days) > 1):
        return "date/" + "/".join(days)
    return "/".join(segments) if segments[0] in _LISTINGS and len(segments) > 1 else None


def _plain(segment: str) -> str:
    """One spelling of a path segment: percent-encoding in capitals, and only where it is needed."""
    return quote(unquote_to_bytes(segment), safe=_SAFE)


def _host(scheme: str, netloc: str) -> str:
    host = netloc.rpartition("@")[2].lower()
    host = host.removesuffix({"http": ":80", "https": ":443"}.get(scheme, ":80"))
    return host.removeprefix("www.")
