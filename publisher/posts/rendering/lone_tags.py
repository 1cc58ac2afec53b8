"""Tags in a text that would swallow the text after them, and are shown as text instead.

A writer who says "Use the <title> tag" means the word. An HTML parser takes it for a tag, and everything up to a
closing tag that never comes for its content. GitHub shows such tags as text (GFM 6.11), and so does this module, before
the sanitiser sees them. Tags that are closed where they were opened stay HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import groupby, islice

from publisher.core import patterns
from publisher.posts.rendering.allowed_html import TAGS
from publisher.posts.rendering.lazy_media import END_NOSCRIPT, NOSCRIPT, is_lazy, loaded
from publisher.posts.rendering.mentioned_tags import CHECKBOX, MARK, VOID, Place, WrittenTag, may_mention, mentions
from publisher.posts.rendering.settled_tags import (
    CODE,
    LETTER,
    Hidden,
    SettledHtml,
    ShownTag,
    kept_text,
    removed_words,
)
from publisher.posts.text.prose import line_counter, masked, unclosed_raw_blocks

# A closed one is removed with its content, which is not text for readers.
_REMOVED = frozenset(("script", "style", "template", "svg", "math", "title", "textarea"))
# Most of GitHub's filter: always text in a sentence.
_FILTERED = frozenset(("title", "textarea", "xmp", "noembed", "noframes", "plaintext"))
# The parser or the browser hides what is in them, or has rules of its own for it. A lone one is text.
_PAIRED = _FILTERED | frozenset(
    ("noscript", "object", "select", "video", "audio", "details", "table", "pre", "rp", "frameset")
)
_UNWRAPPED = frozenset(("noscript", "object", "select"))
_IN_TABLES = frozenset(("caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"))
_NAMES = _REMOVED | _PAIRED | _IN_TABLES | {"iframe"}

_SUSPECT = patterns.compile(
    rf"</?(?:{'|'.join(sorted(_NAMES))})(?![\w-])|<[!?](?!--)|^[ \t>*+.)\d-]*+<(?:/?[a-z]|!--(?!.*-->))",
    re.IGNORECASE | re.MULTILINE,
)
_RAW = patterns.compile(r"<(?=/?(?:pre|script|style|textarea)\b)", re.IGNORECASE)
_ROW = patterns.compile(r"\s*+<(?:caption|col|colgroup|tbody|td|tfoot|th|thead|tr)\b", re.IGNORECASE)
_COMMENT_END = patterns.compile(r"--!?>")
_SPACE = patterns.compile(r"\s*+")
_MORE_WORDS = patterns.compile(r"[ \t]*[^\s<]")
# How many different tags are looked for in a body, to name their lines.
_MOST = 100
# In place of the "<" of some tags.
_HIDDEN = "\x19"
_SIGN = patterns.compile(r"<|&(?:amp;)*+lt;")
# As HTML's tokeniser reads a tag, but a "<" outside of quotes ends one that has no ">", so that each is read once.
_TAG = patterns.compile(
    r"</?([a-zA-Z][^\s/<>]*+)"
    r"((?:[\s/]++|[^\s/<>=][^\s/<>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s<>\"'][^\s<>]*+|(?=>)))?+)*+)(>?)"
)
_OWN_TAG = patterns.compile(r"<(/?)([a-z][a-z0-9]*+)[^<>]*+>")
_VOID = frozenset(("br", "hr", "img", "input", "col"))
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "dt"))
_ITEMS = frozenset(("li", "dd"))
_SPANS = frozenset(("em", "strong", "del", "a", "sup", "sub", "mark", "ins", "u", "s", "code"))
_SOURCE = patterns.compile(r"\b(?:src|data|srcset|srcdoc)\s*=", re.IGNORECASE)
_INSIDE = {"video": "<source", "audio": "<source"}
_QUIET = patterns.compile(r"<(?:!doctype html|\?xml|!\[(?:if|endif))", re.IGNORECASE)


@cache
def _end_of(opening: str, name: str) -> re.Pattern[str]:
    return re.compile(rf"<({opening}){name}(?=[\s/>])[^<>]*>?", re.IGNORECASE)


def may_swallow(written: str) -> bool:
    """Return whether a text has tags that `settle` might change. Most texts have none, and this is cheap."""
    return "<" in written and (is_lazy(written) or _SUSPECT.search(written) is not None or may_mention(written))


def settle_markdown(body: str, render: Callable[[str, bool], str]) -> SettledHtml:
    """Return a body as HTML, with lone tags as text.

    render  takes a body, and whether HTML in it should become text; returns it as HTML
    """
    lines = body.split("\n")
    for number in unclosed_raw_blocks(lines):  # what follows would not be Markdown (CommonMark 4.6, the first kind)
        lines[number] = lines[number].replace("<", f"{MARK}<", 1)
    body = "\n".join(lines)
    settled = settle(render(body, False), render(body, True))
    if settled.shown:
        settled.shown, edited = _placed(body, settled.shown)
        if edited != body:
            first, settled = settled.shown, settle(render(edited, False), render(edited, True))
            both = {(each.line, each.text): each for each in [*first, *_placed(edited, settled.shown)[0]]}
            settled.shown = [both[key] for key in sorted(both)]
    if settled.removed:
        settled.removed = sorted(_placed(body, settled.removed)[0], key=lambda each: each.line)
    settled.html = settled.html.replace(MARK, "")
    return settled


def _placed(body: str, shown: list[ShownTag]) -> tuple[list[ShownTag], str]:
    """Return the tags with their lines, and the body with marks before the tags that would begin a block of HTML."""
    view = masked(_RAW.sub(_HIDDEN, body)).replace(_HIDDEN, "<")
    line_of = line_counter(body)
    found, offsets = [], []
    for text, tags in islice(groupby(sorted(shown, key=lambda each: each.text), key=lambda each: each.text), _MOST):
        places = [match.start() for match in re.finditer(re.escape(text), view)]
        for tag in tags:
            if tag.number < len(places):
                found.append(ShownTag(text, tag.why, line=line_of(places[tag.number]), words=tag.words))
                offsets += [places[tag.number]] if tag.in_block else []
            else:
                found.append(ShownTag(text, tag.why, words=tag.words))
    pieces, last = [], 0
    for offset in sorted(offsets):
        pieces += [body[last:offset], MARK]
        last = offset
    return found, "".join([*pieces, body[last:]])


def settle(raw: str, escaped: str | None = None) -> SettledHtml:
    """Return the HTML with lone tags as text.

    escaped  the same text, rendered with the writer's HTML as text, which shows the tags that Markdown made;
             None if all of the HTML is the writer's
    """
    reader = _Reader(raw, escaped)
    reader.read()
    return reader.settled()


_NOT_CLOSED, _NOT_ALLOWED = "it is never closed", "it isn't allowed in a post"
_A_WORD = "it seems to be a word in the sentence"


class _Reader:
    """Reads the tags of a text, and collects the necessary changes."""

    def __init__(self, raw: str, escaped: str | None) -> None:
        self._raw, self._is_markdown = raw, escaped is not None
        self._line_of = line_counter(raw)
        signs = _SIGN.findall(escaped) if escaped is not None else []
        found = [(sign.start(), sign[0] == "<") for sign in _SIGN.finditer(raw)]
        known = len(signs) == len(found)
        self._starts = [(start, known and signs[index] == "<") for index, (start, is_tag) in enumerate(found) if is_tag]
        self._ends = self._next_own()
        self._stack: list[tuple[str, Place]] = [("", Place(0, False))]
        self._count = 0
        self._changes: list[tuple[int, int, str]] = []
        self._tags: list[WrittenTag] = []
        self._ordinary: list[WrittenTag] = []
        self._became_text: list[tuple[int, ShownTag]] = []
        self._hidden: list[Hidden] = []
        self._removed: dict[int, ShownTag] = {}  # by their start
        self._removed_names: set[str] = set()
        self._known: dict[int, tuple[int, bool]] = {}  # start of a tag -> its number, and whether it is in a block
        self._counts: Counter[str] = Counter()
        self._closings: dict[str, re.Match[str] | None] = {}  # the next closing tag of each name that was looked for
        self._searched: dict[str, int] = {}  # the end of the stretch in which it was looked for

    def _next_own(self) -> list[int]:
        """Return, for each "<", where the next tag that Markdown made begins."""
        ends, end = [], len(self._raw)
        for start, own in reversed(self._starts):
            ends.append(end)
            end = start if own else end
        return ends[::-1]

    def read(self) -> None:
        """Read all tags."""
        place = 0
        for (start, own), end in zip(self._starts, self._ends, strict=True):
            if start < place:
                continue
            place = self._own(start) if own else self._written(start, end)
        self._pair()
        self._mention()

    def settled(self) -> SettledHtml:
        """Return the text with all changes."""
        pieces, last = [], 0
        for start, end, text in sorted(self._changes):
            if start >= last:
                pieces += [self._raw[last:start], text]
                last = end
        html = "".join([*pieces, self._raw[last:]])
        html = loaded(html) if is_lazy(self._raw) else html
        return SettledHtml(
            html, [each for _, each in sorted(self._became_text)], self._hidden, list(self._removed.values())
        )

    def _own(self, start: int) -> int:
        tag = _OWN_TAG.match(self._raw, start)
        if tag is None:
            return start + 1
        name = tag[2]
        if tag[1]:
            while len(self._stack) > 1 and self._stack.pop()[0] != name:
                pass
        elif name not in _VOID:
            self._count += 1
            in_text = (
                name in _PARAGRAPHS
                or (name in _SPANS and self._stack[-1][1].in_text)
                or (name in _ITEMS and self._raw[tag.end() : tag.end() + 1] != "\n")
            )
            self._stack.append((name, Place(self._count, in_text)))
        return tag.end()

    def _written(self, start: int, end: int) -> int:
        """Read a tag or comment by the writer, which ends before `end`; return where to continue."""
        raw = self._raw
        if raw.startswith("<!--", start):
            return self._comment(start, end)
        if raw.startswith(("<!", "<?"), start):
            return self._declaration(start, end)
        tag = _TAG.match(raw, start, end)
        if tag is None:
            self._changes.append((start, start + 1, "&lt;"))
            return start + 1
        self._count_tag(start, tag[0])
        if not tag[3]:
            self._as_text(start, tag.end(), "its > is missing")
            return tag.end()
        found = WrittenTag(tag[1].lower(), raw[start + 1] == "/", start, tag.end(), tag[2], self._stack[-1][1])
        return self._sort(found, end)

    def _comment(self, start: int, end: int) -> int:
        raw = self._raw
        if raw.startswith((">", "->"), start + 4):
            return raw.index(">", start) + 1
        closing = _COMMENT_END.search(raw, start + 4, end)
        if closing:
            return closing.end()
        words = re.sub(r"<[^<>]*>|<!--", " ", raw[start:end]).split()
        if words:
            self._hidden.append(Hidden(len(words), " ".join(words[:8])))
        self._changes.append((start, end, ""))
        return end

    def _declaration(self, start: int, end: int) -> int:
        """Read <!DOCTYPE>, <?php ?> and the like, which browsers do not show: text in a sentence, removed elsewhere."""
        raw = self._raw
        mark = "?>" if raw[start + 1] == "?" else "]]>" if raw.startswith("<![CDATA[", start) else ">"
        stop = raw.find(mark, start, end)
        stop = end if stop < 0 else stop + len(mark)
        self._count_tag(start, raw[start:stop])
        is_text = mark == "]]>" or (self._is_markdown and (_MORE_WORDS.match(raw, stop) or raw[start + 2] in "= "))
        if self._stack[-1][1].in_text or is_text:
            self._as_text(start, stop, _NOT_ALLOWED)
        else:
            self._changes.append((start, stop, ""))
            name = re.match(r"[?!]?\[?\w*", raw[start + 1 : start + 20])
            if name and not _QUIET.match(raw, start):
                self._remove(start, stop, name[0], stop, is_named=True)
        return stop

    def _sort(self, tag: WrittenTag, end: int) -> int:
        """Handle a tag now if possible, or else put it aside for later; return where to continue."""
        if tag.name in _FILTERED and tag.place.in_text:
            self._as_text(tag.start, tag.end, _NOT_ALLOWED)
        elif tag.name in _REMOVED or tag.name == "iframe":
            return self._with_content(tag, end)
        elif tag.name in _PAIRED or tag.name in _IN_TABLES:
            self._tags.append(tag)
        else:
            self._ordinary.append(tag)
        return tag.end

    def _with_content(self, tag: WrittenTag, end: int) -> int:
        """Read an element whose content is not read as HTML, up to its closing tag; return where to continue."""
        if tag.closing:
            if tag.place.in_text:
                self._show(tag, _NOT_ALLOWED if tag.name in _REMOVED else "")
            return tag.end
        closing = self._closing(tag, end)
        is_bare = tag.is_bare
        if tag.closes_itself and (not is_bare or tag.name in ("svg", "math")) and not self._is_empty(tag, closing):
            self._changes.append((tag.end, tag.end, f"</{tag.name}>"))
            return tag.end
        if closing is None or (is_bare and self._is_mentioned(tag, closing)):
            self._show(tag, _NOT_ALLOWED if closing and tag.name in _REMOVED else "")
            return tag.end
        self._counts[closing[0]] += 1
        if tag.name not in ("iframe", "svg", "math"):
            self._changes.append((tag.start, closing.end(), kept_text(tag.name, self._raw, tag.end, closing.start())))
        if tag.name not in ("iframe", "math"):
            self._remove(tag.start, tag.end, tag.name, closing.start())
        return closing.end()

    def _remove(self, start: int, end: int, name: str, stop: int, *, is_named: bool = False) -> None:
        """Record what is removed: a tag up to `end`, content up to `stop`. is_named: record it even without words."""
        words = removed_words(name, self._raw, end, stop) if not is_named else ""
        if words or is_named or name not in self._removed_names:
            self._removed[start] = self._shown(start, end, name)._replace(words=words)
            self._removed_names.add(name)

    def _is_empty(self, tag: WrittenTag, closing: re.Match[str] | None) -> bool:
        space = _SPACE.match(self._raw, tag.end)
        return closing is not None and space is not None and space.end() == closing.start()

    def _is_mentioned(self, tag: WrittenTag, closing: re.Match[str]) -> bool:
        """Return whether two tags without attributes are only mentioned: "Between <script> and </script> is code"."""
        if tag.name == "iframe":
            return tag.place.in_text or not self._is_empty(tag, closing)
        between = (tag.end, closing.start())
        if CODE.search(self._raw, *between) or not LETTER.search(self._raw, *between):
            return False
        begins_sentence = self._is_markdown and _MORE_WORDS.match(self._raw, closing.end()) is not None
        return tag.place.in_text or (begins_sentence and tag.name in ("script", "style"))

    def _closing(self, tag: WrittenTag, end: int) -> re.Match[str] | None:
        """Return the closing tag of an element whose content is not HTML; None if there is none before `end`."""
        found = self._closings.get(tag.name)
        if tag.name not in self._closings or (found and found.start() < tag.end) or self._searched[tag.name] != end:
            opening = "/?" if tag.name == "iframe" else "/"  # a frame in a frame means that the first was not closed
            found = _end_of(opening, tag.name).search(self._raw, tag.end, end)
            self._closings[tag.name], self._searched[tag.name] = found, end
        return found if found and found[1] else None

    def _pair(self) -> None:
        """Find the pairs among the elements whose content is HTML, and show the others as text."""
        waiting: dict[str, list[WrittenTag]] = {}
        pairs: list[tuple[WrittenTag, WrittenTag]] = []
        for tag in self._tags:
            opened = waiting.setdefault(tag.name, [])
            if tag.name in _IN_TABLES or not tag.closing:
                opened.append(tag)
            elif opening := self._opening(tag, opened):
                pairs.append((opening, tag))
        for name, left in waiting.items():
            for tag in left if name not in _IN_TABLES else ():
                self._alone(tag)
        for opening, closing in pairs:
            self._settle_pair(opening, closing)
        self._outside_tables([(a.start, b.end) for a, b in pairs if a.name == "table"])

    def _opening(self, closing: WrittenTag, opened: list[WrittenTag]) -> WrittenTag | None:
        """Return the opening tag for a closing one. A tag opened in another sentence counts as never closed."""
        while opened and opened[-1].place.in_text and opened[-1].place != closing.place:
            self._show(opened.pop())
        if opened:
            return opened.pop()
        if closing.place.in_text:
            self._show(closing)
        return None

    def _alone(self, tag: WrittenTag) -> None:
        if tag.closes_itself and _SOURCE.search(tag.attributes):
            self._changes.append((tag.end, tag.end, f"</{tag.name}>"))
        elif tag.name != "table" or not _ROW.match(self._raw, tag.end):
            self._show(tag)

    def _settle_pair(self, opening: WrittenTag, closing: WrittenTag) -> None:
        inside = self._raw[opening.end : closing.start] if opening.name in _INSIDE else ""
        hides = opening.name in _INSIDE and not opening.attributes.strip() and inside.strip() != ""
        if hides and _INSIDE[opening.name] not in inside.lower():
            self._show(opening, "it has no content to show")
            self._show(closing, "it has no content to show")
        elif opening.name in _UNWRAPPED:
            is_noscript = opening.name == "noscript"
            if not is_noscript:
                self._remove(opening.start, opening.end, opening.name, opening.end)
            for tag, sign in ((opening, NOSCRIPT), (closing, END_NOSCRIPT)):
                self._changes.append((tag.start, tag.end, sign if is_noscript else ""))

    def _outside_tables(self, tables: list[tuple[int, int]]) -> None:
        """Show the tags of table parts in a sentence as text, unless they are inside a table that the writer made."""
        tables.sort(reverse=True)
        end = 0
        for tag in self._tags:
            while tables and tables[-1][0] < tag.start:
                end = max(end, tables.pop()[1])
            if tag.name in _IN_TABLES and tag.place.in_text and tag.start >= end:
                self._show(tag)

    def _mention(self) -> None:
        """Show as text the ordinary tags that a sentence mentions."""
        shown: set[int] = set()
        for mention in mentions(self._raw, self._ordinary):
            tag = mention.tag
            shown.add(tag.start)
            if mention.is_text:
                self._show(tag, _NOT_ALLOWED if tag.name not in TAGS else _A_WORD if tag.name in VOID else "")
            else:
                self._changes.append((tag.end, tag.end, f"</{tag.name}>"))
        for tag in self._ordinary:
            if tag.name in ("option", "optgroup") and tag.start not in shown:
                self._changes.append((tag.start, tag.end, "\n"))
            elif tag.name == "input" and tag.start not in shown and not CHECKBOX.search(tag.attributes):
                self._remove(tag.start, tag.end, tag.name, tag.end)

    def _count_tag(self, start: int, text: str) -> None:
        self._known[start] = self._counts[text], not self._stack[-1][1].in_text
        self._counts[text] += 1

    def _show(self, tag: WrittenTag, why: str = "") -> None:
        self._as_text(tag.start, tag.end, why or ("it was never opened" if tag.closing else _NOT_CLOSED))

    def _as_text(self, start: int, end: int, why: str) -> None:
        text = self._raw[start:end]
        self._changes.append((start, end, text.replace("<", "&lt;").replace(">", "&gt;")))
        self._became_text.append((start, self._shown(start, end, why)))

    def _shown(self, start: int, end: int, why: str) -> ShownTag:
        line = 0 if self._is_markdown else self._line_of(start)
        return ShownTag(self._raw[start:end], why, *self._known[start], line)
