"""The WARC files alone are the archive: what is derived from them comes back, row by row, after whatever
happened to the site."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from archive.figures import derive
from archive.rebuild import recover
from archive.rebuild.rebuild import rebuild
from tests.archiving import Foreign, Ran, answer, command_line, dump, said, sohr, told, warc, well
from tests.crawling import (
    Crawled,
    changes,
    check_warcs,
    command,
    crawl,
    environment,
    rows,
    run,
    until,
    versions,
    warcs,
)
from tests.replica.server import ROOT, Replica
from tests.replica.words import EDITIONS

POSTS = 14  # an edition
GONE = 90_001  # a post that others saw, and saw vanish, years before
LATER_RELEASE = '''

_extract_before = extract


def extract(capture, site, expected=None, **bounds):  # type: ignore[no-redef]
    """Another release: it reads the last line of a text no more."""
    from dataclasses import replace

    found = _extract_before(capture, site, expected, **bounds)
    if isinstance(found, Extract) and len(found.lines) > 2:
        return replace(found, lines=found.lines[:-1])
    return found
'''


@dataclass
class History:
    """An archive to which all has happened that can; copy it before changing it."""

    folder: Path
    crawls: dict[str, Crawled] = field(default_factory=dict)
    runs: dict[str, Ran] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)  # name of a part -> English post that plays it
    told: tuple[bytes, bytes] = (b"", b"")
    url: str = ""
    quarantined: int = 0  # posts edited while the layout was new

    def copy(self, folder: Path) -> Path:
        """The same archive elsewhere."""
        shutil.copytree(self.folder, folder)
        return folder


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """First crawl, edits honest and silent, disappearance, restoration, quarantine, an import of older
    history, a re-extraction."""
    base = tmp_path_factory.mktemp("history")
    it = History(base / "archive")
    with Replica(posts=POSTS) as replica:
        it.url = replica.url
        it.crawls["first"] = crawl(replica, it.folder)
        plain = [
            post
            for post in replica.posts("en")
            if not post.odd and any(c in "0123456789" for c in "".join(post.lines))
        ]
        it.texts = dict(
            zip(
                ("honest", "silent", "gone", "quarantined", "imported"),
                (post.post_id for post in plain),
                strict=False,
            )
        )
        replica.call("edit", edition="en", post_id=it.texts["honest"], digit=True)
        replica.call(
            "edit", edition="en", post_id=it.texts["silent"], title="Another title, in silence", silent=True
        )
        replica.call("trash", edition="en", post_id=it.texts["gone"])
        replica.call("publish", edition="ar", count=2)
        it.crawls["edited"] = crawl(replica, it.folder, "look=all")
        replica.call("untrash", edition="en", post_id=it.texts["gone"])
        it.crawls["restored"] = crawl(replica, it.folder, "look=all")
        it.versions["before the new layout"] = versions(it.folder)
        replica.call("set", layout="foxiz")
        others = [
            post
            for e in EDITIONS
            for post in replica.posts(e)
            if not post.odd and post.post_id not in it.texts.values()
        ]
        edited = [it.texts["quarantined"]]
        for post in others:
            if any(c in "0123456789" for c in "".join(post.lines)):
                replica.call("edit", edition=post.edition, post_id=post.post_id, digit=True)
                edited.append(post.post_id)
        replica.call("edit", edition="en", post_id=edited[0], digit=True)
        it.quarantined = len(edited)
        it.crawls["new layout"] = crawl(replica, it.folder, "look=all")
        it.versions["in quarantine"] = versions(it.folder)
        it.runs["layouts"] = sohr(it.folder, "layouts")
        it.runs["confirm"] = sohr(it.folder, "layouts", "--confirm", "foxiz")
        it.versions["confirmed"] = versions(it.folder)
        it.runs["import"] = sohr(it.folder, "import", warc(base / "foreign.warc.gz", foreign(it)))
        it.runs["extract"] = sohr(it.folder, "rebuild", "--extract")
        it.crawls["last"] = crawl(replica, it.folder, "look=all")
    it.told = told(it.folder)
    return it


def foreign(it: History) -> list[Foreign]:
    """What others captured: an older text of an archived post, and a post that vanished before the archive
    began."""
    missing = answer(b"<html><body>Not found</body></html>", status="404 Not Found")
    days = ("2020-01-03", "2020-01-05", "2020-01-09")
    return [
        said(it.texts["imported"], "2021-05-01T10:00:00Z", "It said 3 then.", "And more of it.", site=it.url),
        said(GONE, "2020-01-01T10:00:00Z", "It said 4, and vanished.", "And more of it.", site=it.url),
        *(Foreign(f"{it.url}en/{GONE}/", f"{day}T10:00:00Z", missing) for day in days),
    ]


def test_all_that_can_happen_has_happened(history: History) -> None:
    """The scenario is what it claims to be."""
    assert {name: done.status for name, done in history.crawls.items()} == {
        "first": 0,
        "edited": 0,
        "restored": 0,
        "new layout": 65,
        "last": 0,
    }
    assert {name: ran.status for name, ran in history.runs.items()} == dict.fromkeys(history.runs, 0), (
        history.runs
    )
    parts = history.texts
    kinds = {name: changes(history.folder, "en", post_id) for name, post_id in parts.items()}
    assert kinds["honest"] == ["created", "updated"] and kinds["gone"][:3] == [
        "created",
        "missing",
        "restored",
    ]
    assert changes(history.folder, "en", GONE) == ["created", "missing", "disappeared"]
    assert kinds["imported"] == ["created", "backfilled"]
    stealth = rows(
        history.folder, "select stealth from edits where post_id = ? and edition = 'en'", parts["silent"]
    )
    assert stealth == [(1,)]
    check_warcs(history.folder)


def test_a_new_layout_that_reads_otherwise_makes_no_version_until_confirmed(history: History) -> None:
    """The capture waits in quarantine, the difference is shown, and comes in with the word of a person."""
    assert history.versions["in quarantine"] == history.versions["before the new layout"]
    shown = history.runs["layouts"].out.decode()
    assert f"foxiz: 0 versions, {history.quarantined} captures in quarantine" in shown and "sohr:" in shown
    assert "layouts --confirm foxiz" in shown
    assert history.versions["confirmed"] == history.versions["in quarantine"] + history.quarantined
    assert changes(history.folder, "en", history.texts["quarantined"])[-1] == "updated"
    assert rows(history.folder, "select count(*) from captures where outcome = 'quarantined'") == [(0,)]


def test_the_database_comes_back_row_by_row(history: History, tmp_path: Path) -> None:
    """Deleted and rebuilt: export and feed byte for byte, times included, and every row beneath them; `verify
    --deep` agrees."""
    folder = history.copy(tmp_path / "a")
    before = dump(folder)
    (folder / "archive.db").unlink()
    well(folder, "rebuild")
    assert told(folder) == history.told
    assert dump(folder) == before
    ran = sohr(folder, "verify", "--deep")
    assert (ran.status, ran.out) == (0, b"")
    assert ran.err.startswith("Checked 1 WARC file, ") and ran.err.endswith(": everything matches.\n")


def test_many_processes_read_what_one_would(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebuild that reads ahead on two cores, pages and figures, gives the same rows."""
    folder = history.copy(tmp_path / "a")
    before = dump(folder)
    assert before["figures"] and before["series"]
    monkeypatch.setattr(recover, "WORTH_IT", 0)
    monkeypatch.setattr(derive, "WORTH_IT", 0)
    rebuild(folder, jobs=2)
    assert dump(folder) == before


def test_the_next_command_rebuilds_what_is_missing(history: History, tmp_path: Path) -> None:
    """Deleted, and not rebuilt by hand: `repair` does it as well, and nothing else is written."""
    folder = history.copy(tmp_path / "a")
    before, evidence = dump(folder), {path.name: path.read_bytes() for path in warcs(folder)}
    (folder / "archive.db").unlink()
    assert sohr(folder, "repair").lines[0].startswith("0 bytes of an incomplete record cut off")
    assert dump(folder) == before
    assert {path.name: path.read_bytes() for path in warcs(folder)} == evidence


def test_a_rebuild_killed_goes_on(history: History, tmp_path: Path) -> None:
    """SIGKILL at random instants: the old database stays until the new one is whole, and the end is the
    same."""
    folder = history.copy(tmp_path / "a")
    before, random = dump(folder), Random(3)
    line = command_line(folder, "rebuild")
    killed = 0
    for _ in range(3):
        child = subprocess.Popen(
            line, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        partial = folder / "archive.db.rebuilding"
        until(lambda: partial.exists() or child.poll() is not None, "the rebuild")  # noqa: B023  # called in this turn
        try:
            child.wait(random.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
        assert dump(folder) == before
    assert killed
    well(folder, "rebuild")
    assert dump(folder) == before and told(folder) == history.told
    assert not (folder / "archive.db.rebuilding").exists()


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source tree of another release, whose extractor reads less."""
    tree = tmp_path_factory.mktemp("later")
    for name in ("archive", "crawler", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    shutil.copy(ROOT / "scrapy.cfg", tree)
    extract = tree / "archive" / "extract"
    source = (extract / "__init__.py").read_text(encoding="utf-8")
    release = next(line for line in source.splitlines() if line.startswith("EXTRACTOR = "))
    later = source.replace(release, 'EXTRACTOR = "later"')
    (extract / "__init__.py").write_text(later, encoding="utf-8")
    with (extract / "page.py").open("a", encoding="utf-8") as page:
        page.write(LATER_RELEASE)
    return tree


def test_another_release_reads_again_without_accusing_the_site(
    history: History, later: Path, tmp_path: Path
) -> None:
    """`rebuild --extract` replaces texts under all versions and says `reparsed`; not one row of the feed says
    anything else, or is rewritten."""
    folder = history.copy(tmp_path / "a")
    count = rows(folder, "select count(*) from changes")[0][0]
    numbers = rows(folder, "select article_id, number, first_captured_at from versions order by 1, 2")
    lines = rows(folder, "select length(text) from versions order by version_id")
    told_before = rows(folder, "select * from changes order by seq")
    well(folder, "rebuild", "--extract", source=later)
    assert rows(folder, "select * from changes where seq <= ? order by seq", count) == told_before
    assert {kind for (kind,) in rows(folder, "select kind from changes where seq > ?", count)} == {"reparsed"}
    assert rows(folder, "select article_id, number, first_captured_at from versions order by 1, 2") == numbers
    assert rows(folder, "select length(text) from versions order by version_id") < lines
    assert rows(folder, "select distinct extractor from versions") == [("later",)]
    assert rows(folder, "select value from about where key = 'epoch'") == [("1",)]


@pytest.mark.slow
def test_a_rebuild_by_another_release_starts_an_epoch(history: History, later: Path, tmp_path: Path) -> None:
    """The same feed cannot be made again, so consumers are asked once to begin anew. After that the feed is
    the same each time."""
    folder = history.copy(tmp_path / "a")
    well(folder, "rebuild", source=later)
    assert rows(folder, "select distinct epoch from changes") == [(2,)]
    after = dump(folder)
    assert sohr(folder, "verify", "--deep", source=later).out == b""
    (folder / "archive.db").unlink()
    well(folder, "repair", source=later)
    assert dump(folder) == after
    well(folder, "rebuild", source=later)
    assert dump(folder) == after
    assert sohr(folder, "verify", "--deep").lines[0].startswith("absent: extractor later read the archive")


def test_a_crawl_by_another_release_takes_no_reading_for_an_edit(later: Path, tmp_path: Path) -> None:
    """A page that did not change, read otherwise by a new release, is unchanged."""
    with Replica(posts=6) as replica:
        assert crawl(replica, tmp_path / "a").status == 0
        count = versions(tmp_path / "a")
        line = command(replica, tmp_path / "a", "look=all")
        done = run(line, environment() | {"PYTHONPATH": str(later)}, source=later)
        assert done.status == 0, done.stderr[-2000:]
    assert versions(tmp_path / "a") == count
    assert rows(tmp_path / "a", "select distinct kind from changes") == [("created",)]
    assert rows(tmp_path / "a", "select count(*) from captures where outcome = 'unchanged'")[0][0] > 0


def test_a_database_that_was_deleted_does_not_open_the_archive_to_another_site(
    history: History, tmp_path: Path
) -> None:
    """The evidence knows its site as well."""
    folder = history.copy(tmp_path / "a")
    (folder / "archive.db").unlink()
    with Replica(posts=4) as other:
        done = crawl(other, folder)
    assert done.status == 2 and "is an archive of" in done.stderr
