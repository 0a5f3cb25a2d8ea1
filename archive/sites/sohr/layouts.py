"""The site's page layouts by era: where the title and the text are, and what inside the text is not the article.

A layout is never edited in place once captures rest on it: a theme that changes gets a new entry. Which one reads a page is told by what the
page shows, never by its date. Three are named after the themes they are taken to be [A]; the selectors for the text are evidence [E], SITE.md.
The last, ``general``, knows only what nearly all WordPress themes share: it reads the layout that nobody has seen yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout. Selectors are tried in order; the first that matches a place of its own (not inside noise) is taken."""

    name: str
    marks: tuple[str, ...]  # CSS: any of them shows that the page is of this layout; empty: any page
    body: tuple[str, ...]
    title: tuple[str, ...]
    since: date | None = None
    until: date | None = None


_TITLES = ("h1.entry-title", "h1.wp-block-post-title", "h1.post-title", "h1.single-post-title", "h1[itemprop=headline]", "h1 [itemprop=headline]")

LAYOUTS = (
    Layout(
        "foxiz",
        marks=(
            ".ruby-table-contents",
            ".entry-content.rbct",
            ".single-standard-1, .s-ct, .s-title, .efoot",
            "link[href*='/themes/foxiz'], script[src*='/themes/foxiz']",
            "body.theme-foxiz, body.foxiz",
        ),
        body=("div.entry-content",),
        title=("h1.s-title", *_TITLES),
        since=date(2025, 1, 1),
    ),
    Layout(
        "publisher",
        marks=(
            ".single-post-content",
            "body.bs-theme, body.bs-publisher, body.theme-publisher, body.publisher",
            "link[href*='/themes/publisher'], script[src*='/themes/publisher']",
        ),
        body=(".single-post-content .entry-content", ".entry-content.single-post-content", ".single-post-content"),
        title=("h1.single-post-title .post-title", "h1.single-post-title", ".single-post-title", "h1 .post-title", *_TITLES),
        since=date(2020, 3, 1),
        until=date(2024, 12, 31),
    ),
    Layout(
        "tielabs",
        marks=(
            "#tie-body, #tie-wrapper, #the-post, body.theme-tielabs, body.tielabs",
            ".entry.clearfix, article.post-listing .entry",
            "link[href*='/themes/sahifa'], link[href*='/themes/jannah'], script[src*='/themes/jannah'], script[src*='/themes/sahifa']",
        ),
        body=("div.entry-content.entry", "div.entry-content", ".entry.clearfix", ".post-inner .entry", "#the-post .entry"),
        title=("h1.entry-title [itemprop=name]", "h1.name.post-title", *_TITLES),
        until=date(2020, 3, 31),
    ),
    Layout(
        "general",
        marks=(),
        body=(
            "article .entry-content",
            ".wp-block-post-content",
            "div.entry-content, section.entry-content",
            ".td-post-content",
            ".single-post-content",
            "article .post-content",
            "article .post-entry, article .article-content, article .article-body, article .single-content, article .post-body, article .entry",
            "[itemprop~=articleBody]",
            ".post-content, .post-entry, .article-content, .article-body, .single-content, .post-body, .entry-body, .the-content, .content-inner",
        ),
        title=(*_TITLES, "article h1", "main h1", "h1.title", ".entry-title, .post-title"),
    ),
)

# ---- what inside a body is not the article: class and id words, each read as a whole. "shared-toll" or "adside-village" match none of them.
_P = r"(?:(?:wp|post|posts|entry|article|single|content|page|site|main|meta|s|e|t|rb|tie|bs|td|jnews|jp|yarpp|inline|in|mobile|sticky|floating|top|bottom|after|before|block|news)[-_]+)*"
_S = (
    r"(?:[-_]+(?:bar|box|boxes|btn|btns|button|buttons|link|links|icon|icons|list|listing|wrap|wrapper|container|area|block|blocks|tool|tools|section|sec|top|bottom|inline|"
    r"inner|outer|count|counts|counter|number|total|title|header|heading|headline|content|holder|grid|row|widget|module|slider|item|items|label|text|info|social|left|right|style|"
    r"post|posts|article|articles|entry|entries|news|stories|story|topics|reading|side|group|panel|footer|\d+))*"
)
_NOISE = re.compile(
    "^(?:"
    + "|".join(
        (
            _P + r"(?:social[-_]+)?(?:share|shares|sharing|sharethis|socials?|social[-_]+(?:media|networks|links|icons))" + _S,
            r"[elt]-shared-(?:sec|items)|sharedaddy|sd-(?:sharing|social|block|like|content)[\w-]*|share-handler|addtoany\w*|a2a_\w+|addthis\w*|heateor\w*|essb_\w+|ssba\w*|mashsb\w*|swp_\w+|shareaholic\w*",
            _P + r"(?:related|relatedposts|relpost|yarpp|crp_related|similar|recommended)" + _S,
            r"jp-relatedposts[\w-]*|bs-irp[\w-]*|better-inline-related[\w-]*|rp4wp[\w-]*|you-may-(?:also-)?like|you-might-(?:also-)?like|also-like|read-also|also-read|check-also[\w-]*|more-from[\w-]*|"
            r"wp-embedded-content|wp-block-(?:latest-posts|latest-comments|archives|categories|tag-cloud|search|query|social-links|comments?|post-navigation-link|post-terms|post-date|post-author|post-title|"
            r"table-of-contents|page-list|rss|loginout|calendar)[\w-]*",
            _P + r"(?:views?[-_]+count(?:er)?s?|view[-_]+counter|views|hits|pageviews?|post[-_]?views?|tptn_counter|reading[-_]time|read[-_]time)" + _S,
            r"post-views[\w-]*|share-?counts?",
            r"ads?|adsbygoogle|adv|advert|adverts|advertisements?|advertising|google-auto-placed|stream-item[\w-]*|e3lan[\w-]*|bsac[\w-]*|code-block-\d+|ai-viewport[\w-]*|ezoic[\w-]*|sponsored?|promo|"
            r"(?:better|rb|quads|adrotate|wpinsert|td|jeg|jnews|tie|google|dfp|gpt)[-_]ads?[\w-]*|ad[-_](?:slot|unit|box|wrap|wrapper|container|block|banner|area|inner|label|space|zone|code|text|holder|\d+)[\w-]*|"
            r"(?:post|entry|content|inline|in[-_]article|in[-_]content|single|top|bottom|middle|mid|sidebar|banner|header|footer|after|before)[-_](?:ads?|adv|advert|banner[-_]ads?)(?:[-_]\w+)*",
            r"ruby-table-contents|rbtoc[\w-]*|rb-toc[\w-]*|toc|toc[-_](?:container|wrap|wrapper|box|list|title)[\w-]*|ez-toc[\w-]*|lwptoc[\w-]*|table[-_]of[-_]contents?[\w-]*|rank-math-toc[\w-]*|simpletoc[\w-]*",
            _P + r"author" + r"(?:[-_](?:box|bio|info|card|area|section|desc|description|wrap|wrapper|block|details|avatar|name|meta|title|inner|content|social|link|links))+",
            r"about[-_]author|about-the-author|authorbox|abh_box[\w-]*|saboxplugin[\w-]*|pp-multiple-authors[\w-]*|post-author(?:[-_]\w+)*|entry-author(?:[-_]\w+)*|byline|usr-holder|author-vcard",
            r"(?:post|entry|single|article|news|tie)[-_]meta(?:[-_]\w+)*|meta[-_](?:info|bar|data|views|date|author)|posted[-_](?:on|by|in)|(?:post|entry|published|updated)[-_]date|entry-(?:header|footer|title|tags|"
            r"categories|category|terms|bottom|newsletter|pagination|utility)|post-(?:header|title|tags?|categories|category|cats?|terms|bottom-meta|taxonomies|footer(?:-on-bottom)?|info|like|likes|rating|ratings|"
            r"reactions?|format|time|bottom)|(?:cat|tag|tags|category|term|edit)-links?|tagcloud|term-badges|tag-bar|efoot(?:-bar)?|breadcrumbs?|rank-math-breadcrumb|yoast-breadcrumbs?|tie-date|single-date",
            r"page-links?|post-nav-links|post-page-numbers|(?:post|posts|entry|single|page|nav|site|comment|comments)[-_](?:navigation|pagination|nav|pager)|navigation|pagination|nav-links|nav-(?:previous|next|single|below|above)|"
            r"pager|wp-pagenavi|multiple-post-pages|(?:next-prev|prev-next)(?:[-_]\w+)*|(?:post|prev|next)[-_](?:next|prev|previous|post)(?:[-_]posts?)?",
            r"comments?(?:[-_](?:area|list|respond|form|wrap|section|box|count|link|title|template))?|commentlist|respond|fb-comments|disqus_thread|no-comments",
            r"newsletter(?:[-_]\w+)*|(?:mc4wp|mailchimp|mc_embed|mailpoet|tnp)[\w-]*|(?:subscribe|subscription|signup|follow)[-_](?:box|form|bar|us|widget|section|wrap|button|block|area)[\w-]*|subscribe|"
            r"jetpack_subscription_widget|telegram-(?:channel|join|box)|join-us",
            r"cookie[-_](?:notice|bar|banner|law|consent|popup|box|info|message)[\w-]*|cookies?|cn-\w+|gdpr[\w-]*|cc-window|cli-[\w-]+|consent[-_]\w+|popup|modal",
            r"screen-reader-text|screen-reader-shortcut|sr-only|visually-hidden|skip-link|printfriendly|pf-button|(?:print|pdf|email)-(?:button|link|icon)s?|back-to-top|"
            r"more-link|read-more(?:-link|-button)?|readmore|continue-reading|widget|widgets|widget-area|widget_\w+|sidebar|wpulike\w*|wp_ulike\w*|kk-star-ratings|yasr-\w+|gp-rating|rating-box|"
            r"review-box|audioigniter-root|wp-playlist-script|speech-player|text-resizer|font-resizer|mejs-\w+|wp-video|wp-audio-shortcode",
        )
    )
    + ")$",
    re.IGNORECASE,
)
_NOISE_ROLES = frozenset(("navigation", "dialog", "alertdialog", "search", "contentinfo", "banner", "form"))


@lru_cache(maxsize=8192)
def is_noise_name(names: str) -> bool:
    """Whether a class or id attribute holds a word that names noise."""
    return any(_NOISE.match(name) for name in names.split())


def is_noise(node: LexborNode) -> bool:
    """Whether an element inside a body is not the article: by its class, id or role, never by its words."""
    attributes = node.attributes
    if not attributes:
        return False
    names = attributes.get("class")
    if names and is_noise_name(names):
        return True
    names = attributes.get("id")
    if names and is_noise_name(names):
        return True
    role = attributes.get("role")
    return role in _NOISE_ROLES if role else False


def choose(tree: LexborHTMLParser) -> Layout:
    """The layout a page shows by its marks; `general` where none does."""
    for layout in LAYOUTS:
        if not layout.marks or tree.css_first(", ".join(layout.marks)) is not None:
            return layout
    raise AssertionError("the last layout has no marks")


def find_body(tree: LexborHTMLParser, layout: Layout, scope: LexborNode | None) -> LexborNode | None:
    """The element that holds the article's text: inside ``scope`` where the page names its post, else the first outside furniture."""
    return next((node for node, _ in _find(tree, layout.body, scope)), None)


def find_title(tree: LexborHTMLParser, layout: Layout, scope: LexborNode | None) -> tuple[LexborNode, str] | None:
    """The headline's element and the selector that found it."""
    return next(_find(tree, layout.title, scope), None)


def _find(tree: LexborHTMLParser, selectors: tuple[str, ...], scope: LexborNode | None) -> Iterator[tuple[LexborNode, str]]:
    for selector in selectors:
        if scope is not None:
            for node in scope.css(selector):
                if not in_noise(node, scope, furniture_only=True):
                    yield node, selector
        for node in tree.css(selector):
            if not in_noise(node, furniture_only=True):
                yield node, selector


def in_noise(node: LexborNode, top: LexborNode | None = None, but: int = -1, *, furniture_only: bool = False) -> bool:
    """Whether an element stands, below ``top``, in what is not the article: a sidebar, navigation, related posts, comments.

    Meta lines and by-lines are no furniture: that is where times, authors and terms stand. ``but`` is the body (its `mem_id`), in whose own
    text nothing is stated about the article.
    """
    end = top.mem_id if top is not None else 0
    above: LexborNode | None = node
    while above is not None and above.tag not in ("body", "html", "-document"):
        if above.mem_id == but:
            return True
        tag = above.tag
        if tag in ("aside", "nav", "form", "noscript", "template") or (tag == "footer" and furniture_only):
            return True
        attributes = above.attributes
        names = attributes.get("class") or ""
        if (names and _is_furniture(names)) or ((names := attributes.get("id") or "") and _is_furniture(names)):
            return True
        if above.mem_id == end:
            break
        above = above.parent
    return False


_FURNITURE = re.compile(
    "^(?:" + _P + r"(?:related|relatedposts|yarpp|similar|recommended)" + _S + r"|jp-relatedposts[\w-]*|(?:you-might-)?also-like|sidebar|widget(?:s|-area|_\w+)?|popular-posts|"
    r"comments?(?:-area|-list)?|commentlist|respond|site-footer|wp-block-(?:query|latest-posts|latest-comments|post-template)|post-navigation|nav-links|"
    r"cookie[-_]\w+|newsletter(?:[-_]\w+)*|share-buttons[\w-]*|screen-reader-text)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def _is_furniture(names: str) -> bool:
    return any(_FURNITURE.match(name) for name in names.split())
