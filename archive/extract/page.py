"""Capture -> what the page says, or why it says nothing. Pure: bytes in, dataclasses out; no clock, disk or
network.

The order: status, unpacking, charset, is it HTML, can it be read within bounds, layout, the article's text
(pruned while it is read), edges, metadata. The page is parsed once. Nothing is invented: a page that no
layout reads is `Unextractable` with its reason.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode, SelectolaxError

from archive.html.bounds import is_heavy, is_hostile
from archive.html.decode import Cut, TooLarge, Undecodable, decode_body, decode_text, to_utf8
from archive.html.lines import inline_text, is_visible, read, tidy
from archive.model import (
    APART,
    Address,
    ArticleKey,
    Capture,
    Claim,
    Edition,
    Extract,
    Kind,
    Line,
    Unextractable,
)
from archive.sites.sohr import boilerplate
from archive.sites.sohr.addresses import Site
from archive.sites.sohr.layouts import Layout, choose, find_body, find_title
from archive.sites.wordpress import metadata, refusals
from archive.sites.wordpress.noise import is_noise

__all__ = ["EXTRACTOR", "Undecodable", "decode_body", "decode_text", "extract", "promised"]

# Release: a change that gives any page another text is another release, announced as `reparsed`, never as an
# edit
EXTRACTOR = "1"
NO_PARSE = "the page does not parse"
HEAVY = "the page is large: it is read by itself"

_LISTING_CLASSES = frozenset(
    ("archive", "home", "blog", "search", "category", "tag", "author", "date", "paged", "search-results")
)
_SINGLE_CLASSES = frozenset(("single", "single-post", "page-template-default", "page", "attachment"))
_PAGES = (
    ".page-links, .post-nav-links, .multiple-post-pages, .post-page-numbers, .page-link, .post-pagination"
)
_HTML = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|title|meta|div|p|article|script|h1)\b", re.IGNORECASE
)
# The last two: HTML under a wrong name
_KINDS = frozenset(("text/html", "application/xhtml+xml", "text/plain", "application/octet-stream"))
_ENDS = re.compile(rb"</(?:html|body)\s*>", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:article|main|section|div)\s*>\s*$", re.IGNORECASE)


def extract(
    capture: Capture, site: Site, expected: ArticleKey | None = None, *, apart: bool = False
) -> Extract | Unextractable:
    """Read one page. ``expected`` is the article the address promised: a page that states another post is
    `Unextractable("mismatch")`.

    A page that may take long is `Unextractable("apart")`: it is read with ``apart``, where a clock bounds it
    or its record says that it was read.
    """
    known = refusals.by_status(capture)
    if known:
        return Unextractable(*known)
    if capture.truncated:
        return Unextractable("truncated", f"the body was cut ({capture.truncated})")
    try:
        body = decode_body(capture)
    except Cut as error:
        return Unextractable("truncated", str(error))
    except Undecodable as error:
        return Unextractable("hostile" if isinstance(error, TooLarge) else "not_html", str(error))
    kind = (capture.header("content-type") or "").partition(";")[0].strip().lower()
    if (kind and kind not in _KINDS) or not _HTML.search(_without_nuls(body[:16_384])):
        refused = refusals.by_text(capture, decode_text(capture, body[:65_536]))
        return (
            Unextractable(*refused)
            if refused
            else Unextractable("not_html", f"the server calls it {kind or 'nothing'}, {len(body)} bytes")
        )
    html = to_utf8(capture, body)
    if not apart and is_heavy(html):
        return Unextractable(APART, HEAVY)
    hostile = is_hostile(html)
    if hostile:
        return Unextractable("hostile", hostile)
    if not 200 <= capture.status < 300:
        refused = refusals.by_text(capture, _beginning(html))
        return Unextractable(*(refused or ("error", f"status {capture.status}")))
    if (capture.header("cf-mitigated") or "").lower() == "challenge":
        return Unextractable("challenge", "the site asks for proof of being human")
    try:
        tree = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS, scripting=True)
    except (SelectolaxError, ValueError) as error:
        return Unextractable("hostile", f"{NO_PARSE}: {error}")
    return _read(capture, site, expected, html, tree)


def _without_nuls(head: bytes) -> bytes:
    return head.replace(b"\0", b"") if b"\0" in head else head


def promised(capture: Capture, site: Site) -> ArticleKey | None:
    """The article whose page an answer is to be, where its address alone tells; None for all else, and for a
    redirect."""
    address = site.parse(capture.url)
    if (
        address is None
        or address.kind is not Kind.ARTICLE
        or address.edition is None
        or address.post_id is None
    ):
        return None
    return None if 300 <= capture.status < 400 else ArticleKey(address.edition, str(address.post_id))


def _beginning(html: bytes) -> str:
    """The part of a page in which a refusal says so."""
    return html[:65_536].decode("utf-8", "ignore")


def _read(
    capture: Capture, site: Site, expected: ArticleKey | None, html: bytes, tree: LexborHTMLParser
) -> Extract | Unextractable:
    address = site.parse(capture.url)
    stated = metadata.read_head(capture, html, tree, site, address)
    edition = address.edition if address else None
    classes = stated.body_classes
    single = not classes.isdisjoint(_SINGLE_CLASSES)
    if "error404" in classes and not single:
        return Unextractable(
            "soft404", f"status {capture.status}, a page that says 'not found'", edition=edition
        )
    if not single and not classes.isdisjoint(_LISTING_CLASSES):
        return Unextractable("listing", "the page's class names it a listing", edition=edition)
    layout = choose(tree, html)
    first = stated.first("post_id")
    scope = tree.css_first(f"#post-{first}") if first else None
    body = find_body(tree, layout, scope)
    heading = find_title(tree, layout, scope, body)
    if body is not None and scope is None:
        scope = _holder(body)
        if scope is not None and (
            shown := re.match(r"post-([1-9][0-9]{0,9})$", scope.attributes.get("id") or "")
        ):
            stated.add("post_id", shown[1], "article:id")
    elif scope is not None and first and scope.tag != "body":
        stated.add("post_id", first, "article:id")
    post_id = int(stated.first("post_id") or 0) or None
    if body is None:
        return _no_body(capture, html, tree, stated, heading, layout, post_id, edition)
    wanted = expected.post_id if expected is not None else None
    if wanted is not None and post_id is not None and not _states(stated, wanted):
        return Unextractable(
            "mismatch",
            f"the page is post {post_id}, not {wanted}",
            layout=layout.name,
            post_id=post_id,
            edition=edition,
        )
    if not single and not post_id and heading is None and len(tree.css("article h2, article h3")) > 1:
        return Unextractable(
            "listing", "several articles and no headline of its own", layout=layout.name, edition=edition
        )
    if _is_cut(html, body):
        return Unextractable(
            "truncated", "the page ends inside the text", layout=layout.name, post_id=post_id, edition=edition
        )
    title, origin = _title(heading, stated, site, single or post_id is not None)
    if body.css_first("form.post-password-form") is not None:
        return Unextractable(
            "protected", "the page asks for a password", title or None, layout.name, post_id, edition
        )
    found = read(body, is_noise)
    links = [(url, words) for href, words in found.links if (url := metadata.absolute(href, capture.url))]
    kept = boilerplate.cut(found.lines, title, site, links)
    if not kept.lines:
        return Unextractable("empty", "the post has no text", title or None, layout.name, post_id, edition)
    stated.claims.insert(0, Claim("title", title, origin))
    around = _widest(scope, body)
    metadata.read_beside(around, body, capture, site, stated)
    page, pages, urls = _pages(around or body, capture, site, address, post_id)
    return Extract(
        title=title,
        lines=tuple(Line(line.text, line.kind, line.depth) for line in kept.lines),
        layout=layout.name,
        extractor=EXTRACTOR,
        page=page,
        pages=pages,
        page_urls=urls,
        post_id=post_id,
        edition=edition,
        canonical_url=stated.first("canonical_url"),
        published_at=stated.first("published_at"),
        modified_at=stated.first("modified_at"),
        day=stated.first("day"),
        author=stated.first("author") or stated.first("meta_author"),
        language=stated.first("language"),
        categories=stated.all("category") or stated.all("meta_category"),
        tags=stated.all("tag") or stated.all("meta_tag"),
        links=tuple(dict.fromkeys(links)),
        images=tuple(
            dict.fromkeys(url for src in found.images if (url := metadata.absolute(src, capture.url)))
        ),
        source_outlet=kept.source_outlet,
        source_url=kept.source_url,
        is_syndicated=kept.is_syndicated,
        notes=tuple(kept.notes),
        claims=tuple(stated.claims),
    )


def _no_body(
    capture: Capture,
    html: bytes,
    tree: LexborHTMLParser,
    stated: metadata.Stated,
    heading: tuple[LexborNode, str] | None,
    layout: Layout,
    post_id: int | None,
    edition: Edition | None,
) -> Unextractable:
    """Why a page without a text has none."""
    refused = refusals.by_text(capture, _beginning(html))
    if refused:
        return Unextractable(*refused, edition=edition)
    title = inline_text(heading[0]) if heading else None
    if tree.css_first("form.post-password-form") is not None:
        return Unextractable(
            "protected", "the page asks for a password", title, layout.name, post_id, edition
        )
    # A block theme leaves the whole block out where a post has no text (measured, WordPress 6.1): its
    # headline and site are there.
    blocks = tree.css_first(".wp-site-blocks h1.wp-block-post-title") is not None
    if post_id and heading and blocks and tree.css_first(".wp-block-post-content") is None:
        return Unextractable("empty", "the post has no text", title, layout.name, post_id, edition)
    return Unextractable(
        "layout",
        f"no known layout reads this page (title {stated.site_title[:80]!r})",
        title,
        post_id=post_id,
        edition=edition,
    )


def _title(
    heading: tuple[LexborNode, str] | None, stated: metadata.Stated, site: Site, single: bool
) -> tuple[str, str]:
    """The headline and where it is stated. A post's own heading counts even when it is empty: then the post
    has no title."""
    if heading is not None:
        return inline_text(heading[0]), heading[1]
    if stated.og_title:
        return stated.og_title, "meta:og:title"
    title = stated.site_title
    named = {stated.site_name.casefold()} if stated.site_name else set()
    for mark in (" • ", " – ", " — ", " | ", " - ", " &#8211; ", " » "):
        before, found, after = title.rpartition(mark)
        if found and (tidy(after).casefold() in named | boilerplate.SITE_NAMES):
            return tidy(before), "title"
    if title.casefold() in named | boilerplate.SITE_NAMES:
        return "", "title"
    # A theme's <title> joins headline and site name; which is which is not known here, so nothing is
    # invented.
    return ("" if single else title), "title"


def _states(stated: metadata.Stated, post_id: int) -> bool:
    """Whether any of the strong marks of a page names the post: body class, shortlink or the article's id."""
    return any(
        claim.field == "post_id" and claim.value == str(post_id) and claim.origin != "meta:og:url"
        for claim in stated.claims
    )


def _holder(body: LexborNode) -> LexborNode | None:
    """The element around a text that holds its headline too: the nearest article, `post-{id}` or main."""
    node: LexborNode | None = body
    while node is not None and node.tag not in ("body", "html", "-document"):
        if node.tag in ("article", "main") or (node.attributes.get("id") or "").startswith("post-"):
            return node
        node = node.parent
    return body.parent


def _widest(scope: LexborNode | None, body: LexborNode) -> LexborNode | None:
    """Where statements about the post are looked for: its element, or `main` around it where the element is
    the text itself."""
    if scope is None or scope.mem_id == body.mem_id:
        return body.parent
    return scope


def _pages(
    around: LexborNode, capture: Capture, site: Site, address: Address | None, post_id: int | None
) -> tuple[int, int, tuple[str, ...]]:
    """Which page of its post this is, how many there are, and the addresses of the others, as its page links
    show."""
    if address is None or address.kind is not Kind.ARTICLE:
        return 1, 1, ()
    page = pages = address.page
    urls = dict[str, None]()
    for box in around.css(_PAGES):
        anchors = [box] if box.tag == "a" else box.css("a[href]")
        for anchor in anchors:
            target = site.parse(anchor.attributes.get("href") or "", capture.url)
            if target is None or (target.kind, target.edition, target.post_id) != (
                Kind.ARTICLE,
                address.edition,
                post_id,
            ):
                continue
            if target.page != page:
                urls[target.url] = None
                pages = max(pages, target.page)
    return page, pages, tuple(urls)


def _is_cut(html: bytes, body: LexborNode) -> bool:
    """Whether the page ends inside the text: no closing tag of the page, and nothing after the text."""
    if b"</html>" in html[-2000:] or b"</html>" in html or b"</body>" in html or _ENDS.search(html):
        return False
    node: LexborNode | None = body
    while node is not None and node.tag not in ("body", "html", "-document"):
        after = node.next
        while after is not None:
            if after.tag not in ("-text", "-comment") or is_visible(after.text_content or ""):
                return False
            after = after.next
        node = node.parent
    return not _CLOSED.search(html[-200:])
