"""The citation of a version, as text, BibTeX and JSON: what the site said at an instant, and where the bytes
are that prove it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from archive.read.records import Version
from archive.warc.files import parse_name
from archive.warc.manifests import find_seal
from archive.warc.timestamps import find_token

NAME = "Syrian Observatory for Human Rights"
# What a capture proves that did not come from the site itself, and who gave it
PROVENANCE = {
    "import": "Copied from a file that somebody else recorded: it proves what that file says.",
    "commoncrawl": "Copied from Common Crawl, which unpacks bodies before it stores them and cuts them at "
    "1 MiB: it proves what Common Crawl says the site answered.",
    "wayback": "Copied from the Internet Archive's Wayback Machine: it proves what that archive serves for "
    "this time. Its digests are of the body as it stores it, its headers are copies.",
}
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_TEX |= {sign: "\\" + sign for sign in "&%$#_"}


@dataclass(frozen=True, slots=True)
class Citation:
    """What a reader needs to find and check a version. Times are UTC, sizes bytes."""

    citation: str
    title: str
    author: str | None
    published_at: str | None
    modified_at: str | None
    url: str
    language: str | None
    version: int
    first_captured_at: str
    last_captured_at: str
    captures: int
    text_sha256: str
    payload_sha256: str
    warc_file: str
    offset: int
    length: int
    record_id: str
    source: str  # live, import, commoncrawl, wayback
    service_url: str | None  # what was asked of a public archive
    manifest: str | None  # the one that sealed these bytes; None until the crawl has ended
    manifest_sha256: str | None
    sealed_at: str | None  # when it was written, by the clock of the archive's machine
    token: str | None  # the timestamp that covers it; None: none does yet
    stamped_at: str | None  # by the clock of the authority
    authority: str | None
    read_at: str | None  # address of the article's page in this archive, where it is served

    @classmethod
    def of(
        cls, version: Version, payload_sha256: str, folder: Path | None, read_at: str | None = None
    ) -> Self:
        """The citation of a version; ``payload_sha256`` is the digest of the body of its first capture.

        ``folder`` is the archive's, None for a database in memory. Raises OSError.
        """
        file = parse_name(Path(version.evidence.warc_file))
        seal = find_seal(folder, file.serial, version.evidence.offset) if folder and file else None
        token = find_token(folder, seal) if folder and seal else None
        given: dict[str, Any] = {
            "token": token and token.name,
            "stamped_at": token and token.at,
            "authority": token and token.authority,
            "manifest": seal and seal.name,
            "manifest_sha256": seal and seal.digest,
            "sealed_at": seal and seal.at,
            "title": version.title or version.plain_title,
            "version": version.number,
            "payload_sha256": payload_sha256,
            "read_at": read_at,
        }
        for name in cls.__slots__:
            if name not in given:
                given[name] = getattr(version.evidence if hasattr(version.evidence, name) else version, name)
        return cls(**given)

    def text(self) -> str:
        """For a footnote."""
        when = f", published {self.published_at}" if self.published_at else ""
        return (
            f"{self.author or NAME}: “{self.title or '(no title)'}”{when}. {self.url}\n"
            f"As captured {self.first_captured_at} (same text until {self.last_captured_at}): "
            f"{self.citation}\n"
            f"SHA-256 of the text {self.text_sha256}\n"
            f"WARC {self.warc_file}, offset {self.offset}, length {self.length}, record {self.record_id}, "
            f"SHA-256 of the body {self.payload_sha256}\n{self._provenance()}{self._sealed()}\n"
        )

    def _provenance(self) -> str:
        """A line for a capture that did not come from the site itself."""
        if self.source == "live":
            return ""
        return " ".join(filter(None, (PROVENANCE[self.source], self.service_url))) + "\n"

    def _sealed(self) -> str:
        if self.manifest is None:
            return "Not sealed by a manifest yet"
        sealed = f"Sealed {self.sealed_at} by {self.manifest}, SHA-256 {self.manifest_sha256}"
        return (
            f"{sealed}\nDated {self.stamped_at} by {self.authority}: {self.token}" if self.token else sealed
        )

    def bibtex(self) -> str:
        """For LaTeX (Unicode; braces and backslashes of the site's words are escaped)."""
        key = self.citation.replace("sohr:", "sohr-")
        key = "".join(sign if sign.isalnum() or sign in ".-" else "-" for sign in key)
        fields = {
            "author": f"{{{_tex(self.author or NAME)}}}",
            "title": f"{{{_tex(self.title or '(no title)')}}}",
            "year": (self.published_at or self.first_captured_at)[:4],
            "date": (self.published_at or "")[:10],
            "url": "".join(f"%{ord(sign):02X}" if sign in "{}\\ " else sign for sign in self.url),
            "urldate": self.first_captured_at[:10],
            "note": f"{_tex(self.citation)}, SHA-256 of the text {self.text_sha256}, "
            f"WARC {_tex(self.warc_file)}, offset {self.offset}",
        }
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
        return f"@online{{{key},\n{lines}}}\n"

    def as_record(self) -> dict[str, Any]:
        """For programs: what there is to say, ready for JSON."""
        record = asdict(self)
        return (
            record if self.read_at else {name: value for name, value in record.items() if name != "read_at"}
        )


def _tex(text: str) -> str:
    return " ".join("".join(_TEX.get(sign, sign) for sign in text).split())
