"""What each table, view and column of an archive's database is, in a sentence, for Datasette and
docs/dictionary.md. The sentences stand in schema.sql, beside what they describe.

``-- Title: What it is.`` stands above a table. A column's comment stands above its line or at its end. The
columns of a view follow its description: ``--   name: Sentence.``, or names alone. A column without a
sentence has that of schema.sql's first list, or of `VERSION_FIELDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.store.fields import VERSION_FIELDS, VersionField
from archive.store.schema import read_script

TITLE = "SOHR archive"
ABOUT = (
    "What the site of the Syrian Observatory for Human Rights said, and when that changed. Times are UTC; an "
    "empty field was not stated by the site."
)


@dataclass(frozen=True, slots=True)
class Described:
    """A table or a view: its words, the sentence of each column, and how Datasette lists it."""

    title: str
    description: str
    columns: Mapping[str, str]
    listed: Mapping[str, Any] = field(default_factory=dict)  # in Datasette's own keys

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


_SEARCHED = {"fts_table": "search", "fts_pk": "article_id"}
_LISTED: dict[str, dict[str, Any]] = {
    "articles": {"facets": ["edition", "state"], "label_column": "url", "sort_desc": "day"} | _SEARCHED,
    "versions": {"label_column": "title", "sort_desc": "published_at"},
    "changes": {"facets": ["kind", "severity"], "sort_desc": "seq"},
    "captures": {"facets": ["outcome", "channel"], "label_column": "captured_at", "sort_desc": "capture_id"},
    "index_pages": {"facets": ["service"], "sort_desc": "asked_at"},
    "listed_captures": {"facets": ["service", "answer"], "sort": "at"},
    "aliases": {"label_column": "url"},
    "claim_sets": {},
    "sightings": {"facets": ["channel"], "sort_desc": "sighting_id"},
    "crawls": {"facets": ["kind", "verdict"], "label_column": "name", "sort_desc": "crawl_id"},
    "warc_files": {"label_column": "name", "sort_desc": "serial"},
    "failures": {"facets": ["reason"], "sort_desc": "failure_id"},
    "terms": {"facets": ["taxonomy"], "label_column": "name"},
    "article_terms": {"facets": ["term_id"]},
    "links": {"label_column": "url"},
    "about": {},
    "stretches": {"facets": ["edition"], "sort_desc": "stretch_id"},
    "listing_pages": {"facets": ["edition", "scope"], "sort_desc": "capture_id"},
    "channels": {"facets": ["edition", "channel", "is_open"], "sort_desc": "asked_at"},
    "digests": {"facets": ["channel"], "sort_desc": "last_seen_at"},
    "swept_ids": {"sort_desc": "asked_at"},
    "promotions": {"sort_desc": "at", "hidden": True},
    "coverage_days": {"sort_desc": "day"},
    "day_counts": {"facets": ["edition"], "sort_desc": "day", "hidden": True},
    "figures": {"facets": ["unit", "place"]},
    "series": {"sort_desc": "points"},
    "edit_counts": {"sort_desc": "month", "hidden": True},
    "noise_counts": {"sort_desc": "day", "hidden": True},
    "pending_outcomes": {"hidden": True},
    "parts": {"hidden": True},
    "search": {"hidden": True},
    "retracted_versions": {"hidden": True},
    "valid_changes": {"facets": ["kind", "severity"], "sort_desc": "seq", "hidden": True},
    "latest_versions": {"facets": ["edition", "state"], "sort_desc": "published_at"} | _SEARCHED,
    "version_history": {"facets": ["edition"], "sort_desc": "version_id"},
    "edits": {"facets": ["edition", "severity", "stealth", {"array": "classes"}], "sort_desc": "seq"}
    | _SEARCHED,
    "figure_changes": {"facets": ["edition", "stealth"], "sort_desc": "seq"},
    "figure_rows": {"facets": ["edition", "unit", "place", "approx"]},
    "series_points": {"facets": ["edition"]},
    "gone": {"facets": ["edition", "state"], "sort_desc": "missing_since"} | _SEARCHED,
    "disappeared": {"facets": ["edition"], "sort_desc": "missing_since"} | _SEARCHED,
    "restored": {"facets": ["edition"], "sort_desc": "seq"} | _SEARCHED,
    "crawl_health": {"facets": ["kind", "verdict"], "sort_desc": "started_at"},
    "channel_coverage": {"facets": ["edition", "channel"]},
    "coverage": {"facets": ["edition"], "sort_desc": "day"},
}
_TABLE = re.compile(
    r"((?:^-- .*\n)+)^create (?:virtual )?(?:table|view) (\w+)(.*\n(?:^    .*\n)*)", re.MULTILINE
)
_NO_COLUMN = {"unique", "primary", "check", "foreign"}


def _read_list(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Names with their sentences, from ``--   name: Sentence.``; names alone have an empty one."""
    text = re.sub(r"\n--     +", " ", "\n".join(lines))  # a sentence goes on
    for line in text.splitlines():
        names, _, sentence = line.removeprefix("--   ").partition(": ")
        yield from ((name, sentence) for name in names.split())


def _read_body(body: str) -> Iterator[tuple[str, str]]:
    """The columns of a table with their comments."""
    said = ""
    for line in body.splitlines()[1:]:
        code, _, comment = line.strip().partition("-- ")
        said = f"{said} {comment}".strip()
        name = code.partition(" ")[0]
        if name and name not in _NO_COLUMN:
            yield name, said
        said = "" if name else said


def _describe(of: VersionField) -> str:
    form = " (JSON array)" if of.is_list else " (1 or 0)" if of.type == "boolean" else ""
    return of.about.removesuffix(".").replace(" null ", " empty ") + form + "."


def _read_tables() -> dict[str, Described]:
    script = read_script()
    shared = {of.name: _describe(of) for of in VERSION_FIELDS}
    shared |= dict(_read_list(script.split("\n\n")[1].splitlines()[1:]))
    found: dict[str, Described] = {}
    for comment, name, body in _TABLE.findall(script):
        lines = comment.splitlines()
        above = [line for line in lines if not line.startswith("--   ")]
        title, _, description = " ".join(line[3:] for line in above).partition(": ")
        listed = _read_list(lines[len(above) :]) if len(lines) > len(above) else _read_body(body)
        columns = {column: sentence or shared[column] for column, sentence in listed}
        found[name] = Described(title, description, columns, _LISTED[name])
    return {name: found[name] for name in _LISTED}


TABLES = _read_tables()
