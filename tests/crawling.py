"""`scrapy crawl sohr` as a person runs it: a process of its own, against a replica, judged by what it leaves
behind."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psutil
from warcio.archiveiterator import ArchiveIterator

from archive.clock import Clock, format_time
from tests.replica.posts import Post
from tests.replica.server import ROOT, Replica
from tests.replica.words import EDITIONS

SECONDS = 120  # no crawl of these tests takes a tenth of it
QUICK = {"DOWNLOAD_DELAY": 0, "BACKOFF_SECONDS": 0.05}  # loopback minds no haste
# WARC records that hold what the site answered: whole, or by reference to an answer that was the same
ANSWERS = ("response", "revisit")
Text = tuple[str, tuple[str, ...]]  # title, lines


@dataclass(frozen=True)
class Crawled:
    """A crawl that has ended. ``told`` is what it said on standard error without its log; ``new`` what ``-O
    new.jsonl`` got."""

    status: int
    seconds: float
    stderr: str = field(repr=False)
    new: list[dict[str, Any]] = field(repr=False)

    @property
    def told(self) -> list[str]:
        """Lines for people: no stamped log line, nothing Scrapy prints of itself below one."""
        return [
            line
            for line in self.stderr.splitlines()
            if line.startswith(("sohr:", "crawl ", "Error", "Usage", "scrapy", "crawl:"))
        ]


def command(
    site: Replica | str, folder: Path, *arguments: str, out: Path | None = None, **settings: Any
) -> list[str]:
    """The command line; ``arguments`` without their ``-a``, ``settings`` without their ``-s``."""
    url = site if isinstance(site, str) else site.url
    given = [part for a in (f"site={url}", *arguments) for part in ("-a", a)]
    given += [
        part
        for name, value in {"ARCHIVE_DIR": folder, **QUICK, **settings}.items()
        for part in ("-s", f"{name}={value}")
    ]
    return [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        "crawl",
        "sohr",
        *given,
        *(["-O", str(out)] if out else []),
    ]


def environment() -> dict[str, str]:
    """This one's, without what a person may have set for crawls of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ARCHIVE_", "SCRAPY_"))}


def crawl(
    site: Replica | str,
    folder: Path,
    *arguments: str,
    within: float = SECONDS,
    limit: Callable[[], None] | None = None,
    **settings: Any,
) -> Crawled:
    """Run to the end. ``limit`` is called in the child before the command. Raises subprocess.TimeoutExpired
    where it hangs."""
    with TemporaryDirectory() as beside:
        out = Path(beside) / "new.jsonl"
        done = run(command(site, folder, *arguments, out=out, **settings), within=within, limit=limit)
        lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
        return replace(done, new=[json.loads(line) for line in lines])


def run(
    line: Sequence[str],
    given: Mapping[str, str] | None = None,
    *,
    within: float = SECONDS,
    limit: Callable[[], None] | None = None,
    source: Path = ROOT,
) -> Crawled:
    """Run a command line to the end, in an environment of its own where one is given. Raises
    subprocess.TimeoutExpired where it hangs."""
    begun = time.monotonic()
    # preexec_fn is for resource limits; these tests start no threads
    done = subprocess.run(
        line,
        cwd=source,
        env=given or environment(),
        capture_output=True,
        text=True,
        timeout=within,
        preexec_fn=limit,
        check=False,
    )
    return Crawled(done.returncode, time.monotonic() - begun, done.stderr, [])


def in_step(replica: Replica, clock: str) -> None:
    """Set the site's time to what ``ARCHIVE_CLOCK=clock`` makes of this instant: posts are then published
    when the archive thinks it is."""
    replica.call("clock", at=format_time(datetime.now(UTC) + timedelta(seconds=Clock.of(clock).ahead)))


def plain_posts(replica: Replica, count: int) -> list[Post]:
    """The oldest of the English posts that have one page and no trait."""
    return [post for post in replica.posts("en") if not post.odd and len(post.pages) == 1][-count:]


class Running:
    """A crawl under way, to be disturbed; ended with its archive process on leaving `running`."""

    def __init__(self, line: Sequence[str], log: Path) -> None:
        self._begun = time.monotonic()
        self._log = log
        with open(log, "wb") as stream:
            self._child = subprocess.Popen(
                line, cwd=ROOT, env=environment(), stdout=stream, stderr=stream, start_new_session=True
            )
        self._process = psutil.Process(self._child.pid)

    @property
    def archive(self) -> psutil.Process | None:
        """The archive process, once it is there."""
        return next(iter(self._process.children()), None) if self._process.is_running() else None

    def signal(self, number: int) -> None:
        """Send the crawl, and it alone, a signal."""
        self._child.send_signal(number)

    def kill(self, *, archive: bool = False) -> None:
        """SIGKILL the crawl; with ``archive`` its archive process too, first of all."""
        if archive and (process := self.archive):
            process.kill()
        self._child.kill()
        self._child.wait(SECONDS)

    def wait(self, within: float = SECONDS) -> Crawled:
        """The crawl once it has ended by itself. Raises subprocess.TimeoutExpired."""
        status = self._child.wait(within)
        return Crawled(status, time.monotonic() - self._begun, self._log.read_text(encoding="utf-8"), [])

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._child.poll() is not None


@contextmanager
def running(site: Replica | str, folder: Path, *arguments: str, **settings: Any) -> Iterator[Running]:
    """Start a crawl and go on while it runs."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    run = Running(command(site, folder, *arguments, **settings), folder.with_name(folder.name + ".log"))
    try:
        yield run
    finally:
        if not run.is_over:
            run.kill(archive=True)


def until(holds: Callable[[], object], what: str, within: float = 60) -> None:
    """Wait until something holds. Raises AssertionError, with what was waited for."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"waited {within} s in vain for {what}"
        time.sleep(0.01)


def asked(replica: Replica, pattern: Callable[[str], bool] = lambda path: True) -> list[str]:
    """Paths the crawls asked for, in order."""
    return [path for entry in replica.log() if pattern(path := str(entry["path"]))]


def is_listing(path: str) -> bool:
    """Whether a path of the replica is a page of a listing."""
    parts = path.strip("/").removeprefix("en").strip("/").split("/")
    return "?" not in path and (parts == [""] or parts[0] in ("page", "date"))


def is_channel(path: str) -> bool:
    """Whether a path is a feed's, REST's, a sitemap's or a category's."""
    return "/wp-json/" in path or path.endswith(".xml") or "/feed/" in path or "/category/" in path


def asked_again(replica: Replica) -> list[str]:
    """What a crawl asked for, without the one category that each run walks on with."""
    paths = asked(replica)
    categories = {path.partition("/page/")[0].rstrip("/") for path in paths if "/category/" in path}
    assert len(categories) <= 2, categories  # one an edition
    return [path for path in paths if "/category/" not in path]


# What a run asks within the hour after another one, where nothing is due: the newest listing and the log of
# edits of each edition. And a category.
AGAIN = ["/robots.txt", "/en/", "/en/feed/atom/?orderby=modified", "/", "/feed/atom/?orderby=modified"]


def article_requests(replica: Replica) -> Counter[str]:
    """How often each path that is neither robots.txt nor a listing nor a channel was asked for."""
    return Counter(
        path
        for path in asked(replica)
        if path != "/robots.txt" and not is_listing(path) and not is_channel(path)
    )


# -- the archive ---------------------------------------------------------------------------------------------


def rows(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the database, read as a reader would: read-only."""
    with closing(sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True, timeout=30)) as db:
        return db.execute(sql, values).fetchall()


def archived(folder: Path) -> dict[tuple[str, int], Text]:
    """Title and lines of the newest version of each article."""
    every = rows(folder, "select edition, post_id, title, text from latest_versions")
    return {
        (edition, post_id): (title, tuple(text.split("\n")) if text else ())
        for edition, post_id, title, text in every
    }


def states(folder: Path) -> dict[tuple[str, int], str | None]:
    """The state of each article."""
    return {
        (edition, post_id): state
        for edition, post_id, state in rows(folder, "select edition, post_id, state from articles")
    }


def changes(folder: Path, edition: str, post_id: int) -> list[str]:
    """The kinds of an article's changes, in order."""
    sql = (
        "select kind from changes join articles using (article_id) where edition = ? and post_id = ? "
        "order by seq"
    )
    return [kind for (kind,) in rows(folder, sql, edition, post_id)]


def versions(folder: Path) -> int:
    """How many versions the archive holds."""
    return int(rows(folder, "select count(*) from versions")[0][0])


def truth(replica: Replica) -> dict[tuple[str, int], Text]:
    """Title and lines of each published post that a visitor can read."""
    return {
        (e, post.post_id): (post.title, post.lines)
        for e in EDITIONS
        for post in replica.posts(e)
        if post.lines
    }


def expected_states(replica: Replica) -> dict[tuple[str, int], str]:
    """The state each published post's article must have."""

    def state(post: Post) -> str:
        return "protected" if post.password else "live" if post.lines else "empty"

    return {(e, post.post_id): state(post) for e in EDITIONS for post in replica.posts(e)}


def assert_taken(replica: Replica, folder: Path) -> None:
    """The archive has every published post, with the state and the text that the site shows."""
    assert archived(folder) == truth(replica)
    assert states(folder) == expected_states(replica)


# -- the evidence --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """A WARC record, read by warcio; ``body`` is what stands behind the HTTP headers, or the whole block."""

    kind: str
    record_id: str
    uri: str
    beside: str | None
    headers: Mapping[str, str] = field(repr=False)
    status: int = 0
    http: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """Path and query of its address, as the replica logs them."""
        parts = urlsplit(self.uri)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def header(self, name: str) -> str | None:
        """An HTTP header."""
        return next((value for key, value in self.http if key.lower() == name.lower()), None)


def warcs(folder: Path) -> list[Path]:
    """The WARC files, oldest first."""
    return sorted((folder / "warc").glob("*.warc.gz*"))


def records(folder: Path) -> list[Record]:
    """All WARC records in order."""
    found = []
    for path in warcs(folder):
        with open(path, "rb") as stream:
            for record in ArchiveIterator(stream):
                h = record.rec_headers
                is_response = record.rec_type in ANSWERS
                found.append(
                    Record(
                        record.rec_type,
                        h.get_header("WARC-Record-ID"),
                        h.get_header("WARC-Target-URI") or "",
                        h.get_header("WARC-Concurrent-To"),
                        dict(h.headers),
                        int(record.http_headers.get_statuscode()) if is_response else 0,
                        tuple(record.http_headers.headers) if record.http_headers else (),
                        record.raw_stream.read(),
                    )
                )
    return found


def exchanges(folder: Path) -> Counter[tuple[str, int]]:
    """The responses in the evidence: path with query, and status."""
    return Counter((record.path, record.status) for record in records(folder) if record.kind in ANSWERS)


def answered(replica: Replica) -> Counter[tuple[str, int]]:
    """The responses the replica gave: path with query, and status."""
    return Counter((str(entry["path"]), int(str(entry["status"]))) for entry in replica.log())


def check_warcs(folder: Path) -> None:
    """``warcio check`` finds each block and payload digest right. Raises AssertionError with what it says."""
    line = [sys.executable, "-m", "warcio.cli", "check", *map(str, warcs(folder))]
    done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def sentence(crawled: Crawled, words: str) -> None:
    """The user reads once what happened, without a traceback."""
    said = [line for line in crawled.stderr.splitlines() if words in line and " INFO " not in line]
    assert len(said) == 1, crawled.stderr[-3000:]
    assert "Traceback" not in crawled.stderr
