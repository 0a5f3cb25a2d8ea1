"""A virtual month of a site, for a reader who sees only what an operator sees.

``python -m tests.blind_trial SEED`` plays a site from a seed: posts, edits, silent edits, deletions, moves,
restorations, maintenance, caches, plugins, blocks. It prints each crawl whose end differs from the one before
it, and the feed. The truth goes to a file beside the archive, to be read afterwards.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from archive.clock import MACHINE, format_time, parse_time, use
from tests.archiving import well
from tests.replica.site import ReplicaSite
from tests.simulating import Simulation
from tests.troubles import BROKEN, NOISE, Stage, is_plain

HOUR = timedelta(hours=1)
TURN = HOUR  # from one crawl to the next
DAYS = 30
POSTS = 20
FIRST = 3 * 24  # the turn of the first deed: until then the archive gets to know the site
DEEDS = ("edit", "edit", "silent", "silent", "trash", "trash", "move", "title")


@dataclass(frozen=True)
class Deed:
    """What the site did to a post, and when."""

    at: str
    what: str  # edit, silent, title, trash, untrash, move
    post_id: int


@dataclass
class Truth:
    """What the site did."""

    ended_at: str = ""
    deeds: list[Deed] = field(default_factory=list)
    troubles: list[tuple[str, str, str]] = field(default_factory=list)  # name, from, until
    noise: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """What an operator sees of a crawl: when it began, its exit status and its sentence."""

    at: str
    status: int
    sentence: str
    looked: int  # pages of posts that it asked for


@dataclass(frozen=True)
class Seen:
    """All that an operator sees: the crawls, and the feed as `sohr-archive changes` prints it."""

    crawls: list[Line]
    feed: list[dict[str, Any]]


class Month:
    """One site, played turn by turn."""

    def __init__(self, folder: Path, seed: int, days: int = DAYS) -> None:
        self._random = Random(seed)
        self._start = datetime.now(UTC).replace(microsecond=0)
        self._site = ReplicaSite(POSTS, seed, self._start - timedelta(hours=2), "publisher", False, 300)
        self._site.turn("set", rest=False, sitemap=False)
        self._simulation = Simulation(folder, self._site, "edition=en")
        self._stage = Stage(self._simulation, self._site, Random(seed))
        self._folder, self._turns = folder, days * 24
        self.truth = Truth()
        self._plan = self._make_plan()
        self._touched: set[int] = set()

    def _make_plan(self) -> dict[int, list[tuple[str, str]]]:
        """What happens at each turn: deeds, troubles and noise. Troubles are days apart."""
        plan: dict[int, list[tuple[str, str]]] = {}
        last = self._turns - 1
        for deed in DEEDS:
            plan.setdefault(self._random.randrange(FIRST, last - 4 * 24), []).append(("deed", deed))
        turn = FIRST + self._random.randrange(24)
        names = self._random.sample([one.name for one in BROKEN], len(BROKEN))
        names = [*names[:4], *NOISE]
        self._random.shuffle(names)
        for name in names:
            length = self._random.choice((2, 5, 12, 30))
            if turn + length < last - 3 * 24:
                plan.setdefault(turn, []).append(("begin", name))
                plan.setdefault(turn + length, []).append(("end", name))
            turn += length + self._random.randrange(60, 110)
        return plan

    def play(self) -> Seen:
        """Play it to its end."""
        lines = []
        try:
            for turn in range(self._turns):
                self._simulation.set_time(self._start + turn * TURN)
                if self._random.random() < 1 / 16:
                    self._site.turn("publish", edition="en", count=self._random.choice((1, 1, 2, 5)))
                for what, name in self._plan.get(turn, ()):
                    self._act(what, name)
                ended = self._simulation.crawl()
                lines.append(Line(format_time(ended.at), ended.status, ended.sentence, ended.pages))
        finally:
            self._simulation.close()
            use(MACHINE)
        self.truth.ended_at = lines[-1].at
        feed = [json.loads(line) for line in well(self._folder, "changes").splitlines()]
        return Seen(lines, feed)

    def _act(self, what: str, name: str) -> None:
        at = format_time(self._simulation.at)
        records = self.truth.noise if name in NOISE else self.truth.troubles
        if what == "deed":
            self._do(name, at)
        elif what == "begin":
            edited = self._stage.begin(name)
            records.append((name, at, ""))
            if edited is not None:
                self._touched.add(edited)
                self.truth.deeds.append(Deed(at, "edit", edited))
        else:
            self._stage.begin(None)
            began = records.pop()
            records.append((began[0], began[1], at))

    def _do(self, what: str, at: str) -> None:
        """Do something to a post of some days' age that nothing was done to before."""
        known = [i for i in self._site.ids("en") if i not in self._touched and self._has_figure(i)]
        post_id = self._random.choice(known[-15:])
        self._touched.add(post_id)
        if what == "move":
            self._site.turn("move", edition="en", post_id=post_id, to=self._site._free("en"))
        elif what == "trash":
            self._site.turn("trash", edition="en", post_id=post_id)
            if self._random.random() < 0.5:
                turn = int((parse_time(at) - self._start) / TURN) + self._random.randrange(30, 150)
                self._plan.setdefault(turn, []).append(("deed", f"untrash {post_id}"))
        elif what.startswith("untrash"):
            post_id, what = int(what.split()[1]), "untrash"
            self._site.turn("untrash", edition="en", post_id=post_id)
        elif what == "title":
            self._site.turn("edit", edition="en", post_id=post_id, title="Another headline altogether")
        else:
            self._site.turn("edit", edition="en", post_id=post_id, digit=True, silent=what == "silent")
        self.truth.deeds.append(Deed(at, what, post_id))

    def _has_figure(self, post_id: int) -> bool:
        """Whether a plain post has a number that an edit can change."""
        post = self._site.post("en", post_id)
        return is_plain(self._site, post_id) and bool(post and any(map(str.isdigit, "".join(post.lines))))


# -- the reader ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Conclusion:
    """What a reader of exit statuses and feed believes that the site did."""

    edits: dict[int, list[str]]  # post -> when another text was first seen
    rumours: dict[int, list[str]]  # post -> when a look did not find it: so say the docs of `missing`
    gone: dict[int, list[str]]
    moved: dict[int, list[str]]
    back: dict[int, list[str]]
    troubles: list[tuple[str, str]]  # from the first crawl that did not end with 0 to the last


def conclude(seen: Seen) -> Conclusion:
    """Read by the documented meanings alone: what was retracted is not so, old copies and additions to many
    posts are no edits, an exit status other than 0 is trouble."""
    wrong = {change["retracts"] for change in seen.feed}
    valid = [change for change in seen.feed if change["seq"] not in wrong]

    def when(changes: Iterable[dict[str, Any]]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for change in changes:
            found.setdefault(change["post_id"], []).append(change["said_at"])
        return found

    def of_kind(kind: str) -> dict[int, list[str]]:
        return when(change for change in valid if change["kind"] == kind)

    edits = when(
        change
        for change in valid
        if change["kind"] == "updated" and change["severity"] > 1 and not change["stale_copy"]
    )
    named = (of_kind(kind) for kind in ("missing", "disappeared", "moved", "restored"))
    return Conclusion(edits, *named, list(_spans(seen.crawls)))


def _spans(crawls: Sequence[Line]) -> Iterable[tuple[str, str]]:
    first = last = None
    for line in crawls:
        if line.status:
            first, last = first or line.at, line.at
        elif first and last:
            yield first, last
            first = last = None
    if first and last:
        yield first, last


EDITS = {"edit", "silent", "title"}
FOUND = dict.fromkeys(EDITS, "edits") | {"trash": "rumours", "move": "moved", "untrash": "back"}
CERTAIN = timedelta(days=5)  # three looks in a row over three days make a rumour certain
OVER = timedelta(days=2)  # by then crawls are healthy again
SPARE = timedelta(days=2)  # looks at posts that are held or refused wait up to a day, twice


def mistakes(truth: Truth, seen: Seen) -> list[str]:
    """Where what a reader concludes is not what the site did."""
    believed = conclude(seen)
    return [*_untrue(truth, believed), *_untold(truth, seen, believed), *_misjudged(truth, seen, believed)]


def _untrue(truth: Truth, believed: Conclusion) -> Iterable[str]:
    """What is told for certain, and the site did not do."""
    for name, deeds in (("edits", EDITS), ("gone", {"trash"}), ("moved", {"move"})):
        for post_id, times in getattr(believed, name).items():
            causes = [deed for deed in truth.deeds if deed.post_id == post_id and deed.what in deeds]
            for at in times:
                if not any(deed.at <= at for deed in causes):
                    yield f"{name} of {post_id} at {at}: the site did no such thing"
            if len(times) > len(causes):
                yield f"{name} of {post_id}: told {len(times)} times, done {len(causes)} times"


def _untold(truth: Truth, seen: Seen, believed: Conclusion) -> Iterable[str]:
    """What the site did, and is not told in time."""
    created = {one["post_id"]: one["said_at"] for one in reversed(seen.feed) if one["kind"] == "created"}
    for deed in truth.deeds:
        if deed.what == "untrash" and deed.post_id not in believed.rumours:
            continue  # nobody looked while it was gone
        at = parse_time(deed.at)
        # Without a channel that dates it, an edit shows at the next look: as far away as the post's age here
        until = at + (at - parse_time(created[deed.post_id])) + SPARE
        later = [d for d in truth.deeds if d.post_id == deed.post_id and d.at > deed.at]
        names = {FOUND[deed.what]: until}
        if deed.what == "trash":
            names["gone"] = until + CERTAIN
        for name, by in names.items():
            last = min([by, parse_time(truth.ended_at), *(parse_time(d.at) for d in later)])
            times = getattr(believed, name).get(deed.post_id, [])
            if last == by and not any(at <= parse_time(told) <= by for told in times):
                yield f"{deed.what} of {deed.post_id} at {deed.at}: no {name} until {format_time(by)}"


def _misjudged(truth: Truth, seen: Seen, believed: Conclusion) -> Iterable[str]:
    """Troubles that no exit status tells, and exit statuses without a trouble."""
    for name, begun, ended in truth.troubles:
        crawls = [line for line in seen.crawls if begun <= line.at < ended]
        needed = name in AT_ONCE or any(line.looked >= MANY for line in crawls)
        if needed and not any(line.status for line in crawls):
            yield f"{name} from {begun} to {ended}: every crawl ended with 0"
    for begun, ended in believed.troubles:
        if not any(a <= begun and parse_time(ended) <= parse_time(b) + OVER for _, a, b in truth.troubles):
            yield f"crawls from {begun} to {ended} did not end with 0, and the site was well"


# Troubles that show in the newest listing too, which each crawl asks for
AT_ONCE = (
    "challenge",
    "server error",
    "maintenance as 200",
    "theme of another kind",
    "listing without entries",
    "clock",
    "silence",
)
MANY = 5  # looks in one crawl from which on the others must show


def show(seen: Seen) -> Iterable[str]:
    """What an operator sees, as lines."""
    before: tuple[int, str] | None = None
    for line in seen.crawls:
        if (line.status, line.sentence) != before:
            yield f"{line.at}  exit {line.status}  {line.sentence or 'healthy'}"
        before = line.status, line.sentence
    yield f"{seen.crawls[-1].at}  the last of {len(seen.crawls)} crawls"
    names = ("seq", "kind", "citation", "post_id", "said_at", "severity", "classes", "stealth", "stale_copy")
    for change in seen.feed:
        told = {name: change[name] for name in (*names, "retracts", "details")}
        yield json.dumps(told, ensure_ascii=False)


def main() -> None:
    """Play one seed."""
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(mkdtemp()) / "archive"
    month = Month(folder, int(sys.argv[1]))
    seen = month.play()
    sys.stdout.write("\n".join((*show(seen), "")))
    truth = folder.with_name("truth.json")
    truth.write_text(json.dumps(asdict(month.truth), indent=1), encoding="utf-8")
    wrong = "\n".join(mistakes(month.truth, seen))
    folder.with_name("mistakes.txt").write_text(wrong, encoding="utf-8")
    sys.stderr.write(f"The truth is in {truth}\n")


if __name__ == "__main__":
    main()
