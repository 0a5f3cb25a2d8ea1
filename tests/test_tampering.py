"""Forty ways to tamper with an archive, and what names each: `verify`, `verify --deep`, `verify --head`, a
timestamp.

Whoever tampers here has the folder, this software, and time to hide the traces with `repair` or `rebuild`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.rebuild.verify import verify
from archive.warc.manifests import manifests
from archive.warc.timestamps import ROOTS, trusted_roots
from archive.writer.import_file import Importer
from tests.archiving import Archive, capture, said, warc
from tests.authority import Authority
from tests.damaging import DAYS, files
from tests.more_ways_to_tamper import MORE
from tests.replica.server import ROOT
from tests.ways_to_tamper import (
    WAYS,
    Way,
    clock_at,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crawls on three days, each in a file of its own, and an import of older captures on the last."""
    folder = tmp_path_factory.mktemp("tampering") / "archive"
    for number, day in enumerate(DAYS):
        with clock_at(f"{day}T10:00:05Z"), Archive(folder) as archive:
            archive.take(
                *(
                    capture(post, f"{day}T10:00:0{post}Z", f"It says {number} of {post}.", "And more.")
                    for post in (1, 2, 3)
                )
            )
    with clock_at(f"{DAYS[-1]}T12:00:00Z"):
        older = warc(
            folder.parent / "older.warc.gz", [said(1, "2024-01-01T10:00:00Z", "It said 7.", "More.")]
        )
        Importer(folder).add(older)
    return folder


@pytest.fixture(scope="module")
def dated(whole: Path) -> Iterator[Path]:
    """Tokens of each of its manifests, kept elsewhere."""
    with Authority(whole.parent / "authority") as authority, pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROOTS, str(authority.root))
        trusted_roots.cache_clear()
        kept = whole.parent / "tokens"
        kept.mkdir()
        for manifest in manifests(whole):
            (kept / manifest.path.name).with_suffix(".tsr").write_bytes(authority.stamp(manifest.path))
        yield kept
    trusted_roots.cache_clear()


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """The archive, to be tampered with, a day later."""
    return Path(shutil.copytree(whole, tmp_path / "archive"))


def test_the_archive_is_whole(whole: Path) -> None:
    """Its import is of the past, and no finding."""
    assert list(verify(whole, deep=True, head=manifests(whole)[-1].digest)) == []
    assert len(manifests(whole)) == 4 and len(files(whole)) == 3


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.what)
def test_each_way_is_named(folder: Path, dated: Path, way: Way) -> None:
    """By `verify` alone, or by it with the digest or the tokens that were kept elsewhere."""
    head = manifests(folder)[-1].digest
    way.do(folder)
    found = list(verify(folder))
    assert bool(found) == way.by_verify, found
    assert list(verify(folder, head=head))
    for token in dated.iterdir():
        shutil.copy(token, folder / "manifests")
    assert any(one.thing.endswith(".tsr") for one in verify(folder)) == way.by_token


@pytest.mark.parametrize(
    ("do", "named"),
    [
        pytest.param(do, named, marks=[pytest.mark.slow] * (n > 1), id=what)
        for n, (do, what, named) in enumerate(MORE)
    ],
)
def test_what_names_twenty_more(folder: Path, dated: Path, do: Callable[[Path], None], named: str) -> None:
    """By `verify`, `--deep`, `--head`, a token."""
    head = manifests(folder)[-1].digest
    do(folder)
    found = [bool(list(verify(folder, **how))) for how in ({}, {"deep": True}, {"head": head})]
    for token in dated.iterdir():
        shutil.copy(token, folder / "manifests")
    found.append(any(one.thing.endswith(".tsr") for one in verify(folder)))
    assert ["yes" if one else "no" for one in found] == named.split()


def test_the_tables_are_those_in_the_docs() -> None:
    """Forty ways, and what names each."""
    text = (ROOT / "docs" / "tampering.md").read_text()
    table = re.findall(r"^\| ([^|]+?) \| (yes|no) \| yes \| (yes|no) \|$", text, re.MULTILINE)
    words = {True: "yes", False: "no"}
    assert table == [(way.what, words[way.by_verify], words[way.by_token]) for way in WAYS]
    assert len(table) == len(MORE) == 20
    for _, what, named in MORE:
        assert f"| {what} | {' | '.join(named.split())} |" in text
