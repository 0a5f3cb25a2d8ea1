"""A browser whose requests and complaints are kept."""

from __future__ import annotations

import shutil
from typing import Any

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Watched:
    """A browser's page with what it asked for and what it complained of."""

    def __init__(self, browser: Any, home: str, **how: Any) -> None:
        self.home = home
        self.context = browser.new_context(**how)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on(
            "console",
            lambda message: self.said.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.context.on("weberror", lambda error: self.said.append(str(error.error)))

    def go(self, address: str) -> Any:
        """Open a reading page."""
        answer = self.page.goto(self.home + address)
        assert answer.status == 200, address
        return self.page

    def check(self) -> None:
        """Nothing left this machine, and nothing went wrong."""
        assert [
            url for url in self.asked if not url.startswith((self.home.partition("/-/")[0] + "/", "about:"))
        ] == []
        assert self.said == []
