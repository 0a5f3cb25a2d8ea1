"""A month of a site that does what sites do: a reader of exit statuses and feed concludes what it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blind_trial import Conclusion, Deed, Line, Month, Seen, Truth, conclude, mistakes

SEEDS = (1, 2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_blind_reader_concludes_what_the_site_did(tmp_path: Path, seed: int) -> None:
    """No false disappearance, move or edit; each deed and each trouble is found in time."""
    month = Month(tmp_path / "archive", seed)
    seen = month.play()
    assert month.truth.deeds and month.truth.troubles
    assert mistakes(month.truth, seen) == []


def change(seq: int, kind: str, at: str, **more: object) -> dict[str, object]:
    values = {"severity": 0, "stale_copy": False, "retracts": None}
    return {"seq": seq, "kind": kind, "post_id": 1, "said_at": at, **values, **more}


def test_the_reader_knows_only_the_documented_meanings() -> None:
    """What was retracted, old copies and rewordings are no edits; a status other than 0 is trouble."""
    feed = [
        change(1, "created", "2026-01-01T00:00:00Z"),
        change(2, "updated", "2026-01-02T00:00:00Z", severity=3),
        change(3, "updated", "2026-01-03T00:00:00Z", severity=3),
        change(4, "retracted", "2026-01-03T00:00:00Z", retracts=3),
        change(5, "updated", "2026-01-04T00:00:00Z", severity=0, stale_copy=True),
        change(6, "missing", "2026-01-05T00:00:00Z"),
    ]
    statuses = ((1, 0), (2, 69), (3, 69), (4, 0))
    crawls = [Line(f"2026-01-0{day}T00:00:00Z", status, "", 1) for day, status in statuses]
    seen = Seen(crawls, feed)
    spans = [("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")]
    edits, rumours = {1: ["2026-01-02T00:00:00Z"]}, {1: ["2026-01-05T00:00:00Z"]}
    assert conclude(seen) == Conclusion(edits, rumours, {}, {}, {}, spans)
    truth = Truth("2026-01-04T00:00:00Z", [Deed("2026-01-01T12:00:00Z", "edit", 1)])
    assert [line.partition(" did not")[0] for line in mistakes(truth, seen)] == [
        "crawls from 2026-01-02T00:00:00Z to 2026-01-03T00:00:00Z"
    ]
    truth.deeds = []
    assert "the site did no such thing" in mistakes(truth, seen)[0]
