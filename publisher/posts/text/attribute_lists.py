"""Attribute lists in braces: {: .x} of kramdown, {#x .y width=50%} of Pandoc, Goldmark, MkDocs and markdown-it.

Ids are kept as targets for links, and so are the sizes of pictures. All other attributes are for another site's style
sheet, and are removed. A picture's size may also be written as Obsidian's ![x|300](a.png) and as ![x](a.png =300x200).
"""

from __future__ import annotations

import re

from publisher.core import patterns
from publisher.posts.text.prose import cut, edited, line_counter, masked

# The pattern never backtracks, as otherwise a word could be read as several attributes in countless ways.
_ATTRIBUTE = r"""(?>[.#][\w-]+|[\w-]+\s*=\s*(?:"[^"]*"|'[^']*')|[A-Za-z][\w-]*)"""
_LIST_OF = rf"\{{:\s*(?:{_ATTRIBUTE}\s*+)++\}}"
_BLOCK_LIST = patterns.compile(rf"^[ \t>]*(?:{_LIST_OF}[ \t]*+)++$", re.MULTILINE)
_SPAN_LIST = patterns.compile(rf"(?<=[)\]*_`>~]){_LIST_OF}")
_DEFINITION = patterns.compile(rf"^[ ]{{0,3}}\{{:[\w-]+:\s*+(?:{_ATTRIBUTE}\s*+)*+\}}[ \t]*$", re.MULTILINE)
_ID = r"\{:?[ \t]*#([\w-]++)[^{}\n]*+\}[ \t]*$"
_HEADING_ID = patterns.compile(rf"^(#{{1,6}})[ \t]++([^\n{{]*+(?:(?!{_ID})\{{[^\n{{]*+)*+){_ID}", re.MULTILINE)
_COMMENT_EXTENSION = patterns.compile(r"\{::comment\}(?:(?!\{::comment\}).)*?\{:/(?:comment)?\}", re.DOTALL)
_EXTENSION = patterns.compile(r"\{::[a-z]+[^{}\n]*\}|\{:/[a-z]*\}")
_END_OF_BLOCK = patterns.compile(r"^\^[ \t]*$", re.MULTILINE)
_TOC_ITEM = patterns.compile(r"[ \t]*(?:[-*+]|\d+\.)[ \t]+\S")
_PARAGRAPH_LINE = patterns.compile(r"(?![ \t]{4})[ \t]*[^\s|>#*+-]")


# Lists without a colon. Each attribute begins with . or #, or is one of HTML's; {x} and {a=1} are text.
_NAME = (
    r"(?:class|id|style|width|height|align|target|rel|loading|decoding|title|alt|lang|dir|start|type|name|download|role"
    r"|sizes|srcset|border|layout|caption|linenos|key|out-width|(?:data|aria|fig|code|layout)-[\w-]{1,60})"
)
_PLAIN_ATTRIBUTE = rf"""(?>[.#][A-Za-z_][\w:-]*|{_NAME}=(?:"[^"\n{{}}]*"|'[^'\n{{}}]*'|[^\s{{}}"']+))"""
_PLAIN_LIST = rf"\{{[ \t]*(?:{_PLAIN_ATTRIBUTE}(?:[ \t]++|(?=\}})))++\}}"
_END_LIST = patterns.compile(rf"(?:{_PLAIN_LIST}|\{{-\}})[ \t#]*")
_SPAN = patterns.compile(rf"(?<=[)\]*_`]){_PLAIN_LIST}")
_BRACKETED_SPAN = patterns.compile(rf"(?<![!\]\\\w])\[([^\[\]\n]{{1,300}})\]{_PLAIN_LIST}")
_REFERENCE = patterns.compile(r"^ {0,3}\[([^\[\]\n]{1,300})\]:", re.MULTILINE)
_HEADING = patterns.compile(r"([ \t]{0,3}(?:>[ \t]?){0,9}[ ]{0,3}#{1,6}[ \t]+)(.*)")
_UNDERLINE = patterns.compile(r"[ ]{0,3}(?:=+|-+)[ \t]*")
_IN_LIST_ID = patterns.compile(r"(?<![\w=])(?:#|id[ \t]*=[ \t]*[\"']?)([\w:.-]+)")

# The lists that a tool recognises after the words of a paragraph or an item, and whether only in items.
_LAST_LIST = patterns.compile(rf"{_PLAIN_LIST}[ \t]*")
_COLON_LIST = patterns.compile(rf"{_LIST_OF}[ \t]*")
_EITHER_LIST = patterns.compile(rf"(?:{_LIST_OF}|{_PLAIN_LIST})[ \t]*")
_LISTS_BEHIND_WORDS = {
    "eleventy": (_LAST_LIST, False),
    "vitepress": (_LAST_LIST, False),
    "jekyll": (_COLON_LIST, False),
    "mkdocs": (_EITHER_LIST, True),
    "pelican": (_EITHER_LIST, True),
}
# The beginning of a line: of a list item, or of anything else but a table.
_ITEM = patterns.compile(r"[ \t>]{0,40}((?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?(?![ \t|])")

# Around the size of the picture in front of it. No body otherwise contains control characters.
_SIZE, _END_SIZE, _BY = "\x07", "\x08", "\x1f"
# Between them, digits and "%" are control characters too, not part of a word, since a heading's id is made from its
# words.
_SIGNS = str.maketrans({**{str(digit): chr(0x0E + digit) for digit in range(10)}, "%": "\x01"})
_WRITTEN = str.maketrans({sign: chr(digit) for digit, sign in _SIGNS.items()})
_LENGTH = r"([0-9]{1,5}(?:%|(?=px)|(?![\w.])))"
_WIDTH = patterns.compile(rf"(?<!max-)(?<!min-)\bwidth[ \t]*[=:][ \t]*[\"']?{_LENGTH}")
_HEIGHT = patterns.compile(rf"(?<!max-)(?<!min-)(?<!line-)\bheight[ \t]*[=:][ \t]*[\"']?{_LENGTH}")
_PICTURE = r"!\[[^\[\]\n]{0,500}\](?:\([^()\n]{0,1000}(?:\([^()\n]{0,300}\)[^()\n]{0,300})?\)|\[[^\[\]\n]{0,300}\])"
# After a link or a picture, any name is an attribute.
_VALUE = r"""(?:"[^"\n{}]*"|'[^'\n{}]*'|[^\s{}"']+)"""
_ANY_LIST = rf"\{{:?[ \t]*(?:(?>[.#][A-Za-z_][\w:-]*|[A-Za-z][\w-]*={_VALUE})(?:[ \t]++|(?=\}})))++\}}"
_MAYBE_LIST = patterns.compile(rf"\{{(?::[\s.#\w:/]|#|-\}}|[ \t]++#)|{_ANY_LIST}")
_SIZED = patterns.compile(rf"({_PICTURE})({_ANY_LIST})")
_BEHIND_LINK = patterns.compile(rf"(\]\([^()\n]{{0,1000}}(?:\([^()\n]{{0,300}}\)[^()\n]{{0,300}})?\))({_ANY_LIST})")
_SIZE_IN_ADDRESS = patterns.compile(
    r"(!\[[^\[\]\n]{0,500}\]\([^()\s]{1,1000}(?:[ \t]+\"[^\"\n]{0,300}\")?)"
    r"[ \t]+=([0-9]{1,5}%?)?x([0-9]{1,5}%?)?[ \t]*\)"
)
_SIZE_IN_WORDS = patterns.compile(
    r"!\[([^\[\]|\\\n]{0,500})\\?\|[ \t]*([0-9]{1,5})(?:x([0-9]{1,5}))?[ \t]*\](\([^()\n]{1,1000}\))"
)
_MARKED = patterns.compile(rf"(<img\b[^<>]*?)([ ]?/?>){_SIZE}([\x01\x0e-\x17]*){_BY}([\x01\x0e-\x17]*){_END_SIZE}")
_LOST_MARK = patterns.compile(rf"{_SIZE}[\x01\x0e-\x17\x1f ]*{_END_SIZE}")


def may_have_attributes(body: str) -> bool:
    """Return whether a body may have attribute lists or sizes of pictures. Most have none, and this is cheap."""
    return (
        ("{" in body and _MAYBE_LIST.search(body) is not None)
        or ("^" in body and "\n^" in body)
        or ("![" in body and _may_have_sizes(body))
    )


def _may_have_sizes(body: str) -> bool:
    return (" =" in body and _SIZE_IN_ADDRESS.search(body) is not None) or (
        "|" in body and _SIZE_IN_WORDS.search(body) is not None
    )


def without_attribute_lists(body: str, tool: str = "") -> str:
    """Return a body without attribute lists, with targets for the ids in them.

    The sizes of pictures become marks, which with_sizes() must later replace in the HTML.
    tool  the tool that the posts were written for, or ""; some tools also allow lists after the words of paragraphs or
          items
    """
    if "![" in body:
        body = _with_marks(body)
    if "{:" in body or "{#" in body or "\n^" in body:
        body = _without_kramdowns(body)
    if "{" in body and _MAYBE_LIST.search(body):
        body = _without_span_lists(body)
        body = edited(body, _BEHIND_LINK, lambda found: found[1] + _target_in(found[2]))
        body = edited(body, _SPAN, lambda found: _target_in(found[0]))
        body = _without_lists_at_ends(body)
        if tool in _LISTS_BEHIND_WORDS:
            body = _without_lists_behind_words(body, *_LISTS_BEHIND_WORDS[tool])
    return body


def with_sizes(fragment: str) -> str:
    """Return the HTML of a body with the sizes of pictures as attributes."""
    if _SIZE not in fragment:
        return fragment
    return _LOST_MARK.sub("", _MARKED.sub(_sized, fragment))


def _sized(found: re.Match[str]) -> str:
    sizes = (("width", found[3]), ("height", found[4]))
    written = "".join(f' {name}="{value.translate(_WRITTEN)}"' for name, value in sizes if value)
    return f"{found[1].rstrip()}{written}{found[2]}"


def _with_marks(body: str) -> str:
    """Put the size of each picture after it, as a mark."""
    if "{" in body and _MAYBE_LIST.search(body):
        body = edited(body, _SIZED, lambda found: f"{found[1]}{_size_in(found[2])}{_target_in(found[2])}")
    if " =" in body and _SIZE_IN_ADDRESS.search(body):
        body = edited(body, _SIZE_IN_ADDRESS, lambda found: f"{found[1]}){size_mark(found[2] or '', found[3] or '')}")
    if "|" in body and _SIZE_IN_WORDS.search(body):
        body = edited(
            body, _SIZE_IN_WORDS, lambda found: f"![{found[1].strip()}]{found[4]}{size_mark(found[2], found[3] or '')}"
        )
    return body


def _size_in(attributes: str) -> str:
    width, height = _WIDTH.search(attributes), _HEIGHT.search(attributes)
    return size_mark(width[1] if width else "", height[1] if height else "")


def size_mark(width: str, height: str) -> str:
    """Return the mark for the size of a picture, to be put after it; "" for a size that is not known."""
    return f"{_SIZE}{width.translate(_SIGNS)}{_BY}{height.translate(_SIGNS)}{_END_SIZE}" if width or height else ""


def _without_span_lists(body: str) -> str:
    """Return a body with only the words of [words]{.x}. Links and footnotes keep their brackets."""
    defined = {found[1].casefold() for found in _REFERENCE.finditer(body)} if "]:" in body else set()

    def words(found: re.Match[str]) -> str:
        """Return the words of a span without its attribute list."""
        is_link = found[1].startswith("^") or found[1].casefold() in defined
        return (f"[{found[1]}]" if is_link else found[1]) + _target_in(found[0][len(found[1]) + 2 :])

    return edited(body, _BRACKETED_SPAN, words)


def _without_lists_at_ends(body: str) -> str:
    """Remove the attribute lists at the ends of headings, and those on lines of their own below other text."""
    lines, view = body.split("\n"), masked(body).split("\n")
    for number, seen in enumerate(view):
        place = seen.rfind("{")
        if place < 0 or not _END_LIST.fullmatch(seen, place):
            continue
        line, name = lines[number], _IN_LIST_ID.search(lines[number], place)
        before = line[:place].rstrip()
        heading = _HEADING.match(before)
        if not before.strip(" \t>"):
            if number and line[place + 1] != "-" and lines[number - 1].strip(" \t>"):
                lines[number] = before
                if name:
                    _place_target(lines, number - 1, name[1])
        elif heading:
            lines[number] = f"{heading[1]}{_target(name[1]) if name else ''}{heading[2]}"
        elif number + 1 < len(lines) and _UNDERLINE.fullmatch(lines[number + 1]):
            lines[number] = f"{_target(name[1]) if name else ''}{before}"
    return "\n".join(lines)


def _without_lists_behind_words(body: str, pattern: re.Pattern[str], is_for_items: bool) -> str:
    """Remove the attribute lists at the ends of paragraphs and list items; is_for_items: only of list items."""
    lines, view = body.split("\n"), masked(body).split("\n")
    for number, seen in enumerate(view):
        place = seen.rfind("{")
        item = _ITEM.match(seen) if place > 0 and seen[:place].strip(" \t>|") else None
        if not item or (is_for_items and not item[1]) or not pattern.fullmatch(seen, place):
            continue
        following = view[number + 1] if number + 1 < len(view) else ""
        if following.strip() and not _TOC_ITEM.match(following):
            continue  # the paragraph continues
        line = lines[number]
        lines[number] = f"{line[: item.end()]}{_target_in(line[place:])}{line[item.end() : place].rstrip()}"
    return "\n".join(lines)


def _without_kramdowns(body: str) -> str:
    """Remove kramdown's attribute lists and end-of-block marks, but keep ids as targets for links."""
    body = cut(body, _END_OF_BLOCK)
    body = cut(body, _COMMENT_EXTENSION)
    body = cut(body, _EXTENSION)
    body = edited(body, _HEADING_ID, lambda m: f"{m[1]} {_target(m[4])}{m[2].rstrip()}")
    body = cut(body, _DEFINITION)
    body = _block_lists(body)
    return edited(body, _SPAN_LIST, lambda found: _target_in(found[0]) + "\n" * found[0].count("\n"))


def _target_in(attributes: str) -> str:
    """Return a target with the id in an attribute list; "" if it has none."""
    name = _IN_LIST_ID.search(attributes)
    return _target(name[1]) if name else ""


def _target(name: str) -> str:
    return f'<a id="{name}"></a>'


def _block_lists(body: str) -> str:
    """Remove attribute lists on lines of their own.

    An id moves to the line above. A placeholder for a table of contents is removed.
    """
    lines = body.split("\n")
    view = masked(body)
    line_of = line_counter(view)
    for found in _BLOCK_LIST.finditer(view):
        index = line_of(found.start()) - 1
        for number in range(index, line_of(found.end())):
            lines[number] = ""
        above = index - 1
        if above < 0:
            continue
        name = re.search(r"#([\w-]+)", found[0])
        if re.search(r"\{:\s*toc\b", found[0]) and _TOC_ITEM.match(lines[above]):
            lines[above] = ""
        elif name:
            _place_target(lines, above, name[1])
    return "\n".join(lines)


def _place_target(lines: list[str], above: int, name: str) -> None:
    line = lines[above]
    heading = re.match(r"(#{1,6}[ \t]+)(.*)", line)
    if heading:
        lines[above] = f"{heading[1]}{_target(name)}{heading[2]}"
    elif re.match(r"(=+|-+)[ \t]*$", line) and above and lines[above - 1].strip():
        lines[above - 1] = _target(name) + lines[above - 1]
    elif _PARAGRAPH_LINE.match(line):
        lines[above] = _target(name) + line
