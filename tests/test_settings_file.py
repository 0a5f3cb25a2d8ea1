"""`sohr-archive init` and the settings file: crawl and commands read it, below -s and the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive.settings_file import BadSettings, apply_settings, read_settings
from tests.archiving import sohr
from tests.crawling import QUICK, asked, crawl, environment, records
from tests.replica.server import ROOT, Replica


def test_init_writes_a_file_that_is_read(tmp_path: Path) -> None:
    """Only its owner may read it; each commented line is right TOML too; a second init changes nothing."""
    folder = tmp_path / "new" / "archive"
    done = sohr(folder, "init", folder, "--contact", 'me "<me@example.org>"')
    assert done.status == 0 and (folder / "settings.toml").stat().st_mode & 0o777 == 0o600
    written = (folder / "settings.toml").read_text()
    wanted = {"contact": 'me "<me@example.org>"', "edition": "all", "budget": 8000}
    assert read_settings(folder) == wanted
    lines = [line.removeprefix("#") for line in written.splitlines() if not line.startswith("# ")]
    (folder / "settings.toml").write_text("\n".join(lines))
    assert read_settings(folder).keys() > wanted.keys()
    done = sohr(folder, "init", folder)
    assert done.status == 73 and "settings.toml exists: edit it" in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("budgett = 1", "there is no setting budgett: known are contact"),
        ('budget = "many"', "budget is not a number"),
        ("contact = 7", "contact is not a text"),
        ("authorities = [7]", "authorities is not a list of texts"),
        ("contact = ", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """One sentence that names the file, and exit status 2."""
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(BadSettings, match=words):
        read_settings(tmp_path)


def test_the_environment_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file fills in only what is not set."""
    for name in ("ARCHIVE_CONTACT", "ARCHIVE_TIMESTAMPS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "environ", {"ARCHIVE_CONTACT": "environment"})
    (tmp_path / "settings.toml").write_text('contact = "file"\nauthorities = ["https://a/", "https://b/"]')
    assert apply_settings(tmp_path) == {"ARCHIVE_TIMESTAMPS": "https://a/ https://b/"}


def test_a_crawl_reads_it(tmp_path: Path) -> None:
    """Contact, site and edition are the file's; -s and the environment are stronger; a wrong file asks for
    nothing."""
    folder = tmp_path / "archive"
    folder.mkdir()
    with Replica(posts=2) as site:
        text = f'site = "{site.url}"\nedition = "ar"\ncontact = "file@example.org"\n'
        (folder / "settings.toml").write_text(text)

        def user_agents(*more: str, **env: str) -> str:
            seen = len(records(folder))
            quick = [part for name, value in QUICK.items() for part in ("-s", f"{name}={value}")]
            line = [sys.executable, "-m", "scrapy.cmdline", "crawl", "sohr", *quick, *more]
            done = subprocess.run(
                line,
                cwd=ROOT,
                env=environment() | {"ARCHIVE_DIR": str(folder)} | env,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, done.stderr
            return str({one.header("User-Agent") for one in records(folder)[seen:] if one.kind == "request"})

        assert "file@example.org" in user_agents()
        assert not [path for path in asked(site) if path.startswith("/en/")]
        assert "file@" not in (seen := user_agents(ARCHIVE_CONTACT="env@x.org")) and "env@x.org" in seen
        assert "line@x.org" in user_agents("-s", "ARCHIVE_CONTACT=line@x.org")
        (folder / "settings.toml").write_text("edtion = 'ar'")
        site.clear_log()
        refused = crawl(site, folder)
        assert refused.status == 2 and "there is no setting edtion" in refused.stderr and asked(site) == []
        assert sohr(folder, "status").status == 2
