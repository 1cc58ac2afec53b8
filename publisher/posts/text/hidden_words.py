"""Words that a browser would not show because of a tag, an attribute or a style, but which readers would see.

Feeds and letters don't contain a writer's style sheets, so text that a style hides would be published. Size and
visibility are those of the nearest element that sets them: newsletters made with MJML and Mailchimp set the size to
zero in a cell, and to another value in the cell's content.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from itertools import islice

from publisher.core import patterns

# How many elements are looked at, and how many characters after each.
_MOST, _FAR = 100, 5_000
# Browsers show the first only with its attribute `open`, and the others never.
_SELDOM_SHOWN = frozenset(("dialog", "datalist", "comment"))
# Elements without an end, and those whose words count elsewhere.
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_NO_WORDS = frozenset(
    ("script", "style", "template", "svg", "math", "title", "textarea", "iframe", "video", "audio", "object")
)
_TAG = patterns.compile(r"<(/?)([a-z][\w-]*+)((?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_STYLE = patterns.compile(r"\sstyle\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE)
_QUOTED = patterns.compile(r"=\s*+(?:\"[^\"]*\"|'[^']*')")
_OPEN = patterns.compile(r"(?:^|\s)open(?=[\s=/]|\Z)", re.IGNORECASE)
_HIDDEN = patterns.compile(r"(?:^|\s)hidden(?=[\s=/]|\Z)", re.IGNORECASE)
_NOTHING = patterns.compile(r"[+-]?(?:0+(?:\.0*+)?+|\.0++)(?:[a-z]{1,4}|%)?")
# A size relative to the surrounding one, which may be zero.
_SHARE = patterns.compile(r"[+-]?[\d.]++(?:em|ex|ch|lh|%)|inherit|unset|smaller|larger|calc.*", re.DOTALL)
_INHERITED = frozenset(("font-size", "visibility"))
_NOT_SEEN = (
    r"(?:(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)"
    r"|(?<![\w-])(?:opacity|font-size|max-height)\s{0,9}:\s{0,9}0(?![.\d]))"
)
_ATTRIBUTE_LIST = patterns.compile(
    rf"\{{:[^{{}}\n]{{0,200}}?(?:(?<=[ :])hidden(?=[ =}}])|{_NOT_SEEN})[^{{}}\n]{{0,200}}\}}", re.IGNORECASE
)


def hidden_words(html: str) -> str:
    """Return the first tag in HTML whose words a browser would hide, but readers see; "" if there is none."""
    return next((tag[0] for tag in islice(_hiding(html), _MOST) if _has_words(html, tag)), "")


def hiding_list(prose: str) -> int:
    """Return the offset of kramdown's first attribute list that hides the words in front of it; -1 if there is none."""
    found = _ATTRIBUTE_LIST.search(prose)
    return found.start() if found else -1


def _hiding(html: str) -> Iterator[re.Match[str]]:
    for tag in _TAG.finditer(html):
        if not tag[1] and tag[2].lower() not in _VOID | _NO_WORDS and _why_hidden(tag):
            yield tag


def _has_words(html: str, first: re.Match[str]) -> bool:
    """Return whether the element that begins with a tag has words that this tag hides."""
    opened = [(first[2].lower(), _why_hidden(first))]
    number = Counter([opened[0][0]])
    last = first.end()
    for tag in _TAG.finditer(html, last, last + _FAR):
        if opened[-1][1] and _is_word(html[last : tag.start()]):
            return True
        last, name = tag.end(), tag[2].lower()
        if tag[1] and number[name]:
            while number[name] and opened:
                closed = opened.pop()[0]
                number[closed] -= 1
                if closed == name:
                    break
            if not opened:
                return False
        elif not tag[1] and name not in _VOID and tag[3][-1:] != "/":
            hidden = frozenset() if name in _NO_WORDS else opened[-1][1] - _set_to_something(tag)
            opened.append((name, hidden))
            number[name] += 1
    return bool(opened[-1][1]) and _is_word(html[last : first.end() + _FAR])


def _is_word(text: str) -> bool:
    return re.search(r"\w", unescape(text)) is not None


def _why_hidden(tag: re.Match[str]) -> frozenset[str]:
    """Return what hides the words of an element: properties of its style, or the name of an attribute."""
    styles = _styles(tag[3])
    found = {name for name in ("opacity", "font-size", "max-height") if _NOTHING.fullmatch(styles.get(name, ""))}
    if styles.get("display") == "none":
        found.add("display")
    if styles.get("visibility") in ("hidden", "collapse"):
        found.add("visibility")
    if _HIDDEN.search(_QUOTED.sub("=", tag[3])) or (tag[2].lower() in _SELDOM_SHOWN and not _OPEN.search(tag[3])):
        found.add("hidden")
    return frozenset(found)


def _set_to_something(tag: re.Match[str]) -> set[str]:
    """Return the properties with which an element shows words, although its parents hide them by the same property."""
    styles = _styles(tag[3])
    shown = {name for name in _INHERITED if name in styles and not _SHARE.fullmatch(styles[name])}
    return shown - _why_hidden(tag)


def _styles(attributes: str) -> dict[str, str]:
    """Return the properties in the style of a tag, the last of each name, or the last one that is !important."""
    written = _STYLE.search(attributes)
    found: dict[str, str] = {}
    important: set[str] = set()
    for each in (written[1] or written[2] or written[3] or "").lower().split(";") if written else ():
        name, _, value = each.partition(":")
        value, sign, _ = value.partition("!")
        if sign or name.strip() not in important:
            found[name.strip()] = value.strip()
        if sign:
            important.add(name.strip())
    return found
