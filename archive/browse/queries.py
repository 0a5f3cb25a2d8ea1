"""Stored queries: questions that people ask of an archive, with their words."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Query:
    """A stored query; ``:name`` in its SQL is asked of the reader."""

    name: str
    title: str
    description: str
    sql: str = field(repr=False)
    parameters: tuple[str, ...] = ()


QUERIES = (
    Query(
        "search_both",
        "Search both editions",
        "Posts in English and Arabic whose title or newest text has all the words of q, the most relevant "
        "first. Case, Arabic vowel signs, forms "
        "of letters and marks put inside words do not matter; put quotation marks around words that follow "
        "each other.",
        """select a.edition, a.post_id, v.title, v.published_at, a.state, a.versions, substr(v.text, 1, 300)
           as beginning
from search
     join articles a on a.article_id = search.rowid
     join versions v on v.version_id = a.newest_version_id
where search match coalesce(nullif(escape_fts(fold(:q)), ''), '""')
order by search.rank, v.published_at desc
limit 100""",
        ("q",),
    ),
    Query(
        "newest_versions",
        "Newest versions",
        "What the site said last, as far as the archive saw: new posts and new versions of old ones, the "
        "newest first.",
        """select a.edition, a.post_id, v.number, v.title, v.first_captured_at, v.published_at, v.modified_at
from versions v join articles a using (article_id)
order by v.version_id desc
limit 200""",
    ),
    Query(
        "figures_changed",
        "Figures changed",
        "Edits that changed, added or removed a figure.",
        """select c.seq, a.edition, a.post_id, n.title, c.figures, c.classes, c.stealth, c.said_at
from valid_changes c join articles a using (article_id) join versions n on n.version_id = c.version_id
where c.kind = 'updated' and c.severity = 3 and c.figures != '[]'
order by c.seq desc
limit 200""",
    ),
    Query(
        "silently_changed",
        "Silently changed",
        "Edits after which the site still states the time of modification it stated before.",
        """select c.seq, a.edition, a.post_id, n.title, c.severity, c.classes, c.figures, c.said_at,
           n.modified_at
from valid_changes c join articles a using (article_id) join versions n on n.version_id = c.version_id
where c.kind = 'updated' and c.stealth = 1
order by c.seq desc
limit 200""",
    ),
    Query(
        "posts_a_day",
        "Posts a day",
        "How many posts the archive knows of each day of the site, by edition.",
        """select day, sum(edition = 'en') as english, sum(edition = 'ar') as arabic, count(*) as both
from articles
where day is not null and edition is not null
group by day
order by day desc
limit 1000""",
    ),
)
