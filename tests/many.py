"""An archive with as many versions as a test of memory needs, written straight into the tables; its captures have rows and no evidence."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.store import open_store

LINE = "Field sources of the replica count {n} civilians hurt by a road ambush near Khirbet Al-Noor in Aleppo countryside. قُتل {n} أشخاص في كمين."
AT = "2024-01-01T00:00:00Z"


def make(folder: Path, versions: int, lines: int = 8) -> None:
    """Fill an empty folder: two versions an article, some 1,500 bytes of text each."""
    store = open_store(folder)
    conn = store._conn
    kinds = json.dumps(["paragraph"] * lines)
    claims = json.dumps([["published_at", AT, "json-ld:datePublished"]] * 12)

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(1, versions + 1):
            text = "\n".join(LINE.format(n=n * lines + k) for k in range(lines))
            digest = hashlib.sha256(text.encode()).hexdigest()
            article, number = (n + 1) // 2, 2 - n % 2
            yield (
                n, article, number, f"Title {n}", f"Title {n}", text, kinds, digest, digest, AT, AT, "SOHR Desk", '["News"]', claims,
                n, n, f"2024-01-0{number}T00:00:00Z", f"2024-01-0{number}T00:00:00Z",
            )  # fmt: skip

    with store.transaction():
        store.set_about("home", "https://www.syriahr.com/")
        store.set_about("site", "syriahr.com")
        conn.execute("insert into warc_files (warc_file_id, serial, name, opened_at) values (1, 1, 'x-20240101-000001.warc.gz', ?)", (AT,))
        conn.executemany(
            """insert into articles (article_id, source, key, edition, post_id, url, state, day, first_sighted_at, versions)
               values (?1, 'en', ?1, 'en', ?1, 'https://www.syriahr.com/en/' || ?1 || '/', 'live', '2024-01-01', ?2, 2)""",
            ((n, AT) for n in range(1, (versions + 1) // 2 + 1)),
        )
        conn.executemany(
            """insert into captures (capture_id, article_id, url, status, captured_at, recorded_at, outcome, payload_sha256, size, warc_file_id,
               offset, length, record_id) values (?1, (?1 + 1) / 2, '', 200, ?2, ?2, 'new', '', 0, 1, ?1 * 10, 10, '<urn:' || ?1 || '>')""",
            ((n, AT) for n in range(1, versions + 1)),
        )
        conn.executemany(
            """insert into versions (version_id, article_id, number, title, plain_title, text, lines, text_sha256, same_sha256, published_at,
               modified_at, author, categories, claims, layout, extractor, first_capture_id, last_capture_id, first_captured_at, last_captured_at)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'general', '1', ?, ?, ?, ?)""",
            rows(),
        )
        conn.execute("update articles set newest_version_id = min(article_id * 2, ?)", (versions,))
    store.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
