"""Metadata records that shape an archive: start and end of crawls, judgements, decisions of people."""

from __future__ import annotations

import json
from typing import Any

from archive.errors import NewerArchive
from archive.extract import EXTRACTOR
from archive.extract.cross_check import Check
from archive.extract.reader import KnownReader, Reader
from archive.ingest.judgement import accept_held, apply_judgement
from archive.ingest.path import Ingest
from archive.ingest.same_text import trust
from archive.ingest.seen import Seen, key_of
from archive.ingest.served import learnt_homes
from archive.model import APART, STOPPED, Capture, Kind, Unextractable
from archive.outcome import MENDABLE, NO_ANSWER, NOT_ASKED, Outcome
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site
from archive.store.connection import Row
from archive.store.rows import Store
from archive.warc.reader import Position

WORTH_IT = 300  # versions: below, the processes take longer to start than they save
REREAD_AHEAD = 500  # articles whose pages are being read while earlier ones are written


def apply_event(
    ingest: Ingest, event: dict[str, Any], at: Position, reader: Reader | None = None
) -> list[Outcome]:
    """Write what an event changes; the outcomes of the captures it decides on. Raises NewerArchive.

    ``reader`` reads what the event lets be read again.
    """
    store, outcomes = ingest.store, list[Outcome]()
    match event.get("event"):
        case "crawl-started":
            _identify_archive(ingest, event["site"], event["extractor"])
            _wake_what_is_dated_ahead(store, event["at"])
            store.crawls.start(
                event["name"], event["kind"], event["at"], event["arguments"], event["software"]
            )
            _note_shorter_files(store, event["name"], event.get("shorter_files", []))
        case "crawl-finished":
            # A crawl that was killed has no end of its own, only a last sign
            at_end = event.get("last_sign_at") or event["at"]
            facts = (event[name] for name in ("reason", "exit_status", "verdict", "counters"))
            store.crawls.finish(event["name"], at_end, *facts)
        case "no-answer" | "not-asked" as kind:
            url, reason = event["url"], NO_ANSWER if kind == "no-answer" else NOT_ASKED
            store.captures.add_failure(url, reason, event["error"], event["at"], None, event["crawl"], None)
            if reason == NO_ANSWER:
                ingest.channels.unanswered(url, event["at"])
        case "tls":
            pass  # how a host's connection was secured: captures name the record, no row comes of it
        case "cited":
            _add_cited(ingest, event["urls"], event["at"])
        case "read-apart":
            outcomes = _record_apart(ingest, event["record_id"], event["stopped"], event["drift"], reader)
        case "layout-confirmed":
            store.set_about(f"layout:{event['layout']}", event["at"])
            trust(store, event["layout"])
            _mend(ingest, event["layout"])
        case "re-extracted":
            _reread(ingest, event["at"], reader or ingest.reader)
            _mend(ingest, None)
        case "site-moved":
            _add_home(ingest, event["to"], event["has_slash"])
        case "crawl-judged":
            outcomes = apply_judgement(ingest, event)
        case "held-accepted":
            outcomes = accept_held(ingest, event["crawl"], event["at"])
        case "epoch":
            pass  # `archive.rebuild` reads it before it replays anything
        case kind:
            raise NewerArchive(
                f"{store.path.parent} was written by a newer release of sohr-archive (event {kind!r}): "
                "upgrade this one"
            )
    store.set_about(f"indexed:{at.serial}", str(at.offset + at.length))
    return outcomes


def unfinished(ingest: Ingest) -> list[Row]:
    """Rows of captures that are to be read apart, before any record says what came of it."""
    return ingest.store.query(f"select * from captures where outcome = '{APART}' order by capture_id")


def _identify_archive(ingest: Ingest, home: str, extractor: str) -> None:
    """Write down at its first crawl what the archive is."""
    facts = {"site": Site(home).name, "home": home, "epoch": "1", "extractor": extractor}
    for key, value in facts.items():
        if ingest.store.about(key) is None:
            ingest.store.set_about(key, value)


def _wake_what_is_dated_ahead(store: Store, at: str) -> None:
    """Let what a crawl captured by a clock that was ahead be due: else nobody would look until that time."""
    last = store.one("select started_at from crawls order by crawl_id desc limit 1")
    if last is not None and last[0] > at:
        sql = "update articles set next_look_at = ?1 where last_captured_at > ?1 and next_look_at > ?1"
        store.query(sql, at)


def _note_shorter_files(store: Store, crawl: str, names: list[str]) -> None:
    """Keep which WARC files lack bytes that they had, and the crawl whose exit status tells it: the first
    that came to its end."""
    known: dict[str, str] = json.loads(store.about("shorter_files") or "{}")
    if names or known:
        ended = "select 1 from crawls where name = ? and exit_status is not null"
        told = {name: by for name, by in known.items() if store.one(ended, by)}
        store.set_about("shorter_files", json.dumps({name: told.get(name, crawl) for name in names}))


def _add_home(ingest: Ingest, home: str, has_slash: bool) -> None:
    """The site is served below another address from now on; its identity stays."""
    ingest.site.add_home(home)
    homes = [known for known in learnt_homes(ingest.store) if known != home]
    ingest.store.set_about("other_homes", json.dumps([*homes, home]))
    ingest.store.set_about("paths_end_with_slash", str(int(has_slash)))


def _add_cited(ingest: Ingest, urls: list[str], at: str) -> None:
    """Addresses that somebody gave: aliases of the articles they name, if those are archived."""
    for url in urls:
        address = ingest.site.parse(url)
        if address and address.key and address.kind is Kind.ARTICLE:
            article = ingest.store.articles.get(address.key)
        else:
            at_url = address.url if address else addresses_elsewhere.clean(url)
            article = ingest.store.articles.get_at(at_url) if at_url else None
        if article is not None and article["first_captured_at"] is not None:
            ingest.store.articles.add_alias(url, article["article_id"], at)


def _mend(ingest: Ingest, layout: str | None) -> None:
    """Read once more what could not be read: all of it, or what one layout read and was not trusted with."""
    marks = ", ".join("?" * len(MENDABLE))
    sql = (
        f"select * from captures where outcome in ({marks}) and (? is null or layout = ?) order by capture_id"
    )
    for row in ingest.store.query(sql, *MENDABLE, layout, layout):
        ingest.record_again(row, ingest.reader_again(row))


def _record_apart(
    ingest: Ingest, record_id: str, stopped: str | None, drift: str | None, reader: Reader | None
) -> list[Outcome]:
    """What came of reading a page by itself: a text, as of any page, or that it was stopped. ``drift`` is how
    a second reader disagrees."""
    sql = "select * from captures where record_id = ? and outcome = ?"
    row = ingest.store.one(sql, record_id, APART)
    if row is None:
        return []
    if stopped is not None:
        reader = KnownReader(ingest.site, Unextractable(STOPPED, stopped))
    return [ingest.record_again(row, reader or KnownReader(ingest.site, None, Check(drift)), is_judged=False)]


def _reread(ingest: Ingest, at: str, reader: Reader) -> None:
    """Today's extractor reads every article again."""
    store = ingest.store
    store.set_about("extractor", EXTRACTOR)
    [(count,)] = store.query("select count(*) from versions where extractor != ?", EXTRACTOR)
    after = started = 0  # articles that were read again, and those whose reading was started
    which = "where newest_version_id is not null and article_id > ? order by article_id limit 500"
    while rows := store.articles.select(which, after):
        if count >= WORTH_IT:
            ahead = rows[-1]["article_id"] + REREAD_AHEAD
            _start_rereading(ingest, reader, started, ahead)
            started = ahead
        for row in rows:
            newest = store.versions.get(row["newest_version_id"])
            assert newest is not None  # foreign keys hold it
            marker = Capture(row["url"], 0, (), b"", captured_at=at, recorded_at=at)
            ingest.versions.reread(Seen(marker, newest["last_capture_id"]), row, reader)
        after = rows[-1]["article_id"]


def _start_rereading(ingest: Ingest, reader: Reader, after: int, upto: int) -> None:
    """Let the captures under versions of these articles be read ahead, if they are pages of this site."""
    rows = ingest.store.query(
        """select a.source, a.key, c.* from versions v join articles a using (article_id)
           join captures c on c.capture_id = v.first_capture_id
           where a.article_id > ? and a.article_id <= ? and a.edition is not null and v.extractor != ?
           order by a.article_id, v.number""",
        after,
        upto,
        EXTRACTOR,
    )
    path = ingest.evidence.path
    reader.start_rereading([(row["capture_id"], key_of(row), path(row), row["offset"]) for row in rows])
