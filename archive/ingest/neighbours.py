"""Whoever corrects one post often corrects those beside it: when a text was edited, its neighbours are due.

No chain follows: an edit that was found because of another one promotes nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from archive.store.row_types import ArticleRow
from archive.store.rows import Store

EITHER_SIDE = 3  # by post id, which is nearly the order of publication
# A title alone, or marks inside words, say nothing of others
OF_THE_TEXT = frozenset({"figures", "text_added", "text_removed", "rewording"})


def promote(store: Store, article: ArticleRow, classes: Sequence[str], at: str) -> None:
    """Make the neighbours of an article due, whose look found an edit of these classes."""
    sql = "select 1 from promotions where article_id = ?"
    was_promoted = store.one(sql, article["article_id"]) is not None
    if was_promoted or article["edition"] is None or OF_THE_TEXT.isdisjoint(classes):
        return
    for order, sign in (("desc", "<"), ("asc", ">")):
        rows = store.query(
            f"""select article_id, next_look_at from articles
                where edition = ? and post_id {sign} ? and state = 'live' order by post_id {order} limit ?""",
            article["edition"],
            article["post_id"],
            EITHER_SIDE,
        )
        for row in rows:
            if row["next_look_at"] is None or row["next_look_at"] > at:
                store.articles.update(row["article_id"], next_look_at=at)
                sql = "insert into promotions values (?, ?) on conflict do nothing"
                store.query(sql, row["article_id"], at)


def end_promotion(store: Store, article_id: int) -> None:
    """Record that the look for which an article was promoted is done."""
    store.query("delete from promotions where article_id = ?", article_id)
