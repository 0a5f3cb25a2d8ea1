"""Files that run the crawl from a timer, filled in for this machine: systemd units, a crontab line, a GitHub
workflow. The templates are in `archive.deploy`; a name between @ signs is a blank.
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
from urllib.parse import quote

Kind = Literal["systemd", "cron", "github"]
DAY = 24 * 60  # minutes
SHORTEST = 5  # minutes: GitHub's limit, and no site needs to be asked more often
# A timer's start moves by up to this part of its distance, so that not all archives of a site come at once
RANDOM_SHARE = 6
RANDOM_MOST = 600  # seconds
NO_CONTACT = "# Your e-mail or web address, so that the site can reach you.\n#Environment=ARCHIVE_CONTACT="
NO_PRIVATE_TMP = "# true would hide what this runs: it lies in a folder for temporary files\nPrivateTmp=false"

_BLANK = re.compile(r"@([a-z_]+)@")
_SPAN = re.compile(r"^([1-9][0-9]{0,4}) ?(min|m|minutes?|h|hours?|d|days?)$")
_FILES: dict[Kind, tuple[tuple[str, str], ...]] = {  # (template, name of the file it becomes)
    "systemd": (
        ("sohr-archive.service", "sohr-archive.service"),
        ("sohr-archive.timer", "sohr-archive.timer"),
    ),
    "cron": (("sohr-archive.cron", "sohr-archive.cron"),),
    "github": (("github.yml", ".github/workflows/crawl.yml"),),
}


class BadSchedule(ValueError):
    """Raised when a value cannot stand in a schedule; the message says which, and what could."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a schedule is made for: all paths absolute."""

    folder: Path  # the archive
    scrapy: tuple[str, ...]  # the command of the environment this runs in
    # Where the packages are: scrapy.cfg makes them known to a Scrapy into which they were not installed
    root: Path
    user: str
    contact: str = ""
    site: str | None = None  # the address for -a site=; None: the default


def here(folder: Path, contact: str = "", site: str | None = None) -> Place:
    """This environment, as the command runs in it."""
    scrapy = Path(sys.executable).with_name("scrapy")
    command = (str(scrapy),) if os.access(scrapy, os.X_OK) else (sys.executable, "-m", "scrapy")
    return Place(
        folder.absolute(), command, Path(__file__).absolute().parents[2], getpass.getuser(), contact, site
    )


def minutes_of(every: str) -> int:
    """Minutes of ``30min``, ``2h``, ``1d``. Raises BadSchedule for what is no even part of an hour or a
    day."""
    match = _SPAN.match(every.strip().lower())
    minutes = int(match[1]) * {"m": 1, "h": 60, "d": DAY}[match[2][0]] if match else 0
    even = (minutes <= 60 and 60 % max(minutes, 1) == 0) or (minutes % 60 == 0 and DAY % max(minutes, 1) == 0)
    if minutes < SHORTEST or not even:
        raise BadSchedule(
            f"--every {every} is no even part of an hour or a day: give 5min, 10min, 15min, 20min, 30min, 1h, 2h, 3h, 4h, 6h, 12h or 1d"
        )
    return minutes


def fill(kind: Kind, place: Place, every: str) -> dict[str, str]:
    """The files of a schedule: name -> text. The same arguments give the same text. Raises BadSchedule."""
    minutes = minutes_of(every)
    values = _values(place, minutes)
    texts = {}
    for template, name in _FILES[kind]:
        text = files("archive.deploy").joinpath(template).read_text(encoding="utf-8")
        texts[name] = re.sub(r"\n+\Z", "\n", _BLANK.sub(lambda blank: values[blank[1]], text))
    return texts


def _values(place: Place, minutes: int) -> dict[str, str]:
    for name, value in (
        ("the archive's folder", str(place.folder)),
        ("the contact", place.contact),
        ("this project's folder", str(place.root)),
    ):
        if re.search(r"[\x00-\x1f\x7f]", value):
            raise BadSchedule(f"{name} {value!r} has a line end or control character: give one without")
    folder, root = str(place.folder), str(place.root)
    crawl = ["crawl", "sohr", *(["-a", f"site={place.site}"] if place.site else [])]
    command = [*place.scrapy, *crawl]
    settings = [f"ARCHIVE_DIR={folder}", *([f"ARCHIVE_CONTACT={place.contact}"] if place.contact else [])]
    # Which minute is told by the archive, not by chance (the text stays the same) and not the full hour, at
    # which everybody comes.
    offset = zlib.crc32(f"{folder} {place.contact}".encode()) % min(minutes, 60)
    temporary = ("/tmp", "/var/tmp")  # noqa: S108  # named, not written to
    hidden = any(
        Path(path).is_relative_to(tmp) for path in (folder, place.scrapy[0], root) for tmp in temporary
    )
    return {
        "every": _told(minutes),
        "calendar": _calendar(minutes, offset),
        "random": f"{min(minutes * 60 // RANDOM_SHARE, RANDOM_MOST)}s",
        "minutes": _crontab(minutes, offset),
        "user": place.user,
        "folder": folder.replace("%", "%%"),
        "folder_shell": shlex.quote(folder),
        "folder_path": _systemd(folder),
        "root": root.replace("%", "%%"),
        "root_url": quote(root).replace("%", "%%"),
        "archive_dir_set": _systemd(settings[0]),
        "contact_line": f"Environment={_systemd(settings[1])}" if place.contact else NO_CONTACT,
        "command": " ".join(_systemd(part, command=True) for part in command),
        "private_tmp": NO_PRIVATE_TMP if hidden else "PrivateTmp=true",
        "root_cron": _cron(root),
        "lock_cron": _cron(f"{folder}/cron.lock"),
        "log_cron": _cron(f"{folder}/crawl.log"),
        "settings_cron": " ".join(_cron(pair) for pair in settings),
        "command_cron": " ".join(_cron(part) for part in command),
        "command_github": shlex.join(["scrapy", *crawl]),
        "contact_yaml": json.dumps(place.contact, ensure_ascii=False)
        if place.contact
        else "${{ vars.ARCHIVE_CONTACT }}",
    }


def _systemd(value: str, *, command: bool = False) -> str:
    """A word of a unit file: quoted where it must be, specifiers (%) and, in a command, variables ($) taken
    literally."""
    text = value.replace("%", "%%")
    if command:
        text = text.replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _cron(value: str) -> str:
    """A word of a crontab's command: for the shell, and with % (a line end to cron) taken literally."""
    return "\\%".join(shlex.quote(part) if part else "" for part in value.split("%"))


def _told(minutes: int) -> str:
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
    """Write the files into a folder, each whole or not at all; what was there under their names is replaced.
    Raises OSError."""
    written = []
    for name, text in texts.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        written.append(target)
    return written
