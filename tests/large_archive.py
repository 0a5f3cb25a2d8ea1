"""An archive with as many versions as a test of memory needs, written straight into the tables; with evidence
where that is asked for."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.model import Capture
from archive.store.line_kinds import encode_kinds
from archive.store.rows import open_store
from archive.warc.reader import Position
from archive.warc.writer import Appender

LINE = (
    "Field sources of the replica count {n} civilians hurt by a road ambush near Khirbet Al-Noor in "
    "Aleppo countryside. قُتل {n} أشخاص في كمين."
)
AT = "2024-01-01T00:00:00Z"


def places(folder: Path, versions: int) -> Iterator[tuple[int, str, Position]]:
    """Write a WARC record for each version: its number, the time of its capture, where it lies."""
    appender = Appender(folder / "warc", "many.example")
    for n in range(1, versions + 1):
        body = gzip.compress((LINE.format(n=n) * 20).encode(), 1, mtime=0)
        headers = (("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip"))
        url = f"https://www.syriahr.com/en/{(n + 1) // 2}/"
        at = f"2024-01-01T0{2 - n % 2}:00:00Z"
        yield n, at, appender.append_exchange(Capture(url, 200, headers, body, at, channel="article"))
    appender.close()


def make(folder: Path, versions: int, lines: int = 8, *, evidence: bool = False) -> None:
    """Fill an empty folder: two versions an article, some 1,500 bytes of text each. ``evidence``: with a WARC
    record each, else rows alone."""
    store = open_store(folder)
    conn = store._conn
    kinds = encode_kinds([("paragraph", 0)] * lines)
    claims = json.dumps([["published_at", "json-ld:datePublished"]] * 12)

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(1, versions + 1):
            text = "\n".join(LINE.format(n=n * lines + k) for k in range(lines))
            digest = hashlib.sha256(text.encode()).digest()
            article, number = (n + 1) // 2, 2 - n % 2
            yield (
                n,
                article,
                number,
                f"Title {n}",
                text,
                kinds,
                digest,
                digest,
                AT,
                AT,
                "SOHR Desk",
                '["News"]',
                n,
                n,
                f"2024-01-01T0{number}:00:00Z",
                f"2024-01-01T0{number}:00:00Z",
            )

    with store.transaction():
        store.set_about("home", "https://www.syriahr.com/")
        store.set_about("site", "syriahr.com")
        name = "many.example-20240101-000001.warc.gz"
        conn.execute(
            "insert into warc_files (warc_file_id, serial, name, opened_at) values (1, 1, ?, ?)", (name, AT)
        )
        conn.executemany(
            """insert into articles (article_id, source, key, edition, post_id, url, state, day,
               first_sighted_at,
               versions)
               values (?1, 'en', ?1, 'en', ?1, 'https://www.syriahr.com/en/' || ?1 || '/', 'live',
               '2024-01-01', ?2, 2)""",
            ((n, AT) for n in range(1, (versions + 1) // 2 + 1)),
        )
        lie = ((n, at, p.offset, p.length, p.record_id) for n, at, p in places(folder, versions))
        rows_alone = (
            (n, f"2024-01-01T0{2 - n % 2}:00:00Z", n * 10, 10, f"<urn:{n}>") for n in range(1, versions + 1)
        )
        conn.executemany(
            """insert into captures (capture_id, article_id, url, status, captured_at, recorded_at, outcome,
               payload_sha256, size, warc_file_id,
               offset, length, record_id)
               values (?1, (?1 + 1) / 2, 'https://www.syriahr.com/en/' || ((?1 + 1) / 2) || '/', 200, ?2, ?2,
               'new', '', 0, 1,
               ?3, ?4, ?5)""",
            lie if evidence else rows_alone,
        )
        conn.execute("insert into claim_sets (claim_set_id, claims) values (1, ?)", (claims,))
        conn.executemany(
            """insert into versions (version_id, article_id, number, title, text, lines, text_digest,
               same_digest, published_at,
               modified_at, author, categories, claim_set_id, layout, extractor, first_capture_id,
               last_capture_id, first_captured_at,
               last_captured_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'general', '1', ?, ?, ?,
               ?)""",
            rows(),
        )
        conn.execute("update articles set newest_version_id = min(article_id * 2, ?)", (versions,))
    store.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
