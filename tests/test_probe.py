"""`sohr-archive probe`: at most 30 requests, and a report from which a reader knows what a site offers."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from archive.read.database import open_readonly
from archive.reports.probe import Probe, read_probe
from archive.reports.probe_text import probe_lines
from tests.crawling import command, environment, run
from tests.exact import Exact, http
from tests.replica.server import ROOT, Replica


def probe(site: Exact | Replica | str, folder: Path) -> tuple[str, Probe]:
    """Text and report of a probe without pauses."""
    url = site if isinstance(site, str) else site.url
    line = ["probe" if part == "sohr" else part for part in command(url, folder)]
    done = run(line)
    assert "Traceback" not in done.stderr, done.stderr
    with closing(open_readonly(folder)) as conn:
        found = read_probe(conn, folder)
    return "\n".join(probe_lines(found)), found


def test_the_command(tmp_path: Path) -> None:
    """Report and evidence in a folder of its own; robots.txt is heeded."""
    with Exact({"/robots.txt": http("User-agent: *\nDisallow: /\n", kind="text/plain")}) as site:
        line = [sys.executable, "-m", "archive.cli.main", "probe", site.url, "--folder", str(tmp_path / "p")]
        done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 69 and "FORBIDS this crawler" in done.stdout, done.stderr
        assert set(site.paths) == {"/robots.txt"}
        again = subprocess.run(
            [*line[:-1], str(tmp_path / "q"), "--json"],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert json.loads(again.stdout)["exit_status"] == again.returncode == 69
    report = json.loads((tmp_path / "p" / "report.json").read_text(encoding="utf-8"))
    assert "FORBIDS" in report["robots"] and report["verdict"].startswith("forbidden")


def test_no_site(tmp_path: Path) -> None:
    """69, with the client's reason; nothing is said of what was not seen."""
    text, report = probe("http://127.0.0.1:1/", tmp_path / "p")
    assert report.exit_status == 69 and "no answer: DownloadConnectionRefusedError" in text
    assert "check the address" in text and "robots.txt" not in text


def test_a_site_that_is_open(tmp_path: Path) -> None:
    """Channels, layouts, statements and cost, in 30 requests; the evidence is an archive like any other."""
    with Replica(posts=40) as site:
        text, report = probe(site, tmp_path / "p")
        assert report.exit_status == 0 and "open:" in text and len(site.log()) <= 30
    assert [(one.posts, one.word) for one in report.editions] == [(40, "open")] * 2 and report.requests == 88
    assert "agrees" in text and "REST (wp-json)     yes: 40 posts, counts 40 in this edition" in text
    outcomes = {(one.channel, one.outcome) for one in report.answers}
    assert {
        ("home", "listing"),
        ("feed", "feed"),
        ("rest", "rest"),
        ("sitemap", "sitemap"),
        ("article", "new"),
    } <= outcomes
    assert {one.layout for one in report.answers if one.outcome == "new"} == {"publisher"}
    assert abs(report.clock_seconds or 0) < 60 and list((tmp_path / "p" / "warc").iterdir())


def test_a_site_with_closed_channels(tmp_path: Path) -> None:
    """REST, feeds and sitemaps closed: said so, and no cost is invented."""
    with Replica(posts=20, rest=False, feed=False, sitemap=False) as site:
        text, report = probe(site, tmp_path / "p")
    assert report.exit_status == 0 and "open in neither edition: feed, REST (wp-json), sitemap" in text
    assert report.requests is None and "the cost is not known" in text
    channels = {one.channel for one in report.answers if one.outcome in ("feed", "rest", "sitemap")}
    assert channels == set()


def test_a_challenge_and_pages_that_cannot_be_read(tmp_path: Path) -> None:
    """69 and 65, each in words."""
    challenge = http("<title>Just a moment...</title>", "403 Forbidden", "cf-mitigated: challenge")
    with Exact() as site:
        site.rules.append(("^/(?!robots)", challenge))
        text, report = probe(site, tmp_path / "a")
        assert report.exit_status == 69 and len(site.paths) <= 12
        assert "VERDICT  refused: the site asks for proof of being human (status 403)" in text
    with Exact() as site:
        site.add_posts(range(101, 107))
        site.rules.append(
            (r"^/en/\d+/", http("<html><body><div>words without a mark of a post</div></body></html>"))
        )
        text, report = probe(site, tmp_path / "b")
        assert report.exit_status == 65 and "cannot be read" in text
