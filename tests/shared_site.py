"""A replica of the site that all tests of a module ask; the module says in POSTS how many posts it has, and
in PER_PAGE, if it says so, how many entries a listing page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.replica.server import Replica
from tests.replica.settings import Settings


@pytest.fixture(scope="module")
def health(request: pytest.FixtureRequest) -> Settings:
    """The settings of the site in good health."""
    return Settings(per_page=getattr(request.module, "PER_PAGE", Settings().per_page))


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, health: Settings) -> Iterator[Replica]:
    """The site, as the tests before left it."""
    with Replica(posts=request.module.POSTS, per_page=health.per_page) as replica:
        yield replica


@pytest.fixture
def site(shared: Replica, health: Settings) -> Iterator[Replica]:
    """The site in good health, its log empty; whatever a test does to its settings is undone."""
    shared.clear_log()
    yield shared
    shared.call("set", **vars(health))
