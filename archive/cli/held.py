"""`sohr-archive held`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, reading, write, write_json

_HELD = """select k.name as crawl, p.kind, count(*) as posts, min(c.captured_at) as since,
    group_concat(a.source || ':' || a.key, ' ') as names
from pending_outcomes p join captures c using (capture_id) join crawls k using (crawl_id)
    join articles a on a.article_id = p.article_id
where held_at is not null group by 1, 2 order by min(p.capture_id)"""
_NAMES = 5  # posts named in a line


@click.command()
@click.option(
    "--accept",
    metavar="CRAWL",
    help="Believe what this crawl found. Its held outcomes become changes, with the times of their captures.",
)
@json_option()
@click.pass_context
def held(ctx: click.Context, accept: str | None, as_json: bool) -> None:
    """Show which outcomes of looks are held because too many posts had the same one at once.

    When half of the looks of a day find posts missing, moved, without text or changed, the site is probably
    in trouble. Such outcomes are kept as evidence, and no change is written. Look at the posts in a browser.
    If they are as the crawl found them, accept the crawl. The archive accepts by itself what three
    crawls over seven days have found, if other posts answered.

    \b
    Examples:
      sohr-archive held
      sohr-archive held --accept 2026-01-02T00:00:00Z-a1b2c3
    """
    from archive.clock import now
    from archive.rebuild.rebuild import record_event

    with reading(ctx) as conn:
        rows = [dict(row) for row in conn.execute(_HELD)]
    if accept is not None:
        if accept not in (row["crawl"] for row in rows):
            raise click.UsageError(f"nothing is held of a crawl named {accept}: see 'sohr-archive held'", ctx)
        record_event(folder_of(ctx), {"event": "held-accepted", "crawl": accept, "at": now()})
        text = f"{accept} is accepted; 'sohr-archive changes' shows what it found"
        write({"accepted": accept}, text, as_json=as_json)
        return
    for row in rows:
        row["names"] = row["names"].split()
    if as_json:
        write_json({"held": rows})
        return
    if not rows:
        click.echo("nothing is held")
    for row in rows:
        names = row["names"]
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        click.echo(f"{row['crawl']}: {row['posts']} {row['kind']}: {', '.join(names[:_NAMES])}{more}")
