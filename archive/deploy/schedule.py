"""Files that start the crawl from a timer on this machine: systemd units, a crontab line, a GitHub workflow.

The templates are in this package; a name between @ signs is a blank to fill in.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
import sys
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from archive.errors import USAGE, ArchiveError
from archive.folder import write_whole

Kind = Literal["systemd", "cron", "github"]
DAY = 24 * 60  # minutes
SHORTEST = 5  # minutes: GitHub's limit, and often enough for any site
RANDOM_SHARE = (
    6  # the start is late by up to a sixth of the interval: archives of one site do not come at once
)
RANDOM_MOST = 600  # seconds
NO_CONTACT = "# Your e-mail or web address, so that the site can reach you.\n#Environment=ARCHIVE_CONTACT="
NO_PRIVATE_TMP = (
    "# The archive or its software is in a temporary folder, which true would hide.\nPrivateTmp=false"
)

_BLANK = re.compile(r"@([a-z_]+)@")
_SPAN = re.compile(r"^([1-9][0-9]{0,4}) ?(min|m|minutes?|h|hours?|d|days?)$")
_FILES: dict[Kind, dict[str, str]] = {  # template -> name of the file it becomes
    "systemd": {
        name: name
        for name in (
            "sohr-archive.service",
            "sohr-archive.timer",
            "sohr-archive-serve.service",
            "sohr-archive-failed@.service",
        )
    },
    "cron": {"sohr-archive.cron": "sohr-archive.cron"},
    "github": {"github.yml": ".github/workflows/crawl.yml"},
}


@dataclass(frozen=True, slots=True)
class Task:
    """A command that a timer of its own starts. ``@folder@`` in it is the archive's folder."""

    about: str
    calendar: str  # for systemd's OnCalendar, apart from the others
    command: tuple[str, ...]
    is_online: bool = False


ONLINE = "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
BACKUP = "backup.db"  # in the archive's folder: the services may write nowhere else
LOGS = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "sohr-archive"
TASKS = {
    "audit": Task("Look for what might be missing from the archive", "*-*-* 04:10", ("audit",)),
    "verify": Task("Read all evidence of the archive again", "Sun *-*-* 04:40", ("verify",)),
    "alert": Task("Send new changes to the alerts of the archive", "*:0/5", ("alert",), is_online=True),
    "backup": Task("Copy the database of the archive", "Sun *-*-* 05:40", ("backup", f"@folder@/{BACKUP}")),
}


class BadSchedule(ArchiveError):
    """Raised when a value cannot be used in a schedule, by `minutes_of` and `fill`."""

    exit_status = USAGE


@dataclass(frozen=True, slots=True)
class Place:
    """What a schedule starts, and where. All paths are absolute."""

    folder: Path  # the archive
    scrapy: tuple[str, ...]  # the command in this environment
    root: Path  # the project: its scrapy.cfg tells Scrapy where the packages are
    user: str
    contact: str = ""
    site: str | None = None  # the address for -a site=; None: the default site
    log: str = ""  # a file; empty: systemd's journal, for cron a file of the user


def here(folder: Path, contact: str = "", site: str | None = None, log: str = "") -> Place:
    """The environment that this process runs in."""
    scrapy = Path(sys.executable).with_name("scrapy")
    command = (str(scrapy),) if os.access(scrapy, os.X_OK) else (sys.executable, "-m", "scrapy")
    root = Path(__file__).absolute().parents[2]
    return Place(folder.absolute(), command, root, getpass.getuser(), contact, site, log)


def minutes_of(every: str) -> int:
    """Minutes of ``30min``, ``2h``, ``1d``. Raises BadSchedule unless they divide an hour or a day evenly."""
    match = _SPAN.match(every.strip().lower())
    minutes = int(match[1]) * {"m": 1, "h": 60, "d": DAY}[match[2][0]] if match else 0
    even = (minutes <= 60 and 60 % max(minutes, 1) == 0) or (minutes % 60 == 0 and DAY % max(minutes, 1) == 0)
    if minutes < SHORTEST or not even:
        raise BadSchedule(
            f"--every {every} does not divide an hour or a day evenly: "
            "give 5min, 10min, 15min, 20min, 30min, 1h, 2h, 3h, 4h, 6h, 12h or 1d"
        )
    return minutes


def fill(kind: Kind, place: Place, every: str) -> dict[str, str]:
    """Fill in a schedule's files: name -> text. Equal arguments give equal texts. Raises BadSchedule."""
    minutes = minutes_of(every)
    values = _values(place, minutes)
    texts = {}
    for template, name in _FILES[kind].items():
        texts[name] = _fill(template, values)
    if kind == "systemd":
        for name, task in TASKS.items():
            line = [part.replace("@folder@", str(place.folder)) for part in task.command]
            of_task = values | {
                "task": name,
                "task_about": task.about,
                "task_calendar": task.calendar,
                "task_network": ONLINE if task.is_online else "PrivateNetwork=true",
                "task_command": _sohr_archive(place, *line),
            }
            for ending in ("service", "timer"):
                texts[f"sohr-archive-{name}.{ending}"] = _fill(f"sohr-archive-task.{ending}", of_task)
    return texts


def _fill(template: str, values: dict[str, str]) -> str:
    text = files("archive.deploy").joinpath(template).read_text(encoding="utf-8")
    return re.sub(r"\n+\Z", "\n", _BLANK.sub(lambda blank: values[blank[1]], text))


def _sohr_archive(place: Place, *arguments: str) -> str:
    """A command on the archive, as a unit file writes it; `sohr-archive` stands beside `scrapy`."""
    command = [str(Path(place.scrapy[0]).with_name("sohr-archive")), "--archive", str(place.folder)]
    return " ".join(_systemd(part, command=True) for part in [*command, *arguments])


def _values(place: Place, minutes: int) -> dict[str, str]:
    for name, value in (
        ("the archive's folder", str(place.folder)),
        ("the contact", place.contact),
        ("this project's folder", str(place.root)),
        ("the log", place.log),
    ):
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise BadSchedule(f"{name} {value!r} contains a line end or control character: remove it")
    folder, root = str(place.folder), str(place.root)
    crawl = ["crawl", "sohr", *(["-a", f"site={place.site}"] if place.site else [])]
    command = [*place.scrapy, *crawl]
    settings = [f"ARCHIVE_DIR={folder}", *([f"ARCHIVE_CONTACT={place.contact}"] if place.contact else [])]
    log = str(Path(place.log).expanduser()) if place.log else f"{LOGS}/{place.folder.name}.log"
    # The minute depends on the archive: chance would change the text, and at the full hour everybody comes.
    offset = zlib.crc32(f"{folder} {place.contact}".encode()) % min(minutes, 60)
    temporary = ("/tmp", "/var/tmp")  # noqa: S108  # named, not written to
    hidden = any(
        Path(path).is_relative_to(tmp) for path in (folder, place.scrapy[0], root) for tmp in temporary
    )
    return {
        "every": _in_words(minutes),
        "calendar": _calendar(minutes, offset),
        "random": f"{min(minutes * 60 // RANDOM_SHARE, RANDOM_MOST)}s",
        "minutes": _crontab(minutes, offset),
        "user": place.user,
        "folder": folder.replace("%", "%%"),
        "folder_shell": shlex.quote(folder),
        "folder_path": _systemd(folder) + (f" {_systemd(f'-{Path(log).parent}')}" if place.log else ""),
        "root": root.replace("%", "%%"),
        "archive_dir_set": _systemd(settings[0]),
        "contact_line": f"Environment={_systemd(settings[1])}" if place.contact else NO_CONTACT,
        "command": " ".join(_systemd(part, command=True) for part in command),
        "serve_command": _sohr_archive(place, "serve"),
        "private_tmp": NO_PRIVATE_TMP if hidden else "PrivateTmp=true",
        "root_cron": _cron(root),
        "lock_cron": _cron(f"{folder}/cron.lock"),
        "log_cron": _cron(log),
        "log_set_cron": _cron(f"ARCHIVE_LOG={log}"),
        "settings_cron": " ".join(_cron(pair) for pair in settings),
        "command_cron": " ".join(_cron(part) for part in command),
        "command_github": shlex.join(["scrapy", *crawl]),
        "contact_yaml": json.dumps(place.contact, ensure_ascii=False)
        if place.contact
        else "${{ vars.ARCHIVE_CONTACT }}",
    }


def _systemd(value: str, *, command: bool = False) -> str:
    """Quote a word of a unit file. Specifiers (%) are escaped; in a command, variables ($) too."""
    text = value.replace("%", "%%")
    if command:
        text = text.replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _cron(value: str) -> str:
    """Quote a word of a crontab's command for the shell; % is escaped because it ends the line for cron."""
    return "\\%".join(shlex.quote(part) if part else "" for part in value.split("%"))


def _in_words(minutes: int) -> str:
    if minutes < 60:
        return f"{minutes} minutes"
    return "day" if minutes == DAY else "hour" if minutes == 60 else f"{minutes // 60} hours"


def _calendar(minutes: int, offset: int) -> str:
    """For systemd's OnCalendar."""
    if minutes < 60:
        return f"*:{offset}/{minutes}"
    return f"0/{minutes // 60}:{offset:02}" if minutes < DAY else f"03:{offset:02}"


def _crontab(minutes: int, offset: int) -> str:
    """The five fields of a crontab's line."""
    if minutes < 60:
        return f"{offset}-59/{minutes} * * * *"
    hours = "*" if minutes == 60 else f"*/{minutes // 60}" if minutes < DAY else "3"
    return f"{offset} {hours} * * *"


def write(texts: dict[str, str], folder: Path) -> list[Path]:
    """Write the files into a folder, each whole or not at all, over older ones. Raises OSError."""
    written = []
    for name, text in texts.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text)
        written.append(target)
    return written
