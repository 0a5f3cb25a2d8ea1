"""The Datasette plugin: descriptions, facets, search and reading pages. For Datasette 0.65 and the 1.0
alphas.

It is loaded into every Datasette of its environment; each hook keeps to databases that are archives
(`archive.browse.archives`).
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit
from weakref import WeakKeyDictionary

from datasette import hookimpl, hookspecs
from datasette.filters import FilterArguments
from markupsafe import Markup, escape

from archive.browse import (
    archives,
    article,
    changes,
    citation,
    comparison,
    context,
    evidence,
    feeds,
    front,
    guard,
    health,
    memento,
    published,
    search,
    series,
)
from archive.browse.language import ENGLISH, LANGUAGES
from archive.browse.queries import QUERIES
from archive.store.descriptions import ABOUT, TABLES, TITLE
from archive.store.schema import read_script

_LISTS = frozenset(("classes", "categories", "tags"))  # JSON arrays of words: shown as words
_ARTICLE_COLUMNS = frozenset(("article_id", "moved_to", "target_id", "tail_article_id"))
_STATIC = r"pages\.css|tables\.css|keys\.js"
_VIEWS = frozenset(re.findall(r"^create view (\w+)", read_script(), re.MULTILINE))
_LONGEST = 500  # characters of a text in a table: a year's post has 100,000
_LABEL_LENGTH = 60  # characters of an address that fit a column
# Datasette -> names of the databases that were looked at
_met: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def _fold(text: str | None) -> str | None:
    from archive.sites.sohr.hidden_words import HIDDEN
    from archive.text.fold import fold  # only when somebody searches: Datasette starts without it

    return None if text is None or len(str(text)) > guard.MOST_FOLDED else fold(str(text), HIDDEN)


@hookimpl
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Any) -> None:
    """Give SQL the function ``fold(text)``: text as the search knows it, NULL for one that is too long. Bound
    what SQL may do."""
    if archives.note(datasette, database, conn) is not None:
        guard.bound(conn)
        conn.create_function("fold", 1, _fold, deterministic=True)


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    """The policy of Datasette's own pages allows the scripts of their templates."""
    env.add_extension(guard.Nonces)


@hookimpl
def startup(datasette: Any) -> Callable[[], Awaitable[None]]:
    """Find the archives; where Datasette keeps descriptions and queries in tables of its own (1.0), fill
    them."""

    return lambda: _meet(datasette)


async def _meet(datasette: Any) -> None:
    """Look at the databases that were not there before: others may be added while Datasette runs."""
    met = _met.setdefault(datasette, set())
    if met.issuperset(datasette.databases):
        return
    for database, site in (await archives.find(datasette)).items():
        if database not in met and hasattr(datasette, "set_resource_metadata"):
            await _describe(datasette, database, site)
    met |= set(datasette.databases)


@hookimpl(trylast=True)
def filters_from_request(request: Any, database: str, table: str, datasette: Any) -> FilterArguments | None:
    """Fold what a reader searches a table for, since the index is folded. Last, so that it takes the place of
    Datasette's own parameters.

    An empty search box is no search: the form sends it along with any other filter, and FTS5 refuses it.
    Datasette's own hook reads the request after all hooks have been called, so that it is taken out of the
    request here.
    """
    if not archives.is_archive(datasette, database) or table not in TABLES or not TABLES[table].is_searched:
        return None
    if "_search" in request.args and not request.args["_search"].strip():
        kept = [
            (key, value)
            for key, value in parse_qsl(request.query_string, keep_blank_values=True)
            if key != "_search"
        ]
        request.scope = request.scope | {"query_string": urlencode(kept).encode("ascii")}
    # The reader writes FTS5's own language: folding would take its operators
    if request.args.get("_searchmode") == "raw":
        return None
    asked = {
        key: request.args[key] for key in request.args if key.startswith("_search") and key != "_searchmode"
    }
    if "_search" in asked:
        return FilterArguments([], params={"search": _fold(asked["_search"])})
    return FilterArguments(
        [], params={f"search_{place}": _fold(text) for place, text in enumerate(asked.values())}
    )


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> str | None:
    """Post ids lead to the reading page; lists of words are words; articles are named by their path; a long
    text is cut."""
    if not archives.is_archive(datasette, database):
        return None
    if column == "post_id" and isinstance(value, int):
        edition = _of(row, "edition")
        if edition in ("en", "ar"):
            return Markup('<a href="{}">{}</a>').format(
                context.article_path(datasette, database, str(edition), value), value
            )
    if column in _LISTS and isinstance(value, str) and value.startswith("["):
        try:
            words = json.loads(value)
        except ValueError:
            return None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return escape(", ".join(words)) or Markup("&nbsp;")
    if isinstance(value, str) and len(value) > _LONGEST:
        return _cut(row, value, table, database, datasette)
    if column in _ARTICLE_COLUMNS and isinstance(value, dict):
        return Markup('<a href="{}/{}">{}</a>').format(
            datasette.urls.table(database, "articles"), int(value["value"]), _path(str(value["label"]))
        )
    return None


def _cut(row: Any, value: str, table: str | None, database: str, datasette: Any) -> Markup:
    """The beginning of a long text, with a link to all of it: the reading page, or the row as JSON."""
    edition, post_id, address = _of(row, "edition"), _of(row, "post_id"), ""
    if edition in ("en", "ar") and isinstance(post_id, int):
        address = context.article_path(datasette, database, str(edition), post_id)
    elif table in TABLES and table not in _VIEWS:
        key = row[next(iter(TABLES[table].columns))]
        address = f"{datasette.urls.table(database, table)}/{key}.json?_shape=objects"
    rest = f"{len(value):,} characters"
    link = Markup('<a href="{}">all {}</a>').format(address, rest) if address else rest
    return Markup("{}… {}").format(value[:_LONGEST], link)


def _of(row: Any, column: str) -> object:
    try:
        return row[column]
    except (KeyError, IndexError):
        return None


def _path(url: str) -> str:
    """An address for people: its path, decoded and not too long."""
    try:
        path = unquote(urlsplit(url).path).strip("/") or url
    except ValueError:  # no address at all
        path = url
    return (
        path if len(path) <= _LABEL_LENGTH else path[: _LABEL_LENGTH // 2] + "…" + path[-_LABEL_LENGTH // 2 :]
    )


@hookimpl
def extra_css_urls(database: str | None, datasette: Any) -> list[str]:
    """Long text in tables is cut to a few lines; each cell runs in the direction of its script."""
    is_ours = archives.is_archive(datasette, database) if database else archives.hold_all(datasette)
    return [datasette.urls.path("/-/sohr/tables.css")] if is_ours else []


@hookimpl
def extra_template_vars(template: str, database: str | None, datasette: Any) -> dict[str, Any]:
    """What the page of a database says of its views and tables."""
    if template.rpartition("/")[2] != "database.html" or not archives.is_archive(datasette, database):
        return {}
    shown: dict[bool, list[dict[str, str]]] = {True: [], False: []}
    for name, table in TABLES.items():
        if not table.is_hidden:
            row = {"name": name, "title": table.title, "description": table.description.replace("`", "")}
            row["address"] = datasette.urls.table(database, name)
            shown[name in _VIEWS].append(row)
    return {"sohr_tables": [("What people use", shown[True]), ("Raw tables", shown[False])]}


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """The way to the reading pages."""
    return (
        [{"href": datasette.urls.path("/-/sohr/"), "label": "Read the archive"}]
        if archives.archives(datasette)
        else []
    )


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[..., Any]:
    """Describe databases that were added meanwhile, lead ``/`` to the reading pages, guard all answers."""

    def wrap(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        guarded = guard.guarded(app, datasette)

        async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await _meet(datasette)
                scope = _right_door(datasette, scope)
            await guarded(scope, receive, send)

        return answer

    return wrap


def _right_door(datasette: Any, scope: dict[str, Any]) -> dict[str, Any]:
    """Where an archive is the only database, ``/`` is its front page, and Datasette's own home moves to
    ``/-/sohr/datasette``."""
    base = datasette.setting("base_url")
    doors = {base + "-/sohr/datasette": base}
    if archives.hold_all(datasette):
        doors[base] = base + "-/sohr/"
    if len(archives.archives(datasette)) != 1 or (path := doors.get(scope["path"])) is None:
        return scope
    return scope | {"path": path, "raw_path": path.encode("ascii")}


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    """The reading pages."""
    named = "|".join(code for code in LANGUAGES if code != ENGLISH.code)
    base = rf"^/-/sohr/(?:(?P<language>{named})/)?"
    post = base + r"(?P<edition>en|ar)/(?P<post_id>[0-9]{1,18})"
    capture = base + r"capture/(?P<serial>[0-9]{1,12})/(?P<offset>[0-9]{1,18})"
    pages = [
        (r"^/-/sohr/?$", front.door),
        (rf"^/-/sohr/(?P<language>{'|'.join(LANGUAGES)})/?$", front.page),
        (base + r"search$", search.page),
        (base + r"search\.(?P<form>csv|jsonl|atom)$", feeds.search),
        (base + r"changes$", changes.page),
        (base + r"changes\.jsonl$", feeds.change_lines),
        (base + r"changes\.csv$", feeds.change_table),
        (base + r"changes\.atom$", feeds.changes),
        (base + r"new\.atom$", feeds.new),
        (base + r"missing$", changes.gone),
        (base + r"missing\.(?P<form>csv|jsonl|atom)$", feeds.missing),
        (base + r"series$", series.page),
        (base + r"series/(?P<name>[0-9a-f]{16})$", series.points),
        (base + r"crawls$", health.crawls),
        (base + r"coverage$", health.coverage),
        *(
            route
            for one in (post, base + "page")  # a post of the site; a page of another one, named by ?url=
            for route in (
                (one + r"/?$", article.page),
                (one + r"/cite\.(?P<form>txt|bib|json|wacz)$", citation.answer),
                (one + r"/diff/?$", article.go),
                (one + r"/diff/(?P<one>[0-9]{1,9})/(?P<other>[0-9]{1,9})$", comparison.page),
            )
        ),
        (capture + r"$", evidence.page),
        (capture + r"/page$", evidence.shown),
        (base + r"timemap/link/.+$", memento.timemap),
        (base + rf"(?!{_STATIC}$)", context.nothing),
    ]
    return [
        *((path, context.with_navigation(page)) for path, page in pages),
        (rf"^/-/sohr/(?P<name>{_STATIC})$", context.style),
        (r"^/robots\.txt$", published.robots),
    ]


def _head(datasette: Any, site: str) -> dict[str, str]:
    link = f'<a href="{escape(datasette.urls.path("/-/sohr/"))}">Read the archive</a>'
    return {
        "title": TITLE,
        "description_html": f"{escape(ABOUT)} {link}.",
        "source": site,
        "source_url": site,
    }


def _own(users: Any, listing: dict[str, Any]) -> dict[str, Any]:
    """How we list a table, less what its owner has set: Datasette refuses `sort` beside `sort_desc`."""
    if isinstance(users, dict) and ("sort" in users or "sort_desc" in users):
        listing.pop("sort_desc", None)
    return listing


def _users(datasette: Any, database: str) -> dict[str, Any]:
    """What the owner of this Datasette wrote about a database in metadata.yaml."""
    found = ((getattr(datasette, "_metadata_local", None) or {}).get("databases") or {}).get(database)
    return found if isinstance(found, dict) else {}


if hasattr(hookspecs, "get_metadata"):  # 0.65

    @hookimpl
    def get_metadata(datasette: Any) -> dict[str, Any]:
        """Titles, descriptions and listings. Datasette asks many times a page and writes into what it gets:
        fresh dicts, quickly."""
        found = {}
        for database, site in archives.archives(datasette).items():
            users = _users(datasette, database).get("tables") or {}
            found[database] = _head(datasette, site) | {
                "tables": {
                    name: {
                        "title": table.title,
                        "description": table.description,
                        "columns": dict(table.columns),
                    }
                    | _own(
                        users.get(name), table.listing(has_facets=not archives.is_large(datasette, database))
                    )
                    for name, table in TABLES.items()
                }
            }
        return {"databases": found} if found else {}


if hasattr(hookspecs, "canned_queries"):  # 0.65

    @hookimpl
    def canned_queries(datasette: Any, database: str) -> dict[str, dict[str, Any]]:
        """The stored queries."""
        if not archives.is_archive(datasette, database):
            return {}
        users = _users(datasette, database).get("queries") or {}
        return {
            query.name: {
                "sql": query.sql,
                "title": query.title,
                "description": query.description,
                "params": list(query.parameters),
                "hide_sql": True,
            }
            for query in QUERIES
            if query.name not in users
        }


async def _describe(datasette: Any, database: str, site: str) -> None:
    """1.0: descriptions and queries are rows of Datasette's internal database, listings a part of its
    configuration. The owner's words stand."""
    users = _users(datasette, database)
    for key, value in _head(datasette, site).items():
        if key not in users:
            await datasette.set_database_metadata(database, key, value)
    datasette.config = datasette.config or {}
    configured = datasette.config.setdefault("databases", {}).setdefault(database, {})
    for name, table in TABLES.items():
        await _describe_table(datasette, database, name, (users.get("tables") or {}).get(name) or {})
        listing = configured.setdefault("tables", {}).setdefault(name, {})
        ours = table.listing(has_facets=not archives.is_large(datasette, database))
        for key, value in _own(listing, ours).items():
            listing.setdefault(key, value)
    for query in QUERIES:
        if query.name not in (configured.get("queries") or {}):
            await datasette.add_query(
                database,
                query.name,
                query.sql,
                source="sohr-archive",
                title=query.title,
                description=query.description,
                parameters=query.parameters,
                hide_sql=True,
            )


async def _describe_table(datasette: Any, database: str, name: str, owners: dict[str, Any]) -> None:
    for key in ("title", "description"):
        if key not in owners:
            await datasette.set_resource_metadata(database, name, key, getattr(TABLES[name], key))
    for column, text in TABLES[name].columns.items():
        if column not in (owners.get("columns") or {}):
            await datasette.set_column_metadata(database, name, column, "description", text)
