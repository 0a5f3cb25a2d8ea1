"""What the readers of WordPress pages and channels need to know of the site they read."""

from __future__ import annotations

from typing import Protocol

from archive.clock import read_day
from archive.model import Address, ArticleKey, Edition


class WordPressSite(Protocol):
    """The addresses of a site."""

    @property
    def home(self) -> str:
        """The home address, with a slash at its end."""

    def edition_home(self, edition: Edition) -> str:
        """The first listing page of an edition."""

    def article_url(self, key: ArticleKey, page: int = 1) -> str:
        """An address that leads to the post whatever its slug."""

    def parse(self, url: str, base: str | None = None) -> Address | None:
        """Read an address; None if it is not of this site."""


def day_of_scope(scope: str) -> str | None:
    """The day of a listing's scope: ``date/2024/05/03`` -> ``2024-05-03``; None for anything else."""
    parts = scope.split("/")
    return read_day("-".join(parts[1:])) if parts[0] == "date" and len(parts) == 4 else None
