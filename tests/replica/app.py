"""The site as an ASGI application, with its log and its knobs below ``/__replica__/``."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from tests.replica import routes
from tests.replica.channels import HTML, Answer
from tests.replica.chrome import Look
from tests.replica.site import Deed, ReplicaSite

CHALLENGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta name="robots" '
    'content="noindex,nofollow"></head><body '
    'class="no-js"><div class="main-wrapper" role="main">'
    '<h1 class="zone-name-title">127.0.0.1</h1><h2 id="challenge-running">Checking if the site connection '
    "is secure</h2><noscript>Enable "
    "JavaScript and cookies to continue</noscript></div>"
    "<script>"
    "(function(){window._cf_chl_opt={cType: 'managed'};})();</script></body></html>"
)
MAINTENANCE = (
    '<!DOCTYPE html><html><head><meta charset="UTF-8"><title>Maintenance</title></head><body><div '
    'class="wp-die-message">'
    "Briefly unavailable for scheduled maintenance. Check back in a minute.</div></body></html>"
)
PIECES = 50  # of a body that drips


class Log:
    """Each request that was answered, in the order of their ends; a file gets the same as JSON lines."""

    def __init__(self, file: Path | None = None) -> None:
        self.entries: list[dict[str, object]] = []
        self._file = file.open("a", encoding="utf-8") if file else None

    def add(self, entry: dict[str, object]) -> None:
        """Write one down."""
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()


class Front:
    """Answers visitors: bad days first, then the routes, then gzip, and a line in the log."""

    def __init__(self, site: ReplicaSite, log: Log) -> None:
        self.site = site
        self.log = log
        self._requests = 0
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises nothing: what goes wrong here is the replica's error and answers 500."""
        asked = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        path = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        begun, at = time.monotonic(), datetime.now(UTC)
        self._requests += 1
        self._active += 1
        entry: dict[str, object] = {
            "time": begun,
            "at": at.isoformat(),
            "method": scope["method"],
            "path": path,
            "user_agent": asked.get("user-agent", ""),
            "active": self._active,
            "headers": {
                name: asked[name]
                for name in (
                    "if-none-match",
                    "if-modified-since",
                    "accept-encoding",
                    "referer",
                    "range",
                    "cookie",
                )
                if name in asked
            },
        }
        try:
            bad = not self.site.settings.only or bool(re.search(self.site.settings.only, path))
            if bad and self.site.settings.slow_ms:
                await asyncio.sleep(self.site.settings.slow_ms / 1000)
            made = (self._bad_day() if bad else None) or self._routed(scope["path"], query, asked)
            entry["status"] = made.status
            entry["bytes"] = await self._send(send, made, asked, bad)
        finally:
            self._active -= 1
            self.log.add({**entry, "seconds": time.monotonic() - begun})

    def _bad_day(self) -> Answer | None:
        on = self.site.settings
        fails = on.fail_next > 0 or (on.fail_every > 0 and self._requests % on.fail_every == 0)
        if on.fail_status and fails:
            on.fail_next = max(0, on.fail_next - 1)
            wait = on.retry_after
            if wait.startswith("date:"):
                wait = format_datetime(datetime.now(UTC) + timedelta(seconds=float(wait[5:])), usegmt=True)
            return Answer(
                f"{on.fail_status}\n", on.fail_status, "text/plain", (("Retry-After", wait),) if wait else ()
            )
        if on.challenge:
            return Answer(
                CHALLENGE,
                on.challenge,
                HTML,
                (
                    ("Server", "cloudflare"),
                    ("cf-mitigated", "challenge"),
                    ("CF-RAY", f"{self._requests:016x}-FRA"),
                ),
            )
        if on.maintenance:
            return Answer(
                MAINTENANCE, on.maintenance, HTML, (("Retry-After", "600"),) if on.maintenance == 503 else ()
            )
        return None

    def _routed(self, path: str, query: str, asked: dict[str, str]) -> Answer:
        segments = [segment for segment in path.split("/") if segment]
        english = segments[:1] == ["en"]
        look = Look(
            self.site, "en" if english else "ar", f"http://{asked.get('host', '127.0.0.1')}", self._requests
        )
        return routes.answer(
            look,
            segments[english:],
            path.endswith("/"),
            dict(parse_qsl(query, keep_blank_values=True)),
            asked,
        )

    async def _send(self, send: Send, made: Answer, asked: dict[str, str], bad: bool) -> int:
        """Returns the bytes of the body that were sent."""
        on = self.site.settings
        body = made.body.encode()
        headers = list(made.headers)
        if made.content_type:
            charset = on.charset if bad and on.charset and made.content_type == HTML else "UTF-8"
            headers.append(("Content-Type", f"{made.content_type}; charset={charset}"))
            headers.append(("Vary", "Accept-Encoding"))
        if bad and on.coding:
            headers.append(("Content-Encoding", on.coding))
        elif on.gzip and body and "gzip" in asked.get("accept-encoding", ""):
            body = gzip.compress(body, 1, mtime=0)
            headers = [(name, f"W/{value}" if name == "ETag" else value) for name, value in headers]
            headers.append(("Content-Encoding", "gzip"))
        sent = body
        if bad and on.truncate:
            sent = body[: int(len(body) * on.truncate)]
        if sent != body or not on.chunked:
            headers.append(("Content-Length", str(len(body))))
        await send(
            {
                "type": "http.response.start",
                "status": made.status,
                "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers],
            }
        )
        size, is_cut, piece = len(sent), sent != body, len(sent) // PIECES + 1
        while bad and on.drip_ms and len(sent) > piece:
            await send({"type": "http.response.body", "body": sent[:piece], "more_body": True})
            await asyncio.sleep(on.drip_ms / 1000)
            sent = sent[piece:]
        # Left open, the server cuts the connection
        await send({"type": "http.response.body", "body": sent, "more_body": is_cut})
        return size


def build_app(site: ReplicaSite, log_file: Path | None = None) -> Starlette:
    """The site, and below ``/__replica__/``: POST a knob's name with its arguments as JSON, GET and DELETE
    ``log``, GET ``count`` and ``journal``."""
    log = Log(log_file)

    async def turn(request: Request) -> Response:
        arguments = await request.json() if await request.body() else {}
        name = request.path_params["knob"]
        try:
            return JSONResponse({"answer": site.turn({"post": "put"}.get(name, name), **arguments)})
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            log.entries.clear()
        return JSONResponse(log.entries)

    async def count(request: Request) -> Response:
        return JSONResponse(len(log.entries))

    async def journal(request: Request) -> Response:
        deeds: list[Deed] = site.journal[int(request.query_params.get("since", "0")) :]
        return JSONResponse([[deed.name, deed.arguments] for deed in deeds])

    return Starlette(
        routes=[
            Route("/__replica__/log", requests, methods=["GET", "DELETE"]),
            Route("/__replica__/count", count),
            Route("/__replica__/journal", journal),
            Route("/__replica__/{knob}", turn, methods=["POST"]),
            Mount("/", app=Front(site, log)),
        ]
    )
