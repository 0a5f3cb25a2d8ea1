"""An archive of any size, written straight into the tables that `archive.store.schema` makes: for timing
pages, not for what ingest does.

Everything is a function of an article's place, so that two archives of different size are alike in all but
that. All posts are invented.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.figures.derive import count_series
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.line_kinds import encode_kinds
from archive.store.schema import FILE, create_schema
from archive.text.fold import fold
from tests.replica.words import (
    AUTHORS,
    CATEGORIES,
    EDITIONS,
    EVENTS,
    GROUPS,
    KICKERS,
    OBFUSCATED,
    PROVINCES,
    TOWNS,
    Edition,
    Pair,
)

HOME = "https://www.syriahr.example/"
VERSIONS = 5  # of each article
YEARS = 6  # from the oldest post to the newest, whatever the size: a small archive has fewer posts a day
OLDEST = date(2020, 1, 1)
FIRST_CRAWL = datetime(2025, 1, 1, tzinfo=UTC)  # takes all that was published by then, newest first
CRAWLS = 1_000
_FILES = 200  # WARC files
_LATE = 20  # one article in so many came after the first crawl
_GONE = 100  # one in so many went away
_STRIDE = 7_919  # a prime: versions come in another order than articles
_UNCHANGED = 1  # looks that found nothing new, each article

_CLAIMS = json.dumps(
    [
        ["title", "h1.entry-title"],
        ["title", "meta:og:title"],
        ["published_at", "meta:article:published_time"],
        ["author", "a[rel=author]"],
        ["language", "html[lang]"],
        ["canonical_url", "link:canonical"],
        ["post_id", "body.postid"],
        ["category", 0, "a[rel=category]"],
    ]
)


class Words:
    """Sentences of one edition, each with its fold, which is most of the work."""

    def __init__(self, edition: Edition) -> None:
        side = 0 if edition == "en" else 1

        def say(pair: Pair) -> str:
            return pair[side]

        self.sentences: list[tuple[str, str]] = []
        for number in range(4_000):
            town, group = say(TOWNS[number % 14]), say(GROUPS[number // 5 % 9])
            province, event = say(PROVINCES[number // 3 % 12]), say(EVENTS[number // 7 % 10])
            english = (
                f"Activists in {town}, in the countryside of {province}, reported that {event} had "
                f"damaged {number % 61 + 2} houses and that {group}"
            )
            arabic = (
                f"وأفاد نشطاء في {town} بريف {province} بأن {event} ألحق أضراراً بـ {number % 61 + 2} "
                f"منزلاً وأن {group}"
            )
            end = (" were among those who left, name{} said.", " كانوا بين من غادروا، كما قالت اسم{}.")[
                side
            ].format(number)
            sentence = (english, arabic)[side] + end
            self.sentences.append((sentence, fold(sentence, HIDDEN)))
        self.titles: list[tuple[str, str]] = []
        for number in range(1_680):
            kicker, town, event = (
                say(KICKERS[number % 6]),
                say(TOWNS[number // 6 % 14]),
                say(EVENTS[number // 84 % 10]),
            )
            trick = OBFUSCATED[number % 7] if side == 0 and number % 3 == 0 else ("killed", "مقتل")[side]
            title = (
                f"{kicker} | {event} in {town}: {{}} {trick}"
                if side == 0
                else f"{kicker} | {trick} {{}} أشخاص في {event} في {town}"
            )
            self.titles.append((title, fold(title, HIDDEN)))
        self.toll = (
            "{} people were killed, among them civilians, and {} were wounded.",
            "قُتل {} أشخاص بينهم مدنيون وأصيب {} آخرون.",
        )[side]
        self.folded_toll = fold(self.toll, HIDDEN)
        self.slug = ("en", "%D8%AE%D8%A8%D8%B1")[side]
        self.author = AUTHORS[edition][0]
        self.categories = list(CATEGORIES[edition].values())


class Shape:
    """What stands at each place of an archive of so many articles. ``place`` runs from 0."""

    def __init__(self, articles: int) -> None:
        self.articles = articles
        self.words = {edition: Words(edition) for edition in EDITIONS}
        self.stride = next(step for step in range(_STRIDE, _STRIDE * 2) if math.gcd(step, articles) == 1)
        self._late = articles // _LATE
        self._days = YEARS * 365
        self.series = max(60, articles // 100)  # their numbers run from 0

    def edition(self, place: int) -> Edition:
        """Pages of a listing by turns."""
        return EDITIONS[place // 10 % 2]

    def published(self, place: int) -> datetime:
        """The first crawl meets the newest post first; later posts follow in their order."""
        early = self.articles - self._late
        rank = early - 1 - place if place < early else place
        seconds = int(rank / self.articles * self._days * 86_400)
        return datetime(OLDEST.year, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    def post_id(self, place: int) -> int:
        """In the order of publication."""
        early = self.articles - self._late
        return 100_000 + 2 * (early - 1 - place if place < early else place)

    def state(self, place: int) -> str:
        """Live, but for a few."""
        return ("missing", "disappeared", "moved")[place // _GONE % 3] if place % _GONE == 7 else "live"

    def url(self, place: int) -> str:
        """The post's address."""
        return f"{HOME}{self.words[self.edition(place)].slug}/{self.post_id(place)}/"

    def place_of(self, row: int) -> int:
        """Whose version stands at a row of a round of versions."""
        return row * self.stride % self.articles

    def said(self, place: int, number: int) -> tuple[str, str, str, str]:
        """Title, text and both folded, of one version: a toll that rises, a sentence that comes or goes."""
        words = self.words[self.edition(place)]
        killed, wounded = place % 17 + number, place % 29 + 1
        title, folded_title = words.titles[place * 13 % len(words.titles)]
        lines = 4 + place % 6 + (number > 3)
        chosen = [words.sentences[(place * 31 + line * 577) % len(words.sentences)] for line in range(lines)]
        text = "\n".join([words.toll.format(killed, wounded), *(sentence for sentence, _ in chosen)])
        folded = "\n".join([words.folded_toll.format(killed, wounded), *(sentence for _, sentence in chosen)])
        return title.format(killed), text, folded_title.format(killed), folded


def generate(folder: Path, versions: int) -> Path:
    """An archive of so many versions in a folder of its own, made anew unless this one is there with the
    schema of today; its database."""
    path = folder / "archive.db"
    maker = sha256(Path(__file__).read_bytes() + FILE.read_bytes()).hexdigest()
    made = json.dumps({"versions": versions, "generator and schema": maker})
    note = folder / "made.json"
    if note.is_file() and note.read_text() == made and path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("archive.db*"):
        old.unlink()
    note.unlink(missing_ok=True)
    db = Database(path)
    create_schema(db.conn)
    db.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("pragma journal_mode = off")
        conn.execute("pragma synchronous = off")
        conn.execute("pragma cache_size = -400000")
        indexes = conn.execute(
            "select name, sql from sqlite_master where type = 'index' and sql is not null"
        ).fetchall()
        for name, _ in indexes:
            conn.execute(f"drop index {name}")
        conn.execute("begin")
        _fill(conn, Shape(max(20, versions // VERSIONS)))
        for _, sql in indexes:
            conn.execute(sql)
        conn.execute("commit")
        conn.execute("pragma optimize")  # as the store does when a crawl ends
        conn.execute("pragma journal_mode = wal")
    note.write_text(made)
    return path


def _put(conn: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows into a table; the columns are those of the first."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return
    columns = ", ".join(f'"{name}"' for name in first)
    sql = f"insert into {table} ({columns}) values ({', '.join('?' * len(first))})"
    conn.execute(sql, tuple(first.values()))
    conn.executemany(sql, (tuple(row.values()) for row in iterator))


def _fill_figures(conn: sqlite3.Connection, shape: Shape) -> None:
    """Three figures a version, in series of some hundred points and one of a tenth of all."""
    conn.execute(
        """insert into figures (version_id, line, start, end, written, value, unit, sentence_start,
                                sentence_end, series)
           select version_id, line, 0, 2, '12', version_id % 900, 'civilians', 0, min(80, length(text)),
                  iif(article_id % 10 = line, 0, (article_id * 3 + line) % ?)
           from versions, (select 1 as line union select 2 union select 3)""",
        (shape.series,),
    )
    conn.execute("create index figures_series on figures(series)")
    count_series(lambda sql, asked: conn.execute(sql, (asked,)), range(shape.series))
    conn.execute("drop index figures_series")  # made again with the others


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _fill(conn: sqlite3.Connection, shape: Shape) -> None:
    conn.executemany(
        "insert into about values (?, ?)",
        [("site", "syriahr.example"), ("home", HOME), ("epoch", "1"), ("extractor", "1"), ("generated", "1")],
    )
    _put(conn, "crawls", _crawls())
    _put(conn, "warc_files", _warc_files())
    _put(conn, "terms", _terms(shape))
    _put(conn, "articles", _articles(shape))
    _put(conn, "captures", _captures(shape))
    conn.execute("insert into claim_sets (claim_set_id, claims) values (1, ?)", (_CLAIMS,))
    _put(conn, "versions", _versions(shape))
    _put(conn, "changes", _changes(shape))
    _put(conn, "aliases", _aliases(shape))
    _put(conn, "sightings", _sightings(shape))
    _put(conn, "article_terms", _article_terms(shape))
    _fill_figures(conn, shape)
    _put(conn, "failures", _failures(shape))
    days = [(OLDEST + timedelta(days=day)).isoformat() for day in range(0, YEARS * 365, 3)]
    _put(
        conn,
        "coverage_days",
        ({"edition": e, "day": d, "complete_at": _at(FIRST_CRAWL)} for e in EDITIONS for d in days),
    )
    _put(conn, "search", _search(shape))


def _crawls() -> Iterator[dict[str, Any]]:
    counters = json.dumps({"requests": 120, "new": 9, "changed": 3, "unchanged": 80, "gone": 1, "failed": 0})
    for number in range(CRAWLS):
        at = FIRST_CRAWL + timedelta(hours=8 * number)
        yield {
            "crawl_id": number + 1,
            "name": f"crawl-{number + 1:06}",
            "kind": "crawl",
            "started_at": _at(at),
            "finished_at": _at(at + timedelta(minutes=9)),
            "finish_reason": "finished",
            "exit_status": 0,
            "verdict": "healthy",
            "counters": counters,
        }


def _warc_files() -> Iterator[dict[str, Any]]:
    for number in range(1, _FILES + 1):
        at = _at(FIRST_CRAWL + timedelta(days=number))
        yield {
            "warc_file_id": number,
            "serial": number,
            "name": f"syriahr.example-{at[:10].replace('-', '')}-{number:06}.warc.gz",
            "opened_at": at,
            "closed_at": at,
            "size": 10**9,
            "sha256": "0" * 64,
        }


def _terms(shape: Shape) -> Iterator[dict[str, Any]]:
    for edition in EDITIONS:
        for name in shape.words[edition].categories:
            yield {"taxonomy": "category", "name": name}
    for number in range(2_000):
        yield {"taxonomy": "tag", "name": f"tag {number}"}


def _articles(shape: Shape) -> Iterator[dict[str, Any]]:
    row_of = [0] * shape.articles
    for row in range(shape.articles):
        row_of[shape.place_of(row)] = row
    for place in range(shape.articles):
        edition, post_id, state, published = (
            shape.edition(place),
            shape.post_id(place),
            shape.state(place),
            shape.published(place),
        )
        at = _at(max(published, FIRST_CRAWL))
        yield {
            "article_id": place + 1,
            "source": edition,
            "key": str(post_id),
            "edition": edition,
            "post_id": post_id,
            "url": shape.url(place),
            "state": state,
            "day": published.date().isoformat(),
            "first_sighted_at": at,
            "first_captured_at": at,
            "last_captured_at": _at(_looked(shape, row_of[place], VERSIONS)),
            "versions": VERSIONS,
            "newest_version_id": (VERSIONS - 1) * shape.articles + row_of[place] + 1,
            "next_look_at": _at(FIRST_CRAWL + timedelta(days=500 + place % 200)),
            "unchanged_looks": _UNCHANGED,
            "missing_since": _at(FIRST_CRAWL + timedelta(days=300 + place % 60)) if state != "live" else None,
            "missing_looks": 3 if state != "live" else 0,
        }


def _looked(shape: Shape, row: int, number: int) -> datetime:
    """When a version was first captured: one round after the other, each over two months."""
    return FIRST_CRAWL + timedelta(days=(number - 1) * 60, seconds=int(row / shape.articles * 60 * 86_400))


def _captures(shape: Shape) -> Iterator[dict[str, Any]]:
    headers = {"content_type": "text/html; charset=UTF-8", "etag": None, "last_modified": None}
    for number in range(1, VERSIONS + _UNCHANGED + 1):
        for row in range(shape.articles):
            place = shape.place_of(row)
            capture_id = (number - 1) * shape.articles + row + 1
            at = _at(_looked(shape, row, number))
            yield {
                "capture_id": capture_id,
                "crawl_id": capture_id % CRAWLS + 1,
                "article_id": place + 1,
                "url": shape.url(place),
                "status": 200,
                "captured_at": at,
                "recorded_at": at,
                "channel": "article",
                "reason": "new" if number == 1 else "due",
                "outcome": "new" if number == 1 else "changed" if number <= VERSIONS else "unchanged",
                **headers,
                "payload_sha256": f"{capture_id:064x}",
                "size": 14_000 + place % 999,
                "warc_file_id": capture_id % _FILES + 1,
                "offset": capture_id * 15_000,
                "length": 14_700,
                "record_id": f"<urn:uuid:{capture_id:032x}>",
            }


def _versions(shape: Shape) -> Iterator[dict[str, Any]]:
    for number in range(1, VERSIONS + 1):
        for row in range(shape.articles):
            place = shape.place_of(row)
            edition = shape.edition(place)
            words = shape.words[edition]
            title, text, *_ = shape.said(place, number)
            published = _at(shape.published(place))
            version_id = (number - 1) * shape.articles + row + 1
            digest = sha256(text.encode()).digest()
            category = words.categories[place % len(words.categories)]
            at = _at(_looked(shape, row, number))
            yield {
                "version_id": version_id,
                "article_id": place + 1,
                "number": number,
                "title": title,
                "restored_title": title.replace("*", "") if "*" in title else None,
                "text": text,
                "lines": encode_kinds([("paragraph", 0)] * (text.count("\n") + 1)),
                "text_digest": digest,
                "same_digest": digest,
                "published_at": published,
                "modified_at": published,
                "author": words.author,
                "language": edition,
                "canonical_url": shape.url(place),
                "categories": json.dumps([category], ensure_ascii=False),
                "claim_set_id": 1,
                "layout": "foxiz",
                "extractor": "1",
                "first_capture_id": version_id,
                "last_capture_id": version_id + (shape.articles * _UNCHANGED if number == VERSIONS else 0),
                "first_captured_at": at,
                "last_captured_at": at,
                "captures": 1 + (_UNCHANGED if number == VERSIONS else 0),
            }


def _changes(shape: Shape) -> Iterator[dict[str, Any]]:
    seq = 0
    for number in range(1, VERSIONS + 1):
        for row in range(shape.articles):
            place = shape.place_of(row)
            version_id = (number - 1) * shape.articles + row + 1
            seq += 1
            severity, classes, figures = 0, "[]", "[]"
            if number > 1:
                severity = (3, 3, 1, 2, 1, 0)[place % 6]
                classes = {3: '["figures"]', 2: '["title"]', 1: '["rewording"]', 0: '["obfuscation"]'}[
                    severity
                ]
                if severity == 3:
                    before, after = (shape.said(place, n)[1].partition("\n")[0] for n in (number - 1, number))
                    told = {
                        "before": str(place % 17 + number - 1),
                        "after": str(place % 17 + number),
                        "sentence_before": before,
                    }
                    figures = json.dumps([told | {"sentence_after": after}], ensure_ascii=False)
            at = _at(_looked(shape, row, number))
            yield {
                "seq": seq,
                "epoch": 1,
                "article_id": place + 1,
                "version_id": version_id,
                "previous_version_id": version_id - shape.articles if number > 1 and row >= 0 else None,
                "capture_id": version_id,
                "kind": "created" if number == 1 else "updated",
                "classes": classes,
                "severity": severity,
                "figures": figures,
                "stealth": (1, 0, None)[place % 3] if number > 1 else None,
                "said_at": at,
                "learnt_at": at,
            }
    for place in range(7, shape.articles, _GONE):
        for kind in ("missing", shape.state(place)) if shape.state(place) != "missing" else ("missing",):
            seq += 1
            at = _at(FIRST_CRAWL + timedelta(days=300 + place % 60))
            empty = dict.fromkeys(("version_id", "previous_version_id", "capture_id"))
            yield {
                "seq": seq,
                "epoch": 1,
                "article_id": place + 1,
                **empty,
                "kind": kind,
                "classes": "[]",
                "severity": 0,
                "figures": "[]",
                "stealth": None,
                "said_at": at,
                "learnt_at": at,
            }


def _aliases(shape: Shape) -> Iterator[dict[str, Any]]:
    for place in range(shape.articles):
        at = _at(max(shape.published(place), FIRST_CRAWL))
        yield {"url": shape.url(place), "article_id": place + 1, "first_seen_at": at}
        yield {
            "url": f"{HOME}?p={shape.post_id(place)}&e={shape.edition(place)}",
            "article_id": place + 1,
            "first_seen_at": at,
        }


def _sightings(shape: Shape) -> Iterator[dict[str, Any]]:
    for place in range(shape.articles):
        at = _at(max(shape.published(place), FIRST_CRAWL))
        claims = json.dumps(
            {"title": shape.said(place, 1)[0], "day": shape.published(place).date().isoformat()},
            ensure_ascii=False,
        )
        for channel in (
            ("listing", "feed") if place >= shape.articles - shape.articles // _LATE else ("listing",)
        ):
            yield {
                "article_id": place + 1,
                "channel": channel,
                "claims": claims,
                "first_seen_at": at,
                "last_seen_at": at,
                "times": place % 7 + 1,
            }


def _article_terms(shape: Shape) -> Iterator[dict[str, Any]]:
    for place in range(shape.articles):
        categories = len(shape.words[shape.edition(place)].categories)
        before = 0 if shape.edition(place) == "en" else len(shape.words["en"].categories)
        yield {"article_id": place + 1, "term_id": before + place % categories + 1}
        yield {
            "article_id": place + 1,
            "term_id": len(CATEGORIES["en"]) + len(CATEGORIES["ar"]) + place % 2_000 + 1,
        }


def _failures(shape: Shape) -> Iterator[dict[str, Any]]:
    for place in range(0, shape.articles, 50):
        at = _at(FIRST_CRAWL + timedelta(days=place % 700))
        yield {
            "crawl_id": place % CRAWLS + 1,
            "article_id": place + 1,
            "url": shape.url(place),
            "reason": ("timeout", "status", "cut")[place % 3],
            "at": at,
        }


def _search(shape: Shape) -> Iterator[dict[str, Any]]:
    for place in range(shape.articles):
        *_, title, text = shape.said(place, VERSIONS)
        yield {"rowid": place + 1, "title": title, "text": text}
