"""What the redirect of a post proves: little, unless the address by id agrees. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import SplitResult, quote, urldefrag, urljoin, urlsplit

from archive.model import Address, Capture, Kind
from archive.sites.sohr.addresses import Site

REDIRECTS = (301, 302, 303, 307, 308)
PERMANENT = (301, 308)
NO_ARTICLE = "leads to a page that is no article"
# Pages that stand in front of a site: all its posts may lead there for an hour
_WALL = re.compile(
    r"log-?in|sign-?in|consent|cookie|gdpr|privacy|maintenance|coming-?soon|suspend|captcha|challenge|verify|blocked",
    re.IGNORECASE,
)
# Pages that sites show for what they do not have, also where they lead there for the moment
_NOT_FOUND = re.compile(r"(?:^|/)(?:error-?)?404(?:\b|$)|not-?found", re.IGNORECASE)


class Proof(StrEnum):
    """What a redirect proves of the post that was asked for."""

    SAME = "same"  # another address of the same post, or one that does not say: follow it
    UNSURE = "unsure"  # WordPress guesses by the slug: ask the address by id
    MOVED = "moved"  # the address by id leads to another post for good
    MISSING = "missing"  # to the home page, a category, a search, a page for what is not found: as a 404
    DETOUR = "detour"  # trouble of the site: nothing changes


def read_location(capture: Capture) -> str:
    """The absolute address that a redirect leads to, read as browsers do; "" if it names none.

    Raw UTF-8 is taken as such, white space around it and line ends in it are dropped, spaces are encoded, and
    the fragment is cut.
    """
    text = (capture.header("location") or "").strip()
    try:
        text = text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass  # Latin-1, or characters already
    text = re.sub(r"[\t\r\n]", "", text)
    try:
        return urldefrag(urljoin(capture.url, quote(text, safe="!#$%&'()*+,/:;=?@[]~")))[0] if text else ""
    except ValueError:
        return ""


def asked_on_the_way(capture: Capture) -> set[str | None]:
    """The addresses that were asked for one post up to an answer."""
    return {capture.url, capture.requested_url, capture.via}


def is_downgrade(capture: Capture, to: str) -> bool:
    """Whether a redirect leads from https to http."""
    return capture.url.startswith("https:") and to.startswith("http:")


def describe_circle(capture: Capture, to: str) -> str:
    """Why a redirect to the same page is not followed."""
    if is_downgrade(capture, to):
        return f"leads from https to http, where anybody can answer, so it is not followed: {to[:200]}"
    return f"leads in a circle, to {to[:200]}"


def judge_redirect(capture: Capture, address: Address, to: str, site: Site) -> tuple[Proof, str]:
    """What the answer of a post's address proves, and a sentence. ``to`` is what `read_location` says."""
    target = site.parse(to)
    if not to or to == urldefrag(capture.url)[0]:
        return Proof.DETOUR, "leads to itself" if to else "leads nowhere"
    if target is None:
        return Proof.DETOUR, f"leads off the site, to {to[:200]}"
    is_permanent = capture.status in PERMANENT
    is_by_id = any(_is_by_id(url, site) for url in (capture.url, capture.via) if url)
    if target.kind in (Kind.ARTICLE, Kind.SLUG):
        if target.key is None or address.key in (None, target.key):
            return Proof.SAME, ""
        if not is_permanent:
            return Proof.DETOUR, f"leads to {target.key} for the moment (status {capture.status})"
        return (Proof.MOVED if is_by_id else Proof.UNSURE), f"leads to {target.key}"
    if _is_dead_end(target, urlsplit(to)):
        return Proof.MISSING, f"{NO_ARTICLE}, {to[:200]}"
    # The post in another shape, which nobody reads (/en/1/amp/), or a page in front of all
    is_named = str(address.post_id) in urlsplit(to).path.split("/")
    is_wall = _WALL.search(urlsplit(to)._replace(scheme="", netloc="").geturl()) is not None
    if target.kind is Kind.OTHER and is_permanent and not is_wall and not is_named:
        return (Proof.SAME if is_by_id else Proof.UNSURE), f"leads to {to[:200]}"
    return Proof.DETOUR, f"leads to {to[:200]}"


def _is_dead_end(target: Address, parts: SplitResult) -> bool:
    """Whether a page that is no article is what the site shows in place of what it does not have."""
    if target.kind is not Kind.OTHER:
        return target.kind is Kind.LISTING
    is_search = re.search(r"(?:^|&)s=", parts.query) is not None
    return is_search or (_NOT_FOUND.search(parts.path) is not None and not _WALL.search(parts.path))


def _is_by_id(url: str, site: Site) -> bool:
    address = site.parse(url)
    is_post = address is not None and address.kind is Kind.ARTICLE
    return is_post and re.search(r"(?:^|&)p=[0-9]", urlsplit(url).query) is not None
