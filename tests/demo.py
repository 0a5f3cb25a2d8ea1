"""``make demo``: a small site on loopback that publishes, edits and retracts, crawled by the real crawler,
and what the archive noticed.

Everything is invented and nothing leaves this machine. The acts use the commands a user types; the demo adds
headings and reads the archive with `archive.read.feed` and `archive.reports.status`, as any program of a
user's could.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

from archive.errors import INTERRUPTED, OK, USAGE, ArchiveError
from archive.read import feed
from archive.read.database import about, open_readonly
from archive.reports.terminal import columns
from archive.store import lock
from tests.demo_report import dim, heading, noticed
from tests.demo_roles import Cast, cast, name_of, second_act
from tests.proving import PACKAGE, prove
from tests.replica.server import ROOT, Replica

POSTS = 60  # an edition
MARK = ".sohr-demo"  # in a folder that a demo made: only such a one is emptied
OURS = (
    "archive.db",
    "archive.db-wal",
    "archive.db-shm",
    "archive.lock",
    "warc",
    "manifests",
    "consumers.db",
    PACKAGE,
    MARK,
)
ENV = {
    name: value
    for name, value in os.environ.items()
    if name not in ("ARCHIVE_DIR", "ARCHIVE_CLOCK", "SCRAPY_SETTINGS_MODULE")
}
# A proxy of the house is not asked for what stands on this machine
ENV |= {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
SERVER_SECONDS = 30  # Datasette on a slow machine


class DemoFailed(Exception):
    """Raised when the demo cannot go on; its sentence is for people."""

    def __init__(self, sentence: str, exit_status: int) -> None:
        super().__init__(sentence)
        self.exit_status = exit_status


# -- the folder ----------------------------------------------------------------------------------------------


def prepare(folder: Path) -> None:
    """Make the folder, or empty it where an earlier demo made it. Raises DemoFailed rather than touch
    anything else, Locked while a crawl runs."""
    if folder.exists() and not folder.is_dir():
        raise DemoFailed(f"{folder} is not a folder: name another one with --folder", USAGE)
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARK).is_file() or not _is_loopback(folder):
            raise DemoFailed(
                f"{folder} is not empty and was not made by a demo: move it away, or name another folder "
                "with --folder",
                USAGE,
            )
        lock.hold(folder, os.getpid()).close()
        for name in OURS:
            if (path := folder / name).is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("made by 'make demo', which empties this folder each time\n", encoding="utf-8")


def _is_loopback(folder: Path) -> bool:
    """Whether the archive in a folder, if there is one, is of invented posts."""
    if not (folder / "archive.db").exists():
        return True
    try:
        with closing(open_readonly(folder)) as conn:
            return (about(conn, "site") or "127.0.0.1").startswith("127.0.0.1")
    except ArchiveError:
        return True  # cut off before it was one; the mark stands


def crawl(site: Replica, folder: Path, *more: str) -> None:
    """The real crawler, in a process of its own. Raises DemoFailed, with its output, where it does not end
    well."""
    shown = [
        "scrapy",
        "crawl",
        "sohr",
        "-a",
        f"site={site.url}",
        *more,
        "-s",
        f"ARCHIVE_DIR={folder}",
        "-s",
        "DOWNLOAD_DELAY=0",
    ]
    print(dim(f"$ {shlex.join(shown)}"), flush=True)
    command = [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        *shown[1:-4],
        "-s",
        f"ARCHIVE_DIR={folder.absolute()}",
        "-s",
        "DOWNLOAD_DELAY=0",
    ]
    began = time.monotonic()
    ended = subprocess.run(
        [*command, "-s", "LOG_LEVEL=WARNING"],
        cwd=ROOT,
        env=ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ended.returncode:
        print(ended.stdout, end="")
        status = ended.returncode if ended.returncode > 0 else 128 - ended.returncode
        raise DemoFailed(
            f"the crawl ended with exit status {ended.returncode}: its output stands above", status
        )
    print(f"{ended.stdout.strip()} ({time.monotonic() - began:.1f} s)")


def play(site: Replica, folder: Path) -> tuple[int, Cast]:
    """All three acts; the number of the last change of the first, and the posts that play a part."""
    heading("Act 1: the first crawl")
    print(
        f"A copy of the site with {POSTS} invented posts in English and {POSTS} in Arabic stands at "
        f"{site.url}"
    )
    roles = cast(site)
    crawl(site, folder)
    told = _seq(folder)
    heading("Act 2: the site changes, and is crawled again")
    for line in second_act(site, roles):
        print(f"  The site {line}.")
    crawl(site, folder, "-a", "look=all")
    told_later = _seq(folder)
    heading("Act 3: a post comes back")
    site.call("untrash", edition=roles.trashed[0], post_id=roles.trashed[1])
    print(f"  The site puts {name_of(roles.trashed)} back.")
    crawl(site, folder, "-a", "look=all")
    if _seq(folder) == told_later:
        raise DemoFailed("the last crawl noticed nothing: please report it", 70)
    noticed(folder, told, roles)
    heading("The edit, as a proof for somebody who has nothing else")
    for line in prove(folder, name_of(roles.toll), ENV):
        print(dim(line) if line.startswith("$") else line)
    print(
        "The authority that dated it was made for this demo: its word is worth nothing to a stranger. A real"
    )
    print("archive asks a public one after each crawl (docs/evidence.md).")
    print(f"All of it holds. The file: {folder / PACKAGE} (open it in https://replayweb.page/)")
    return told, roles


def _seq(folder: Path) -> int:
    with closing(open_readonly(folder)) as conn:
        return feed.newest_seq(conn)


# -- what to do with it --------------------------------------------------------------------------------------


def try_next(folder: Path, first: int, served: bool, site: Replica) -> None:
    """Where the files are, and commands to try."""
    here = shlex.quote(str(folder))
    tools = "" if shutil.which("sohr-archive") else ".venv/bin/"
    heading("The archive, and what to try")
    files = [
        [f"  {folder}/warc/", "what the site answered, byte for byte: the archive itself"],
        [f"  {folder}/archive.db", "the index: articles, versions, changes, search"],
    ]
    print(columns(files))
    commands = [
        ("What was noticed, as JSON Lines:", f"{tools}sohr-archive --archive {here} changes --after {first}"),
        ("What every article says now:", f"{tools}sohr-archive --archive {here} export --versions latest"),
        ("What is archived, the last crawls, the gaps:", f"{tools}sohr-archive --archive {here} status"),
        (
            "Crawl the copy once more:",
            f"{tools}scrapy crawl sohr -a site={site.url} -s ARCHIVE_DIR={here} -s DOWNLOAD_DELAY=0",
        ),
        ("Read it in a browser:", f"{tools}sohr-archive --archive {here} serve"),
        ("The newest pages of the live site:", "make crawl"),
    ]
    # The one stands below, the other needs the copy that ends now
    passed = "Read" if served else "Crawl the copy"
    for what, command in commands:
        if not what.startswith(passed):
            print(f"\n  {what}\n    {command}")


def reading(roles: Cast) -> list[tuple[str, str]]:
    """The front page and three pages worth a look, with their paths."""
    (toll_edition, toll), (silent_edition, silent) = roles.toll, roles.silent
    return [
        ("front page", ""),
        ("an edited figure", f"-/sohr/{toll_edition}/{toll}/diff/1/2"),
        ("a silent edit", f"-/sohr/{silent_edition}/{silent}/diff/1/2"),
        ("landmines in January", "-/sohr/search?q=landmines&since=2026-01&until=2026-01"),
    ]


def serve(folder: Path, port: int, roles: Cast) -> None:
    """Show the archive in a browser until Ctrl-C. Raises DemoFailed where Datasette does not come up."""
    port = free_port(port)
    command = [sys.executable, "-m", "archive.cli.main", "--archive", str(folder)]
    command += ["serve", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, env=ENV
    ) as child:
        try:
            _await(child, f"http://127.0.0.1:{port}/-/versions.json")
            heading("Read it in a browser (Ctrl-C to stop)")
            links = [[f"  {what}", f"http://127.0.0.1:{port}/{path}"] for what, path in reading(roles)]
            print(columns(links), flush=True)
            child.communicate()  # also empties the pipe, so that it never fills
        finally:
            child.terminate()
    raise DemoFailed(f"Datasette has ended with status {child.returncode}", child.returncode or 1)


def _await(child: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise DemoFailed(f"Datasette did not start:\n{child.communicate()[0]}", child.returncode or 1)
        try:
            with ask.open(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DemoFailed(f"Datasette did not answer at {url} within {SERVER_SECONDS} seconds", 1)


def free_port(wanted: int) -> int:
    """The wanted port of loopback, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise DemoFailed("no port of this machine is free", 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The whole demo; its exit status."""
    ask = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description="Crawl an invented copy of the site, and show what the archive noticed.",
    )
    ask.add_argument(
        "--folder",
        type=Path,
        default=Path("demo-data"),
        help="emptied first, if a demo made it (default: demo-data)",
    )
    ask.add_argument(
        "--serve",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("SERVE", "1") != "0",
        help="show it in a browser",
    )
    wanted = os.environ.get("PORT", "")
    port = int(wanted) if wanted.isdecimal() else 8001
    ask.add_argument(
        "--port",
        type=int,
        default=port,
        help="of Datasette; another one where it is taken (default: $PORT, else 8001)",
    )
    given = ask.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    serving = False
    try:
        prepare(given.folder)
        site = Replica(posts=POSTS)
        try:
            _start(site)
            first, roles = play(site, given.folder)
            try_next(given.folder, first, given.serve, site)
            if given.serve:
                serving = True
                serve(given.folder, given.port, roles)
        finally:
            site.stop()
    except KeyboardInterrupt:
        print()
        return OK if serving else INTERRUPTED
    except (DemoFailed, ArchiveError) as error:
        sys.stdout.flush()
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_status
    return OK


def _start(site: Replica) -> None:
    """Start the copy of the site so that Ctrl-C, which reaches all processes of a terminal, does not make it
    speak."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        site.start()
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
