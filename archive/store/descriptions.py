"""What each table, view and column of an archive's database is, in a sentence, for Datasette and
docs/dictionary.md.

A test compares this with a new database: every column has its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from textwrap import dedent
from typing import Any

from archive.store.fields import PAGE_FIELDS, VERSION_FIELDS, VersionField

TITLE = "SOHR archive"
ABOUT = (
    "What the site of the Syrian Observatory for Human Rights said, and when that changed. Times are UTC; an "
    "empty field was not stated by the site."
)


@dataclass(frozen=True, slots=True)
class Described:
    """A table or a view: its words, and how Datasette lists it.

    ``text`` has a line a column, ``name: Sentence.``, which indented lines continue. Names alone have their
    sentence in `_SHARED` or `VERSION_FIELDS`.
    """

    title: str
    description: str
    text: str
    listed: Mapping[str, Any] = field(default_factory=dict)  # how Datasette lists it, in Datasette's own keys

    @property
    def is_hidden(self) -> bool:
        """Whether people rarely need it."""
        return "hidden" in self.listed

    @property
    def is_searched(self) -> bool:
        """Whether it has `article_id`, so that the full-text search finds its rows."""
        return "fts_table" in self.listed

    def listing(self, *, has_facets: bool) -> dict[str, Any]:
        """How Datasette lists it, with its facets or without."""
        return {key: value for key, value in self.listed.items() if has_facets or key != "facets"}

    @property
    def columns(self) -> Mapping[str, str]:
        """The sentence of each column."""
        return _read_columns(self.text)


@cache  # Datasette asks for all of them many times a page
def _read_columns(text: str) -> Mapping[str, str]:
    columns: dict[str, str] = {}
    for line in _unwrap(text):
        name, colon, sentence = line.partition(": ")
        columns |= {name: sentence} if colon else {name: _SENTENCES[name] for name in line.split()}
    return columns


def _unwrap(text: str) -> list[str]:
    lines: list[str] = []
    for line in dedent(text).strip().splitlines():
        if line.startswith(" "):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return lines


def _describe(of: VersionField) -> str:
    form = " (JSON array)" if of.is_list else " (1 or 0)" if of.type == "boolean" else ""
    return of.about.removesuffix(".") + form + "."


_SHARED = """
source: Where the article is from: en, ar, or the host of another site.
key: What names the article there: the post id, or the canonical address on another site.
edition: Edition of the site: en (English) or ar (Arabic); empty for a page of another site.
post_id: WordPress's number of the post in its edition; empty for a page of another site.
url: The address the archive asks for.
state: live, missing (not there at the last look), disappeared (missing at several looks over days), moved,
    withheld (removed for legal reasons), protected (behind a password), empty, or unreadable; empty:
    sighted, not captured yet.
day: The day the site files it under, by its own calendar.
missing_looks: Looks in a row that did not find it.
missing_since: When it was first not found.
severity: How much an edit matters, 0 to 3; 3: a figure, or the sentence around it, changed.
classes: What changed, in a few words (JSON array).
figures: The figures that changed, before and after (JSON array).
stealth: 1: the text changed, the site's modified time did not; 0: both changed; empty: no time is stated.
stale_copy: 1: the answer was an old copy from a cache.
said_at: When the site said it: the time of the capture that showed it.
same_as_version: Number of the first version with the same title and text; empty: the text is new.
same_sha256: SHA-256 of title and text without white space, bidi marks and kinds of quotation marks.
name: Name of the run.
kind: crawl, import, or rebuild.
started_at: When it began.
finished_at: When it ended, or its last sign if it was killed; empty: running, or killed and not yet noticed.
finish_reason: Why it ended.
exit_status: 0 healthy, 65 unreadable, 69 site unavailable, 70 error of ours, 73 no writing; empty: killed.
verdict: What the answers of the site add up to.
seq: Number of the change in the feed, without gaps.
first_seen_at: When it first said so.
last_seen_at: When it last said so.
crawl_id: The run.
capture_id: The capture.
article_id: The article.
version_id: The version.
"""
_SENTENCES = {of.name: _describe(of) for of in VERSION_FIELDS}
_SENTENCES |= dict(line.split(": ", 1) for line in _unwrap(_SHARED))

_SEARCHED = {"fts_table": "search", "fts_pk": "article_id"}

_CHANGES = """
        seq: Number in the feed of changes, without gaps.
        epoch: The feed's epoch: another one begins when the archive is rebuilt by another extractor.
        article_id
        version_id: The version it led to.
        previous_version_id: The version before.
        capture_id: The capture that showed it.
        same_as_version_id: The first version with the same title and text; empty: the text is new.
        kind: created, updated (text or title), metadata (other fields), missing, disappeared, restored,
            moved, backfilled (older history), reparsed (read again by us), or retracted (a change was wrong).
        retracts: Of a retracted change: the change it takes back.
        classes severity figures
        details: More about it, by kind (JSON object).
        stealth stale_copy said_at
        learnt_at: When the archive learnt it.
"""

TABLES: dict[str, Described] = {
    "articles": Described(
        "Articles",
        "One row an article: an edition's post, or a page of another site. What it says is in versions.",
        """
        article_id: Number of the row in this database; it is not the same after a rebuild.
        source key edition post_id url state day
        moved_to: The article its address leads to now.
        first_sighted_at: When a listing, feed or link first showed it.
        first_captured_at: When it was first captured.
        last_captured_at: When it was last captured.
        newest_version_id: The version it was last read as.
        versions: How many versions are held.
        next_look_at: When it is due for another look.
        unchanged_looks: Looks in a row that found nothing new; each makes the next one later.
        missing_looks missing_since
        stretch_id: The stretch of the listing it was met in.
        """,
        {"facets": ["edition", "state"], "label_column": "url", "sort_desc": "day"} | _SEARCHED,
    ),
    "versions": Described(
        "Versions",
        "One row each time the site said something else: another title, or other lines. A changed digit "
        "makes one; counters or white space do not.",
        f"""
        version_id: Number of the row in this database; it is not the same after a rebuild.
        article_id number title plain_title text text_sha256
        restored_title: plain_title where it differs from the title; else empty.
        lines: Kind of each line of the text, with its depth in a list or its level as a heading (JSON array).
        same_sha256
        text_digest: text_sha256 in bytes.
        same_digest: same_sha256 in bytes.
        {" ".join(of.name for of in PAGE_FIELDS)}
        claim_set_id: What the page states about itself, and where: a row of claim_sets.
        layout extractor captures
        first_capture_id: The first capture that said this.
        last_capture_id: The last capture so far that said this.
        first_captured_at last_captured_at
        """,
        {"label_column": "title", "sort_desc": "published_at"},
    ),
    "changes": Described(
        "Changes",
        "What happened to articles, in the order the archive learnt it. Rows are never rewritten.",
        _CHANGES,
        {"facets": ["kind", "severity"], "sort_desc": "seq"},
    ),
    "captures": Described(
        "Captures",
        "One row for each answer of the site. Its bytes are in the WARC file, at the offset.",
        """
        capture_id: Number of the row in this database; it is not the same after a rebuild.
        crawl_id: The run that made it.
        article_id: The article it is of.
        url: The address that answered.
        requested_url: The first address of a chain of redirects, where it is another.
        status: HTTP status.
        captured_at: When the site said it.
        recorded_at: When the archive learnt it: later than captured_at for imports and backfills.
        via: The page that led here.
        channel: Why it was asked: home, date, category, feed, article, robots and others.
        reason: Of an article, why it was looked at: new, pending, due, gap, retry or modified.
        outcome: new, changed, unchanged, not_modified, part, listing, redirect, or why it gave no text.
        content_type: The header Content-Type.
        etag: The header ETag.
        last_modified: The header Last-Modified.
        location: The header Location: where a redirect leads.
        retry_after: The header Retry-After: how long the site asked to wait.
        payload_sha256: SHA-256 of the body as received, before decompression.
        size: Size of the body as received, in bytes.
        truncated: Why the body is cut: length, time, disconnect or unspecified; empty: it is whole.
        warc_file_id: The WARC file that holds it.
        offset: Where its record begins in that file, in bytes.
        length: Length of the record in the file, in bytes.
        record_id: WARC-Record-ID of the response, or of the revisit record in its place.
        original_id: The capture whose record has the body, if the site repeated it; else empty.
        look: Name of the look it belongs to, where a post has several pages.
        layout: The layout that read it; where a page is quarantined, the one that waits to be confirmed.
        source: Who gave it to the archive: live (the site), import (a file), commoncrawl or wayback.
        service_url: What was asked of a public archive for it; docs/backfill.md says what that proves.
        furniture: Lines and addresses that a second request minutes later showed otherwise, as JSON.
        """,
        {"facets": ["outcome", "channel"], "label_column": "captured_at", "sort_desc": "capture_id"},
    ),
    "aliases": Described(
        "Aliases",
        "Every address that led to an article.",
        """
        alias_id: Number of the row.
        url: The address.
        article_id: The article it leads to; empty: not asked yet.
        first_seen_at: When it was first met.
        """,
        {"label_column": "url"},
    ),
    "claim_sets": Described(
        "Claims of pages",
        "What pages state about themselves, and where. Pages of one layout share a row.",
        """
        claim_set_id: Number of the row.
        claims: Field, value and origin of each claim (JSON array). No value: that of the version's column; a
            number: that place in its list.
        """,
    ),
    "sightings": Described(
        "Sightings",
        "Which channel showed an article, when, and what it claimed about it.",
        """
        sighting_id: Number of the row.
        article_id
        channel: home, date, category, feed, rest, sitemap and others.
        claims: What the channel said: address, day, title, times (JSON object).
        first_seen_at last_seen_at
        times: How often it said so.
        """,
        {"facets": ["channel"], "sort_desc": "sighting_id"},
    ),
    "crawls": Described(
        "Crawls",
        "One row a run: a crawl, an import or a rebuild.",
        """
        crawl_id: Number of the row in this database; it is not the same after a rebuild.
        name kind started_at finished_at finish_reason exit_status verdict
        arguments: What it was asked to do (JSON object).
        software: Releases it ran with (JSON object).
        counters: What it counted: requests, new, changed, unchanged, gone, failed; editions (JSON object).
        """,
        {"facets": ["kind", "verdict"], "label_column": "name", "sort_desc": "crawl_id"},
    ),
    "warc_files": Described(
        "WARC files",
        "The files that are the archive. This database is an index of them.",
        """
        warc_file_id: Number of the row.
        serial: Serial number: the order in which the files are read again.
        name: Name of the file; while it is written to, with .open at its end.
        opened_at: When it was begun.
        closed_at: When it was closed; empty: still open.
        size: Size once closed, in bytes.
        sha256: SHA-256 of the file, once closed.
        """,
        {"label_column": "name", "sort_desc": "serial"},
    ),
    "failures": Described(
        "Failures",
        "What could not be read or was not answered, and why.",
        """
        failure_id: Number of the row.
        capture_id: The capture; empty: there was no answer.
        crawl_id
        article_id: The article, where it is known.
        url: The address.
        reason: no_answer, not_asked, same_text (as on other pages), other_layout, or the outcome.
        detail: Why, in a sentence.
        at: When.
        """,
        {"facets": ["reason"], "sort_desc": "failure_id"},
    ),
    "terms": Described(
        "Terms",
        "Categories and tags of the site.",
        """
        term_id: Number of the row.
        taxonomy: category or tag.
        name: Name, as the site writes it.
        """,
        {"facets": ["taxonomy"], "label_column": "name"},
    ),
    "article_terms": Described(
        "Terms of articles",
        "Which article has which category or tag now.",
        """
        article_id
        term_id: The category or tag.
        """,
        {"facets": ["term_id"]},
    ),
    "links": Described(
        "Links",
        "Links out of the text of an article's newest version.",
        """
        link_id: Number of the row.
        article_id: The article with the link.
        position: Place in the text, from 1.
        url: Where it leads.
        text: Its anchor text.
        target_id: The article it leads to, where the archive knows it.
        """,
        {"label_column": "url"},
    ),
    "about": Described(
        "About this archive",
        "Facts about the archive itself: the site it belongs to, the epoch of its feed.",
        """
        key: Name of the fact.
        value: The fact.
        """,
    ),
    "stretches": Described(
        "Stretches",
        "Parts of the listing that crawls have read without a gap. Between two of them posts may be unknown.",
        """
        stretch_id: Number of the row.
        edition
        merged_into: The stretch it has grown together with.
        head_seen_at: When its newest end was the head of the listing.
        newest_day: Day of its newest post.
        tail_day: Day of its oldest post so far.
        tail_article_id: Its oldest post so far.
        reached_end: 1: it reaches the site's oldest post.
        """,
        {"facets": ["edition"], "sort_desc": "stretch_id"},
    ),
    "listing_pages": Described(
        "Listing pages",
        "Pages of listings as captured: how many posts each showed, and how many were new.",
        """
        capture_id crawl_id edition
        scope: Which listing: home, a date archive, a category.
        page: Page of the listing, from 1.
        entries: Posts shown.
        new_entries: Posts shown that the archive did not know.
        is_end: 1: the last page of the listing.
        last_article_id: The last post shown.
        stretch_id: The stretch it continues.
        """,
        {"facets": ["edition", "scope"], "sort_desc": "capture_id"},
    ),
    "channels": Described(
        "Channels",
        "What the site's feeds, REST interface and categories offer, and how far each was read.",
        """
        edition
        channel: feed, rest, category and others.
        scope: Which of its questions: the form of a feed, what REST is asked, the address of a category.
        url: The address of its last good answer; empty if it never gave one.
        asked_at: When it was last asked; empty: known, and not asked yet.
        status: Status of the last answer; 0: none came.
        is_open: 1: the site offers it; 0: it does not, and is asked again after a week.
        detail: What was wrong, where something was.
        failed: Answers in a row that were none.
        total: How many posts the site says it has.
        newest_at: Up to which instant its log of edits was read.
        pending_at: Up to which instant, once the reading that is under way is done.
        next_page: Where the walk through all of it goes on.
        whole_at: When it was last walked to its end.
        """,
        {"facets": ["edition", "channel", "is_open"], "sort_desc": "asked_at"},
    ),
    "digests": Described(
        "Digests",
        "What a feed, REST or a sitemap last said of an article. It only decides when to ask for the page.",
        """
        article_id
        channel: feed, rest or sitemap.
        digest: Digest of title and text as the channel has them; comparable within the channel only.
        modified_at: When the channel says the post was last modified.
        first_seen_at
        first_capture_id: The capture in which it first said so.
        last_seen_at
        changes: How often it said otherwise than before.
        looks: Looks at the article that were done by this channel, without its page.
        looked_at: The last of them.
        absent_since: When the channel, asked for the article, did not show it any more.
        absence_told: 1: the feed of changes says so, for the page was still there.
        """,
        {"facets": ["channel"], "sort_desc": "last_seen_at"},
    ),
    "swept_ids": Described(
        "Ids without a post",
        "Numbers that a sweep asked for and that no post has. Images and drafts have numbers too.",
        """
        edition
        post_id: The number.
        asked_at: When it was last asked for.
        """,
        {"sort_desc": "asked_at"},
    ),
    "promotions": Described(
        "Looks brought forward",
        "Articles next to one whose text was edited: due at once. The row goes with the look.",
        """
        article_id
        at: When the edit was found.
        """,
        {"sort_desc": "at", "hidden": True},
    ),
    "coverage_days": Described(
        "Days listed whole",
        "Days whose date archive was walked to its end.",
        """
        edition day
        complete_at: When its date archive was walked whole.
        """,
        {"sort_desc": "day"},
    ),
    "day_counts": Described(
        "Articles by day",
        "How many articles and versions there are of each day, by edition.",
        """
        edition day
        sighted: Articles known.
        held: Of these, captured.
        gone: Of these, missing, disappeared, moved or withheld.
        versions: Versions held of them.
        """,
        {"facets": ["edition"], "sort_desc": "day", "hidden": True},
    ),
    "edit_counts": Described(
        "Edits by month",
        "How many edits there were in each month, by the gravest thing they changed.",
        """
        month: The month of the capture that showed them, as 2026-01.
        class: The first of the classes of the change; empty where it has none.
        edits: Edits.
        """,
        {"sort_desc": "month", "hidden": True},
    ),
    "noise_counts": Described(
        "Noise by day",
        "What was no trouble and no change: old copies from caches, addresses made anew for each request, "
        "feeds with an entry that cannot be read.",
        """
        edition day
        kind: stale_copy, new_address, furniture or bad_entry.
        number: How often it was seen.
        """,
        {"sort_desc": "day", "hidden": True},
    ),
    "pending_outcomes": Described(
        "Pending outcomes",
        "Looks that found a post changed, missing, moved or without text, and are not written yet: they are "
        "judged together, so that trouble of the site accuses nobody.",
        """
        capture_id
        article_id
        kind: What the look found: missing, moved, withheld, textless or updated.
        details: What is needed to write it (JSON object).
        held_at: Since when it is held as trouble in bulk; empty: it waits for the end of its crawl.
        """,
        {"hidden": True},
    ),
    "parts": Described(
        "Parts",
        "Pages of a post in several pages, held until the look is complete.",
        """
        capture_id
        look: Name of the look.
        page: Page of the post, from 1.
        pages: How many the post has.
        extract: What the page says (JSON object).
        """,
        {"hidden": True},
    ),
    "search": Described(
        "Search",
        "Full text over the folded title and text of newest versions, without a copy of them.",
        """
        title: Folded title.
        text: Folded text.
        """,
        {"hidden": True},
    ),
    "retracted_versions": Described(
        "Retracted versions",
        "Versions whose change proved wrong and was taken back.",
        """
        version_id
        seq: The change that reported it.
        retracted_by: The change that took it back.
        """,
        {"hidden": True},
    ),
    "valid_changes": Described(
        "Changes that hold",
        "All changes but those that were retracted, and the retractions.",
        _CHANGES,
        {"facets": ["kind", "severity"], "sort_desc": "seq", "hidden": True},
    ),
    "latest_versions": Described(
        "Articles as last read",
        "The newest version of every article. Search ignores case, vowel signs and marks inside words.",
        """
        edition post_id url state day source key
        article_id: Number of the row in this database; it is not the same after a rebuild.
        title plain_title text published_at modified_at number author language categories tags
        first_captured_at last_captured_at captures text_sha256 same_sha256 layout
        version_id: Number of the row in this database; it is not the same after a rebuild.
        """,
        {"facets": ["edition", "state"], "sort_desc": "published_at"} | _SEARCHED,
    ),
    "version_history": Described(
        "All versions",
        "Every version of every article, with its post id.",
        """
        edition post_id
        article_id: Number of the row in this database; it is not the same after a rebuild.
        number title text published_at modified_at first_captured_at last_captured_at captures text_sha256
        layout extractor
        version_id: Number of the row in this database; it is not the same after a rebuild.
        """,
        {"facets": ["edition"], "sort_desc": "version_id"},
    ),
    "edits": Described(
        "Edits",
        "Each change of title or text, with the versions before and after. Retracted changes are left out.",
        """
        seq: Number of the change in the feed.
        edition post_id severity classes figures stealth stale_copy said_at
        title_before: Title before.
        title_after: Title after.
        text_before: Text before.
        text_after: Text after.
        number_before: Number of the version before.
        number_after: Number of the version after.
        same_as_version
        article_id: Number of the row in this database; it is not the same after a rebuild.
        """,
        {"facets": ["edition", "severity", "stealth", {"array": "classes"}], "sort_desc": "seq"} | _SEARCHED,
    ),
    "figure_changes": Described(
        "Figure changes",
        "Each number that an edit changed, added or removed. Retracted changes are left out.",
        """
        source key edition post_id said_at
        before: The number before, as written; empty: it was added.
        after: The number after, as written; empty: it was removed.
        sentence_before: Its sentence before; empty: it was added.
        sentence_after: Its sentence after; empty: it was removed.
        stealth
        citation: What to write down when citing the version after the edit; it never moves.
        previous: Citation of the version before.
        seq: Number of the change in the feed.
        place: Place of the figure in its change, from 0.
        article_id: Number of the row in this database; it is not the same after a rebuild.
        version_id
        """,
        {"facets": ["edition", "stealth"], "sort_desc": "seq"},
    ),
    "disappeared": Described(
        "Missing, disappeared, moved, withheld",
        "Articles that are not where they were. Who did it, and why, cannot be known from here.",
        """
        edition post_id url state missing_since missing_looks
        last_captured_at: When it was last captured.
        article_id: Number of the row in this database; it is not the same after a rebuild.
        title: Title it was last read with.
        """,
        {"facets": ["edition", "state"], "sort_desc": "missing_since"} | _SEARCHED,
    ),
    "crawl_health": Described(
        "Crawl health",
        "How each run went.",
        """
        name kind started_at finished_at finish_reason exit_status verdict
        requests: Requests made.
        new: Articles captured for the first time.
        changed: Articles with a new version.
        unchanged: Articles that said the same as before.
        gone: Articles not found.
        failed: Requests without an answer, and pages that could not be read.
        cross_check: Posts of which trafilatura reads a very different text (one in a hundred is checked).
        """,
        {"facets": ["kind", "verdict"], "sort_desc": "started_at"},
    ),
    "channel_coverage": Described(
        "Coverage by channel",
        "For each edition, day and channel: how many posts it showed, and how many it alone showed.",
        """
        edition day
        channel: home, date, category, feed, rest, sitemap or sweep.
        sighted: Posts it showed.
        alone: Posts that it alone showed.
        """,
        {"facets": ["edition", "channel"]},
    ),
    "coverage": Described(
        "Coverage",
        "By edition and day of the site: how many posts were sighted, and how many of them are held.",
        """
        edition day
        sighted: Posts known of that day.
        held: Of these, captured.
        missing: Of these, still to be captured.
        listed_whole: 1: the listing of that day was walked whole, so that no post of it should be unknown.
        """,
        {"facets": ["edition"], "sort_desc": "day"},
    ),
}
