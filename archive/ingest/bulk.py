"""Which outcomes of looks are too many at once to be believed: of a day, of a crawl, in a row, or of all the
newest posts of an edition."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from archive.clock import format_time, parse_time
from archive.ingest.pending import ANNOUNCED, MISSING, MOVED, TEXTLESS, UPDATED, WITHHELD
from archive.model import EDITIONS
from archive.store.connection import Row
from archive.store.rows import Store
from archive.thresholds import BULK_CRAWL, BULK_FEW, BULK_SHARE

WINDOW = timedelta(days=1)  # whose looks are judged together
ALL = ""  # all editions together
OLDER = "older"  # edits that show an older copy: of a site that was set back they are its text
STATES = {
    MISSING: ("missing", "disappeared"),
    MOVED: ("moved",),
    WITHHELD: ("withheld",),
    TEXTLESS: ("protected", "empty"),
}
_GONE = {MISSING, MOVED, WITHHELD, TEXTLESS}  # kinds that one crawl alone may show to be bulk
_NEWEST = 200  # posts of an edition that may show that the site was set back


def find_bulk(counts: Mapping[str, int], looks: int, share: float = BULK_SHARE.value) -> set[str]:
    """The kinds of outcome that are too many to be believed at once. ``looks`` are all looks of the time."""
    return {kind for kind, n in counts.items() if n >= BULK_FEW.value and n >= looks * share}


def find_all_bulk(
    store: Store, started_at: str, at: str, believed: Mapping[str, Counter[str]]
) -> set[tuple[str, str]]:
    """Places (an edition, or all) and kinds of outcome that are too many. ``believed`` are proven."""
    bulk: set[tuple[str, str]] = set()
    day = format_time(parse_time(at) - WINDOW)
    runs = ((since, BULK_CRAWL) for since in (started_at, *_starts_of_runs(store, day)))
    for since, share in ((day, BULK_SHARE), *runs):
        for place, (counts, looks) in _count(store, since).items():
            counts.subtract(believed.get(place, Counter()))
            found = find_bulk(counts, looks, share.value)
            bulk |= {(place, kind) for kind in (found if share is BULK_SHARE else found & _GONE)}
    for edition in EDITIONS:
        gone = _count_newest_gone(store, edition, at) - believed.get(edition, Counter())[MISSING]
        if gone >= BULK_FEW.value:
            bulk |= {(edition, MISSING), (edition, OLDER)}
    return bulk


def places(row: Row) -> set[str]:
    """Where an outcome counts: in its edition, for one edition may break alone, and ("") in all together."""
    return {ALL, row["edition"] or ALL}


def _count_newest_gone(store: Store, edition: str, at: str) -> int:
    """How many of the newest posts are gone, down to the first older one that is there: a site that was
    restored from a backup lacks all that came after it, one that was imported anew has other posts instead.

    A post that nobody looked at since says nothing, nor does a new one, which the other site has.
    """
    day = format_time(parse_time(at) - WINDOW)
    rows = store.query(
        """select a.first_captured_at, a.last_captured_at,
           coalesce(min(c.captured_at), iif(a.state = 'missing', a.missing_since, null)) as gone_at,
           (select f.crawl_id from captures f where f.article_id = a.article_id
            order by f.captured_at limit 1) as crawl_id from (
               select * from articles where edition = ? and newest_version_id is not null
               order by post_id desc limit ?) a
           left join pending_outcomes p on p.article_id = a.article_id and p.kind = 'missing'
           left join captures c on c.capture_id = p.capture_id
           where a.state = 'live' or (a.state = 'missing' and a.missing_since >= ?)
           group by a.article_id order by a.post_id desc""",
        edition,
        _NEWEST,
        day,
    )
    gone = [row for row in rows if row["gone_at"]]
    if len(gone) < BULK_FEW.value:
        return 0
    begun = min(row["gone_at"] for row in gone)
    [(since,)] = store.query("select coalesce(max(started_at), ?1) from crawls where started_at <= ?1", begun)
    day = format_time(parse_time(since) - WINDOW)
    last_crawl = max(row["crawl_id"] or 0 for row in gone)
    number = 0
    for row in rows:
        is_new = row["first_captured_at"] >= day and (row["crawl_id"] or 0) > last_crawl
        if row["gone_at"]:
            number += 1
        elif row["last_captured_at"] >= since and not is_new:
            break
    return number


def _starts_of_runs(store: Store, since: str) -> Iterable[str]:
    """For each kind, when so many posts as may be bulk began to be found gone: where all looks since then say
    the same, the site is in trouble, however well it answered in the morning."""
    rows = store.query(
        """select kind, article_id, max(at) as at from (
               select p.kind, p.article_id, captured_at as at from pending_outcomes p
               join captures using (capture_id) where captured_at >= ?1 and p.kind != 'updated'
               union all select kind, article_id, said_at from changes c
               where said_at >= ?1 and kind in ('missing', 'moved')
               and not exists (select 1 from changes r where r.retracts = c.seq)
           ) group by 1, 2 order by at desc""",
        since,
    )
    times: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        times[row["kind"]].append(row["at"])
    return {found[BULK_FEW.value - 1] for found in times.values() if len(found) >= BULK_FEW.value}


def _count(store: Store, since: str) -> dict[str, tuple[Counter[str], int]]:
    """Of the looks since an instant, by edition and of all together: how many changed an article, by kind,
    and how many there were."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    looks: Counter[str] = Counter()
    for row in store.query(
        f"""select edition, p.kind, count(distinct p.article_id) as n,
           count(distinct iif(c.reason = 'modified', p.article_id, null)) as shown from pending_outcomes p
           join captures c using (capture_id) join articles a on a.article_id = p.article_id
           left join versions b on b.version_id = a.newest_version_id
           where captured_at >= ? and not (p.kind = 'updated' and {ANNOUNCED.format(p="c")})
           and json_extract(p.details, '$.is_stale') is null group by 1, 2""",
        since,
    ):
        for place in places(row):
            counts[place][row["kind"]] += row["n"]
            looks[place] += row["shown"]
    for row in store.query(
        f"""select edition, c.kind, json_extract(c.details, '$.state[1]') as state, count(*) as n,
           sum(c.kind = 'updated' and coalesce(p.reason, '') = 'modified') as shown
           from changes c join captures p using (capture_id) join articles a on a.article_id = c.article_id
           left join versions b on b.version_id = c.previous_version_id
           where c.said_at >= ? and p.channel = 'article'
           and c.kind in ('updated', 'missing', 'moved', 'metadata')
           and not (c.kind = 'updated' and (c.stale_copy or {ANNOUNCED.format(p="p")}))
           and not exists (select 1 from changes r where r.retracts = c.seq) group by 1, 2, 3""",
        since,
    ):
        states = (kind for kind, states in STATES.items() if row["state"] in states)
        kind = UPDATED if row["kind"] == "updated" else next(states, None)
        if kind is None:
            continue
        for place in places(row):
            counts[place][kind] += row["n"]
            # Looks that found a post gone that was not gone before; further ones say nothing of the site
            looks[place] += row["n"] * (kind in (MISSING, MOVED, WITHHELD)) + row["shown"]
    for row in store.query(
        """select edition, count(distinct c.crawl_id || ' ' || c.article_id) as n  -- asked twice is one look
           from captures c join articles a using (article_id) where c.captured_at >= ?1
           and c.channel = 'article' and a.edition is not null and coalesce(c.reason, '') != 'modified'
           and (c.outcome in ('unchanged', 'changed', 'not_modified', 'held')
                or c.outcome in ('protected', 'empty') and a.first_captured_at < c.captured_at) group by 1
           union all select edition, count(*) from digests join articles using (article_id)
           where looked_at >= ?1 group by 1""",
        since,
    ):
        for place in places(row):
            looks[place] += row["n"]
    return {place: (counts[place], looks[place]) for place in list(counts)}
