"""How an extractor's text is scored against what people marked: on the golden pages and on public ones."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

from archive.extract.cross_check import shingles
from archive.model import Capture

GOLDEN = Path(__file__).parent / "golden"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Marked:
    """A page and the text that people say it has; ``leaks`` are words of its chrome that no text may hold."""

    name: str
    url: str
    html: bytes
    text: str
    leaks: tuple[str, ...] = ()

    @property
    def capture(self) -> Capture:
        """As the crawler hands it over."""
        return Capture(self.url, 200, (("Content-Type", "text/html"),), self.html, "2026-01-02T00:00:00Z")


@dataclass(frozen=True)
class Score:
    """Averages over pages, from 0 to 1; ``spread`` is the standard deviation of F1 over bootstrap samples."""

    f1: float
    precision: float
    recall: float
    exact: float
    spread: float
    leaks: int


def benchmarks() -> list[Marked]:
    """The public pages of ``SOHR_BENCHMARKS``, or none where it names no folder that holds them."""
    folder = Path(os.environ.get("SOHR_BENCHMARKS") or "/nonexistent") / "article-extraction"
    if not (folder / "ground-truth.json").exists():
        return []
    gold = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    pages = (
        (name, entry, gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()))
        for name, entry in gold.items()
    )
    return [Marked(name, _absolute(entry["url"]), html, entry["articleBody"]) for name, entry, html in pages]


def golden() -> list[Marked]:
    """The golden pages that are UTF-8 and have a text, with the marker words they hold outside of it."""
    found = []
    for folder in sorted(path for path in GOLDEN.iterdir() if path.is_dir()):
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        if not expected.get("lines"):
            continue
        html, text = (folder / "page.html").read_bytes(), "\n".join(line[2] for line in expected["lines"])
        found.append(
            Marked(folder.name, expected["url"], html, text, chrome_words(html, text, expected["title"]))
        )
    return found


def chrome_words(html: bytes, text: str, title: str) -> tuple[str, ...]:
    """Words that stand in a page's visible chrome only: none of them belongs into its text."""
    page = html.decode("utf-8", "replace")
    shown = re.sub(r"(?s)<(script|style|head)\b.*?</\1>|<!--.*?-->|<[^>]*>", " ", page)
    own = {word.casefold() for word in _WORD.findall(f"{text} {title}")}
    marked = re.findall(r"\b(?:MARKERWORD\w*|Related|Tweet|Share|Cookies|Views)\b", shown)
    return tuple(sorted({word for word in marked if word.casefold() not in own}))


def score(pages: list[Marked], texts: list[str]) -> Score:
    """Precision and recall of the 4-word shingles a page, averaged over pages; F1 of the two averages."""
    pairs = []
    for page, text in zip(pages, texts, strict=True):
        gold, got = shingles(page.text), shingles(text)
        common = (gold & got).total()
        pairs.append((common / got.total() if got else 0.0, common / gold.total() if gold else 1.0))
    precision, recall, f1 = _averages(pairs)
    draw = random.Random(1)
    samples = [_averages(draw.choices(pairs, k=len(pairs)))[2] for _ in range(200)]
    mean = sum(samples) / len(samples)
    spread = (sum((sample - mean) ** 2 for sample in samples) / len(samples)) ** 0.5
    exact = sum(
        _WORD.findall(page.text) == _WORD.findall(text) for page, text in zip(pages, texts, strict=True)
    ) / len(pages)
    leaks = sum(
        any(re.search(rf"\b{word}\b", text) for word in page.leaks)
        for page, text in zip(pages, texts, strict=True)
    )
    return Score(f1, precision, recall, exact, spread, leaks)


def _averages(pairs: list[tuple[float, float]]) -> tuple[float, float, float]:
    precision, recall = (sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1))
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _absolute(url: str) -> str:
    return url if "://" in url else f"http://{url}"
