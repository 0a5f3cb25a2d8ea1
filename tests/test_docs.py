"""What the documents promise: the tutorial is typed in, word for word; every other command and address in
them exists."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from archive import Archive
from archive.cli.main import sohr_archive
from archive.errors import exit_status_lines, exit_status_table
from archive.export.formats import format_table
from archive.thresholds import threshold_table
from tests.made_demo import COMMAND, Demo, environment
from tests.replica.server import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
SERVED = "make serve ARCHIVE_DIR=demo-data"
MARK = "= = = the command ended with"


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """What stands in the fenced blocks of these languages."""
    for language, text in re.findall(
        r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        if language in languages:
            yield text


@pytest.mark.parametrize("page", ["README.md", "docs/operating.md"])
def test_documents_show_the_table_of_exit_statuses(page: str) -> None:
    """README and docs say what `archive.errors.EXIT_STATUSES` says."""
    assert exit_status_table() in (ROOT / page).read_text("utf-8"), (
        f"paste into {page}:\n{exit_status_table()}"
    )


def test_the_thresholds_of_a_verdict_are_in_the_docs() -> None:
    """docs/operating.md has the table of `archive.thresholds`, so both change together."""
    text = (ROOT / "docs/operating.md").read_text("utf-8")
    assert threshold_table() in text, f"paste into docs/operating.md:\n{threshold_table()}"


def test_the_docs_show_each_export_format() -> None:
    """docs/export.md has the table of `archive.export.formats`."""
    text = (ROOT / "docs/export.md").read_text("utf-8")
    assert format_table() in text, f"paste into docs/export.md:\n{format_table()}"


@pytest.mark.parametrize(
    ("side", "command"),
    [("command", ["-m", "archive.cli.main", "--help"]), ("crawl", ["-m", "scrapy.cmdline", "crawl", "-h"])],
)
def test_help_shows_each_exit_status(side: str, command: list[str]) -> None:
    """`--help` of both commands names every status that they end with."""
    shown = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    words = " ".join(shown.split())
    for line in exit_status_lines(side):
        assert " ".join(line.split()) in words


@dataclass
class Step:
    """A command of the tutorial and what it is said to print."""

    command: str
    expected: str = field(default="")


def steps(page: Path) -> list[Step]:
    """Commands follow ``$``, their further lines follow ``>``."""
    found: list[Step] = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            elif line.startswith(">"):
                found[-1].command += "\n" + line[2:]
            else:
                found[-1].expected += line + "\n"
    return found


@pytest.mark.parametrize(("page", "least"), [("tutorial.md", 20), ("for-courts-and-editors.md", 10)])
def test_the_tutorial_is_what_happens(demo: Demo, page: str, least: int) -> None:
    """Each command in one shell, in order: it ends well and prints what the page says. So are the answers for
    courts. Both begin with the demo, which is made once."""
    check = doctest.OutputChecker().check_output
    made, *typed = (step for step in steps(ROOT / "docs" / page) if step.command != SERVED)
    assert made.command.removesuffix(" > /dev/null") == COMMAND
    assert ">" in made.command or check(made.expected, demo.said, doctest.ELLIPSIS), demo.said
    script = "".join(f"{{ {step.command}\n}} 2>&1 </dev/null\necho '{MARK}' $?\n" for step in typed)
    ran = subprocess.run(
        ["bash"], cwd=demo.clone, env=environment(), input=script, capture_output=True, text=True, timeout=500
    )
    parts = re.split(rf"^{MARK} (\d+)\n", ran.stdout, flags=re.MULTILINE)
    assert len(typed) > least and len(parts) == 2 * len(typed) + 1, ran.stdout[-2000:] + ran.stderr
    for step, told, status in zip(typed, parts[::2], parts[1::2], strict=False):
        assert status == "0" and check(step.expected, told, doctest.ELLIPSIS), (
            f"$ {step.command}\n{told}\nis not\n{step.expected}"
        )


def test_the_tutorials_archive_is_served(demo: Demo) -> None:
    """`make serve`, the one command of it that does not end: it names an address, and that answers."""
    assert SERVED in [step.command for step in steps(ROOT / "docs" / "tutorial.md")]
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(demo.clone / "served", "wb") as log:
        command = [*shlex.split(SERVED), f"PORT={port}"]
        served = subprocess.Popen(
            command, cwd=demo.clone, env=environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 60
        while f"http://127.0.0.1:{port}/ " not in (told := (demo.clone / "served").read_text("utf-8")):
            assert served.poll() is None and time.monotonic() < deadline, told
            time.sleep(0.2)
        lines = _answer(f"http://127.0.0.1:{port}/-/sohr/changes.jsonl?after=131", deadline)
        assert [line.startswith('{"seq":') for line in lines.splitlines()] == [True, True]
        assert "Tel Marjan" in _answer(f"http://127.0.0.1:{port}/-/sohr/en/15522", deadline)
    finally:
        os.killpg(served.pid, 15)
        served.wait(20)


def _answer(url: str, deadline: float) -> str:
    while True:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_the_programs_in_the_pages_run(demo: Demo) -> None:
    """Blocks of Python without a prompt run on the demo's archive, as a user saves them."""
    programs = [
        (page.name, text) for page in PAGES for text in blocks(page, "python") if not text.startswith(">>>")
    ]
    assert {page for page, _ in programs} >= {"README.md", "feed.md"}
    for page, text in programs:
        answer = subprocess.run(
            [sys.executable, "-c", text],
            cwd=demo.clone,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (answer.returncode, answer.stderr) == (0, ""), f"{page}: {answer.stderr}"
    with Archive.open(demo.clone / "demo-data") as archive:
        assert archive.consumers.cursor("parser").seq == archive.newest_seq > 0  # what docs/feed.md does


def test_the_examples_of_the_python_api_run(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/api.md, typed in after `make demo`."""
    monkeypatch.chdir(demo.clone)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    found = runner.run(parser.get_doctest(text, {}, "api.md", "docs/api.md", 0))
    assert found.attempted > 20 and found.failed == 0


# -- the other pages -----------------------------------------------------------------------------------------


def commands(program: str) -> list[tuple[str, list[str]]]:
    """Every command line of a program in a block of a page, with the page's name."""
    found = []
    for page in PAGES:
        lines = "\n".join(blocks(page, "", "sh", "console")).replace("\\\n", " ").splitlines()
        for part in (part for line in lines for part in re.split(r"[|;&]", line.removeprefix("$ "))):
            if part.count("'") % 2 or part.count('"') % 2:
                continue  # cut in the middle of a quotation
            words = shlex.split(part.partition(" >")[0], comments=True)
            if words and words[0].removeprefix(".venv/bin/") == program:
                found.append((page.name, words[1:]))
    return found


def test_every_command_of_ours_in_the_documents_exists() -> None:
    """With its options and the number of its arguments; nothing is run."""
    told = commands("sohr-archive")
    assert len(told) > 40 and {page for page, _ in told} > {"README.md", "operating.md", "export.md"}
    for page, words in told:
        rest = words[2:] if words[:1] == ["--archive"] else words
        command = sohr_archive.get_command(click.Context(sohr_archive), rest[0])
        assert command is not None, f"{page}: sohr-archive {shlex.join(words)}"
        try:
            command.make_context(
                rest[0], rest[1:], parent=click.Context(sohr_archive, obj=None), resilient_parsing=False
            )
        except click.exceptions.Exit:
            continue
        except click.ClickException as error:
            pytest.fail(f"{page}: sohr-archive {shlex.join(words)}: {error.format_message()}")


def test_every_crawl_in_the_documents_is_understood() -> None:
    """Arguments and settings of `scrapy crawl`."""
    table = (ROOT / "docs" / "crawling.md").read_text("utf-8")
    told = commands("scrapy")
    assert len(told) > 4
    for page, words in told:
        assert words[0] == "crawl" and words[1] in ("sohr", "pages"), page
        for option, value in zip(words[2::2], words[3::2], strict=True):
            name = value.partition("=")[0]
            known = (
                f"`-a {name}=`" in table
                if option == "-a"
                else name in ("ARCHIVE_DIR", "ARCHIVE_CONTACT", "DOWNLOAD_DELAY")
            )
            assert option in ("-a", "-s") and known, f"{page}: {option} {value}"


def test_every_target_of_make_in_the_documents_exists() -> None:
    """In code and in sentences."""
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        told = set(re.findall(r"`make ([a-z-]+)", text := page.read_text("utf-8"))) | set(
            re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE)
        )
        assert told <= rules, f"{page.name}: {told - rules}"


def test_links_of_the_pages_that_the_site_does_not_hold() -> None:
    """README and changelog: each file is there, and each heading in it. (`make docs` does the same for
    docs/.)"""
    for page in PAGES[:3]:
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
            name, _, anchor = target.partition("#")
            path = (page.parent / name) if name else page
            assert path.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(path), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Of the headings, as a forge makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_is_in_the_index() -> None:
    """And the README leads to each."""
    index, readme = (ROOT / "docs" / "index.md").read_text("utf-8"), (ROOT / "README.md").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"]({page.name})" in index, page.name
        assert f"](docs/{page.name})" in readme, page.name


def test_no_page_is_too_long_to_read() -> None:
    """At most 200 lines each."""
    for page in (*PAGES, *(ROOT / "docs").glob("*.md")):
        assert len(page.read_text("utf-8").splitlines()) <= 200, page.name
