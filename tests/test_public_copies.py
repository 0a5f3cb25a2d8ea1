"""Copies for the public: closed to robots, and without a word of what was taken out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from datasette.app import Datasette

from archive.export.public_copy import NOTE, NoCopy, NoSuchVersion, publish, read_redactions
from tests.browser.making import FIRST, SECOND
from tests.reading import start, text_of

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too


def redacted(path: Path, tmp_path: Path, *cited: str) -> Path:
    """A copy without these versions."""
    target = tmp_path / "public.db"
    made = publish(path.parent, target, read_redactions("\n".join(("# asked for by the family", "", *cited))))
    assert made.size == target.stat().st_size
    return target


async def test_a_copy_is_closed_to_robots(path: Path, tmp_path: Path, ds: Datasette) -> None:
    """Every answer of a published copy asks robots to stay away; the archive itself cannot change that."""
    copy = await start(redacted(path, tmp_path))
    assert "Disallow: /" in (await copy.client.get("/robots.txt")).text
    for address in ("/", "/-/sohr/", "/public/versions", "/public/versions.json"):
        assert "noindex" in (await copy.client.get(address)).headers["x-robots-tag"]
    assert (await ds.client.get("/robots.txt")).status_code == 404
    assert "x-robots-tag" not in (await ds.client.get("/-/sohr/")).headers


async def test_what_is_taken_out_is_gone(path: Path, tmp_path: Path) -> None:
    """Of a redacted version no word is left: not in tables, changes, search or the bytes of the file; other
    versions stay."""
    target = redacted(
        path,
        tmp_path,
        f"sohr:en:332481@{FIRST}",
        f"sohr:en:332481@{SECOND}",
        f"sohr:ar:700001@{FIRST}  # the first only",
    )
    stored = target.read_bytes()
    for word in ("Mayadin", "mayadin", "Deir Ezzor: the blast", "leaves 31 dead"):
        assert word.encode() not in stored, word
    assert "مقتل 4 أشخاص".encode() not in stored
    assert "مقتل 32 أشخاص".encode() in stored
    copy = await start(target)
    page = await text_of(copy, "en/332481")
    assert NOTE in page
    assert "ins>31" not in page
    assert "No posts" in await text_of(copy, "search?q=mayadin")
    assert "<mark>إدلب</mark>" in await text_of(copy, f"search?q={quote('ادلب')}")
    with closing(sqlite3.connect(target)) as conn:
        assert conn.execute("select figures from changes where seq in (6, 7)").fetchall() == [
            ("[]",),
            ("[]",),
        ]
        assert conn.execute("pragma integrity_check").fetchone() == ("ok",)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            conn.execute("update changes set kind = 'created' where seq = 6")
    with closing(sqlite3.connect(path)) as conn:  # the archive itself is as it was
        assert conn.execute("select count(*) from versions where title = ?", (NOTE,)).fetchone() == (0,)


def test_a_wrong_list_makes_no_copy(path: Path, tmp_path: Path) -> None:
    """A line that names nothing stops the copy: it would show what was meant to be hidden."""
    with pytest.raises(NoSuchVersion, match="has no version sohr:en:1@"):
        redacted(path, tmp_path, f"sohr:en:1@{FIRST}")
    with pytest.raises(NoSuchVersion, match="line 3 is not a citation"):
        redacted(path, tmp_path, "en:332481")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_takes_no_files_place(path: Path, tmp_path: Path) -> None:
    """A file that is there is left alone."""
    (tmp_path / "public.db").write_text("mine")
    with pytest.raises(NoCopy, match="exists: move it away"):
        redacted(path, tmp_path)
    assert (tmp_path / "public.db").read_text() == "mine"
