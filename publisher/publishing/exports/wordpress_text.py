"""The text of a post in WordPress' own form becomes plain HTML.

The old editor of WordPress writes no paragraphs: a blank line separates them (wpautop in WordPress' formatting.php).
The new one writes comments around each block. Both write shortcodes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from html import escape, unescape

from publisher.publishing.exports.wordpress_library import Library, footnotes_of, values_of

# Elements that separate paragraphs, and those of them that contain paragraphs themselves.
_BLOCKS = (
    "address|article|aside|blockquote|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr"
    "|iframe|li|main|nav|ol|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul|video|audio"
)
_HOLD = frozenset(("blockquote", "div", "section", "article", "main", "center", "details", "aside", "header", "footer"))
_VOID = frozenset(("hr",))
_BLOCK_TAG = re.compile(rf"<(/?)({_BLOCKS})\b[^<>]*>", re.IGNORECASE)
_PRE = re.compile(r"<(pre|script|style|textarea)\b", re.IGNORECASE)
_COMMENT = re.compile(r"<!--[^<>]{0,200}-->")
_BLOCK_COMMENT = re.compile(r"<!--\s{0,3}/?wp:([a-z][a-z0-9/-]{0,80})\s?[^<>]*+>")
_LONE_URL = re.compile(r"^[ \t]{0,20}(https?://[^\s<>\"]{1,2000})[ \t]{0,20}$", re.MULTILINE)
_EMBED_OF_BLOCK = re.compile(
    r"<div class=\"wp-block-embed__wrapper\">\s{0,9}(https?://[^\s<>\"]{1,2000})\s{0,9}</div>", re.IGNORECASE
)
_SHORTCODE = re.compile(r"\[(/?)([a-z][a-z0-9_-]{1,40})((?:\s[^\[\]<>]{0,1000})?)(/?)\]", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"([a-z_][a-z0-9_-]{0,30})\s{0,3}=\s{0,3}(?:\"([^\"]{0,1000})\"|'([^']{0,1000})'|([^\s\"']{1,500}))", re.IGNORECASE
)
_PICTURE = re.compile(
    r"\s{0,50}((?:<a\s[^<>]{0,3000}>\s{0,50})?<img\s[^<>]{0,20000}>(?:\s{0,50}</a>)?)(.*)", re.IGNORECASE | re.DOTALL
)
_LATEX = re.compile(r"\$latex[=\s]\s{0,20}((?:[^$<>\\]|\\[^<>]){1,5000}+)\$")
# How large and in which colours a formula was shown.
_LATEX_LOOK = re.compile(r"(?:&(?:amp;|#0?38;)?(?:bg|fg|s|zoom)=[0-9a-z.-]{1,20}){1,5}\s{0,9}$", re.IGNORECASE)
_MOST_PARTS = 100_000


def html_of(written: str, library: Library, post: str = "", footnotes: str = "") -> tuple[str, Counter[str]]:
    """Return the HTML of a text, and the parts that have no place in a file, with the number of each.

    library    the pictures, posts and blocks that the text refers to by number
    post       the number of its post
    footnotes  its footnotes, as WordPress keeps them
    """
    left: Counter[str] = Counter()
    text = written.replace("\r\n", "\n").replace("\r", "\n")
    shortcodes = _Shortcodes(library, post, left)
    notes = footnotes_of(footnotes, left) if footnotes else ""
    if "<!-- wp:" in text:
        text = _EMBED_OF_BLOCK.sub(lambda found: _link(found[1]), _without_comments(text, notes, left))
        html = re.sub(r"\n{3,}", "\n\n", shortcodes.replaced(_with_formulas(text))).strip()
    else:
        text = shortcodes.replaced(_with_formulas(text))
        html = _paragraphs(_LONE_URL.sub(lambda found: _link(found[1]), text))
    if notes and "data-fn=" in html and notes not in html:
        html = f"{html}\n{notes}"
    return html, left


def _without_comments(text: str, footnotes: str, left: Counter[str]) -> str:
    """Remove the comments around blocks; count the blocks whose text WordPress makes on each request."""

    def removed(found: re.Match[str]) -> str:
        """Return the replacement of a comment of the block editor."""
        name = found[1].rstrip("/-")
        if not found[0].endswith("/-->") or name in _EMPTY:
            return ""
        if name == "footnotes":
            return footnotes
        start = found[0].find("{")
        values = values_of(found[0][start : found[0].rfind("}") + 1]) if start >= 0 else {}
        if made := _of_attributes(name, values):
            return made
        left[f"blocks that WordPress fills on each request{f': {name}' if '/' in name else ''}"] += 1
        return ""

    return _BLOCK_COMMENT.sub(removed, text)


def _of_attributes(name: str, values: Mapping[str, object]) -> str:
    """Return the HTML of a block whose attributes contain all that it shows; "" if it isn't known."""
    tex, url = values.get("latex"), values.get("url")
    if isinstance(tex, str) and tex.strip():
        return f"<p>$${escape(tex.strip(), quote=False)}$$</p>"
    if name == "social-link" and isinstance(url, str) and url.startswith(("https://", "http://")):
        label = str(values.get("label") or values.get("service") or url)
        return f'<li><a href="{escape(url)}">{escape(label)}</a></li>'
    return ""


def _with_formulas(text: str) -> str:
    """Write formulas of WordPress.com, $latex x^2&s=1$, as $x^2$."""
    if "$latex" not in text:
        return text
    return _LATEX.sub(lambda found: f"${_LATEX_LOOK.sub('', found[1]).strip()}$", text)


def _link(url: str) -> str:
    return f'<a href="{url}">{url}</a>'


class _Shortcodes:
    """WordPress' own shortcodes in the text of a post. Others stay, and `publisher check` names them."""

    def __init__(self, library: Library, post: str, left: Counter[str]) -> None:
        self._library, self._post, self._left = library, post, left

    def replaced(self, text: str) -> str:
        """Return a text with its shortcodes replaced by HTML."""
        if "[" not in text:
            return text
        tags = list(_SHORTCODE.finditer(text))[:_MOST_PARTS]
        closing = _closing(tags)
        pieces, last = [], 0
        for number, tag in enumerate(tags):
            if tag.start() < last or tag[1]:
                continue
            name = tag[2].lower()
            ends = closing.get(name, [])
            while ends and ends[-1] < number:
                ends.pop()
            end = tags[ends[-1]] if ends and name in _WITH_TEXT else None
            inside = text[tag.end() : end.start()] if end else ""
            made = self._made(name, _attributes(tag[3]), inside)
            if made is not None:
                pieces += [text[last : tag.start()], made]
                last = end.end() if end else tag.end()
        return "".join([*pieces, text[last:]])

    def _made(self, name: str, values: Mapping[str, str], inside: str) -> str | None:
        """Return the HTML of a shortcode; None if it isn't one of WordPress' own."""
        if name in ("caption", "wp_caption"):
            return _figure(inside, values.get("caption", ""))
        if name == "gallery":
            return self._library.gallery(values, self._post, self._left)
        if name == "playlist":
            return self._library.playlist(values, self._left)
        if name == "latex":
            return f"${inside.strip()}$" if inside.strip() else None
        return _made(name, values, inside)


_WITH_TEXT = frozenset(
    ("caption", "embed", "code", "sourcecode", "wp_caption", "audio", "video", "gallery", "playlist", "latex")
)
# Blocks without words.
_EMPTY = frozenset(("nextpage", "more", "spacer", "separator", "shortcode", "jetpack/paywall"))


def _closing(tags: list[re.Match[str]]) -> dict[str, list[int]]:
    """Return the positions of closing tags in a list of tags, by name, last first."""
    found: dict[str, list[int]] = {}
    for number in range(len(tags) - 1, -1, -1):
        if tags[number][1]:
            found.setdefault(tags[number][2].lower(), []).append(number)
    return found


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): unescape(one or two or three) for name, one, two, three in _ATTRIBUTE.findall(text)}


def _made(name: str, values: Mapping[str, str], inside: str) -> str | None:
    """Return the HTML of a shortcode that refers to nothing by number; None if it isn't one of WordPress' own."""
    if name in ("code", "sourcecode"):
        language = values.get("lang") or values.get("language") or ""
        kind = f' class="language-{escape(language)}"' if language else ""
        return f"<pre><code{kind}>{inside.strip(chr(10))}</code></pre>"
    if name == "embed":
        return _link(inside.strip()) if inside.strip().startswith("http") else inside
    source = next((values[key] for key in ("src", "mp3", "m4a", "ogg", "mp4", "webm") if key in values), "")
    if name in ("audio", "video") and source:
        return f'<{name} controls src="{escape(source)}"></{name}>'
    return None


def _figure(inside: str, words: str) -> str:
    """Return a picture, which may be a link, with its caption, which may have markup."""
    found = _PICTURE.match(inside)
    picture, behind = (found[1], found[2]) if found else (inside.strip(), "")
    words = words.strip() or behind.strip()
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>" if picture and words else inside


def _paragraphs(text: str) -> str:
    """Return a text in which blank lines separate paragraphs as HTML."""
    kept, text = _taken_out(text)
    pieces: list[str] = []
    open_tags: list[str] = []
    last = 0
    for tag in _BLOCK_TAG.finditer(text):
        pieces.append(_inline(text[last : tag.start()], open_tags))
        pieces.append(tag[0])
        name = tag[2].lower()
        if not tag[1] and name not in _VOID and not tag[0].endswith("/>"):
            open_tags.append(name)
        elif tag[1] and name in open_tags[-20:]:
            while open_tags.pop() != name:
                pass
        last = tag.end()
    pieces.append(_inline(text[last:], open_tags))
    joined = "".join(pieces).strip()
    return re.sub(r"\x00(\d+)\x00", lambda found: kept[int(found[1])], joined)


def _taken_out(text: str) -> tuple[list[str], str]:
    """Take out the parts whose line breaks must stay: preformatted text and comments."""
    kept: list[str] = []

    def keep(part: str) -> str:
        """Keep a part, and return the mark that stands for it."""
        kept.append(part)
        return f"\x00{len(kept) - 1}\x00"

    text = text.replace("\x00", "")
    pieces, last = [], 0
    for start in _PRE.finditer(text):
        if start.start() < last:
            continue
        end = text.lower().find(f"</{start[1].lower()}>", start.end())
        if end < 0:
            break
        end += len(start[1]) + 3
        pieces += [text[last : start.start()], "\n\n", keep(text[start.start() : end]), "\n\n"]
        last = end
    text = "".join([*pieces, text[last:]])
    return kept, _COMMENT.sub(lambda found: keep(found[0]), text)


def _inline(text: str, open_tags: list[str]) -> str:
    """Return the text between two tags of blocks, with paragraphs if the element around it may contain them."""
    if not text.strip():
        return "\n" if text else ""
    if open_tags and open_tags[-1] not in _HOLD:
        is_cell = open_tags[-1] in ("li", "td", "th", "dd", "figcaption", "p")
        return re.sub(r"\n(?=[^\n])", "<br>\n", text.strip("\n")) if is_cell and open_tags[-1] == "p" else text
    parts: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            parts[-1].append(line.strip())
        elif parts[-1]:
            parts.append([])
    return "\n" + "\n".join(_paragraph("\n".join(part)) for part in parts if part) + "\n"


def _paragraph(part: str) -> str:
    if re.fullmatch(r"(?:\x00\d+\x00\s*)+", part):
        return part
    lines = re.sub(r"(?<!<br>)\n", "<br>\n", re.sub(r"<br ?/?>\n", "<br>\n", part))
    return f"<p>{lines}</p>"
