"""The two rows that travel between packages, as types: the type checker sees each column that is read.

At run time they are dicts of all columns of their table. A test compares them with the schema.
"""

from __future__ import annotations

from typing import TypedDict

from archive.model import Edition


class ArticleRow(TypedDict):
    """A row of `articles`."""

    article_id: int
    source: str
    key: str
    edition: Edition | None
    post_id: int | None
    url: str
    state: str | None
    day: str | None
    moved_to: int | None
    first_sighted_at: str
    first_captured_at: str | None
    last_captured_at: str | None
    newest_version_id: int | None
    versions: int
    next_look_at: str | None
    unchanged_looks: int
    missing_looks: int
    missing_since: str | None
    stretch_id: int | None


class VersionRow(TypedDict):
    """A row of `versions`: the columns that code names; others are read by `fields.PAGE_FIELDS`."""

    version_id: int
    article_id: int
    number: int
    title: str
    plain_title: str
    text: str
    lines: str
    text_sha256: str
    same_sha256: str
    published_at: str | None
    modified_at: str | None
    layout: str
    extractor: str
    first_capture_id: int
    last_capture_id: int
    first_captured_at: str
    last_captured_at: str
    captures: int
    cited_at: str
