"""Who reads pages: this process here, other processes in `archive.extract.pool`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archive.extract.cross_check import GENERAL, Check, cross_check, is_sampled, is_to_be_checked
from archive.model import ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site


class Reader:
    """Reads pages in this process. With ``in_full`` heavy pages too: a record says that this ends in time."""

    check: Check | None = None  # what a record says of the page that is read

    def __init__(self, site: Site, *, in_full: bool = False) -> None:
        self.site = site
        self._in_full = in_full

    def is_to_be_checked(self, found: Extract) -> bool:
        """Whether a text needs a second opinion first, which a record keeps: another release of trafilatura
        may say otherwise."""
        return is_to_be_checked(found) and self.check is None and not self._in_full

    def read(self, capture: Capture, expected: ArticleKey | None) -> Extract | Unextractable:
        """Read a page of the site, or of another one. ``expected`` is the article its address promises."""
        # On first use: many crawls read no page, and the patterns of all themes take long to compile
        if self.site.parse(capture.url) is None:
            from archive.extract.other_sites import extract_general

            return extract_general(capture, self.site, apart=self._in_full)
        from archive.extract.page import extract

        return extract(capture, self.site, expected, apart=self._in_full)

    def cross_check(self, capture: Capture, found: Extract) -> str | None:
        """How a second reader disagrees with what was read: of what `general` read by a record, of others if
        the page is sampled."""
        if found.layout == GENERAL:
            return self.check.drift if self.check else None
        return cross_check(capture, found) if is_sampled(capture) else None

    def start_rereading(self, wanted: Sequence[tuple[int, ArticleKey, Path, int]]) -> None:
        """Begin to read records that `reread` will be asked for: capture, article, file, offset."""

    def reread(self, capture_id: int, key: ArticleKey) -> Extract | Unextractable | None:
        """What a record that was begun says; None if it was not begun, or could not be read."""
        return None


class KnownReader(Reader):
    """Returns what somebody has read or checked already."""

    def __init__(self, site: Site, found: Extract | Unextractable | None, check: Check | None = None) -> None:
        super().__init__(site, in_full=True)
        self.found = found
        self.check = check

    def is_to_be_checked(self, found: Extract) -> bool:
        """As `Reader.is_to_be_checked`."""
        return is_to_be_checked(found) and self.check is None

    def read(self, capture: Capture, expected: ArticleKey | None) -> Extract | Unextractable:
        """The page's reading, as it was given; else as it is read here."""
        return self.found or super().read(capture, expected)
