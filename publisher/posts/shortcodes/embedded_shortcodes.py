"""The shortcodes built into Hugo and Zola, as those tools render them.

Players become frames, as in those tools. A post, a gist or a picture that would have to be fetched from a service while
rendering becomes a link to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import Any, NamedTuple
from urllib.parse import quote

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.posts.shortcodes.held_html import HeldHtml
from publisher.posts.shortcodes.shortcode_calls import ShortcodeCall
from publisher.posts.tags.owner_templates import OwnerTemplates


@dataclass(frozen=True, slots=True)
class ShortcodeContext:
    """The values and functions that shortcodes may use.

    tool      the tool for which the post was written, or ""
    owner     the owner's templates
    held      the HTML that is kept out of the body
    page      returns the front matter of the post, with its title and url
    param     returns a value of the site's configuration, such as hugo.toml's [params]; None if there is none
    address   returns the URL of the post or page that Hugo's `ref` names; None if there is none
    in_line   returns inline Markdown as HTML
    """

    tool: str
    owner: OwnerTemplates
    held: HeldHtml
    page: Callable[[], Mapping[str, Any]]
    param: Callable[[str], Any]
    address: Callable[[str], str | None]
    in_line: Callable[[str], str]


class Made(NamedTuple):
    """The result of a shortcode.

    parts     pieces of HTML, or of text; None marks where the content of the shortcode goes
    as_text   whether the pieces are Markdown, and not HTML
    problem   what is wrong with the shortcode, and how to fix it; is_error: whether readers would miss something
    """

    parts: tuple[str | None, ...]
    as_text: bool = False
    problem: str = ""
    hint: str = ""
    is_error: bool = False


NOWHERE = "https:nowhere"  # an address that is removed, so that the words of the link stay


def hugo_made(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made | None:
    """Return the result of one of Hugo's own shortcodes; None for any other. raw: its content, as it was written."""
    make = _HUGO.get(call.name.removesuffix(".html").removesuffix("_simple"))
    return make(call, context, raw) if make else None


def quarto_made(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made | None:
    """Return the result of one of Quarto's own shortcodes; None for any other."""
    make = _QUARTO.get(call.name)
    return make(call, context, raw) if make else None


def zola_made(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made | None:
    """Return the result of one of Zola's own shortcodes; None for any other."""
    make = _ZOLA.get(call.name)
    return make(call, context, raw) if make else None


def _attributes(call: ShortcodeCall, *names: str) -> str:
    found = ((name, call.value(name)) for name in names)
    return "".join(f' {name}="{escape(value)}"' for name, value in found if value)


def _figure(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    source = call.value("src", 0)
    caption, title, credit = call.value("caption"), call.value("title"), call.value("attr")
    words = context.in_line(caption) if caption else ""
    alt = call.value("alt") or _TAG.sub("", words)
    image = f'<img src="{escape(source)}" alt="{_escaped_once(alt)}"{_attributes(call, "width", "height", "loading")}>'
    if call.value("link"):
        image = f'<a href="{escape(call.value("link"))}"{_attributes(call, "target", "rel")}>{image}</a>'
    below = f"<h4>{escape(title, quote=False)}</h4>" if title else ""
    if credit:
        by = context.in_line(credit)
        link = call.value("attrlink")
        words = f'{words} <a href="{escape(link)}">{by}</a>' if link else f"{words} {by}"
    below += f"<p>{words.strip()}</p>" if words else ""
    below = f"<figcaption>{below}</figcaption>" if below else ""
    if not source:
        return Made(
            ("",), problem="the shortcode figure does not name a picture", hint='write src="picture.png"', is_error=True
        )
    return Made((f"<figure{_attributes(call, 'class', 'id')}>{image}{below}</figure>",))


_TAG = patterns.compile(r"<[^<>]*+>")


def _escaped_once(text: str) -> str:
    return escape(unescape(text))


def _details(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    summary = context.in_line(call.value("summary", 0) or "Details")
    opened = " open" if call.value("open") in ("true", "open", "1") else ""
    return Made((f"<details{opened}><summary>{summary}</summary>", None, "</details>"))


def _highlight(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    language = call.value("lang", 0) or call.value("type")
    options = call.value("options", 1)
    code = _SHOWN.sub(lambda found: f"{{{{{found[1]}{found[2]}{found[3]}}}}}", raw)
    kind = f' class="language-{escape(language.lower())}"' if language else ""
    if "hl_inline=true" in options.replace(" ", "") or call.value("hl_inline") == "true":
        return Made((f"<code>{escape(code.strip(), quote=False)}</code>",))
    code = code.strip("\n").rstrip()
    return Made((f"<pre><code{kind}>{escape(code, quote=False)}\n</code></pre>",))


_SHOWN = patterns.compile(r"\{\{([<%])/\*((?:(?!\*/|\{\{)[^\n]){0,1000}+)\*/([>%])\}\}")


def _param(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    name = call.value("name", 0)
    page = context.page()
    for found in (value_at(page.get("params"), name), value_at(page, name), context.param(name)):
        if found is not None and not isinstance(found, dict):
            words = ", ".join(map(str, found)) if isinstance(found, list) else str(found)
            return Made((str(found).lower() if isinstance(found, bool) else words,), as_text=True)
    what = f"there is no {name!r} for the shortcode param, neither in the post nor in the site's configuration"
    return Made(("",), problem=what, hint="add it to the front matter", is_error=True)


def value_at(values: Any, name: str) -> Any:
    """Return the value at a path of names with dots between them, whatever their case; None if there is none."""
    for part in name.split(".")[:20]:
        if not isinstance(values, Mapping):
            return None
        values = next((value for key, value in values.items() if str(key).casefold() == part.casefold()), None)
    return values


def _reference(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    path = call.value("path", 0)
    url = context.address(path)
    if url is not None:
        return Made((url,), as_text=True)
    what = f"broken link: there is no published post {path[:100]!r} for the shortcode {call.name}"
    return Made((NOWHERE,), as_text=True, problem=what, hint="write the path of a post's file")


def _link(url: str, words: str = "") -> Made:
    return Made((f'<p><a href="{escape(url)}">{escape(words or url, quote=False)}</a></p>',))


def _frame(url: str, title: str) -> Made:
    return Made((f'<iframe src="{escape(url)}" title="{escape(title)}" loading="lazy" allowfullscreen></iframe>',))


def _youtube(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    name = call.value("id", 0)
    if not name:
        return _without_id(call)
    start = call.value("start")
    url = f"https://www.youtube.com/embed/{quote(name, safe='')}{f'?start={quote(start)}' if start.isdigit() else ''}"
    return _frame(url, call.value("title") or "YouTube video")


def _vimeo(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    name = call.value("id", 0)
    if not name:
        return _without_id(call)
    return _frame(f"https://player.vimeo.com/video/{quote(name, safe='')}", call.value("title") or "Vimeo video")


def _streamable(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    name = call.value("id", 0)
    return _frame(f"https://streamable.com/e/{quote(name, safe='')}", "Streamable video") if name else _without_id(call)


def _without_id(call: ShortcodeCall) -> Made:
    what = f"the shortcode {call.name} has no id, so nothing is shown"
    return Made(("",), problem=what, hint=f'write {call.name} id="..."', is_error=True)


def _gist(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    if address := call.value("url"):
        return _link(address)
    user, name, file = (call.value(key, place) for place, key in enumerate(("user", "id", "file")))
    if not name:
        return _without_id(call)
    anchor = f"#file-{quote(_NOT_IN_ANCHOR.sub('-', file).lower())}" if file else ""
    return _link(f"https://gist.github.com/{quote(user)}/{quote(name)}{anchor}")


_NOT_IN_ANCHOR = patterns.compile(r"[^\w-]")


def _instagram(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    name = call.value("id", 0)
    url = f"https://www.instagram.com/p/{quote(name, safe='')}/"
    return _link(url, "View this post on Instagram") if name else _without_id(call)


def _tweet(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    user, name = call.value("user"), call.value("id") or call.value("", 0)
    if not name:
        return _without_id(call)
    return _link(f"https://x.com/{quote(user, safe='') or 'i'}/status/{quote(name, safe='')}")


def _qr(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    text = call.value("text") or raw.strip()
    if text.startswith(("https://", "http://")):
        return _link(text)
    return Made((f"<p>{escape(text, quote=False)}</p>",))


def _video(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    address = call.value("src", 0)
    title = call.value("title")
    if found := _YOUTUBE.search(address):
        return _frame(f"https://www.youtube.com/embed/{found[1]}", title or "YouTube video")
    if found := _VIMEO.search(address):
        return _frame(f"https://player.vimeo.com/video/{found[1]}", title or "Vimeo video")
    return Made((f'<video src="{escape(address)}" controls></video>',)) if address else _without_id(call)


_YOUTUBE = patterns.compile(r"(?:youtu\.be/|youtube(?:-nocookie)?\.com/(?:embed/|watch\?v=))([\w-]{1,40})")
_VIMEO = patterns.compile(r"vimeo\.com/(?:video/)?(\d{1,20})")


def _keys(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    return Made((f"<kbd>{escape(' '.join(map(str, call.positional)), quote=False)}</kbd>",))


def _nothing(call: ShortcodeCall, context: ShortcodeContext, raw: str) -> Made:
    return Made(("",))


_Make = Callable[[ShortcodeCall, ShortcodeContext, str], Made]
_HUGO: Mapping[str, _Make] = {
    "comment": _nothing,
    "details": _details,
    "figure": _figure,
    "gist": _gist,
    "highlight": _highlight,
    "instagram": _instagram,
    "param": _param,
    "qr": _qr,
    "ref": _reference,
    "relref": _reference,
    "tweet": _tweet,
    "twitter": _tweet,
    "vimeo": _vimeo,
    "x": _tweet,
    "youtube": _youtube,
}
_QUARTO: Mapping[str, _Make] = {
    "video": _video,
    "meta": _param,
    "var": _param,
    "kbd": _keys,
    "pagebreak": _nothing,
    "lipsum": _nothing,
}
_ZOLA: Mapping[str, _Make] = {"gist": _gist, "streamable": _streamable, "vimeo": _vimeo, "youtube": _youtube}
