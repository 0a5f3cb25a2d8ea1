"""Read one page of the site: a capture in, its text and statements out, or the reason why there are none.

Pure: no clock, disk or network. The page is parsed once: layout, text (noise is skipped while it is read),
edges, metadata. A page that no layout reads is `Unextractable` with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode, SelectolaxError

from archive.extract import EXTRACTOR
from archive.extract.document import Bounds, open_document, refused
from archive.extract.passwords import asks_for_password
from archive.html.lines import Body, inline_text, is_visible, read_lines, tidy
from archive.model import Address, ArticleKey, Capture, Claim, Edition, Extract, Kind, Line, Unextractable
from archive.sites.sohr import boilerplate
from archive.sites.sohr.addresses import Site
from archive.sites.sohr.layouts import Layout, choose_layout, find_body, find_titles
from archive.sites.wordpress import metadata
from archive.sites.wordpress.noise import is_noise, may_be_text

_FEWEST_WORDS = 5  # of a line of prose in a skipped element
_SENTENCE = re.compile(r"[.!?؟۔](?:\W|$)")  # the end of one; headlines and labels have none
_LISTING_CLASSES = frozenset(
    ("archive", "home", "blog", "search", "category", "tag", "author", "date", "paged", "search-results")
)
_SINGLE_CLASSES = frozenset(("single", "single-post", "page-template-default", "page", "attachment"))
_PAGES = (
    ".page-links, .post-nav-links, .multiple-post-pages, .post-page-numbers, .page-link, .post-pagination"
)
_POST_ELEMENT = re.compile(r"post-([1-9][0-9]{0,9})$")
_ENDS = re.compile(rb"</(?:html|body)\s*>", re.IGNORECASE)
_BALANCED = tuple(
    (re.compile(b"<%b[\\s>]" % tag, re.IGNORECASE), re.compile(b"</%b[\\s>]" % tag, re.IGNORECASE))
    for tag in (b"article", b"main", b"section", b"div")
)
_CLOSED = re.compile(rb"</(?:article|main|section|div)\s*>\s*$", re.IGNORECASE)


def extract(
    capture: Capture, site: Site, expected: ArticleKey | None = None, *, apart: bool = False
) -> Extract | Unextractable:
    """Read one page. A page that states another post than ``expected`` is `Unextractable("mismatch")`.

    A page that may take long is `Unextractable("apart")` unless ``apart`` is set: then a clock bounds the
    reading, or a record says that it was read before.
    """
    html = open_document(capture, Bounds(), apart=apart)
    if isinstance(html, Unextractable):
        return html
    try:
        tree = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS, scripting=True)
    except (SelectolaxError, ValueError) as error:
        return Unextractable("hostile", f"the page does not parse: {error}", is_unparsed=True)
    page = _find_parts(capture, site, html, tree)
    if isinstance(page, Unextractable):
        return page
    return _why_no_article(page, expected) or _read_article(page)


@dataclass(slots=True)
class _Page:
    """A parsed page and its parts."""

    capture: Capture
    site: Site
    html: bytes = field(repr=False)
    tree: LexborHTMLParser
    address: Address | None
    stated: metadata.Statements
    is_single: bool  # its body's class says that it shows one post
    layout: Layout
    scope: LexborNode | None  # the element around headline and text
    body: LexborNode | None  # the element of the text
    heading: tuple[LexborNode, str] | None  # with the selector that found it

    @property
    def edition(self) -> Edition | None:
        return self.address.edition if self.address else None

    @property
    def post_id(self) -> int | None:
        return int(self.stated.first("post_id") or 0) or None

    def is_other_post(self, href: str) -> bool:
        """True for the address of another post of the site."""
        found = self.site.parse(href, self.capture.url)
        if found is None or found.kind not in (Kind.ARTICLE, Kind.SLUG) or found.url == self.capture.url:
            return False
        return found.post_id is None or found.post_id != self.post_id

    def is_listing(self, href: str) -> bool:
        """True for the address of a listing of the site: home, a category, a tag, an author."""
        found = self.site.parse(href, self.capture.url)
        return found is not None and found.kind is Kind.LISTING

    def is_of_others(self, href: str) -> bool:
        """True for the address of another post or of a listing."""
        return self.is_other_post(href) or self.is_listing(href)

    def is_other_posts_element(self, tag: str, attributes: Mapping[str, str | None]) -> bool:
        """True for the element of another post within the text, as a plugin prints the next one there."""
        if tag not in ("article", "div", "section") or self.post_id is None:
            return False
        names = (attributes.get("class") or "").split()
        if "type-post" not in names:
            return False
        shown = [
            found[1] for name in (attributes.get("id") or "", *names) if (found := _POST_ELEMENT.match(name))
        ]
        return bool(shown) and str(self.post_id) not in shown

    def is_within(self, href: str) -> bool:
        """True for an address of a place in this page."""
        found = self.site.parse(href, self.capture.url)
        return found is not None and found.kind is Kind.ARTICLE and not self.is_other_post(href)

    def unextractable(self, reason: str, detail: str, title: str | None = None) -> Unextractable:
        return Unextractable(reason, detail, title, self.layout.name, self.post_id, self.edition)


def _find_parts(capture: Capture, site: Site, html: bytes, tree: LexborHTMLParser) -> _Page | Unextractable:
    address = site.parse(capture.url)
    stated = metadata.read_head(capture, html, tree, site, address)
    edition = address.edition if address else None
    single = not stated.body_classes.isdisjoint(_SINGLE_CLASSES)
    if not single and "error404" in stated.body_classes:
        detail = f"status {capture.status}, a page that says 'not found'"
        return Unextractable("soft404", detail, edition=edition)
    if not single and not stated.body_classes.isdisjoint(_LISTING_CLASSES):
        return Unextractable("listing", "the page's class names it a listing", edition=edition)
    layout = choose_layout(tree, html)
    first = stated.first("post_id")
    scope = tree.css_first(f"#post-{first}") if first else None
    body = find_body(tree, layout, scope)
    if scope is not None and scope.tag != "body":
        stated.add("post_id", first, "article:id")
    elif scope is None and body is not None:
        scope = _holder(body)
        shown = _POST_ELEMENT.match(scope.attributes.get("id") or "") if scope is not None else None
        stated.add("post_id", shown[1] if shown else None, "article:id")
    heading = next(
        (found for found in find_titles(tree, layout, scope, body) if _is_own_title(found[0], scope, stated)),
        None,
    )
    return _Page(capture, site, html, tree, address, stated, single, layout, scope, body, heading)


def _is_own_title(node: LexborNode, scope: LexborNode | None, stated: metadata.Statements) -> bool:
    """True for an h1 in the article's own element, and for what the page's title confirms."""
    titles = [title for title in (stated.site_title, stated.og_title, stated.first("title")) if title]
    if not titles or _is_heading_in(node, scope):
        return True
    text = _words(inline_text(node))
    return bool(text) and any(text in _words(title) for title in titles)


def _is_heading_in(node: LexborNode, scope: LexborNode | None) -> bool:
    above: LexborNode | None = node
    is_heading = False
    while above is not None and above.tag not in ("body", "html", "-document"):
        is_heading = is_heading or above.tag == "h1"
        if scope is not None and above.mem_id == scope.mem_id:
            return is_heading
        above = above.parent
    return False


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _why_no_article(page: _Page, expected: ArticleKey | None) -> Unextractable | None:
    if page.body is None:
        return _why_no_body(page)
    wanted = expected.post_id if expected is not None else None
    if wanted is not None and page.post_id is not None and not _states(page.stated, wanted):
        return page.unextractable("mismatch", f"the page is post {page.post_id}, not {wanted}")
    is_unnamed = not page.is_single and not page.post_id and page.heading is None
    if is_unnamed and len(page.tree.css("article h2, article h3")) > 1:
        return page.unextractable("listing", "several articles and no headline of its own")
    if _is_cut(page.html, page.body):
        return page.unextractable("truncated", "the page ends inside the text")
    if asks_for_password(page.body):
        return page.unextractable("protected", "the page asks for a password", _title(page)[0] or None)
    return None


def _why_no_body(page: _Page) -> Unextractable:
    if found := refused(page.capture, page.html):
        return replace(found, edition=page.edition)
    title = inline_text(page.heading[0]) if page.heading else None
    if page.tree.css_first("form.post-password-form") is not None:
        return page.unextractable("protected", "the page asks for a password", title)
    # A block theme leaves the block out if a post has no text (measured, WordPress 6.1)
    blocks = page.tree.css_first(".wp-site-blocks h1.wp-block-post-title") is not None
    if page.post_id and page.heading and blocks and page.tree.css_first(".wp-block-post-content") is None:
        return page.unextractable("empty", "the post has no text", title)
    detail = f"no known layout reads this page (title {page.stated.site_title[:80]!r})"
    return replace(page.unextractable("layout", detail, title), layout=None)


def _read_article(page: _Page) -> Extract | Unextractable:
    body, stated, url = page.body, page.stated, page.capture.url
    assert body is not None
    title, origin = _title(page)
    found = _read_body(body, page)
    links = [(link, words) for href, words in found.links if (link := metadata.absolute(href, url))]
    links = [link for link in links if "#" not in link[0] or not page.is_within(link[0])]
    kept = boilerplate.cut(found.lines, title, page.site, links, page.is_other_post, page.is_listing)
    cut = _cut_addresses(found, kept, url)
    links = [link for link in links if link[0] not in cut]
    if _is_pruned_away(found, kept, page):
        detail = "less than half of the words are left without what looks like boxes"
        return page.unextractable("layout", detail, title or None)
    if not kept.lines:
        return page.unextractable("empty", "the post has no text", title or None)
    stated.claims.insert(0, Claim("title", title, origin))
    around = _widest(page.scope, body)
    metadata.read_beside(around, body, page.capture, page.site, stated)
    number, pages, urls = _pages(around or body, page)
    own = [(src, href) for src, href in found.images if not href or metadata.absolute(href, url) not in cut]
    images = (metadata.absolute(src, url) for src, _ in own)
    return Extract(
        title=title,
        lines=tuple(Line(line.text, line.kind, line.depth) for line in kept.lines),
        layout=page.layout.name,
        extractor=EXTRACTOR,
        page=number,
        pages=pages,
        page_urls=urls,
        post_id=page.post_id,
        edition=page.edition,
        canonical_url=stated.first("canonical_url"),
        published_at=stated.first("published_at"),
        modified_at=stated.first("modified_at"),
        day=stated.first("day"),
        author=stated.first("author") or stated.first("meta_author"),
        language=stated.first("language"),
        categories=stated.all("category") or stated.all("meta_category"),
        tags=stated.all("tag") or stated.all("meta_tag"),
        links=tuple(dict.fromkeys(links)),
        images=tuple(dict.fromkeys(image for image in images if image)),
        deck=stated.first("deck"),
        source_outlet=kept.source_outlet or stated.first("source_outlet"),
        source_url=kept.source_url or stated.first("source_url"),
        is_syndicated=kept.is_syndicated or stated.first("source_url") is not None,
        notes=tuple(kept.notes),
        claims=tuple(stated.claims),
    )


def _read_body(body: LexborNode, page: _Page) -> Body:
    """The lines of a text, without noise and without the elements of other posts."""
    others: set[int] = set()

    def is_no_text(node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> bool:
        if page.is_other_posts_element(tag, attributes):
            others.add(node.mem_id)
            return True
        return is_noise(node, tag, attributes)

    found = read_lines(body, is_no_text)
    found.skipped = [node for node in found.skipped if node.mem_id not in others]
    for line in found.lines:
        if line.linked and "#" in line.href and page.is_within(line.href):
            line.is_within = True
    return found


def _cut_addresses(found: Body, kept: boilerplate.Cut, url: str) -> set[str | None]:
    """The addresses that only lines link to which were cut; those of sources and the like are statements."""
    if len(kept.lines) == len(found.lines):
        return set()
    left = {id(line) for line in kept.lines}
    cut = [line for line in found.lines if id(line) not in left and not boilerplate.is_statement(line.text)]
    if not any(line.hrefs for line in cut):
        return set()
    standing = {href for line in found.lines if id(line) in left for href in line.hrefs}
    return {metadata.absolute(href, url) for line in cut for href in line.hrefs if href not in standing}


def _is_pruned_away(found: Body, kept: boilerplate.Cut, page: _Page) -> bool:
    """True if the prose in skipped elements that may be the article's own is more than the text that is left.

    Others' words do not count, however many: a post of one sentence stands beside boxes of hundreds of words.
    """
    if kept.lines and not found.skipped:
        return False
    left = sum(len(line.text) for line in kept.lines)
    if sum(len(node.text()) for node in found.skipped) <= left and (left or not found.lines):
        return False
    lost = 0
    for node in filter(may_be_text, found.skipped):
        inside = read_lines(node, is_noise)
        hrefs = [href for href, _ in inside.links]
        if any(line.linked for line in inside.lines) or any(map(page.is_of_others, hrefs)):
            continue
        prose = [line.text for line in inside.lines if _SENTENCE.search(line.text)]
        lost += sum(len(text) for text in prose if len(text.split()) >= _FEWEST_WORDS)
    return lost > left or (not left and bool(found.lines))


def _title(page: _Page) -> tuple[str, str]:
    """The headline and its origin. An empty heading counts: the post has no title."""
    stated = page.stated
    if page.heading is not None:
        return inline_text(page.heading[0]), page.heading[1]
    if stated.og_title:
        return stated.og_title, "meta:og:title"
    title = stated.site_title
    names = boilerplate.SITE_NAMES | ({stated.site_name.casefold()} if stated.site_name else set())
    for mark in (" • ", " – ", " — ", " | ", " - ", " &#8211; ", " » "):
        before, found, after = title.rpartition(mark)
        if found and tidy(after).casefold() in names:
            return tidy(before), "title"
    # <title> joins headline and site name; without a known name it is not known which is which
    is_known = title.casefold() not in names and not (page.is_single or page.post_id is not None)
    return title if is_known else "", "title"


def _states(stated: metadata.Statements, post_id: int) -> bool:
    """True if a strong mark of the page names the post: body class, shortlink or the article's id."""
    return any(
        claim.field == "post_id" and claim.value == str(post_id) and claim.origin != "meta:og:url"
        for claim in stated.claims
    )


def _holder(body: LexborNode) -> LexborNode | None:
    """The element around text and headline: the nearest article, `post-{id}` or main."""
    node: LexborNode | None = body
    while node is not None and node.tag not in ("body", "html", "-document"):
        if node.tag in ("article", "main") or (node.attributes.get("id") or "").startswith("post-"):
            return node
        node = node.parent
    return body.parent


def _widest(scope: LexborNode | None, body: LexborNode) -> LexborNode | None:
    """Where to look for statements about the post: its element, or the one around it if that is the text."""
    if scope is None or scope.mem_id == body.mem_id:
        return body.parent
    return scope


def _pages(around: LexborNode, shown: _Page) -> tuple[int, int, tuple[str, ...]]:
    """The number of this page of the post, the number of pages, and the addresses of the others."""
    address, post_id = shown.address, shown.post_id
    if address is None or address.kind is not Kind.ARTICLE:
        return 1, 1, ()
    page = pages = address.page
    urls = dict[str, None]()
    for box in around.css(_PAGES):
        for anchor in [box] if box.tag == "a" else box.css("a[href]"):
            target = shown.site.parse(anchor.attributes.get("href") or "", shown.capture.url)
            if target is None or target.kind is not Kind.ARTICLE or target.page == page:
                continue
            if (target.edition, target.post_id) == (address.edition, post_id):
                urls[target.url] = None
                pages = max(pages, target.page)
    return page, pages, tuple(urls)


def _is_cut(html: bytes, body: LexborNode) -> bool:
    """True if the page ends inside the text: no closing tag of the page, and nothing after the text."""
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
    if not _CLOSED.search(html[-200:]):
        return True
    # A theme that leaves out the end of the page still closes what it opened
    return any(len(opened.findall(html)) > len(closed.findall(html)) for opened, closed in _BALANCED)
