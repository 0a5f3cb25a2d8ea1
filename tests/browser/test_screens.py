"""What a screen shows at once, on a desk and on a phone. Needs Chromium and Playwright. All posts are invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.making import FIRST, SECOND, capture, make, page
from tests.browser.watching import Watched
from tests.serving import serve

pytestmark = pytest.mark.browser


def test_a_long_paragraph_with_a_figure_wraps(chromium: Any, tmp_path: Path) -> None:
    """A paragraph with a number that was added or removed whole is no wider than a phone: in a comparison,
    in one text, in the article."""
    line = (
        "Residents said that {} houses near the old market burned down before the fire was put out at noon."
    )
    posts = []
    for post_id, at, some in (
        (332600, FIRST, 1),
        (332600, SECOND, 2),
        (332601, FIRST, 2),
        (332601, SECOND, 1),
    ):
        lines = ("The fire is out.", *(line.format(number) for number in (14, 15)[:some]))
        posts.append(capture("en", post_id, at, page("en", post_id, "A fire in the market", lines)))
    make(tmp_path, posts)
    with serve(tmp_path / "served.log", "--archive", tmp_path, "serve") as served:
        watched = Watched(chromium, f"{served.url}/-/sohr/", viewport={"width": 390, "height": 900})
        for post_id in (332600, 332601):
            for place in ("", "/diff/1/2", "/diff/1/2?view=inline"):
                shown = watched.go(f"en/{post_id}{place}")
                assert shown.evaluate("document.documentElement.scrollWidth") <= 390, place
        watched.context.close()
        watched.check()


def test_the_first_changed_figure_is_seen_at_once(chromium: Any, tmp_path: Path) -> None:
    """A visitor of the front page sees a figure before and after without scrolling."""
    make(tmp_path)
    with serve(tmp_path / "served.log", "--archive", tmp_path, "serve") as served:
        for width, height in ((1280, 900), (390, 844)):
            watched = Watched(chromium, f"{served.url}/-/sohr/", viewport={"width": width, "height": height})
            for language in ("en/", "ar/"):
                box = watched.go(language).locator(".card .turn").first.bounding_box()
                assert box["y"] + box["height"] <= height, (language, width)
            watched.context.close()
            watched.check()
