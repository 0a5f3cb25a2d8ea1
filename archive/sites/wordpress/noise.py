"""Elements inside a text that are not the article, told by the names in their class and id attributes.

No name takes the site's own words: an element that holds sentences or a toll, and nothing to click, is text. A
name must match as a whole: ``shared-toll``, ``village-ads-hill`` and ``share-of-dead`` match nothing. The
names are those of the site's layouts, of WordPress, and of themes and plugins for sharing, related posts,
counters and advertising.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from selectolax.lexbor import LexborNode


def _any(patterns: str) -> str:
    return "|".join(patterns.split())


# What themes put before and after a word: post-share, single-share-box, related-posts-title
_BEFORE = (
    "(?:(?:"
    + _any("""wp posts? entry article single content page site main meta s e t rb tie bs td jnews jp yarpp inline in mobile sticky floating
    top bottom after before block news""")
    + ")[-_]+)*"
)
_BEHIND = (
    "(?:[-_]+(?:"
    + _any(r"""bar box boxes btns? buttons? links? icons? list listing wrap wrapper container area blocks? tools? section sec top bottom inline
    inner outer counts? counter number total title header heading headline content holder grid row widget module slider items? label text info
    social left right style posts? articles? entry entries news stories story topics reading side group panel footer \d+""")
    + "))*"
)


def _around(words: str) -> str:
    return f"{_BEFORE}(?:{_any(words)}){_BEHIND}"


SHARING = _around("(?:social[-_]+)?(?:share|shares|sharing|sharethis|socials?) social[-_]+(?:media|networks|links|icons)") + "|" + _any(
    r"""[elt]-shared-(?:sec|items) sharedaddy sd-(?:sharing|social|block|like|content)[\w-]* share-handler share-?counts? addtoany\w* a2a_\w+
    addthis\w* heateor\w* essb_\w+ ssba\w* mashsb\w* swp_\w+ shareaholic\w*"""
)  # fmt: skip
RELATED = _around("related relatedposts relpost yarpp crp_related similar recommended") + "|" + _any(
    r"""jp-relatedposts[\w-]* bs-irp[\w-]* better-inline-related[\w-]* rp4wp[\w-]* you-(?:may|might)-(?:also-)?like also-like read-also also-read
    check-also[\w-]* more-from[\w-]* wp-embedded-content wp-block-(?:latest-posts|latest-comments|archives|categories|tag-cloud|search|query)[\w-]*
    wp-block-(?:social-links|comments?|post-navigation-link|post-terms|post-date|post-author|post-title|table-of-contents|page-list|rss|loginout|calendar)[\w-]*"""
)  # fmt: skip
COUNTERS = _around(
    r"views?[-_]+count(?:er)?s? view[-_]+counter views hits pageviews? post[-_]?views? tptn_counter reading[-_]time read[-_]time"
) + r"|post-views[\w-]*|pvc_stats[\w-]*|rmp-[\w-]*|(?:bs|span)?-?reading-time"  # fmt: skip
ADVERTISING = _any(
    r"""ads? adsbygoogle adv adverts? advertisements? advertising google-auto-placed stream-item[\w-]* e3lan[\w-]* bsac[\w-]* code-block-\d+
    ai-viewport[\w-]* ezoic[\w-]* sponsored? promo (?:better|rb|quads|adrotate|wpinsert|td|jeg|jnews|tie|google|dfp|gpt)[-_]ads?[\w-]*
    ad[-_](?:slot|unit|box|wrap|wrapper|container|block|banner|area|inner|label|space|zone|code|text|holder|\d+)[\w-]*
    (?:post|entry|content|inline|in[-_]article|in[-_]content|single|top|bottom|middle|mid|sidebar|banner|header|footer|after|before)[-_](?:ads?|adv|advert)(?:[-_]\w+)*"""
)
CONTENTS = _any(
    r"""ruby-table-contents rbtoc[\w-]* rb-toc[\w-]* toc toc[-_](?:container|wrap|wrapper|box|list|title)[\w-]* ez-toc[\w-]* lwptoc[\w-]* (?:wp-block-)?yoast-(?:seo-)?table-of-contents[\w-]*
    table[-_]of[-_]contents?[\w-]* rank-math-toc[\w-]* simpletoc[\w-]*"""
)
AUTHORS = _any(
    _BEFORE + r"""author(?:[-_](?:box|bio|info|card|area|section|desc|description|wrap|wrapper|block|details|avatar|name|meta|title|inner|content|social|links?))+
    about[-_]author about-the-author authorbox abh_box[\w-]* saboxplugin[\w-]* pp-multiple-authors[\w-]* (?:post|entry)-author(?:[-_]\w+)* byline
    usr-holder author-vcard molongui-[\w-]* m-a-box[\w-]*"""
)  # fmt: skip
META = _any(
    r"""(?:post-)?last-(?:modified|updated)[\w-]* (?:post|entry|single|article|news|tie)[-_]meta(?:[-_]\w+)* meta[-_](?:info|bar|data|views|date|author) posted[-_](?:on|by|in)
    (?:post|entry|published|updated|single|tie)[-_]date entry-(?:header|footer|title|tags|categories|category|terms|bottom|newsletter|pagination|utility)
    jeg_post_tags jeg_prevnext_post jeg_share[\w-]* post-(?:header|title|tags?|categories|category|cats?|terms|bottom-meta|taxonomies|footer(?:-on-bottom)?|info|likes?|ratings?|reactions?|format|time|bottom)
    (?:cat|tag|tags|category|term|edit)-links? tagcloud term-badges tag-bar efoot(?:-bar)? breadcrumbs? rank-math-breadcrumb yoast-breadcrumbs?"""
)
NAVIGATION = _any(
    r"""page-links? post-nav-links post-page-numbers (?:post|posts|entry|single|page|nav|site|comments?)[-_](?:navigation|pagination|nav|pager)
    navigation pagination nav-links nav-(?:previous|next|single|below|above) pager wp-pagenavi multiple-post-pages
    (?:next-prev|prev-next)(?:[-_]\w+)* (?:post|prev|next)[-_](?:next|prev|previous|post)(?:[-_]posts?)?"""
)
COMMENTS = _any(
    r"""comments?(?:[-_](?:area|list|respond|form|wrap|section|box|count|link|title|template))? commentlist respond fb-comments disqus_thread
    no-comments"""
)
INVITATIONS = _any(
    r"""newsletter(?:[-_]\w+)* (?:mc4wp|mailchimp|mc_embed|mailpoet|tnp)[\w-]* subscribe
    (?:subscribe|subscription|signup|follow)[-_](?:box|form|bar|us|widget|section|wrap|button|block|area)[\w-]* jetpack_subscription_widget
    donat(?:e|ions?)[-_](?:box|button|form|banner|block|widget|wrap|cta|section|bar) give-(?:form|btn|donation)[\w-]* charitable-[\w-]*
    wp-polls(?:-\w+)* totalpoll[\w-]* (?:poll|quiz|survey)[-_](?:box|form|widget|container|wrap)[\w-]* telegram-(?:channel|join|box) join-us cookie[-_](?:notice|bar|banner|law|consent|popup|box|info|message)[\w-]* cookies? gdpr[\w-]* cc-window
    consent[-_]\w+ popup modal"""
)
TOOLS = _any(
    r"""site-(?:header|footer|info|branding)(?:-\w+)* masthead colophon screen-reader-(?:text|shortcut) sr-only visually-hidden skip-link printfriendly pf-button (?:print|pdf|email)-(?:button|link|icon)s?
    back-to-top more-link read-more(?:-link|-button)? readmore continue-reading widgets? widget-area widget_\w+ sidebar wpulike\w* wp_ulike\w*
    kk-star-ratings yasr-\w+ gp-rating rating-box review-box icl_post_in_other_langs wpml-ls[\w-]* wp-playlist-script speech-player gspeech\w* trinityAudio\w* responsivevoice[\w-]* printomatic\w* (?:text|font)-resizer mejs-\w+ wp-video wp-audio-shortcode"""
)
BUILDERS = _any(
    r"""elementor-widget-(?:share-buttons|posts|archive-posts|post-(?:navigation|info|comments)|author-box|social-icons|breadcrumbs|search-form)
    elementor-widget-(?:nav-menu|theme-post-(?:title|featured-image)|table-of-contents|form|sidebar)
    et_pb_(?:blog|comments_module|comments|post_nav|posts_nav|sidebar|signup|social_media_follow|search|title_meta_container)(?:_\d+)?
    brxe-(?:related-posts|post-(?:navigation|sharing|comments|meta|author|toc|taxonomy)|posts|breadcrumbs|social-icons|nav-menu)
    fl-module-(?:fl-post-(?:navigation|info)|fl-author-bio|post-grid|post-carousel|subscribe-form|social-buttons)"""
)
_FAMILIES = (
    BUILDERS,
    SHARING,
    RELATED,
    COUNTERS,
    ADVERTISING,
    CONTENTS,
    AUTHORS,
    META,
    NAVIGATION,
    COMMENTS,
    INVITATIONS,
    TOOLS,
)
_NOISE = re.compile(f"^(?:{'|'.join(_FAMILIES)})$", re.IGNORECASE)
# These boxes have no sentences of their own; those of the other families have others' sentences, and links
_SILENT = re.compile(f"^(?:{'|'.join((SHARING, COUNTERS, CONTENTS))})$", re.IGNORECASE)
# What they hold is others' words; the rest may be named after what stands beside the text in some theme
_FOREIGN = re.compile(
    "^(?:"
    + "|".join(
        (SHARING, RELATED, COUNTERS, ADVERTISING, CONTENTS, AUTHORS, NAVIGATION, COMMENTS, INVITATIONS)
    )
    + r"|site-[\w-]+|masthead|colophon|sidebar|widget-area|screen-reader-[\w-]+|speech-player)$",
    re.IGNORECASE,
)
_CONTROLS = "form, button, input, select, textarea, iframe, ins, script, svg, video, audio, a img"
_ACTIVE = "form, button, input, select, textarea, iframe, ins"
# Words to visitors, and headings above other posts
_INVITING = re.compile(
    r"\b(?:cookie|subscri|newsletter|donat|support us|sign up|join us|follow us)|كوكيز|ملفات تعريف|اشترك|تبرع|تابعونا"
    r"|^\s*(?:related|recommended|similar|you (?:may|might)|(?:read|see|more|also)\b|مقالات|مواضيع|أخبار ذات|ذات صلة|اقر[أا]|قد يعجبك)",
    re.IGNORECASE,
)
_STOPS = (".", "!", "?", "؟", "۔")
_FEWEST_SENTENCES, _FEWEST_WORDS = 2, 12
_MOST_READ = 20_000  # characters of an element that is judged
# With a number beside it, a toll
_HARM = re.compile(
    r"^\W*(?:kill|dead\b|died|death|martyr|wound|injur|casualt|fatalit|civilian|detain|arrest|kidnap|abduct|displac"
    r"|(?:ال)?(?:قت[يلى]|مقتل|استشه|شهيد|شهداء|جر[يح]|[إا]صاب|مصاب|ضحايا|ضحية|مدني|معتقل|اعتق|مخطوف|مختطف|نازح))",
    re.IGNORECASE,
)
_TYPES = ("/WPAdBlock", "/BreadcrumbList")  # of schema.org
_ROLES = frozenset(("navigation", "dialog", "alertdialog", "search", "contentinfo", "banner", "form"))

# The text of a page builder stands in widgets
_WIDGET = re.compile(r"^(?:widgets?|widget_\w+)$", re.IGNORECASE)
_BUILDER = re.compile(
    r"(?:^|\s)(?:so-panel|so-widget-[\w-]+|siteorigin-widget-[\w-]+|panel-widget|elementor-[\w-]+|et_pb_[\w-]+|fl-[\w-]+|wpb_[\w-]+|vc_[\w-]+|brxe-[\w-]+)",
    re.IGNORECASE,
)
# Any block may get an id from an author or from the words of a heading; only containers of a theme are told
# by it
_CONTAINERS = frozenset(("div", "section", "aside", "header", "footer", "ul", "ol", "nav", "iframe"))

# What is not about this article although it may stand beside its headline; by-lines and meta lines are about
# it
_FURNITURE = re.compile(
    f"^(?:{_around('related relatedposts yarpp similar recommended')}|"
    + _any(
        r"""jp-relatedposts[\w-]* (?:you-might-)?also-like sidebar widget(?:s|-area|_\w+)? popular-posts comments?(?:-area|-list)? commentlist respond
        site-footer wp-block-(?:query|latest-posts|latest-comments|post-template) post-navigation nav-links cookie[-_]\w+ newsletter(?:[-_]\w+)*
        share-buttons[\w-]* screen-reader-text"""
    )
    + ")$",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def _names_noise(names: str) -> Literal["", "silent", "other"]:
    """Whether a class or id names a box, and whether it is of a kind that has no sentences."""
    found = [name for name in names.split() if _NOISE.match(name)]
    if not found or (all(map(_WIDGET.match, found)) and _BUILDER.search(names)):
        return ""
    return "silent" if all(map(_SILENT.match, found)) else "other"


@lru_cache(maxsize=8192)
def _names_furniture(names: str) -> bool:
    return any(_FURNITURE.match(name) for name in names.split())


def is_noise(node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> bool:
    """True if an element inside a text is not the article: by its class, id, role or type, unless its words
    are the site's own."""
    names = attributes.get("class")
    if names and (kind := _names_noise(names)):
        return not _holds_text(node, "" if kind == "silent" else f"a, img, {_CONTROLS}")
    identity = attributes.get("id")
    is_named = identity and tag in _CONTAINERS and "wp-block-" not in (names or "")
    if is_named and _names_noise(identity or "") and not _BUILDER.search(names or ""):
        return not _holds_text(node, _CONTROLS)  # an author's anchor for a part of the text has links in it
    if attributes.get("role") in _ROLES or (attributes.get("itemtype") or "").endswith(_TYPES):
        return not _holds_text(node, f"a, {_CONTROLS}")
    return False


def in_named_box(node: LexborNode) -> bool:
    """True if an element, or one around it below the post's, is named as a box, whatever it holds."""
    above: LexborNode | None = node
    while above is not None and above.tag not in ("article", "main", "body", "html", "-document"):
        if any(_names_noise(above.attributes.get(of) or "") for of in ("class", "id")):
            return True
        above = above.parent
    return False


def _holds_text(node: LexborNode, controls: str) -> bool:
    """Whether an element that is named as a box holds sentences or a toll, and none of the ``controls``."""
    text = node.text(separator=" ")[:_MOST_READ]
    if text.isspace() or _INVITING.search(text) or (controls and node.css_first(controls) is not None):
        return False
    words = Counter(text.split())
    for box in node.css(f"a, style, noscript, template, {_CONTROLS}"):
        words.subtract(box.text(separator=" ")[:_MOST_READ].split())
    own = [word for word, number in words.items() for _ in range(number)]
    if any(map(_HARM.match, own)) and any(any(map(str.isdecimal, word)) for word in own):
        return True
    sentences = sum(word.endswith(_STOPS) for word in own)
    return sentences >= _FEWEST_SENTENCES and len(own) >= _FEWEST_WORDS


def may_be_text(node: LexborNode) -> bool:
    """Whether the words of an element that was taken for noise may be the article's own: it is not named
    after others' words, invites nobody, and has no controls."""
    names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".split()
    if node.attributes.get("role") in _ROLES or any(map(_FOREIGN.match, names)):
        return False
    return not _INVITING.search(node.text(separator=" ")) and node.css_first(_ACTIVE) is None


def in_furniture(
    node: LexborNode, top: LexborNode | None = None, but: int = -1, *, footers: bool = True
) -> bool:
    """True if an element stands, below ``top``, in a sidebar, navigation, related posts or comments, with
    ``footers`` also in a footer, or in the element with the `mem_id` ``but`` (the text).
    """
    end = top.mem_id if top is not None else 0
    above: LexborNode | None = node
    while above is not None and above.tag not in ("body", "html", "-document"):
        if above.mem_id == but:
            return True
        tag = above.tag
        if tag in ("aside", "nav", "form", "noscript", "template") or (footers and tag == "footer"):
            return True
        attributes = above.attributes
        if _names_furniture(attributes.get("class") or "") or _names_furniture(attributes.get("id") or ""):
            return True
        if above.mem_id == end:
            break
        above = above.parent
    return False
