"""`sohr-archive alert`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, opened, reading, write
from archive.errors import FOUND


@click.command()
@click.option("--test", "is_test", is_flag=True, help="Send each alert one message without a change.")
@json_option()
@click.pass_context
def alert(ctx: click.Context, is_test: bool, as_json: bool) -> None:
    """Send new changes to the alerts of the settings file.

    Each alert has a web address, a secret and filters: kind, severity, edition, words. A change that matches
    is posted to the address, signed with the secret, until the address answers well. Run it from a timer.
    Ends with 1 if an address did not answer well; the next run tries again.

    \b
    Examples:
      sohr-archive alert --test
      sohr-archive alert
    """
    from dataclasses import asdict

    from archive.read.alerts import Sent, Trouble, read_alerts, send_alerts, send_test

    if is_test:
        sent = []
        for one in read_alerts(folder_of(ctx)):
            why = send_test(one)
            sent.append(Sent(one.name, int(why is None), Trouble(one.name, 0, why, "") if why else None))
    else:
        with opened(ctx) as archive, reading(ctx) as conn:
            sent = send_alerts(archive, conn)
    lines = [
        f"{one.name}: {one.sent:,} sent" + (f"; {one.trouble.why}" if one.trouble else "") for one in sent
    ]
    text = "\n".join(lines) or "the settings file has no alerts: docs/alerts.md shows one"
    write({"alerts": [asdict(one) for one in sent]}, text, as_json=as_json)
    if any(one.trouble for one in sent):
        ctx.exit(FOUND)
