"""The tables: forward-only migrations by sqlite-utils. All times are UTC text ``2026-01-02T00:00:00Z``, all
days ``2026-01-02``.

Rows that are evidence, or were told to somebody, are append-only by trigger: a wrong one cannot be mended in
silence.
"""

from __future__ import annotations

import json

from sqlite_utils import Database, Migrations

from archive.model import Claim
from archive.store import counts
from archive.store.claim_sets import pack
from archive.store.line_kinds import decode_kinds, encode_kinds

migrations = Migrations("sohr_archive")

_TABLES = """
create table about (
    key text primary key,
    value text not null
) strict;

create table crawls (
    crawl_id integer primary key,
    name text not null unique,
    kind text not null check (kind in ('crawl', 'import', 'rebuild')),
    started_at text not null,
    finished_at text,
    finish_reason text,
    exit_status integer,
    verdict text,
    arguments text not null default '{}',
    software text not null default '{}',
    counters text not null default '{}'
) strict;

create table warc_files (
    warc_file_id integer primary key,
    serial integer not null unique,
    name text not null unique,
    opened_at text not null,
    closed_at text,
    size integer,
    sha256 text
) strict;

create table articles (
    article_id integer primary key,
    source text not null,
    key text not null,
    edition text check (edition in ('en', 'ar')),
    post_id integer,
    url text not null,
    state text check (state in ('live', 'missing', 'disappeared', 'moved', 'protected', 'empty', 'unreadable')),
    day text,
    moved_to integer references articles(article_id),
    first_sighted_at text not null,
    first_captured_at text,
    last_captured_at text,
    newest_version_id integer references versions(version_id),
    versions integer not null default 0,
    next_look_at text,
    unchanged_looks integer not null default 0,
    missing_looks integer not null default 0,
    missing_since text,
    stretch_id integer references stretches(stretch_id),
    unique (source, key)
) strict;

create table captures (
    capture_id integer primary key,
    crawl_id integer references crawls(crawl_id),
    article_id integer references articles(article_id),
    url text not null,
    requested_url text,
    status integer not null,
    captured_at text not null,
    recorded_at text not null,
    via text,
    channel text,
    reason text,
    outcome text not null,
    content_type text,
    etag text,
    last_modified text,
    location text,
    retry_after text,
    payload_sha256 text not null,
    size integer not null,
    truncated text,
    warc_file_id integer not null references warc_files(warc_file_id),
    offset integer not null,
    length integer not null,
    record_id text not null unique,
    look text,
    layout text,
    unique (warc_file_id, offset)
) strict;

create table aliases (
    alias_id integer primary key,
    url text not null unique,
    article_id integer references articles(article_id),
    first_seen_at text not null
) strict;

create table sightings (
    sighting_id integer primary key,
    article_id integer not null references articles(article_id),
    channel text not null,
    claims text not null,
    first_seen_at text not null,
    last_seen_at text not null,
    times integer not null default 1,
    unique (article_id, channel, claims)
) strict;

create table versions (
    version_id integer primary key,
    article_id integer not null references articles(article_id),
    number integer not null,
    title text not null,
    plain_title text not null,
    text text not null,
    lines text not null,
    text_sha256 text not null,
    same_sha256 text not null,
    published_at text,
    modified_at text,
    author text,
    language text,
    canonical_url text,
    categories text not null default '[]',
    tags text not null default '[]',
    links text not null default '[]',
    images text not null default '[]',
    source_outlet text,
    source_url text,
    is_syndicated integer not null default 0,
    notes text not null default '[]',
    claims text not null default '[]',
    layout text not null,
    extractor text not null,
    first_capture_id integer not null references captures(capture_id),
    last_capture_id integer not null references captures(capture_id),
    first_captured_at text not null,
    last_captured_at text not null,
    captures integer not null default 1,
    unique (article_id, number)
) strict;

create table parts (
    capture_id integer primary key references captures(capture_id),
    look text not null,
    page integer not null,
    pages integer not null,
    extract text not null,
    unique (look, page)
) strict;

create table terms (
    term_id integer primary key,
    taxonomy text not null check (taxonomy in ('category', 'tag')),
    name text not null,
    unique (taxonomy, name)
) strict;

create table article_terms (
    article_id integer not null references articles(article_id),
    term_id integer not null references terms(term_id),
    primary key (article_id, term_id)
) strict, without rowid;

create table links (
    link_id integer primary key,
    article_id integer not null references articles(article_id),
    position integer not null,
    url text not null,
    text text not null,
    target_id integer references articles(article_id),
    unique (article_id, position)
) strict;

create table changes (
    seq integer primary key,
    epoch integer not null,
    article_id integer not null references articles(article_id),
    version_id integer references versions(version_id),
    previous_version_id integer references versions(version_id),
    capture_id integer references captures(capture_id),
    kind text not null check (kind in
        ('created', 'updated', 'metadata', 'missing', 'disappeared', 'restored', 'moved', 'backfilled', 'reparsed')),
    classes text not null default '[]',
    severity integer not null default 0 check (severity between 0 and 3),
    figures text not null default '[]',
    details text not null default '{}',
    stealth integer check (stealth in (0, 1)),
    said_at text not null,
    learnt_at text not null
) strict;

create table failures (
    failure_id integer primary key,
    capture_id integer references captures(capture_id),
    crawl_id integer references crawls(crawl_id),
    article_id integer references articles(article_id),
    url text not null,
    reason text not null,
    detail text not null default '',
    at text not null
) strict;

create table stretches (
    stretch_id integer primary key,
    edition text not null check (edition in ('en', 'ar')),
    merged_into integer references stretches(stretch_id),
    head_seen_at text,
    newest_day text,
    tail_day text,
    tail_article_id integer references articles(article_id),
    reached_end integer not null default 0
) strict;

create table listing_pages (
    capture_id integer primary key references captures(capture_id),
    crawl_id integer references crawls(crawl_id),
    edition text not null,
    scope text not null,
    page integer not null,
    entries integer not null,
    new_entries integer not null,
    is_end integer not null,
    stretch_id integer references stretches(stretch_id),
    last_article_id integer references articles(article_id)
) strict;

create table coverage_days (
    edition text not null,
    day text not null,
    complete_at text not null,
    primary key (edition, day)
) strict, without rowid;

create index captures_article on captures(article_id, captured_at);
create index captures_url on captures(url);
create index captures_outcome on captures(outcome) where outcome in ('quarantined', 'layout', 'listing_unread', 'mismatch', 'hostile', 'broken');
create index captures_at on captures(captured_at);
create index captures_retry_after on captures(capture_id) where retry_after is not null;
create index captures_look on captures(look) where look is not null;
create index captures_crawl on captures(crawl_id);
create index articles_edition_day on articles(edition, day);
create index articles_day on articles(day);
create index articles_next_look on articles(next_look_at) where next_look_at is not null;
create index articles_unheld on articles(edition, article_id) where state is null;
create index articles_stretch on articles(stretch_id);
create index aliases_article on aliases(article_id);
create index aliases_unresolved on aliases(alias_id) where article_id is null;
create index versions_published on versions(published_at);
create index changes_article on changes(article_id);
create index changes_kind on changes(kind, seq);
create index article_terms_term on article_terms(term_id);
create index links_target on links(target_id);
create index failures_reason on failures(reason, at);
create index listing_pages_scope on listing_pages(crawl_id, edition, scope, page);

create virtual table search using fts5(title, text, content='', tokenize='unicode61 remove_diacritics 0');
"""

_VIEWS = """
create view latest_versions as
select a.edition, a.post_id, a.url, v.title, v.plain_title, v.text, v.published_at, v.modified_at, v.number, a.state, a.day, v.author,
       v.language, v.categories, v.tags, v.first_captured_at, v.last_captured_at, v.captures, v.text_sha256, v.same_sha256, v.layout,
       a.source, a.key, a.article_id, v.version_id
from articles a join versions v on v.article_id = a.article_id and v.version_id = a.newest_version_id;

create view version_history as
select a.edition, a.post_id, v.number, v.title, v.text, v.published_at, v.modified_at, v.first_captured_at, v.last_captured_at, v.captures,
       v.text_sha256, v.layout, v.extractor, a.article_id, v.version_id
from versions v join articles a using (article_id);

create view edits as
select c.seq, a.edition, a.post_id, c.severity, c.classes, c.figures, c.stealth, c.said_at, o.title as title_before, n.title as title_after,
       o.text as text_before, n.text as text_after, o.number as number_before, n.number as number_after, a.article_id
from changes c join articles a using (article_id) join versions n on n.version_id = c.version_id
     join versions o on o.version_id = c.previous_version_id
where c.kind = 'updated';

create view disappeared as
select a.edition, a.post_id, a.url, v.title, a.state, a.missing_since, a.missing_looks, a.last_captured_at, a.article_id
from articles a left join versions v on v.version_id = a.newest_version_id
where a.state in ('missing', 'disappeared', 'moved');

create view crawl_health as
select name, kind, started_at, finished_at, finish_reason, exit_status, verdict, json_extract(counters, '$.requests') as requests,
       json_extract(counters, '$.new') as new, json_extract(counters, '$.changed') as changed,
       json_extract(counters, '$.unchanged') as unchanged, json_extract(counters, '$.gone') as gone,
       json_extract(counters, '$.failed') as failed
from crawls;

create view coverage as
select a.edition, a.day, count(*) as sighted, sum(a.state is not null) as held, sum(a.state is null) as missing,
       exists (select 1 from coverage_days d where d.edition = a.edition and d.day = a.day)
       or exists (select 1 from stretches s where s.edition = a.edition and s.merged_into is null
                  and a.day < coalesce(substr(s.head_seen_at, 1, 10), s.newest_day) and (s.reached_end or a.day > s.tail_day)) as listed_whole
from articles a
where a.edition is not null and a.day is not null
group by a.edition, a.day;
"""

_TRIGGERS = """
create trigger changes_are_told_once before update on changes begin select raise(abort, 'changes are append-only'); end;
create trigger changes_are_kept before delete on changes begin select raise(abort, 'changes are append-only'); end;
create trigger captures_are_kept before delete on captures begin select raise(abort, 'captures are append-only'); end;
create trigger captures_are_evidence before update of url, status, captured_at, recorded_at, payload_sha256, warc_file_id, offset, length, record_id
    on captures begin select raise(abort, 'captures are append-only'); end;
create trigger versions_are_kept before delete on versions begin select raise(abort, 'versions are append-only'); end;
"""


def _run(db: Database, script: str) -> None:
    """Run statement by statement, inside the migration's transaction (`executescript` would commit it)."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if line.rstrip().endswith(";") and (
            not statement.lstrip().startswith("create trigger") or line.rstrip().endswith("end;")
        ):
            db.execute(statement)
            statement = ""


@migrations()
def m001_tables(db: Database) -> None:
    """Tables, indexes, search, views and the triggers that keep evidence as it was."""
    for script in (_TABLES, _VIEWS, _TRIGGERS):
        _run(db, script)


@migrations()
def m002_summaries(db: Database) -> None:
    """Sums that the reading pages show, and indexes for what they ask."""
    for script in (counts.TABLES, counts.TRIGGERS):
        _run(db, script)


_REVISITS = """
alter table captures add column original_id integer references captures(capture_id);
create index captures_original on captures(payload_sha256) where original_id is null and size >= 1024 and truncated is null;
create index captures_repeated on captures(original_id) where original_id is not null;
create trigger captures_repeat_one before update of original_id on captures begin select raise(abort, 'captures are append-only'); end;
"""


@migrations()
def m003_revisits(db: Database) -> None:
    """Which response a capture repeats, and the index to find one to repeat."""
    _run(db, _REVISITS)


_CROSS_CHECK = """
drop view crawl_health;
create view crawl_health as
select name, kind, started_at, finished_at, finish_reason, exit_status, verdict, json_extract(counters, '$.requests') as requests,
       json_extract(counters, '$.new') as new, json_extract(counters, '$.changed') as changed,
       json_extract(counters, '$.unchanged') as unchanged, json_extract(counters, '$.gone') as gone,
       json_extract(counters, '$.failed') as failed,
       (select count(*) from failures where failures.crawl_id = crawls.crawl_id and reason = 'cross_check') as cross_check
from crawls;
create index failures_cross_check on failures(crawl_id) where reason = 'cross_check';
"""


@migrations()
def m004_cross_check(db: Database) -> None:
    """How many posts of a crawl another reader read very differently."""
    _run(db, _CROSS_CHECK)


_CHANNELS = """
create table channels (
    edition text not null check (edition in ('en', 'ar')),
    channel text not null,
    scope text not null,
    url text,
    asked_at text,
    status integer,
    is_open integer not null default 1 check (is_open in (0, 1)),
    detail text not null default '',
    failed integer not null default 0,
    total integer,
    newest_at text,
    pending_at text,
    next_page integer,
    whole_at text,
    primary key (edition, channel, scope)
) strict, without rowid;

create table digests (
    article_id integer not null references articles(article_id),
    channel text not null,
    digest text,
    modified_at text,
    first_seen_at text not null,
    first_capture_id integer not null references captures(capture_id),
    last_seen_at text not null,
    changes integer not null default 0,
    looks integer not null default 0,
    looked_at text,
    absent_since text,
    absence_told integer not null default 0 check (absence_told in (0, 1)),
    primary key (article_id, channel)
) strict, without rowid;

create index digests_absent on digests(article_id) where absent_since is not null;
"""


@migrations()
def m005_channels(db: Database) -> None:
    """What the site's channels offer, and what each last showed of an article."""
    _run(db, _CHANNELS)


_PLANS = """
create table swept_ids (
    edition text not null check (edition in ('en', 'ar')),
    post_id integer not null,
    asked_at text not null,
    primary key (edition, post_id)
) strict, without rowid;

create table promotions (
    article_id integer primary key references articles(article_id),
    at text not null
) strict;

create index digests_changed on digests(first_seen_at) where changes > 0;

create view channel_coverage as
with shown as (select distinct article_id, channel from sightings),
     times as (select article_id, count(*) as channels from shown group by article_id)
select a.edition, a.day, s.channel, count(*) as sighted, sum(t.channels = 1) as alone
from shown s join times t using (article_id) join articles a using (article_id)
where a.edition is not null
group by a.edition, a.day, s.channel;
"""


@migrations()
def m006_plans(db: Database) -> None:
    """What a plan must know besides: ids without a post, looks brought forward, changes whose page did not
    come; and who alone showed what."""
    _run(db, _PLANS)


_COMPACT = """
create table claim_sets (
    claim_set_id integer primary key,
    claims text not null unique
) strict;
alter table versions add column claim_set_id integer references claim_sets(claim_set_id);
alter table versions add column restored_title text;
alter table versions add column text_digest blob;
alter table versions add column same_digest blob;
"""
_COMPACTED = """
drop view latest_versions;
drop view version_history;
drop view channel_coverage;
alter table versions drop column claims;
alter table versions drop column plain_title;
alter table versions drop column text_sha256;
alter table versions drop column same_sha256;
alter table versions add column plain_title text generated always as (coalesce(restored_title, title)) virtual;
alter table versions add column text_sha256 text generated always as (lower(hex(text_digest))) virtual;
alter table versions add column same_sha256 text generated always as (lower(hex(same_digest))) virtual;

alter table sightings rename to sightings_before;
create table sightings (
    sighting_id integer primary key,
    article_id integer not null references articles(article_id),
    channel text not null,
    claims text not null,
    first_seen_at text not null,
    last_seen_at text not null,
    times integer not null default 1
) strict;
insert into sightings select * from sightings_before;
drop table sightings_before;
create index sightings_article on sightings(article_id, channel);
"""


@migrations()
def m007_compact(db: Database) -> None:
    """What rows said twice, once: claims that repeat a column, plain headlines, kinds of lines; digests in
    bytes. Columns that go are made again."""
    _run(db, _COMPACT)
    for row in db.query("select v.*, a.post_id from versions v join articles a using (article_id)"):
        packed = pack((Claim(*claim) for claim in json.loads(row["claims"])), row, row["post_id"])
        db.execute("insert into claim_sets (claims) values (?) on conflict do nothing", (packed,))
        db.execute(
            """update versions set claim_set_id = (select claim_set_id from claim_sets where claims = ?), lines = ?,
               restored_title = nullif(plain_title, title), text_digest = ?, same_digest = ? where version_id = ?""",
            (
                packed,
                encode_kinds(decode_kinds(row["lines"])),
                *map(bytes.fromhex, (row["text_sha256"], row["same_sha256"])),
                row["version_id"],
            ),
        )
    _run(db, _COMPACTED)
    for name, script in (
        ("latest_versions", _VIEWS),
        ("version_history", _VIEWS),
        ("channel_coverage", _PLANS),
    ):
        _run(db, script[script.index(f"create view {name}") :].partition(";")[0] + ";")


def schema_names() -> list[str]:
    """The migrations this release knows, in order."""
    return [m.name for m in migrations.pending(Database(memory=True))]
