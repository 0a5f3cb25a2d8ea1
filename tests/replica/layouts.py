"""Article and listing pages in the looks of three eras, in an unknown theme with WordPress's general marks,
and in one with no known mark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from tests.replica import chrome
from tests.replica.blocks import HOME
from tests.replica.chrome import Look, day, iso
from tests.replica.posts import Post, slugify
from tests.replica.words import CATEGORIES, SITE_NAME


@dataclass(frozen=True)
class Parts:
    """A post, ready to be put into a theme."""

    look: Look
    post: Post
    title: str
    content: str
    pager: str  # links to the post's other pages; inside the text, as WordPress has it

    @property
    def times(self) -> str:
        """When it was published, as WordPress's themes mark it."""
        return (
            '<time class="entry-date published" '
            f'datetime="{iso(self.post.published)}">{day(self.post.published, self.post.edition)}</time>'
        )

    @property
    def meta(self) -> str:
        """By-line and categories."""
        name = CATEGORIES[self.post.edition]
        categories = " ".join(
            f'<a href="{self.look.home}category/{quote(path)}/" rel="category tag">{name.get(path, path)}</a>'
            for path in self.post.categories
        )
        author = (
            '<span class="byline author vcard"><a class="url fn n" '
            f'href="{self.look.home}author/{quote(slugify(self.post.author))}/">'
            f"{escape(self.post.author)}</a></span>"
        )
        return f'{author} <span class="cat-links">{categories}</span>'

    @property
    def tags(self) -> str:
        """Links to the post's tags."""
        links = " ".join(
            f'<a href="{self.look.home}tag/{quote(slugify(tag))}/" rel="tag">{escape(tag)}</a>'
            for tag in self.post.tags
        )
        return f'<div class="tags-links post-tags">{links}</div>' if links else ""

    @property
    def css(self) -> str:
        """The classes `post_class()` gives."""
        return f"post-{self.post.post_id} post type-post status-publish format-standard hentry"


def article(look: Look, post: Post, number: int = 1) -> str:
    """The page of a post; ``number`` is which of its pages, from 1."""
    layout = look.settings.layout
    pages = post.pages
    content = pages[number - 1].strip().replace(HOME, look.base)
    if post.password:
        ask = look.say(
            "This content is password protected. To view it please enter your password below:",
            "هذا المحتوى محمي بكلمة مرور. لعرضه أدخل كلمة المرور أدناه:",
        )
        content = (
            f'<form action="{look.base}/wp-login.php?action=postpass" class="post-password-form" '
            f'method="post"><p>{ask}</p><p><label>Password: '
            '<input name="post_password" type="password" /></label></p></form>'
        )
    parts = Parts(look, post, look.title(post), content, _pager(look, post, number) if len(pages) > 1 else "")
    main = {
        "tielabs": _tielabs,
        "publisher": _publisher,
        "foxiz": _foxiz,
        "unknown": _unknown,
        "alien": _alien,
    }[layout](parts)
    if layout == "alien":
        return chrome.page(look, parts.title, "", "zq-page", main)
    joint = " • " if layout == "publisher" else " &#8211; "
    body_class = f"post-template-default single single-post postid-{post.post_id} single-format-standard"
    return chrome.page(
        look, parts.title + joint + SITE_NAME[look.edition], _statements(look, post), body_class, main
    )


def _statements(look: Look, post: Post) -> str:
    """What the page states about itself in its head."""
    link = look.link(post)
    always = (
        f'<link rel="canonical" href="{link}" />\n<link rel="shortlink" href="{look.home}?p={post.post_id}" '
        '/>\n<link rel="alternate" '
        f'type="application/json" href="{look.home}wp-json/wp/v2/posts/{post.post_id}" />\n'
    )
    if not look.settings.seo:
        return always
    properties = {
        "og:type": "article",
        "og:title": post.title,
        "og:description": look.excerpt(post),
        "og:url": link,
        "og:site_name": SITE_NAME[look.edition],
        "article:published_time": iso(post.published),
        "article:modified_time": iso(post.modified),
    }
    meta = "".join(
        f'<meta property="{name}" content="{escape(value)}" />\n' for name, value in properties.items()
    )
    claims = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": post.title,
        "datePublished": iso(post.published),
        "dateModified": iso(post.modified),
        "author": {"@type": "Person", "name": post.author},
        "mainEntityOfPage": link,
        "inLanguage": look.say("en-US", "ar"),
        "publisher": {"@type": "Organization", "name": SITE_NAME[look.edition]},
    }
    return (
        f"{always}{meta}<script "
        f'type="application/ld+json">{json.dumps(claims, ensure_ascii=False).replace("<", chr(92) + "u003c")}</script>\n'
    )


def _pager(look: Look, post: Post, number: int) -> str:
    link = look.link(post)
    numbers = (
        f'<span class="post-page-numbers current">{n}</span>'
        if n == number
        else f'<a href="{link if n == 1 else f"{link}{n}/"}" class="post-page-numbers">{n}</a>'
        for n in range(1, len(post.pages) + 1)
    )
    return f'<div class="page-links">{look.say("Pages:", "صفحات:")} {" ".join(numbers)}</div>'


def _tielabs(p: Parts) -> str:
    content = chrome.with_ads(p.look, p.content, "stream-item stream-item-in-post")
    return (
        '<div id="content" class="site-content container"><article id="the-post" class="container-wrapper '
        f'post-content tie-standard {p.css}" '
        f'data-id="post-{p.post.post_id}">'
        '<header class="entry-header-outer"><div class="entry-header"><h1 class="post-title '
        f'entry-title">{p.title}</h1><div class="post-meta '
        f'single-post-meta clearfix">{p.meta}'
        f'<span class="date meta-item tie-icon">{p.times}</span></div></div></header>'
        '<div class="entry-content entry '
        f'clearfix">{chrome.views(p.look, p.post, "post-views meta-views")}\n{content}\n{p.pager}'
        f"{chrome.share(p.look, p.post, 'share-buttons share-buttons-bottom post-share')}</div>{p.tags}</article>"
        f"{chrome.related(p.look, p.post, 'container-wrapper related-posts', p.look.say('Related Articles', 'مقالات ذات صلة'))}</div>"
    )


def _publisher(p: Parts) -> str:
    content = chrome.with_ads(p.look, p.content, "bsac bsac-clearfix bsac-container ad-slot")
    return (
        f'<main class="content-column"><div class="site-name-line">{SITE_NAME[p.look.edition]}</div><div '
        'class="single-container"><article '
        f'id="post-{p.post.post_id}" class="{p.css} single-post-content-wrap">'
        '<div class="post-header-inner"><h1 class="single-post-title entry-title"><span class="post-title" '
        f'itemprop="headline">{p.title}</span></h1>'
        f'{chrome.views(p.look, p.post, "post-view-count views")}<div class="post-meta '
        f'single-post-meta">{p.meta} {p.times}</div></div>'
        f'<div class="entry-content clearfix single-post-content">{content}\n{p.pager}</div>{p.tags}'
        f"{chrome.share(p.look, p.post, 'post-share single-post-share bottom-share')}</article></div>"
        f"{chrome.related(p.look, p.post, 'post-related related-posts', p.look.say('You might also like', 'قد يعجبك أيضا'))}</main>"
    )


def _foxiz(p: Parts) -> str:
    content = chrome.with_ads(p.look, p.content, "ad-wrap ad-script-wrap")
    contents = "".join(
        f'<a class="table-link h5" href="#{slugify(line)}">{escape(line)}</a>'
        for line in (p.title, *p.post.lines[:2])
    )
    table = (
        '<div class="ruby-table-contents rbtoc table-fw"><div class="toc-header"><span '
        f'class="h3">{p.look.say("Contents", "المحتويات")}</span>'
        f'</div><div class="inner">{contents}</div></div>'
    )
    return (
        f'<div class="site-wrap"><article id="post-{p.post.post_id}" class="{p.css} single-standard">'
        '<header class="single-header"><h1 '
        f'class="s-title fw-headline entry-title">{p.title}</h1>'
        f'<div class="single-meta">{p.meta} '
        f"{p.times}{chrome.views(p.look, p.post, 'meta-el meta-view post-views')}</div></header>"
        '<div class="s-ct-wrap"><div class="e-ct-outer"><div class="entry-content rbct clearfix '
        f'is-highlight-shares">{table}{content}\n{p.pager}'
        f"{chrome.related(p.look, p.post, 'related-sec single-related', p.look.say('You Might Also Like', 'قد يعجبك أيضا'))}</div>"
        f'<div class="entry-bottom">{p.tags}{chrome.share(p.look, p.post, "e-shared-sec entry-sec")}</div>'
        "</div></div></article></div>"
    )


def _unknown(p: Parts) -> str:
    content = chrome.with_ads(p.look, p.content, "ad-slot")
    return (
        f'<main id="main" class="site-main"><article id="post-{p.post.post_id}" class="{p.css}"><header '
        'class="entry-header"><h1 '
        f'class="entry-title">{p.title}</h1>{chrome.views(p.look, p.post, "views")}'
        f'<div class="entry-meta">{p.times} {p.meta}</div></header><div class="entry-content" '
        f'itemprop="articleBody">\n{content}\n{p.pager}</div>'
        f'<footer class="entry-footer">{p.tags}{chrome.share(p.look, p.post, "sharedaddy")}</footer>'
        "</article>"
        f"{chrome.related(p.look, p.post, 'related-posts', 'More')}</main>"
    )


def _alien(p: Parts) -> str:
    content = chrome.with_ads(p.look, p.content, "zq-9")
    return (
        f'<div class="zq-1"><div class="zq-2">{p.title}</div>{chrome.views(p.look, p.post, "zq-3")}<div '
        f'class="zq-4">{content}\n</div>'
        f"{chrome.share(p.look, p.post, 'zq-5')}{chrome.related(p.look, p.post, 'zq-6', 'More')}</div>"
    )


def listing(
    look: Look,
    heading: str,
    posts: Sequence[Post],
    before: str | None,
    after: str | None,
    stuck: Sequence[int] = (),
) -> str:
    """A listing page; ``before`` and ``after`` are the addresses of its neighbours."""
    if look.settings.fake_listing:
        return chrome.page(
            look,
            heading,
            "",
            "archive",
            '<main class="site-main"><h1>Section under construction</h1><p>Nothing to list.</p></main>',
        )
    entries = "\n".join(_entry(look, post, post.post_id in stuck) for post in posts)
    links = (
        f'<a class="prev page-numbers" href="{before}">{look.say("Previous", "السابق")}</a> '
        if before
        else ""
    ) + (f'<a class="next page-numbers" href="{after}">{look.say("Next", "التالي")}</a>' if after else "")
    if look.settings.layout == "alien":
        return chrome.page(
            look,
            heading,
            "",
            "zq-page",
            f'<div class="zq-7">{entries}</div><div '
            f'class="zq-8">{links.replace("page-numbers", "zq-n")}</div>',
        )
    popular = chrome.related(look, None, "widget popular-posts", look.say("Popular", "الأكثر شعبية"))
    name = f'<h1 class="page-title">{heading}</h1>' if heading else ""
    title = f"{heading or SITE_NAME[look.edition]} &#8211; {SITE_NAME[look.edition]}"
    main = (
        f'<main class="site-main">{name}<div class="listing">{entries}</div>\n<nav class="navigation '
        'pagination" role="navigation"><div '
        f'class="nav-links">{links}</div></nav></main>{popular}'
    )
    return chrome.page(look, title, "", "archive" if heading else "home blog", main)


def _entry(look: Look, post: Post, stuck: bool) -> str:
    """One entry, in the layout's own markup; a post without a title is reached by its date."""
    link, title = look.link(post), look.title(post)
    classes = f"post-{post.post_id} post type-post status-publish{' sticky' if stuck else ''}"
    when = (
        '<time class="entry-date published" '
        f'datetime="{iso(post.published)}">{day(post.published, look.edition)}</time>'
        if look.settings.listing_times
        else ""
    )
    dated = (
        f'<a class="post-date" href="{link}" rel="bookmark">{when or day(post.published, look.edition)}</a>'
    )
    excerpt = f"<p>{look.excerpt(post)}</p>" if look.settings.listing_excerpts else ""
    match look.settings.layout:
        case "tielabs":
            return (
                f'<article id="post-{post.post_id}" class="post-item tie-standard {classes}"><h2 '
                f'class="post-title entry-title"><a href="{link}">'
                f'{title}</a></h2><span class="date meta-item">{dated}</span><div '
                f'class="post-excerpt">{excerpt}</div></article>'
            )
        case "publisher":
            return (
                f'<article id="post-{post.post_id}" class="listing-item listing-item-blog {classes}"><h2 '
                'class="title entry-title"><a '
                f'class="post-url post-title" href="{link}">{title}</a></h2><div '
                f'class="post-meta">{dated}</div><div class="post-summary">'
                f"{excerpt}</div></article>"
            )
        case "foxiz":
            return (
                f'<div class="p-wrap p-grid {classes}" data-pid="{post.post_id}"><h3 class="entry-title"><a '
                f'class="p-url" href="{link}" '
                f'rel="bookmark">{title}</a></h3><div class="p-meta">{dated}</div><div '
                f'class="entry-summary">{excerpt}</div></div>'
            )
        case "alien":
            return f'<div class="zq-r"><a href="{link}">{title or link}</a></div>'
        case _:
            return (
                f'<article id="post-{post.post_id}" class="{classes}"><header><h2 class="entry-title"><a '
                f'href="{link}" rel="bookmark">{title}</a>'
                f'</h2><div class="entry-meta">{dated}</div></header><div '
                f'class="entry-summary">{excerpt}</div></article>'
            )


def missing(look: Look) -> str:
    """The theme's page for what is not there."""
    oops = look.say("Oops! That page can&rsquo;t be found.", "عفواً! لا يمكن العثور على هذه الصفحة.")
    main = (
        f'<main class="site-main"><section class="error-404 not-found"><h1 class="page-title">{oops}</h1><p>'
        f"{look.say('It looks like nothing was found at this location.', 'لا يوجد شيء هنا.')}</p></section>"
        "</main>"
    )
    return chrome.page(
        look,
        look.say("Page not found", "الصفحة غير موجودة") + " &#8211; " + SITE_NAME[look.edition],
        "",
        "error404",
        main,
    )
