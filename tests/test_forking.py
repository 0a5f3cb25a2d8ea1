"""A forked command is a process as any other: its arguments, environment, files, session, signals and exit
status are its own. Some tests keep the real thing."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests import forking
from tests.archiving import Archive
from tests.crawling import crawl, running, until
from tests.replica.server import ROOT, Replica

CLI = [sys.executable, "-m", "archive.cli.main"]
LEAST = 10  # tests that start the real command


def test_enough_tests_start_the_real_command() -> None:
    """Forks save time; what a person runs is a process of its own."""
    marked = [
        f"{file.name}: {node.name}"
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any("mark.real_process" in ast.unparse(one) for one in node.decorator_list)
    ]
    assert len(marked) >= LEAST, marked


@pytest.mark.parametrize("real", [False, True], ids=["forked", "real"])
class TestBothWays:
    """The same of a forked process and of a real one."""

    @pytest.fixture(autouse=True)
    def way(self, real: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """Choose."""
        monkeypatch.setattr(forking, "real", real)

    def test_the_command_is_forked_where_it_should_be(self, real: bool) -> None:
        """A fork has the command line of the process that it comes from."""
        with subprocess.Popen([*CLI, "--version"], cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert (child._line is None) is real  # type: ignore[attr-defined]
            assert child.wait(60) == 0

    def test_status_output_and_error(self, tmp_path: Path) -> None:
        """Each of them arrives."""
        said = subprocess.run([*CLI, "--version"], cwd=ROOT, capture_output=True, text=True)
        assert (said.returncode, said.stderr) == (0, "") and said.stdout.startswith("sohr-archive ")
        said = subprocess.run([*CLI, "--nonsense"], cwd=ROOT, capture_output=True, text=True)
        assert (said.returncode, said.stdout) == (2, "") and "Usage" in said.stderr
        said = subprocess.run(
            [*CLI, "status"], cwd=ROOT, env={"ARCHIVE_DIR": str(tmp_path)}, capture_output=True
        )
        assert said.returncode == 2 and os.fsencode(tmp_path) in said.stderr

    def test_the_environment_is_that_which_is_given(self, tmp_path: Path) -> None:
        """Also for settings that a module reads when it is loaded."""
        with Replica(posts=10) as site:
            line = [
                sys.executable,
                "-m",
                "scrapy.cmdline",
                "crawl",
                "sohr",
                "-a",
                f"site={site.url}",
                "-a",
                "pages=1",
            ]
            given = {"ARCHIVE_DIR": str(tmp_path / "a"), "ARCHIVE_CONTACT": "me@example.org"}
            done = subprocess.run(
                [*line, "-s", "DOWNLOAD_DELAY=0"], cwd=ROOT, env=given, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            assert {str(entry["user_agent"]).partition("; ")[2] for entry in site.log()} == {
                "me@example.org)"
            }
        assert (tmp_path / "a" / "archive.db").exists()

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_a_killed_process_has_that_status(self, number: int) -> None:
        """As subprocess gives it."""
        replica = [sys.executable, "-m", "tests.replica"]
        with subprocess.Popen(replica, cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout
            child.stdout.readline()
            assert child.poll() is None
            child.send_signal(number)
            assert child.wait(30) == -number

    def test_waiting_has_an_end(self) -> None:
        """The wait for a process ends with a time-out, and the process continues."""
        replica = [sys.executable, "-m", "tests.replica"]
        with subprocess.Popen(replica, cwd=ROOT, stdout=subprocess.DEVNULL) as child:
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(0.3)
            assert child.poll() is None
            child.kill()

    @pytest.mark.parametrize("ignored", [False, True], ids=["foreground", "background"])
    def test_ctrl_c_also_where_this_process_ignores_it(self, tmp_path: Path, ignored: bool) -> None:
        """A shell that starts the suite in the background has it ignore Ctrl-C; its children must not."""
        with Archive(tmp_path / "a"):
            pass
        before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
        try:
            line = [*CLI, "--archive", str(tmp_path / "a"), "changes", "--follow"]
            with subprocess.Popen(
                line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as child:
                until(
                    lambda: "archive.db" in str(psutil.Process(child.pid).open_files()), "the command at work"
                )
                child.send_signal(signal.SIGINT)
                _, error = child.communicate(timeout=20)
            assert signal.getsignal(signal.SIGINT) is (
                signal.SIG_IGN if ignored else signal.default_int_handler
            )
        finally:
            signal.signal(signal.SIGINT, before)
        assert child.returncode == 130 and error.strip() == "sohr-archive: stopped by Ctrl-C"

    def test_a_thread_starts_commands_in_the_background_too(self) -> None:
        """Only the main thread can set what Ctrl-C does: a server of a test starts its commands without."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with ThreadPoolExecutor() as pool:
                line = [*CLI, "--version"], ["true"]
                done = list(pool.map(lambda one: subprocess.run(one, cwd=ROOT, capture_output=True), line))
        finally:
            signal.signal(signal.SIGINT, before)
        assert [one.returncode for one in done] == [0, 0]

    def test_the_archive_process_is_a_child_of_the_crawl(self, tmp_path: Path) -> None:
        """In a session of its own, as the crawl is here."""
        with Replica(posts=10, slow_ms=60_000) as site, running(site, tmp_path / "a") as run:
            until(lambda: (tmp_path / "a" / "archive.db").exists(), "the archive")
            assert run.archive is not None
            crawl_id, archive_id = run._child.pid, run.archive.pid
            assert run.archive.ppid() == crawl_id
            assert [os.getsid(crawl_id), os.getsid(archive_id)] == [crawl_id, archive_id]

    def test_a_crawl_that_is_killed_leaves_nothing_running(self, tmp_path: Path) -> None:
        """Its archive process ends by itself."""
        with Replica(posts=10, slow_ms=60_000) as site, running(site, tmp_path / "a") as run:
            until(lambda: (tmp_path / "a" / "archive.db").exists(), "the archive")
            archive = run.archive
            assert archive is not None
            run.kill()
            until(lambda: not archive.is_running(), "its end")

    def test_a_crawl_of_a_wrong_argument_leaves_nothing_running(self, tmp_path: Path) -> None:
        """Whatever was to be its archive process ends with it."""
        before = {child.pid for child in psutil.Process().children(recursive=True)}
        done = crawl("http://127.0.0.1:9/", tmp_path / "a", "pages=none")
        assert done.status == 2 and "Traceback" not in done.stderr
        server = {forking.server()._process.pid}
        until(
            lambda: {child.pid for child in psutil.Process().children(recursive=True)} <= before | server,
            "its end",
        )
