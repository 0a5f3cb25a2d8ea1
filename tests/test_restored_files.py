"""WARC files that do not fit the database, as after restoring copies: no byte of evidence is lost, none is
written below what was sealed, no serial number is used twice, and the user is told."""

from __future__ import annotations

import shutil
from io import FileIO
from pathlib import Path

import pytest

from archive.errors import CannotWrite
from archive.warc.files import warc_files
from archive.warc.manifests import covered, manifests
from archive.warc.writer import Appender
from tests.archiving import capture, sohr
from tests.crawling import check_warcs, command, environment, rows, run
from tests.replica.server import Replica

POSTS = 3
DAYS = ("2026-01-05T06:00:00Z", "2026-01-06T06:00:00Z", "2026-01-07T06:00:00Z", "2026-01-08T06:00:00Z")


def crawl(replica: Replica, folder: Path, at: str, status: int = 0) -> str:
    """A crawl at an instant by the archive's clock, which ends with a status; what it printed."""
    done = run(command(replica, folder, "look=all"), environment() | {"ARCHIVE_CLOCK": at})
    assert done.status == status, done
    return done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """The WARC files."""
    return {path.name: path.read_bytes() for path in (folder / "warc").iterdir()}


def sealed_is_whole(folder: Path) -> bool:
    """Whether each byte that a manifest names lies in its file."""
    sizes = {file.serial: file.path.stat().st_size for file in warc_files(folder / "warc")}
    return all(sizes.get(serial, 0) >= end for serial, end in covered(manifests(folder)).items())


@pytest.fixture(scope="module")
def made(shared: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two days, and beside it the copy that was made on the first."""
    folder = tmp_path_factory.mktemp("made")
    crawl(shared, folder / "a", DAYS[0])
    shutil.copytree(folder / "a", folder / "copy")
    crawl(shared, folder / "a", DAYS[0].replace("06:", "09:"))
    crawl(shared, folder / "a", DAYS[1])
    return folder


@pytest.fixture
def days(made: Path, tmp_path: Path) -> Path:
    """The archive of two days, to be damaged."""
    shutil.copytree(made / "a", tmp_path / "a")
    return tmp_path / "a"


def test_an_old_open_file_beside_its_closed_one(site: Replica, made: Path, days: Path) -> None:
    """A copy made twice holds both. After restoring it, a rebuild and a crawl, the closed file has every
    byte, and `verify` names the spare one."""
    before = contents(days)
    (copied,) = (made / "copy" / "warc").iterdir()
    shutil.copy(copied, days / "warc")
    (days / "archive.db").unlink()
    assert sohr(days, "rebuild").status == 0
    crawl(site, days, DAYS[2])
    crawl(site, days, DAYS[3])
    after = contents(days)
    for name, content in before.items():
        assert after[name.removesuffix(".open")].startswith(content)
    assert after[copied.name] == copied.read_bytes() and sealed_is_whole(days)
    ran = sohr(days, "verify")
    assert ran.status == 1 and len(ran.lines) == 1 and copied.name in ran.lines[0]
    (days / "warc" / copied.name).unlink()
    assert sohr(days, "verify", "--deep").status == 0


@pytest.mark.parametrize("rebuilt", [True, False], ids=["rebuilt", "as it was"])
def test_an_old_copy_of_the_open_file(site: Replica, tmp_path: Path, rebuilt: bool) -> None:
    """It is shorter than the manifests say: nothing is added to it, a new file is begun, the crawl and
    `verify` say so, and when the right file is back all is whole."""
    folder = tmp_path / "a"
    crawl(site, folder, DAYS[0])
    (path,) = (folder / "warc").iterdir()
    old = path.read_bytes()
    crawl(site, folder, DAYS[0].replace("06:", "09:"))
    new = path.read_bytes()
    assert len(new) > len(old)
    path.write_bytes(old)
    if rebuilt:
        (folder / "archive.db").unlink()
        assert sohr(folder, "rebuild").status == 0
    said = crawl(site, folder, DAYS[0].replace("06:", "12:"), 73)
    assert f"shorter than they were, and nothing is added to them: {path.name.removesuffix('.open')}" in said
    assert path.read_bytes() == old
    assert [file.serial for file in warc_files(folder / "warc")] == [1, 2]
    crawl(site, folder, DAYS[1])
    assert path.read_bytes() == old
    assert (b"EVIDENCE IS LACKING" in sohr(folder, "status").out) is not rebuilt
    ran = sohr(folder, "verify")
    assert ran.status == 1 and "is shorter than manifests/000002.json says" in ran.lines[0]
    path.write_bytes(new)
    assert sohr(folder, "rebuild").status == 0 and sohr(folder, "verify", "--deep").status == 0
    assert b"LACKING" not in sohr(folder, "status").out
    check_warcs(folder)


def test_a_serial_number_is_used_once(site: Replica, days: Path) -> None:
    """Also after the newest file is gone: the manifests know its number."""
    newest = warc_files(days / "warc")[-1]
    newest.path.unlink()
    (days / "archive.db").unlink()
    assert sohr(days, "rebuild").status == 0
    crawl(site, days, DAYS[2])
    assert [file.serial for file in warc_files(days / "warc")] == [1, newest.serial + 1]
    assert rows(days, "select max(serial) from warc_files") == [(newest.serial + 1,)]


def test_after_a_failed_write_nothing_more_is_written(tmp_path: Path) -> None:
    """Not by the next record, nor by closing: half a record stands at the end, for `repair` to cut."""

    class Full(FileIO):
        """A disk that takes 100 bytes and has room again afterwards."""

        failed = 0

        def write(self, content: object) -> int:
            if Full.failed == 1:
                Full.failed = 2
                raise OSError(28, "No space left on device")
            Full.failed += 1
            return super().write(memoryview(content)[:100])  # type: ignore[call-overload, no-any-return]

    appender = Appender(tmp_path, "x")
    appender.append_exchange(capture(1, DAYS[0], "A text."))
    (path,) = tmp_path.iterdir()
    appender._file = Full(path, "ab")
    for attempt in (
        appender.sync,
        appender.sync,
        lambda: appender.append_exchange(capture(2, DAYS[0], "B.")),
    ):
        with pytest.raises(CannotWrite, match="No space left on device"):
            attempt()
    appender.close()
    assert path.stat().st_size == 100 and Full.failed == 2
