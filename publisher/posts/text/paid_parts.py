"""Parts of a body that other tools show only to members or paying readers, such as what follows Ghost's members-only.

Everybody reads everything here, so a post with such a part is an error and is not published. The marks are comments,
tags in brackets, code of templates, elements of HTML and MDX, containers, and rules with a word in them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.text.merge_tags import without_shown_code
from publisher.posts.text.prose import line_at, masked
from publisher.posts.text.signs import Signs


class PaidPart(NamedTuple):
    """A part that not everybody should see: the offset of its mark in the body, and the mark as it is written."""

    place: int
    mark: str


# Without one of these there is no mark in a text in lower case.
_SIGNS = Signs(
    "member",
    "paywall",
    "pay-wall",
    "pay wall",
    "pay_wall",
    "premium",
    "subscriber",
    "patron",
    "patreon",
    "supporter",
    "sponsor",
    "payer",
    "paying",
    "paid",
    "mepr-",
    "pmpro",
    "s2if",
    "wcm_",
    "rcp_",
    "swpm_",
    "ihc-",
    "restrict",
    "logged_in",
    "loggedin",
    "gated-block",
    "[/",
)

# The characters that marks are written with. Most bodies contain none of them but the brackets of links.
_SHAPES = Signs("<", "{", ":::", "--", "==", "\u2014", "***", "[[", "%%")
_BRACKET = patterns.compile(
    r"\[(?:/|comment\]|pa|pr|mem|sub|sup|spon|only|for|res|hid|sec|is_|user|log|mepr|s2if|pmpro|wcm|ihc|arm_|swpm|um_|rcp)",
    re.IGNORECASE,
)

_WHO = r"(?:paid|paying|payers?|premium|members?|subscribers?|patrons?|supporters?|sponsors?)"
# Names that say by themselves that not everybody may read it. Other names do so only if there is an end.
_GATE = (
    rf"(?:pay[ _-]?wall(?:[_-](?:jump|start|begin))?|(?:paid[ _-]|premium[ _-])?{_WHO}[ _-]?only"
    rf"|(?:only[ _-](?:for[ _-])?|for[ _-])(?:paid[ _-]|paying[ _-]|premium[ _-])?{_WHO}(?:[ _-]only)?"
    r"|(?:paid|premium|members?|subscribers?)[ _-]?(?:content|area|section|block|part))"
)
_NAME = (
    r"(?:members?|paid|premium|subscribers?|patrons?|restrict(?:ed)?|private|hidden|hide|secret|protected"
    r"|(?:is_|user_)?logged_?in|membership|members_access|members_logged_in)"
)
# WordPress plug-ins, whose tags have an argument or an end.
_PLUGIN = (
    r"(?:mepr-(?:active|show)|s2if|pmpro_[a-z_]{1,30}|wcm_restrict|ihc-hide-content|arm_restrict_content"
    r"|swpm_protected|um_loggedin|memberful[a-z_-]{0,30}|patreon[a-z_-]{0,30}|rcp_restrict|membership|members_access)"
)
_ANY = rf"(?:{_GATE}|{_PLUGIN}|{_NAME})"

_MARKS = patterns.compile(
    r"(?P<comment><!--(?:(?!-->).)*+(?:-->|\Z)|^ {0,3}\[(?://|comment)\]:[^\n]{0,200}$)"
    rf"|\[(?P<bracket>{_ANY})(?P<value>[ \t=][^\[\]\n]{{0,300}})?\](?![(\[:])"
    rf"|\{{%-?\s{{0,9}}(?:if\s(?=[^%{{}}\n]{{0,200}}\b(?:{_WHO}|paywall|logged_in)\b)[^%{{}}\n]{{0,300}}"
    rf"|(?P<liquid>{_ANY})\b[^%{{}}\n]{{0,200}})%\}}"
    rf"|\{{\{{(?:[<%]\s{{0,9}}(?P<short>{_ANY})\b|#?\s{{0,9}}(?:{_GATE})|#(?:if|has|unless)\s[^{{}}\n]{{0,80}}@?member\b)"
    r"[^{}\n]{0,200}\}\}"
    rf"|<{_GATE}(?=[\s>])[^<>\n]{{0,300}}>"
    rf"|<[a-z][\w-]{{0,30}}\s[^<>]{{0,300}}?\b(?:class|id)=[\"']?(?:[^\"'<>]{{0,200}}?[\s\"'])?{_GATE}(?=[\s\"'>])"
    r"[^<>]{0,300}>"
    rf"|^[ \t>]{{0,20}}:::+ ?\{{?[ .]{{0,2}}(?:{_GATE}|members?|premium|paid|subscribers?)\b[^\n]{{0,200}}$"
    rf"|^ {{0,3}}(?:-{{2,20}}|={{2,20}}|\u2014|\*{{3,20}}|\[\[|<<|%%)[ \t]{{0,9}}{_GATE}[ \t]{{0,9}}"
    r"(?:-{2,20}|={2,20}|\u2014|\*{3,20}|\]\]|>>|%%)[ \t]*$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_COMMENT = patterns.compile(
    r"(?:<!--|\[(?://|comment)\]:[ \t]{0,8}(?:#|<>)?[ \t]{0,8}[(\"'])\s{0,9}(?:"
    rf"(?:(?:begin|start)[ :_-]{{1,3}})?{_GATE}"
    r"(?:[ :_-]{1,3}(?:begins?|starts?|below|here|from here|content|break|line|mark|cut))*+[ .:!-]*|paid|premium"
    r"|wp:[\w/-]{0,60}(?:paywall|premium|member|pmpro|restrict)[^\n]{0,300}"
    r"|kg-gated-block:begin(?=[^\n]{0,300}nonMember:false)[^\n]{0,300}"
    r")\s{0,9}(?:-->|[)\"'])",
    re.IGNORECASE,
)
_ALONE = patterns.compile(rf"{_GATE}|members?|premium|paid|subscribers?", re.IGNORECASE)
_SURE = patterns.compile(_GATE, re.IGNORECASE)
_HIGHLIGHT = patterns.compile(r"\{%-?\s{0,9}highlight\b(?:(?!\{%-?\s{0,9}endhighlight).)*+", re.DOTALL)
_HTML_CODE = patterns.compile(r"<(pre|textarea|script|style)\b.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)


def paid_part(body: str, *, is_markdown: bool) -> PaidPart | None:
    """Return the first part of a body that is not for everybody; None if there is none. Code is left out."""
    if not (_SHAPES.are_in(body) or _BRACKET.search(body)) or not _SIGNS.are_in(body.lower()):
        return None
    view = _HIGHLIGHT.sub(_blank, without_shown_code(body))
    view = masked(view) if is_markdown else _HTML_CODE.sub(_blank, view)
    search = _Search(body, view)
    found = next(filter(search.is_mark, _MARKS.finditer(view)), None)
    if found is None:
        return None
    words = " ".join(found[0].split())
    place = found.end() - len(found[0].lstrip())
    return PaidPart(place, words if len(words) <= 40 else f"{words[:39]}…")


def _blank(found: re.Match[str]) -> str:
    return _NO_BREAK.sub(" ", found[0])


def refuse_paid_part(body: str, first_line: int, *, is_markdown: bool) -> None:
    """Raise PostError, with the line, for a part that is not for everybody.

    first_line: the line of the file on which the body begins
    """
    if part := paid_part(body, is_markdown=is_markdown):
        raise PostError(
            f"in other tools only members or paying readers see what {part.mark} hides; here everybody would",
            line=line_at(body, part.place) + first_line - 1,
            hint="move that part into a post with draft: true, or delete the mark if everybody may read it",
        )


class _Search:
    """A search for marks from the beginning of a text to its end, which finds each end only once."""

    def __init__(self, body: str, view: str) -> None:
        self._body, self._view = body, view
        self._lower = view.lower()
        self._ends: dict[str, int] = {}

    def is_mark(self, found: re.Match[str]) -> bool:
        """Return whether a match is a mark at which the free part ends."""
        if found["comment"]:
            return _COMMENT.fullmatch(found["comment"].strip()) is not None and self._has_words(found.end())
        if name := found["bracket"]:
            if found["value"] and "=" in found["value"]:
                return True
            is_sure = _ALONE.fullmatch(name) is not None and self._is_alone(found, name)
            return self._has_end(f"[/{name}]", found.end()) or (is_sure and self._has_words(found.end()))
        for group, endings in _ENDINGS.items():
            if (name := found[group]) and not _SURE.fullmatch(name):
                return any(self._has_end(ending.replace("NAME", name), found.end()) for ending in endings)
        return self._has_words(found.end())

    def _next(self, text: str, start: int) -> int:
        """Return the offset of the next occurrence of a text, in any case; the length of the body if there is none."""
        text = text.lower()
        if self._ends.get(text, -1) < start:
            place = self._lower.find(text, start)
            self._ends[text] = place if place >= 0 else len(self._lower)
        return self._ends[text]

    def _has_end(self, ending: str, start: int) -> bool:
        """Return whether the end mark of a part follows an offset, with words in between."""
        end = self._next(ending, start)
        return end < len(self._lower) and _WORD.search(self._view, start, end) is not None

    def _has_words(self, start: int) -> bool:
        return _WORD.search(self._body, start) is not None

    def _is_alone(self, found: re.Match[str], name: str) -> bool:
        """Return whether a mark has a line of its own, and is not a link whose address is below it."""
        before = self._view[max(0, found.start() - 20) : found.start()].rpartition("\n")[2]
        behind = self._view[found.end() : found.end() + 20].partition("\n")[0]
        return not (before + behind).strip() and self._next(f"[{name}]:", 0) == len(self._lower)


_NO_BREAK = patterns.compile(r"[^\n]")
_WORD = patterns.compile(r"\w")
# How the end of a part with a name is written.
_ENDINGS = {
    "liquid": ("{% endNAME %}", "{%- endNAME -%}", "{%endNAME%}", "{% /NAME %}"),
    "short": ("{{< /NAME >}}", "{{</NAME>}}", "{{</ NAME >}}", "{{% /NAME %}}"),
}
