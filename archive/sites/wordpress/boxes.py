"""Lines of boxes that plugins print between an article's paragraphs, told by what they do, not by their
class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Literal

from archive.html.lines import Raw
from archive.model import LineKind

_MOST_KICKER = 40  # characters
_LONGEST_LABEL = 40
_SENTENCE = 8  # words
_SHORTEST_SENTENCE = 3  # words, of a line that ends in one of:
_FULL_STOPS = (".", "!", "?", "؟", "۔")
_LONGEST_WORD = 12  # characters around links: "Share", "Tags:"
_LINES_OF_CARD = 4  # title, kicker, beginning and date of another post
_MOST_INVITING = 40  # words beside a form that asks for an address
_CUT_OFF = ("…", "...", "[…]", "[...]")
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\bago$|^منذ ")
_DIGIT = re.compile(r"\d")
_TERMS = re.compile(
    r"^(?:tags?|categor(?:y|ies)|topics?|posted in|filed under|الوسوم|وسوم|الكلمات المفتاحية|التصنيفات?|الأقسام)\s*[:：]",
    re.IGNORECASE,
)
# Addresses that share or print a page, or lead to its comments
_SHARING = re.compile(
    r"facebook\.com/(?:sharer|share\.php|dialog/)|(?:twitter|x)\.com/(?:intent|share|home\?status)"
    r"|linkedin\.com/(?:share|cws/)|pinterest\.\w+/pin/create|(?:api|web)\.whatsapp\.com/send\?text|wa\.me/\?text"
    r"|^(?:whatsapp|viber|fb-messenger|javascript|tg):|(?:t|telegram)\.me/share|reddit\.com/submit|vk\.com/share"
    r"|^mailto:\?|tumblr\.com/(?:share|widgets)|connect\.ok\.ru/offer|getpocket\.com/|buffer\.com/add|#(?:respond|comments)$|[?&]print=",
    re.IGNORECASE,
)
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
_WORD = re.compile(r"\w+")
_ENTRY_NUMBER = re.compile(r"^(?:[0-9]{1,2} ){1,4}(?=[^\W\d])")
_JUMP = re.compile(r"(?:back|return|go|jump|skip|scroll|top|up|العودة|عودة|الى|إلى|اذهب|انتقل)\b")
# How long ago: it differs at each visit
_AGO = re.compile(
    r"^\W*(?:(?:last |was )?(?:posted|published|updated|modified)\W+|(?:نشر|آخر تحديث|اخر تحديث|تحديث)\W+)?(?:about |around |almost )?(?:"
    r"(?:[0-9٠-٩]{1,3}|an?|one) (?:sec(?:ond)?|min(?:ute)?|hour|hr|day|week|month|year)s? ago|just now|yesterday"
    r"|(?:منذ|قبل) (?:[0-9٠-٩]{1,3} )?(?:ثاني|ثوان|دقيق|دقائق|ساع|يوم|أيام|ايام|أسبوع|اسبوع|أسابيع|شهر|أشهر|شهور|سنة|سنتين|سنوات)\w{0,3}(?: (?:واحدة|واحد))?)\W*$",
    re.IGNORECASE,
)
_AD_LABEL = re.compile(
    r"^\W*(?:advertis(?:e?ments?|ing)|sponsored(?: (?:content|links?))?|ads?(?: by \w+)?|إعلان(?:ات)?|اعلان(?:ات)?|مساحة إعلانية)\W*$",
    re.IGNORECASE,
)
_COUNT = r"[0-9٠-٩۰-۹][0-9٠-٩۰-۹.,٬٫]*\s*[KkMm]?"
_NOTICE = re.compile(
    rf"^\W*(?:{_COUNT}\s*(?:total |post |page |unique )?(?:views?|shares?|reads?|hits|visits?|likes?)(?:\W+{_COUNT}\s*(?:views?|visits?) today)?"
    rf"|(?:post |page |total )?(?:views?|shares?|reads?|hits|visits?|likes?)\s*[:：]\s*{_COUNT}"
    rf"|(?:(?:عدد )?(?:المشاهدات|القراءات|الزيارات|مشاهدات|مشاهدة))\s*[:：]?\s*{_COUNT}"
    rf"|{_COUNT}\s*(?:مشاهدات|مشاهدة|زيارات|زيارة|مشاركات|مشاركة|قراءة)"
    rf"|(?:estimated )?read(?:ing)? time\s*[:：]?\s*(?:less than )?{_COUNT}\s*min(?:ute)?s?(?:\W+{_COUNT}\s*sec(?:ond)?s?)?"
    rf"|(?:less than )?{_COUNT}\s*min(?:ute)?s?\.? read(?:ing)?|(?:less than a|one|a) min(?:ute)?(?: read)?"
    rf"|(?:وقت|مدة|زمن) القراءة\s*[:：]?\s*(?:أقل من )?(?:{_COUNT}\s*)?(?:دقائق|دقيقة|دقيقتان)(?: واحدة)?"
    rf"|(?:{_COUNT}\s*(?:دقائق|دقيقة)|دقيقة واحدة|دقيقتان|أقل من دقيقة) (?:قراءة|للقراءة)|أقل من دقيقة"
    rf"|(?:how useful was this post|rate this (?:post|article)|click on a star to rate it|قي[ّ]?م هذا المقال)"
    rf"|no votes so far.{{0,60}}|average rating\b.{{0,60}}|(?:rating|التقييم)\s*[:：]\s*{_COUNT}\s*(?:/|out of|من)\s*{_COUNT}.{{0,40}}"
    rf"|{_COUNT}\s*(?:/|out of|من)\s*{_COUNT}\W*{_COUNT}\s*(?:votes?|ratings?|reviews?|أصوات|صوتا?ً?|تقييمات?)"
    r"|listen to (?:this |the )?(?:article|post|story)|استمع (?:إلى|الى|ل)\s?(?:هذا |هذه )?(?:المقال|الخبر|المقالة)"
    rf"|votes?(?: count)?\s*[:：]\s*{_COUNT}|(?:this post is )?also available in\b.{{0,80}}|(?:هذه المقالة )?متوفر(?:ة)? (?:أيضا|أيضًا|أيضاً) ب.{{0,80}}"
    r"|share (?:this|on|via|with)\b.{0,60}|شارك(?:ها|ه)?(?: (?:على|هذا|المقال|الخبر|عبر)\b.{0,60})?)\W*$",
    re.IGNORECASE,
)


def is_notice(line: Raw) -> bool:
    """True for a counter, reading time, vote or share notice: furniture at the edges of a text."""
    if line.kind not in (LineKind.PARAGRAPH, LineKind.HEADING, LineKind.CAPTION) or len(line.text) > 120:
        return False
    return bool(_NOTICE.match(line.text))


def drop_boxes(
    lines: list[Raw],
    is_other_post: Callable[[str], bool],
    is_listing: Callable[[str], bool] = lambda _href: False,
    title: str = "",
) -> tuple[list[Raw], list[Raw]]:
    """Split lines into those of the article and links to other posts, tags and categories.

    Labels of advertisements, tables of contents, buttons for sharing, counters in a box of their own and what
    stands beside a form are dropped. If links to other posts are most of the text, the post may be a list of
    posts: what stands in a list or a paragraph is kept, and everything if there is no sentence beside the
    links. A short post may have several boxes.
    """
    kept: list[Raw] = []
    links: list[Raw] = []
    sorter = _Sorter(lines, is_other_post, is_listing, title)
    before: Raw | None = None
    for line in lines:
        place = sorter.place(line, before if links and links[-1] is before else None)
        if place != "keep" and kept and sorter.is_label(kept[-1], line, place, kept[-1] is before):
            links.append(kept.pop())
        if place == "keep":
            kept.append(line)
        elif place == "link":
            links.append(line)
        before = line
    boxes = _boxes_among(links, kept)
    if boxes == links:
        return ([] if all(map(is_notice, kept)) else kept), links
    standing = {id(line) for line in (*kept, *links)} - set(map(id, boxes))
    return [line for line in lines if id(line) in standing], boxes


def _boxes_among(links: list[Raw], kept: list[Raw]) -> list[Raw]:
    """Those of the links to other posts that are no text, beside the lines that are."""
    if sum(len(line.text) for line in links) <= sum(len(line.text) for line in kept):
        return links
    is_textless = len(links) <= _LINES_OF_CARD and all(map(is_notice, kept))
    if not is_textless and not any(map(_is_sentence, kept)):
        return []
    return [line for line in links if line.kind is not LineKind.LIST and line.tag != "p"]


def _is_sentence(line: Raw) -> bool:
    """True for a line that says something: long enough, or closed by a mark as a short report is."""
    words = len(line.text.split())
    return words >= _SENTENCE or (words >= _SHORTEST_SENTENCE and line.text.endswith(_FULL_STOPS))


class _Sorter:
    """Tells lines of boxes from lines of the article."""

    def __init__(
        self,
        lines: list[Raw],
        is_other_post: Callable[[str], bool],
        is_listing: Callable[[str], bool],
        title: str,
    ) -> None:
        self._is_other_post, self._is_listing, self._title = is_other_post, is_listing, title
        self._sizes = Counter(box for line in lines for box in set(line.boxes))
        invited = [len(line.text.split()) for line in lines if line.is_beside_form]
        self._is_invited = bool(invited) and sum(invited) <= _MOST_INVITING
        leading = [line for line in lines if _leads_within(line)]
        self._named = {_words(line) for line in lines if leading and not _leads_within(line)}
        self._has_contents = any(_words(line) in self._named for line in leading) or (
            bool(leading) and any(_CONTENTS.match(line.text) for line in lines)
        )

    def place(self, line: Raw, teaser: Raw | None) -> Literal["keep", "link", "drop"]:
        """Where a line belongs; ``teaser`` is the line before it if that is a link to another post."""
        is_plain = not line.hrefs and teaser is None and not self._is_invited
        if is_plain and line.tag == "p" and len(line.text) > _LONGEST_LABEL:
            return "keep"  # nearly every line
        is_invitation = self._is_invited and line.is_beside_form and not _DIGIT.search(line.text)
        if is_invitation or _is_furniture(line) or self._is_of_contents(line):
            return "drop"
        if not line.hrefs and teaser is None:
            return "keep"
        is_link = _is_teaser(line) and all(map(self._is_other_post, line.hrefs))
        is_card = teaser is not None and self._is_beside(teaser, line)
        return "link" if is_link or is_card or self._is_of_listings(line) else "keep"

    def _is_of_contents(self, line: Raw) -> bool:
        """True for a link to a place in the page that says nothing: the words of a heading in a table of
        contents, or "back to top". Titles of toggles and tabs lead within too; nothing repeats them."""
        if not _leads_within(line) or line.kind is LineKind.HEADING:
            return False
        words = _words(line)
        is_entry = words in self._named or (self._has_contents and line.kind is LineKind.LIST)
        return is_entry or not words or bool(_JUMP.match(words))

    def _is_beside(self, teaser: Raw, line: Raw) -> bool:
        """True for the date or the beginning of another post, in the small box of its title."""
        if not (line.text.endswith(_CUT_OFF) or (len(line.text) < 30 and _DATE.search(line.text))):
            return False
        return any(self._sizes[box] <= _LINES_OF_CARD for box in teaser.boxes if box in line.boxes)

    @staticmethod
    def is_label(above: Raw, line: Raw, place: str, is_next: bool) -> bool:
        """True for a kicker above a link, and for the heading of a table of contents."""
        if place == "link":
            return is_next and _is_kicker(above)
        return place == "drop" and _leads_within(line) and bool(_CONTENTS.match(above.text))

    def _is_of_listings(self, line: Raw) -> bool:
        """True for a line of tags or categories, and for a path such as "Home » News » title"."""
        is_box = line.linked and line.kind is LineKind.PARAGRAPH and line.tag != "p"
        if not line.hrefs or (len(line.hrefs) == 1 and not is_box and not _TERMS.match(line.text)):
            return False
        title = self._title
        plain = line.plain - (len(title) if title and line.text.endswith(title) else 0)
        return plain <= _LONGEST_WORD and all(map(self._is_listing, line.hrefs))


def _is_furniture(line: Raw) -> bool:
    if line.hrefs and line.plain <= _LONGEST_WORD and all(map(_SHARING.search, line.hrefs)):
        return True
    if line.kind not in (LineKind.PARAGRAPH, LineKind.CAPTION):
        return False
    if len(line.text) <= _LONGEST_LABEL and (_AD_LABEL.match(line.text) or _AGO.match(line.text)):
        return True
    return line.tag != "p" and not (line.bare and not line.tag) and is_notice(line)


def _words(line: Raw) -> str:
    """The words of a line without the number of a table of contents before them."""
    return _ENTRY_NUMBER.sub("", " ".join(_WORD.findall(line.text.casefold())))


def _leads_within(line: Raw) -> bool:
    """True for a line that is a link to a place in the page."""
    return line.is_within or (line.linked and line.href.startswith("#"))


def _is_kicker(line: Raw) -> bool:
    """True for a line such as "Read also:" above a link to another post."""
    is_text = line.kind in (LineKind.PARAGRAPH, LineKind.HEADING)
    return is_text and len(line.text) <= _MOST_KICKER and bool(_KICKER.match(line.text))


def _is_teaser(line: Raw) -> bool:
    """True if a line is one link, with at most a kicker before its text, or nothing but links."""
    if not line.hrefs or line.kind is LineKind.ROW:
        return False
    if line.linked:
        return True
    if not line.href:
        return False
    kicker, found, after = line.text.rpartition(line.anchor)
    kicker = kicker.strip()
    if not line.anchor or not found or after.strip(" .…»›→") or len(kicker) > _MOST_KICKER:
        return False
    words = len(line.anchor.split())
    if _KICKER.match(kicker):
        is_box = line.tag != "p" and bool(
            line.boxes
        )  # an editor's own "Related: earlier report" is a paragraph
        return is_box or words >= 3
    return bool(_SHORT_KICKER.match(kicker)) and words >= 4 and not re.search(r"\d", line.text)
