"""A capture that came from a public archive says so wherever it is cited, and a rebuild says the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from archive import Archive as Reading
from archive.rebuild.rebuild import rebuild
from tests.archiving import Archive, capture, dump, well

ASKED = "http://127.0.0.1:10/web/20160301100000id_/http://127.0.0.1:9/en/1/"
FROM = {"source": "wayback", "service_url": ASKED, "recorded_at": "2026-01-05T00:00:00Z"}


def test_the_source_of_a_capture_is_in_export_citation_and_api(tmp_path: Path) -> None:
    """The service and the address asked stand beside the evidence; a capture of the site itself is `live`."""
    folder = tmp_path / "archive"
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-02T00:00:00Z", "Three were killed."))
        archive.take(capture(1, "2016-03-01T10:00:00Z", "One was killed.", **FROM))
    lines = well(folder, "export", "--versions", "all").splitlines()
    evidence = [json.loads(line)["evidence"] for line in lines]
    assert [(one["source"], one["service_url"]) for one in evidence] == [("wayback", ASKED), ("live", None)]
    with Reading.open(folder) as reading:
        assert [version.evidence.source for version in reading.versions()] == ["wayback", "live"]
    older, live = (well(folder, "cite", "en:1", number).decode() for number in (1, 2))
    assert "Wayback Machine: it proves what that archive serves for this time." in older and ASKED in older
    assert "proves" not in live
    [change] = [
        one for one in map(json.loads, well(folder, "changes").splitlines()) if one["kind"] == "backfilled"
    ]
    assert (change["said_at"], change["learnt_at"]) == ("2016-03-01T10:00:00Z", "2026-01-05T00:00:00Z")


def test_a_rebuild_knows_the_source(tmp_path: Path) -> None:
    """Source and address are part of the evidence: the rows are equal after a rebuild."""
    folder = tmp_path / "archive"
    with Archive(folder) as archive:
        archive.take(capture(1, "2016-03-01T10:00:00Z", "One was killed.", **FROM))
    before = dump(folder)
    shutil.copy(folder / "archive.db", tmp_path / "before.db")
    (folder / "archive.db").unlink()
    rebuild(folder)
    assert dump(folder) == before
    assert any("wayback" in map(str, row) and ASKED in map(str, row) for row in before["captures"])
