"""What surrounds an article on every page: menus, side columns, scripts, and the noise that differs from one
request to the next."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from random import Random
from urllib.parse import quote

from tests.replica.posts import Post, slugify
from tests.replica.settings import Settings
from tests.replica.site import LOCAL, ReplicaSite
from tests.replica.words import CATEGORIES, EVENTS, PROVINCES, SITE_NAME, TOWNS, Edition

_MONTHS_AR = (
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
)


@dataclass(frozen=True)
class Look:
    """One request: the site, the edition, the address it was asked under (``http://host``), and its number,
    which drives the noise."""

    site: ReplicaSite
    edition: Edition
    base: str
    number: int

    @property
    def settings(self) -> Settings:
        """Of the site."""
        return self.site.settings

    @property
    def home(self) -> str:
        """Home address of the edition, with a slash at the end."""
        return self.base + ("/en/" if self.edition == "en" else "/")

    def say(self, english: str, arabic: str) -> str:
        """In the edition's language."""
        return english if self.edition == "en" else arabic

    def link(self, post: Post) -> str:
        """The permalink, percent-encoded in small letters, as WordPress does."""
        path = post.path if post.edition == "en" else f"/{encoded(post.slug)}/{post.post_id}/"
        return self.base + path

    def title(self, post: Post) -> str:
        """The headline as HTML, as WordPress shows it."""
        shown = html.escape(post.title, quote=False)
        return self.say("Protected: ", "محمي: ") + shown if post.password else shown

    def excerpt(self, post: Post) -> str:
        """The beginning of the text, as HTML."""
        text = " ".join(post.lines)
        return html.escape(text if len(text) < 160 else text[:160].rpartition(" ")[0] + " […]", quote=False)


def encoded(slug: str) -> str:
    """A slug in an address: percent-encoded, hex digits small."""
    return "".join(c if c.isascii() else quote(c).lower() for c in slug)


def iso(at: datetime) -> str:
    """In the site's own time, with its offset."""
    return at.astimezone(LOCAL).isoformat(timespec="seconds")


def day(at: datetime, edition: Edition) -> str:
    """The day for people."""
    local = at.astimezone(LOCAL)
    return (
        f"{local:%b} {local.day}, {local.year}"
        if edition == "en"
        else f"{local.day} {_MONTHS_AR[local.month - 1]}، {local.year}"
    )


@lru_cache(maxsize=32)
def head(edition: Edition, base: str, layout: str) -> str:
    """Style and scripts, the same on every page: about 20 KB."""
    rules = "\n".join(
        f".{layout}-b{n} .row-{n % 7}>a:hover{{color:#{n * 7919 % 4096:03x};margin:0 "
        f"{n % 9}px;transition:all .{n % 9}s ease-in-out}}"
        for n in range(130)
    )
    script = ";".join(
        f'window.{layout}_opt["k{n}"]={{"id":{n},"text":"Latest update {n * 31}","on":true}}'
        for n in range(90)
    )
    links = "\n".join(
        f"<link rel='stylesheet' id='{layout}-{n}-css' "
        f"href='{base}/wp-content/plugins/p{n}/assets/style.min.css?ver=6.7.{n}' media='all' />"
        for n in range(30)
    )
    feed = base + ("/en/feed/" if edition == "en" else "/feed/")
    alternate = (
        f'<link rel="alternate" type="application/rss+xml" title="{SITE_NAME[edition]} &raquo; Feed" '
        f'href="{feed}" />'
    )
    return (
        f"{alternate}\n{links}\n<style "
        f'id="{layout}-inline-css">\n{rules}\n</style>\n<script>window.{layout}_opt={{}};{script}</script>\n<meta '
        'name="generator" content="WordPress 6.7.1" />'
    )


@lru_cache(maxsize=32)
def header(edition: Edition, base: str, layout: str) -> str:
    """Site name, menu, ticker: none of it is an article's."""
    home = base + ("/en/" if edition == "en" else "/")
    side = 0 if edition == "en" else 1
    categories = "".join(
        f'<li class="menu-item"><a href="{home}category/{quote(path)}/">{name}</a></li>'
        for path, name in CATEGORIES[edition].items()
    )
    provinces = "".join(
        '<li class="menu-item menu-item-has-children"><a '
        f'href="{home}tag/{quote(slugify(p[side]))}/">{p[side]}</a><ul class="sub-menu">'
        + "".join(f'<li><a href="{home}?s={quote(t[side])}">{t[side]}</a></li>' for t in TOWNS)
        + "</ul></li>"
        for p in PROVINCES
    )
    ticker = (
        f"<span class='ticker-title'>{('Latest News', 'آخر الأخبار')[side]}</span>"
        if layout == "tielabs"
        else ""
    )
    names = f'<a class="logo" href="{home}"><span>{SITE_NAME["ar"]}</span> <span>{SITE_NAME["en"]}</span></a>'
    return (
        f'<header class="site-header {layout}-header"><div class="site-branding">{names}</div><nav '
        f'class="main-menu"><ul>{categories}{provinces}'
        f"</ul></nav>{ticker}</header>"
    )


@lru_cache(maxsize=32)
def footer(edition: Edition, base: str, layout: str) -> str:
    """Side column and footer: headlines of nobody's posts, months, contacts, scripts."""
    side = 0 if edition == "en" else 1
    home = base + ("/en/" if edition == "en" else "/")
    random = Random(layout)
    popular = "".join(
        f'<li class="widget-post"><a href="{home}about-us/">{("Sidebar headline", "عنوان جانبي")[side]} '
        f"{n}: {random.choice(EVENTS)[side]}, "
        f"{random.choice(TOWNS)[side]}</a>"
        f"<p>{('Sidebar teaser: 99 persons named near', 'مقتطف جانبي: 99 شخصاً قرب')[side]} "
        f"{random.choice(TOWNS)[side]}.</p></li>"
        for n in range(30)
    )
    months = "".join(
        f'<li><a href="{home}date/{2013 + n // 12}/{n % 12 + 1:02d}/">{2013 + n // 12}/{n % 12 + 1:02d}</a>'
        "</li>"
        for n in range(156)
    )
    scripts = "\n".join(
        f"<script src='{base}/wp-includes/js/dist/vendor/part-{n}.min.js?ver=3.{n}' id='part-{n}-js'>"
        "</script>"
        for n in range(40)
    )
    return (
        '<aside class="sidebar widget-area"><div class="widget"><h4 '
        f'class="widget-title">{("Most read", "الأكثر قراءة")[side]}</h4><ul>{popular}'
        "</ul></div>"
        f'<div class="widget widget_archive"><ul>{months}</ul></div></aside>\n<footer class="site-footer">'
        f"<p>© {SITE_NAME[edition]}</p>"
        f'<form role="search" action="{home}"><input type="search" name="s"></form></footer>\n{scripts}'
    )


def page(look: Look, title: str, extra_head: str, body_class: str, main: str) -> str:
    """A whole HTML page around ``main``."""
    layout, edition, base, on = look.settings.layout, look.edition, look.base, look.settings
    nonce = f'<script>var ajax_nonce="{look.number * 2654435761 % 2**32:08x}";</script>\n' if on.nonce else ""
    stamp = (
        f"\n<!-- Page generated in 0.{look.number % 1000:03d} seconds, visit {look.number} -->"
        if on.stamp
        else ""
    )
    language = 'lang="en-US"' if edition == "en" else 'dir="rtl" lang="ar"'
    return (
        f'<!DOCTYPE html>\n<html {language}>\n<head>\n<meta charset="UTF-8" />\n<meta name="viewport" '
        'content="width=device-width, '
        'initial-scale=1" />\n'
        f"<title>{title}</title>\n{extra_head}{nonce}{head(edition, base, layout)}\n</head>\n<body "
        f'class="{body_class} {layout}'
        f'-theme{" rtl" if edition == "ar" else ""}">\n'
        f"{header(edition, base, layout)}\n{main}\n{footer(edition, base, layout)}\n{cookie(look)}</body>\n</html>{stamp}\n"
    )


def cookie(look: Look) -> str:
    """Consent banner."""
    if not look.settings.cookie:
        return ""
    text = look.say(
        "This website uses cookies to improve your experience. We'll assume you're ok with this, but you "
        "can opt-out if you wish.",
        "يستخدم هذا الموقع ملفات تعريف الارتباط.",
    )
    accept, more = look.say("Accept", "موافق"), look.say("Read More", "المزيد")
    return (
        f'<div class="cookie-notice bs-wrap-gdpr-law" role="dialog"><p>{text}</p><a class="accept" '
        f'href="#">{accept}</a> <a href="#">{more}</a>'
        "</div>\n"
    )


def views(look: Look, post: Post, css: str) -> str:
    """The bare number under the headline."""
    return f'<div class="{css}">{post.post_id % 900 + look.number}</div>' if look.settings.views else ""


def related(look: Look, post: Post | None, css: str, caption: str) -> str:
    """Headlines and beginnings of some of the newest 200 posts, others at each request."""
    if not look.settings.related:
        return ""
    random = Random(look.number)
    ids = look.site.ids(look.edition)[:200]
    chosen = [
        p
        for i in random.sample(ids, min(4, len(ids)))
        if (p := look.site.post(look.edition, i)) and (not post or i != post.post_id)
    ]
    entries = "".join(
        f'<li class="related-item"><h5><a href="{look.link(p)}">{look.title(p)}</a></h5><p '
        f'class="related-excerpt">{look.excerpt(p)}</p></li>'
        for p in chosen
    )
    return f'<div class="{css}"><h3>{caption}</h3><ul>{entries}</ul></div>'


def share(look: Look, post: Post, css: str) -> str:
    """Share buttons."""
    if not look.settings.share:
        return ""
    address = quote(look.link(post), safe="")
    return (
        f'<div class="{css}"><span class="share-label">{look.say("Share", "شارك")}</span><a '
        f'href="https://www.facebook.com/sharer.php?u={address}'
        '">Facebook</a>'
        f'<a href="https://twitter.com/share?url={address}">Twitter</a><a '
        f'href="https://wa.me/?text={address}">WhatsApp</a></div>'
    )


def with_ads(look: Look, content: str, css: str) -> str:
    """The text with advertisements between its paragraphs, others at each request."""
    parts = content.split("</p>\n<p>")
    if not look.settings.ads or len(parts) < 2:
        return content
    at = 1 + look.number % min(3, len(parts) - 1)
    ad = (
        f'</p>\n<div class="{css}" data-slot="{look.number}"><a href="#" '
        f'rel="nofollow">{look.say("Advertisement", "إعلان")} {look.number % 97}'
        "</a></div>\n<p>"
    )
    return "</p>\n<p>".join(parts[:at]) + ad + "</p>\n<p>".join(parts[at:])
