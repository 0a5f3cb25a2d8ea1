"""Alerts: changes that match a rule of the settings file are posted to a web address, each at least once.

Each rule is a consumer of the feed (`archive.read.consumers`). Its cursor moves after its address has
answered well. So a crash or an address that is down repeats a change and loses none; ``Idempotency-Key``
(epoch and seq) says which one is repeated.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from archive.clock import current_time, format_time, now, read_retry_after
from archive.errors import LOCKED, ArchiveError
from archive.folder import ALERTS, write_whole
from archive.model import CHANGE_KINDS
from archive.read import feed
from archive.read.consumers import Consumers, FeedBeganAnew
from archive.read.references import parse_reference
from archive.read.search import parse_query
from archive.settings_file import SETTINGS, BadSettings, read_settings
from archive.sites.hosts import is_web_address

if TYPE_CHECKING:
    from archive.read.api import Archive  # loads the readers of pages, and `status` only wants the troubles

EDITS = ("updated", "metadata", "missing", "disappeared", "moved", "restored", "retracted")
# What a public archive had: a backfill tells thousands of changes of years ago
_OF_THE_PAST = """select 1 from changes join captures using (capture_id)
where seq = ? and service_url is not null"""
SECONDS = 10.0  # for an answer
WAITS = (1.0, 5.0)  # seconds before the second and third try; after that the next run tries
MOST_PAUSE = timedelta(days=1)  # that an address may ask for (Retry-After)
MOST_LINES, MOST_LETTERS = 2_000, 200_000  # of a version whose edit is shown as a comparison: 0.6 s of CPU
BATCH = 500  # changes read at a time; the cursor moves after each that was sent, and after a batch
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_URL = re.compile(r"https?://[!-~]+")  # ASCII without blanks, as it goes over the wire


class AlertsRun(ArchiveError):
    """Raised when another process sends the alerts of this archive, by `send_alerts`."""

    exit_status = LOCKED


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule. Empty filters allow all; they mean what they mean on the page of changes."""

    name: str
    url: str
    secret: str
    kind: str = ""  # "": all but first captures
    severity: int | None = None  # exactly this one
    edition: str = ""
    words: str = ""  # in the article's newest version

    def matches(self, conn: sqlite3.Connection, change: dict[str, Any]) -> bool:
        """Whether a change of the feed is one to send."""
        if change["kind"] not in ((self.kind,) if self.kind else EDITS):
            return False
        if self.severity is not None and change["severity"] != self.severity:
            return False
        if self.edition and change["edition"] != self.edition:
            return False
        if conn.execute(_OF_THE_PAST, (change["seq"],)).fetchone():
            return False
        match = parse_query(self.words).expression()
        sql = """select 1 from search where search match ? and rowid =
                 (select article_id from articles where source = ? and key = ?)"""
        return not match or bool(conn.execute(sql, (match, change["source"], change["key"])).fetchone())


@dataclass(frozen=True, slots=True)
class Trouble:
    """Of an alert whose last try failed: the change, why, since when, and until when its address asks to be
    left alone (UTC; empty: it does not ask)."""

    name: str
    seq: int
    why: str
    since: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run did for one alert."""

    name: str
    sent: int
    trouble: Trouble | None


def read_alerts(folder: Path) -> list[Alert]:
    """The alerts of an archive's settings file. Raises BadSettings."""
    found: list[Alert] = []
    known = {of.name for of in fields(Alert)}
    for number, stated in enumerate(read_settings(folder).get("alerts", []), 1):
        place = f"{folder / SETTINGS}: alert {number}"
        wrong = [name for name in stated if name not in known]
        texts = [value for name, value in stated.items() if name != "severity"]
        if wrong or not all(isinstance(value, str) for value in texts):
            raise BadSettings(f"{place} may have only texts, and severity: {', '.join(sorted(known))}")
        alert = Alert(**{"name": "", "url": "", "secret": ""} | stated)
        problem = _problem(alert) or (alert.name in [one.name for one in found] and "repeats a name")
        if problem:
            raise BadSettings(f"{place} {problem}: correct it")
        found.append(alert)
    return found


def _problem(alert: Alert) -> str | None:
    """What is wrong with a rule; None: nothing."""
    if not _NAME.fullmatch(alert.name):
        return "needs a name of small letters, digits and dashes"
    if not is_web_address(alert.url):
        return "needs a url that begins with https://"
    if not _URL.fullmatch(alert.url):
        return "has a url with blanks or letters beyond ASCII: write these percent-encoded, a host as xn--"
    if "@" in urlsplit(alert.url).netloc:
        return "has a login in its url, which is not sent: the signature proves who sends"
    if len(alert.secret) < 16:
        return "needs a secret of 16 characters or more, with which messages are signed"
    if alert.kind and alert.kind not in CHANGE_KINDS:
        return f"has an unknown kind; known are {', '.join(CHANGE_KINDS)}"
    if alert.severity not in (None, 0, 1, 2, 3):
        return "has a severity that is not 0, 1, 2 or 3"
    return "has an edition that is not en or ar" if alert.edition not in ("", "en", "ar") else None


def read_troubles(folder: Path) -> list[Trouble]:
    """The alerts whose last try failed."""
    try:
        found = json.loads((folder / ALERTS).read_text(encoding="utf-8"))
        return [Trouble(**one) for one in found]
    except (OSError, ValueError, TypeError):
        return []


def send_alerts(archive: Archive, conn: sqlite3.Connection) -> list[Sent]:
    """Send what is new to each alert of the settings file. An alert begins with the changes after its first
    run, and again after the feed was numbered anew. Raises BadSettings, AlertsRun, CannotKeepCursor."""
    folder = archive.folder
    alerts = read_alerts(folder)
    with _alone(folder):
        before = {one.name: one for one in read_troubles(folder)}
        sent = [_send_new(archive, conn, alert, before.get(alert.name)) for alert in alerts]
        troubles = [asdict(one.trouble) for one in sent if one.trouble]
        if troubles or before:
            write_whole(folder / ALERTS, json.dumps(troubles))
    return sent


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with open(folder / f"{ALERTS}.lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlertsRun("another process sends the alerts of this archive: let it finish") from None
        yield


def _begin(consumers: Consumers, conn: sqlite3.Connection, name: str) -> int | None:
    """The last change that an alert has dealt with; None if it begins now, after all that there is."""
    try:
        cursor = consumers.cursor(name)
        if cursor.acknowledged_at:
            return cursor.seq
    except FeedBeganAnew:
        pass
    consumers.ack(name, feed.newest_seq(conn), rewind=True)
    return None


def _send_new(archive: Archive, conn: sqlite3.Connection, alert: Alert, before: Trouble | None) -> Sent:
    consumers, name = Consumers(archive.folder, conn), f"alert-{alert.name}"
    seq = _begin(consumers, conn, name)
    if seq is None:
        return Sent(alert.name, 0, None)
    if before and now() < before.until <= format_time(current_time() + MOST_PAUSE):  # else a clock was wrong
        return Sent(alert.name, 0, before)
    count = 0
    while batch := list(feed.changes(conn, seq, BATCH)):  # a list: no transaction stays open while it is sent
        for change in batch:
            seq = change["seq"]
            if not alert.matches(conn, change):
                continue
            if not count:
                consumers.ack(name, seq - 1)  # where nothing can be noted, as on a full disk, nothing is sent
            if refused := post(alert, message(archive, alert, change), f"{change['epoch']}-{seq}"):
                since = before.since if before else now()
                return Sent(alert.name, count, Trouble(alert.name, seq, refused.why, since, refused.until))
            consumers.ack(name, seq)
            count += 1
        consumers.ack(name, seq)
    return Sent(alert.name, count, None)


def message(archive: Archive, alert: Alert, change: dict[str, Any]) -> dict[str, Any]:
    """What is posted: the line of the feed, the citations in it, and for an edit what changed, as a unified
    comparison, unless a text is too long for one."""
    diff = None
    if change["citation"] and change["previous"]:
        after, before = parse_reference(change["citation"]), parse_reference(change["previous"])
        article = archive.find(after)
        if after.at and before.at:
            both = [article.at(before.at), article.at(after.at)]
            if all(one.text.count("\n") < MOST_LINES and len(one.text) <= MOST_LETTERS for one in both):
                diff = article.diff(*(one.number for one in both)).unified()
    return {"alert": alert.name, "change": change, "diff": diff}


class Refused(NamedTuple):
    """What went wrong, without the address; ``until`` is as in `Trouble`."""

    why: str
    until: str = ""


def post(alert: Alert, content: dict[str, Any], key: str) -> Refused | None:
    """Post a message, up to three times, but not against a Retry-After; return what went wrong, or None.

    ``Sohr-Signature`` is ``sha256=`` and the HMAC of the body with the alert's secret, in hex.
    """
    body = json.dumps(content, ensure_ascii=False).encode()
    signature = hmac.new(alert.secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "sohr-archive",
        "Idempotency-Key": key,
        "Sohr-Signature": f"sha256={signature}",
    }
    refused: Refused | None = None
    for wait in (*WAITS, None):
        refused = _post_once(Request(alert.url, body, headers))  # noqa: S310  # http and https only, see above
        if refused is None or refused.until or wait is None:
            break
        time.sleep(wait)
    return refused


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would lose the message."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post_once(request: Request) -> Refused | None:
    found: list[Refused | None] = []
    # An address that drips its answer is not waited for
    asking = Thread(target=lambda: found.append(_ask(request)), daemon=True)
    asking.start()
    asking.join(SECONDS)
    return found[0] if found else _late()


def _late() -> Refused:
    return Refused(f"its address did not answer within {SECONDS:g} seconds")


def _ask(request: Request) -> Refused | None:
    try:
        with build_opener(_NoRedirect).open(request, timeout=SECONDS):
            return None
    except HTTPError as error:
        with error:
            asked = read_retry_after(error.headers.get("Retry-After"), current_time())
        until = format_time(min(asked, current_time() + MOST_PAUSE)) if asked else ""
        return Refused(f"its address answered with status {error.code}", until)
    except TimeoutError:
        return _late()
    except (OSError, HTTPException, ValueError) as error:
        return Refused(f"its address did not answer ({type(error).__name__})")


def send_test(alert: Alert) -> str | None:
    """Post a message without a change; return what went wrong, or None."""
    content = {"alert": alert.name, "change": None, "diff": None}
    refused = post(alert, content, "test")
    return refused.why if refused else None
