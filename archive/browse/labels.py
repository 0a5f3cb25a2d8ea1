"""Words that the pages show for the codes in the tables."""

from __future__ import annotations

from datetime import datetime

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
    "figures": "Figure changed",
    "title": "Headline changed",
    "text_added": "Text added",
    "text_removed": "Text removed",
    "rewording": "Reworded",
    "order": "Text reordered",
    "obfuscation": "Marks inside words",
    "same_addition": "A line that many posts got",
}
KINDS = {
    "created": "First captured",
    "updated": "Edited",
    "metadata": "Other claims changed",
    "missing": "Missing",
    "disappeared": "Disappeared",
    "moved": "Moved",
    "restored": "Restored",
    "backfilled": "Older version found",
    "reparsed": "Read again by another release",
    "retracted": "Earlier change withdrawn",
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
    """The day of an instant: 5 Feb 2026."""
    return _formatted(at, "{0.day} {0:%b %Y}")


def long_day(at: str | None) -> str:
    """A day as a heading: Thursday, 5 February 2026."""
    return _formatted(at, "{0:%A}, {0.day} {0:%B %Y}")


def moment(at: str | None) -> str:
    """An instant to the minute: 5 Feb 2026, 14:30."""
    return _formatted(at, "{0.day} {0:%b %Y, %H:%M}")


def ago(at: str, now: str) -> str:
    """The time since an instant: 12 minutes ago."""
    seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(at)).total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (number := int(seconds // size)) >= 1:
            return f"{number} {unit}{'s' * (number > 1)} ago"
    return "just now"


def _formatted(at: str | None, form: str) -> str:
    try:
        return form.format(datetime.fromisoformat(at)) if at else ""
    except ValueError:  # a day that the site wrote in its own way
        return at or ""


def silence(stealth: int | None) -> str:
    """What the site's own modified time says about an edit."""
    if stealth is None:
        return (
            "The site does not give a modified time for both versions, so the archive cannot say "
            "whether it is a silent edit."
        )
    return (
        "Silent edit: the site did not change its own modified time."
        if stealth
        else "The site changed its own modified time."
    )
