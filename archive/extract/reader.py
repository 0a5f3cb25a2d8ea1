"""Who reads pages: this process here, other processes in `archive.extract.pool`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archive.extract.cross_check import second_opinion
from archive.extract.other_sites import extract_general
from archive.extract.page import extract
from archive.model import ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site


class Reader:
    """Reads pages in this process. With ``in_full`` heavy pages too: a record says that this ends in time."""

    def __init__(self, site: Site, *, in_full: bool = False) -> None:
        self.site = site
        self._in_full = in_full

    def read(self, capture: Capture, expected: ArticleKey | None) -> Extract | Unextractable:
        """Read a page of the site, or of another one. ``expected`` is the article its address promises."""
        if self.site.parse(capture.url) is None:
            return extract_general(capture, self.site, apart=self._in_full)
        return extract(capture, self.site, expected, apart=self._in_full)

    def cross_check(self, capture: Capture, found: Extract) -> str | None:
        """How a second reader disagrees with what was read, as `second_opinion` says."""
        return second_opinion(capture, found)

    def start_rereading(self, wanted: Sequence[tuple[int, ArticleKey, Path, int]]) -> None:
        """Begin to read records that `reread` will be asked for: capture, article, file, offset."""

    def reread(self, capture_id: int, key: ArticleKey) -> Extract | Unextractable | None:
        """What a record that was begun says; None if it was not begun, or could not be read."""
        return None


class KnownReader(Reader):
    """Returns what somebody has read already."""

    def __init__(self, site: Site, found: Extract | Unextractable) -> None:
        super().__init__(site)
        self._found = found

    def read(self, capture: Capture, expected: ArticleKey | None) -> Extract | Unextractable:
        """The page's reading, as it was given."""
        return self._found
