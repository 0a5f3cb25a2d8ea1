"""The fields of a version and of a change: their names, types, sentences and what a public copy hides.

The columns of `versions`, the records of exports and feed, their schemas, docs/dictionary.md, the labels of
the pages and the redaction of a public copy follow from these tables. To add a field that the page states:
add a line here, the attribute to `archive.model.Stated`, and set it in `archive.extract`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from archive.model import CHANGE_KINDS, CLASSES, EDITIONS, STATES

Type = Literal["string", "integer", "number", "boolean", "datetime", "date", "strings", "objects", "object"]


class Origin(Enum):
    """Where the value of a version's field comes from."""

    ARTICLE = "the row of its article"
    PAGE = "an attribute of `Stated`, kept in a column of `versions` of the same name"
    COLUMN = "another column of `versions`, or of the rows beside it"
    MADE = "made from columns when it is read"


class Redaction(Enum):
    """What a public copy does with a field of a version that somebody asked to hide."""

    KEEP = "kept"
    EMPTY = "emptied"
    NOTE = "replaced by a note"
    FOLLOWS = "made from fields that are hidden"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: every record has it, in the order of its table.

    ``parts``: the fields of its objects, with their types. ``limits``: more keywords of its JSON schema.
    """

    name: str
    type: Type
    about: str
    is_nullable: bool = field(default=False, kw_only=True)
    parts: tuple[tuple[str, Type], ...] = field(default=(), kw_only=True)
    nullable_parts: tuple[str, ...] = field(default=(), kw_only=True)
    limits: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def is_list(self) -> bool:
        """Whether it holds several values; a column keeps these as JSON."""
        return self.type in ("strings", "objects")


@dataclass(frozen=True, slots=True)
class VersionField(Field):
    """A field of a version. ``redact`` has no default: forgetting it would publish what should be hidden."""

    origin: Origin = field(kw_only=True)
    redact: Redaction = field(kw_only=True)
    is_metadata: bool = field(default=False, kw_only=True)  # a new value makes a `metadata` change
    is_in_feed: bool = field(default=False, kw_only=True)
    label: str | None = field(default=None, kw_only=True)  # on pages
    label_ar: str | None = field(default=None, kw_only=True)  # on Arabic pages

    @property
    def empty(self) -> Any:
        """The value where the page states nothing."""
        return [] if self.is_list else False if self.type == "boolean" else None

    def pack(self, value: Any) -> Any:
        """A value as its column keeps it."""
        if self.is_list:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return int(value) if self.type == "boolean" else value

    def unpack(self, value: Any) -> Any:
        """The value that `pack` was given, with lists for tuples."""
        if self.is_list and isinstance(value, str):
            return [] if value == "[]" else json.loads(value)  # mostly empty, and parsing is slow
        return bool(value) if self.type == "boolean" else value

    def record(self, value: Any) -> Any:
        """A column's value as a record has it: objects with names, ready for JSON."""
        found = self.unpack(value)
        if not self.parts:
            return found
        names = [name for name, _ in self.parts]
        return [dict(zip(names, entry, strict=True)) for entry in found]


ARTICLE, PAGE, COLUMN, MADE = Origin.ARTICLE, Origin.PAGE, Origin.COLUMN, Origin.MADE
KEEP, EMPTY, NOTE, FOLLOWS = Redaction.KEEP, Redaction.EMPTY, Redaction.NOTE, Redaction.FOLLOWS
_DIGEST = {"pattern": "^[0-9a-f]{64}$"}
_FROM_ONE = {"minimum": 1}

VERSION_FIELDS = (
    VersionField(
        "source", "string", "Where the article is from: en, ar, or the host of another site.",
        origin=ARTICLE, redact=KEEP,
    ),
    VersionField(
        "key", "string",
        "What names the article there: the post id, or the canonical address on another site.",
        origin=ARTICLE, redact=KEEP,
    ),
    VersionField(
        "edition", "string",
        "Edition of the site: en (English) or ar (Arabic); null for a page of another site.",
        origin=ARTICLE, redact=KEEP, is_nullable=True, limits={"enum": EDITIONS},
    ),
    VersionField(
        "post_id", "integer",
        "WordPress's number of the post in its edition; null for a page of another site.",
        origin=ARTICLE, redact=KEEP, is_nullable=True,
    ),
    VersionField("url", "string", "The address the archive asks for.", origin=ARTICLE, redact=FOLLOWS),
    VersionField(
        "state", "string", f"Of the article when this was written: {', '.join(STATES)}.",
        origin=ARTICLE, redact=KEEP, is_nullable=True,
    ),
    VersionField(
        "day", "date", "The day the site files the article under, by its own calendar.",
        origin=ARTICLE, redact=KEEP, is_nullable=True,
    ),
    VersionField(
        "number", "integer",
        "Place among the versions of the article, from 1. It changes when older history is imported.",
        origin=COLUMN, redact=KEEP,
    ),
    VersionField(
        "is_latest", "boolean", "Whether this is what the article said last.", origin=MADE, redact=KEEP,
    ),
    VersionField(
        "title", "string", "Title, as the site wrote it; empty where the post has none.",
        origin=COLUMN, redact=NOTE, is_in_feed=True,
        label="Title", label_ar="العنوان",
    ),
    VersionField(
        "plain_title", "string", "Title without marks put inside words.", origin=COLUMN, redact=FOLLOWS,
    ),
    VersionField(
        "title_spans", "objects",
        "The words restored in plain_title: plain_title[start:end] stands for "
        "title[original_start:original_end]; in characters.",
        origin=MADE, redact=FOLLOWS,
        parts=(
            ("start", "integer"), ("end", "integer"),
            ("original_start", "integer"), ("original_end", "integer"),
        ),
    ),
    VersionField(
        "text", "string",
        "Text as the site wrote it: one line a paragraph, list entry, heading or table row (tab-separated).",
        origin=COLUMN, redact=NOTE, is_in_feed=True,
    ),
    VersionField(
        "lines", "objects",
        "The lines of the text: kind (paragraph, list, heading, row, quote, caption), depth (of a list entry "
        "or heading, else 0), and place, text[start:end], in characters.",
        origin=MADE, redact=NOTE,
        parts=(
            ("text", "string"), ("kind", "string"), ("depth", "integer"),
            ("start", "integer"), ("end", "integer"),
        ),
    ),
    VersionField(
        "text_sha256", "string", "SHA-256 of the text, in UTF-8.",
        origin=COLUMN, redact=FOLLOWS, is_in_feed=True, limits=_DIGEST,
    ),
    VersionField(
        "published_at", "datetime", "When the site says it published the post (UTC).",
        origin=PAGE, redact=KEEP, is_nullable=True, is_metadata=True, is_in_feed=True,
        label="Published", label_ar="تاريخ النشر",
    ),
    VersionField(
        "modified_at", "datetime", "When the site says it last modified the post (UTC).",
        origin=PAGE, redact=KEEP, is_nullable=True, is_metadata=True, is_in_feed=True,
        label="Modified", label_ar="آخر تعديل",
    ),
    VersionField(
        "author", "string", "Author, as stated.",
        origin=PAGE, redact=EMPTY, is_nullable=True, is_metadata=True, is_in_feed=True,
        label="Author", label_ar="الكاتب",
    ),
    VersionField(
        "language", "string", "Language, as stated by the page.",
        origin=PAGE, redact=KEEP, is_nullable=True, is_metadata=True, is_in_feed=True,
        label="Language", label_ar="اللغة",
    ),
    VersionField(
        "canonical_url", "string", "Address the page gives as its own.",
        origin=PAGE, redact=EMPTY, is_nullable=True, is_metadata=True,
        label="Own address", label_ar="عنوان الصفحة كما تذكره",
    ),
    VersionField(
        "deck", "string", "The line below the headline, as stated.",
        origin=PAGE, redact=EMPTY, is_nullable=True, is_metadata=True,
        label="Deck", label_ar="العنوان الفرعي",
    ),
    VersionField(
        "categories", "strings", "Categories, as stated.",
        origin=PAGE, redact=EMPTY, is_metadata=True, is_in_feed=True,
        label="Categories", label_ar="التصنيفات",
    ),
    VersionField(
        "tags", "strings", "Tags, as stated.",
        origin=PAGE, redact=EMPTY, is_metadata=True, is_in_feed=True,
        label="Tags", label_ar="الوسوم",
    ),
    VersionField(
        "links", "objects", "Links out of the text: address and anchor text.",
        origin=PAGE, redact=EMPTY, is_metadata=True, parts=(("url", "string"), ("text", "string")),
    ),
    VersionField(
        "images", "strings", "Addresses of the images in the article.",
        origin=PAGE, redact=EMPTY, is_metadata=True,
    ),
    VersionField(
        "source_outlet", "string", "Of a republished press article, the outlet.",
        origin=PAGE, redact=EMPTY, is_nullable=True, is_metadata=True,
        label="Republished from", label_ar="نقلاً عن",
    ),
    VersionField(
        "source_url", "string", "Of a republished press article, its address there.",
        origin=PAGE, redact=EMPTY, is_nullable=True, is_metadata=True,
        label="Address there", label_ar="عنوان المصدر",
    ),
    VersionField(
        "is_syndicated", "boolean", "Whether it is a press article of another outlet, republished.",
        origin=PAGE, redact=KEEP,
    ),
    VersionField(
        "notes", "strings",
        "Lines that are not the text: disclaimers, sources, links to other posts between the paragraphs.",
        origin=PAGE, redact=EMPTY, is_metadata=True,
        label="Notes of the site", label_ar="ملاحظات الموقع",
    ),
    VersionField(
        "claims", "objects", "What the page states about itself, and where on the page.",
        origin=MADE, redact=EMPTY, parts=(("field", "string"), ("value", "string"), ("origin", "string")),
    ),
    VersionField(
        "first_captured_at", "datetime", "When the site first said this, as far as the archive saw (UTC).",
        origin=COLUMN, redact=KEEP,
    ),
    VersionField(
        "last_captured_at", "datetime", "When the site last said this, as far as the archive saw (UTC).",
        origin=COLUMN, redact=KEEP,
    ),
    VersionField(
        "recorded_at", "datetime",
        "When the archive learnt it: later than first_captured_at for imports (UTC).",
        origin=COLUMN, redact=KEEP,
    ),
    VersionField("captures", "integer", "How many captures said this.", origin=COLUMN, redact=KEEP),
    VersionField("layout", "string", "The layout of the site it was read by.", origin=COLUMN, redact=KEEP),
    VersionField("extractor", "string", "Release of the extractor that read it.", origin=COLUMN, redact=KEEP),
    VersionField(
        "stale_copy", "boolean", "Whether the answer that showed it first was an old copy from a cache.",
        origin=COLUMN, redact=KEEP,
    ),
    VersionField(
        "same_as_version", "integer",
        "Number of the first version with the same title and text; null where there is none before it.",
        origin=COLUMN, redact=KEEP, is_nullable=True, limits=_FROM_ONE,
    ),
    VersionField(
        "is_retracted", "boolean", "Whether the change that reported it proved wrong and was taken back.",
        origin=COLUMN, redact=KEEP,
    ),
    VersionField(
        "citation", "string", "What to write down when citing this version; it never moves.",
        origin=MADE, redact=KEEP,
    ),
    VersionField(
        "evidence", "object",
        "Where the record of the first capture lies: WARC file, offset and length in bytes, WARC-Record-ID; "
        "and its source: live (the site), import (a file), commoncrawl or wayback, with the address that was "
        "asked of that archive.",
        origin=MADE, redact=KEEP,
        parts=(
            ("warc_file", "string"), ("offset", "integer"), ("length", "integer"), ("record_id", "string"),
            ("source", "string"), ("service_url", "string"),
        ),
        nullable_parts=("service_url",),
    ),
)  # fmt: skip

PAGE_FIELDS = tuple(of for of in VERSION_FIELDS if of.origin is PAGE)
FEED_FIELDS = tuple(of for of in VERSION_FIELDS if of.is_in_feed)


def _plain(name: str) -> Field:
    """A field of a version in records of other things."""
    of = next(of for of in VERSION_FIELDS if of.name == name)
    return Field(of.name, of.type, of.about, is_nullable=of.is_nullable, limits=of.limits)


_NAMES = tuple(map(_plain, ("source", "key", "edition", "post_id")))
_STEALTH = Field(
    "stealth",
    "boolean",
    "true: the text changed and the site's own modified time did not; null: the site states none.",
    is_nullable=True,
)
CHANGE_FIELDS = (
    Field("seq", "integer", "Number in the feed, from 1, without a gap.", limits=_FROM_ONE),
    Field(
        "epoch", "integer", "The feed's epoch: lines of different epochs do not belong together.",
        limits=_FROM_ONE,
    ),
    Field("kind", "string", "What happened.", limits={"enum": CHANGE_KINDS}),
    Field(
        "retracts", "integer", "Of a retracted change: the seq of the change it takes back.",
        is_nullable=True, limits=_FROM_ONE,
    ),
    *_NAMES,
    _plain("url"),
    Field("state", "string", "Of the article, after this change.", is_nullable=True, limits={"enum": STATES}),
    Field("classes", "strings", "What changed.", limits={"items": {"enum": CLASSES}, "uniqueItems": True}),
    Field(
        "severity", "integer", "3: a figure, or the sentence around it, changed.",
        limits={"minimum": 0, "maximum": 3},
    ),
    Field(
        "figures", "objects",
        "The numbers that changed; null: the number or its sentence was not there.",
        parts=(
            ("before", "string"), ("after", "string"),
            ("sentence_before", "string"), ("sentence_after", "string"),
        ),
        nullable_parts=("before", "after", "sentence_before", "sentence_after"),
    ),
    _STEALTH,
    Field("stale_copy", "boolean", "true: the answer was an old copy from a cache."),
    _plain("same_as_version"),
    Field("details", "object", "More about it, by kind; of metadata {claim: [before, after]}."),
    Field("said_at", "datetime", "When the site said it."),
    Field(
        "unchanged_until", "datetime",
        "The last capture before it that showed what stood before: it happened between the two. "
        "Null: none did, or the kind is created, backfilled, reparsed or retracted.",
        is_nullable=True,
    ),
    Field("learnt_at", "datetime", "When the archive learnt it."),
    Field(
        "number", "integer", "Place of the version among those reported by then.",
        is_nullable=True, limits=_FROM_ONE,
    ),
    Field(
        "citation", "string", "Names the version for good; null: the change is of an article without text.",
        is_nullable=True,
    ),
    Field("previous", "string", "Citation of the version it followed.", is_nullable=True),
    *(
        Field(of.name, of.type, of.about, is_nullable=True, parts=of.parts, limits=of.limits)
        for of in FEED_FIELDS
    ),
)  # fmt: skip

FIGURE_CHANGE_FIELDS = (
    *_NAMES,
    Field("said_at", "datetime", "When the site said it."),
    Field("before", "string", "The number before, as written; null: it was added.", is_nullable=True),
    Field("after", "string", "The number after, as written; null: it was removed.", is_nullable=True),
    Field("sentence_before", "string", "Its sentence before; null: it was added.", is_nullable=True),
    Field("sentence_after", "string", "Its sentence after; null: it was removed.", is_nullable=True),
    _STEALTH,
    Field("citation", "string", "Names the version after the edit for good."),
    Field("previous", "string", "Citation of the version before."),
)  # fmt: skip

FIGURE_FIELDS = (
    *_NAMES,
    _plain("number"),
    Field("published_at", "datetime", "When the site says it published the post (UTC).", is_nullable=True),
    Field("at", "datetime", "When the site published the post, else when it was first captured (UTC)."),
    Field("line", "integer", "0: the title; else the line of the text, from 1."),
    Field("start", "integer", "Where it begins, in characters of the title or of the text."),
    Field("end", "integer", "Where it ends."),
    Field("written", "string", "The figure as written."),
    Field("value", "number", "Its value; of a range the lower one."),
    Field("value_to", "number", "The upper value of a range.", is_nullable=True),
    Field(
        "approx", "string", "at least, more than, nearly, about, up to, less than; null: not said.",
        is_nullable=True,
    ),
    Field(
        "unit", "string", "What it counts, from a closed list of nouns; null: no rule names it.",
        is_nullable=True,
    ),
    Field("unit_start", "integer", "Where the counted noun begins.", is_nullable=True),
    Field("unit_end", "integer", "Where the counted noun ends.", is_nullable=True),
    Field(
        "since", "string", "The date or year since which it counts, as written in its sentence or heading.",
        is_nullable=True,
    ),
    Field(
        "place", "string",
        "The governorate or desert in its sentence, else in its heading; null: none, or several.",
        is_nullable=True,
    ),
    Field("sentence", "string", "The sentence it stands in."),
    Field("heading", "string", "The line above that heads it.", is_nullable=True),
    Field("series", "string", "Figures share it whose edition, heading and masked sentence agree."),
    Field("is_latest", "boolean", "Whether it is of the newest version of its article."),
    Field("citation", "string", "Names the version for good."),
)  # fmt: skip
