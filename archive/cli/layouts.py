"""`sohr-archive layouts`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, reading, write


@click.command()
@click.option(
    "--confirm",
    metavar="LAYOUT",
    help="Trust this layout from now on. The quarantined texts that it read become versions.",
)
@json_option("Write one JSON object for each layout.")
@click.pass_context
def layouts(ctx: click.Context, confirm: str | None, as_json: bool) -> None:
    """Show which layouts read the articles, and which texts are in quarantine.

    A text is quarantined when another layout than before reads a page and the text differs, when a second
    reader disagrees with the layout general, or when many pages have it. That can be an edit, or a new theme
    of the site. Look at the differences, then confirm the layout.

    \b
    Examples:
      sohr-archive layouts
      sohr-archive layouts --confirm general
    """
    from dataclasses import asdict

    from archive.clock import now
    from archive.rebuild.rebuild import record_event
    from archive.reports.layouts import read_layouts, render_layout

    folder = folder_of(ctx)
    with reading(ctx) as conn:
        used = read_layouts(conn, folder)
    if confirm is not None:
        names = sorted(layout.layout for layout in used)
        if confirm not in names:
            known = ", ".join(names) or "none"
            raise click.UsageError(f"no capture was read with a layout named {confirm}; known: {known}", ctx)
        record_event(folder, {"event": "layout-confirmed", "layout": confirm, "at": now()})
        write({"confirmed": confirm}, f"{confirm} is trusted from now on", as_json=as_json)
        return
    if not used and not as_json:
        click.echo("no article was read yet", err=True)
    for layout in used:
        write(asdict(layout), render_layout(layout), as_json=as_json)
