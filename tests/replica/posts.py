"""Invented posts: every one a function of (seed, edition, place in the sequence), so that a site of 100,000
posts costs only its index."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random

from tests.replica import blocks as b
from tests.replica.words import (
    AUTHORS,
    CATEGORIES,
    EVENTS,
    GROUPS,
    KICKERS,
    OBFUSCATED,
    PROVINCES,
    TOPICS,
    TOWNS,
    Edition,
    Voice,
)

FIRST_ID = 12052  # of both editions: id spaces overlap
UNTIL = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
NEXT_PAGE = "<!--nextpage-->"
# Every so often a post is odd; a site of 60 posts has each of these once.
ODD = (
    "untitled",
    "same-title",
    "pages",
    "protected",
    "empty",
    "sticky",
    "long",
    "entities",
    "bidi",
    "table",
    "nested",
    "br-lines",
    "obfuscated-star",
    "obfuscated-dash",
    "deck",
    "quote",
    "image",
    "short",
    "nbsp",
    "links",
)


@dataclass(frozen=True, slots=True)
class Post:
    """A post as the site holds it, with the lines its text must be read as."""

    edition: Edition
    post_id: int
    slug: str
    title: str  # plain text; "" where the post has none
    html: str = field(repr=False)  # `blocks.HOME` stands for the site's address
    published: datetime
    modified: datetime
    text_lines: tuple[str, ...] = field(repr=False)  # of all pages, behind the password too
    author: str = ""
    categories: tuple[str, ...] = ()  # addresses: news/syria-news
    tags: tuple[str, ...] = ()  # names
    password: str = ""
    sticky: bool = False
    odd: str = ""  # which of `ODD`

    @property
    def lines(self) -> tuple[str, ...]:
        """What a visitor reads: nothing of a protected post."""
        return () if self.password else self.text_lines

    @property
    def path(self) -> str:
        """The permalink, from the site's root; Arabic unencoded."""
        return f"/en/{self.post_id}/" if self.edition == "en" else f"/{self.slug}/{self.post_id}/"

    @property
    def pages(self) -> list[str]:
        """The HTML of each page of the post."""
        return self.html.split(NEXT_PAGE)


class Sequence:
    """The posts of one edition in the order of their publication, by index from 0. ``until``: the last was
    published shortly before."""

    def __init__(self, edition: Edition, count: int, seed: int, until: datetime, days: int = 0) -> None:
        self.edition: Edition = edition
        self.seed = seed
        self.until = until
        self._first_count = count
        self._odd_every = max(3, min(25, count // 20))
        random = Random(f"{seed}-{edition}-index")
        span = (days or max(30, min(4200, count // 2))) * 86400
        end = int(until.timestamp())
        self.times = sorted(end - 60 - random.randrange(span) for _ in range(count))
        gap = max(3, min(60, 350_000 // max(count, 1)))
        self.ids = [FIRST_ID]
        for _ in range(count - 1):
            self.ids.append(self.ids[-1] + random.randint(1, 2 * gap))
        for place in range(9, count - 1, 17):  # id order is nearly the order of publication
            self.ids[place], self.ids[place + 1] = self.ids[place + 1], self.ids[place]
        self.index = {post_id: place for place, post_id in enumerate(self.ids)}
        self.post = lru_cache(maxsize=1024)(self._post)

    def extend(self, post_id: int, at: datetime) -> int:
        """One more post, published at ``at``; returns its id."""
        self.index[post_id] = len(self.ids)
        self.ids.append(post_id)
        self.times.append(int(at.timestamp()))
        return post_id

    def sticky(self) -> list[int]:
        """Ids of the posts written to stick."""
        place = self._odd_every * (ODD.index("sticky") + 1) - 1
        return [self.ids[place]] if place < len(self.ids) else []

    def _draw(self, place: int, what: str) -> int:
        return zlib.crc32(f"{self.seed}-{self.edition}-{place}-{what}".encode())

    def odd(self, place: int) -> str:
        """Which oddity the post has, or ""; posts published later have none."""
        if place >= self._first_count:
            return ""
        turn, rest = divmod(place, self._odd_every)
        kind = ODD[turn % len(ODD)] if rest == self._odd_every - 1 else ""
        return "" if kind == "sticky" and turn >= len(ODD) else kind

    def categories(self, place: int) -> tuple[str, ...]:
        """Without writing the post."""
        top, syria, toll, reports, rights, press = CATEGORIES[self.edition]
        return (
            (syria,),
            (syria,),
            (syria, top),
            (syria, toll),
            (top, toll),
            (reports,),
            (rights,),
            (press,),
        )[self._draw(place, "category") % 8]

    def tags(self, place: int) -> tuple[str, ...]:
        """Without writing the post."""
        names = [pair[self.edition == "ar"] for pair in (*PROVINCES, *TOPICS)]
        draw = self._draw(place, "tags")
        return tuple(names[(draw + 5 * turn) % len(names)] for turn in range(draw % 4))

    def modified(self, place: int) -> datetime:
        """Two of five posts were edited, most within hours; never after ``until``."""
        published = datetime.fromtimestamp(self.times[place], UTC)
        draw = self._draw(place, "modified")
        later = timedelta(seconds=(0, 0, 0, draw % 9000 + 40, draw % 30_000_000)[draw % 5])
        return max(published, min(published + later, self.until))

    def _title(self, place: int, odd: str) -> str:
        voice = Voice(self.edition, f"{self.seed}-{self.edition}-{place}-title")
        if odd == "untitled":
            return ""
        if odd == "same-title" and place:
            return self._title(place - 1, self.odd(place - 1))
        kicker, event, town, province, group = (
            voice.pick(KICKERS),
            voice.pick(EVENTS),
            voice.pick(TOWNS),
            voice.pick(PROVINCES),
            voice.pick(GROUPS),
        )
        count = voice.random.randint(2, 40)
        if odd.startswith("obfuscated") and self.edition == "en":
            broken = voice.random.choice(
                [word for word in OBFUSCATED if ("*" in word) == (odd == "obfuscated-star")]
            )
            return f"{kicker} | {count} {group} named after “{broken}” report in {town}, Al-Hol road"
        title = voice.random.choice(
            (
                voice.say(
                    f"{kicker} | {event.capitalize()} leaves {count} {group} dead in {town}",
                    f"{kicker}: {event} يودي بحياة {count} {group} في {town}",
                ),
                voice.say(
                    f"{province} | {event.capitalize()} near {town}…", f"{event} قرب {town} بريف {province}…"
                ),
                voice.say(
                    f"{kicker}| Woman from {town} tells the desk of ‘{count} nights’ without water",
                    f"{kicker}| امرأة من {town} تروي «{count} ليلة» بلا ماء",
                ),
                voice.say(
                    f"In 24 hours: {count} persons dead across {province}",
                    f"خلال 24 ساعة: مقتل {count} شخصاً في {province}",
                ),
            )
        )
        if odd == "entities":
            title += " “quoted” & <angled> – it’s ‘50%’ ©"
        return f"\u200f{title}\u200e" if odd == "bidi" else title

    def _blocks(self, place: int, odd: str, voice: Voice) -> list[list[b.Block]]:
        """The pages of the post."""
        if odd == "empty":
            return [[]]
        if odd == "short":
            return [
                [b.paragraph(voice.say(f"Calm in {voice.pick(TOWNS)}.", f"هدوء في {voice.pick(TOWNS)}."))]
            ]
        if odd == "pages":
            return [[*b.prose(voice, 2, 4), b.paragraph(f"{n + 1}/3 {b.sentence(voice)}")] for n in range(3)]
        if odd == "long":
            return [[b.paragraph(" ".join(b.sentence(voice) for _ in range(4))) for _ in range(260)]]
        kind = self._draw(place, "kind") % 10
        text = (
            b.toll(voice, place)
            if kind < 4
            else b.digest(voice)
            if kind == 4
            else b.breakdown(voice)
            if kind == 5
            else b.prose(voice, 1, 6)
        )
        return [self._oddities(odd, place, voice) + text + [b.paragraph(b.sentence(voice))]]

    def _oddities(self, odd: str, place: int, voice: Voice) -> list[b.Block]:
        if not odd:
            return []
        one, two = b.sentence(voice), b.sentence(voice)
        if odd == "entities":
            return [
                b.Block(
                    "<p>A &amp; B &lt; C &#8230; 5 &gt; 3 &ndash; &ldquo;x&rdquo; &#039;y&#039;&hellip;</p>",
                    ("A & B < C … 5 > 3 – “x” 'y'…",),
                )
            ]
        if odd == "bidi":
            return [
                b.Block(
                    '<p dir="rtl">\u202bحلب\u202c 12 (Aleppo) ـــ ١٢\u200f</p>',
                    ("\u202bحلب\u202c 12 (Aleppo) ـــ ١٢\u200f",),
                )
            ]
        if odd == "nbsp":
            return [
                b.spacer(),
                b.paragraph(f"\u00a0{one}\u00a0\u00a0{two}\u00a0"),
                b.paragraph("\u00a0", "\u00a0"),
                b.spacer(),
            ]
        if odd == "links":
            return self._links(place, voice)
        made: dict[str, list[b.Block]] = {
            "table": b.breakdown(voice),
            "nested": b.nested(voice),
            "br-lines": [b.paragraph(one, two, "", one)],
            "quote": [b.quote(one, two)],
            "deck": [
                b.heading(voice.say("Deck: what the desk knows so far", "عنوان فرعي: ما يعرفه القسم"), 2)
            ],
            "image": [b.image(place, voice.pick(TOWNS)), b.paragraph(one)],
            "obfuscated-star": [
                b.paragraph("The plain words stay in the body: killed, death, ISIS, Al-Fath.")
            ],
            "obfuscated-dash": [
                b.paragraph(
                    "SDF-held, anti-ISIS and Al-Raqqah keep their hyphens; killed and injured have none."
                )
            ],
        }
        return made.get(odd, [])

    def _links(self, place: int, voice: Voice) -> list[b.Block]:
        other = self.ids[max(0, place - 5)]
        shapes = (
            ("/en/{}/", b.HOME + "/en/?p={}", "/en/{}", b.HOME + "/en/{}/?utm_source=inner")
            if self.edition == "en"
            else ("/?p={}", b.HOME + "/?p={}&fbclid=x")
        )
        said = voice.say("See the earlier report: ", "انظر التقرير السابق: ")
        return [
            b.linked(said, shape.format(other), voice.say(f"number {n}", f"رقم {n}"), ".")
            for n, shape in enumerate(shapes, 1)
        ]

    def _post(self, place: int) -> Post:
        odd = self.odd(place)
        voice = Voice(self.edition, f"{self.seed}-{self.edition}-{place}")
        title = self._title(place, odd)
        pages = self._blocks(place, odd, voice)
        markup = f"\n{NEXT_PAGE}\n".join("\n".join(block.html for block in page) for page in pages)
        return Post(
            self.edition,
            self.ids[place],
            f"{slugify(title)}-{place}",
            title,
            markup,
            datetime.fromtimestamp(self.times[place], UTC),
            self.modified(place),
            tuple(line for page in pages for block in page for line in block.lines),
            voice.random.choice(AUTHORS[self.edition]),
            self.categories(place),
            self.tags(place),
            "let-me-in" if odd == "protected" else "",
            odd == "sticky",
            odd,
        )


def slugify(title: str) -> str:
    """As WordPress: words joined by hyphens, cut; "post" where nothing is left."""
    return "-".join(words(title.lower()))[:60].strip("-") or "post"


def words(text: str) -> Iterable[str]:
    """Letters and digits, of both scripts."""
    return re.findall(r"[0-9a-z\u0621-\u064a]+", text)
