"""The state of the replica: which posts are published, and what has happened to them since."""

from __future__ import annotations

import inspect
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, TypedDict, Unpack

from tests.replica import edits
from tests.replica.posts import UNTIL, Post, Sequence, slugify
from tests.replica.settings import Settings
from tests.replica.words import CATEGORIES, EDITIONS, Edition

LOCAL = timezone(timedelta(hours=3))  # the site's own time: its archive days and its <time> follow it
State = Literal["live", "trash", "deleted", "gone", "moved", "unknown"]
Key = tuple[Edition, int]


class Given(TypedDict, total=False):
    """A post as a test puts it in; times are ISO 8601."""

    edition: Edition
    post_id: int
    title: str
    html: str
    lines: list[str]
    published: str
    modified: str
    slug: str
    author: str
    categories: list[str]
    tags: list[str]
    password: str
    sticky: bool


@dataclass(frozen=True)
class Deed:
    """One entry of the journal: a knob that was turned. The same deeds make the same site."""

    name: str
    arguments: dict[str, object]


class ReplicaSite:
    """Both editions. Knobs are the methods named in `KNOBS`; each is written to ``journal``, so that another
    process can follow.

    ``until`` is when the last of the first posts was published, and the site's clock: each deed is a minute
    after the one before, unless it says ``at``, or `clock` sets the time.
    """

    def __init__(
        self,
        posts: int = 60,
        seed: int = 7,
        until: datetime = UNTIL,
        layout: str = "publisher",
        frozen: bool = False,
        days: int = 0,
    ) -> None:
        self.settings = Settings()
        self.settings.change(layout=layout, frozen=frozen)
        self.now = until.astimezone(UTC).replace(microsecond=0)
        self.sequences = {edition: Sequence(edition, posts, seed, self.now, days) for edition in EDITIONS}
        self.journal: list[Deed] = []
        self._changed: dict[Key, Post] = {}
        self._states: dict[Key, State] = {}
        self.moves: dict[Key, int] = {}
        self.hidden: dict[Key, frozenset[str]] = {}  # channels that do not show a post
        self._orders: dict[tuple[Edition, str], list[int]] = {}
        self._listed = dict.fromkeys(EDITIONS, 0)
        self._during: dict[Edition, tuple[int, int]] = {}

    # What is there.

    def state(self, edition: Edition, post_id: int) -> State:
        """What a visitor would learn about an id."""
        known = post_id in self.sequences[edition].index or (edition, post_id) in self._changed
        return self._states.get((edition, post_id), "live" if known else "unknown")

    def held(self, edition: Edition, post_id: int) -> Post | None:
        """The post, trashed or not; None where there was never one."""
        changed = self._changed.get((edition, post_id))
        place = self.sequences[edition].index.get(post_id)
        return changed if changed or place is None else self.sequences[edition].post(place)

    def post(self, edition: Edition, post_id: int) -> Post | None:
        """The post, if it is published."""
        return self.held(edition, post_id) if self.state(edition, post_id) == "live" else None

    def ids(self, edition: Edition, order: Literal["published", "modified", "id"] = "published") -> list[int]:
        """Ids of all published posts: newest first, last edited first, or ascending. Not to be changed by the
        caller."""
        key = (edition, order)
        if key not in self._orders:
            live = {
                i: place
                for i, place in self.sequences[edition].index.items()
                if self._states.get((edition, i), "live") == "live"
            }
            own = {
                i: p
                for (e, i), p in self._changed.items()
                if e == edition and self.state(edition, i) == "live"
            }
            every = {**live, **dict.fromkeys(own, 0)}
            sequence = self.sequences[edition]
            if order == "id":
                self._orders[key] = sorted(every)
            elif order == "published":
                self._orders[key] = sorted(
                    every,
                    key=lambda i: (
                        int(own[i].published.timestamp()) if i in own else sequence.times[live[i]],
                        i,
                    ),
                    reverse=True,
                )
            else:
                self._orders[key] = sorted(
                    every,
                    key=lambda i: (own[i].modified if i in own else sequence.modified(live[i]), i),
                    reverse=True,
                )
        return self._orders[key]

    def under(self, edition: Edition, taxonomy: Literal["category", "tag"], wanted: str) -> list[int]:
        """Ids of a category (with its children) or a tag, newest first; ``wanted`` as in its address."""
        key = (edition, f"{taxonomy}/{wanted}")
        if key not in self._orders:
            part = 0 if taxonomy == "category" else 1
            slugs = (lambda t: t) if taxonomy == "category" else slugify
            every = ((i, self.terms(edition, i)[part]) for i in self.ids(edition))
            self._orders[key] = [
                i for i, terms in every if any((slugs(t) + "/").startswith(wanted + "/") for t in terms)
            ]
        return self._orders[key]

    def between(self, edition: Edition, start: datetime, end: datetime) -> list[int]:
        """Ids of the posts published from ``start`` until before ``end``, newest first."""
        ids = self.ids(edition)
        newest, oldest = (
            bisect_right(ids, -at.timestamp(), key=lambda i: -self.published_at(edition, i).timestamp())
            for at in (end, start)
        )
        return ids[newest:oldest]

    def published_at(self, edition: Edition, post_id: int) -> datetime:
        """Without writing the post."""
        own = self._changed.get((edition, post_id))
        sequence = self.sequences[edition]
        return own.published if own else datetime.fromtimestamp(sequence.times[sequence.index[post_id]], UTC)

    def modified_at(self, edition: Edition, post_id: int) -> datetime:
        """Without writing the post."""
        own = self._changed.get((edition, post_id))
        sequence = self.sequences[edition]
        return own.modified if own else sequence.modified(sequence.index[post_id])

    def terms(self, edition: Edition, post_id: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Categories and tags, without writing the post."""
        own = self._changed.get((edition, post_id))
        sequence = self.sequences[edition]
        return (
            (own.categories, own.tags)
            if own
            else (sequence.categories(place := sequence.index[post_id]), sequence.tags(place))
        )

    def sticky(self, edition: Edition) -> list[int]:
        """Published posts that stand on top of the home page."""
        if (edition, "sticky") not in self._orders:
            stuck = [
                *self.sequences[edition].sticky(),
                *(i for (e, i), post in self._changed.items() if e == edition),
            ]
            self._orders[edition, "sticky"] = [
                i for i in dict.fromkeys(stuck) if (post := self.post(edition, i)) and post.sticky
            ]
        return self._orders[edition, "sticky"]

    def by_slug(self, edition: Edition, slug: str) -> Post | None:
        """The published post of that slug."""
        place = slug.rpartition("-")[2]
        sequence = self.sequences[edition]
        if place.isdecimal() and int(place) < len(sequence.ids):
            post = self.post(edition, sequence.ids[int(place)])
            if post and post.slug == slug:
                return post
        own = (i for (e, i), post in self._changed.items() if e == edition and post.slug == slug)
        return next((post for i in own if (post := self.post(edition, i))), None)

    def listed(self, edition: Edition) -> None:
        """A listing page of the edition was asked for; `publish_during_crawl` may be waiting for it. To be
        called once it is rendered."""
        self._listed[edition] += 1
        after, count = self._during.get(edition, (0, 0))
        if after and self._listed[edition] == after:
            self.turn("publish", edition=edition, count=count)

    # Knobs.

    def turn(self, name: str, **arguments: object) -> object:
        """Turn a knob by its name. Raises ValueError, with the reason, for an unknown knob, argument or
        post."""
        if name not in KNOBS:
            raise ValueError(f"no knob {name!r}; there are: {', '.join(KNOBS)}")
        knob = getattr(self, name)
        try:
            inspect.signature(knob).bind(**arguments)
            answer: object = knob(**arguments)
        except (TypeError, KeyError) as error:
            raise ValueError(f"{name}: {error}") from error
        self.journal.append(Deed(name, arguments))
        self._orders.clear()
        return answer

    def set(self, **settings: object) -> None:
        """Change `Settings`; ``frozen=True`` switches all noise off."""
        self.settings.change(**settings)

    def clock(self, at: str) -> None:
        """Set the site's time."""
        self.now = instant(at)

    def edit(
        self,
        edition: Edition,
        post_id: int,
        title: str | None = None,
        replace: tuple[str, str] | None = None,
        html: str | None = None,
        lines: list[str] | None = None,
        digit: bool = False,
        obfuscate: bool = False,
        whitespace: bool = False,
        password: str | None = None,
        silent: bool = False,
        at: str | None = None,
    ) -> None:
        """Change a post. ``silent`` leaves its modified time. ``html`` comes with the ``lines`` it must be
        read as. ``replace`` is (old, new) " "in the text."""
        post = self._known(edition, post_id)
        if replace is not None:
            old, new = replace
            post = edits.replaced(post, old, new)
        if html is not None:
            post = _new(post, html=html, text_lines=tuple(lines or ()))
        if digit:
            post = edits.one_digit(post)
        if obfuscate:
            post = edits.obfuscated(post)
        if whitespace:
            post = edits.respaced(post)
        if title is not None:
            post = _new(post, title=title)
        if password is not None:
            post = _new(post, password=password)
        now = self._tick(at)
        self._changed[edition, post_id] = post if silent else _new(post, modified=now)

    def trash(self, edition: Edition, post_id: int) -> None:
        """HTML 404, REST 401."""
        self._become(edition, post_id, "trash")

    def untrash(self, edition: Edition, post_id: int, at: str | None = None) -> None:
        """Back, and looking edited; from the trash, and from `gone` and `delete` too."""
        self._become(edition, post_id, "live")
        self._changed[edition, post_id] = _new(self._known(edition, post_id), modified=self._tick(at))

    def delete(self, edition: Edition, post_id: int) -> None:
        """HTML 404, REST 404."""
        self._become(edition, post_id, "deleted")

    def gone(self, edition: Edition, post_id: int) -> None:
        """HTML 410, REST 404."""
        self._become(edition, post_id, "gone")

    def move(self, edition: Edition, post_id: int, to: int) -> None:
        """The post gets another id; the old address leads there. REST knows the old id no more."""
        if self.state(edition, to) != "unknown":
            raise ValueError(f"{edition}:{to} is taken")
        self._changed[edition, to] = _new(self._known(edition, post_id), post_id=to)
        self._become(edition, post_id, "moved")
        self.moves[edition, post_id] = to

    def publish(self, edition: Edition, count: int = 1, at: str | None = None) -> list[int]:
        """New posts, a minute apart, the last of them now. Returns their ids, oldest first."""
        return [self.sequences[edition].extend(self._free(edition), self._tick(at)) for _ in range(count)]

    def publish_during_crawl(self, edition: Edition, after: int, count: int) -> None:
        """Once ``after`` more listing pages of the edition are asked for: `publish` that many."""
        self._during[edition] = (self._listed[edition] + after, count)

    def hide(self, edition: Edition, post_id: int, channels: list[str]) -> None:
        """The post is in none of these channels (home, date, category, feed, rest, sitemap) while its page is
        there; [] shows it again."""
        self._known(edition, post_id)
        self.hidden[edition, post_id] = frozenset(channels)

    def shown(self, edition: Edition, ids: list[int], channel: str) -> list[int]:
        """Those of the posts that a channel shows."""
        return [i for i in ids if channel not in self.hidden.get((edition, i), ())] if self.hidden else ids

    def put(self, **given: Unpack[Given]) -> int:
        """A post of the test's own; one of that id is replaced. ``lines`` is what its ``html`` must be read
        as. Returns its id."""
        edition = given["edition"]
        post_id = given.get("post_id") or self._free(edition)
        published = self._tick(given.get("published"))
        self._changed[edition, post_id] = Post(
            edition,
            post_id,
            given.get("slug", f"put-{post_id}"),
            given["title"],
            given["html"],
            published,
            instant(given["modified"]) if "modified" in given else published,
            tuple(given.get("lines", ())),
            given.get("author", "SOHR Desk"),
            tuple(given.get("categories", list(CATEGORIES[edition])[1:2])),
            tuple(given.get("tags", ())),
            given.get("password", ""),
            given.get("sticky", False),
        )
        self._states.pop((edition, post_id), None)
        return post_id

    def _free(self, edition: Edition) -> int:
        return max([*self.sequences[edition].ids, *(i for e, i in self._changed if e == edition)]) + 3

    def _known(self, edition: Edition, post_id: int) -> Post:
        post = self.post(edition, post_id)
        if post is None:
            raise ValueError(f"{edition}:{post_id} is {self.state(edition, post_id)}")
        return post

    def _become(self, edition: Edition, post_id: int, state: State) -> None:
        if self.state(edition, post_id) in ("unknown", "moved"):
            raise ValueError(f"{edition}:{post_id} is {self.state(edition, post_id)}")
        self._states[edition, post_id] = state

    def _tick(self, at: str | None) -> datetime:
        if at:
            return instant(at)
        self.now += timedelta(minutes=1)
        return self.now


_new = replace
KNOBS = (
    "set",
    "clock",
    "edit",
    "trash",
    "untrash",
    "delete",
    "gone",
    "move",
    "publish",
    "publish_during_crawl",
    "hide",
    "put",
)


def instant(text: str) -> datetime:
    """ISO 8601 with an offset or Z, or without: UTC."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
