"""The difference of two versions: for a terminal, as a unified diff, HTML and JSON."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from archive.compare.classes import Difference
from archive.compare.words import LinePair, Segment, side_by_side, word_diff
from archive.read.records import Version

_COLOURS = {"removed": "\x1b[31m", "added": "\x1b[32m"}
# As `git diff --word-diff` writes it
_BARE = {"removed": ("[-", "-]"), "added": ("{+", "+}"), "same": ("", "")}
_TAGS = {"removed": "del", "added": "ins"}
_STYLE = (
    "body{max-width:50em;margin:auto;font:1.1em/1.6 sans-serif;padding:1em}"
    "del{background:#fdd}ins{background:#dfd;text-decoration:none}"
    ".fig{font-weight:bold;text-decoration:none}.nb{unicode-bidi:isolate;white-space:nowrap}"
)
_NUMBER = re.compile(r"\d+(?:[.,/:–-]\d+)*")


@dataclass(frozen=True, slots=True)
class Diff:
    """Two versions of an article. ``difference`` says what kind of change it is; `rows` sets the lines side
    by side."""

    before: Version
    after: Version
    difference: Difference

    @property
    def title(self) -> list[Segment]:
        """The titles, word by word."""
        return word_diff(self.before.title, self.after.title)

    @property
    def rows(self) -> list[LinePair]:
        """The lines of both, each once and in order."""
        return side_by_side(_lines(self.before), _lines(self.after))

    def words(self, *, colour: bool = False) -> str:
        """For a terminal: the whole text, what went and what came marked in place; control characters of the
        site never reach it."""
        lines = [
            f"{self.before.citation}  ->  {self.after.citation}",
            self._verdict(),
            "",
            _marked(self.title, colour),
            "",
        ]
        lines += [_marked(inline(row), colour) for row in self.rows]
        return "\n".join(lines) + "\n"

    def unified(self, *, context: int = 3) -> str:
        """As `diff -u` writes it, title first: ``patch`` and editors know it. Empty where nothing differs."""
        one, other = ([version.title, "", *_lines(version)] for version in (self.before, self.after))
        lines = difflib.unified_diff(
            one, other, self.before.citation, self.after.citation, n=context, lineterm=""
        )
        return "".join(line + "\n" for line in lines)

    def html(self) -> str:
        """A page of its own, without scripts, in the direction of the article's language."""
        name = f"{escape(self.before.citation)} → {escape(self.after.citation)}"
        rtl = is_rtl(self.after.edition, self.after.language)
        rows = "\n".join(f"<p>{mark_html(inline(row), rtl=rtl)}</p>" for row in self.rows)
        language = escape(self.after.language or self.after.edition or "")
        return (
            f'<!doctype html>\n<html lang="{language}" dir="{"rtl" if rtl else "ltr"}">\n'
            f'<meta charset="utf-8">\n<title>{name}</title>\n<style>{_STYLE}</style>\n'
            f'<p lang="en" dir="ltr">{name}<br>{escape(self._verdict())}</p>\n'
            f"<h1>{mark_html(self.title, rtl=rtl)}</h1>\n{rows}\n</html>\n"
        )

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "before": self.before.citation,
            "after": self.after.citation,
            "classes": list(self.difference.classes),
            "severity": self.difference.severity,
            "figures": [asdict(figure) for figure in self.difference.figures],
            "title": [asdict(segment) for segment in self.title],
            "rows": [asdict(row) for row in self.rows],
        }

    def _verdict(self) -> str:
        classes = ", ".join(self.difference.classes) or "nothing a reader would see"
        return f"severity {self.difference.severity}: {classes}"


def safe(text: str) -> str:
    """A text of the site's without anything that moves a cursor or turns the direction of what follows;
    spaces stay as they are."""
    return "".join(
        c if c in "\t\n\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else "·"
        for c in text
    )


def _lines(version: Version) -> list[str]:
    return version.text.split("\n") if version.text else []


def is_rtl(edition: str | None, language: str | None = None) -> bool:
    """Whether a text runs from right to left, by the stated language or else the edition."""
    return language.lower().startswith(("ar", "fa", "he", "ku-arab")) if language else edition == "ar"


def inline(row: LinePair) -> list[Segment]:
    """A row as one line: what went, then what came, in the order of the text."""
    if row.op != "changed":
        return list(row.before or row.after)
    return word_diff("".join(s.text for s in row.before), "".join(s.text for s in row.after))


def _marked(segments: list[Segment], colour: bool) -> str:
    parts = []
    for s in segments:
        text = safe(s.text).join(_BARE[s.op])  # also in colour: else "killed 3" and "killed 31" read as 331
        parts.append(f"{_COLOURS[s.op]}{text}\x1b[0m" if colour and s.op in _COLOURS else text)
    return "".join(parts)


def mark_html(segments: Iterable[Segment], *, rtl: bool = False) -> str:
    """Segments as HTML. Removed and added words never touch: an arrow with spaces stands between them, as
    text, so that a copy of it reads well. From right to left each number is isolated."""
    parts: list[str] = []
    before = "same"
    for segment in segments:
        text = _isolate_numbers(segment.text) if rtl else escape(segment.text)
        if tag := _TAGS.get(segment.op):
            look = "fig" * any(map(str.isdigit, segment.text)) + " nb" * (not re.search(r"\s", segment.text))
            text = f'<{tag} class="{look}">{text}</{tag}>' if "fig" in look else f"<{tag}>{text}</{tag}>"
            if before not in ("same", segment.op):
                parts.append(f' <span class="to">{"←" if rtl else "→"}</span> ')
        parts.append(text)
        before = segment.op
    return "".join(parts)


def _isolate_numbers(text: str) -> str:
    parts, at = [], 0
    for number in _NUMBER.finditer(text):
        parts += [escape(text[at : number.start()]), f'<bdi dir="ltr" class="nb">{number[0]}</bdi>']
        at = number.end()
    return "".join([*parts, escape(text[at:])])
