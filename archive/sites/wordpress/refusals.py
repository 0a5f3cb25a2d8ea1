"""Pages that are no evidence of an article: refusals, challenges, maintenance, errors. Respected, recorded,
never taken for text.

By status first; a page with status 200 is a refusal only where no layout reads it, because a network in front
of the site puts its marks on ordinary pages too (``/cdn-cgi/challenge-platform/`` scripts stand on every
article of a site behind Cloudflare).
"""

from __future__ import annotations

import re

from archive.model import Capture


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_CHALLENGE = _any(
    r"<title>\s*(?:just a moment|one moment, please|attention required|please wait|checking your browser|bot verification|ddos-guard|access check)",
    r"<title>\s*(?:verifying you are human|verify you are human|human verification|security check|captcha|لحظة)",
    r"<title>\s*(?:client challenge|making sure you|checking you are not|access to this page has been denied)",
    r"_cf_chl_opt|cf-browser-verification|cf_chl_|sgcaptcha|imunify360|ddos protection by",
    r"id=[\"']?(?:challenge-form|challenge-running|cf-challenge)",
    r"checking your browser before accessing|needs to review the security of your connection",
    r"please enable (?:javascript and )?cookies (?:to continue|and reload)",
)
# Marks that stand on ordinary pages too: walls if the page has hardly a word
_GUARDS = _any(
    r"/_incapsula_resource|\.awswaf\.com/|captcha-delivery\.com/|/_fs-ch-|/anubis/static/|sucuri_cloudproxy",
    r"class=[\"']?(?:h-captcha|cf-turnstile|g-recaptcha)\b",
    r"<title>\s*you are being redirected",
)
_MAINTENANCE = _any(
    r"<h1[^<>]{0,200}>\s*we(?:['’]|&rsquo;|&#0?39;|&#8217;)?(?:ll| will) be (?:right )?back",
    r"briefly unavailable for scheduled maintenance",
    r"<title>[^<]{0,80}(?:maintenance|under construction|coming soon|be right back|صيانة|قيد الإنشاء)",
    r"(?:site|website) is (?:currently )?(?:under|down for|undergoing) (?:scheduled )?maintenance",
    r"الموقع (?:تحت|قيد|في) الصيانة|الموقع مغلق للصيانة",
)
_BLOCKED = _any(
    r"<title>\s*(?:access denied|403 forbidden|forbidden|you have been blocked|blocked|تم الحظر)",
    r"sorry, you have been blocked|your access to this (?:site|service) has been limited|sucuri website firewall|you are unable to access",
)
_ERROR = _any(
    r"error establishing a database connection|there has been a critical error on (?:this|your) website",
    r"خطأ في الاتصال بقاعدة البيانات|حدث خطأ فادح في هذا الموقع",
    r"<title>\s*(?:5\d\d |internal server error|bad gateway|gateway time-?out|wordpress &rsaquo; error|خطأ ووردبريس|database error)",
    r"<title>\s*(?:[\w.-]+ \| )?(?:5\d\d: |429 too many requests)",
    r"<body[^>]{0,500}id=[\"']error-page|<b>(?:fatal|parse) error</b>\s*:",
    # What a host shows in place of a site
    r"<title>\s*(?:account suspended|apache2 \w+ default page|welcome to nginx|index of /|default web ?site page)",
    r"<title>\s*(?:domain default page|this domain (?:has expired|is for sale)|wordpress &rsaquo; (?:installation|setup))",
    r"\bdomain (?:name )?[\w.-]{3,80} (?:is|may be) for sale",
)
_SOFT404 = _any(
    r"<title>\s*(?:page not found|not found|404\b|nothing found|لم يتم العثور|الصفحة غير موجودة|صفحة غير موجودة|لا توجد صفحة)",
    r"<body[^>]{0,200}class=[\"'][^\"']{0,500}\berror404\b",
)
# What has no words of its own and sends the browser on: a wall that lets in whoever runs its script, or keeps
# its cookie
_SENDS_ON = _any(
    r"<meta[^>]{1,200}http-equiv=[\"']?refresh",
    r"\blocation\s*\.\s*(?:reload|replace|assign)\s*\(|\blocation(?:\s*\.\s*href)?\s*=[^=]",
)
_NO_WORDS = re.compile(
    r"<(script|style|noscript|head)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL
)
_FEW_WORDS = 40
_HEAD = 65_536  # characters that are searched: a refusal is short, and says so at its beginning


def by_status(capture: Capture) -> tuple[str, str] | None:
    """Reason and detail where the status alone tells that there is no article; None for a status that brings
    a page."""
    status = capture.status
    if status == 304 and any(name.lower().startswith("if-") for name, _ in capture.request_headers):
        return "not_modified", "304: no text was sent"
    if status in (301, 302, 303, 307, 308):
        return "redirect", f"{status} to {capture.header('location') or 'nowhere'}"
    if 300 <= status < 400:
        return "error", f"status {status}, which answers no such request"
    if status in (404, 410):
        return "missing", f"status {status}"
    if 200 <= status < 300:
        if status in (204, 205):
            return "error", f"status {status}: no body"
        return ("truncated", "status 206: a part of the page") if status == 206 else None
    return None


def by_text(capture: Capture, text: str) -> tuple[str, str] | None:
    """Reason and detail of a page that is not the site's own: by its status and its words."""
    head = text[:_HEAD]
    status = capture.status
    if (capture.header("cf-mitigated") or "").lower() == "challenge" or _CHALLENGE.search(head):
        return "challenge", f"status {status}, a page that asks for proof of being human"
    sends_on, is_guarded = _SENDS_ON.search(head), _GUARDS.search(head)
    if (sends_on or is_guarded) and len(_NO_WORDS.sub(" ", head).split()) < _FEW_WORDS:
        what = "that sends the browser on" if sends_on else "with the marks of a guard against robots"
        return "challenge", f"status {status}, a page without a text {what}"
    if _MAINTENANCE.search(head):
        return "maintenance", f"status {status}, a page that announces maintenance"
    if status in (401, 403, 407, 429, 451) or _BLOCKED.search(head):
        return "blocked", f"status {status}" + (
            f", Retry-After {capture.header('retry-after')}" if capture.header("retry-after") else ""
        )
    if not 200 <= status < 300 or _ERROR.search(head):
        return "error", f"status {status}"
    if not text.strip():
        return "error", f"status {status}, and nothing else"
    if _SOFT404.search(head):
        return "soft404", f"status {status}, a page that says 'not found'"
    return None


# What PHP and WordPress print into a page, in front of the text or in its place
_PRINTED_ERROR = _any(
    r"^\W*(?:php )?(?:warning|notice|deprecated|(?:catchable |recoverable )?fatal error|parse error|strict standards)"
    r"\s*:.{1,500}\bin\s+\S+(?:\s+on line\s+|:)\d+",
    r"^\W*wordpress database error",
    r"^\W*error establishing a database connection",
    r"^\W*there has been a critical error on (?:this|your) website",
    r"^\W*(?:خطأ في الاتصال بقاعدة البيانات|حدث خطأ فادح في هذا الموقع|خطأ قاعدة بيانات ووردبريس)",
)


def find_printed_error(text: str) -> str | None:
    """The first line of an article's text that is an error message of PHP or WordPress."""
    return next((line for line in text.split("\n") if _PRINTED_ERROR.match(line)), None)
