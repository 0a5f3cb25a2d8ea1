"""Lines of boxes that plugins print between an article's paragraphs, told by what they do, not by their
class."""

from __future__ import annotations

import re
from collections.abc import Callable

from archive.html.lines import Raw
from archive.model import LineKind

_MOST_KICKER = 40  # characters
_LONGEST_LABEL = 40
_SENTENCE = 8  # words
# What stands before the title of another post
_KICKER = re.compile(
    r"^\W*(?:(?:you (?:may|might) (?:also )?(?:like|read)|(?:read|see|watch|check)(?: also| more| next| this| out)*"
    r"|also (?:read|see|watch)|related(?: (?:posts?|articles?|news|stor(?:y|ies)|topics?))?|recommended(?: for you)?"
    r"|must read|don[’']?t miss|more(?: (?:on|from|news|stories)(?: this)?)?|up next|next|previously|trending|latest)"
    r"|(?:اقر[أا]|شاهد|طالع|تابع)(?: (?:أ?ايضا?ً?|أيضًا|أيضا|المزيد))?|قد يعجبك(?: أيضا| أيضًا| أيضاً| ايضا)?"
    r"|(?:مقالات|أخبار|اخبار|مواضيع)? ?ذات صلة|المزيد(?: من الأخبار)?|للمزيد|لا تفوت(?:ك|وا)?|موضوع متعلق)\W*$",
    re.IGNORECASE,
)
_SHORT_KICKER = re.compile(r"^(?:\S+\s+){0,2}\S+\s*[:：]$")
_CONTENTS = re.compile(
    r"^(?:table of )?contents\W*$|^in this (?:article|post|page)\W*$|^(?:جدول )?المحتويات\W*$|^محتويات (?:المقال|الصفحة)\W*$",
    re.IGNORECASE,
)
_AD_LABEL = re.compile(
    r"^\W*(?:advertis(?:e?ments?|ing)|sponsored(?: (?:content|links?))?|ads?(?: by \w+)?|إعلان(?:ات)?|اعلان(?:ات)?|مساحة إعلانية)\W*$",
    re.IGNORECASE,
)
_COUNT = r"[0-9٠-٩۰-۹][0-9٠-٩۰-۹.,٬٫]*\s*[KkMm]?"
_NOTICE = re.compile(
    rf"^\W*(?:{_COUNT}\s*(?:total |post |page |unique )?(?:views?|shares?|reads?|hits|visits?)(?:\W+{_COUNT}\s*(?:views?|visits?) today)?"
    rf"|(?:post |page |total )?(?:views?|shares?|reads?|hits|visits?)\s*[:：]\s*{_COUNT}"
    rf"|(?:(?:عدد )?(?:المشاهدات|القراءات|الزيارات|مشاهدات|مشاهدة))\s*[:：]?\s*{_COUNT}"
    rf"|{_COUNT}\s*(?:مشاهدات|مشاهدة|زيارات|زيارة|مشاركات|مشاركة|قراءة)"
    rf"|(?:estimated )?read(?:ing)? time\s*[:：]?\s*(?:less than )?{_COUNT}\s*min(?:ute)?s?(?:\W+{_COUNT}\s*sec(?:ond)?s?)?"
    rf"|(?:less than )?{_COUNT}\s*min(?:ute)?s?\.? read(?:ing)?"
    rf"|(?:وقت|مدة|زمن) القراءة\s*[:：]?\s*(?:أقل من )?(?:{_COUNT}\s*)?(?:دقائق|دقيقة|دقيقتان)(?: واحدة)?"
    rf"|{_COUNT}\s*(?:دقائق|دقيقة) (?:قراءة|للقراءة)"
    rf"|(?:how useful was this post|rate this (?:post|article)|click on a star to rate it|قي[ّ]?م هذا المقال)"
    rf"|no votes so far.{{0,60}}|average rating\b.{{0,60}}|(?:rating|التقييم)\s*[:：]\s*{_COUNT}\s*(?:/|out of|من)\s*{_COUNT}.{{0,40}}"
    rf"|{_COUNT}\s*(?:/|out of|من)\s*{_COUNT}\W*{_COUNT}\s*(?:votes?|ratings?|reviews?|أصوات|صوتا?ً?|تقييمات?)"
    rf"|votes?(?: count)?\s*[:：]\s*{_COUNT}|(?:this post is )?also available in\b.{{0,80}}|(?:هذه المقالة )?متوفر(?:ة)? (?:أيضا|أيضًا|أيضاً) ب.{{0,80}}"
    r"|share (?:this|on|via|with)\b.{0,60}|شارك(?:ها|ه)?(?: (?:على|هذا|المقال|الخبر|عبر)\b.{0,60})?)\W*$",
    re.IGNORECASE,
)


def is_notice(line: Raw) -> bool:
    """True for a counter, reading time, vote or share notice: furniture at the edges of a text."""
    if line.kind not in (LineKind.PARAGRAPH, LineKind.HEADING, LineKind.CAPTION) or len(line.text) > 120:
        return False
    return bool(_NOTICE.match(line.text))


def drop_boxes(lines: list[Raw], is_other_post: Callable[[str], bool]) -> tuple[list[Raw], list[Raw]]:
    """Split lines into those of the article and links to other posts.

    Labels of advertisements and tables of contents are dropped. If links to other posts are most of the text,
    the post may be a list of posts: what stands in a list or a paragraph is kept, and everything if there is
    no sentence beside the links. A short post may have several boxes.
    """
    kept: list[Raw] = []
    links: list[Raw] = []
    for line in lines:
        is_label = len(line.text) <= _LONGEST_LABEL and _AD_LABEL.match(line.text)
        if is_label and line.kind in (LineKind.PARAGRAPH, LineKind.CAPTION):
            continue
        if line.linked and line.href.startswith("#"):
            if kept and _CONTENTS.match(kept[-1].text):
                kept.pop()
            continue
        (links if line.href and _is_teaser(line) and is_other_post(line.href) else kept).append(line)
    boxes = _boxes_among(links, kept)
    if boxes == links:
        return kept, links
    return [line for line in lines if line in kept or (line in links and line not in boxes)], boxes


def _boxes_among(links: list[Raw], kept: list[Raw]) -> list[Raw]:
    """Those of the links to other posts that are no text, beside the lines that are."""
    if sum(len(line.text) for line in links) <= sum(len(line.text) for line in kept):
        return links
    if all(len(line.text.split()) < _SENTENCE for line in kept):
        return []
    return [line for line in links if line.kind is not LineKind.LIST and line.tag != "p"]


def _is_teaser(line: Raw) -> bool:
    """True if a line is one link, with at most a kicker before its text."""
    if line.kind is LineKind.ROW:
        return False
    if line.linked:
        return True
    kicker, found, after = line.text.rpartition(line.anchor)
    kicker = kicker.strip()
    if not line.anchor or not found or after.strip(" .…»›→") or len(kicker) > _MOST_KICKER:
        return False
    words = len(line.anchor.split())
    if _KICKER.match(kicker):
        return words >= 3
    return bool(_SHORT_KICKER.match(kicker)) and words >= 4 and not re.search(r"\d", line.text)
