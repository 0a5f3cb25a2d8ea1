"""What the archive makes of a capture and knows of an article: the answers that a crawl plans with."""

from __future__ import annotations

from dataclasses import dataclass, field

from archive.model import REASONS, ArticleKey, Edition, Listing

# Outcomes of a capture besides the reasons of `archive.model.REASONS`.
NEW, CHANGED, UNCHANGED, PART, LISTING, REDIRECT, ROBOTS, OTHER = (
    "new",
    "changed",
    "unchanged",
    "part",
    "listing",
    "redirect",
    "robots",
    "other",
)
QUARANTINED, LISTING_UNREAD, BROKEN, MOVED = "quarantined", "listing_unread", "broken", "moved"
DETOUR, HELD = "detour", "held"
SERVED = "served"  # by a public archive: a page of its index, or a capture, which is a record of its own
# Reasons of failures: why a text is quarantined, and why there was no answer.
SAME_TEXT, OTHER_LAYOUT, DISAGREEMENT = "same_text", "other_layout", "disagreement"
NO_ANSWER, NOT_ASKED = "no_answer", "not_asked"
SITEMAP, FEED, REST, NO_CHANNEL = "sitemap", "feed", "rest", "no_channel"
# A 304 to a conditional request: the site stands by an answer that the archive has
NOT_MODIFIED = "not_modified"
# The channel of an address that no post has: whether the site answers it as it answers for a post
INVENTED = "invented"
GONE = (404, 410)  # statuses that say that there is no such page
# Outcomes that say that the site does not let us in, or is not there.
REFUSALS = frozenset({"challenge", "blocked", "maintenance", "error", "truncated", DETOUR})
# Outcomes that say that a page came and could not be read.
UNREADABLE = frozenset({"layout", "not_html", "hostile", "stopped", "mismatch", LISTING_UNREAD, QUARANTINED})
# Outcomes that another reading may mend: tried again when a layout is confirmed, or by a newer extractor.
MENDABLE = (QUARANTINED, "layout", LISTING_UNREAD, "mismatch", "hostile", BROKEN)
MOST_FAILURES = 3  # in a row: then a channel that was offered before is closed
READ_OUTCOMES = frozenset({NEW, CHANGED, UNCHANGED, "protected", "empty"})


# What each outcome of a capture, or reason of a failure, means: docs/dictionary.md shows it
MEANINGS = {
    NEW: "the first text of an article",
    CHANGED: "another text than before",
    UNCHANGED: "the same text as before",
    HELD: "a look whose outcome waits to be judged, or is held (docs/held.md)",
    PART: "one page of a post in several",
    LISTING: "a listing with posts",
    LISTING_UNREAD: "a listing on which no post was found",
    SITEMAP: "a sitemap",
    FEED: "a page of a feed",
    REST: "an answer of REST",
    NO_CHANNEL: "the site does not offer this channel, or not now",
    ROBOTS: "robots.txt",
    INVENTED: "an address that no post has, asked to see where the site leads",
    SERVED: "an answer of a public archive",
    OTHER: "any other page",
    MOVED: "the address by number leads to another post for good, or another has its text (docs/held.md)",
    "withheld": "somebody ordered the post away (451)",
    QUARANTINED: "a text that is not trusted: see `sohr-archive layouts`",
    SAME_TEXT: "why it is not: many pages have it",
    OTHER_LAYOUT: "why it is not: another layout reads another text",
    "cross_check": "a second reader finds another text; the first one counts",
    BROKEN: "an error of this software",
    NO_ANSWER: "no answer came",
    NOT_ASKED: "a page of another site that robots.txt or its host's refusals kept us from asking for",
    "forbidden": "not asked: robots.txt forbids it",
    "backfilled": "an older text than the newest, from a file or a public archive",
    **REASONS,
}


@dataclass(frozen=True, slots=True)
class KnownPost:
    """What the archive knows of an article: to plan with."""

    url: str  # an address to ask for it
    key: ArticleKey | None  # None: an address whose article is not known yet
    state: str | None = None  # None: sighted, never captured
    is_new: bool = False  # first sighted by this very listing
    in_stretch: bool = False  # an earlier walk has passed it: what stands after it is known
    modified_at: str | None = None
    day: str | None = None
    last_captured_at: str | None = None
    differs: bool = False  # the channel that showed it says otherwise than it did before our newest page
    # That channel says what it said before our newest page: the look that was due is done
    is_looked: bool = False
    # The header to ask for its page with: only if it is another than the archived one
    condition: tuple[str, str] | None = None
    rests: bool = False  # never captured; crawls got only errors for it, so it is left alone for a while
    by_digest: bool = False  # the look that is due may be done by a channel that carries the text


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What is known of one way to ask a channel."""

    channel: str
    scope: str
    asked_at: str | None
    is_open: bool
    total: int | None = None
    newest_at: str | None = None
    next_page: int | None = None
    whole_at: str | None = None
    failed: int = 0  # times in a row


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that a crawl found: the item that `-O new.jsonl` writes."""

    source: str
    edition: str | None
    post_id: int | None
    url: str
    number: int
    kind: str  # created, updated
    title: str
    text: str
    published_at: str | None
    modified_at: str | None
    captured_at: str
    severity: int
    text_sha256: str


@dataclass(frozen=True, slots=True)
class Served:
    """How to ask for the addresses of a site: below which home, and whether paths end with a slash."""

    home: str  # with a slash at its end
    has_slash: bool = True

    def respell(self, url: str, home: str) -> str:
        """The address to ask for a page that the archive knows below ``home``."""
        if not url.startswith(home):
            return url
        path, mark, query = url[len(home) :].partition("?")
        return self.home + (path if self.has_slash else path.rstrip("/")) + mark + query


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a capture turned out to be."""

    word: str
    url: str
    status: int
    article: ArticleKey | None = None
    article_id: int | None = field(default=None, compare=False, repr=False)  # the archive's own
    version: NewVersion | None = None
    detail: str = ""
    listing: Listing | None = field(default=None, repr=False)
    posts: tuple[KnownPost, ...] = ()  # one for each sighting of the listing
    target: KnownPost | None = None  # where a redirect leads, if that is an article of the site
    page_urls: tuple[str, ...] = ()  # pages of the post that are still to be asked in this look
    look: str | None = None
    served: Served | None = None  # a redirect to the same page: the site is served elsewhere now
    # An old copy, or a change as furniture makes them: to be asked for once more, past the caches
    is_doubted: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where a listing was not walked on: posts older than this may be unknown."""

    edition: Edition
    position: int  # posts known to stand before it in the home listing
    tail_day: str | None
