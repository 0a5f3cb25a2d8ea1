"""The parts a post's text is made of. Each part states its HTML and its lines side by side: the lines are
never read back from the HTML."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.replica.words import EVENTS, GROUPS, PROVINCES, TOPICS, TOWNS, Voice

HOME = "HOME-ADDRESS"  # stands in a post's HTML for the address of its site, without a slash at the end


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an article: what WordPress sends, and the lines a reader sees."""

    html: str
    lines: tuple[str, ...]


def escape(text: str) -> str:
    """Text as HTML: no-break spaces spelt out, quotes left as they are."""
    return html.escape(text, quote=False).replace("\u00a0", "&nbsp;")


def paragraph(*texts: str) -> Block:
    """One `<p>`; several texts are parted by `<br />` and are lines of their own."""
    lines = tuple(stripped for text in texts if (stripped := text.strip()))
    return Block("<p>" + "<br />\n".join(map(escape, texts)) + "</p>", lines)


def heading(text: str, level: int = 3) -> Block:
    """A heading, which is a line."""
    return Block(f"<h{level}>{escape(text)}</h{level}>", (text.strip(),))


def listing(entries: Sequence[str | tuple[str, Sequence[str]]], tag: str = "ul") -> Block:
    """A real list; an entry with entries of its own is a pair. Each entry is a line, the inner ones after
    their parent."""
    parts: list[str] = []
    lines: list[str] = []
    for entry in entries:
        text, inner = entry if isinstance(entry, tuple) else (entry, ())
        below = listing(inner) if inner else Block("", ())
        parts.append(f"<li>{escape(text)}{below.html}</li>")
        lines += [text.strip(), *below.lines]
    return Block(f"<{tag}>\n" + "\n".join(parts) + f"\n</{tag}>", tuple(lines))


def table(rows: Sequence[Sequence[str]]) -> Block:
    """A table with a head; each row is a line, its cells parted by a tab."""
    head, *rest = rows
    cells = "<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rest)
    markup = (
        f'<figure class="wp-block-table"><table><thead>{cells}</thead><tbody>\n{body}\n</tbody></table>'
        "</figure>"
    )
    return Block(markup, tuple("\t".join(row) for row in rows))


def quote(*texts: str) -> Block:
    """A block quote, a line for each paragraph."""
    return Block(
        '<blockquote class="wp-block-quote">'
        + "\n".join(f"<p>{escape(t)}</p>" for t in texts)
        + "</blockquote>",
        texts,
    )


def image(number: int, caption: str) -> Block:
    """A picture; its caption is a line."""
    source = f"{HOME}/wp-content/uploads/2024/05/photo-{number}.jpg"
    figure = (
        f'<figure class="wp-block-image size-large"><img decoding="async" src="{source}" '
        f'alt="{html.escape(caption)}" width="768" height="432" />'
    )
    return Block(f"{figure}<figcaption>{escape(caption)}</figcaption></figure>", (caption,))


def linked(before: str, href: str, anchor: str, after: str = "") -> Block:
    """A paragraph with a link in it."""
    markup = f'<p>{escape(before)}<a href="{html.escape(href)}">{escape(anchor)}</a>{escape(after)}</p>'
    return Block(markup, ((before + anchor + after).strip(),))


def spacer() -> Block:
    """The paragraph Word leaves: a no-break space, which is no line."""
    return Block("<p>&nbsp;</p>", ())


def dateline(province: str, text: str, voice: Voice) -> Block:
    """A paragraph that opens with its province in bold."""
    label = voice.say(f"{province} province:", f"محافظة {province}:")
    return Block(f"<p><strong>{escape(label)}</strong> {escape(text)}</p>", (f"{label} {text}",))


def entries_marked(entries: Sequence[str], voice: Voice) -> Block:
    """A list in one of the site's many ways: a real one, marked by `•`, `-`, `–`, `*` or `·`, or not marked
    at all."""
    way = voice.random.randrange(9)
    if way < 2:
        return listing(entries, ("ul", "ol")[way])
    ways: tuple[Callable[[str], str], ...] = (
        lambda e: f"• {e}",
        lambda e: f"-{e}",
        lambda e: f"– {e}",
        lambda e: f"* {e}",
        lambda e: f"·\u00a0\u00a0\u00a0 {e}",
        lambda e: e,
    )
    marked = [ways[min(way - 2, 5)](entry) for entry in entries]
    if voice.random.random() < 0.3:
        return paragraph(*marked)
    parts = [paragraph(entry) for entry in marked]
    return Block("\n".join(part.html for part in parts), tuple(line for part in parts for line in part.lines))


def sentence(voice: Voice) -> str:
    """One invented sentence about an invented event."""
    n, event, group, town, province = (
        voice.number(2, 40),
        voice.pick(EVENTS),
        voice.pick(GROUPS),
        voice.pick(TOWNS),
        voice.pick(PROVINCES),
    )
    topic = voice.pick(TOPICS)
    return voice.random.choice(
        (
            voice.say(
                f"Field sources of the replica count {n} {group} hurt by {event} near {town} in {province} "
                "countryside.",
                f"أحصت مصادر النسخة التجريبية {n} {group} أصيبوا جراء {event} قرب {town} في ريف {province}.",
            ),
            voice.say(
                f"Residents of {town} said that {event} shook the western quarter before dawn, and no toll "
                "was given",
                f"قال أهالي {town} إن {event} هزّ الحي الغربي قبل الفجر، ولم ترد حصيلة",
            ),
            voice.say(
                f"“Nobody knows who fired first,” a man from {town} told the desk… he didn't give his name.",
                f"«لا أحد يعرف من بدأ بإطلاق النار» بحسب رجل من {town}… لم يذكر اسمه.",
            ),
            voice.say(
                f'In the file "{topic}", the desk notes {n} cases in {province} since 24/3/2019, among them '
                f"13-16 in {town} alone.",
                f'وفي ملف "{topic}" سجّل القسم {n} حالة في {province} منذ 24/3/2019، منها 13-16 في {town} '
                "وحدها.",
            ),
            voice.say(
                f"A 4*4 vehicle was left burning on the {town} road after {event}; de-escalation talks go "
                "on.",
                f"تُركت سيارة دفع رباعي 4*4 تحترق على طريق {town} بعد {event}؛ وتستمر محادثات التهدئة.",
            ),
        )
    )


def prose(voice: Voice, low: int, high: int) -> list[Block]:
    """Some paragraphs, now and then a spacer or a dateline among them."""
    blocks: list[Block] = []
    for _ in range(voice.random.randint(low, high)):
        chance = voice.random.random()
        if chance < 0.1:
            blocks.append(spacer())
        elif chance < 0.35:
            blocks.append(dateline(voice.pick(PROVINCES), sentence(voice), voice))
        else:
            blocks.append(paragraph(" ".join(sentence(voice) for _ in range(voice.random.randint(1, 2)))))
    return blocks


def digest(voice: Voice) -> list[Block]:
    """The day in several provinces, a section each."""
    blocks = [paragraph(voice.say("The desk's round-up of the day:", "حصاد اليوم من القسم:"))]
    for province in voice.several(PROVINCES, voice.random.randint(3, 5)):
        blocks += [heading(voice.say(f"{province} province", f"محافظة {province}"), 3), *prose(voice, 1, 2)]
    return blocks


def toll(voice: Voice, ordinal: int) -> list[Block]:
    """A running toll: the same lines from post to post, of which one or two numbers have moved on with
    ``ordinal``."""
    total = voice.figure(120 + ordinal)
    entries = [
        voice.say(
            f"{province[0]}: {40 + ordinal // (place + 3):,} incidents, in which "
            f"{7 + ordinal // (4 * place + 5)} {GROUPS[place % 9][0]} died",
            f"{province[1]}: {40 + ordinal // (place + 3)} حادثة، راح ضحيتها "
            f"{7 + ordinal // (4 * place + 5)} {GROUPS[place % 9][1]}",
        )
        for place, province in enumerate(PROVINCES)
    ]
    lead = voice.say(
        f"With this, the desk's count since January stands at {total}, by province:",
        f"وبذلك ترتفع حصيلة القسم منذ مطلع العام إلى {total}، موزعة على المحافظات:",
    )
    return [*prose(voice, 1, 2), paragraph(lead), entries_marked(entries, voice)]


def breakdown(voice: Voice) -> list[Block]:
    """A monthly report with a heading and a table."""
    rows = [[voice.say("Group", "الفئة"), voice.say("Killed", "القتلى"), voice.say("Injured", "الجرحى")]]
    rows += [[group, voice.number(1, 4000), voice.number(1, 90)] for group in voice.several(GROUPS, 5)]
    return [
        *prose(voice, 1, 1),
        heading(voice.say("Figures of the month", "أرقام الشهر"), 2),
        table(rows),
        *prose(voice, 1, 2),
    ]


def nested(voice: Voice) -> list[Block]:
    """A list whose entries have lists."""
    entries = [
        (
            voice.say(f"{p}: {voice.number(2, 30)} cases", f"{p}: {voice.number(2, 30)} حالة"),
            [sentence(voice), sentence(voice)],
        )
        for p in voice.several(PROVINCES, 3)
    ]
    return [paragraph(sentence(voice)), listing(entries), paragraph(sentence(voice))]
