"""`rebuild --extract` in several processes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from archive.ingest.events import WORTH_IT
from tests.archiving import Archive, capture, dump, well
from tests.crawling import rows


def test_several_processes_read_again_what_one_does(tmp_path: Path) -> None:
    """However many processes read, the same texts replace the old ones, in the same order of changes."""
    one, two = tmp_path / "one", tmp_path / "two"
    posts = WORTH_IT + 20
    with Archive(one) as archive:
        archive.take(
            *(
                capture(n, "2026-01-02T00:00:00Z", f"{n} were wounded", "and more")
                for n in range(1, posts + 1)
            )
        )
    with closing(sqlite3.connect(one / "archive.db")) as db, db:
        db.execute("update versions set extractor = '0', text = 'read otherwise'")
    shutil.copytree(one, two)
    for folder, jobs in ((one, 1), (two, 2)):
        well(folder, "rebuild", "--extract", "--jobs", jobs)
        assert rows(
            folder, "select count(*), sum(text like '% were wounded' || char(10) || 'and more') from versions"
        ) == [(posts, posts)]
        assert rows(folder, "select count(*) from changes where kind = 'reparsed'") == [(posts,)]
    tables = [dump(folder) for folder in (one, two)]
    for table in ("versions", "articles", "captures", "search"):
        assert tables[0][table] == tables[1][table]
