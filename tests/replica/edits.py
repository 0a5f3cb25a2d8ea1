"""Ways to change a post's text. HTML and lines change together: one text, two spellings."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from tests.replica.blocks import escape
from tests.replica.posts import Post

_TAGS = re.compile(r"(<[^>]*>)")


def replaced(post: Post, old: str, new: str) -> Post:
    """``new`` for ``old`` everywhere in the text, tags and addresses aside. Raises ValueError where ``old``
    is not in it, or runs across tags."""
    count = sum(line.count(old) for line in post.text_lines)
    parts = _TAGS.split(post.html)
    found = sum(html.unescape(part).count(old) for part in parts[::2])
    if not old or not count or found != count:
        raise ValueError(
            f"{old!r} is {count} times in the lines and {found} times in the HTML of "
            f"{post.edition}:{post.post_id}"
        )
    parts[::2] = [
        escape(html.unescape(part).replace(old, new)) if old in html.unescape(part) else part
        for part in parts[::2]
    ]
    return _with(post, "".join(parts), tuple(line.replace(old, new) for line in post.text_lines))


def one_digit(post: Post) -> Post:
    """The first number of the text gets a 1 after it: 3 killed becomes 31 killed. Raises ValueError for a
    text without a figure."""
    line = next((n for n, text in enumerate(post.text_lines) if re.search("[0-9]", text)), None)
    parts = _TAGS.split(post.html)
    part = next((n for n in range(0, len(parts), 2) if re.search("[0-9]", html.unescape(parts[n]))), None)
    if line is None or part is None:
        raise ValueError(f"no figure in {post.edition}:{post.post_id}")
    parts[part] = escape(re.sub("([0-9]+)", r"\g<1>1", html.unescape(parts[part]), count=1))
    lines = list(post.text_lines)
    lines[line] = re.sub("([0-9]+)", r"\g<1>1", lines[line], count=1)
    return _with(post, "".join(parts), tuple(lines))


def obfuscated(post: Post) -> Post:
    """The first word of four letters or more in the title gets a `*` in it. Raises ValueError for a title
    without one."""
    title, count = re.subn(r"([^\W\d_]{2})([^\W\d_]{2,})", r"\1*\2", post.title, count=1)
    if not count:
        raise ValueError(f"no word to break in the title of {post.edition}:{post.post_id}")
    return replace(post, title=title)


def respaced(post: Post) -> Post:
    """White space between words and tags grows; no line changes."""
    parts = _TAGS.split(post.html)
    parts[::2] = [re.sub(r"[ \n]", "\n  ", part) for part in parts[::2]]
    return replace(post, html="".join(parts))


def _with(post: Post, markup: str, lines: tuple[str, ...]) -> Post:
    return replace(
        post, html=markup, text_lines=tuple(stripped for line in lines if (stripped := line.strip()))
    )
