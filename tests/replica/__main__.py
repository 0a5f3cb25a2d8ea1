"""``python -m tests.replica --port 8800 --posts 60``: the replica on loopback, until Ctrl-C. Prints one line
with its address when ready."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from tests.replica.app import build_app
from tests.replica.posts import UNTIL
from tests.replica.settings import LAYOUTS
from tests.replica.site import ReplicaSite, instant


def main() -> None:
    """Serve until interrupted."""
    ask = argparse.ArgumentParser(
        prog="python -m tests.replica",
        description="A loopback copy of the behaviour of the Syrian Observatory's site, with invented posts.",
    )
    ask.add_argument("--port", type=int, default=0, help="default: any free one")
    ask.add_argument("--posts", type=int, default=60, help="posts of each edition, 10 to 100000 (default 60)")
    ask.add_argument("--seed", type=int, default=7, help="other posts for another seed (default 7)")
    ask.add_argument(
        "--days",
        type=int,
        default=0,
        help="days over which the posts are spread; default: half as many as posts, 30 to 4200",
    )
    ask.add_argument(
        "--until",
        default=UNTIL.isoformat(),
        help="when the newest was published, ISO 8601, or 'now' (an hour ago); default %(default)s",
    )
    ask.add_argument("--layout", choices=LAYOUTS, default="publisher")
    ask.add_argument("--frozen", action="store_true", help="no noise: the same request gives the same bytes")
    ask.add_argument("--log", type=Path, metavar="FILE", help="append each request as a line of JSON")
    ask.add_argument(
        "--until-eof",
        action="store_true",
        help="end when standard input does, for a parent that may be killed",
    )
    given = ask.parse_args()
    until = datetime.now(UTC) - timedelta(hours=1) if given.until == "now" else instant(given.until)
    app = build_app(
        ReplicaSite(given.posts, given.seed, until, given.layout, given.frozen, given.days), given.log
    )
    # Named, so that asyncio sends without Nagle's 40 ms
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", given.port))
        except OSError as error:
            sys.exit(f"replica: port {given.port}: {error.strerror}")
        listener.listen(128)
        if given.until_eof:
            threading.Thread(target=_end_with_parent, daemon=True).start()
        print(f"replica at http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)  # noqa: T201  # whoever started it waits for this line
        uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, server_header=False, lifespan="off")
        ).run(sockets=[listener])


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
