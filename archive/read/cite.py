"""How to cite a version: in text, for BibTeX, as JSON. What is cited is what the site said at an instant, and
where the bytes lie that show it."""

from __future__ import annotations

from typing import Any

from archive.read.records import Version

NAME = "Syrian Observatory for Human Rights"


def as_text(version: Version, payload_sha256: str) -> str:
    """For a footnote."""
    when = f", published {version.published_at}" if version.published_at else ""
    source = version.evidence
    return (
        f"{version.author or NAME}: “{_title(version)}”{when}. {version.url}\n"
        f"As captured {version.first_captured_at} (same text until {version.last_captured_at}): {version.citation}\n"
        f"SHA-256 of the text {version.text_sha256}\n"
        f"WARC {source.warc_file}, offset {source.offset}, length {source.length}, record {source.record_id}, SHA-256 of the body {payload_sha256}\n"
    )


def as_bibtex(version: Version) -> str:
    """For LaTeX (Unicode; braces and backslashes of the site's words are escaped)."""
    key = version.citation.replace("sohr:", "sohr-")
    key = "".join(sign if sign.isalnum() or sign in ".-" else "-" for sign in key)
    fields = {
        "author": f"{{{_tex(version.author or NAME)}}}",
        "title": f"{{{_tex(_title(version))}}}",
        "year": (version.published_at or version.first_captured_at)[:4],
        "date": (version.published_at or "")[:10],
        "url": "".join(f"%{ord(sign):02X}" if sign in "{}\\ " else sign for sign in version.url),
        "urldate": version.first_captured_at[:10],
        "note": f"{_tex(version.citation)}, SHA-256 of the text {version.text_sha256}, WARC {_tex(version.evidence.warc_file)}, "
        f"offset {version.evidence.offset}",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@online{{{key},\n{lines}}}\n"


def as_record(version: Version, payload_sha256: str) -> dict[str, Any]:
    """For programs."""
    names = (
        "citation",
        "title",
        "author",
        "published_at",
        "modified_at",
        "url",
        "language",
        "first_captured_at",
        "last_captured_at",
        "captures",
    )
    record: dict[str, Any] = {name: getattr(version, name) for name in names}
    record |= {
        "version": version.number,
        "text_sha256": version.text_sha256,
        "payload_sha256": payload_sha256,
    }
    source = version.evidence
    return record | {
        "warc_file": source.warc_file,
        "offset": source.offset,
        "length": source.length,
        "record_id": source.record_id,
    }


def _title(version: Version) -> str:
    return version.title or version.plain_title or "(no title)"


def _tex(text: str) -> str:
    special = {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
    special |= {sign: "\\" + sign for sign in "&%$#_"}
    return " ".join("".join(special.get(sign, sign) for sign in text).split())
