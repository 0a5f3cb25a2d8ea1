-- The tables, indexes, views and triggers of an archive's database. All times are UTC text
-- 2026-01-02T00:00:00Z, all days 2026-01-02. archive.store.schema fills in the words after a dollar sign;
-- archive.store.descriptions reads the comments of tables, views and columns.

-- Columns of several tables, where the table says nothing else
--   state: live, missing (not there at the last look), disappeared (missing at several looks over days),
--     moved, withheld (removed for legal reasons), protected (behind a password), empty, or unreadable;
--     empty: sighted, not captured yet.
--   missing_looks: Looks in a row that did not find it.
--   missing_since: When it was first not found.
--   severity: How much an edit matters, 0 to 3; 3: a figure, or the sentence around it, changed.
--   classes: What changed, in a few words (JSON array).
--   figures: The figures that changed, before and after (JSON array).
--   stealth: 1: the text changed, the site's modified time did not; 0: both changed; empty: no time is
--     stated.
--   stale_copy: 1: the answer was an old copy from a cache.
--   said_at: When the site said it: the time of the capture that showed it.
--   unchanged_until: The last capture before it that showed what stood before: it happened between the two.
--     Empty: none did.
--   same_as_version: Number of the first version with the same title and text; empty: the text is new.
--   same_sha256: SHA-256 of title and text without white space, bidi marks and kinds of quotation marks.
--   name: Name of the run.
--   kind: crawl, import, or backfill.
--   started_at: When it began.
--   finished_at: When it ended, or its last sign if it was killed; empty: running, or killed and not yet
--     noticed.
--   finish_reason: Why it ended.
--   exit_status: 0 healthy, 65 unreadable, 69 site unavailable, 70 error of ours, 73 no writing; empty:
--     killed.
--   verdict: What the answers of the site add up to.
--   seq: Number of the change in the feed, without gaps.
--   first_seen_at: When it first said so.
--   last_seen_at: When it last said so.
--   crawl_id: The run.
--   capture_id: The capture.
--   article_id: The article.
--   version_id: The version.
--   line: 0: the title; else the line of the text, from 1.
--   start: Where it begins, in characters of the title or of the text.
--   end: Where it ends.
--   written: The figure as written.
--   value: Its value; of a range the lower one.
--   value_to: The upper value of a range.
--   approx: at least, more than, nearly, about, up to, less than; empty: the text does not say.
--   unit: What it counts, from a closed list of nouns; empty: no rule names it.
--   unit_start: Where the counted noun begins.
--   unit_end: Where the counted noun ends.
--   since: The date or year since which it counts, as written in its sentence or heading.
--   place: The governorate or desert in its sentence, else in its heading; empty: none, or several.

-- About this archive: Facts about the archive itself: the site it belongs to, the epoch of its feed.
create table about (
    key text primary key, -- Name of the fact.
    value text not null -- The fact.
) strict;

-- Crawls: One row a run: a crawl, an import or a backfill.
create table crawls (
    crawl_id integer primary key, -- Number of the row in this database; it is not the same after a rebuild.
    name text not null unique,
    kind text not null check (kind in ('crawl', 'import', 'backfill')),
    started_at text not null,
    finished_at text,
    finish_reason text,
    exit_status integer,
    verdict text,
    arguments text not null default '{}', -- What it was asked to do (JSON object).
    software text not null default '{}', -- Releases it ran with (JSON object).
    -- What it counted: requests, new, changed, unchanged, gone, failed; editions (JSON object).
    counters text not null default '{}'
) strict;

-- WARC files: The files that are the archive. This database is an index of them.
create table warc_files (
    warc_file_id integer primary key, -- Number of the row.
    serial integer not null unique, -- Serial number: the order in which the files are read again.
    name text not null unique, -- Name of the file; while it is written to, with .open at its end.
    opened_at text not null, -- When it was begun.
    closed_at text, -- When it was closed; empty: still open.
    size integer, -- Size once closed, in bytes.
    sha256 text -- SHA-256 of the file, once closed.
) strict;

-- Captures: One row for each answer of the site. Its bytes are in the WARC file, at the offset.
create table captures (
    capture_id integer primary key, -- Number of the row in this database; it is not the same after a rebuild.
    crawl_id integer references crawls(crawl_id), -- The run that made it.
    article_id integer references articles(article_id), -- The article it is of.
    url text not null, -- The address that answered.
    requested_url text, -- The first address of a chain of redirects, where it is another.
    status integer not null, -- HTTP status.
    captured_at text not null, -- When the site said it.
    -- When the archive learnt it: later than captured_at for imports and backfills.
    recorded_at text not null,
    via text, -- The page that led here.
    channel text, -- Why it was asked: home, date, category, feed, article, robots and others.
    reason text, -- Of an article, why it was looked at: new, pending, due, gap, retry or modified.
    -- new, changed, unchanged, not_modified, part, listing, redirect, or why it gave no text.
    outcome text not null,
    content_type text, -- The header Content-Type.
    etag text, -- The header ETag.
    last_modified text, -- The header Last-Modified.
    location text, -- The header Location: where a redirect leads.
    retry_after text, -- The header Retry-After: how long the site asked to wait.
    payload_sha256 text not null, -- SHA-256 of the body as received, before decompression.
    size integer not null, -- Size of the body as received, in bytes.
    truncated text, -- Why the body is cut: length, time, disconnect or unspecified; empty: it is whole.
    warc_file_id integer not null references warc_files(warc_file_id), -- The WARC file that holds it.
    offset integer not null, -- Where its record begins in that file, in bytes.
    length integer not null, -- Length of the record in the file, in bytes.
    record_id text not null unique, -- WARC-Record-ID of the response, or of the revisit record in its place.
    -- The capture whose record has the body, if the site repeated it; else empty.
    original_id integer references captures(capture_id),
    look text, -- Name of the look it belongs to, where a post has several pages.
    -- The article or address of an article that it is of, where the archive does not know that article yet.
    promised text,
    layout text, -- The layout that read it; where a page is quarantined, the one that waits to be confirmed.
    -- Who gave it to the archive: live (the site), import (a file), commoncrawl or wayback.
    source text not null default 'live' check (source in ($providers)),
    service_url text, -- What was asked of a public archive for it; docs/backfill.md says what that proves.
    furniture text, -- Lines and addresses that a second request minutes later showed otherwise, as JSON.
    unique (warc_file_id, offset)
) strict;

-- Failures: What could not be read or was not answered, and why.
create table failures (
    failure_id integer primary key, -- Number of the row.
    capture_id integer references captures(capture_id), -- The capture; empty: there was no answer.
    crawl_id integer references crawls(crawl_id),
    article_id integer references articles(article_id), -- The article, where it is known.
    url text not null, -- The address.
    -- no_answer, not_asked, same_text (as on other pages), other_layout, disagreement, or the outcome.
    reason text not null,
    detail text not null default '', -- Why, in a sentence.
    at text not null -- When.
) strict;

-- Articles: One row an article: an edition's post, or a page of another site. What it says is in versions.
create table articles (
    article_id integer primary key, -- Number of the row in this database; it is not the same after a rebuild.
    source text not null,
    key text not null,
    edition text check (edition in ('en', 'ar')),
    post_id integer,
    url text not null,
    state text check (state in ($states)),
    day text,
    moved_to integer references articles(article_id), -- The article its address leads to now.
    first_sighted_at text not null, -- When a listing, feed or link first showed it.
    first_captured_at text, -- When it was first captured.
    last_captured_at text, -- When it was last captured.
    newest_version_id integer references versions(version_id), -- The version it was last read as.
    versions integer not null default 0, -- How many versions it has.
    next_look_at text, -- When it is due for another look.
    -- Looks in a row that found nothing new; each makes the next one later.
    unchanged_looks integer not null default 0,
    missing_looks integer not null default 0,
    missing_since text,
    stretch_id integer references stretches(stretch_id), -- The stretch of the listing it was met in.
    unique (source, key)
) strict;

-- Aliases: Every address that led to an article.
create table aliases (
    alias_id integer primary key, -- Number of the row.
    url text not null unique, -- The address.
    article_id integer references articles(article_id), -- The article it leads to; empty: not asked yet.
    first_seen_at text not null -- When it was first met.
) strict;

-- Sightings: Which channel showed an article, when, and what it claimed about it.
create table sightings (
    sighting_id integer primary key, -- Number of the row.
    article_id integer not null references articles(article_id),
    channel text not null, -- home, date, category, feed, rest, sitemap and others.
    claims text not null, -- What the channel said: address, day, title, times (JSON object).
    first_seen_at text not null,
    last_seen_at text not null,
    times integer not null default 1 -- How often it said so.
) strict;

-- Claims of pages: What pages state about themselves, and where. Pages of one layout share a row.
create table claim_sets (
    claim_set_id integer primary key, -- Number of the row.
    -- Field, value and origin of each claim (JSON array). No value: that of the version's column; a number:
    -- that place in its list.
    claims text not null unique
) strict;

-- Versions: One row each time the site said something else: another title, or other lines. A changed digit
-- makes one; counters or white space do not.
create table versions (
    version_id integer primary key, -- Number of the row in this database; it is not the same after a rebuild.
    article_id integer not null references articles(article_id),
    number integer not null,
    title text not null,
    restored_title text, -- plain_title where it differs from the title; else empty.
    plain_title text generated always as (coalesce(restored_title, title)) virtual,
    text_digest blob, -- text_sha256 in bytes.
    text_sha256 text generated always as (lower(hex(text_digest))) virtual,
    same_digest blob, -- same_sha256 in bytes.
    same_sha256 text generated always as (lower(hex(same_digest))) virtual,
    text text not null,
    -- Kind of each line of the text, with its depth in a list or its level as a heading (JSON array).
    lines text not null,
    $page_columns
    -- What the page states about itself, and where: a row of claim_sets.
    claim_set_id integer references claim_sets(claim_set_id),
    layout text not null,
    extractor text not null,
    first_capture_id integer not null references captures(capture_id), -- The first capture that said this.
    -- The last capture so far that said this.
    last_capture_id integer not null references captures(capture_id),
    first_captured_at text not null,
    last_captured_at text not null,
    captures integer not null default 1,
    -- The time in its citation: first_captured_at; with ~ and the first digits of same_sha256 where another
    -- version of the article has the same second.
    cited_at text not null default '',
    unique (article_id, number)
) strict;

-- Pending outcomes: Looks that found a post changed, missing, moved or without text, and are not written yet:
-- they are judged together, so that trouble of the site accuses nobody.
create table pending_outcomes (
    capture_id integer primary key references captures(capture_id),
    article_id integer not null references articles(article_id),
    -- What the look found: missing, moved, withheld, textless or updated.
    kind text not null check (kind in ('missing', 'moved', 'withheld', 'textless', 'updated')),
    details text not null default '{}', -- What is needed to write it (JSON object).
    held_at text -- Since when it is held as trouble in bulk; empty: it waits for the end of its crawl.
) strict;
-- Parts: Pages of a post in several pages, kept until the look is complete.
create table parts (
    capture_id integer primary key references captures(capture_id),
    look text not null, -- Name of the look.
    page integer not null, -- Page of the post, from 1.
    pages integer not null, -- How many the post has.
    extract text not null, -- What the page says (JSON object).
    unique (look, page)
) strict;

-- Terms: Categories and tags of the site.
create table terms (
    term_id integer primary key, -- Number of the row.
    taxonomy text not null check (taxonomy in ('category', 'tag')), -- category or tag.
    name text not null, -- Name, as the site writes it.
    unique (taxonomy, name)
) strict;

-- Terms of articles: Which article has which category or tag now.
create table article_terms (
    article_id integer not null references articles(article_id),
    term_id integer not null references terms(term_id), -- The category or tag.
    primary key (article_id, term_id)
) strict, without rowid;

-- Links: Links out of the text of an article's newest version.
create table links (
    link_id integer primary key, -- Number of the row.
    article_id integer not null references articles(article_id), -- The article with the link.
    position integer not null, -- Place in the text, from 1.
    url text not null, -- Where it leads.
    text text not null, -- Its anchor text.
    target_id integer references articles(article_id), -- The article it leads to, where the archive knows it.
    unique (article_id, position)
) strict;

-- Changes: What happened to articles, in the order the archive learnt it. Rows are never rewritten.
create table changes (
    seq integer primary key, -- Number in the feed of changes, without gaps.
    -- The feed's epoch: another one begins when the archive is rebuilt by another extractor.
    epoch integer not null,
    article_id integer not null references articles(article_id),
    version_id integer references versions(version_id), -- The version it led to.
    previous_version_id integer references versions(version_id), -- The version before.
    -- The first version with the same title and text; empty: the text is new.
    same_as_version_id integer references versions(version_id),
    capture_id integer references captures(capture_id), -- The capture that showed it.
    -- created, updated (text or title), metadata (other fields), missing, disappeared, restored, moved,
    -- backfilled (older history), reparsed (read again by us), or retracted (a change was wrong).
    kind text not null check (kind in ($change_kinds)),
    -- Of a retracted change: the change it takes back.
    retracts integer references changes(seq) check ((retracts is null) = (kind != 'retracted')),
    classes text not null default '[]',
    severity integer not null default 0 check (severity between 0 and 3),
    figures text not null default '[]',
    details text not null default '{}', -- More about it, by kind (JSON object).
    stealth integer check (stealth in (0, 1)),
    stale_copy integer not null default 0 check (stale_copy in (0, 1)),
    said_at text not null,
    unchanged_until text,
    learnt_at text not null -- When the archive learnt it.
) strict;

-- Index pages: One row for each page of the index of a public archive.
create table index_pages (
    url text primary key, -- The address that was asked.
    -- The public archive: commoncrawl or wayback.
    service text not null check (service in ('commoncrawl', 'wayback')),
    capture_id integer not null references captures(capture_id), -- The newest answer.
    asked_at text not null, -- When that was.
    next_key text, -- The key that asks for the page after it; empty: there is none, or pages have numbers.
    rows integer not null, -- How many captures the page lists, repeated rows included.
    posts integer not null, -- How many of them are of posts of the site.
    unread integer not null, -- Lines that could not be read.
    -- 1: the service has no such page: it is after the last, or there is nothing of the site.
    is_absent integer not null check (is_absent in (0, 1))
) strict, without rowid;

-- Listed captures: One row for each capture of a post that the index of a public archive lists.
create table listed_captures (
    listed_id integer primary key, -- Number of the row; it is not the same after a rebuild.
    -- The public archive: commoncrawl or wayback.
    service text not null check (service in ('commoncrawl', 'wayback')),
    identity text not null, -- What names the capture there: time and address, or file and bytes.
    post text not null, -- The article and its page, or an address that names no article.
    edition text not null check (edition in ('en', 'ar')), -- en or ar.
    url text not null, -- The address that was captured.
    at text not null, -- When it was captured, as the index states it.
    status integer, -- HTTP status, as the index states it; empty: a revisit.
    digest text not null, -- SHA-1 of the body as the service has it, in base32; empty: not stated.
    -- fetched, refused; empty: not asked yet, or the service was in trouble.
    answer text check (answer in ('fetched', 'refused')),
    detail text not null default '', -- Why it is refused, in a sentence.
    capture_id integer references captures(capture_id), -- The capture in this archive.
    unique (service, identity)
) strict;

-- Stretches: Parts of the listing that crawls have read without a gap. Between two of them posts may be
-- unknown.
create table stretches (
    stretch_id integer primary key, -- Number of the row.
    edition text not null check (edition in ('en', 'ar')),
    merged_into integer references stretches(stretch_id), -- The stretch it has grown together with.
    head_seen_at text, -- When its newest end was the head of the listing.
    newest_day text, -- Day of its newest post.
    tail_day text, -- Day of its oldest post so far.
    tail_article_id integer references articles(article_id), -- Its oldest post so far.
    reached_end integer not null default 0 -- 1: it reaches the site's oldest post.
) strict;

-- Listing pages: Pages of listings as captured: how many posts each showed, and how many were new.
create table listing_pages (
    capture_id integer primary key references captures(capture_id),
    crawl_id integer references crawls(crawl_id),
    edition text not null,
    scope text not null, -- Which listing: home, a date archive, a category.
    page integer not null, -- Page of the listing, from 1.
    entries integer not null, -- Posts shown.
    new_entries integer not null, -- Posts shown that the archive did not know.
    is_end integer not null, -- 1: the last page of the listing.
    stretch_id integer references stretches(stretch_id), -- The stretch it continues.
    last_article_id integer references articles(article_id) -- The last post shown.
) strict;

-- Days listed whole: Days whose date archive was walked to its end.
create table coverage_days (
    edition text not null,
    day text not null,
    complete_at text not null, -- When its date archive was walked whole.
    primary key (edition, day)
) strict, without rowid;

-- Channels: What the site's feeds, REST interface and categories offer, and how far each was read.
create table channels (
    edition text not null check (edition in ('en', 'ar')),
    channel text not null, -- feed, rest, category and others.
    -- Which of its questions: the form of a feed, what REST is asked, the address of a category.
    scope text not null,
    url text, -- The address of its last good answer; empty if it never gave one.
    asked_at text, -- When it was last asked; empty: known, and not asked yet.
    status integer, -- Status of the last answer; 0: none came.
    -- 1: the site offers it; 0: it does not, and is asked again after a week.
    is_open integer not null default 1 check (is_open in (0, 1)),
    detail text not null default '', -- What was wrong, where something was.
    failed integer not null default 0, -- Answers in a row that were none.
    total integer, -- How many posts the site says it has.
    newest_at text, -- Up to which instant its log of edits was read.
    pending_at text, -- Up to which instant, once the reading that is under way is done.
    next_page integer, -- Where the walk through all of it goes on.
    whole_at text, -- When it was last walked to its end.
    primary key (edition, channel, scope)
) strict, without rowid;

-- Digests: What a feed, REST or a sitemap last said of an article. It only decides when to ask for the page.
create table digests (
    article_id integer not null references articles(article_id),
    channel text not null, -- feed, rest or sitemap.
    digest text, -- Digest of title and text as the channel has them; comparable within the channel only.
    modified_at text, -- When the channel says the post was last modified.
    first_seen_at text not null,
    -- The capture in which it first said so.
    first_capture_id integer not null references captures(capture_id),
    last_seen_at text not null,
    changes integer not null default 0, -- How often it said otherwise than before.
    -- Looks at the article that were done by this channel, without its page.
    looks integer not null default 0,
    looked_at text, -- The last of them.
    absent_since text, -- When the channel, asked for the article, did not show it any more.
    -- 1: the feed of changes says so, for the page was still there.
    absence_told integer not null default 0 check (absence_told in (0, 1)),
    primary key (article_id, channel)
) strict, without rowid;

-- Ids without a post: Numbers that a sweep asked for and that no post has. Images and drafts have numbers
-- too.
create table swept_ids (
    edition text not null check (edition in ('en', 'ar')),
    post_id integer not null, -- The number.
    asked_at text not null, -- When it was last asked for.
    primary key (edition, post_id)
) strict, without rowid;

-- Looks brought forward: Articles next to one whose text was edited: due at once. The row goes with the look.
create table promotions (
    article_id integer primary key references articles(article_id),
    at text not null -- When the edit was found.
) strict;

-- Articles by day: How many articles and versions there are of each day, by edition.
create table day_counts (
    edition text not null,
    day text not null,
    sighted integer not null, -- Articles known.
    captured integer not null, -- Of these, captured.
    gone integer not null, -- Of these, missing, disappeared, moved or withheld.
    versions integer not null, -- Their versions.
    texts integer not null, -- Of these articles, with a text.
    live_texts integer not null, -- Of these, on the site at the last look.
    primary key (edition, day)
) strict, without rowid;

-- Edits by month: How many edits there were in each month, by the gravest thing they changed.
create table edit_counts (
    month text not null, -- The month of the capture that showed them, as 2026-01.
    class text not null, -- The first of the classes of the change; empty where it has none.
    edits integer not null, -- Edits.
    primary key (month, class)
) strict, without rowid;

-- Noise by day: What was no trouble and no change: old copies from caches, addresses made anew for each
-- request, feeds with an entry that cannot be read.
create table noise_counts (
    edition text not null check (edition in ('en', 'ar')),
    day text not null,
    -- stale_copy, new_address, furniture, doubtful or bad_entry.
    kind text not null check (kind in ('stale_copy', 'new_address', 'furniture', 'doubtful', 'bad_entry')),
    number integer not null, -- How often it was seen.
    primary key (edition, day, kind)
) strict, without rowid;

-- Figures: What each version counts: derived from its text, and made again where the rules improve. Nothing is
-- added up or corrected. The view `figure_rows` shows them with their sentences.
create table figures (
    version_id integer not null references versions(version_id),
    line integer not null,
    start integer not null,
    end integer not null,
    written text not null,
    value real not null,
    value_to real,
    approx text,
    unit text,
    unit_start integer,
    unit_end integer,
    since text,
    place text,
    sentence_start integer not null, -- Where its sentence begins.
    sentence_end integer not null, -- Where its sentence ends.
    heading_start integer, -- Where the line that heads it begins; empty: there is none.
    heading_end integer, -- Where that line ends.
    series integer not null, -- A number that figures share whose edition, heading and masked sentence agree.
    primary key (version_id, line, start)
) strict, without rowid;

-- Series: Figures whose edition, heading and masked sentence agree in the newest versions of several posts.
create table series (
    series integer primary key, -- The number that its figures share.
    source text not null,
    points integer not null, -- Posts.
    falls integer not null, -- Points that are lower than the one before: totals corrected backwards.
    first_at text not null, -- When the site published the first of them, else when it was first captured.
    last_at text not null, -- The same of the last.
    lowest real not null, -- The lowest value.
    highest real not null, -- The highest value.
    version_id integer not null references versions(version_id), -- The version of the last point.
    line integer not null,
    start integer not null
) strict;

-- Search: Full text over the folded title and text of newest versions, without a copy of them.
--   title: Folded title.
--   text: Folded text.
create virtual table search using fts5(title, text, content='', tokenize='unicode61 remove_diacritics 0');

create index captures_article on captures(article_id, captured_at);
create index captures_url on captures(url);
create index pending_outcomes_article on pending_outcomes(article_id, kind);
create index pending_outcomes_waiting on pending_outcomes(kind) where held_at is null;
create index captures_outcome on captures(outcome)
    where outcome in ('quarantined', 'layout', 'listing_unread', 'mismatch', 'hostile', 'broken');
create index captures_promised on captures(promised) where promised is not null;
create index captures_apart on captures(capture_id) where outcome = 'apart';
create index captures_at on captures(captured_at);
create index captures_copied on captures(capture_id) where source != 'live';
create index captures_retry_after on captures(capture_id) where retry_after is not null;
create index captures_look on captures(look) where look is not null;
create index captures_crawl on captures(crawl_id);
create index captures_original on captures(payload_sha256)
    where original_id is null and size >= 1024 and truncated is null;
create index captures_repeated on captures(original_id) where original_id is not null;
create index listed_captures_post on listed_captures(service, post, at);
create index listed_captures_capture on listed_captures(capture_id) where capture_id is not null;
create index failures_reason on failures(reason, at);
create index failures_cross_check on failures(crawl_id) where reason = 'cross_check';
create index articles_edition_day on articles(edition, day);
create index articles_day on articles(day);
create index articles_post on articles(edition, post_id);
create index articles_next_look on articles(next_look_at) where next_look_at is not null;
create index articles_uncaptured on articles(edition, article_id) where state is null;
create index articles_stretch on articles(stretch_id);
create index articles_gone on articles(missing_since) where state in ($gone_states);
create index articles_odd on articles(state, article_id) where state != 'live';
create index articles_changed on articles(article_id) where versions > 1;
create index aliases_article on aliases(article_id);
create index aliases_unresolved on aliases(alias_id) where article_id is null;
create index sightings_article on sightings(article_id, channel);
create index versions_published on versions(published_at);
create index versions_first_capture on versions(first_capture_id);
create index versions_last_capture on versions(last_capture_id);
create index versions_first_same on versions(same_digest) where number = 1;
create index article_terms_term on article_terms(term_id);
create index links_target on links(target_id);
create index changes_article on changes(article_id);
create index changes_kind on changes(kind, seq);
create index changes_severity on changes(severity, seq) where kind = 'updated';
create index changes_silent on changes(article_id, seq) where stealth = 1;
create index changes_silent_seq on changes(seq) where stealth = 1;
create index changes_version on changes(version_id);
create index changes_previous_version on changes(previous_version_id);
create index changes_same_as_version on changes(same_as_version_id) where same_as_version_id is not null;
create index changes_capture on changes(capture_id);
create unique index changes_retracts on changes(retracts) where retracts is not null;
create index figures_series on figures(series);
create index series_length on series(points, series);
create index listing_pages_scope on listing_pages(crawl_id, edition, scope, page);
create index digests_absent on digests(article_id) where absent_since is not null;
create index digests_changed on digests(first_seen_at) where changes > 0;

-- Datasette counts the rows of a view by going through its joins, so `edits` and `coverage` join nothing

-- Retracted versions: Versions whose change proved wrong and was taken back.
--   version_id
--   seq: The change that reported it.
--   retracted_by: The change that took it back.
create view retracted_versions as
select c.version_id, c.seq, r.seq as retracted_by
from changes r cross join changes c on c.seq = r.retracts -- this order: the few retractions first
where r.kind = 'retracted' and c.kind in ('created', 'updated', 'backfilled') and c.version_id is not null;

-- Changes that hold: All changes but those that were retracted, and the retractions.
--   seq: Number in the feed of changes, without gaps.
--   epoch: The feed's epoch: another one begins when the archive is rebuilt by another extractor.
--   article_id
--   version_id: The version it led to.
--   previous_version_id: The version before.
--   capture_id: The capture that showed it.
--   same_as_version_id: The first version with the same title and text; empty: the text is new.
--   kind: created, updated (text or title), metadata (other fields), missing, disappeared, restored, moved,
--     backfilled (older history), reparsed (read again by us), or retracted (a change was wrong).
--   retracts: Of a retracted change: the change it takes back.
--   classes severity figures
--   details: More about it, by kind (JSON object).
--   stealth stale_copy said_at unchanged_until
--   learnt_at: When the archive learnt it.
create view valid_changes as
select * from changes c
where c.kind != 'retracted' and not exists (select 1 from changes r where r.retracts = c.seq);

-- Articles as last read: The newest version of every article. Search ignores case, vowel signs and marks
-- inside words.
--   edition post_id url state day source key
--   article_id: Number of the row in this database; it is not the same after a rebuild.
--   title plain_title text published_at modified_at number author language categories tags first_captured_at
--   last_captured_at captures text_sha256 same_sha256 layout
--   version_id: Number of the row in this database; it is not the same after a rebuild.
create view latest_versions as
select a.edition, a.post_id, a.url, v.title, v.plain_title, v.text, v.published_at, v.modified_at, v.number,
       a.state, a.day, v.author, v.language, v.categories, v.tags, v.first_captured_at, v.last_captured_at,
       v.captures, v.text_sha256, v.same_sha256, v.layout, a.source, a.key, a.article_id, v.version_id
from articles a join versions v on v.article_id = a.article_id and v.version_id = a.newest_version_id;

-- All versions: Every version of every article, with its post id.
--   edition post_id
--   article_id: Number of the row in this database; it is not the same after a rebuild.
--   number title text published_at modified_at first_captured_at last_captured_at captures text_sha256 layout
--   extractor
--   version_id: Number of the row in this database; it is not the same after a rebuild.
create view version_history as
select a.edition, a.post_id, v.number, v.title, v.text, v.published_at, v.modified_at, v.first_captured_at,
       v.last_captured_at, v.captures, v.text_sha256, v.layout, v.extractor, a.article_id, v.version_id
from versions v join articles a using (article_id)
where v.version_id not in (select version_id from retracted_versions);

-- Edits: Each change of title or text, with the versions before and after. Retracted changes are left out.
--   seq: Number of the change in the feed.
--   edition post_id severity classes figures stealth stale_copy said_at unchanged_until
--   title_before: Title before.
--   title_after: Title after.
--   text_before: Text before.
--   text_after: Text after.
--   number_before: Number of the version before.
--   number_after: Number of the version after.
--   same_as_version
--   article_id: Number of the row in this database; it is not the same after a rebuild.
create view edits as
select c.seq, (select edition from articles a where a.article_id = c.article_id) as edition,
       (select post_id from articles a where a.article_id = c.article_id) as post_id,
       c.severity, c.classes, c.figures, c.stealth, c.stale_copy, c.said_at, c.unchanged_until,
       (select title from versions v where v.version_id = c.previous_version_id) as title_before,
       (select title from versions v where v.version_id = c.version_id) as title_after,
       (select text from versions v where v.version_id = c.previous_version_id) as text_before,
       (select text from versions v where v.version_id = c.version_id) as text_after,
       (select number from versions v where v.version_id = c.previous_version_id) as number_before,
       (select number from versions v where v.version_id = c.version_id) as number_after,
       (select number from versions v where v.version_id = c.same_as_version_id) as same_as_version,
       c.article_id
from valid_changes c
where c.kind = 'updated';

-- Figure changes: Each number that an edit changed, added or removed. Retracted changes are left out.
--   source key edition post_id said_at
--   before: The number before, as written; empty: it was added.
--   after: The number after, as written; empty: it was removed.
--   sentence_before: Its sentence before; empty: it was added.
--   sentence_after: Its sentence after; empty: it was removed.
--   stealth
--   citation: What to write down when citing the version after the edit; it never moves.
--   previous: Citation of the version before.
--   seq: Number of the change in the feed.
--   place: Place of the figure in its change, from 0.
--   article_id: Number of the row in this database; it is not the same after a rebuild.
--   version_id
create view figure_changes as
select a.source, a.key, a.edition, a.post_id, c.said_at,
       f.value ->> 'before' as before, f.value ->> 'after' as after,
       f.value ->> 'sentence_before' as sentence_before, f.value ->> 'sentence_after' as sentence_after,
       c.stealth, 'sohr:' || a.source || ':' || a.key || '@' || v.cited_at as citation,
       'sohr:' || a.source || ':' || a.key || '@' || p.cited_at as previous,
       c.seq, f.key as place, c.article_id, c.version_id
from changes c join articles a using (article_id) join versions v on v.version_id = c.version_id
     join versions p on p.version_id = c.previous_version_id join json_each(c.figures) f
where c.kind = 'updated' and c.severity = 3 and c.figures != '[]'
      and not exists (select 1 from changes r where r.retracts = c.seq);

-- Figures, with their sentences: Each figure of each version with its sentence, the line above that heads it,
-- and its citation. Retracted versions are left out.
--   source key edition post_id number published_at
--   at: When the site published the post, else when it was first captured.
--   line start end written value value_to approx unit unit_start unit_end since place
--   sentence: The sentence it stands in.
--   heading: The line above that heads it; empty: there is none.
--   series: Figures share it whose edition, heading and masked sentence agree.
--   is_latest: 1: of the newest version of its article.
--   citation version_id
--   article_id: Number of the row in this database; it is not the same after a rebuild.
create view figure_rows as
select a.source, a.key, a.edition, a.post_id, v.number, v.published_at,
       coalesce(v.published_at, a.first_captured_at) as at, f.line, f.start, f.end, f.written,
       f.value, f.value_to, f.approx, f.unit, f.unit_start, f.unit_end, f.since, f.place,
       substr(case f.line when 0 then v.title else v.text end, f.sentence_start + 1,
              f.sentence_end - f.sentence_start) as sentence,
       substr(v.text, f.heading_start + 1, f.heading_end - f.heading_start) as heading,
       printf('%016x', f.series) as series, v.version_id = a.newest_version_id as is_latest,
       'sohr:' || a.source || ':' || a.key || '@' || v.cited_at as citation,
       f.version_id, a.article_id
from figures f join versions v using (version_id) join articles a using (article_id)
where f.version_id not in (select version_id from retracted_versions);

-- Series of figures: The points of each series: figures of one edition whose heading and sentence agree but for
-- their counts, in at least two posts. Columns as in `figure_rows`.
--   source key edition post_id number published_at
--   at: When the site published the post, else when it was first captured.
--   line start end written value value_to approx unit unit_start unit_end since place
--   sentence: The sentence it stands in.
--   heading: The line above that heads it; empty: there is none.
--   series: Figures share it whose edition, heading and masked sentence agree.
--   is_latest: 1: of the newest version of its article.
--   citation version_id
--   article_id: Number of the row in this database; it is not the same after a rebuild.
create view series_points as
select r.* from series s join figures f on f.series = s.series
     join figure_rows r on r.version_id = f.version_id and r.line = f.line and r.start = f.start;

-- Gone: Articles that are not where they were: missing, disappeared, moved or withheld. Who did it, and why,
-- cannot be known from here.
--   edition post_id url state missing_since missing_looks
--   last_captured_at: When it was last captured.
--   article_id: Number of the row in this database; it is not the same after a rebuild.
--   title: Title it was last read with.
create view gone as
select a.edition, a.post_id, a.url, v.title, a.state, a.missing_since, a.missing_looks, a.last_captured_at,
       a.article_id
from articles a left join versions v on v.version_id = a.newest_version_id
where a.state in ($gone_states);

-- Disappeared: Those of them that were missing at several looks over days.
--   edition post_id url state missing_since missing_looks
--   last_captured_at: When it was last captured.
--   article_id: Number of the row in this database; it is not the same after a rebuild.
--   title: Title it was last read with.
create view disappeared as
select * from gone where state = 'disappeared';

-- Restored: Articles that were gone and came back, once for each time.
--   edition post_id url
--   state: What it is now.
--   state_before: What it was before it came back.
--   gone_at: When it was last found gone before.
--   restored_at: When it was found again.
--   seq: Number of the change in the feed.
--   article_id: Number of the row in this database; it is not the same after a rebuild.
--   title: Title it was last read with.
create view restored as
select a.edition, a.post_id, a.url, v.title, a.state, c.details ->> '$.state[0]' as state_before,
       (select max(g.said_at) from changes g where g.article_id = c.article_id and g.seq < c.seq
        and (g.kind in ($gone_states) or g.details ->> '$.state[1]' in ($gone_states))) as gone_at,
       c.said_at as restored_at, c.seq, a.article_id
from valid_changes c join articles a using (article_id)
     left join versions v on v.version_id = a.newest_version_id
where c.kind = 'restored';

-- Crawl health: How each run went.
--   name kind started_at finished_at finish_reason exit_status verdict
--   requests: Requests made.
--   new: Articles captured for the first time.
--   changed: Articles with a new version.
--   unchanged: Articles that said the same as before.
--   gone: Articles found missing, moved or withheld.
--   failed: Requests without an answer, and pages that could not be read.
--   cross_check: Posts of which trafilatura reads a very different text (one in a hundred is checked).
create view crawl_health as
select name, kind, started_at, finished_at, finish_reason, exit_status, verdict,
       json_extract(counters, '$.requests') as requests, json_extract(counters, '$.new') as new,
       json_extract(counters, '$.changed') as changed, json_extract(counters, '$.unchanged') as unchanged,
       json_extract(counters, '$.gone') as gone, json_extract(counters, '$.failed') as failed,
       (select count(*) from failures f where f.crawl_id = crawls.crawl_id and reason = 'cross_check')
           as cross_check
from crawls;

-- Coverage: By edition and day of the site: how many posts were sighted, and how many of them are captured.
--   edition day
--   sighted: Posts known of that day.
--   captured: Of these, captured.
--   uncaptured: Of these, still to be captured.
--   listed_whole: 1: the listing of that day was walked whole, so that no post of it should be unknown.
--   is_copied: 1: all that is captured of that day came from public archives or files; other posts may be
--     unknown.
create view coverage as
select c.edition, c.day, c.sighted, c.captured, c.sighted - c.captured as uncaptured,
       exists (select 1 from coverage_days d where d.edition = c.edition and d.day = c.day)
       or exists (select 1 from stretches s where s.edition = c.edition and s.merged_into is null
                  and c.day < coalesce(substr(s.head_seen_at, 1, 10), s.newest_day)
                  and (s.reached_end or c.day > s.tail_day)) as listed_whole,
       -- `case`, since SQLite evaluates both sides of `and`
       case when c.captured > 0 and exists (select 1 from captures where source != 'live')
           then not exists (select 1 from articles a join captures using (article_id)
                            where a.edition = c.edition and a.day = c.day and captures.source = 'live')
           else 0 end as is_copied
from day_counts c
where c.edition != '' and c.day != '' and c.sighted > 0;

-- Coverage by channel: For each edition, day and channel: how many posts it showed, and how many it alone
-- showed.
--   edition day
--   channel: home, date, category, feed, rest, sitemap or sweep.
--   sighted: Posts it showed.
--   alone: Posts that it alone showed.
create view channel_coverage as
with shown as (select distinct article_id, channel from sightings),
     times as (select article_id, count(*) as channels from shown group by article_id)
select a.edition, a.day, s.channel, count(*) as sighted, sum(t.channels = 1) as alone
from shown s join times t using (article_id) join articles a using (article_id)
where a.edition is not null
group by a.edition, a.day, s.channel;

-- Evidence and reported changes stay as they are

create trigger changes_not_updated before update on changes
begin select raise(abort, 'changes are append-only'); end;
create trigger changes_not_deleted before delete on changes
begin select raise(abort, 'changes are append-only'); end;
create trigger captures_not_updated
before update of url, status, captured_at, recorded_at, payload_sha256, warc_file_id, offset, length,
    record_id, original_id, source, service_url on captures
begin select raise(abort, 'captures are append-only'); end;
create trigger captures_not_deleted before delete on captures
begin select raise(abort, 'captures are append-only'); end;
create trigger versions_not_deleted before delete on versions
begin select raise(abort, 'versions are append-only'); end;

-- Two versions of one second, as two imported files may hold, have two citations
create trigger versions_cited after insert on versions begin
    update versions set cited_at = new.first_captured_at || case when exists (select 1 from versions e
            where e.article_id = new.article_id and e.version_id != new.version_id
            and e.first_captured_at = new.first_captured_at)
        then '~' || substr(lower(hex(new.same_digest)), 1, 8) else '' end
        where version_id = new.version_id;
end;
create trigger versions_cited_again after update of first_captured_at on versions
when old.first_captured_at != new.first_captured_at begin
    update versions set cited_at = new.first_captured_at || case when exists (select 1 from versions e
            where e.article_id = new.article_id and e.version_id != new.version_id
            and e.first_captured_at = new.first_captured_at)
        then '~' || substr(lower(hex(new.same_digest)), 1, 8) else '' end
        where version_id = new.version_id;
end;

-- Counts that pages read instead of counting a million rows. A trigger first makes the row if it is missing:
-- its `on conflict` would give way to that of the statement that fired it

create trigger articles_counted after insert on articles begin
    insert into day_counts select coalesce(new.edition, ''), coalesce(new.day, ''), 0, 0, 0, 0, 0, 0
        where not exists (select 1 from day_counts
            where edition = coalesce(new.edition, '') and day = coalesce(new.day, ''));
    update day_counts set sighted = sighted + 1, captured = captured + (new.state is not null),
        gone = gone + (coalesce(new.state, '') in ($gone_states)), versions = versions + new.versions,
        texts = texts + (new.newest_version_id is not null),
        live_texts = live_texts + (new.newest_version_id is not null and new.state is 'live')
        where edition = coalesce(new.edition, '') and day = coalesce(new.day, '');
end;
create trigger articles_uncounted after delete on articles begin
    update day_counts set sighted = sighted - 1, captured = captured - (old.state is not null),
        gone = gone - (coalesce(old.state, '') in ($gone_states)), versions = versions - old.versions,
        texts = texts - (old.newest_version_id is not null),
        live_texts = live_texts - (old.newest_version_id is not null and old.state is 'live')
        where edition = coalesce(old.edition, '') and day = coalesce(old.day, '');
end;
create trigger articles_counted_again after update of edition, day, state, versions, newest_version_id on articles
when old.edition is not new.edition or old.day is not new.day or old.state is not new.state
    or old.versions != new.versions or (old.newest_version_id is null) != (new.newest_version_id is null)
begin
    update day_counts set sighted = sighted - 1, captured = captured - (old.state is not null),
        gone = gone - (coalesce(old.state, '') in ($gone_states)), versions = versions - old.versions,
        texts = texts - (old.newest_version_id is not null),
        live_texts = live_texts - (old.newest_version_id is not null and old.state is 'live')
        where edition = coalesce(old.edition, '') and day = coalesce(old.day, '');
    insert into day_counts select coalesce(new.edition, ''), coalesce(new.day, ''), 0, 0, 0, 0, 0, 0
        where not exists (select 1 from day_counts
            where edition = coalesce(new.edition, '') and day = coalesce(new.day, ''));
    update day_counts set sighted = sighted + 1, captured = captured + (new.state is not null),
        gone = gone + (coalesce(new.state, '') in ($gone_states)), versions = versions + new.versions,
        texts = texts + (new.newest_version_id is not null),
        live_texts = live_texts + (new.newest_version_id is not null and new.state is 'live')
        where edition = coalesce(new.edition, '') and day = coalesce(new.day, '');
end;
create trigger edits_counted after insert on changes when new.kind = 'updated' begin
    insert into edit_counts
        select substr(new.said_at, 1, 7), coalesce(json_extract(new.classes, '$[0]'), ''), 0
        where not exists (select 1 from edit_counts where month = substr(new.said_at, 1, 7)
            and class = coalesce(json_extract(new.classes, '$[0]'), ''));
    update edit_counts set edits = edits + 1 where month = substr(new.said_at, 1, 7)
        and class = coalesce(json_extract(new.classes, '$[0]'), '');
end;
create trigger edits_uncounted after insert on changes when new.kind = 'retracted' begin
    update edit_counts set edits = edits - 1 where (month, class) =
        (select substr(c.said_at, 1, 7), coalesce(json_extract(c.classes, '$[0]'), '')
         from changes c where c.seq = new.retracts and c.kind = 'updated');
end;
