"""Make text safe for any feed: valid XML characters, dates independent of the locale, and HTML for feed readers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape, unescape

from publisher.core import patterns
from publisher.core.i18n import direction
from publisher.core.models import RenderedPost
from publisher.posts.rendering.frames import page_of_frame
from publisher.posts.text.encoding import is_surely_clean
from publisher.posts.urls import key_of

# Characters that XML 1.0 section 2.2 forbids, and control characters that it discourages and that HTML treats as
# errors.
_FORBIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FRAME = patterns.compile(r"<iframe\b([^<>]*)>.*?(?:</iframe>|\Z)", re.DOTALL)
_SOURCE = patterns.compile(r'\ssrc="([^"<>]*)"')
_TITLE = patterns.compile(r'\stitle="([^"<>]*)"')
_DIV = patterns.compile(r"<div\b[^<>]*>|</div>")
_ALERT = '<div class="markdown-alert'
_ALERT_TITLE = patterns.compile(r'<p class="markdown-alert-title">([^<]*+(?:<(?!/p>)[^<]*+)*+)</p>')
_NOTE = patterns.compile(
    r'<a href="([^"<>#]*+)#(fn-[^"<>]*+)" id="(fnref-[^"<>]*+)">'
    r'|<a href="([^"<>#]*+)#(fnref-[^"<>]*+)" class="footnote-backref">'
    r'|<li id="(fn-[^"<>]*+)">'
)
_SPAN = patterns.compile(r"<span\b[^<>]*>|</span>")
_PICTURE = patterns.compile(r'(<img\b[^<>]*? src=")([^"<>]*)')
_CHECKBOX = patterns.compile(r"<input\b([^<>]*)>")


def xml_text(text: str) -> str:
    r"""Return the text without characters that XML forbids. A carriage return becomes \n, as in an XML parser."""
    if text.isprintable() or (is_surely_clean(text) and "\r" not in text):
        return text
    return re.sub(_FORBIDDEN, "", text.replace("\r\n", "\n").replace("\r", "\n"))


def plain_lines(text: str) -> str:
    """Return the text as a single line, for example for a title, without characters that XML forbids."""
    return " ".join(xml_text(text).split())


def rfc2822(moment: datetime) -> str:
    """Return a date for RSS (RFC 2822), in UTC, and in English regardless of the locale."""
    utc = moment.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} {utc:%H:%M:%S} +0000"


def rfc3339(moment: datetime) -> str:
    """Return a date for Atom and JSON Feed (RFC 3339), in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def feed_html(fragment: str) -> str:
    """Return the HTML of a rendered post for feeds, without elements that feed readers drop or warn about.

    Frames become links, alerts become quotes, and the checkboxes of task lists become ballot-box characters. Footnotes
    have the classes by which feed readers find them, and ids that no other entry has, the same as on the page.
    """
    if "<iframe" in fragment:
        fragment = _FRAME.sub(_link, fragment)
    if _ALERT in fragment:
        fragment = _with_quotes(fragment)
    if 'class="footnote-ref"' in fragment:
        fragment = _with_own_notes(fragment)
    if "<input" in fragment:
        fragment = _CHECKBOX.sub(lambda match: "\u2611" if "checked" in match[1] else "\u2610", fragment)
    if "<span>" in fragment:
        fragment = _without_bare_spans(fragment)
    return xml_text(fragment)


def _link(frame: re.Match[str]) -> str:
    source, title = _SOURCE.search(frame[1]), _TITLE.search(frame[1])
    if not source:
        return ""
    page = escape(page_of_frame(unescape(source[1])))
    return f'<a href="{page}">{title[1].strip() if title and title[1].strip() else page}</a>'


def _with_quotes(fragment: str) -> str:
    """Return the HTML with alerts as quotes, because feed readers have no style for a <div>."""
    are_alerts: list[bool] = []

    def quoted(match: re.Match[str]) -> str:
        """Return the tag of a quotation instead of an alert's."""
        if match[0] == "</div>":
            is_alert = bool(are_alerts) and are_alerts.pop()
            return "</blockquote>" if is_alert else match[0]
        are_alerts.append(match[0].startswith(_ALERT))
        return f"<blockquote{match[0][4:]}" if are_alerts[-1] else match[0]

    return _ALERT_TITLE.sub(r"<p><strong>\1</strong></p>", _DIV.sub(quoted, fragment))


def _with_own_notes(fragment: str) -> str:
    def note(match: re.Match[str]) -> str:
        """Return a footnote's link with an id that no other post has."""
        if match[2]:
            key = key_of(match[1])
            return f'<a class="footnote" href="{match[1]}#{match[2]}-{key}" id="{match[3]}-{key}">'
        if match[5]:
            return f'<a href="{match[4]}#{match[5]}-{key_of(match[4])}" class="reversefootnote">'
        return f'<li id="{match[6]}-{key_of(page)}">'

    first = _NOTE.search(fragment)
    page = (first[1] or first[4] or "") if first else ""
    return _NOTE.sub(note, fragment)


def fitting_pictures(rendered: RenderedPost) -> str:
    """Return the HTML of a post with smaller copies of pictures that are much wider than a column of text."""

    def replaced(match: re.Match[str]) -> str:
        """Return the tag of a picture with the URL of a copy that fits."""
        picture = rendered.picture(unescape(match[2]))
        return f"{match[1]}{escape(picture.fitting)}" if picture else match[0]

    is_large = any(picture.fitting != picture.url for picture in rendered.pictures.values())
    return _PICTURE.sub(replaced, rendered.html) if is_large else rendered.html


def directed(fragment: str, language: str, feed_language: str) -> str:
    """Return the HTML of an entry in an element with its language and direction, if it or the feed is right-to-left.

    Feed readers show the text of an entry on their own pages, and most ignore both xml:lang and dc:language.
    """
    if not fragment or direction(language) == direction(feed_language) == "ltr":
        return fragment
    return f'<div dir="{direction(language)}" lang="{escape(language)}">\n{fragment}</div>'


def _without_bare_spans(fragment: str) -> str:
    """Remove spans without attributes, which the code highlighting of other tools leaves behind."""
    are_bare: list[bool] = []

    def kept(match: re.Match[str]) -> str:
        """Return a tag, or nothing for the tag of a span without attributes."""
        if match[0] == "</span>":
            is_bare = bool(are_bare) and are_bare.pop()
        else:
            is_bare = match[0] == "<span>"
            are_bare.append(is_bare)
        return "" if is_bare else match[0]

    return _SPAN.sub(kept, fragment)


def edition_html(document: str) -> str:
    """Return the web version of an edition as an HTML fragment for feeds, with its text, links and pictures.

    Layout tables are unwrapped, and data tables are kept.
    """
    # Imported here: lxml takes 30 ms, and `publisher status` loads this module without needing it.
    from lxml import html as lxml_html

    from publisher.posts.rendering.allowed_html import sanitise  # not at the top: it loads lxml, too

    tree = lxml_html.document_fromstring(document.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    body = tree.find("body")
    if body is None:
        return ""
    for element in body.xpath(".//*[contains(@style, 'display:none') or contains(@class, 'preheader')]"):
        element.drop_tree()
    for table in reversed(body.xpath(".//table[@role='presentation']")):
        for part in [*table.xpath("./tbody/tr/td | ./tr/td"), *table.xpath("./tbody/tr | ./tr | ./tbody")]:
            part.tag = "div"
        table.tag = "div"
    inside = "".join(lxml_html.tostring(child, encoding="unicode") for child in body)
    clean = sanitise(inside, lambda tag, reference: reference if re.match(r"(?:https?|mailto):", reference) else None)
    return xml_text(_without_plain_divs(clean).strip())


_ANY_DIV = patterns.compile(r"(?:(?<!\s)\s++)?(</?div(?:\s[^<>]*)?>)\s*")


def _without_plain_divs(clean: str) -> str:
    """Return sanitised HTML without <div> elements that have no attributes. Those with a language or direction stay."""
    are_plain: list[bool] = []

    def line_break(tag: re.Match[str]) -> str:
        """Return a tag, or a line break for the tag of a plain div."""
        if tag[1] == "</div>":
            is_plain = are_plain.pop() if are_plain else True
        else:
            is_plain = tag[1] == "<div>"
            are_plain.append(is_plain)
        return "\n" if is_plain else f"\n{tag[1]}\n"

    return _ANY_DIV.sub(line_break, clean)
