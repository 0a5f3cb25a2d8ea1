"""What every table, view and column of an archive is, in a sentence: the one source for Datasette, whatever
its version.

A test compares this with a freshly migrated database, so that nothing new stays without a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.store.fields import PAGE_FIELDS, VERSION_FIELDS

TITLE = "SOHR archive"
ABOUT = "What the site of the Syrian Observatory for Human Rights said, and when that changed. Times are UTC; what the site did not state is empty."


@dataclass(frozen=True, slots=True)
class Described:
    """A table or a view: its words, and how Datasette lists it."""

    title: str
    description: str
    columns: Mapping[str, str] = field(repr=False)
    facets: tuple[str | dict[str, str], ...] = ()
    label: str | None = None  # the column that names a row where other tables point at it
    newest: str | None = None  # the column to list by, highest first
    search: bool = False  # has `article_id`, so that the full-text search finds its rows
    hidden: bool = False

    def listing(self, *, has_facets: bool = True) -> dict[str, Any]:
        """Datasette's own keys for how a table is listed, as a fresh dict."""
        keys: dict[str, Any] = {
            "facets": list(self.facets) if has_facets else [],
            "label_column": self.label,
            "sort_desc": self.newest,
            "hidden": self.hidden,
        }
        if self.search:
            keys |= {"fts_table": "search", "fts_pk": "article_id"}
        return {key: value for key, value in keys.items() if value}


_EDITION = "Edition of the site: en (English) or ar (Arabic); empty for a page of another site."
_POST_ID = "WordPress's number of the post in its edition; empty for a page of another site."
_ARTICLE_ID = "The article."
_SEVERITY = "How much an edit matters, 0 to 3; 3: a figure, or the sentence around it, changed."
_CLASSES = "What changed, in a few words (JSON array)."
_FIGURES = "The figures that changed, before and after (JSON array)."
_STEALTH = "1: the text changed and the site's own time of modification did not; 0: the site moved that time; empty: it states none."
_STALE_COPY = "1: the answer was an old copy from a cache."
_SAID_AT = "When the site said it: the time of the capture that showed it."

_ARTICLES = {
    "article_id": "Number of the row in this database; it is not the same after a rebuild.",
    "source": "Where the article is from: en, ar, or the host of another site.",
    "key": "What names the article there: the post id, or the canonical address on another site.",
    "edition": _EDITION,
    "post_id": _POST_ID,
    "url": "The address the archive asks for.",
    "state": "live, missing (not there at the last look), disappeared (missing at several looks over days), moved, "
    "withheld (removed for legal reasons), protected (behind a password), empty, or unreadable; empty: sighted, "
    "not captured yet.",
    "day": "The day the site files it under, by its own calendar.",
    "moved_to": "The article its address leads to now.",
    "first_sighted_at": "When a listing, feed or link first showed it.",
    "first_captured_at": "When it was first captured.",
    "last_captured_at": "When it was last captured.",
    "newest_version_id": "The version it was last read as.",
    "versions": "How many versions are held.",
    "next_look_at": "When it is due for another look.",
    "unchanged_looks": "Looks in a row that found nothing new; each makes the next one later.",
    "missing_looks": "Looks in a row that did not find it.",
    "missing_since": "When it was first not found.",
    "stretch_id": "The stretch of the listing it was met in.",
}


def _describe(name: str) -> str:
    of = next(of for of in VERSION_FIELDS if of.name == name)
    form = " (JSON array)" if of.is_list else " (1 or 0)" if of.type == "boolean" else ""
    return of.about.removesuffix(".") + form + "."


_VERSIONS = {
    "version_id": "Number of the row in this database; it is not the same after a rebuild.",
    "article_id": _ARTICLE_ID,
    **{name: _describe(name) for name in ("number", "title", "plain_title", "text", "text_sha256")},
    "restored_title": "plain_title where it differs from the title; else empty.",
    "lines": "Kind of each line of the text, with its depth in a list or its level as a heading (JSON array).",
    "same_sha256": "SHA-256 of title and text without white space, bidi marks and shapes of quotation marks: equal "
    "means the same version.",
    "text_digest": "text_sha256 in bytes.",
    "same_digest": "same_sha256 in bytes.",
    **{of.name: _describe(of.name) for of in PAGE_FIELDS},
    "claim_set_id": "What the page states about itself, and where: a row of claim_sets.",
    **{name: _describe(name) for name in ("layout", "extractor", "captures")},
    "first_capture_id": "The first capture that said this.",
    "last_capture_id": "The last capture so far that said this.",
    **{name: _describe(name) for name in ("first_captured_at", "last_captured_at")},
}

_CRAWLS = {
    "crawl_id": "Number of the row in this database; it is not the same after a rebuild.",
    "name": "Name of the run.",
    "kind": "crawl, import, or rebuild.",
    "started_at": "When it began.",
    "finished_at": "When it ended; of one that was killed, its last sign. Empty: running still, or killed and nothing ran since.",
    "finish_reason": "Why it ended.",
    "exit_status": "Exit status: 0 healthy, 65 pages cannot be read, 69 site unavailable or refusing, 70 error of ours, 73 no writing; none: killed.",
    "verdict": "What the answers of the site add up to.",
    "arguments": "What it was asked to do (JSON object).",
    "software": "Releases it ran with (JSON object).",
    "counters": "What it counted: requests, new, changed, unchanged, gone, failed (JSON object).",
}


def _some(of: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: of[name] for name in names}


TABLES: dict[str, Described] = {
    "articles": Described(
        "Articles",
        "One row an article: an edition's post, or a page of another site. What it says is in versions.",
        _ARTICLES,
        facets=("edition", "state"),
        label="url",
        newest="day",
        search=True,
    ),
    "versions": Described(
        "Versions",
        "One row each time the site said something else: another title, or other lines. A changed digit makes one; counters or white space do not.",
        _VERSIONS,
        label="title",
        newest="published_at",
    ),
    "changes": Described(
        "Changes",
        "What happened to articles, in the order the archive learnt it. Rows are never rewritten.",
        {
            "seq": "Number in the feed of changes, without gaps.",
            "epoch": "The feed's epoch: another one begins when the archive is rebuilt by another extractor.",
            "article_id": _ARTICLE_ID,
            "version_id": "The version it led to.",
            "previous_version_id": "The version before.",
            "capture_id": "The capture that showed it.",
            "same_as_version_id": "The first version with the same title and text; empty: the text is new.",
            "kind": "created, updated (text or title), metadata (other claims), missing, disappeared, restored, "
            "moved, backfilled (older history), reparsed (read again by another extractor), or retracted (an "
            "earlier change is taken back).",
            "retracts": "Of a retracted change: the change it takes back.",
            "classes": _CLASSES,
            "severity": _SEVERITY,
            "figures": _FIGURES,
            "details": "More about it, by kind (JSON object).",
            "stealth": _STEALTH,
            "stale_copy": _STALE_COPY,
            "said_at": _SAID_AT,
            "learnt_at": "When the archive learnt it.",
        },
        facets=("kind", "severity"),
        newest="seq",
    ),
    "captures": Described(
        "Captures",
        "One row an answer of the site. The bytes are in the WARC file, at the offset. Rows are never deleted.",
        {
            "capture_id": "Number of the row in this database; it is not the same after a rebuild.",
            "crawl_id": "The run that made it.",
            "article_id": "The article it is of.",
            "url": "The address that answered.",
            "requested_url": "The first address of a chain of redirects, where it is another.",
            "status": "HTTP status.",
            "captured_at": "When the site said it.",
            "recorded_at": "When the archive learnt it: later than captured_at for imports.",
            "via": "The page that led here.",
            "channel": "Why it was asked: home, date, category, feed, article, robots and others.",
            "reason": "Of an article, why it was looked at: new, pending, due, gap, retry or modified.",
            "outcome": "What came of it: new, changed, unchanged, not_modified, part, listing, redirect, or why it gave no text.",
            "content_type": "The header Content-Type.",
            "etag": "The header ETag.",
            "last_modified": "The header Last-Modified.",
            "location": "The header Location: where a redirect leads.",
            "retry_after": "The header Retry-After: how long the site asked to wait.",
            "payload_sha256": "SHA-256 of the body as received, before decompression.",
            "size": "Size of the body as received, in bytes.",
            "truncated": "Why the body is cut: length, time, disconnect or unspecified; empty: it is whole.",
            "warc_file_id": "The WARC file that holds it.",
            "offset": "Where its record begins in that file, in bytes.",
            "length": "Length of the record in the file, in bytes.",
            "record_id": "WARC-Record-ID of the response, or of the revisit record in its place.",
            "original_id": "The capture that the site repeated, byte for byte or by a 304: the body is in its record. Empty: the record has its own.",
            "look": "Name of the look it belongs to, where a post has several pages.",
            "layout": "The layout that read it; where a page is quarantined, the one that waits to be confirmed.",
        },
        facets=("outcome", "channel"),
        label="captured_at",
        newest="capture_id",
    ),
    "aliases": Described(
        "Aliases",
        "Every address that led to an article.",
        {
            "alias_id": "Number of the row.",
            "url": "The address.",
            "article_id": "The article it leads to; empty: not asked yet.",
            "first_seen_at": "When it was first met.",
        },
        label="url",
    ),
    "claim_sets": Described(
        "Claims of pages",
        "What pages state about themselves, and where. Pages of one layout share a row: a claim that repeats a column of its version has no value.",
        {
            "claim_set_id": "Number of the row.",
            "claims": "Field, value and origin of each claim; no value: that of the version's column; a number: that place in its list (JSON array).",
        },
    ),
    "sightings": Described(
        "Sightings",
        "Which channel showed an article, when, and what it claimed about it.",
        {
            "sighting_id": "Number of the row.",
            "article_id": _ARTICLE_ID,
            "channel": "home, date, category, feed, rest, sitemap and others.",
            "claims": "What the channel said: address, day, title, times (JSON object).",
            "first_seen_at": "When it first said so.",
            "last_seen_at": "When it last said so.",
            "times": "How often it said so.",
        },
        facets=("channel",),
        newest="sighting_id",
    ),
    "crawls": Described(
        "Crawls",
        "One row a run: a crawl, an import or a rebuild.",
        _CRAWLS,
        facets=("kind", "verdict"),
        label="name",
        newest="crawl_id",
    ),
    "warc_files": Described(
        "WARC files",
        "The files that are the archive. This database is an index of them.",
        {
            "warc_file_id": "Number of the row.",
            "serial": "Serial number: the order in which the files are read again.",
            "name": "Name of the file; while it is written to, with .open at its end.",
            "opened_at": "When it was begun.",
            "closed_at": "When it was closed; empty: still open.",
            "size": "Size once closed, in bytes.",
            "sha256": "SHA-256 of the file, once closed.",
        },
        label="name",
        newest="serial",
    ),
    "failures": Described(
        "Failures",
        "What could not be read or was not answered, and why.",
        {
            "failure_id": "Number of the row.",
            "capture_id": "The capture; empty: there was no answer.",
            "crawl_id": "The run.",
            "article_id": "The article, where it is known.",
            "url": "The address.",
            "reason": "Why, in a word: no_answer, not_asked, same_text (as on other pages), other_layout (reads another text), or the outcome.",
            "detail": "Why, in a sentence.",
            "at": "When.",
        },
        facets=("reason",),
        newest="failure_id",
    ),
    "terms": Described(
        "Terms",
        "Categories and tags of the site.",
        {
            "term_id": "Number of the row.",
            "taxonomy": "category or tag.",
            "name": "Name, as the site writes it.",
        },
        facets=("taxonomy",),
        label="name",
    ),
    "article_terms": Described(
        "Terms of articles",
        "Which article has which category or tag now.",
        {"article_id": _ARTICLE_ID, "term_id": "The category or tag."},
        facets=("term_id",),
    ),
    "links": Described(
        "Links",
        "Links out of the text of an article's newest version.",
        {
            "link_id": "Number of the row.",
            "article_id": "The article with the link.",
            "position": "Place in the text, from 1.",
            "url": "Where it leads.",
            "text": "Its anchor text.",
            "target_id": "The article it leads to, where the archive knows it.",
        },
        label="url",
    ),
    "about": Described(
        "About this archive",
        "Facts about the archive itself: the site it belongs to, the epoch of its feed.",
        {"key": "Name of the fact.", "value": "The fact."},
    ),
    "stretches": Described(
        "Stretches",
        "Parts of the listing that crawls have walked without a gap; what lies between two of them is still to be listed.",
        {
            "stretch_id": "Number of the row.",
            "edition": "Edition of the site: en or ar.",
            "merged_into": "The stretch it has grown together with.",
            "head_seen_at": "When its newest end was the head of the listing.",
            "newest_day": "Day of its newest post.",
            "tail_day": "Day of its oldest post so far.",
            "tail_article_id": "Its oldest post so far.",
            "reached_end": "1: it reaches the site's oldest post.",
        },
        facets=("edition",),
        newest="stretch_id",
    ),
    "listing_pages": Described(
        "Listing pages",
        "Pages of listings as captured: how many posts each showed, and how many were new.",
        {
            "capture_id": "The capture.",
            "crawl_id": "The run.",
            "edition": "Edition of the site: en or ar.",
            "scope": "Which listing: home, a date archive, a category.",
            "page": "Page of the listing, from 1.",
            "entries": "Posts shown.",
            "new_entries": "Posts shown that the archive did not know.",
            "is_end": "1: the last page of the listing.",
            "last_article_id": "The last post shown.",
            "stretch_id": "The stretch it continues.",
        },
        facets=("edition", "scope"),
        newest="capture_id",
    ),
    "channels": Described(
        "Channels",
        "What the site's feeds, REST interface and categories offer, and where a walk through all of each stands.",
        {
            "edition": "Edition of the site: en or ar.",
            "channel": "feed, rest, category and others.",
            "scope": "Which of its questions: the form of a feed, what REST is asked, the address of a category.",
            "url": "The address of its last good answer; empty if it never gave one.",
            "asked_at": "When it was last asked; empty: known, and not asked yet.",
            "status": "Status of the last answer; 0: none came.",
            "is_open": "1: the site offers it; 0: it does not, and is asked again after a week.",
            "detail": "What was wrong, where something was.",
            "failed": "Answers in a row that were none.",
            "total": "How many posts the site says it has.",
            "newest_at": "Up to which instant its log of edits was read.",
            "pending_at": "Up to which instant, once the reading that is under way is done.",
            "next_page": "Where the walk through all of it goes on.",
            "whole_at": "When it was last walked to its end.",
        },
        facets=("edition", "channel", "is_open"),
        newest="asked_at",
    ),
    "digests": Described(
        "Digests",
        "What a feed, REST or a sitemap last said of an article. Not evidence of a text: it only says whether to ask for the page.",
        {
            "article_id": _ARTICLE_ID,
            "channel": "feed, rest or sitemap.",
            "digest": "Digest of title and text as the channel carries them; empty where it carries none. Comparable within the channel only.",
            "modified_at": "When the channel says the post was last modified.",
            "first_seen_at": "When it first said so.",
            "first_capture_id": "The capture in which it first said so.",
            "last_seen_at": "When it last said so.",
            "changes": "How often it said otherwise than before.",
            "looks": "Looks at the article that were done by this channel, without its page.",
            "looked_at": "The last of them.",
            "absent_since": "When the channel, asked for the article, did not show it any more.",
            "absence_told": "1: the feed of changes says so, for the page was still there.",
        },
        facets=("channel",),
        newest="last_seen_at",
    ),
    "swept_ids": Described(
        "Ids without a post",
        "Numbers that a sweep asked for and at which the site has no post. Ids are sparse: images and drafts have them too.",
        {
            "edition": "Edition of the site: en or ar.",
            "post_id": "The number.",
            "asked_at": "When it was last asked for.",
        },
        newest="asked_at",
    ),
    "promotions": Described(
        "Looks brought forward",
        "Articles next to one whose text was edited: due at once. The row goes with the look.",
        {"article_id": _ARTICLE_ID, "at": "When the edit was found."},
        newest="at",
        hidden=True,
    ),
    "coverage_days": Described(
        "Days listed whole",
        "Days whose date archive was walked to its end.",
        {
            "edition": "Edition of the site: en or ar.",
            "day": "The day, by the site's calendar.",
            "complete_at": "When its date archive was walked whole.",
        },
        newest="day",
    ),
    "day_counts": Described(
        "Articles by day",
        "How many articles and versions there are of each day of the site, by edition; kept up to date with every row of articles.",
        {
            "edition": "Edition of the site: en or ar; empty for pages of other sites.",
            "day": "The day, by the site's calendar; empty where it is not known.",
            "sighted": "Articles known.",
            "held": "Of these, captured.",
            "gone": "Of these, missing, disappeared, moved or withheld.",
            "versions": "Versions held of them.",
        },
        facets=("edition",),
        newest="day",
        hidden=True,
    ),
    "edit_counts": Described(
        "Edits by month",
        "How many edits there were in each month, by the gravest thing they changed; kept up to date with every row of changes.",
        {
            "month": "The month of the capture that showed them, as 2026-01.",
            "class": "The first of the classes of the change; empty where it has none.",
            "edits": "Edits.",
        },
        newest="month",
        hidden=True,
    ),
    "parts": Described(
        "Parts",
        "Pages of a post in several pages, held until the look is complete.",
        {
            "capture_id": "The capture.",
            "look": "Name of the look.",
            "page": "Page of the post, from 1.",
            "pages": "How many the post has.",
            "extract": "What the page says (JSON object).",
        },
        hidden=True,
    ),
    "search": Described(
        "Search",
        "Full text over the folded title and text of newest versions, without a copy of them.",
        {"title": "Folded title.", "text": "Folded text."},
        hidden=True,
    ),
    "retracted_versions": Described(
        "Retracted versions",
        "Versions whose change proved wrong and was taken back.",
        {
            "version_id": "The version.",
            "seq": "The change that reported it.",
            "retracted_by": "The change that took it back.",
        },
        hidden=True,
    ),
    "latest_versions": Described(
        "Articles as last read",
        "The newest version of every article, with its state. Search looks through title and text; case, Arabic vowel signs and marks put inside "
        "words do not matter.",
        _some(_ARTICLES, "edition", "post_id", "url", "state", "day", "source", "key", "article_id")
        | _some(
            _VERSIONS,
            "title",
            "plain_title",
            "text",
            "published_at",
            "modified_at",
            "number",
            "author",
            "language",
            "categories",
            "tags",
        )
        | _some(
            _VERSIONS,
            "first_captured_at",
            "last_captured_at",
            "captures",
            "text_sha256",
            "same_sha256",
            "layout",
            "version_id",
        ),
        facets=("edition", "state"),
        newest="published_at",
        search=True,
    ),
    "version_history": Described(
        "All versions",
        "Every version of every article, with its post id.",
        _some(_ARTICLES, "edition", "post_id", "article_id")
        | _some(
            _VERSIONS,
            "number",
            "title",
            "text",
            "published_at",
            "modified_at",
            "first_captured_at",
            "last_captured_at",
            "captures",
        )
        | _some(_VERSIONS, "text_sha256", "layout", "extractor", "version_id"),
        facets=("edition",),
        newest="version_id",
    ),
    "edits": Described(
        "Edits",
        "Each change of title or text, with the version before and the version after. Retracted changes are left out.",
        {
            "seq": "Number of the change in the feed.",
            "edition": _EDITION,
            "post_id": _POST_ID,
            "severity": _SEVERITY,
            "classes": _CLASSES,
            "figures": _FIGURES,
            "stealth": _STEALTH,
            "stale_copy": _STALE_COPY,
            "said_at": _SAID_AT,
            "title_before": "Title before.",
            "title_after": "Title after.",
            "text_before": "Text before.",
            "text_after": "Text after.",
            "number_before": "Number of the version before.",
            "number_after": "Number of the version after.",
            "same_as_version": "Number of the first version with the same title and text; empty: the text is new.",
            "article_id": _ARTICLES["article_id"],
        },
        facets=("edition", "severity", "stealth", {"array": "classes"}),
        newest="seq",
        search=True,
    ),
    "disappeared": Described(
        "Missing, disappeared, moved, withheld",
        "Articles that are not where they were. Who did it, and why, cannot be known from here.",
        _some(
            _ARTICLES,
            "edition",
            "post_id",
            "url",
            "state",
            "missing_since",
            "missing_looks",
            "last_captured_at",
            "article_id",
        )
        | {"title": "Title it was last read with."},
        facets=("edition", "state"),
        newest="missing_since",
        search=True,
    ),
    "crawl_health": Described(
        "Crawl health",
        "How each run went.",
        _some(_CRAWLS, "name", "kind", "started_at", "finished_at", "finish_reason", "exit_status", "verdict")
        | {
            "requests": "Requests made.",
            "new": "Articles captured for the first time.",
            "changed": "Articles with a new version.",
            "unchanged": "Articles that said the same as before.",
            "gone": "Articles not found.",
            "failed": "Requests without an answer, and pages that could not be read.",
            "cross_check": "Posts, of one in a hundred, of which trafilatura reads a very different text: a layout may drift.",
        },
        facets=("kind", "verdict"),
        newest="started_at",
    ),
    "channel_coverage": Described(
        "Coverage by channel",
        "For each edition, day and channel: how many posts it showed, and how many of them no other channel did.",
        {
            "edition": "Edition of the site: en or ar.",
            "day": "The day, by the site's own calendar; empty: no page has stated it.",
            "channel": "home, date, category, feed, rest, sitemap or sweep.",
            "sighted": "Posts it showed.",
            "alone": "Posts that it alone showed.",
        },
        facets=("edition", "channel"),
    ),
    "coverage": Described(
        "Coverage",
        "By edition and day of the site: how many posts were sighted, and how many of them are held.",
        {
            "edition": "Edition of the site: en or ar.",
            "day": "The day, by the site's calendar.",
            "sighted": "Posts known of that day.",
            "held": "Of these, captured.",
            "missing": "Of these, still to be captured.",
            "listed_whole": "1: the listing of that day was walked whole, so that no post of it should be unknown.",
        },
        facets=("edition",),
        newest="day",
    ),
}
