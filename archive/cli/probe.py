"""`sohr-archive probe`"""

from __future__ import annotations

import click

from archive.cli.common import home_of, json_option, write


@click.command()
@click.argument("url", required=False)
@click.option("--folder", metavar="DIR", help="Keep evidence and report here (default: probe-HOST-TIME).")
@json_option()
@click.pass_context
def probe(ctx: click.Context, url: str | None, folder: str | None, as_json: bool) -> None:
    """Ask a site at most 30 polite questions and report what an archive of it would find.

    The report names the channels that answer, the layouts that read the posts, caches, validators, the clock
    and the cost of a first crawl. Evidence (WARC) and report.json stay in a folder of their own.

    \b
    Exit status:
      0   open: a crawl works
      65  the posts cannot be read: send report.json to the maintainers
      69  the site refuses, or does not answer
    \b
    Examples:
      sohr-archive probe
      sohr-archive probe https://www.example.org/
    """
    import json
    import os
    import subprocess
    import sys
    from contextlib import closing
    from dataclasses import asdict
    from pathlib import Path
    from urllib.parse import urlsplit

    from archive.clock import now
    from archive.errors import OK, UNAVAILABLE, UNREADABLE
    from archive.read.database import open_readonly
    from archive.reports.probe import read_probe
    from archive.reports.probe_text import probe_lines
    from archive.sites.sohr.addresses import HOME

    site = home_of(url, "URL", ctx) if url else HOME
    stamp = now().replace(":", "").replace("-", "")
    place = Path(folder or f"probe-{(urlsplit(site).hostname or 'site').replace(':', '-')}-{stamp}")
    line = [sys.executable, "-m", "scrapy.cmdline", "crawl", "probe", "-a", f"site={site}"]
    line += ["-s", f"ARCHIVE_DIR={place}", "-s", "LOG_LEVEL=ERROR"]
    environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "crawler.settings"}
    click.echo(f"asking {site} at most 30 times, one request in 2 seconds or slower", err=True)
    done = subprocess.run(line, env=environment, stderr=subprocess.PIPE, check=False)
    is_made = (place / "archive.db").exists()
    if not is_made or done.returncode not in (OK, UNREADABLE, UNAVAILABLE):
        click.echo(done.stderr.decode("utf-8", "replace"), err=True, nl=False)
    if not is_made:
        ctx.exit(done.returncode or UNAVAILABLE)
    with closing(open_readonly(place)) as conn:
        found = read_probe(conn, place)
    report = place / "report.json"
    report.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lines = (*probe_lines(found), f"to show this to the maintainers, send {report}")
    write(asdict(found), "\n".join(lines), as_json=as_json)
    ctx.exit(found.exit_status)
