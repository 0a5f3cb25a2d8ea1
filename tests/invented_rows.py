"""An archive of invented rows, one of a kind, for the tests of what Datasette shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from sqlite_utils import Database

from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.schema import create_schema
from archive.text.fold import fold
from tests.made_once import made_once

SITE = "https://www.syriahr.example/"
SHA = "0" * 64
BEFORE, AFTER = "2025-03-01T10:00:00Z", "2025-03-03T08:00:00Z"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a small archive: an English post in two versions, an Arabic one, one that is gone, one
    that is hostile, one that was only sighted."""
    return made_once(tmp_path_factory, "invented", _make)


def _make(folder: Path) -> Path:
    path = folder / "archive.db"
    db = Database(path)
    create_schema(db.conn)
    db.table("about").insert_all(
        [
            {"key": "site", "value": "syriahr.example"},
            {"key": "home", "value": SITE},
            {"key": "epoch", "value": "1"},
        ]
    )
    counters = {"requests": 9, "new": 4, "changed": 1, "unchanged": 0, "gone": 1, "failed": 0}
    db.table("crawls").insert(
        {
            "crawl_id": 1,
            "name": "crawl-1",
            "kind": "crawl",
            "started_at": BEFORE,
            "finished_at": BEFORE,
            "finish_reason": "finished",
            "exit_status": 0,
            "verdict": "healthy",
            "counters": json.dumps(counters),
        }
    )
    db.table("warc_files").insert(
        {"warc_file_id": 1, "serial": 1, "name": "syriahr-2025-03-01-000001.warc.gz", "opened_at": BEFORE}
    )
    _add(
        db,
        1,
        "en",
        332481,
        "Gunmen k-illed 3 in Deir Ezzor",
        ("Three people were k-illed.", "Details", "first", "second"),
        state="live",
        number=2,
    )
    _add(
        db,
        2,
        "ar",
        700001,
        "مقتل 3 أشخاص في إدلب",
        ("وثّق المرصد مقتل ثلاثة أشخاص في مدينة إدلب.",),
        state="live",
    )
    _add(
        db,
        3,
        "en",
        332400,
        "A post that went away",
        ("It was here.",),
        state="disappeared",
        missing_since=AFTER,
        missing_looks=3,
        url="http://[not/an/address",
    )
    _add(db, 4, "en", 332300, HOSTILE, (HOSTILE,), state="live", url="javascript:alert(3)", author=HOSTILE)
    db.table("articles").insert(
        {
            "article_id": 5,
            "source": "en",
            "key": "332200",
            "edition": "en",
            "post_id": 332200,
            "url": f"{SITE}en/332200/",
            "day": "2025-03-01",
            "first_sighted_at": BEFORE,
        }
    )
    for change in (
        {
            "seq": 1,
            "epoch": 1,
            "article_id": 1,
            "version_id": 10,
            "kind": "created",
            "said_at": BEFORE,
            "learnt_at": BEFORE,
        },
        {
            "seq": 2,
            "epoch": 1,
            "article_id": 1,
            "version_id": 11,
            "previous_version_id": 10,
            "kind": "updated",
            "severity": 3,
            "classes": '["figures"]',
            "figures": '[["3", "31"]]',
            "stealth": 1,
            "said_at": AFTER,
            "learnt_at": AFTER,
        },
        {"seq": 3, "epoch": 1, "article_id": 3, "kind": "disappeared", "said_at": AFTER, "learnt_at": AFTER},
    ):
        db.table("changes").insert(change)
    db.close()
    return path


def _add(
    db: Database,
    article_id: int,
    edition: str,
    post_id: int,
    title: str,
    lines: tuple[str, ...],
    number: int = 1,
    **more: Any,
) -> None:
    """An article with one version, or two that differ in a figure."""
    url = more.pop(
        "url", f"{SITE}en/{post_id}/" if edition == "en" else f"{SITE}%D8%AE%D8%A8%D8%B1/{post_id}/"
    )
    author = more.pop("author", "SOHR Desk")
    db.table("articles").insert(
        {
            "article_id": article_id,
            "source": edition,
            "key": str(post_id),
            "edition": edition,
            "post_id": post_id,
            "url": url,
            "day": "2025-03-01",
            "first_sighted_at": BEFORE,
            "first_captured_at": BEFORE,
            "last_captured_at": AFTER,
            "versions": number,
            **more,
        }
    )
    db.table("captures").insert(
        {
            "capture_id": article_id,
            "crawl_id": 1,
            "article_id": article_id,
            "url": url,
            "status": 200,
            "captured_at": BEFORE,
            "recorded_at": BEFORE,
            "channel": "article",
            "outcome": "new",
            "payload_sha256": SHA,
            "size": 100,
            "warc_file_id": 1,
            "offset": article_id * 100,
            "length": 100,
            "record_id": f"<urn:{article_id}>",
        }
    )
    kinds = (
        ["paragraph", ["heading", 3], ["list", 1], ["list", 1]]
        if len(lines) == 4
        else ["paragraph"] * len(lines)
    )
    said = title
    for n in range(1, number + 1):
        said = title.replace(" 3 ", " 31 ") if n == 2 else title
        db.table("versions").insert(
            {
                "version_id": article_id * 10 + n - 1,
                "article_id": article_id,
                "number": n,
                "title": said,
                "text": "\n".join(lines),
                "lines": json.dumps(kinds),
                "text_digest": bytes.fromhex(SHA),
                "same_digest": bytes.fromhex(SHA),
                "published_at": f"2025-03-01T0{article_id}:00:00Z",
                "author": author,
                "layout": "publisher",
                "extractor": "1",
                "first_capture_id": article_id,
                "last_capture_id": article_id,
                "first_captured_at": BEFORE if n == 1 else AFTER,
                "last_captured_at": AFTER,
                "categories": '["Syria News"]',
            }
        )
    newest = article_id * 10 + number - 1
    db.table("articles").update(article_id, {"newest_version_id": newest})
    db.execute(
        "insert into search (rowid, title, text) values (?, ?, ?)",
        (article_id, fold(said, HIDDEN), fold("\n".join(lines), HIDDEN)),
    )
    db.table("aliases").insert({"url": url, "article_id": article_id, "first_seen_at": BEFORE})


async def text_of(ds: Datasette, path: str, status: int = 200) -> str:
    """The body of a page."""
    response = await ds.client.get(path, follow_redirects=True)
    assert response.status_code == status, response.text[:2000]
    return str(response.text)


async def rows_of(ds: Datasette, path: str) -> list[dict[str, Any]]:
    """The rows of a page, asked as JSON."""
    response = await ds.client.get(path + ("&" if "?" in path else "?") + "_shape=objects")
    assert response.status_code == 200, response.text[:2000]
    rows: list[dict[str, Any]] = response.json()["rows"]
    return rows
