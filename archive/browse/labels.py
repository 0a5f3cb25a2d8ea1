"""Words that the pages show for the codes in the tables."""

from __future__ import annotations

from archive.store.fields import VERSION_FIELDS

EDITIONS = {"en": "English", "ar": "Arabic"}
SEVERITIES = ("nothing of substance", "wording", "text", "figures")
SEVERITY_SENTENCES = (
    "Nothing a reader would see changed.",
    "The wording of a sentence without figures changed.",
    "Text without figures was added, removed or reordered, or the headline changed.",
    "A figure or its sentence changed.",
)
CLASSES = {
    "figures": "a figure changed",
    "title": "headline changed",
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
    "missing": "missing",
    "disappeared": "disappeared",
    "restored": "restored",
    "moved": "moved",
    "backfilled": "older history found",
    "reparsed": "read again by another release",
    "retracted": "an earlier change is withdrawn",
}
STATES = {
    None: "sighted, not captured yet",
    "live": "on the site at the last look",
    "missing": "not found at the last look",
    "disappeared": "not found at several looks over days",
    "moved": "its address leads to another article",
    "withheld": "withheld for legal reasons (451)",
    "protected": "behind a password",
    "empty": "without text",
    "unreadable": "captured, but no layout can read it",
}
STATED = {of.name: of.label for of in VERSION_FIELDS if of.label} | {
    "post_id": "Post id",
    "day": "Day",
    "edition": "Edition",
    "category": "Category",
    "tag": "Tag",
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
        return "The site does not give a modified time for both versions, so the archive cannot say whether it is a silent edit."
    return (
        "Silent edit: the site did not change its own modified time."
        if stealth
        else "The site changed its own modified time."
    )
