"""Tests with real parts are skipped, with a sentence, where these are not named in the environment. The
project's own commands are forked (`tests.forking`) but in tests marked ``real_process``."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import forking
from tests.commanding import crawled
from tests.damaging import intact
from tests.exporting import exports
from tests.invented_rows import invented
from tests.made_demo import demo
from tests.reading import ds, path
from tests.shared_site import health, shared, site
from tests.small_archive import small
from tests.small_disk import room

__all__ = [
    "crawled",
    "demo",
    "ds",
    "exports",
    "health",
    "intact",
    "invented",
    "path",
    "room",
    "shared",
    "site",
    "small",
]

gc.disable()  # until all is collected

# An example and the making of examples have no time limit: how long they take depends on what else the
# machine does. In CI the same examples each time: a new one is found where somebody sits in front of it.
settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("ours")

NEEDS = {
    "wordpress": (
        "SOHR_WORDPRESS_URL",
        "no real WordPress here: SOHR_WORDPRESS and SOHR_WORDPRESS_URL are not set",
    ),
    "replay": (
        "SOHR_PYWB",
        "no pywb here: SOHR_PYWB, a Python whose environment holds pywb and fastwarc, is not set",
    ),
    "wacz": ("SOHR_WACZ", "no wacz here: SOHR_WACZ, the command of the package wacz, is not set"),
    "replaywebpage": (
        "SOHR_REPLAYWEBPAGE",
        "no ReplayWeb.page here: SOHR_REPLAYWEBPAGE, a folder with its ui.js and sw.js, is not set",
    ),
    "benchmarks": ("SOHR_BENCHMARKS", "no public benchmark pages here: SOHR_BENCHMARKS is not set"),
    "seeds": ("SOHR_SEEDS", "no reference articles here: SOHR_SEEDS is not set"),
}


# Files that take longest, in `make test` or `make test-slow`, the longest first: begun last, one of them
# would keep a worker busy while others have nothing left
LONGEST = (
    "test_simulated_year",
    "test_docs",
    "test_retry_after",
    "test_judgement",
    "test_damaged_pages",
    "test_killed_crawls",
    "test_implausible_pages",
    "test_blind_trial",
    "test_crawl",
    "test_rebuild",
    "test_stopping_a_crawl",
    "test_doubts",
    "test_redirects",
    "test_export_memory",
    "test_refusals",
    "test_signals",
    "test_cases_crawl",
    "test_labels",
    "test_simulated_years",
    "test_forking",
    "test_foreign_files",
    "test_backfill",
    "test_delay_and_contact",
)


@dataclass(frozen=True, slots=True)
class WordPress:
    """A running WordPress: its address, with a slash at the end, and the folder of its tools (`wpctl`)."""

    url: str
    folder: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, (variable, sentence) in NEEDS.items():
        if not os.environ.get(variable):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=sentence))
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collection_finish() -> None:
    """What has been loaded stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def forked_commands() -> Iterator[None]:
    """Commands of the project start as forks of one process."""
    subprocess.Popen = forking.Popen  # type: ignore[misc]
    yield
    forking.stop()


@pytest.fixture(autouse=True)
def real_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test marked ``real_process`` starts its commands as a person does."""
    monkeypatch.setattr(forking, "real", request.node.get_closest_marker("real_process") is not None)


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The folder of the reference articles."""
    return Path(os.environ["SOHR_SEEDS"])


@pytest.fixture(scope="session")
def wordpress() -> WordPress:
    """The real WordPress, as it was started."""
    return WordPress(os.environ["SOHR_WORDPRESS_URL"], Path(os.environ["SOHR_WORDPRESS"]))
