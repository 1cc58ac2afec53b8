"""The syntax of other tools in a body, which is converted if possible, and otherwise reported with its line.

Jekyll's {% raw %}, {% highlight %}, {% link %}, {% post_url %} and {{ site.url }} work as in Jekyll. Kramdown's
attribute lists are removed, or become targets for links. Other Liquid, Hugo's shortcodes, MDX and merge tags stay in
the text, with a warning. Every step keeps the number of lines, so that a warning names the line that the writer sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from publisher.config import Tool
from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.core.personal_templates import tags_of
from publisher.posts.text.attribute_lists import may_have_attributes, without_attribute_lists
from publisher.posts.text.merge_tags import LIQUID, MERGE_TAG, PHP, SHORTCODE, WORDPRESS
from publisher.posts.text.prose import cut, line_counter, masked


@dataclass(frozen=True, slots=True)
class Leftover:
    """Syntax of another tool that stays in the text unchanged.

    what   a description of the syntax, with which a warning begins
    lines  the lines of the body (from 1) that contain it
    tags   the names of the tags that `what` mentions
    """

    what: str
    lines: tuple[int, ...]
    tags: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """The hint that a warning about it gives."""
        if self.what.startswith(_PERSONAL):
            return (
                "they work only in emails, notes and posts with `page: false`; an edition that shows one is put on hold"
            )
        if self.what.startswith(_SHORTCODES):
            name = re.search(r"\{\{[<%] /?([\w./-]+)", self.what)
            return f"add templates/shortcodes/{name[1] if name else 'NAME'}.html, or write it in Markdown"
        return "write it in Markdown, or put it in backticks if readers should see it"


_PERSONAL = "tags about the subscriber have no effect here, and are shown as they are"
_SHORTCODES = "shortcodes without a template are shown as is"
# Takes the name of a post's file as another tool spells it; returns the URL of that post, or None.
Resolve = Callable[[str], str | None]


def carry_over(body: str, site_url: str, resolve: Resolve | None, tool: Tool = "") -> tuple[str, list[Leftover]]:
    """Convert the syntax of other tools in a body; return the new body, and the syntax that could not be converted.

    resolve  None if Liquid was already run, so that any Liquid left over stays, and has been reported
    tool     the tool that the posts were written for, or ""
    """
    if resolve and ("{%" in body or "{{" in body):
        body = _blocks(body)
        body = _known_values(body, site_url, resolve)
    if may_have_attributes(body):
        body = without_attribute_lists(body, tool)
    if "toc" in body.lower() and not _TOC_DEFINED.search(body):
        body = cut(body, _TOC)
    leftovers = _leftovers(body, tool, has_run=resolve is None)
    return body.replace(_RAW_VALUE, "{{").replace(_RAW_TAG, "{%"), leftovers


# The placeholders of Pelican, Typora, GitLab, VitePress and others for a table of contents.
_TOC = patterns.compile(
    r"^[ ]{0,3}(?:\[\[?_?toc_?\]\]?|\$\{toc\}|@\[toc\](?:\([^()\n]*\))?|__toc__)[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_TOC_DEFINED = patterns.compile(r"^[ ]{0,3}\[toc\]:", re.IGNORECASE | re.MULTILINE)

_BLOCK_TAG = patterns.compile(r"\{%-?\s*(?:(raw|highlight|comment)\b([^%]*?)|end(raw|highlight|comment)\s*)-?%\}")
_INNER_RAW = patterns.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")

# How much of the text before and after a block is looked at, to see whether the block has lines of its own.
_WIDEST_INDENT = 500

# Placeholders for the {{ and {% in raw blocks, which are plain text. A body has no other control characters. Those of
# formulas are in tex.
_RAW_VALUE, _RAW_TAG = "\x02", "\x03"


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of Liquid: its opening tag, and the next closing tag of the same kind."""

    opening: re.Match[str]
    closing: re.Match[str]

    @property
    def inside(self) -> str:
        """The text between the opening and the closing tag."""
        return self.opening.string[self.opening.end() : self.closing.start()]


def _blocks(body: str) -> str:
    """Convert raw blocks, and also highlight and comment outside code; hide raw text from the later steps."""
    blocks = list(_find_blocks(body))
    outline = masked(_with_changes(body, [(b.opening.end(), b.closing.start(), _blank(b.inside)) for b in blocks]))

    def replaced(block: _Block) -> str:
        """Return the replacement for a block."""
        kind, inside = block.opening[1], block.inside
        if kind == "raw":
            return _raw(inside)
        if outline[block.opening.start()] != "{":
            return block.opening.string[block.opening.start() : block.closing.end()]
        if kind == "comment":
            return "\n" * inside.count("\n")
        language = block.opening[2].split()[0] if block.opening[2].split() else ""
        return _highlighted(block, _raw(_INNER_RAW.sub("", inside)), language)

    return _with_changes(body, [(b.opening.start(), b.closing.end(), replaced(b)) for b in blocks])


def _find_blocks(body: str) -> Iterator[_Block]:
    """Yield the blocks in a body, except blocks within blocks."""
    tags = list(_BLOCK_TAG.finditer(body))
    closing: dict[str, re.Match[str]] = {}
    blocks: list[_Block] = []
    for tag in reversed(tags):
        if tag[3]:
            closing[tag[3]] = tag
        elif tag[1] in closing:
            blocks.append(_Block(tag, closing[tag[1]]))
    end = 0
    for block in reversed(blocks):
        if block.opening.start() >= end:
            yield block
            end = block.closing.end()


def _with_changes(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """Return the text with these changes, which are in order; each replaces the text between two offsets."""
    pieces, last = [], 0
    for start, end, words in changes:
        pieces += [text[last:start], words]
        last = end
    return "".join([*pieces, text[last:]])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _raw(text: str) -> str:
    return text.replace("{{", _RAW_VALUE).replace("{%", _RAW_TAG)


def _highlighted(block: _Block, code: str, language: str) -> str:
    text, start, end = block.opening.string, block.opening.start(), block.closing.end()
    before = text[max(0, start - _WIDEST_INDENT) : start].rpartition("\n")[2]
    return code_block(code, language, before, text[end : end + _WIDEST_INDENT].partition("\n")[0])


def code_block(code: str, language: str, before: str, behind: str) -> str:
    """Return code between fences that are longer than any inside it, or in <pre> if its tags share lines with text.

    before, behind  the rest of the line before the opening tag, and after the closing one
    """
    if (before + behind).strip() or not re.match(r"[ \t]*\n", code) or not re.search(r"\n[ \t]*$", code):
        first = "\n" if code.startswith("\n") else ""
        escaped = re.sub(r"[^\w\s\x02-\x06\x0e-\x17]", lambda char: f"&#{ord(char[0])};", code.removeprefix("\n"))
        return f'<pre>{first}<code class="language-{language}">{escaped}</code></pre>'
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return fence + language + code.strip(" \t") + before + fence


_SITE = patterns.compile(r"\{\{-?\s*site\.(?:url\s*-?\}\}(?:\{\{-?\s*site\.baseurl\s*-?\}\})?|baseurl\s*-?\}\})")
_LINK = patterns.compile(r"\{%-?\s*(?:link|post_url)\s+([^%\s]+)\s*-?%\}")
_FILTERED = patterns.compile(r"""\{\{-?\s*["']([^"'{}]*)["']\s*\|\s*(?:relative_url|absolute_url|url)\s*-?\}\}""")


def _known_values(body: str, site_url: str, resolve: Resolve) -> str:
    """Insert the values that we know: the site's URL, and the URLs of its posts.

    If a post uses Liquid in its prose, Liquid in its code is replaced too. A post about Liquid has it only in code.
    """
    if not LIQUID.search(masked(body)):
        return body
    base = urlsplit(site_url).path
    for pattern, value in (
        (_SITE, lambda match: site_url),
        (_FILTERED, lambda match: f"{base}/{match[1].lstrip('/')}"),
        (_LINK, lambda match: resolve(match[1]) or match[0]),
    ):
        body = pattern.sub(value, body)
    return body


_MDX = patterns.compile(
    r"^(?:import[ \t](?=.*[ \t]from[ \t]+['\"].).*['\"];?|export[ \t]+(?:const|default|function)\b.*)$"
    r"|<[A-Z](?=[A-Za-z0-9]*[a-z])[A-Za-z0-9]*+(?:\.[A-Z]\w*+)?(?=[\s/>])[^<>\n]*>",
    re.MULTILINE,
)
_COMMENT = patterns.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FAMILIES = (
    ("", LIQUID),
    (_SHORTCODES, SHORTCODE),
    ("MDX is not supported and will be shown as is", _MDX),
    ("merge tags are not supported and will be shown as is", MERGE_TAG),
    ("WordPress's shortcodes are not supported and will be shown as is", WORDPRESS),
    ("PHP is not run, and is removed or shown as is", PHP),
)
# The language of {{ }} and {% %} for each tool. For the others it is Liquid, which people write by habit.
_VALUES: Mapping[Tool, str] = {
    "astro": "template code",
    "docusaurus": "template code",
    "hexo": "Nunjucks",
    "hugo": "Go template code",
    "mkdocs": "Jinja",
    "obsidian": "template code",
    "pelican": "Jinja",
    "quarto": "template code",
    "vitepress": "Vue's {{ }}",
    "zola": "Tera",
}
_TAGS: Mapping[Tool, str] = {tool: _VALUES[tool] for tool in ("hexo", "mkdocs", "pelican", "zola")}


def _leftovers(body: str, tool: Tool, has_run: bool) -> list[Leftover]:
    body = _COMMENT.sub(lambda match: _blank(match[0]), body)
    view = masked(body)
    found: list[Leftover] = []
    for what, pattern in _FAMILIES:
        hits = _hits(pattern, view) if pattern is not LIQUID or not has_run else []
        if hits and pattern is WORDPRESS:
            hits = [hit for hit in hits if f"{hit[1]}:" not in view]  # an address in a link
        if hits and pattern is LIQUID:
            hits = _hits(pattern, body)  # in code too; see _known_values
            found += _templates(hits, tool)
        elif hits:
            found.append(_leftover(what, hits))
    return found


def _templates(hits: list[tuple[int, str]], tool: Tool) -> Iterator[Leftover]:
    """Yield the templates that are left in a body, by the name of the tool's template language."""
    by_name: dict[str, list[tuple[int, str]]] = {}
    personal = set(tags_of(text for _, text in hits))
    if personal:
        yield _leftover(_PERSONAL, [hit for hit in hits if hit[1] in personal])
    for hit in hits:
        if hit[1] in personal:
            continue
        names = _VALUES if hit[1].startswith("{{") else _TAGS
        by_name.setdefault(names.get(tool, "Liquid"), []).append(hit)
    for name, some in by_name.items():
        yield _leftover(f"{name} is not supported and will be shown as is", some)


def _hits(pattern: re.Pattern[str], text: str) -> list[tuple[int, str]]:
    found = list(pattern.finditer(text))
    line_of = line_counter(text) if found else None
    return [(line_of(match.start()), " ".join(match[0].split())) for match in found] if line_of else []


def _leftover(family: str, hits: list[tuple[int, str]]) -> Leftover:
    names = list(dict.fromkeys(_name(what) for _, what in hits))
    more = len(names) - 3
    shown = ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
    tags = tuple(tag[1] for name in names[:3] if (tag := re.match(r"<([A-Za-z][\w.]*)", name)))
    return Leftover(f"{family}: {shown}", tuple(dict.fromkeys(line for line, _ in hits)), tags)


def _name(what: str) -> str:
    """Return a construct without its arguments, such as {% assign %}, or shortened if it has no name."""
    tag = re.match(r"(\{%-?)\s*(\w+)", what) or re.match(r"(\{\{[<%])\s*+(/?\s*+[\w./-]+)", what)
    if tag:
        return f"{tag[1]} {tag[2]} {'%}' if tag[1].startswith('{%') else '>}}' if '<' in tag[1] else '%}}'}"
    return what if len(what) <= 40 else f"{what[:39]}…"
