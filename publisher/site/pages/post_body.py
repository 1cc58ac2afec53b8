"""Prepare the body of a post for its page.

The rendered body is sanitised HTML with absolute URLs, as feeds and emails need it. For the page, this module colours
code, displays formulas, makes tables scroll on a phone, gives pictures their sizes and smaller copies, makes links that
also work on a preview server, and leaves the title as the only <h1>.

Pygments finds the tokens of code (see posts.rendering.code_tokens), but this module writes the HTML itself, instead of
its HtmlFormatter. It uses sixteen classes instead of eighty, and one span for adjacent tokens with the same class, so
that coloured code is a third smaller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from html import escape, unescape
from typing import NamedTuple

from publisher.core.models import Colour, Lex, Picture, Token
from publisher.posts.rendering.code_tokens import lexed, nearest_class
from publisher.posts.urls import key_of

# Several tags without attributes, which stay as they are, with the text after them; a plain code block; or one tag.
# Attribute values are skipped as a whole, because a "<table>" in an alt text is text, and rewriting it would let a post
# break out of the attribute.
_PIECE = re.compile(
    r"(?:</?(?:blockquote|br|code|em|h[2-6]|hr|li|ol|p|strong|t(?:body|d|head|r)|ul)>[^<]*+)++"
    r'|<pre[^<>]*><code class="language-([^"\s]++)[^"]*+">([^<]*+)</code></pre>'
    r'|<code class="math(?:-display)?">[^<]*+</code>'
    r'|<th((?:[^<>"]++|"[^"]*+")*+)></th>'
    r'|</?([a-zA-Z][a-zA-Z0-9]*+)((?:[^<>"]++|"[^"]*+")*+)>'
)
_NO_MATHS: Mapping[str, str] = {}
_FURNISHED = frozenset(("table", "h1", "pre", "img"))
_ADDRESSES = (" href", " src", " poster")
_TITLE = re.compile(r"\s*<h1[^<>]*>(.*?)</h1>", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_NOTE = re.compile(r'<li id="(fn-[^"<>]*+)">')
_NOTE_MARK = re.compile(r'<a href="[^"<>#]*+#fn-[^"<>]*+" id="(fnref-[^"<>]*+)">')
# Dotted name of a token type -> class in highlight.css. An unlisted type has the class of its parent.
_CLASSES = {
    "Comment": "c",
    "Comment.Preproc": "p",
    "Error": "",
    "Generic.Deleted": "gd",
    "Generic.Emph": "ge",
    "Generic.Heading": "gh",
    "Generic.Inserted": "gi",
    "Generic.Output": "c",
    "Generic.Prompt": "c",
    "Generic.Strong": "gs",
    "Generic.Subheading": "gh",
    "Keyword": "k",
    "Keyword.Constant": "m",
    "Keyword.Type": "t",
    "Literal.Number": "m",
    "Literal.String": "s",
    "Literal.String.Doc": "c",
    "Literal.String.Escape": "p",
    "Literal.String.Interpol": "p",
    "Literal.String.Regex": "p",
    "Name.Attribute": "a",
    "Name.Builtin": "b",
    "Name.Class": "t",
    "Name.Constant": "m",
    "Name.Decorator": "p",
    "Name.Exception": "t",
    "Name.Function": "f",
    "Name.Namespace": "t",
    "Name.Tag": "k",
    "Name.Variable": "v",
    "Operator": "o",
    "Operator.Word": "k",
}


class PagePicture(NamedTuple):
    """The attributes of a picture on a page.

    srcset  the copies to choose from; "" if there is only one size
    small   the narrowest copy, for a thumbnail
    sizes   its width in a column of text
    width   its width in pixels; 0 if the size is unknown
    """

    src: str
    small: str
    srcset: str = ""
    sizes: str = ""
    width: int = 0
    height: int = 0


def page_picture(picture: Picture, near: Callable[[str], str]) -> PagePicture:
    """Return the attributes of a picture on a page. near: makes a URL of this site relative to the page."""
    sources = [(width, near(url)) for width, url in picture.sources]
    srcset = ", ".join(f"{url.replace(',', '%2C')} {width}w" for width, url in sources)
    src = near(picture.fitting)
    return PagePicture(
        src, sources[0][1] if sources else src, srcset, _sizes(picture.width), picture.width, picture.height
    )


def page_body(
    html: str,
    *,
    title: str,
    url: str,
    site_url: str,
    root: str,
    table_label: str,
    colour: Colour | None = None,
    maths: Mapping[str, str] = _NO_MATHS,
    picture: Callable[[str], Picture | None] = lambda url: None,
) -> str:
    """Return the body of a post for its own page.

    A first heading that repeats the title is removed. Any other <h1> becomes an <h2>, because the title is the <h1>.

    html         the rendered body
    url          absolute URL of the post
    site_url     absolute URL of the site, without a slash at the end
    root         relative path from the page to the root of the site
    table_label  name of a scrollable table, for screen readers
    colour       returns coloured code
    maths        the MathML of each formula, by its element in `html`
    picture      finds a picture in the project by its absolute URL
    """
    html = _without_title(html, title)
    if 'class="footnote-ref"' in html:
        html = _with_ids_of_feeds(html, escape(url))
    return _PIECE.sub(
        _rewriter(site_url, root, url, table_label, colour or partial(colour_with, lexed), maths, picture), html
    )


def _with_ids_of_feeds(html: str, url: str) -> str:
    """Return the HTML with the footnote ids that feeds use, so that links in feeds lead to the notes."""
    key = key_of(url)
    html = _NOTE.sub(lambda note: f'{note[0]}<span id="{note[1]}-{key}"></span>', html)
    return _NOTE_MARK.sub(lambda mark: f'<span id="{mark[1]}-{key}"></span>{mark[0]}', html)


def _without_title(html: str, title: str) -> str:
    match = _TITLE.match(html)
    if match and "<img" not in match[1] and unescape(_TAG.sub("", match[1])).strip() == title.strip():
        return html[match.end() :]
    return html


def _rewriter(
    site_url: str,
    root: str,
    url: str,
    table_label: str,
    colour: Colour,
    maths: Mapping[str, str],
    picture: Callable[[str], Picture | None],
) -> Callable[[re.Match[str]], str]:
    here, site = f'="{escape(url, quote=False)}#', f'="{escape(site_url, quote=False)}/'
    label = escape(table_label)

    def rewrite(match: re.Match[str]) -> str:
        """Return a part of the body as the page shows it."""
        language, code, heading, name, attributes = match.groups()
        if match[0] in maths:
            return f'<div class="formula" tabindex="0">{maths[match[0]]}</div>' if language else maths[match[0]]
        if not (language or name):  # an empty table heading would head nothing
            return match[0] if heading is None else f"<td{heading}></td>"
        if language:
            return _code(language, code, colour)
        text = match[0]
        source = _SOURCE.search(attributes) if name == "img" else None
        if source and (found := picture(unescape(source[1]))):
            text = _with_size(text, page_picture(found, lambda each: each.replace(f"{site_url}/", root, 1)))
        if site in text:
            for attribute in _ADDRESSES:
                text = text.replace(attribute + here, f'{attribute}="#')
                text = text.replace(attribute + site, f'{attribute}="{root}')
        return _furnish(name, text, label) if name in _FURNISHED else text

    return rewrite


_SOURCE = re.compile(r' src="([^"]*)"')
_WIDTH, _HEIGHT = re.compile(r' width="(\d{1,5})(?:px)?"'), re.compile(r' height="(\d{1,5})(?:px)?"')

# The maximum width of a column of text in site.css.
_COLUMN = 688


def _sizes(width: int) -> str:
    return "(max-width: 46rem) 100vw, 43rem" if width >= _COLUMN else f"{width}px"


def _with_size(tag: str, shown: PagePicture) -> str:
    """Return a picture's tag with its smaller copies, and with its width and height, so that the page does not jump."""
    width, height = _WIDTH.search(tag), _HEIGHT.search(tag)
    new, share = "", shown.width / shown.height
    across = int(width[1]) if width else round(int(height[1]) * share) if height else shown.width
    if " width=" not in tag:
        new += f' width="{across}"'
    if " height=" not in tag and not _is_relative(tag):
        new += f' height="{max(1, round(across / share))}"'
    if shown.srcset and " srcset=" not in tag:
        tag = _SOURCE.sub(lambda _: f' src="{escape(shown.src)}"', tag, count=1)
        new += f' srcset="{escape(shown.srcset)}" sizes="{_sizes(across)}"'
    return f"<img{new}{tag[4:]}"


def _is_relative(tag: str) -> bool:
    """Return whether the writer chose a width that depends on the page, such as 50%."""
    return " width=" in tag and not _WIDTH.search(tag)


def _furnish(name: str, tag: str, table_label: str) -> str:
    """Return a tag with the changes that it needs on a page.

    With `tabindex`, the keyboard can scroll tables and code that are too wide.
    """
    closing = tag.startswith("</")
    if name == "table":
        region = f'<div class="table-scroll" role="region" tabindex="0" aria-label="{table_label}">'
        return f"{tag}</div>" if closing else region + tag
    if name == "h1":
        return tag.replace("h1", "h2", 1)
    if closing:
        return tag
    if name == "pre":
        return f'<pre tabindex="0"{tag[4:]}'
    return tag if " loading=" in tag else f'<img loading="lazy" decoding="async"{tag[4:]}'


def _code(language: str, code: str, colour: Colour) -> str:
    """Return a code block as HTML, coloured if its tokens could be found."""
    inner = colour(language, code)
    inner = code if inner is None else inner
    return f'<pre tabindex="0"><code class="language-{language}" translate="no">{inner}</code></pre>'


def highlight(code: str, language: str, lex: Lex = lexed) -> str | None:
    """Return code as HTML with spans for coloured tokens, or None if it has no tokens (see Lex).

    The text of the code is escaped but otherwise unchanged.
    """
    tokens = lex(code, language)
    return None if tokens is None else coloured(tokens)


def colour_with(lex: Lex, language: str, code: str) -> str | None:
    """Highlight a listing as `highlight` does; its language and its code are given as escaped HTML from a body."""
    return highlight(unescape(code), unescape(language), lex)


def coloured(tokens: Iterable[Token]) -> str:
    """Return code as HTML, with a span for each run of tokens of the same class."""
    return "".join(_spans(tokens))


def _spans(tokens: Iterable[Token]) -> Iterator[str]:
    name, run = "", ""
    for kind, text in tokens:
        found = _class_of(kind)
        if found == name or text.isspace():
            run += text
            continue
        yield _span(name, run)
        name, run = found, text
    yield _span(name, run)


def _span(name: str, text: str) -> str:
    safe = escape(text, quote=False)
    return f'<span class="{name}">{safe}</span>' if name and text else safe


@lru_cache(maxsize=1024)
def _class_of(kind: str) -> str:
    return nearest_class(kind, _CLASSES)
