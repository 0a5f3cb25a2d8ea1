"""Sums that pages read instead of counting: triggers keep them with every row that is written, so that they
are as fresh as the rows themselves.

Of a million versions, counting them for the front page took a second and more; reading the sums takes a
millisecond. The view `edits` is made anew without joins, which Datasette would go through to count its rows.
"""

from __future__ import annotations

TABLES = """
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

create index articles_post on articles(edition, post_id);
create index articles_gone on articles(missing_since) where state in ('missing', 'disappeared', 'moved');
create index articles_odd on articles(state, article_id) where state != 'live';
create index articles_changed on articles(article_id) where versions > 1;
create index changes_severity on changes(severity, seq) where kind = 'updated';
create index changes_silent on changes(article_id, seq) where stealth = 1;
create index changes_silent_seq on changes(seq) where stealth = 1;
create index changes_version on changes(version_id);
create index changes_previous_version on changes(previous_version_id);
create index changes_capture on changes(capture_id);
create index versions_first_capture on versions(first_capture_id);
create index versions_last_capture on versions(last_capture_id);

insert into day_counts
select coalesce(edition, ''), coalesce(day, ''), count(*), count(state), count(*) filter (where state in ('missing', 'disappeared')), sum(versions)
from articles group by 1, 2;

insert into edit_counts
select substr(said_at, 1, 7), coalesce(json_extract(classes, '$[0]'), ''), count(*) from changes where kind = 'updated' group by 1, 2;

drop view coverage;

create view coverage as
select c.edition, c.day, c.sighted, c.held, c.sighted - c.held as missing,
       exists (select 1 from coverage_days d where d.edition = c.edition and d.day = c.day)
       or exists (select 1 from stretches s where s.edition = c.edition and s.merged_into is null
                  and c.day < coalesce(substr(s.head_seen_at, 1, 10), s.newest_day) and (s.reached_end or c.day > s.tail_day)) as listed_whole
from day_counts c
where c.edition != '' and c.day != '' and c.sighted > 0;

drop view edits;

create view edits as
select c.seq, (select edition from articles a where a.article_id = c.article_id) as edition,
       (select post_id from articles a where a.article_id = c.article_id) as post_id, c.severity, c.classes, c.figures, c.stealth, c.said_at,
       (select title from versions v where v.version_id = c.previous_version_id) as title_before,
       (select title from versions v where v.version_id = c.version_id) as title_after,
       (select text from versions v where v.version_id = c.previous_version_id) as text_before,
       (select text from versions v where v.version_id = c.version_id) as text_after,
       (select number from versions v where v.version_id = c.previous_version_id) as number_before,
       (select number from versions v where v.version_id = c.version_id) as number_after, c.article_id
from changes c
where c.kind = 'updated';
"""

# The row is made where there is none, then counted up: `on conflict` in a trigger would give way to that of
# the statement that fired it.
_ADD = """
    insert into day_counts select coalesce(new.edition, ''), coalesce(new.day, ''), 0, 0, 0, 0 where not exists
        (select 1 from day_counts where edition = coalesce(new.edition, '') and day = coalesce(new.day, ''));
    update day_counts set sighted = sighted + 1, held = held + (new.state is not null),
        gone = gone + (coalesce(new.state, '') in ('missing', 'disappeared')), versions = versions + new.versions
        where edition = coalesce(new.edition, '') and day = coalesce(new.day, '');"""
_TAKE = """
    update day_counts set sighted = sighted - 1, held = held - (old.state is not null),
        gone = gone - (coalesce(old.state, '') in ('missing', 'disappeared')), versions = versions - old.versions
        where edition = coalesce(old.edition, '') and day = coalesce(old.day, '');"""

TRIGGERS = f"""
create trigger articles_counted after insert on articles begin{_ADD}
end;
create trigger articles_counted_anew after update of edition, day, state, versions on articles
when old.edition is not new.edition or old.day is not new.day or old.state is not new.state or old.versions != new.versions begin{_TAKE}{_ADD}
end;
create trigger articles_uncounted after delete on articles begin{_TAKE}
end;
create trigger edits_counted after insert on changes when new.kind = 'updated' begin
    insert into edit_counts select substr(new.said_at, 1, 7), coalesce(json_extract(new.classes, '$[0]'), ''), 0 where not exists
        (select 1 from edit_counts where month = substr(new.said_at, 1, 7) and class = coalesce(json_extract(new.classes, '$[0]'), ''));
    update edit_counts set edits = edits + 1
        where month = substr(new.said_at, 1, 7) and class = coalesce(json_extract(new.classes, '$[0]'), '');
end;
"""
