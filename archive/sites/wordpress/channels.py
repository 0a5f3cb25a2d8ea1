"""The channels: each way in which the site lists posts, what is asked of it and who reads the answer.

To add a channel, write its parser and put a `Channel` into `CHANNELS`. With ``is_news`` it is asked in each
run, page after page while all of a page is new (`crawler.walk.news`); its answers become sightings
(`archive.ingest.channels`), and reports name it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archive.model import Address, Edition, Listing
from archive.sites.wordpress import feeds, rest, sitemaps
from archive.sites.wordpress.listings import parse_listing
from archive.sites.wordpress.site import WordPressSite as Site


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to ask a channel. A channel with several has one value for each, the most telling first."""

    name: str  # as captures, sightings and reports name it
    scope: str  # this way to ask it
    page_url: Callable[[Site, Edition, int], str]  # the address of a page, from 1
    find_page: Callable[[Address, Site], int | None]  # the page that an address names; None: another address
    parse: Callable[[str, Address, Site, int], Listing | None]  # None: the text is something else
    is_useful: Callable[[Listing], bool] = lambda listing: True  # False: the site ignores what is asked of it
    is_news: bool = False  # asked in each run for what is new or edited
    is_optional: bool = False  # many sites close it to strangers: that is no failure of the crawl
    is_conditional: bool = False  # asked with If-Modified-Since: a 304 says that the list is the same
    states_dates: bool = False  # its modified time is the post's own, not a plugin's


def _find_listing(name: str) -> Callable[[Address, Site], int | None]:
    return lambda address, site: address.page if address.scope.split("/")[0] == name else None


def _find_feed(form: feeds.Form) -> Callable[[Address, Site], int | None]:
    def find(address: Address, site: Site) -> int | None:
        found = feeds.form_of(address, site)
        return found[1] if found and found[0] == form else None

    return find


def _find_walk(address: Address, site: Site) -> int | None:
    asked = rest.asking(address, site)
    return asked.page if asked and asked.question == "walk" else None


def _parse_walk(text: str, address: Address, site: Site, page: int) -> Listing | None:
    posts = rest.parse_posts(text, address, site, rest.Asking("walk", page), None, None)
    return posts.listing if posts else None


CHANNELS: tuple[Channel, ...] = (
    *(
        Channel(
            name,
            name,
            page_url=lambda site, edition, page, scope=name: site.listing_url(edition, scope, page),  # type: ignore[misc]
            find_page=_find_listing(name),
            parse=lambda text, address, site, page: parse_listing(text, address, site),
            is_optional=name == "category",
        )
        for name in ("home", "date", "category")
    ),
    *(
        Channel(
            "feed",
            form,
            page_url=lambda site, edition, page, form=form: site.feed_url(edition, form, page),  # type: ignore[misc]
            find_page=_find_feed(form),
            parse=feeds.parse_feed,
            is_useful=feeds.in_order_of_edits if form == "atom-modified" else lambda listing: True,
            is_news=True,
            is_optional=True,
            is_conditional=True,
            states_dates=True,
        )
        for form in feeds.FORMS
    ),
    # REST answers questions too: edits, looks, ids (`archive.sites.wordpress.rest`)
    Channel("rest", "walk", rest.walk_url, _find_walk, _parse_walk, is_optional=True, states_dates=True),
    Channel(
        "sitemap",
        sitemaps.INDEX,
        page_url=lambda site, edition, page: site.edition_home(edition) + sitemaps.INDEX,
        find_page=lambda address, site: 1 if address.url.endswith(sitemaps.INDEX) else None,
        parse=lambda text, address, site, page: sitemaps.parse_sitemap(text, address, site),
        is_conditional=True,
    ),
)


def news_channels() -> tuple[Channel, ...]:
    """The channels to ask in each run."""
    return tuple(channel for channel in CHANNELS if channel.is_news)


def find_channel(address: Address, site: Site) -> tuple[Channel, int] | None:
    """The news channel that an address belongs to, and which page of it."""
    pages = ((channel, channel.find_page(address, site)) for channel in news_channels())
    return next(((channel, page) for channel, page in pages if page), None)


def is_optional(name: str) -> bool:
    """Whether a site may close this channel without that being a failure of the crawl."""
    return any(channel.is_optional for channel in CHANNELS if channel.name == name)


def is_conditional(name: str) -> bool:
    """Whether this channel is asked only for what changed."""
    return any(channel.is_conditional for channel in CHANNELS if channel.name == name)


def dated_channels() -> tuple[str, ...]:
    """The names of the channels whose modified time is the post's own."""
    return tuple(dict.fromkeys(channel.name for channel in CHANNELS if channel.states_dates))
