"""Schedules as they are printed: systemd, cron, sh and a YAML reader take them; and the word to a health
check at the end of a crawl."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # comes with Datasette

from archive.deploy.schedule import BadSchedule, Place, fill, minutes_of
from crawler import ping as ping_module
from crawler.ping import ping
from tests.crawling import environment
from tests.replica.server import ROOT

PLAIN = Place(Path("/srv/sohr"), ("/opt/sohr/.venv/bin/scrapy",), Path("/opt/sohr"), "sohr", "me@example.org")
ODD = Place(
    Path('/srv/an "odd" 100% $HOME it\'s\\'),
    ("/opt/a b/scrapy",),
    Path("/opt/a b"),
    "sohr",
    "it's 5% <me@example.org>",
    "https://x.test/",
)
SPANS = ("5min", "10min", "15min", "20min", "30min", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "archive.cli.main", *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def unit(text: str) -> dict[str, list[str]]:
    """The values of a unit file by name."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            values.setdefault(name, []).append(value)
    return values


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here: apt-get install systemd"
)
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """systemd-analyze verify has no word to say, of a folder with a blank in its name too."""
    contact = 'me "<me@example.org>" 5%'
    answer = run(
        "--archive",
        tmp_path / "an archive",
        "schedule",
        "systemd",
        "--contact",
        contact,
        "--every",
        "2h",
        "--write",
        tmp_path,
    )
    assert answer.returncode == 0, answer.stderr
    done = subprocess.run(
        ["systemd-analyze", "verify", *answer.stdout.split("\n")[:-1]],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here: apt-get install systemd"
)
def test_every_span_is_a_calendar_of_systemd_and_comes_as_often() -> None:
    """The times at which a timer goes off lie as far apart as was asked for."""
    calendars = [
        unit(fill("systemd", PLAIN, every)["sohr-archive.timer"])["OnCalendar"][0] for every in SPANS
    ]
    command = ["systemd-analyze", "calendar", "--iterations", "2", *calendars]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "TZ": "UTC"}
    )
    assert done.returncode == 0, done.stderr
    blocks = done.stdout.strip().split("\n\n")
    for every, block in zip(SPANS, blocks, strict=True):
        times = [
            line.partition(": ")[2].strip()
            for line in block.splitlines()
            if "Next elapse" in line or "Iter. #2" in line
        ]
        first, second = (time.mktime(time.strptime(at, "%a %Y-%m-%d %H:%M:%S UTC")) for at in times)
        assert second - first == minutes_of(every) * 60, block


def test_the_service_says_what_it_must() -> None:
    """Settings module, exit status when another crawl has the archive, time to stop, hardening, a folder that
    may be written."""
    values = unit(fill("systemd", PLAIN, "30min")["sohr-archive.service"])
    assert values["Environment"] == [
        "SCRAPY_SETTINGS_MODULE=crawler.settings",
        "ARCHIVE_DIR=/srv/sohr",
        '"ARCHIVE_CONTACT=me@example.org"'.strip('"'),
    ]
    assert values["ExecStart"] == ["/opt/sohr/.venv/bin/scrapy crawl sohr"] and values[
        "WorkingDirectory"
    ] == ["/opt/sohr"]
    wanted = {
        "SuccessExitStatus": "75",
        "TimeoutStopSec": "30",
        "ProtectSystem": "strict",
        "ReadWritePaths": "/srv/sohr",
        "User": "sohr",
    }
    wanted |= {"NoNewPrivileges": "true", "PrivateTmp": "true", "Nice": "10"}
    assert {name: values[name] for name in wanted} == {name: [value] for name, value in wanted.items()}
    timer = unit(fill("systemd", PLAIN, "30min")["sohr-archive.timer"])
    assert timer["Persistent"] == ["true"] and timer["RandomizedDelaySec"] == ["300s"]


def test_each_task_has_its_timer() -> None:
    """Alerts, audit, verify and backup, each in its time; the pages always; one unit for failures."""
    texts = fill("systemd", PLAIN, "30min")
    tasks = {"audit": ["audit"], "verify": ["verify"], "backup": ["backup", "/srv/sohr/backup.db"]}
    tasks["alert"] = ["alert"]
    for name, line in (tasks | {"serve": ["serve"]}).items():
        values = unit(texts[f"sohr-archive-{name}.service"])
        command = ["/opt/sohr/.venv/bin/sohr-archive", "--archive", "/srv/sohr", *line]
        assert values["ExecStart"] == [" ".join(command)]
        assert values["ReadWritePaths"] == ["/srv/sohr"] and values["User"] == ["sohr"]
    days = {name: unit(texts[f"sohr-archive-{name}.timer"])["OnCalendar"][0][:3] for name in tasks}
    assert days == {"audit": "*-*", "verify": "Sun", "backup": "Sun", "alert": "*:0"}
    services = [name for name in texts if name.endswith(".service") and "failed" not in name]
    assert len(services) == 6
    for name in services:
        assert unit(texts[name])["OnFailure"] == ["sohr-archive-failed@%n.service"]


def test_odd_names_reach_systemd_as_they_are() -> None:
    """Quotes, backslashes, specifiers and, in a command, variables are taken literally."""
    values = unit(fill("systemd", ODD, "30min")["sohr-archive.service"])
    assert values["Environment"][1] == '"ARCHIVE_DIR=/srv/an \\"odd\\" 100%% $HOME it\'s\\\\"'
    assert values["ExecStart"] == ['"/opt/a b/scrapy" crawl sohr -a site=https://x.test/']


@pytest.mark.parametrize("place", [PLAIN, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize(
    "strips", [True, False], ids=["cron that takes the backslash away", "cron that leaves it"]
)
def test_the_crontab_line_runs_as_cron_runs_it(place: Place, strips: bool, tmp_path: Path) -> None:
    """One line, with no % at which cron would end it. sh runs the crawl with the archive's folder, and
    reports a failed one."""
    folder, bin_folder = tmp_path / place.folder.name, tmp_path / "b in"
    folder.mkdir()
    bin_folder.mkdir()
    scrapy = bin_folder / "scrapy"
    scrapy.write_text(
        '#!/bin/sh\nprintf "%s|" "$ARCHIVE_DIR" "$ARCHIVE_CONTACT" "$SCRAPY_SETTINGS_MODULE" "$@" '
        '>>"$ARCHIVE_LOG"\nexit $WANTED\n'
    )
    scrapy.chmod(scrapy.stat().st_mode | stat.S_IXUSR)
    log = tmp_path / f"{place.folder.name}.log"
    here = Place(folder, (str(scrapy),), tmp_path, "me", place.contact, place.site, str(log))
    text = fill("cron", here, "30min")["sohr-archive.cron"]
    [line] = [line for line in text.splitlines() if not line.startswith("#")]
    fields = line.split(" ", 5)
    assert "%" not in fields[5].replace("\\%", "")
    shell = fields[5].replace("\\%", "%") if strips else fields[5]
    for status, told in ((0, False), (75, False), (69, True)):
        env = {**environment(), "WANTED": str(status)}
        done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, timeout=30, env=env)
        assert done.stderr == "" and (f"exit status {status}" in done.stdout) is told
    site = ["-a", f"site={place.site}"] if place.site else []
    wanted = "|".join([str(folder), place.contact, "crawler.settings", "crawl", "sohr", *site, ""])
    assert log.read_text() == wanted * 3


def test_the_workflow_is_yaml_and_keeps_the_archive() -> None:
    """Its schedule, its crawl, and what becomes of the archive."""
    workflow = yaml.safe_load(fill("github", ODD, "6h")[".github/workflows/crawl.yml"])
    [entry] = workflow[True]["schedule"]  # "on" is a yes to YAML 1.1
    assert entry["cron"].endswith(" */6 * * *")
    job = workflow["jobs"]["crawl"]
    assert (
        job["env"]["ARCHIVE_CONTACT"] == ODD.contact
        and job["env"]["SCRAPY_SETTINGS_MODULE"] == "crawler.settings"
    )
    [script] = [step["run"] for step in job["steps"] if step.get("name") == "Crawl"]
    assert "scrapy crawl sohr -a site=https://x.test/" in script
    subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=True, timeout=30)


@pytest.mark.parametrize("every", ["7min", "1min", "0h", "5h", "45min", "2d", "soon", "", "-5min", "30"])
def test_a_span_that_is_no_even_part_of_a_day_is_refused(every: str) -> None:
    """A timer would come at odd distances."""
    with pytest.raises(BadSchedule, match="does not divide an hour"):
        minutes_of(every)


def test_a_line_end_in_a_name_is_refused() -> None:
    """It would be a line of the file."""
    with pytest.raises(BadSchedule, match="line end"):
        fill("systemd", Place(Path("/srv/a\nExecStart=/bin/x"), ("scrapy",), Path("/opt"), "me"), "30min")


def test_files_are_written_whole_and_nothing_else(tmp_path: Path) -> None:
    """--write names what it wrote, replaces what was there, and leaves nothing half done; --json has the same
    texts."""
    (tmp_path / "out" / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / "out" / ".github" / "workflows" / "crawl.yml").write_text("an older one")
    answer = run("--archive", tmp_path / "a", "schedule", "github", "--write", tmp_path / "out")
    target = tmp_path / "out" / ".github" / "workflows" / "crawl.yml"
    assert answer.stdout == f"{target}\n" and [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == [
        target
    ]
    assert "--contact" in answer.stderr
    told = json.loads(run("--archive", tmp_path / "a", "schedule", "github", "--json").stdout)
    assert told["files"] == {".github/workflows/crawl.yml": target.read_text()}
    assert run("schedule", "systemd", "--every", "7min").returncode == 2


# -- the word to a health check ------------------------------------------------------------------------------


class Check(BaseHTTPRequestHandler):
    """A health check that records the requests it gets."""

    asked: list[str] = []  # noqa: RUF012  # one server a test

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "slow" in self.path:
            time.sleep(2)
        self.send_response(500 if "broken" in self.path else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def check() -> Iterator[str]:
    """The address of a health check."""
    Check.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Check)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_health_check_is_told_the_exit_status(check: str) -> None:
    """The status is added to its address, or replaces a mark in it. An archive in use by another crawl is not
    reported."""
    assert (
        ping(f"{check}/ping/x/", 0)
        and ping(f"{check}/push?status={{status}}", 69)
        and not ping(f"{check}/x", 75)
    )
    assert Check.asked == ["/ping/x/0", "/push?status=69"]


def test_a_health_check_that_fails_fails_nothing(
    check: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers with an error, too late, not at all, or has no web address: a warning without the address,
    which is a secret."""
    monkeypatch.setattr(ping_module, "SECONDS", 0.2)
    for url in (
        f"{check}/broken/secret",
        f"{check}/slow/secret",
        "http://127.0.0.1:9/secret",
        "file:///etc/secret",
        "http://[secret",
    ):
        assert not ping(url, 0)
    assert len(caplog.records) == 5 and "secret" not in caplog.text
