"""What holds for every command of `sohr-archive`, and what one that is added must do too: --json, readers
that go away, full disks, completion."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from archive.cli.main import COMMANDS
from tests.archiving import command_line
from tests.crawling import environment
from tests.made_once import copy_archive
from tests.replica.server import ROOT
from tests.small_archive import Small

# Arguments with which each does something; {edited} and {out} are put in.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "probe": (),  # tests/test_probe.py tries it: it needs a site, not an archive
    "status": (),
    "search": ("the",),
    "show": ("en:{edited}",),
    "diff": ("en:{edited}",),
    "cite": ("en:{edited}",),
    "changes": (),
    "ack": ("parser", "3"),
    "series": (),
    "check": ("{out}/cited.csv",),
    "export": (),
    "verify": ("--head", "0" * 64),
    "rebuild": (),
    "repair": (),
    "backup": ("{out}/copy.db",),
    "head": (),
    "import": ("{out}/mine.warc.gz",),
    "backfill": (),  # tests/test_backfill.py tries it: it needs public archives
    "sift": ("{out}/mine.warc.gz", "-o", "{out}/sifted.warc.gz"),
    "layouts": (),
    "held": (),
    "audit": (),
    "politeness": (),
    "schedule": ("cron",),
    "init": ("{out}/new",),
    "alert": (),
    "serve": ("--port", "0"),
    "publish-copy": ("{out}/public.db",),
}
WRITTEN = {"export": sys.stderr}  # standard output is the export's own
MAY_FIND = ("verify", "audit", "politeness", "check")  # and end with 1


@pytest.fixture
def archive(small: Small, tmp_path: Path) -> Path:
    """A copy, with a consumer that has read, and beside it a WARC file to import, its own, and a table of
    citations."""
    folder = tmp_path / "archive"
    copy_archive(small.folder, folder)
    shutil.copy(next((folder / "warc").iterdir()), tmp_path / "mine.warc.gz")
    (tmp_path / "cited.csv").write_text(f"url\nen:{small.edited}\n", "utf-8")
    line = command_line(folder, "changes", "--consumer", "parser", "--limit", "1")
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    return folder


def line_of(command: str, small: Small, archive: Path, *more: str) -> list[str]:
    """The command line."""
    given = [argument.format(edited=small.edited, out=archive.parent) for argument in ARGUMENTS[command]]
    return command_line(archive, command, *given, *more)


def test_every_command_is_tried_here() -> None:
    """Whoever adds one adds it here."""
    assert set(ARGUMENTS) == set(COMMANDS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("serve", "probe", "backfill")])
def test_json(command: str, small: Small, archive: Path) -> None:
    """Each line of the output is an object, and nothing else is written there."""
    answer = subprocess.run(
        line_of(command, small, archive, "--json"),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in answer.stderr and answer.returncode in (
        (0, 1) if command in MAY_FIND else (0,)
    ), answer.stderr
    written = answer.stderr if command in WRITTEN else answer.stdout
    objects = [json.loads(line) for line in written.splitlines()]
    assert objects and all(isinstance(one, dict) for one in objects)


@pytest.mark.real_process
def test_json_of_serve(small: Small, archive: Path) -> None:
    """The address, before anybody asks for it; port 0 is a free one."""
    with subprocess.Popen(
        line_of("serve", small, archive, "--json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout
        url = json.loads(child.stdout.readline())["url"]
        child.terminate()
    port = int(url.split(":")[2].partition("/")[0])
    assert url == f"http://127.0.0.1:{port}/" and port > 0


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("serve", "probe", "backfill")])
def test_a_reader_that_went_away(command: str, small: Small, archive: Path) -> None:
    """`| true`: no traceback, no complaint."""
    reading, writing = os.pipe()
    os.close(reading)
    answer = subprocess.run(
        line_of(command, small, archive),
        cwd=ROOT,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    os.close(writing)
    assert (
        "Traceback" not in answer.stderr
        and "Broken pipe" not in answer.stderr
        and "Exception" not in answer.stderr
    )
    assert answer.returncode in ((0, 1) if command in MAY_FIND else (0,)), answer.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(
    "command", [name for name in COMMANDS if name not in ("serve", "probe", "ack", "verify")]
)
def test_a_full_disk_behind_standard_output(command: str, small: Small, archive: Path) -> None:
    """One sentence and 73: a script that saves the output must not believe that it has it."""
    json_too = () if command in ("export", "changes") else ("--json",)
    with open("/dev/full", "wb") as full:
        line = line_of(command, small, archive, *json_too)
        answer = subprocess.run(
            line, cwd=ROOT, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert (
        answer.returncode == 73 and "No space left" in answer.stderr and "Traceback" not in answer.stderr
    ), answer.stderr


def test_every_help_has_an_example() -> None:
    """And says what --json does."""
    for command in COMMANDS:
        answer = subprocess.run(
            [sys.executable, "-m", "archive.cli.main", command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert (
            answer.returncode == 0
            and "--json" in answer.stdout
            and f"sohr-archive {command}" in answer.stdout.partition("\n\n")[2]
        ), command


# -- completion ----------------------------------------------------------------------------------------------

TYPED = """
eval "$(_SOHR_ARCHIVE_COMPLETE=bash_source sohr-archive)"
function=$(complete -p sohr-archive | sed 's/.*-F \\([^ ]*\\).*/\\1/')
typed() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); $function "$1"; echo "${COMPREPLY[*]}"; }
typed sohr-archive exp
typed sohr-archive export --form
typed sohr-archive export --format pa
typed sohr-archive schedule ""
typed sohr-archive --archive x sta
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash on this system")
def test_bash_completes() -> None:
    """Commands, options and values, in a real bash."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["bash", "--norc", "-c", TYPED],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
        timeout=60,
    )
    assert answer.stderr == "" and answer.stdout.splitlines() == [
        "export",
        "--format",
        "parquet",
        "systemd cron github",
        "status",
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("exprot", "export"), ("publish", "publish-copy"), ("stat", "status"), ("diffs", "diff")],
)
def test_a_misspelled_command(typed: str, meant: str) -> None:
    """The error suggests the command that was meant."""
    line = [sys.executable, "-m", "archive.cli.main", typed]
    answer = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 2 and f"did you mean '{meant}'?" in answer.stderr


@pytest.mark.real_process
def test_a_port_that_is_taken(small: Small) -> None:
    """The command prints a sentence that says what to do, and no address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        line = command_line(small.folder, "serve", "--port", taken.getsockname()[1])
        answer = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (
        answer.returncode == 2
        and "is in use: name another with --port" in answer.stderr
        and answer.stderr.count("\n") == 1
    )
