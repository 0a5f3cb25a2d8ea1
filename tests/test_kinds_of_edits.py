"""What happens to posts, told by the crawl that sees it: each kind of edit by its name, and a theme that
changes under all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.archiving import sohr, well
from tests.crawling import archived, changes, crawl, rows, states, versions
from tests.replica.server import ROOT, Replica

TEXT = (
    "Two men were injured near the bridge.",
    "In the attack 3 civilians were killed. Shops stayed closed.",
    "The road is open again.",
)
ALIEN = '    Layout("alien", body=(".zq-4",), title=(".zq-2",), marks=(frozenset(("zq-1",)),)),\n'


def put(site: Replica, name: str, lines: tuple[str, ...] = TEXT) -> int:
    """A post of its own."""
    html = "".join(f"<p>{line}</p>" for line in lines)
    post_id = site.call(
        "put", edition="en", title=f"Attack on the market of {name}", html=html, lines=list(lines)
    )
    assert isinstance(post_id, int)
    return post_id


def told(folder: Path, post_id: int) -> list[tuple[list[str], int]]:
    """Classes and severity of each update of a post."""
    sql = (
        "select classes, severity from changes join articles using (article_id) where post_id = ? and "
        "kind = 'updated' order by seq"
    )
    return [(json.loads(classes), severity) for classes, severity in rows(folder, sql, post_id)]


def test_each_edit_by_its_name(tmp_path: Path) -> None:
    """3 -> 31 is the most severe. A title, a broken-up word and a lost sentence have their own classes. White
    space and counters make no version."""
    folder = tmp_path / "a"
    with Replica(posts=12) as site:
        names = ("digit", "title", "obfuscation", "removed", "whitespace", "counter")
        posts = {name: put(site, name, tuple(f"{line} Told by {name}." for line in TEXT)) for name in names}
        lines = {name: [f"{line} Told by {name}." for line in TEXT] for name in names}
        assert crawl(site, folder, "edition=en").status == 0
        count = versions(folder)
        site.rewrite(
            posts["digit"],
            lines["digit"][0],
            lines["digit"][1].replace("3 civilians", "31 civilians"),
            lines["digit"][2],
        )
        site.call("edit", edition="en", post_id=posts["title"], title="Raid on the market of title")
        site.call(
            "edit", edition="en", post_id=posts["obfuscation"], title="At*tack on the market of obfuscation"
        )
        site.rewrite(
            posts["removed"],
            lines["removed"][0],
            lines["removed"][1].replace(" Shops stayed closed.", ""),
            lines["removed"][2],
        )
        site.call("edit", edition="en", post_id=posts["whitespace"], whitespace=True)
        # Counters, nonces and the like differ with each answer
        assert crawl(site, folder, "edition=en", "look=all").status == 0
    found = {name: told(folder, post_id) for name, post_id in posts.items()}
    assert found["digit"] == [(["figures"], 3)]
    assert [classes for classes, _ in found["title"]] == [["title"]]
    assert [set(classes) - {"title"} for classes, _ in found["obfuscation"]] == [{"obfuscation"}]
    assert [classes for classes, _ in found["removed"]] == [["text_removed"]]
    assert found["whitespace"] == found["counter"] == []
    assert versions(folder) == count + 4
    [(figures,)] = rows(
        folder,
        "select figures from changes join articles using (article_id) where post_id = ? and kind = 'updated'",
        posts["digit"],
    )
    assert [(one["before"], one["after"]) for one in json.loads(figures)] == [("3", "31")]


def test_a_theme_that_changes_in_mid_life(tmp_path: Path) -> None:
    """65 and not one false version. Once the layout is added, the evidence is read again, without the site;
    an edit waits for a word."""
    folder = tmp_path / "a"
    tree = tmp_path / "mended"
    shutil.copytree(ROOT / "archive", tree / "archive", ignore=shutil.ignore_patterns("__pycache__"))
    layouts = tree / "archive" / "sites" / "sohr" / "layouts.py"
    source = layouts.read_text(encoding="utf-8")
    assert source.count('    Layout(\n        "foxiz"') == 1
    source = source.replace('    Layout(\n        "foxiz"', ALIEN + '    Layout(\n        "foxiz"')
    layouts.write_text(source.replace('_TEXTS = "', '_TEXTS = ".zq-4, '), encoding="utf-8")
    with Replica(posts=12) as site:
        post_id = put(site, "swap")
        plain = [
            post.post_id for post in site.posts("en") if not post.odd and len(post.pages) == 1 and post.lines
        ]
        assert crawl(site, folder, "edition=en").status == 0
        before, known, count = archived(folder), states(folder), versions(folder)
        site.rewrite(post_id, TEXT[0], TEXT[1].replace("3 civilians", "31 civilians"), TEXT[2])
        site.call("set", layout="alien", ads=False, rest=False, feed=False, sitemap=False)
        done = crawl(site, folder, "edition=en", "look=all")
        assert done.status == 65 and "could not be read" in done.stderr
    assert archived(folder) == before and states(folder) == known and versions(folder) == count
    [(unread,)] = rows(folder, "select count(*) from captures where outcome = 'layout'")
    assert unread >= len(plain)
    well(folder, "rebuild", "--extract", source=tree)
    assert versions(folder) == count and archived(folder) == before
    [(waiting,)] = rows(
        folder,
        "select count(*) from captures where outcome = 'quarantined' and article_id in (select article_id "
        "from articles where post_id = ?)",
        post_id,
    )
    assert waiting == 1
    [(mended,)] = rows(folder, "select count(*) from captures where outcome = 'unchanged'")
    assert mended >= len(plain) - 1
    well(folder, "layouts", "--confirm", "alien", source=tree)
    assert changes(folder, "en", post_id) == ["created", "updated"] and told(folder, post_id) == [
        (["figures"], 3)
    ]
    assert sohr(folder, "verify").status == 0
