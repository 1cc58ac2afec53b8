"""The plain text of a post, its excerpt and its number of words. All functions are pure."""

from __future__ import annotations

import html
import re
from itertools import count

from publisher.core import patterns
from publisher.core.characters import lowered, raised, shorten
from publisher.posts.text.comments import without_comments
from publisher.posts.text.encoding import without_controls
from publisher.posts.text.merge_tags import WORDPRESS
from publisher.posts.text.signs import Signs

# About three lines on a page and in an email.
MOST_CHARACTERS = 300
# From this many characters on, a paragraph says enough, so that the next one need not follow; half of it in scripts
# whose characters are words or syllables.
_ENOUGH = 80
# A longer link is a sentence.
_LONG_LINK = 60
# The text next to an address may only be its label: up to this many words, or characters of a script without spaces.
_LABEL_WORDS, _LABEL = 3, 8
# How deeply raised, lowered, quoted and struck-out text may be nested.
_DEEPEST = 20

# Only tags that are certainly markup: "<head>" or "<b>" in a sentence about HTML is text.
_BREAKS = patterns.compile(
    r"<(?:br\s*/?|img\s[^<>]*)>(?!\s+(?:tag|element))|^\s*<(?:p|div)\b[^<>]*>|(?<=\S)</(?:p|div)\s*>(?:\s*<(?:p|div)\b[^<>]*>)?",
    re.IGNORECASE,
)
_WITH_ATTRIBUTES = patterns.compile(r"<(?:a|abbr|b|code|em|i|small|span|strong|u)\s[^<>]*=[^<>]*>", re.IGNORECASE)

# An opening tag, whose name is the first group, or a closing one, whose name is the second.
_PAIRED = patterns.compile(
    r"<(a|abbr|b|code|em|i|small|span|strong|sub|sup|u)\b[^<>]*>|</(a|abbr|b|code|em|i|small|span|strong|sub|sup|u)\s*>",
    re.IGNORECASE,
)
_SCRIPT = patterns.compile(r"<(su[bp])\b[^<>]*>([^<>]*)</\1\s*>", re.IGNORECASE)
_ACTIVE = patterns.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)

# A pattern that searches for a distant closing delimiter also matches the end of the text. Otherwise it would be tried
# again from each opening delimiter.
_LINK = patterns.compile(r"(!?\[)([^\[\]]*)\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)?)(?:[ \t]+\"[^\"()]*\")?\)")
_IN_CODE = patterns.compile(r"(?<![\w`])`(?![\s`])([^`]*[^\s`])`(?![\w`])")
_EMPHASIS = patterns.compile(
    r"(?<![\w*])\*(?![\s*])([^*]*[^\s*])\*(?![\w*])|(?<![\w_])_(?![\s_])([^_]*[^\s_])_(?![\w_])"
)
# As in 2**3 and f(**kwargs), a letter or digit shows that the stars are not markup, except in scripts without spaces.
_STRONG = patterns.compile(r"(?<![A-Za-z0-9_*])\*\*(?=[^\s*])(.+?)((?<=[^\s*])\*\*(?![A-Za-z0-9_*])|\Z)", re.DOTALL)

_BLOCK = patterns.compile(
    r"<(?:p|li|dd|div|section|article|blockquote)\b[^<>]*>((?:[^<]++|<(?!/?(?:p|li|[uod]l|dt|dd|blockquote|div|section|article|aside|header|footer|h[1-6]|hr"
    r"|details|summary|figure|table|tr|t[dh])\b))*+)",
    re.IGNORECASE,
)
# Elements that are not the writer's prose, with their content: code, captions, and what a browser that cannot play
# films would show.
_SKIPPED = patterns.compile(
    r"<((?i:pre|script|style|figcaption|table|svg|video|audio|iframe|object|canvas))\b.*?((?i:</\1>)|\Z)",
    re.DOTALL,
)
_ALERT_TITLE = patterns.compile(r'<p class="markdown-alert-title">.*?(</p>|\Z)', re.DOTALL)
_ALERT = patterns.compile(r'<div class="markdown-alert\b.*?(?:</div>|\Z)', re.DOTALL)
_FOOTNOTES = patterns.compile(r'<section class="footnotes">.*?(</section>|\Z)', re.DOTALL)
_MEANING = patterns.compile(r"<(/?)((?i:sup|sub|del|s|strike|q))\b[^<>]*>")
_READING = patterns.compile(r"(?<!</rp>)<rt\b[^<>]*>([^<>]*)</rt>", re.IGNORECASE)
_ANCHOR = patterns.compile(r"<a\b[^<>]*>.*?(?:</a>|\Z)", re.DOTALL)
_RAISED = patterns.compile(r"<sup\b(?:(?!</?sup\b).)*</sup>", re.DOTALL | re.IGNORECASE)
_PUNCTUATION = patterns.compile(r"(?:</\w+>)*[,.;:!?…)\]、。，]")
_FRAME_TITLE = patterns.compile(r'<(?:iframe|video|audio)\b(?>[^<>]*?\btitle=")([^"<>]+)"')
_BREAK = patterns.compile(r"<(?:br|/p|/li|/h[1-6]|/div|/blockquote|/dt|/dd)\b[^<>]*>", re.IGNORECASE)
_TAG = patterns.compile(r"<[^<>]*>")
_PICTURE = patterns.compile(r'<img\b(?>(?:(?!\salt=)[^<>"]|"[^"]*")*)(?:\salt="([^"]*)"(?:[^<>"]|"[^"]*")*)?>')
_MAYBE_FOREIGN = Signs("{", ":::", "!!!", "???", "%&gt;", "![[", "[")
# The beginning of a post is its first paragraph, and those above it if they are short; up to this many characters.
_SHORT, _LONGEST_BEGINNING = 100, 3_000
# Text between tags that _readable keeps without reading them. A "%" may begin a tag that ends further down.
_PLAIN_BEGINNING = patterns.compile(
    r"(?:[^<%]++|</?(?:p|em|strong|b|i|code|br|hr|ul|ol|li|blockquote|h[1-6]|a)>|<(?:a|code|h[1-6]) [^<>%]*+>)++"
)
# A tag in square brackets: whether it closes, its name, and its values.
_BRACKETED = patterns.compile(r"\[(/?)([A-Za-z][\w-]*+)([ \t=][^\[\]]*+)?\]")
_MARKER = patterns.compile(r"\[\[?_?toc_?\]\]?|\$\{toc\}|@\[toc\]|__toc__", re.IGNORECASE)
_MDX = patterns.compile(r"import .* from [‘’'\"“”]|export (?:const|default|function) ")
_ADDRESS = patterns.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_CAPTION = patterns.compile(r"(?:<(?:a|img|br|/a)\b[^<>]*>|\s)*<(em|i|small)>[^<]*</\1>\s*", re.IGNORECASE)
_STRUCK = patterns.compile(r"~~(?=\S)((?:(?!~~).)+)(~~|\Z)", re.DOTALL)
_NOT_IN_WORDS = patterns.compile(r"[\W_]+")
_WORD = patterns.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")


def plain_text(fragment: str) -> str:
    """Return an HTML fragment as a line of text, with entities decoded.

    It contains no tags, code blocks, footnotes or struck-out words. Raised and lowered text remain distinct, as in m².
    """
    return _line(_readable(fragment))


def shown_words(fragment: str) -> str:
    """Return a line of HTML, such as a heading, as the text that readers see, including code and other tools' syntax.

    If the line only has pictures, the text consists of their alternative texts.
    """
    if "<sup" in fragment:
        fragment = _without_footnote_marks(fragment)
    if "<rt" in fragment:
        fragment = _READING.sub(r"(\1)", fragment)
    if _MEANING.search(fragment):
        fragment = _with_meaning(fragment)
    return _line(_PICTURE.sub("", fragment)) or _line(_PICTURE.sub(r"\1", fragment))


def _line(fragment: str) -> str:
    text = _TAG.sub("", _BREAK.sub(" ", fragment))
    if "&" in text:
        text = html.unescape(text)
    return " ".join(text.replace("\u200b", "").split())


def _readable(fragment: str) -> str:
    """Return the HTML with only its prose, and with characters that replace meaningful tags."""
    if "<sup" in fragment:
        fragment = _without_footnote_marks(fragment)
    fragment = _SKIPPED.sub(lambda found: " " if found[2] else found[0], fragment)
    for name, pattern in (("alert-title", _ALERT_TITLE), ('"footnotes"', _FOOTNOTES)):
        if name in fragment:
            fragment = pattern.sub(lambda found: " " if found[1] else found[0], fragment)
    if _MAYBE_FOREIGN.are_in(fragment):
        fragment = _without_foreign(fragment)
    if "<rt" in fragment:
        fragment = _READING.sub(r"(\1)", fragment)
    return _with_meaning(fragment) if _MEANING.search(fragment) else fragment


def _without_foreign(fragment: str) -> str:
    """Remove the syntax of other tools; in square brackets, remove only shortcodes such as [b]...[/b]."""
    removed: list[tuple[int, int]] = []
    opened: dict[str, list[re.Match[str]]] = {}
    for found in _FOREIGN.finditer(fragment):
        name = _BRACKETED.match(found[0])
        if name is None:
            removed += [] if found[0].startswith("<") else [found.span()]
        elif not name[1]:
            opened.setdefault(name[2].lower(), []).append(found)
            removed += [found.span()] if name[3] and WORDPRESS.match(html.unescape(found[0])) else []
        elif (waiting := opened.get(name[2].lower())) and _is_pair(waiting[-1], found):
            removed += [waiting.pop().span(), found.span()]
    kept, place = [], 0
    for start, end in sorted(set(removed)):
        kept.append(fragment[place:start])
        place = end
    return "".join([*kept, fragment[place:]])


def _is_pair(opening: re.Match[str], closing: re.Match[str]) -> bool:
    """Return whether two tags are around something, unlike in "between [b] and [/b]" and "[code]...[/code]"."""
    text = opening.string
    if text[opening.end()].isspace() and text[closing.start() - 1].isspace():
        return False
    has_value = " " in opening[0] or "=" in opening[0]
    return has_value or _WORD.search(text, opening.end(), closing.start()) is not None


def _with_meaning(fragment: str) -> str:
    """Replace raised, lowered and quoted text in HTML by characters, and remove struck-out text."""
    opened: list[tuple[str, list[str]]] = [("", [])]  # the open elements, with what they contain
    last = 0
    for tag in _MEANING.finditer(fragment):
        name = tag[2].lower()
        opened[-1][1].append(fragment[last : tag.start()])
        last = tag.end()
        if not tag[1] and len(opened) < _DEEPEST:
            opened.append((name, []))
        elif tag[1] and name == opened[-1][0]:
            inside = "".join(opened.pop()[1])
            before = opened[-1][1]
            if name in ("sup", "sub"):
                before.append(_moved(name, inside, fragment[last : last + 1]))
            elif name == "q":
                before.append(f"‘{inside}’" if any(outer == "q" for outer, _ in opened) else f"“{inside}”")
            elif before and _PUNCTUATION.match(fragment, last):
                before[-1] = before[-1].rstrip(" ")
    return "".join([piece for _, pieces in opened for piece in pieces] + [fragment[last:]])


def _moved(name: str, inside: str, behind: str) -> str:
    text = _line(inside)
    return html.escape(raised(text, behind) if name == "sup" else lowered(text, behind), quote=False)


def _without_footnote_marks(fragment: str) -> str:
    """Remove footnote marks, and the spaces before marks that punctuation follows: "One [^1], two" becomes "One, two".

    A space between a mark and the punctuation is kept, since the writer typed it, as in French.
    """
    kept: list[str] = []
    begin, takes_space = len(fragment), False  # of the mark on the right, going from the last to the first
    for mark in reversed([found for found in _RAISED.finditer(fragment) if "footnote" in found[0].lower()]):
        between = fragment[mark.end() : begin]
        if kept and not between.strip(" \n"):
            between = "" if takes_space else between
        else:
            between = between.rstrip(" \n") if takes_space else between
            takes_space = _PUNCTUATION.match(fragment, mark.end()) is not None
        kept.append(between)
        begin = mark.start()
    first = fragment[:begin]
    kept.append(first.rstrip(" \n") if takes_space else first)
    return "".join(reversed(kept))


def plain_line(text: str) -> str:
    """Return a line of text from front matter without its Markdown or HTML markup, and without struck-out words.

    Text that only looks like markup stays: "The <b> element", f[i](x), 2**3, and everything in backticks.
    """
    text = without_comments(text)
    held: list[str] = []
    if "`" in text:
        held = _IN_CODE.findall(text)
        numbers = count()
        text = _IN_CODE.sub(lambda _: f"\x04{next(numbers)}\x05", text)
    if "~~" in text:
        text = " ".join(_STRUCK.sub(lambda found: "" if found[2] else found[0], text).split())
    if "](" in text:
        text = _LINK.sub(_without_link, text)
    if "**" in text:
        text = _STRONG.sub(lambda found: found[1] if found[2] else found[0], text)
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub(r"\1\2", text)
    if "<" in text or "&" in text:
        text = _without_tags(text)
    if held:
        text = _HELD.sub(lambda found: held[int(found[1])], text)
    return text


def _without_link(found: re.Match[str]) -> str:
    """Return the words of a link; f[i](x) and a[0](1) are not links."""
    before = found.string[found.start() - 1 : found.start()]
    is_glued = before in (")", "]") or (before.isascii() and (before.isalnum() or before == "_"))
    return found[0] if is_glued and not _TARGET.match(found[3]) else found[2]


def _without_tags(text: str) -> str:
    if "<" in text:
        text = _BREAKS.sub(" ", _without_active(text))
        if "</" in text and _MEANING.search(text):
            text = _with_meaning(text)
        text = _WITH_ATTRIBUTES.sub("", without_pairs(text))
    return " ".join(_ENTITY.sub(lambda found: html.unescape(found[0]), text).split())


def _without_active(text: str) -> str:
    """Remove scripts and styles. A single tag, as in "The <script> element", is text and stays."""
    return _ACTIVE.sub(lambda found: " " if found[2] else found[0], text)


# Stands for code, which is left as it is.
_HELD = patterns.compile("\x04([0-9]+)\x05")
_TARGET = patterns.compile(r"[a-z][a-z0-9+.-]*:|[/#.?]", re.IGNORECASE)
_ENTITY = patterns.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def decoded(text: str) -> str:
    """Return a title or name with its entities as characters, on one line. "AT&T" and "&copy 2026" stay as they are."""
    if "&" not in text:
        return text
    return without_controls(" ".join(_ENTITY.sub(lambda found: html.unescape(found[0]), text).split()))[0]


def without_pairs(text: str) -> str:
    """Return a title without pairs of tags. A single tag, as in "The <b> element", is text and stays."""
    if "</" not in text:
        return text
    text = _SCRIPT.sub(lambda found: _moved(found[1].lower(), found[2], text[found.end() : found.end() + 1]), text)
    opened: dict[str, list[re.Match[str]]] = {}  # the opening tags of each name
    pairs: list[tuple[re.Match[str], re.Match[str]]] = []
    for tag in _PAIRED.finditer(text):
        if not tag[2]:
            opened.setdefault(tag[1].lower(), []).append(tag)
        elif waiting := opened.get(tag[2].lower()):
            opening = waiting.pop()
            while pairs and tag[2].lower() == "code" and pairs[-1][0].start() > opening.start():
                pairs.pop()  # code may contain tags
            inside = text[opening.end() : opening.end() + 1] + text[tag.start() - 1 : tag.start()]
            if not inside.isspace():  # "Put it between <b> and </b>"
                pairs.append((opening, tag))
    kept, place = [], 0
    for tag in sorted((tag for pair in pairs for tag in pair), key=lambda tag: tag.start()):
        kept.append(text[place : tag.start()])
        place = tag.end()
    return "".join([*kept, text[place:]])


def is_visible(text: str) -> bool:
    """Return whether a text contains any visible character. Spaces and characters without width are not visible."""
    return any(map(str.isprintable, text.replace(" ", "")))


def says_more(excerpt: str, title: str) -> bool:
    """Return whether a description says something that the title of its post does not."""
    said, known = (_NOT_IN_WORDS.sub("", text).casefold() for text in (excerpt, title))
    return said not in ("", known)


def excerpt_of(fragment: str, limit: int = MOST_CHARACTERS) -> str:
    """Return the first paragraphs and list items of prose in a post's HTML as plain text, cut at a word.

    It is one block, or as many blocks as are needed to say something. A block that consists only of a picture and its
    caption, of a link, of addresses or of another tool's syntax is not prose; an alert is prose only if there is no
    other.
    """
    return shorten(_prose_of_beginning(fragment) or prose_of_whole(fragment), limit)


def prose_of_whole(fragment: str) -> str:
    """Return the first blocks of prose in a post's HTML, judging by the whole of it."""
    readable = _readable(fragment)
    prose = _prose(_ALERT.sub(" ", readable)) if "<div class=" in readable else ""
    return prose or _prose(readable) or _line(readable) or _title_of_frame(fragment)


def _prose_of_beginning(fragment: str) -> str:
    """Return the first blocks of prose if the beginning says enough, and nothing below can change them; else "".

    That is the case in most posts, and saves processing the whole text.
    """
    end = fragment.find("</p>", _SHORT, _LONGEST_BEGINNING) + 4
    beginning = fragment[:end] if end > _SHORT else ""
    if not _PLAIN_BEGINNING.fullmatch(beginning) or _MAYBE_FOREIGN.are_in(beginning):
        return ""
    prose = _prose(beginning)
    return prose if _is_enough(prose) else ""


def _prose(readable: str) -> str:
    """Return the first blocks of prose; "" if there are none."""
    found = ""
    for block in _BLOCK.finditer(readable):
        text = _line(block[1])
        if _is_prose(text, block[1]):
            found += ("" if not found or _is_unspaced(found[-1]) else " ") + text
            if _is_enough(found):
                break
    return found


def _is_enough(prose: str) -> bool:
    return len(prose) >= (_ENOUGH // 2 if _may_be_wide(prose) else _ENOUGH)


def _is_unspaced(char: str) -> bool:
    """Return whether a character is Chinese or Japanese, where sentences follow each other without a space."""
    return "\u3000" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uff00" <= char <= "\uff60"


def _title_of_frame(fragment: str) -> str:
    """Return the title of the first frame or film, for a post that has no other content."""
    title = _FRAME_TITLE.search(fragment)
    return " ".join(html.unescape(title[1]).split()) if title else ""


def _is_prose(text: str, markup: str) -> bool:
    """Return whether a block is prose: whether it has words besides links, addresses and the syntax of other tools."""
    if _MDX.match(text) or _MARKER.fullmatch(text) or not _WORD.search(text):
        return False
    if "<img" in markup and _CAPTION.fullmatch(markup):
        return False
    rest = _line(_ANCHOR.sub(" ", markup)) if "<a" in markup else text
    if _ADDRESS.search(text):
        rest = _ADDRESS.sub(" ", rest)
        return len(rest) > _LABEL if _may_be_wide(rest) else len(_WORD.findall(rest)) > _LABEL_WORDS
    return _WORD.search(rest) is not None or len(text) > _LONG_LINK


def count_words(fragment: str) -> int:
    """Return the number of words in an HTML fragment; two characters of a script without spaces count as one word."""
    text = " ".join(_TAG.split(fragment))  # as sub(" ", ...), in three quarters of its time
    if text.isascii():  # as split() does, in half the time
        return text.encode().translate(_SPACES_AND_SIGNS).count(b" x") + (not text[:1].isspace() and text != "")
    if not _may_be_wide(text):
        return len(text.split())
    text, wide = _WIDE.subn(" ", text)
    return len(text.split()) + (wide + 1) // 2


# A space for each character of ASCII that is one, and an x for any other.
_SPACES_AND_SIGNS = bytes(ord(" " if chr(code).isspace() else "x") for code in range(256))

# The syntax of other tools, which code may contain: Liquid and other templates, shortcodes, embedded files, containers,
# admonitions, and attribute lists after what they describe.
_FOREIGN = patterns.compile(
    r"[<{&!\[:?](?:(?<=<)code\b[^<>]*>(?:(?!</code>).)*+"
    r"|(?<=\{)%(?:(?!\{%|%\}).){0,1000}+%\}|(?<=\{)\{(?:(?!\{\{|\}\}).){0,1000}+\}\}|(?<=\{)#(?:(?!\{#|#\}).){0,1000}+#\}"
    r"|(?<=&)lt;%(?:(?!&lt;%|%&gt;).){0,1000}+%&gt;|(?<=!)\[\[[^\[\]<>]{1,300}\]\]"
    r"|(?<=\[)[A-Za-z][\w-]*+(?:[ \t=][^\[\]<>{}]{0,300})?\]|(?<=\[)/[A-Za-z][\w-]*+\]"
    r"|(?<=:)(?<![^\s>]:)::+[ \t]*(?:[A-Za-z][\w-]*+)?(?:\[[^\[\]<>]*\])?"
    r"|(?:(?<=>!)!!|(?<=>\?)\?\?\+?)[ \t]+[\w-]++(?:[ \t]+[\"“][^\"“”<>]*[\"”])?"
    r"|(?:(?<=>\{)|(?<=\n\{)|(?<=> \{)):?[ \t]*(?:[.#][\w-]|[\w-]{1,99}=)[^{}<>]{0,300}\})",
    re.DOTALL,
)


def _may_be_wide(text: str) -> bool:
    """Return whether a text may contain Hangul, or characters of scripts that are written without spaces."""
    return not text.isascii() and _MAYBE_WIDE.search(text) is not None


_MAYBE_WIDE = patterns.compile("[\u0e00-\u17ff\u3040-\ufaff]")
# One Thai, Lao, Burmese, Khmer, Chinese or Japanese character.
_WIDE = patterns.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
