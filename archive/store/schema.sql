-- The tables, indexes, views and triggers of an archive's database. All times are UTC text
-- 2026-01-02T00:00:00Z, all days 2026-01-02. archive.store.schema fills in the words after a dollar sign.

create table about (
    key text primary key,
    value text not null
) strict;

create table crawls (
    crawl_id integer primary key,
    name text not null unique,
    kind text not null check (kind in ('crawl', 'import', 'backfill')),
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
    original_id integer references captures(capture_id),
    look text,
    layout text,
    source text not null default 'live' check (source in ($providers)),
    service_url text,
    furniture text,
    unique (warc_file_id, offset)
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

create table articles (
    article_id integer primary key,
    source text not null,
    key text not null,
    edition text check (edition in ('en', 'ar')),
    post_id integer,
    url text not null,
    state text check (state in ($states)),
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
    times integer not null default 1
) strict;

create table claim_sets (
    claim_set_id integer primary key,
    claims text not null unique
) strict;

create table versions (
    version_id integer primary key,
    article_id integer not null references articles(article_id),
    number integer not null,
    title text not null,
    restored_title text,
    plain_title text generated always as (coalesce(restored_title, title)) virtual,
    text_digest blob,
    text_sha256 text generated always as (lower(hex(text_digest))) virtual,
    same_digest blob,
    same_sha256 text generated always as (lower(hex(same_digest))) virtual,
    text text not null,
    lines text not null,
    $page_columns
    claim_set_id integer references claim_sets(claim_set_id),
    layout text not null,
    extractor text not null,
    first_capture_id integer not null references captures(capture_id),
    last_capture_id integer not null references captures(capture_id),
    first_captured_at text not null,
    last_captured_at text not null,
    captures integer not null default 1,
    unique (article_id, number)
) strict;

create table pending_outcomes (
    capture_id integer primary key references captures(capture_id),
    article_id integer not null references articles(article_id),
    kind text not null check (kind in ('missing', 'moved', 'withheld', 'textless', 'updated')),
    details text not null default '{}',
    held_at text
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
    same_as_version_id integer references versions(version_id),
    capture_id integer references captures(capture_id),
    kind text not null check (kind in ($change_kinds)),
    retracts integer references changes(seq) check ((retracts is null) = (kind != 'retracted')),
    classes text not null default '[]',
    severity integer not null default 0 check (severity between 0 and 3),
    figures text not null default '[]',
    details text not null default '{}',
    stealth integer check (stealth in (0, 1)),
    stale_copy integer not null default 0 check (stale_copy in (0, 1)),
    said_at text not null,
    learnt_at text not null
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

create table day_counts (
    edition text not null,
    day text not null,
    sighted integer not null,
    held integer not null,
    gone integer not null,
    versions integer not null,
    primary key (edition, day)
) strict, without rowid;

create table edit_counts (
    month text not null,
    class text not null,
    edits integer not null,
    primary key (month, class)
) strict, without rowid;

create table noise_counts (
    edition text not null check (edition in ('en', 'ar')),
    day text not null,
    kind text not null check (kind in ('stale_copy', 'new_address', 'furniture', 'bad_entry')),
    number integer not null,
    primary key (edition, day, kind)
) strict, without rowid;

create virtual table search using fts5(title, text, content='', tokenize='unicode61 remove_diacritics 0');

create index captures_article on captures(article_id, captured_at);
create index captures_url on captures(url);
create index pending_outcomes_article on pending_outcomes(article_id, kind);
create index pending_outcomes_waiting on pending_outcomes(kind) where held_at is null;
create index captures_outcome on captures(outcome)
    where outcome in ('quarantined', 'layout', 'listing_unread', 'mismatch', 'hostile', 'broken');
create index captures_at on captures(captured_at);
create index captures_retry_after on captures(capture_id) where retry_after is not null;
create index captures_look on captures(look) where look is not null;
create index captures_crawl on captures(crawl_id);
create index captures_original on captures(payload_sha256)
    where original_id is null and size >= 1024 and truncated is null;
create index captures_repeated on captures(original_id) where original_id is not null;
create index failures_reason on failures(reason, at);
create index failures_cross_check on failures(crawl_id) where reason = 'cross_check';
create index articles_edition_day on articles(edition, day);
create index articles_day on articles(day);
create index articles_post on articles(edition, post_id);
create index articles_next_look on articles(next_look_at) where next_look_at is not null;
create index articles_unheld on articles(edition, article_id) where state is null;
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
create index listing_pages_scope on listing_pages(crawl_id, edition, scope, page);
create index digests_absent on digests(article_id) where absent_since is not null;
create index digests_changed on digests(first_seen_at) where changes > 0;

-- Datasette counts the rows of a view by going through its joins, so `edits` and `coverage` join nothing

create view retracted_versions as
select c.version_id, c.seq, r.seq as retracted_by
from changes r cross join changes c on c.seq = r.retracts -- this order: the few retractions first
where r.kind = 'retracted' and c.kind in ('created', 'updated', 'backfilled') and c.version_id is not null;

create view valid_changes as
select * from changes c
where c.kind != 'retracted' and not exists (select 1 from changes r where r.retracts = c.seq);

create view latest_versions as
select a.edition, a.post_id, a.url, v.title, v.plain_title, v.text, v.published_at, v.modified_at, v.number,
       a.state, a.day, v.author, v.language, v.categories, v.tags, v.first_captured_at, v.last_captured_at,
       v.captures, v.text_sha256, v.same_sha256, v.layout, a.source, a.key, a.article_id, v.version_id
from articles a join versions v on v.article_id = a.article_id and v.version_id = a.newest_version_id;

create view version_history as
select a.edition, a.post_id, v.number, v.title, v.text, v.published_at, v.modified_at, v.first_captured_at,
       v.last_captured_at, v.captures, v.text_sha256, v.layout, v.extractor, a.article_id, v.version_id
from versions v join articles a using (article_id)
where v.version_id not in (select version_id from retracted_versions);

create view edits as
select c.seq, (select edition from articles a where a.article_id = c.article_id) as edition,
       (select post_id from articles a where a.article_id = c.article_id) as post_id,
       c.severity, c.classes, c.figures, c.stealth, c.stale_copy, c.said_at,
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

create view figure_changes as
select a.source, a.key, a.edition, a.post_id, c.said_at,
       f.value ->> 'before' as before, f.value ->> 'after' as after,
       f.value ->> 'sentence_before' as sentence_before, f.value ->> 'sentence_after' as sentence_after,
       c.stealth, 'sohr:' || a.source || ':' || a.key || '@' || v.first_captured_at as citation,
       'sohr:' || a.source || ':' || a.key || '@' || p.first_captured_at as previous,
       c.seq, f.key as place, c.article_id, c.version_id
from changes c join articles a using (article_id) join versions v on v.version_id = c.version_id
     join versions p on p.version_id = c.previous_version_id join json_each(c.figures) f
where c.kind = 'updated' and c.severity = 3 and c.figures != '[]'
      and not exists (select 1 from changes r where r.retracts = c.seq);

create view disappeared as
select a.edition, a.post_id, a.url, v.title, a.state, a.missing_since, a.missing_looks, a.last_captured_at,
       a.article_id
from articles a left join versions v on v.version_id = a.newest_version_id
where a.state in ($gone_states);

create view crawl_health as
select name, kind, started_at, finished_at, finish_reason, exit_status, verdict,
       json_extract(counters, '$.requests') as requests, json_extract(counters, '$.new') as new,
       json_extract(counters, '$.changed') as changed, json_extract(counters, '$.unchanged') as unchanged,
       json_extract(counters, '$.gone') as gone, json_extract(counters, '$.failed') as failed,
       (select count(*) from failures f where f.crawl_id = crawls.crawl_id and reason = 'cross_check')
           as cross_check
from crawls;

create view coverage as
select c.edition, c.day, c.sighted, c.held, c.sighted - c.held as missing,
       exists (select 1 from coverage_days d where d.edition = c.edition and d.day = c.day)
       or exists (select 1 from stretches s where s.edition = c.edition and s.merged_into is null
                  and c.day < coalesce(substr(s.head_seen_at, 1, 10), s.newest_day)
                  and (s.reached_end or c.day > s.tail_day)) as listed_whole
from day_counts c
where c.edition != '' and c.day != '' and c.sighted > 0;

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

-- Counts that pages read instead of counting a million rows. A trigger first makes the row if it is missing:
-- its `on conflict` would give way to that of the statement that fired it

create trigger articles_counted after insert on articles begin
    insert into day_counts select coalesce(new.edition, ''), coalesce(new.day, ''), 0, 0, 0, 0
        where not exists (select 1 from day_counts
            where edition = coalesce(new.edition, '') and day = coalesce(new.day, ''));
    update day_counts set sighted = sighted + 1, held = held + (new.state is not null),
        gone = gone + (coalesce(new.state, '') in ($gone_states)), versions = versions + new.versions
        where edition = coalesce(new.edition, '') and day = coalesce(new.day, '');
end;
create trigger articles_uncounted after delete on articles begin
    update day_counts set sighted = sighted - 1, held = held - (old.state is not null),
        gone = gone - (coalesce(old.state, '') in ($gone_states)), versions = versions - old.versions
        where edition = coalesce(old.edition, '') and day = coalesce(old.day, '');
end;
create trigger articles_counted_again after update of edition, day, state, versions on articles
when old.edition is not new.edition or old.day is not new.day or old.state is not new.state
    or old.versions != new.versions
begin
    update day_counts set sighted = sighted - 1, held = held - (old.state is not null),
        gone = gone - (coalesce(old.state, '') in ($gone_states)), versions = versions - old.versions
        where edition = coalesce(old.edition, '') and day = coalesce(old.day, '');
    insert into day_counts select coalesce(new.edition, ''), coalesce(new.day, ''), 0, 0, 0, 0
        where not exists (select 1 from day_counts
            where edition = coalesce(new.edition, '') and day = coalesce(new.day, ''));
    update day_counts set sighted = sighted + 1, held = held + (new.state is not null),
        gone = gone + (coalesce(new.state, '') in ($gone_states)), versions = versions + new.versions
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
