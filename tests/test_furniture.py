"""Lines that differ between two requests of a page are furniture; an edit that looks alike is an edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from archive.extract.furniture import find_furniture, is_suspicious, said, without_furniture
from archive.model import Extract, Line
from tests.archiving import check_rebuild, well
from tests.bytewise import Site, http, post_page
from tests.crawling import crawl, rows

FIRST = "SOHR activists documented that {} civilians were killed near the old bridge."
LAST = "The road to the town was closed again in the evening."
BOXES = {
    # an advertiser's headline, with a picture and a sentence
    101: '<div class="x{0:06x}"><a href="https://ads.example/{0}"><img src="https://ads.example/{0}.jpg">'
    "Offer {0}</a></div><p>Buy it before the number {0} runs out.</p>",
    102: '<div class="y{0:06x}"><b>{0}</b></div>',
    103: '<div class="v{0:06x}">Votes so far: {0}</div>',
    104: "",
    105: '<div class="z{0:06x}">Seen {0} times</div>',
}
TOLL = {104: "Homs province: {} people", 105: "Homs province: {} people"}


def serve(site: Site, post_id: int, toll: int, made: Iterator[int], *, without_box: bool = False) -> None:
    """Let a post show its toll and its box, made anew for each request."""

    def answer(_: bytes) -> bytes:
        lines = (FIRST.format(7), f"</p>{'' if without_box else BOXES[post_id].format(next(made))}<p>")
        toll_line = (TOLL[post_id].format(toll),) if post_id in TOLL else ()
        page = post_page(site.post_url(post_id), post_id, f"Post {post_id}", (*lines, *toll_line, LAST))
        return http(page)

    site.answers[site.path_of(post_id)] = answer


def test_a_box_that_changes_with_each_request_is_no_edit(tmp_path: Path) -> None:
    """Random classes, headlines, counts: no version, no change; true edits beside them are versions."""
    folder, made = tmp_path / "a", count(1000)
    with Site() as site:
        site.list_posts(*BOXES)
        for post_id in BOXES:
            serve(site, post_id, 12, made)
        assert crawl(site.url, folder, "edition=en", RETRY_TIMES=0).status == 0
        serve(site, 104, 13, made)
        serve(site, 105, 13, made)
        site.asked.clear()
        done = crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK="+1h", RETRY_TIMES=0)
        assert done.status == 0, done.stderr[-2000:]
        asked = Counter(path for path in site.asked if path in map(site.path_of, BOXES))
        assert asked == {site.path_of(post_id): 3 if post_id == 104 else 2 for post_id in BOXES}
        assert sorted(item["post_id"] for item in done.new) == [104, 105]
        serve(site, 102, 12, made, without_box=True)
        assert (
            crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK="+9h", RETRY_TIMES=0).status == 0
        )
    sql = """select post_id, kind, figures from changes join articles using (article_id)
             where kind != 'created' order by post_id"""
    found = rows(folder, sql)
    assert [(post_id, kind) for post_id, kind, _ in found] == [
        (102, "updated"),
        (104, "updated"),
        (105, "updated"),
    ]
    assert all('"before": "12"' in figures and '"after": "13"' in figures for *_, figures in found[1:])
    [(text,)] = rows(
        folder,
        "select text from versions join articles using (article_id) where post_id = 105 and number = 2",
    )
    assert text.split("\n") == [FIRST.format(7), TOLL[105].format(13), LAST]
    shown = well(folder, "status").decode()
    assert "boxes that change with each request" in shown
    assert "short texts that only the layout general supports" in shown  # no feed lists these posts
    check_rebuild(folder)


def test_a_box_that_by_chance_shows_the_same_twice_is_no_edit(tmp_path: Path) -> None:
    """A third request tells it from an edit, which says the same all three times."""
    folder, posts = tmp_path / "a", (101, 102, 103)
    with Site() as site:
        site.list_posts(*posts)
        for post_id in posts:
            serve(site, post_id, 12, iter((1, 2, 2, 3)))
        assert crawl(site.url, folder, "edition=en", RETRY_TIMES=0).status == 0
        site.asked.clear()
        done = crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK="+1h", RETRY_TIMES=0)
    assert done.status == 0, done.stderr[-2000:]
    asked = Counter(path for path in site.asked if path in map(site.path_of, BOXES))
    assert asked == dict.fromkeys(map(site.path_of, posts), 3)
    assert rows(folder, "select kind from changes where kind != 'created'") == []
    check_rebuild(folder)


def extract(*lines: str, links: tuple[tuple[str, str], ...] = ()) -> Extract:
    """What a page says."""
    return Extract("T", tuple(map(Line, lines)), "general", "1", links=links)


def text_of(*lines: str) -> str:
    return "\n".join(lines)


def test_what_is_suspicious() -> None:
    """A line with a link, a number alone, a label and a number; not a sentence, whatever number it has."""
    plain = said(text_of(FIRST.format(7), LAST), ())
    for line in ("1,204", "Views: 12", "مشاهدات ٣٤", "3 min read"):
        assert is_suspicious(plain, said(text_of(FIRST.format(7), line, LAST), ())), line
    assert is_suspicious(
        plain, said(text_of(plain.lines[0], "Read Offer 3"), [("https://a.example", "Offer 3")])
    )
    assert not is_suspicious(plain, said(text_of(FIRST.format(9), LAST), ()))


def test_an_edit_between_two_requests_is_no_furniture() -> None:
    """A sentence that the version before had too, and another sentence, stay."""
    before = said(text_of(FIRST.format(7), "Views: 3", LAST), ())
    one = extract(FIRST.format(7), "Views: 4", LAST)
    assert find_furniture(before, one, extract(FIRST.format(9), "Views: 4", LAST)) is None
    pair = find_furniture(before, one, extract(FIRST.format(9), "Views: 5", LAST))
    assert pair is None
    pair = find_furniture(before, one, extract(FIRST.format(7), "Views: 5", LAST))
    assert pair is not None and pair[1].lines == ("Views: 5",) and pair[1].before == ("Views: 3",)
    assert without_furniture(one, pair[0]).text == text_of(FIRST.format(7), LAST)


def test_a_toll_whose_place_a_box_takes_is_not_lost() -> None:
    """A line with another label than the box has is text."""
    before = said(text_of(FIRST.format(7), "Killed: 3", LAST), ())
    pair = find_furniture(
        before, extract(FIRST.format(7), "Views: 4", LAST), extract(FIRST.format(7), "Views: 5", LAST)
    )
    assert pair is not None and pair[1].before == ()


def paged(site: Site, post_id: int, pages: list[str]) -> list[bytes]:
    """The answers of a post in several pages."""
    url = site.post_url(post_id)
    links = "".join(
        f'<a class="post-page-numbers" href="{url}{n}/">{n}</a>' for n in range(2, len(pages) + 1)
    )
    lines = [(text, f'</p><div class="page-links">{links}</div><p>') for text in pages]
    return [http(post_page(url, post_id, "A long list", pair)) for pair in lines]


def test_an_edit_between_two_pages_of_a_post_is_no_version(tmp_path: Path) -> None:
    """The first page is asked for once more; if it says something else, all pages are read again."""
    folder = tmp_path / "a"
    old = [FIRST.format(7), "The second page counts 7 people by name."]
    new = [FIRST.format(8), "The second page counts 8 people by name."]
    with Site() as site:
        site.list_posts(101, 102)
        pages = {post_id: (paged(site, post_id, old), paged(site, post_id, new)) for post_id in (101, 102)}
        for post_id, (before, _) in pages.items():
            site.answers |= {f"/en/{post_id}/": before[0], f"/en/{post_id}/2/": before[1]}
        assert crawl(site.url, folder, "edition=en", RETRY_TIMES=0).status == 0
        before, after = pages[101]

        def edited_in_between(_: bytes) -> bytes:
            site.answers |= {"/en/101/": after[0], "/en/101/2/": after[1]}
            return after[1]

        site.answers["/en/101/2/"] = edited_in_between
        site.answers |= {"/en/102/": pages[102][1][0], "/en/102/2/": pages[102][1][1]}
        site.asked.clear()
        done = crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK="+1h", RETRY_TIMES=0)
        assert done.status == 0, done.stderr[-2000:]
    assert site.asked.count("/en/101/") == 3 and site.asked.count("/en/102/") == 2
    sql = "select post_id, text from versions join articles using (article_id) order by post_id, number"
    assert rows(folder, sql) == [(n, text_of(*text)) for n in (101, 102) for text in (old, new)]
    check_rebuild(folder)
