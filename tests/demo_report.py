"""What `make demo` prints of the changes that the archive noticed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.clock import now
from archive.compare.words import word_diff
from archive.read import feed
from archive.read.database import open_readonly
from archive.reports.status import read_status
from archive.reports.terminal import columns, cut, isolated, plain, render_status
from tests.demo_roles import Cast, name_of


def noticed(folder: Path, first: int, roles: Cast) -> None:
    """Print the changes after the first crawl as a table, the edited toll word by word, and the status."""
    with closing(open_readonly(folder)) as conn:
        changes = list(feed.changes(conn, after=first))
        versions = conn.execute(
            "select text from versions v join articles a using (article_id) where edition = ? and post_id = "
            "? order by number",
            roles.toll,
        )
        texts = [row["text"] for row in versions]
        status = read_status(conn, folder, now())
    heading("What the archive noticed")
    print(f"Changes 1 to {first} are the posts of the first crawl. Then:\n")
    width = shutil.get_terminal_size((120, 24)).columns
    print(table(changes, max(24, width - 74)))
    unchanged = sum(
        change["kind"] == "updated" and (change["edition"], change["post_id"]) == roles.spaces
        for change in changes
    )
    print(
        f"\nNew white space in {name_of(roles.spaces)} made "
        f"{'no version' if not unchanged else 'a version, which is wrong: please report it'}."
    )
    if len(texts) == 2:
        print(f"\nThe toll in {name_of(roles.toll)}, before and after:\n\n{word_by_word(texts[0], texts[1])}")
    heading("sohr-archive status")
    print(render_status(replace(status, next=()), width))  # what to type next stands below


def table(changes: Sequence[dict[str, Any]], width: int) -> str:
    """Changes as aligned rows."""
    rows = [["seq", "kind", "what changed", "severity", "silent", "article", "title"]]
    for change in changes:
        classes = " ".join(change["classes"]) or _detail(change["kind"], change["details"])
        silent = {True: "yes", False: "no", None: "-"}[change["stealth"]]
        severity = str(change["severity"]) if change["kind"] == "updated" else "-"
        title = isolated(cut(change["title"] or "(no title)", width))
        rows.append(
            [
                str(change["seq"]),
                change["kind"],
                classes,
                severity,
                silent,
                f"{change['source']}:{change['key']}",
                title,
            ]
        )
    return columns(rows, right=(0,))


def _detail(kind: str, details: dict[str, Any]) -> str:
    if kind == "restored":
        return f"was {details['state'][0]}"
    if "to" in details:
        return f"to {details['to']}"
    if "status" in details:
        return f"HTTP {details['status']}"
    return plain(" ".join(details)) or "-"


def word_by_word(before: str, after: str) -> str:
    """The lines that differ, removed words in [-...-] and added ones in {+...+}; in red and green on a
    terminal."""
    marks: dict[str, Callable[[str], str]] = {
        "same": lambda text: text,
        "removed": lambda text: paint("31", f"[-{text}-]"),
        "added": lambda text: paint("32;1", f"{{+{text}+}}"),
    }
    old, new = before.split("\n"), after.split("\n")
    lines = [
        f"  {''.join(marks[s.op](s.text) for s in word_diff(a, b))}"
        for a, b in zip(old, new, strict=False)
        if a != b
    ]
    return "\n".join(lines)


def colours() -> bool:
    """Whether whoever reads this is a person at a terminal who has not asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(code: str, text: str) -> str:
    """A text in a colour, on a terminal."""
    return f"\x1b[{code}m{text}\x1b[0m" if colours() else text


def dim(text: str) -> str:
    """Less loud than the rest."""
    return paint("2", text)


def heading(text: str) -> None:
    """What comes next."""
    print(f"\n{paint('1', text)}\n{'-' * len(text)}", flush=True)
