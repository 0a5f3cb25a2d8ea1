"""`sohr-archive series`"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, write_json

if TYPE_CHECKING:
    from archive.figures.series import CitedFigure, Series


@click.command()
@click.argument("of", required=False, metavar="[SERIES|ARTICLE]")
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option("--unit", metavar="NOUN", help="Only what counts these: civilians, airstrikes, killed.")
@click.option("--place", metavar="NAME", help="Only this governorate or desert: Homs, 'Homs desert'.")
@click.option("--since", metavar="WORDS", help="Only what counts since then, as written: 2024.")
@click.option("--falls", is_flag=True, help="Only totals that were corrected backwards.")
@click.option("--points", "least", type=click.IntRange(min=2), default=2, help="Only of at least N points.")
@click.option(
    "--every", is_flag=True, help="Of a series: also the points of versions that were edited since."
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most N series.")
@json_option("Write one JSON object for each series, or for each point of SERIES.")
@click.pass_context
def series(
    ctx: click.Context,
    of: str | None,
    edition: str | None,
    unit: str | None,
    place: str | None,
    since: str | None,
    falls: bool,
    least: int,
    every: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List series of figures, or the points of one SERIES, with citations.

    A series is one figure over posts: its heading and its sentence are the same in each of them but for the
    counts. Another wording, another year or another place is another series. With ARTICLE, list the series
    that it has a point in.

    \b
    Examples:
      sohr-archive series --unit civilians --since 2024
      sohr-archive series --falls
      sohr-archive series en:332481
      sohr-archive series 5f0c1d2e3a4b5968 --json
    """
    from dataclasses import asdict
    from itertools import islice

    from archive.figures.series import Wanted, parse_series
    from archive.read.references import NotArchived

    with opened(ctx) as archive:
        if of is not None and parse_series(of) is not None:
            points = archive.points(of, every=every)
            if not points:
                raise NotArchived(f"there is no series {of}: 'sohr-archive series' lists them")
            if as_json:
                for point in points:
                    write_json(asdict(point))
            else:
                click.echo(_describe_points(points))
            return
        article = archive.find(of).row["article_id"] if of is not None else None
        wanted = Wanted(edition, unit, place, since, falls, least, article)
        count = 0
        for found in islice(archive.series(wanted), limit):
            count += 1
            if as_json:
                write_json(asdict(found))
            else:
                click.echo(_describe_series(found))
    if not count and not as_json:
        needed = "a figure needs the same heading and wording in two posts"
        none = "No series" if wanted == Wanted() else "No series fits these options"
        click.echo(f"{none}: {needed}.", err=True)


def _describe_series(found: Series) -> str:
    """Two or three lines for a series: its numbers, and the wording of its last point."""
    from archive.reports.terminal import number_of

    falls = f", {number_of(found.falls, 'point')} lower than the one before" if found.falls else ""
    span = f"{found.points} points, {found.first_at[:10]} to {found.last_at[:10]}"
    values = f"{_number(found.lowest)} to {_number(found.highest)}, now {_value(found.last)}{falls}"
    return "\n".join((f"{found.series}  {found.source}  {span}: {values}", *_wording(found.last)))


def _describe_points(points: Sequence[CitedFigure]) -> str:
    """The wording of a series and a line for each point."""
    lines = [line.strip() for line in _wording(points[-1])]
    before: float | None = None
    for point in points:
        fell = (
            "  lower than before" if point.is_latest and before is not None and point.value < before else ""
        )
        edited = "" if point.is_latest else "  edited since"
        lines.append(f"{point.at[:10]}  {_value(point):>9}  {point.citation}{fell}{edited}")
        before = point.value if point.is_latest else before
    return "\n".join(lines)


def _wording(point: CitedFigure) -> Iterator[str]:
    from archive.read.diff import safe

    for line in (point.heading, point.sentence):
        if line:
            yield "    " + safe(line)


def _value(point: CitedFigure) -> str:
    to = "" if point.value_to is None else f" to {_number(point.value_to)}"
    return f"{point.approx} " * bool(point.approx) + _number(point.value) + to


def _number(value: float) -> str:
    return f"{value:,.15g}"
