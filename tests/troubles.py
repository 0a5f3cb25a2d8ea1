"""What goes wrong with sites: troubles that a crawl must report, and noise that it must not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from tests.replica.channels import Answer, redirect
from tests.replica.site import ReplicaSite
from tests.simulating import HOME, PAGE, Simulation

FEED = "/en/feed/atom/"
BODY = '<div class="entry-content clearfix single-post-content">'
FEED = "/en/feed/atom/"


def on_articles(change: Callable[[Answer], Answer]) -> Callable[[str, Answer], Answer]:
    """Change the pages of posts that are there."""
    return lambda path, made: change(made) if PAGE.fullmatch(path) and made.status == 200 else made


def with_text(made: Answer, text: str) -> Answer:
    """A page whose article says something else, in the same layout."""
    head, _, rest = made.body.partition(BODY)
    return replace(made, body=f"{head}{BODY}{text}</div></div></article>{rest.partition('</article>')[2]}")


def with_line(made: Answer, line: str) -> Answer:
    """A page whose article begins with one more line."""
    return replace(made, body=made.body.replace(BODY, f"{BODY}{line}", 1))


WALL = '<p>This content is for members only.</p><form action="/wp-login.php"><p>Log in to read it.</p></form>'
FATAL = (
    "<br />\n<b>Fatal error</b>:  Uncaught Error: Call to undefined function get_field() in "
    "/srv/single.php:31"
)
WARNING = "<br />\n<b>Warning</b>:  Undefined array key 0 in <b>/srv/single.php</b> on line <b>31</b><br />\n"


@dataclass(frozen=True)
class Trouble:
    """What the site does for a day: settings, changed answers, no answer, or a machine whose clock is
    wrong."""

    name: str
    settings: dict[str, object] = field(default_factory=dict)
    answers: Callable[[str, Answer], Answer] | None = None
    is_closed: bool = False
    ahead: timedelta = timedelta(0)


# A: the site is not well, or the machine is not
BROKEN = (
    Trouble("challenge", {"challenge": 403}),
    Trouble("server error", {"fail_status": 503, "fail_every": 1}),
    Trouble("maintenance as 200", {"maintenance": 200}),
    Trouble("log-in wall", answers=on_articles(lambda made: with_text(made, WALL))),
    Trouble("mass 404", answers=on_articles(lambda made: replace(made, status=404))),
    Trouble("redirect to the log-in", answers=on_articles(lambda _: redirect(f"{HOME}wp-login.php", 302))),
    Trouble("redirect to the home page", answers=on_articles(lambda _: redirect(f"{HOME}en/", 301))),
    Trouble("theme of another kind", {"layout": "alien"}),
    Trouble("listing without entries", {"fake_listing": True}),
    Trouble("PHP error", answers=on_articles(lambda made: replace(made, body=FATAL))),
    Trouble("PHP warning in the text", answers=on_articles(lambda made: with_line(made, WARNING))),
    Trouble("clock", ahead=timedelta(days=30)),
    Trouble("silence", is_closed=True),
)
# B: to be counted, and no more
STALE, BAD_ENTRY = "old copies", "one bad feed entry"
NOISE = (STALE, BAD_ENTRY)


def noisy(random: Random) -> Callable[[str, Answer], Answer]:
    """Addresses made anew for each request: a protected e-mail address and a picture. They stand all year."""

    def change(made: Answer) -> Answer:
        key = random.randrange(1, 256)
        hidden = f"{key:02x}" + "".join(f"{ord(c) ^ key:02x}" for c in "desk@example.org")
        mail = (
            '<a href="/cdn-cgi/l/email-protection" class="__cf_email__" '
            f'data-cfemail="{hidden}">[email&#160;protected]</a>'
        )
        picture = f'<img src="/wp-content/uploads/map.png?ver={random.random()}" alt="" />'
        return with_line(made, f"<p>Write to {mail} {picture}</p>")

    return on_articles(change)


def spoil_feed(path: str, made: Answer) -> Answer:
    """One entry whose time and address nobody can read."""
    if not path.startswith(FEED) or made.status != 200:
        return made
    head, entry, rest = made.body.partition("<entry>")
    rest = re.sub("<updated>[^<]*</updated>", "<updated>yesterday</updated>", rest, count=1)
    return replace(made, body=head + entry + re.sub('href="[^"]*"', 'href="http://[bad"', rest, count=1))


def is_plain(site: ReplicaSite, post_id: int) -> bool:
    """Whether an English post has one page of text and nothing odd."""
    post = site.post("en", post_id)
    return bool(post and not post.odd and post.lines and len(post.pages) == 1 and not post.password)


class Stage:
    """Lets a trouble begin on a simulated site, and the one before end. Addresses made anew stand always."""

    def __init__(self, simulation: Simulation, site: ReplicaSite, random: Random) -> None:
        self._simulation = simulation
        self._site = site
        self._noise = noisy(random)
        self.begin(None)

    def begin(self, name: str | None) -> int | None:
        """Let a trouble or noise begin; None ends them. The post that old copies hide an edit of."""
        plain = Trouble("none", {"challenge": 0, "fail_status": 0, "fail_every": 0, "maintenance": 0})
        plain.settings.update(layout="publisher", fake_listing=False)
        trouble = next((one for one in BROKEN if one.name == name), plain)
        self._site.turn("set", **plain.settings | trouble.settings)
        self._simulation.ahead = trouble.ahead.total_seconds()
        self._simulation.set_time(self._simulation.at)
        self._simulation.site.is_closed = trouble.is_closed
        changes = [self._noise, *([trouble.answers] if trouble.answers else [])]
        edited = None
        if name == STALE:
            edited, old = self._stale()
            changes.append(old)
        if name == BAD_ENTRY:
            changes.append(spoil_feed)

        def answer(path: str, made: Answer) -> Answer:
            for change in changes:
                made = change(path, made)
            return made

        self._simulation.site.trouble = answer
        return edited

    def _stale(self) -> tuple[int, Callable[[str, Answer], Answer]]:
        """A cache gives the pages of the newest posts as they were before an edit of this moment."""
        old = {}
        for post_id in self._site.ids("en")[:4]:
            path = f"/en/{post_id}/"
            old[path] = self._simulation.site.answer(HOME.rstrip("/") + path, {})
        made_at = self._simulation.at - timedelta(seconds=90_000)
        first = next(i for i in self._site.ids("en")[:4] if is_plain(self._site, i))
        self._site.turn("edit", edition="en", post_id=first, digit=True)

        def answer(path: str, made: Answer) -> Answer:
            if path not in old:
                return made
            age = str(int((self._simulation.at - made_at).total_seconds()))
            return replace(old[path], headers=(*old[path].headers, ("Age", age), ("X-Cache", "HIT")))

        return first, answer
