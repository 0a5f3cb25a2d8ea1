"""What the manifests say of the evidence: which bytes each sealed, and what does not fit that.

Whoever can write the archive's folder can add records that claim to be old, but cannot put them under a
manifest that is there already: its digest is in all that follow. So a capture that is dated before those that
an earlier manifest sealed is a forged past, or the work of a clock that was set back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Literal

from archive.clock import format_time, now, parse_time
from archive.thresholds import CLOCK_SECONDS
from archive.warc.files import WarcFile
from archive.warc.manifests import Manifest, covered, digest_of
from archive.warc.timestamps import Token, has_expired

MOST = 10  # findings of one kind that are named: more have one cause
Kind = Literal["mismatch", "absent"]
# `repair` and `rebuild` are commands that make it good; to restore a file takes a copy of it.
Advice = Literal["repair", "rebuild", "restore"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was. ``thing`` is a file, a record (``file:byte``), a row or a manifest;
    ``offset`` is that of a record."""

    kind: Kind
    thing: str
    what: str
    advice: Advice = "restore"
    offset: int | None = None

    @property
    def sentence(self) -> str:
        """What is wrong, and the command that makes it good."""
        return self.what if self.advice == "restore" else f"{self.what}: run 'sohr-archive {self.advice}'"


def database_finding(what: str, thing: str = "archive.db", kind: Kind = "mismatch") -> Finding:
    """What only a rebuild makes good."""
    return Finding(kind, thing, what, "rebuild")


def check_chain(chain: list[Manifest], files: list[WarcFile], head: str | None) -> Iterator[Finding]:
    """The manifests follow each other without a gap, and the bytes they name are there and unchanged."""
    there = {file.serial: file for file in files}
    # How far each file is in a manifest; None after a gap or damage, for then nobody knows.
    reach: dict[int, int] | None = {}
    before: Manifest | None = None
    for manifest in chain:
        name = manifest.name
        gap = [
            f"manifests/{n:06d}.json" for n in range((before.number if before else 0) + 1, manifest.number)
        ]
        for missing in gap[:MOST]:
            yield Finding("absent", missing, f"{missing} is not there: it was removed")
        if len(gap) > MOST:
            what = f"{len(gap) - MOST} more manifests, up to {gap[-1]}, are not there: they were removed"
            yield Finding("absent", gap[-1], what)
        is_after_whole = not gap and not (before and before.fault)
        if manifest.fault:
            yield Finding("mismatch", name, f"{name} {manifest.fault}")
        elif is_after_whole and manifest.before != (before.digest if before else None):
            what = "follows another manifest than the one before it: that one was altered and written anew"
            yield Finding("mismatch", name, f"{name} {what}")
        if gap or manifest.fault:
            reach = None
        yield from _parts(manifest, there, reach)
        before = manifest
    if head is not None and head not in {manifest.digest for manifest in chain}:
        what = f"no manifest has the digest {head}: the newest were removed, or the chain was written anew"
        yield Finding("absent", "manifests", what)


def _parts(manifest: Manifest, there: dict[int, WarcFile], reach: dict[int, int] | None) -> Iterator[Finding]:
    name = manifest.name
    newest = max(reach or (), default=0)
    for part in manifest.parts:
        file = there.get(part.serial)
        if reach is not None:
            if part.start != reach.get(part.serial, 0):
                what = f"begins at byte {part.start} of {part.name}, and the manifests before end elsewhere"
                yield Finding("mismatch", name, f"{name} {what}")
            elif part.serial < newest:
                yield _grown(part.name, part.start, part.end)
            reach[part.serial] = part.end
        if file is None or file.name != part.name:
            yield Finding("absent", part.name, f"the file {part.name}, named in {name}, is not there")
        elif (size := file.path.stat().st_size) < part.end:
            what = f"is shorter than {name} says: {size} bytes of {part.end}"
            yield Finding("absent", file.name, f"{file.name} {what}")
        elif digest_of(file.path, part.start, part.end) != part.sha256:
            what = f"is not what it was: bytes {part.start} to {part.end} do not match {name}"
            yield Finding("mismatch", file.name, f"{file.name} {what}")


def _grown(name: str, start: int, end: int) -> Finding:
    what = f"{name} grew after it was closed: bytes {start} to {end} were added later than a newer file"
    return Finding("mismatch", f"{name}:{start}", what, offset=start)


def check_tokens(found: list[Token], chain: list[Manifest]) -> Iterator[Finding]:
    """Each token is good, and no older than its manifest. A certificate that has expired since is reported
    unless a later token covers the same."""
    written = {manifest.number: manifest.at for manifest in chain if not manifest.fault}
    lasting = max((token.number for token in found if not token.fault and not has_expired(token)), default=0)
    for token in found:
        what = token.fault
        at = written.get(token.number, "")
        if not what and at and token.at < _by_an_hour(at, -1):
            what = f"is of {token.at}, and its manifest says that it was written later, at {at}"
            what += ": that time is forged, or a clock was wrong"
        if not what and has_expired(token) and token.number > lasting:
            what = (
                f"was good when it was made, {token.at}, but the certificate of {token.authority} has "
                f"expired since, {token.expires_at}, and no later token covers the same: crawl to get another"
            )
        if what:
            yield Finding("mismatch", token.name, f"{token.name} {what}")


def check_serials(chain: list[Manifest], files: list[WarcFile], known: set[int]) -> Iterator[Finding]:
    """Serial numbers begin at 1 and have no gap. Those of files that a manifest or the database (``known``)
    names are reported by that name."""
    there = {file.serial for file in files}
    for file in files:
        if file.serial < 1:
            what = f"{file.name} has a serial number that no archive gives: it was put there"
            yield Finding("mismatch", file.name, what)
    missing = sorted(set(range(1, max(there, default=0))) - there - known - set(covered(chain)))
    for serial in missing[:MOST]:
        what = f"the WARC file with serial number {serial} is not there, and nothing says what it held"
        yield Finding("absent", f"serial number {serial}", what)
    if len(missing) > MOST:
        what = f"{len(missing) - MOST} more WARC files, up to serial number {missing[-1]}, are not there"
        yield Finding("absent", f"serial number {missing[-1]}", what)


def sealed_ends(chain: list[Manifest]) -> dict[int, int] | None:
    """How far each file is in manifests; None if some are missing or damaged, for then nobody knows."""
    is_whole = all(one.number == number and not one.fault for number, one in enumerate(chain, 1))
    return covered(chain) if is_whole else None


def find_unsealed(reach: dict[int, int] | None, file: WarcFile) -> Finding | None:
    """Bytes at the end of a file that no manifest covers, as after a crash. None if there are none, or if
    nobody knows."""
    if reach is None:
        return None
    start, end = reach.get(file.serial, 0), file.path.stat().st_size
    if end <= start:
        return None
    if file.serial < max(reach, default=0):
        return _grown(file.name, start, end)
    what = f"bytes {start} to {end} of {file.name} are in no manifest, perhaps after a crash"
    return Finding("absent", f"{file.name}:{start}", what, "repair", start)


# -- pasts: from the rows, which `verify` compares with the records

_SPAN = """select min(recorded_at), max(recorded_at) from captures join warc_files using (warc_file_id)
where serial = ? and offset >= ? and offset < ?"""
_PART = """select f.name, c.offset, c.url, c.recorded_at
from captures c join warc_files f using (warc_file_id)
where f.serial = ? and c.offset >= ? and c.offset < ?"""
_EARLY = f"{_PART} and c.recorded_at < ? order by c.offset"
_FUTURE = f"{_PART} and c.recorded_at > ? order by c.offset"
# A live capture is recorded when it is made. Only imports and backfills bring older ones, and say so.
_LATE = """select f.name, c.offset, c.url, c.captured_at, c.recorded_at, k.name, k.finished_at
from captures c join warc_files f using (warc_file_id) left join crawls k using (crawl_id)
where (c.recorded_at != c.captured_at and c.source = 'live')
    or c.recorded_at > k.finished_at
order by f.serial, c.offset"""
# A crawl begins after those before it
_CRAWLS = """select name, started_at, max(started_at) over (order by crawl_id) as newest from crawls"""


def check_pasts(connection: sqlite3.Connection, chain: list[Manifest]) -> Iterator[Finding]:
    """What cannot be: captures dated before those that an earlier manifest sealed, or after the manifest that
    sealed them; live captures recorded later than they were made; captures that name a crawl that had ended;
    crawls dated before an earlier one."""
    newest, newest_in = "", ""  # the newest capture that the manifest before sealed
    spans = [(m.name, m.at, [(part.serial, part.start, part.end) for part in m.parts]) for m in chain]
    if (ends := sealed_ends(chain)) is not None:
        serials = connection.execute("select serial from warc_files order by serial")
        spans.append(("the clock", now(), [(serial, ends.get(serial, 0), 2**62) for (serial,) in serials]))
    for name, sealed_at, places in spans:
        times = [tuple(connection.execute(_SPAN, place).fetchone()) for place in places]
        if newest and any(low and low < _by_an_hour(newest, -1) for low, _ in times):
            why = f"{newest_in}, which was there before, has one of {newest}"
            why += ": its past is forged, or the clock was set back"
            yield from _dated(connection, _EARLY, places, _by_an_hour(newest, -1), why)
        if last := max((high or "" for _, high in times), default=""):
            newest, newest_in = last, name  # of the last only: a clock that was set back is told once
        if sealed_at and last > _by_an_hour(sealed_at, 1):
            why = f"{name} that sealed it says {sealed_at}: its time is forged, or the clock was wrong"
            yield from _dated(connection, _FUTURE, places, _by_an_hour(sealed_at, 1), why)
    yield from _late(connection)
    early = ((name, at, high) for name, at, high in connection.execute(_CRAWLS) if at < _by_an_hour(high, -1))
    for name, at, before in islice(early, MOST):
        what = f"the crawl {name} says that it began at {at}, and one before it at {before}"
        yield Finding("mismatch", name, f"{what}: its past is forged, or the clock was set back")


def _dated(
    connection: sqlite3.Connection, query: str, places: list[tuple[int, int, int]], limit: str, why: str
) -> Iterator[Finding]:
    for place in places:
        for file, offset, url, at in connection.execute(query, (*place, limit)).fetchmany(MOST):
            what = (
                f"the capture of {url} says that it was recorded at {at}, and {why}: byte {offset} of {file}"
            )
            yield Finding("mismatch", f"{file}:{offset}", what, offset=offset)


def _late(connection: sqlite3.Connection) -> Iterator[Finding]:
    for file, offset, url, at, recorded, crawl, finished in connection.execute(_LATE).fetchmany(MOST):
        why = "did not come from a file or another archive"
        if finished and recorded > finished:
            why = f"names the crawl {crawl}, which ended at {finished}"
        what = f"the capture of {url} is dated {at}, was recorded at {recorded} and {why}: byte {offset} of"
        yield Finding("mismatch", f"{file}:{offset}", f"{what} {file}", offset=offset)


def _by_an_hour(at: str, sign: int) -> str:
    """Earlier (-1) or later by what a clock that is as wrong as a crawl tolerates may say."""
    try:
        return format_time(parse_time(at) + sign * timedelta(seconds=CLOCK_SECONDS.value))
    except ValueError:  # the row was altered, which is a finding of its own
        return ""
