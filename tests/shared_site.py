"""A replica of the site that all tests of a module ask; the module says in POSTS how many posts it has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.replica.server import Replica
from tests.replica.settings import Settings


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[Replica]:
    """The site, as the tests before left it."""
    with Replica(posts=request.module.POSTS) as replica:
        yield replica


@pytest.fixture
def site(shared: Replica) -> Iterator[Replica]:
    """The site in good health, its log empty; whatever a test does to its settings is undone."""
    shared.clear_log()
    yield shared
    shared.call("set", **vars(Settings()))
