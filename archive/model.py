"""The values that the packages exchange: frozen, typed, without behaviour of their own.

Times are text in UTC with seconds, ``2026-01-02T00:00:00Z``; days are ``2026-01-02``. A field that the site
did not state is ``None`` (or empty, where it is a collection).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal

Edition = Literal["en", "ar"]
EDITIONS: tuple[Edition, ...] = ("en", "ar")
FIRST_DAY = "2006-01-01"  # SOHR was founded in May 2006: no post is older
GONE_STATES = ("missing", "disappeared", "moved", "withheld")  # of an article that is not where it was
# Who gave a capture to the archive: the site itself, a file, or a public archive
Provider = Literal["live", "import", "commoncrawl", "wayback"]
PROVIDERS: tuple[Provider, ...] = ("live", "import", "commoncrawl", "wayback")
STATES = ("live", *GONE_STATES, "protected", "empty", "unreadable")
CHANGE_KINDS = (
    "created", "updated", "metadata", "missing", "disappeared", "restored", "moved", "backfilled", "reparsed",
    "retracted",
)  # fmt: skip

# The order of `archive.compare.classes.Difference.classes`; `same_addition` is of `archive.ingest.doubts`.
# `title`: the headline was reworded. `order`: sentences moved, word for word. `rewording`: of the text; of
# the headline only if nothing but typography changed.
CLASSES = (
    "figures", "title", "text_added", "text_removed", "rewording", "order", "obfuscation", "same_addition",
)  # fmt: skip


class Kind(StrEnum):
    """What an address of the site leads to, as far as the address alone tells."""

    ARTICLE = "article"  # identity is in the address: /en/{id}/, /{slug}/{id}/, ?p={id}
    SLUG = "slug"  # an article whose id only its redirect or page tells: /en/2015/03/{slug}/
    LISTING = "listing"  # home, date archive, category, tag, author; with its page number
    FEED = "feed"
    REST = "rest"
    SITEMAP = "sitemap"
    ROBOTS = "robots"
    EMBED = "embed"  # /embed/ and /feed/ below a post: nothing of their own
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the site, read. ``url`` is the one spelling the archive asks for."""

    kind: Kind
    url: str
    edition: Edition | None = None
    post_id: int | None = None
    page: int = 1  # of a post in several pages, or of a listing; from 1
    scope: str = ""  # of a listing: "home", "date/2024/05", "category/news/syria-news"

    @property
    def key(self) -> ArticleKey | None:
        """The article the address names, if it names one."""
        return ArticleKey(self.edition, str(self.post_id)) if self.edition and self.post_id else None


@dataclass(frozen=True, slots=True)
class ArticleKey:
    """One article. ``source`` is the edition and ``key`` the post id; for pages of other sites the host and
    the canonical URL."""

    source: str
    key: str

    @property
    def edition(self) -> Edition | None:
        """``en`` or ``ar``, or None for a page of another site."""
        return next((edition for edition in EDITIONS if edition == self.source), None)

    @property
    def post_id(self) -> int | None:
        """WordPress's id of the post, or None for a page of another site."""
        return int(self.key) if self.edition else None

    def __str__(self) -> str:
        return f"{self.source}:{self.key}"


@dataclass(frozen=True, slots=True)
class Capture:
    """One HTTP exchange, as received: the body is below decompression, exactly what the server sent (without
    transfer coding)."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]  # latin-1, repeated headers in order
    body: bytes = field(repr=False)
    captured_at: str  # when the site said it
    method: str = "GET"
    request_headers: tuple[tuple[str, str], ...] = ()
    requested_url: str | None = None  # first address of a chain of redirects, where it is not `url`
    via: str | None = None  # the page that led here
    channel: str | None = None  # why it was asked: home, date, category, article, robots, ...
    reason: str | None = None  # of an article: new, pending, due, gap, retry, modified
    crawl: str | None = None  # name of the crawl
    recorded_at: str | None = None  # when the archive learnt it; None: now
    truncated: Literal["length", "time", "disconnect", "unspecified"] | None = None
    ip: str | None = None
    protocol: str | None = None  # http/1.1
    source: Provider = "live"  # who gave it to the archive
    service_url: str | None = None  # of a capture from a public archive: what was asked of that archive

    def __reduce__(self) -> tuple[type[Capture], tuple[Any, ...]]:
        """Pickled by its values: each page crosses a border between processes, and dataclasses with slots
        cross slowly by themselves."""
        return Capture, _values(self)

    def header(self, name: str) -> str | None:
        """The last value of a header, its name in any case."""
        wanted = name.lower()
        return next((value for key, value in reversed(self.headers) if key.lower() == wanted), None)


_values: Callable[[Capture], tuple[Any, ...]] = attrgetter(*(of.name for of in fields(Capture)))


@dataclass(frozen=True, slots=True)
class Sighting:
    """A channel showed an article at an address."""

    url: str
    edition: Edition | None
    post_id: int | None  # None for a dated slug
    channel: str
    day: str | None = None  # the site's archive day, as the listing or its address states it
    title: str | None = None
    published_at: str | None = None
    modified_at: str | None = None
    sticky: bool = False
    # Of title and text, where the channel carries them whole; comparable within the channel only
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a listing: what it shows, in its order, and whether another follows."""

    scope: str
    page: int
    sightings: tuple[Sighting, ...]
    has_next: bool | None  # None: the page does not say
    edition: Edition | None = None
    categories: tuple[str, ...] = ()  # scopes of the categories that the page links to
    is_partly_unread: bool = False  # an entry of the feed has no readable address or time


class LineKind(StrEnum):
    """What a line of an article's text is."""

    PARAGRAPH = "paragraph"
    LIST = "list"
    HEADING = "heading"
    ROW = "row"  # of a table; cells are parted by a tab
    QUOTE = "quote"
    CAPTION = "caption"


@dataclass(frozen=True, slots=True)
class Text:
    """What a version says: ``text`` is its lines joined by "\\n"."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an article: its text as the site wrote it, white space at both ends aside."""

    text: str
    kind: LineKind = LineKind.PARAGRAPH
    depth: int = 0  # of a list entry, from 1; of a heading its level, from 1


@dataclass(frozen=True, slots=True)
class Claim:
    """Something a page states about itself, and where it states it."""

    field: str  # title, published_at, modified_at, author, canonical_url, language, post_id, ...
    value: str
    # meta:article:published_time, json-ld:datePublished, time.entry-date, link:shortlink, h1, ...
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedInFeed:
    """What a page states beside title and text, as far as a change in the feed repeats it."""

    published_at: str | None = None
    modified_at: str | None = None
    author: str | None = None
    language: str | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated(StatedInFeed):
    """What a page states beside title and text. `archive.store.fields` says what each field is."""

    canonical_url: str | None = field(default=None, repr=False)
    deck: str | None = field(default=None, repr=False)  # the line below the headline
    links: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # absolute address, anchor text
    images: tuple[str, ...] = field(default=(), repr=False)  # absolute addresses
    source_outlet: str | None = field(default=None, repr=False)  # of a republished press article
    source_url: str | None = field(default=None, repr=False)
    is_syndicated: bool = False
    notes: tuple[str, ...] = field(default=(), repr=False)
    claims: tuple[Claim, ...] = field(default=(), repr=False)  # each statement, and where the page makes it


@dataclass(frozen=True, slots=True)
class Extract(Stated):
    """What one page says: the derived half of an article."""

    title: str  # "" where the post has none
    lines: tuple[Line, ...]
    layout: str
    extractor: str  # release of the extractor, so that re-reading is never taken for an edit
    page: int = 1  # which page of the post this is, from 1
    pages: int = 1  # how many the post has
    page_urls: tuple[str, ...] = ()  # the other pages of the post, as linked
    post_id: int | None = None  # as the page states it
    edition: Edition | None = None
    day: str | None = None  # the site's own (local) publication day

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Unextractable:
    """Why a page gave no text. ``reason`` is one of the words in ``REASONS``."""

    reason: str
    detail: str = ""  # one sentence for people
    title: str | None = None  # where the page shows one all the same (a protected or an empty post)
    layout: str | None = None
    post_id: int | None = None
    edition: Edition | None = None
    is_unparsed: bool = False  # the parser gave up, for want of memory


APART, STOPPED = "apart", "stopped"
# reason -> what it means. `protected` and `empty` are states of the article; the others say that this page is
# not evidence of one.
REASONS = {
    "challenge": "the site asks for proof of being human",
    "blocked": "the site refuses this visitor",
    "maintenance": "the site is in maintenance",
    "error": "an error page of the server",
    "missing": "the post is not there (404, 410)",
    "soft404": "a page that says 'not found' with status 200",
    "redirect": "the address leads elsewhere",
    "detour": "the address leads to a log-in, another site or, for the moment, another post",
    "not_modified": "304: no text was sent",
    "truncated": "the body was cut",
    "not_html": "not an HTML page",
    "listing": "a listing, not an article",
    "layout": "no known layout reads this page",
    "protected": "the post asks for a password",
    "empty": "the post has no text",
    "hostile": "the page cannot be read within bounds",
    "stopped": "reading the page took too much time or memory, and was stopped",
    "apart": "the page is large: it is read by itself, and what came of it is not known yet",
    "mismatch": "the page is another post than the one asked for",
}
