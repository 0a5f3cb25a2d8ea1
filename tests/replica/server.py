"""The replica in a process of its own, and its truth in this one."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.replica.posts import UNTIL, Post
from tests.replica.site import ReplicaSite
from tests.replica.words import Edition

ROOT = Path(__file__).parents[2]


class Replica:
    """Starts the site on a free loopback port and ends it, by its own process id, on leaving the ``with``
    block.

    Arguments as `ReplicaSite`; ``settings`` as `Settings`. The child also ends by itself should this process
    be killed.
    """

    def __init__(
        self,
        posts: int = 60,
        seed: int = 7,
        until: datetime = UNTIL,
        layout: str = "publisher",
        frozen: bool = False,
        days: int = 0,
        log: Path | None = None,
        port: int = 0,
        **settings: object,
    ) -> None:
        self._truth = ReplicaSite(posts, seed, until, layout, frozen, days)
        self._followed = 0
        self._settings = settings
        self._command = [
            sys.executable,
            "-m",
            "tests.replica",
            "--port",
            str(port),
            "--posts",
            str(posts),
            "--seed",
            str(seed),
            "--until",
            until.isoformat(),
        ]
        self._command += [
            "--layout",
            layout,
            "--days",
            str(days),
            "--until-eof",
            *(["--frozen"] if frozen else []),
            *(["--log", str(log.absolute())] if log else []),
        ]
        self._child: subprocess.Popen[str] | None = None
        self.url = ""  # home address, with a slash at the end; known once started

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Raises RuntimeError if the child does not come up."""
        self._child = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )  # a terminal's Ctrl-C is not for it: it ends with its parent
        assert self._child.stdout
        line = self._child.stdout.readline()
        if "http://" not in line:
            self.stop()
            raise RuntimeError(f"the replica did not start: {' '.join(self._command)}")
        self.url = line.split()[-1]
        if self._settings:
            self.call("set", **self._settings)

    def stop(self) -> None:
        """Ends the child; no harm if there is none."""
        if self._child:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def call(self, knob: str, **arguments: object) -> object:
        """Turn a knob (`site.KNOBS`) with its arguments; returns its answer. Raises ValueError with the
        replica's reason."""
        answer = self._ask("POST", knob, arguments)
        assert isinstance(answer, dict)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["answer"]

    def rewrite(self, post_id: int, *lines: str, edition: Edition = "en", **more: object) -> None:
        """Let a post say these lines, a paragraph each; more as the knob `edit` takes it."""
        html = "".join(f"<p>{line}</p>" for line in lines)
        self.call("edit", edition=edition, post_id=post_id, html=html, lines=list(lines), **more)

    def log(self) -> list[dict[str, object]]:
        """Requests answered so far: time (monotonic, of this machine), at (UTC), method, path with query,
        status, bytes, user_agent, active, " "seconds, headers."""
        entries: list[dict[str, object]] = self._ask("GET", "log")
        return entries

    def count(self) -> int:
        """How many requests were answered so far: what `log` has, without reading it."""
        return int(self._ask("GET", "count"))

    def clear_log(self) -> None:
        """Forget the requests so far."""
        self._ask("DELETE", "log")

    @property
    def truth(self) -> ReplicaSite:
        """The site as it stands, in this process: it follows the replica's journal. Only to be read."""
        for name, arguments in self._ask("GET", f"journal?since={self._followed}"):
            self._truth.turn(name, **arguments)
            self._followed += 1
        return self._truth

    def posts(self, edition: Edition) -> list[Post]:
        """All published posts, newest first."""
        site = self.truth
        return [post for i in site.ids(edition) if (post := site.post(edition, i))]

    def _ask(self, method: str, path: str, arguments: dict[str, object] | None = None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(
                method, f"/__replica__/{path}", None if arguments is None else json.dumps(arguments)
            )
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
