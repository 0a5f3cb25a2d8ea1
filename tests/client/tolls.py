"""A program as somebody may write it who reads an archive: the figures that were changed later, and the
bullets of each article."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from archive import Archive, Change, ChangedFigure, Version


def changed_figures(archive: Archive, after: int = 0) -> Iterator[tuple[Change, ChangedFigure]]:
    """Each figure that an edit changed, with its change."""
    for change in archive.changes(after=after):
        if change.kind == "updated" and change.severity == 3:
            for figure in change.figures:
                yield change, figure


def kinds(version: Version) -> Counter[str]:
    """How many lines of which kind a version has."""
    return Counter(line.kind.value for line in version.lines)


def main(folder: str) -> None:
    """Tell both."""
    with Archive.open(folder) as archive:
        for change, figure in changed_figures(archive):
            sys.stdout.write(f"{change.citation} {figure.before} -> {figure.after}\n")
        total: Counter[str] = Counter()
        for version in archive.versions(which="latest"):
            total += kinds(version)
        for kind, number in sorted(total.items()):
            sys.stdout.write(f"{kind} {number}\n")


if __name__ == "__main__":
    main(sys.argv[1])
