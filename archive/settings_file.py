"""The settings file of an archive, ``settings.toml`` in its folder: a crawl and all commands read it.

What the command line or the environment says goes before the file: its values become environment variables
where these are not set, which processes started from here inherit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archive.errors import USAGE, ArchiveError

SETTINGS = "settings.toml"
VARIABLES = {  # key of the file -> environment variable
    "contact": "ARCHIVE_CONTACT",
    "operator": "ARCHIVE_OPERATOR",
    "hostname": "ARCHIVE_HOSTNAME",
    "budget": "ARCHIVE_DAILY_REQUESTS",
    "authorities": "ARCHIVE_TIMESTAMPS",
    "ping": "ARCHIVE_PING_URL",
    "log": "ARCHIVE_LOG",
}
ARGUMENTS = ("site", "edition")  # of a crawl, where -a does not give them
_TYPES: dict[str, type] = {"budget": int, "authorities": list, "alerts": list}
_ALERTS = "alerts"  # tables; archive.read.alerts reads them

TEMPLATE = """\
# Settings of this archive. Every crawl and command reads them from the archive's folder.
# What -s, -a or the environment says goes before this file. A line without the # at its beginning counts.

# Your e-mail or web address: the site can write to you before it blocks you (ARCHIVE_CONTACT).
{contact}

# Who captures, as the evidence records it (ARCHIVE_OPERATOR).
#operator = "A name, and how to reach it"

# The machine that captures, as the evidence records it (ARCHIVE_HOSTNAME).
#hostname = "archive.example.org"

# Editions to crawl: en, ar or all (-a edition=).
edition = "all"

# Requests in 24 hours, at most; 0: no limit (ARCHIVE_DAILY_REQUESTS).
budget = 8000

# One or two timestamp authorities that date the evidence after each crawl. They learn when you crawl
# (ARCHIVE_TIMESTAMPS).
#authorities = ["https://authority.example/"]

# A health check, requested at the end of each crawl with its exit status (ARCHIVE_PING_URL).
#ping = "https://check.example/ping/secret"

# The log, where the journal does not keep it: a file outside this folder. It is rotated; a name that ends in
# .jsonl has JSON lines (ARCHIVE_LOG).
#log = "/var/log/sohr/archive.log"

# Where changes are posted, each at least once; more of these blocks are more alerts (docs/alerts.md). The
# filters kind, severity, edition and words may be left out.
#[[alerts]]
#name = "figures"
#url = "https://receiver.example/hook"
#secret = "16 characters or more"
#severity = 3
#edition = "en"
#words = "landmine"
"""


class BadSettings(ArchiveError):
    """Raised when the settings file cannot be read or has a wrong value, by `read_settings`."""

    exit_status = USAGE


def read_settings(folder: Path) -> dict[str, Any]:
    """Read the settings of the archive in a folder; none if it has no such file. Raises BadSettings."""
    path = folder / SETTINGS
    try:
        text = path.read_text(encoding="utf-8")
        import tomllib  # on first use: few archives have the file

        found = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadSettings(f"{path} cannot be read ({error.strerror}): correct its permissions") from error
    except ValueError as error:  # tomllib.TOMLDecodeError, or no UTF-8
        raise BadSettings(f"{path} is not valid TOML ({error}): correct that line") from error
    known = (*VARIABLES, *ARGUMENTS, _ALERTS)
    for name, value in found.items():
        if name not in known:
            raise BadSettings(f"{path}: there is no setting {name}: known are {', '.join(known)}")
        wanted = _TYPES.get(name, str)
        entry, entries = (dict, "tables: write [[alerts]]") if name == _ALERTS else (str, "texts")
        is_right = isinstance(value, wanted) and not isinstance(value, bool)
        if not is_right or (wanted is list and not all(isinstance(one, entry) for one in value)):
            form = {str: "a text in quotation marks", int: "a number", list: f"a list of {entries}"}[wanted]
            raise BadSettings(f"{path}: {name} is not {form}: correct it")
    return found


def apply_settings(folder: Path) -> Mapping[str, str]:
    """Set the environment variables that the file gives and that are not set; return these. Raises
    BadSettings."""
    found = read_settings(folder)
    given = {
        variable: " ".join(found[name]) if name == "authorities" else str(found[name])
        for name, variable in VARIABLES.items()
        if name in found and not os.environ.get(variable)
    }
    os.environ.update(given)
    return given
