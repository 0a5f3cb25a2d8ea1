"""The columns of an export of versions: names, types, sentences. The one source of the Parquet schema, the
data package and docs/dictionary.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["string", "integer", "boolean", "datetime", "date", "strings", "objects", "object"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: every record of every format has it, in this order. ``parts``: the fields of its objects,
    with their types."""

    name: str
    type: Type
    about: str
    is_nullable: bool = False
    parts: tuple[tuple[str, Type], ...] = ()


_UTC = "UTC"
COLUMNS = (
    Column("source", "string", "Where the article is from: en, ar, or the host of another site."),
    Column(
        "key",
        "string",
        "What names the article there: the post id, or the canonical address on another site.",
    ),
    Column(
        "edition",
        "string",
        "Edition of the site: en (English) or ar (Arabic); null for a page of another site.",
        True,
    ),
    Column(
        "post_id",
        "integer",
        "WordPress's number of the post in its edition; null for a page of another site.",
        True,
    ),
    Column("url", "string", "The address the archive asks for."),
    Column(
        "state",
        "string",
        "Of the article when this was written: live, missing, disappeared, moved, protected, empty, unreadable.",
        True,
    ),
    Column("day", "date", "The day the site files the article under, by its own calendar.", True),
    Column(
        "number",
        "integer",
        "Place among the versions of the article, from 1. For display: it moves when older history is imported.",
    ),
    Column("is_latest", "boolean", "Whether this is what the article said last."),
    Column("title", "string", "Title, as the site wrote it; empty where the post has none."),
    Column("plain_title", "string", "Title without marks put inside words."),
    Column(
        "title_spans",
        "objects",
        "The words restored in plain_title: plain_title[start:end] stands for title[original_start:original_end]; in characters.",
        parts=(
            ("start", "integer"),
            ("end", "integer"),
            ("original_start", "integer"),
            ("original_end", "integer"),
        ),
    ),
    Column(
        "text",
        "string",
        "Text as the site wrote it, one line a paragraph, list entry, heading or table row (cells parted by a tab).",
    ),
    Column(
        "lines",
        "objects",
        "The lines of the text: kind (paragraph, list, heading, row, quote, caption), depth (of a list entry, or a heading's level; else 0), and "
        "where they stand, text[start:end], in characters.",
        parts=(
            ("text", "string"),
            ("kind", "string"),
            ("depth", "integer"),
            ("start", "integer"),
            ("end", "integer"),
        ),
    ),
    Column("text_sha256", "string", "SHA-256 of the text, in UTF-8."),
    Column("published_at", "datetime", "When the site says it published the post (UTC).", True),
    Column("modified_at", "datetime", "When the site says it last modified the post (UTC).", True),
    Column("author", "string", "Author, as stated.", True),
    Column("language", "string", "Language, as stated by the page.", True),
    Column("canonical_url", "string", "Address the page gives as its own.", True),
    Column("categories", "strings", "Categories, as stated."),
    Column("tags", "strings", "Tags, as stated."),
    Column(
        "links",
        "objects",
        "Links out of the text: address and anchor text.",
        parts=(("url", "string"), ("text", "string")),
    ),
    Column("images", "strings", "Addresses of the images in the article."),
    Column("source_outlet", "string", "Of a republished press article, the outlet.", True),
    Column("source_url", "string", "Of a republished press article, its address there.", True),
    Column("is_syndicated", "boolean", "Whether it is a press article of another outlet, republished."),
    Column("notes", "strings", "Disclaimers and the like, cut from the edges of the text by rule."),
    Column(
        "claims",
        "objects",
        "What the page states about itself, and where on the page.",
        parts=(("field", "string"), ("value", "string"), ("origin", "string")),
    ),
    Column(
        "first_captured_at", "datetime", "When the site first said this, as far as the archive saw (UTC)."
    ),
    Column("last_captured_at", "datetime", "When the site last said this, as far as the archive saw (UTC)."),
    Column(
        "recorded_at",
        "datetime",
        "When the archive learnt it: later than first_captured_at for imports (UTC).",
    ),
    Column("captures", "integer", "How many captures said this."),
    Column("layout", "string", "The layout of the site it was read by."),
    Column("extractor", "string", "Release of the extractor that read it."),
    Column("citation", "string", "What to write down when citing this version; it never moves."),
    Column(
        "evidence",
        "object",
        "Where the record of the first capture lies: WARC file, offset and length in bytes, WARC-Record-ID.",
        parts=(
            ("warc_file", "string"),
            ("offset", "integer"),
            ("length", "integer"),
            ("record_id", "string"),
        ),
    ),
)
