"""MDX as Markdown: imports and exports are removed, elements become HTML, and components use the owner's templates.

Nothing is run. Components that many tools provide, such as Admonition, TabItem or Image, become HTML that shows the
same. Any other component is reduced to its words, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from publisher.core import patterns
from publisher.posts.formats.jsx_calls import EXPRESSION, FRAGMENT, calls_of, code_view
from publisher.posts.shortcodes.embedded_shortcodes import Made, ShortcodeContext, hugo_made, value_at
from publisher.posts.shortcodes.run_shortcodes import Make, run_calls
from publisher.posts.shortcodes.shortcode_calls import Escaped, ShortcodeCall
from publisher.posts.tags.expanded import Expanded

_MODULE = patterns.compile(
    r"^(?:import[ \t]*+(?:[\"'{*]|[\w$]++(?:[ \t]*+,[ \t]*+[\w${},* \t]++)?[ \t]+from\b)"
    r"|export[ \t]+(?:const|let|var|function|async|class|default|type|interface|\{|\*))",
    re.MULTILINE,
)
_IMPORT = patterns.compile(r"^import[ \t]+([\w$]{1,100})[ \t]+from[ \t]+[\"']([^\"'\n]{1,500})[\"']", re.MULTILINE)
_COMPONENT_FILE = (".js", ".jsx", ".ts", ".tsx", ".mdx", ".md", ".astro", ".vue", ".svelte", ".css", ".json")
# The part of an import that makes it the text of a file: webpack's loader, or Vite's query.
_AS_TEXT = patterns.compile(r"raw-loader|\?raw\b")
_FRONT = patterns.compile(r"(?:props\.)?(?:front[mM]atter|metadata|page)\.([\w.]{1,100})")
# A component, a comment, or an attribute whose value is an expression.
_SIGN = patterns.compile(r"<[A-Z]\w*[\s/>]|\{/\*|<[a-z][\w-]*+\s[^<>{}]*+(?<==)\{")
# How many lines an import or export may have.
_MOST_LINES = 200


def is_mdx(source: str, tool: str, body: str) -> bool:
    """Return whether the body of a post is MDX. Docusaurus treats every .md file as MDX."""
    if source.lower().endswith(".mdx"):
        return True
    signs = body if tool == "docusaurus" else ""
    return _MODULE.search(signs) is not None or _SIGN.search(signs) is not None


def without_modules(text: str) -> str:
    """Return a text of MDX with blank lines for its imports and exports."""
    if "import" not in text and "export" not in text:
        return text
    lines, view = text.split("\n"), code_view(text).split("\n")
    opened = [sum(map(line.count, "{([")) - sum(map(line.count, "})]")) for line in view]
    number = 0
    while number < len(lines):
        if _MODULE.match(view[number]):
            end = _end_of_module(view, opened, number)
            lines[number:end] = [""] * (end - number)
            number = end
        number += 1
    return "\n".join(lines)


def _end_of_module(lines: list[str], opened: list[int], first: int) -> int:
    """Return the index after the last line of an import or export, which ends at a blank line outside of braces.

    opened  how many braces each line opens
    """
    depth = 0
    for number in range(first, min(len(lines), first + _MOST_LINES)):
        if not lines[number].strip() and depth <= 0:
            return number
        if (
            number > first
            and depth <= 0
            and not _MODULE.match(lines[number])
            and lines[number - 1].rstrip()[-1:] == ";"
        ):
            return number
        depth += opened[number]
    return min(len(lines), first + 1) if depth > 0 else min(len(lines), first + _MOST_LINES)


def mdx_as_markdown(body: str, context: ShortcodeContext) -> Expanded:
    """Return the body of a post in MDX as Markdown."""
    imported = {name: path for name, path in _IMPORT.findall(body) if not path.lower().endswith(_COMPONENT_FILE)}
    imported = {name: path for name, path in imported.items() if "." in path.rpartition("/")[2]}
    text = without_modules(body)
    if "<" not in text and "{" not in text:
        return Expanded(text)
    calls = calls_of(text, imported)
    if any(isinstance(call, ShortcodeCall) and call.closing for call in calls):
        text = _dedented(text, calls)
        calls = calls_of(text, imported)
    return run_calls(text, calls, context, _with_files(body) if "raw" in body else mdx_made, "component")


def _with_files(body: str) -> Make:
    """Return the function that converts elements, and reports those that show the text of an imported file."""
    files = {name: path for name, path in _IMPORT.findall(body) if _AS_TEXT.search(path)}

    def made(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made | None:
        """Return the problem of a component that shows an imported file, or else what mdx_made returns."""
        shown = str(call.positional[0]) if call.name == EXPRESSION else ""
        if _COMPONENTS.get(call.name) is _code:
            shown = raw.strip().strip("{}`").strip()
        path = files.get(shown)
        if path is None:
            return mdx_made(call, context, raw)
        what = f"the file {path.rpartition('!')[2]} is not read, so readers don't see its text"
        return Made(("",), problem=what, hint="put the text into the post, between lines of ```", is_error=True)

    return made


def _dedented(text: str, calls: list[ShortcodeCall | Escaped]) -> str:
    """Return a text without the indents inside elements, which Markdown would take for code."""
    lines, place, number = text.split("\n"), 0, 0
    starts = []
    for line in lines:
        starts.append(place)
        place += len(line) + 1
    view = code_view(text).split("\n")
    pending = [call for call in calls if isinstance(call, ShortcodeCall) and call.closing]
    for call in pending:
        while number + 1 < len(starts) and starts[number + 1] <= call.start:
            number += 1
        last = number
        while last + 1 < len(starts) and starts[last + 1] <= call.whole_end:
            last += 1
        _dedent(lines, view, number, last)
    return "\n".join(lines)


def _dedent(lines: list[str], view: list[str], first: int, last: int) -> None:
    """Remove from the lines of an element the indents that its tags give them."""
    levels: list[int] = []
    outer = len(lines[first]) - len(lines[first].lstrip(" "))
    for number in range(first, last + 1):
        line, shown = lines[number], view[number].strip()
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip(" "))
        is_closing = shown.startswith("</")
        if is_closing and levels:
            levels.pop()
        base = indent if is_closing or number == first else min(indent, levels[-1] if levels else outer)
        lines[number] = " " * outer + line[base:]
        if shown.startswith("<") and not is_closing and not shown.endswith("/>") and "</" not in shown:
            following = next((each for each in lines[number + 1 : last + 1] if each.strip()), "")
            levels.append(len(following) - len(following.lstrip(" ")))


def mdx_made(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made | None:
    """Return the result of an element or expression of MDX; None if it is most likely text."""
    if call.name == EXPRESSION:
        return _expression(call, context)
    if call.name == FRAGMENT:
        return Made(("", None, "")) if call.closing else None
    if call.name.startswith("<"):
        return _element(call)
    kind = _ALERTS.get(call.name.lower())
    if kind and call.closing:
        return _alert(call, kind)
    make = _COMPONENTS.get(call.name)
    if make:
        return make(call, context, raw)
    if call.closing:
        return None
    what = f"the component <{call.name}> is unknown, so it is not shown"
    return Made(("",), problem=what, hint=f"add templates/shortcodes/{call.name}.html")


def _expression(call: ShortcodeCall, context: ShortcodeContext) -> Made:
    code, *value = call.positional
    written = str(code)
    if value:
        return Made((str(value[0]),), as_text=True)
    if not written or written.startswith(("/*", "//")):
        return Made(("",))
    name = _FRONT.fullmatch(written)
    found: Any = value_at(context.page(), name[1]) if name else None
    if found is not None and not isinstance(found, Mapping | list):
        return Made((str(found),), as_text=True)
    shown = " ".join(written.split())
    what = f"the expression {{{shown[:40]}{'…' if len(shown) > 40 else ''}}} is not run, and nothing is shown for it"
    return Made(("",), problem=what, hint="write what it would show")


_RENAMED = {"className": "class", "htmlFor": "for", "srcSet": "srcset", "colSpan": "colspan", "rowSpan": "rowspan"}
_NOT_SHOWN = frozenset(("<style", "<script"))
_VOID_TAGS = frozenset(("<br", "<hr", "<img", "<input", "<source", "<wbr", "<col", "<track"))


def _element(call: ShortcodeCall) -> Made | None:
    if call.name in _NOT_SHOWN:
        return Made(("",))
    values = ((_RENAMED.get(name, name), value) for name, value in call.named.items())
    attributes = "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in values
        if value is not False and name.replace("-", "").isalnum() and not name.startswith("on")
    )
    tag = f"{call.name}{attributes}>"
    if call.closing:
        return Made((tag, None, f"</{call.name[1:]}>"))
    if call.name in _VOID_TAGS:
        return Made((tag,))
    return Made((f"{tag}</{call.name[1:]}>",)) if call.named or call.name == "<a" else None


_ALERTS = {
    "note": "note", "info": "note", "callout": "note", "aside": "note", "admonition": "note", "alert": "note",
    "tip": "tip", "important": "important", "warning": "warning", "caution": "caution", "danger": "caution",
}  # fmt: skip


def _alert(call: ShortcodeCall, kind: str) -> Made:
    kind = _ALERTS.get(call.value("type").lower(), kind)
    title = escape(call.value("title") or kind.capitalize(), quote=False)
    before = f'<div class="markdown-alert markdown-alert-{kind}"><p class="markdown-alert-title">{title}</p>'
    return Made((before, None, "</div>"))


def _inside(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    return Made(("", None, ""))


def _labelled(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    label = call.value("label") or call.value("title") or call.value("value")
    return Made((f"<p><strong>{escape(label, quote=False)}</strong></p>" if label else "", None, ""))


def _image(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    source = call.value("src") or call.value("img") or call.value("light")
    if not source:
        what = f"the picture of <{call.name}> is not known, because its address would have to be computed"
        return Made(("",), problem=what, hint='write src="picture.png"')
    size = "".join(f' {name}="{escape(call.value(name))}"' for name in ("width", "height") if call.value(name))
    image = f'<img src="{escape(source)}" alt="{escape(call.value("alt"))}"{size}>'
    caption = call.value("caption")
    if caption:
        return Made((f"<figure>{image}<figcaption>{escape(caption, quote=False)}</figcaption></figure>",))
    return Made((image, None, "")) if call.closing else Made((image,))


def _link(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    url, words = call.value("to") or call.value("href"), call.value("title") or call.value("label")
    before, after = (f'<a href="{escape(url)}">', "</a>") if url else ("", "")
    if call.closing:
        return Made((before, None, after))
    more = call.value("description")
    below = f"<br>{escape(more, quote=False)}" if more else ""
    return Made((f"<p>{before}{escape(words or url, quote=False)}{after}{below}</p>",))


def _video(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made | None:
    name = next(filter(None, map(call.value, ("id", "videoId", "youTubeId", "videoID", "youtubeId", "url"))), "")
    known = _VIDEO.search(name)
    call.named["id"] = known[1] if known else name
    call.name = "vimeo" if call.name == "Vimeo" else "youtube"
    return hugo_made(call, context, raw)


_VIDEO = patterns.compile(r"(?:youtu\.be/|[?&]v=|/embed/|vimeo\.com/(?:video/)?)([\w-]{1,40})")


def _tweet(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    name = call.value("id") or call.value("tweetLink") or call.value("tweetId")
    url = name if "/" in name else f"i/status/{quote(name)}"
    url = url if url.startswith("https://") else f"https://x.com/{url}"
    return Made((f'<p><a href="{escape(url)}">{escape(url, quote=False)}</a></p>',))


def _code(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    code, language = call.value("code") or raw.strip().strip("{}`"), call.value("language") or call.value("lang")
    kind = f' class="language-{escape(language)}"' if language else ""
    return Made((f"<pre><code{kind}>{escape(code.strip(), quote=False)}\n</code></pre>",))


def _nothing(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    return Made(("",))


_Make = Callable[[ShortcodeCall, ShortcodeContext, str], Made | None]
_COMPONENTS: Mapping[str, _Make] = {
    **dict.fromkeys(("Tabs", "CardGrid", "CodeGroup", "Steps", "Columns", "Column", "Row", "Grid", "Center"), _inside),
    **dict.fromkeys(("TabItem", "Tab", "Card", "Step", "Accordion", "AccordionItem", "Details", "Frame"), _labelled),
    **dict.fromkeys(("Image", "Img", "Picture", "ThemedImage", "IdealImage", "Figure", "Zoom"), _image),
    **dict.fromkeys(("Link", "NavLink", "A", "Button", "LinkButton", "LinkCard"), _link),
    **dict.fromkeys(("YouTube", "Youtube", "LiteYouTube", "LiteYouTubeEmbed", "YouTubeEmbed", "Vimeo"), _video),
    **dict.fromkeys(("Tweet", "TweetEmbed", "TwitterTweetEmbed"), _tweet),
    **dict.fromkeys(("CodeBlock", "Code"), _code),
    "Head": _nothing,
}  # fmt: skip
