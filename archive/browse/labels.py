"""What the pages say in words for what the tables hold as codes."""

from __future__ import annotations

EDITIONS = {"en": "English", "ar": "Arabic"}
SEVERITIES = ("nothing of substance", "wording", "text", "figures")
SEVERITY_SENTENCES = (
    "Nothing a reader would see changed.",
    "The wording or the typography of a sentence without figures changed.",
    "Text without figures came, went or moved, or the headline was reworded.",
    "A figure changed, or a sentence that holds one.",
)
CLASSES = {
    "figures": "a figure changed",
    "title": "headline reworded",
    "text_added": "text added",
    "text_removed": "text removed",
    "rewording": "reworded",
    "order": "order of sentences",
    "obfuscation": "marks inside words",
}
KINDS = {
    "created": "first captured",
    "updated": "edited",
    "metadata": "other claims changed",
    "missing": "not found",
    "disappeared": "disappeared",
    "restored": "back again",
    "moved": "moved",
    "backfilled": "older history found",
    "reparsed": "read again by another release",
    "retracted": "an earlier change taken back",
}
STATES = {
    None: "sighted, not captured yet",
    "live": "on the site at the last look",
    "missing": "not found at the last look",
    "disappeared": "not found at several looks over days",
    "moved": "its address leads elsewhere",
    "withheld": "withheld for legal reasons (451)",
    "protected": "behind a password",
    "empty": "without text",
    "unreadable": "captured, and no known layout reads it",
}
STATED = {
    "title": "Title",
    "published_at": "Published",
    "modified_at": "Modified",
    "author": "Author",
    "language": "Language",
    "canonical_url": "Own address",
    "post_id": "Post id",
    "day": "Day",
    "edition": "Edition",
    "category": "Category",
    "tag": "Tag",
    "source_outlet": "Republished from",
    "source_url": "Address there",
}


def day(at: str | None) -> str:
    """A time as its day."""
    return (at or "")[:10]


def moment(at: str | None) -> str:
    """A time for people: 2025-03-01 10:00."""
    return (at or "")[:16].replace("T", " ")


def silence(stealth: int | None) -> str:
    """What the site's own modified time says about an edit."""
    if stealth is None:
        return "The site states no modified time for both versions, so whether it owned up to the edit cannot be told."
    return (
        "The site did not move its own modified time: a silent edit."
        if stealth
        else "The site moved its own modified time."
    )
