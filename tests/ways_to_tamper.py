"""Twenty ways to tamper with an archive, and what they share with twenty more."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from archive.clock import MACHINE, Clock, use
from archive.rebuild.rebuild import rebuild, repair
from archive.warc.files import warc_files
from archive.warc.manifests import manifests
from archive.warc.reader import read
from archive.warc.writer import Appender
from tests.archiving import capture
from tests.damaging import DAYS, files, flip, tamper

OLD = "2020-05-05T10:00:00Z"
LIE = ("It said 500 in 2020.", "Nobody saw it.")


@contextmanager
def clock_at(at: str) -> Iterator[None]:
    """This process's clock, as of an instant."""
    use(Clock.of(at))
    try:
        yield
    finally:
        use(MACHINE)


def places(folder: Path, number: int) -> list[tuple[int, int]]:
    """Where the exchanges of a file lie, their requests included: first byte and end."""
    ends = [at.position.offset + at.position.length for at in read(warc_files(folder / "warc")[number])]
    return list(pairwise(ends))


def forged(folder: Path, at: str = OLD, **fields: str) -> bytes:
    """An exchange as this software would have written it at that time."""
    scratch = folder / "scratch"
    appender = Appender(scratch, "x")
    appender.append_exchange(capture(1, at, *LIE, **fields))
    appender.close()
    (path,) = scratch.iterdir()
    content = path.read_bytes()
    shutil.rmtree(scratch)
    return content


def replace(path: Path, start: int, end: int, content: bytes) -> None:
    """Other bytes in the place of those."""
    raw = path.read_bytes()
    path.write_bytes(raw[:start] + content + raw[end:])


def made_anew(folder: Path) -> None:
    """Database and chain, from the files as they are."""
    shutil.rmtree(folder / "manifests")
    rebuild(folder)


# -- the ways ------------------------------------------------------------------------------------------------


def flip_a_bit(folder: Path) -> None:
    path = files(folder)[0]
    start, end = places(folder, 0)[0]
    flip(path, (start + end) // 2)


def cut_out(folder: Path) -> None:
    replace(files(folder)[0], *places(folder, 0)[0], b"")
    rebuild(folder)


def swap(folder: Path) -> None:
    path = files(folder)[0]
    (start, middle), (_, end) = places(folder, 0)[:2]
    raw = path.read_bytes()
    replace(path, start, end, raw[middle:end] + raw[start:middle])
    rebuild(folder)


def replace_a_page(folder: Path) -> None:
    replace(files(folder)[0], *places(folder, 0)[0], forged(folder, f"{DAYS[0]}T10:00:02Z"))
    rebuild(folder)


def remove_a_file(folder: Path) -> None:
    files(folder)[1].unlink()
    rebuild(folder)


def append_to_closed(folder: Path) -> None:
    with open(files(folder)[0], "ab") as file:
        file.write(forged(folder))
    rebuild(folder)


def append_to_open(folder: Path, **how: str) -> None:
    with open(files(folder)[-1], "ab") as file:
        file.write(forged(folder, **how))
    repair(folder)


def put_first(folder: Path) -> None:
    (folder / "warc" / "127.0.0.1-9-20200505-000000.warc.gz").write_bytes(forged(folder))
    rebuild(folder)


def put_last(folder: Path) -> None:
    (folder / "warc" / "127.0.0.1-9-20200505-000004.warc.gz").write_bytes(forged(folder))
    rebuild(folder)


def as_import(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        (name,) = db.execute("select name from crawls where kind = 'import'").fetchone()
    append_to_open(folder, recorded_at="2026-01-05T00:00:00Z", crawl=name, source="import")


def under_an_old_manifest(folder: Path) -> None:
    with clock_at(OLD):
        append_to_open(folder)


def change_a_manifest(folder: Path) -> None:
    path = manifests(folder)[1].path
    path.write_bytes(path.read_bytes().replace(b"2026-01-03", b"2026-01-02"))


def remove_a_manifest(folder: Path) -> None:
    manifests(folder)[1].path.unlink()


def remove_the_newest(folder: Path) -> None:
    for manifest in manifests(folder)[2:]:
        manifest.path.unlink()
    files(folder)[-1].unlink()
    (folder / "archive.db").unlink()
    rebuild(folder)


def replace_all(folder: Path) -> None:
    replace(files(folder)[0], *places(folder, 0)[0], forged(folder, f"{DAYS[0]}T10:00:02Z"))
    made_anew(folder)


def begin_earlier(folder: Path) -> None:
    path = files(folder)[0]
    path.write_bytes(forged(folder) + path.read_bytes())
    made_anew(folder)


@dataclass(frozen=True)
class Way:
    """A way to tamper: what is done, whether `verify` names it with nothing kept elsewhere, and whether a
    token does."""

    what: str
    do: Callable[[Path], None]
    by_verify: bool = True
    by_token: bool = False


WAYS = (
    Way("flip a bit of a record", flip_a_bit),
    Way("cut an exchange out of a file, rebuild", cut_out),
    Way("swap two exchanges, rebuild", swap),
    Way("put another page with right digests in the place of one, rebuild", replace_a_page),
    Way("remove a file, rebuild", remove_a_file),
    Way("add an exchange dated 2020 to a closed file, rebuild", append_to_closed),
    Way("add one dated 2020 to the open file, repair", append_to_open),
    Way("add a file before the first, with one dated 2020, rebuild", put_first),
    Way("add a file after the last, with one dated 2020, rebuild", put_last),
    Way(
        "add a live capture of 2020 as recorded today, repair",
        partial(append_to_open, recorded_at="2026-01-05T00:00:00Z"),
    ),
    Way("add a capture of 2020 to an import that has ended, repair", as_import),
    Way("add one dated 2020 and seal it with a manifest dated 2020", under_an_old_manifest),
    Way(
        "change the text of a version in the database",
        lambda folder: tamper(
            folder, "update versions set text = replace(text, 'says', 'said') where version_id = 2"
        ),
    ),
    Way(
        "delete a version from the database",
        lambda folder: tamper(folder, "delete from versions where version_id = 2"),
    ),
    Way(
        "change the time of a capture in the database",
        lambda folder: tamper(
            folder, f"update captures set captured_at = '{OLD}', recorded_at = '{OLD}' where capture_id = 2"
        ),
    ),
    Way("change a manifest", change_a_manifest, True, True),
    Way("remove a manifest", remove_a_manifest, True, True),
    Way("remove the newest manifests, their files and the database, rebuild", remove_the_newest, False, True),
    Way("replace a page, write chain and database anew", replace_all, False, True),
    Way(
        "put an exchange dated 2020 before the first, write chain and database anew",
        begin_earlier,
        False,
        True,
    ),
)
