"""Hexo's own tags: pictures and links of a post, quotes, code, frames."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from publisher.core import patterns
from publisher.posts.body_templates.site_values import SiteValues
from publisher.posts.front_matter.other_tools import code_block

_WORD = patterns.compile(r""""([^"]*+)"|'([^']*+)'|([^\s"']++)""")
_URL = patterns.compile(r"https?://\S+|/\S*")
_OPTION = patterns.compile(r"([a-z_]{1,20}):(\S*)")

# Takes the words after a tag's name, what is inside it, and the site; returns HTML or Markdown, None for a mistake.
_Make = Callable[[str, str, SiteValues], str | None]


def hexo_tag(name: str, words: str, inner: str, values: SiteValues) -> str | None:
    """Return the text that Hexo puts in place of one of its tags; None for other tags, or if the words are wrong."""
    make = _TAGS.get(name)
    return make(words, inner, values) if make else None


def plugin_tag(name: str, words: str) -> str | None:
    """Return the HTML that other tools' plug-ins generate for tags that embed a gist or a video; None for others."""
    make = _PLUGINS.get(name)
    return make(words) if make else None


def _words(text: str) -> list[str]:
    """Return the words of a text; a part in quotes is one word."""
    return [next((each for each in found.groups() if each is not None), "") for found in _WORD.finditer(text)]


def _picture(words: str, inner: str, values: SiteValues) -> str | None:
    """Return a picture (asset_img, img). Its words: [classes] file [width [height]] ["title" ["alt"]]"""
    parts = _words(words)
    place = next((number for number, each in enumerate(parts) if re.search(r"\.\w{2,5}$|^https?:|^/", each)), -1)
    if place < 0:
        return None
    rest = parts[place + 1 :]
    sizes: list[str] = []
    while rest and re.fullmatch(r"\d{1,5}(?:px|%)?|auto", rest[0]) and len(sizes) < 2:
        sizes.append(rest.pop(0))
    if '"' not in words and "'" not in words:
        title = alt = " ".join(rest)
    else:
        title, alt = (rest[0] if rest else ""), (rest[1] if len(rest) > 1 else rest[0] if rest else "")
    if both := re.fullmatch(r"([^'\"]*)['\"]([^'\"]*)['\"]", title):
        title, alt = both[1].strip(), both[2]
    found = f'<img src="{escape(_address(parts[place]))}" alt="{escape(alt)}"'
    found += f' title="{escape(title)}"' if title else ""
    for key, size in zip(("width", "height"), sizes, strict=False):
        found += f' {key}="{escape(size)}"' if size != "auto" else ""
    return f"{found}>"


def _address(path: str) -> str:
    return path if re.match(r"https?:", path) else quote(unquote(path), safe="/%?&=#+,~")


def _asset_path(words: str, inner: str, values: SiteValues) -> str | None:
    parts = _words(words)
    return _address(parts[0]) if parts else None


def _asset_link(words: str, inner: str, values: SiteValues) -> str | None:
    parts = [part for part in _words(words) if part not in ("true", "false")]
    return _anchor(_address(parts[0]), " ".join(parts[1:]) or parts[0]) if parts else None


def _anchor(url: str, words: str) -> str:
    return f'<a href="{escape(url)}">{escape(words)}</a>'


def _post(slug: str, values: SiteValues) -> tuple[str, str] | None:
    """Return the address and the title of the post that Hexo refers to by its file's name or its title."""
    slug, _, place = slug.partition("#")
    url = values.asking.link(slug) or (values.asking.link(f"_posts/{slug}.md") if slug else None)
    for post in values.posts():
        if slug in (PurePosixPath(post["path"]).stem, post["slug"], post["title"]):
            found = url or (values.config.site_url + quote(post["url"]) if post["url"].startswith("/") else post["url"])
            return found + (f"#{place}" if place else ""), str(post["title"])
    return None


def _post_link(words: str, inner: str, values: SiteValues) -> str | None:
    parts = [part for part in _words(words) if part not in ("true", "false")]
    found = _post(parts[0], values) if parts else None
    return _anchor(found[0], " ".join(parts[1:]) or found[1]) if found else None


def _post_path(words: str, inner: str, values: SiteValues) -> str | None:
    parts = _words(words)
    found = _post(parts[0], values) if parts else None
    return found[0] if found else None


def _link(words: str, inner: str, values: SiteValues) -> str | None:
    """Return a link. Its words are the text, the URL, whether it opens in a new window, and the title."""
    parts = _words(words)
    place = next((number for number, each in enumerate(parts) if _URL.fullmatch(each)), -1)
    return _anchor(parts[place], " ".join(parts[:place]) or parts[place]) if place >= 0 else None


def _quote(words: str, inner: str, values: SiteValues) -> str:
    """Return a quotation. Its words: [author[, source]] [link] [title of the link]"""
    url = _URL.search(words)
    people = words[: url.start()] if url else words
    title = words[url.end() :].strip() if url else ""
    author, _, source = (part.strip(" \"'") for part in people.partition(","))
    cited = _anchor(url[0], title or source or url[0]) if url else escape(source)
    footer = f"<strong>{escape(author)}</strong>" if author else ""
    footer += f" <cite>{cited}</cite>" if cited else ""
    return f"<blockquote>\n\n{inner.strip()}\n\n{f'<footer>{footer}</footer>' if footer else ''}</blockquote>\n"


def _pull_quote(words: str, inner: str, values: SiteValues) -> str:
    return f"<blockquote>\n\n{inner.strip()}\n\n</blockquote>\n"


def _code(words: str, inner: str, values: SiteValues) -> str:
    """Return a block of code. Its words: [title] [lang:language] [url] [text of the link] [options]"""
    options = dict(_OPTION.findall(words))
    plain = _OPTION.sub("", words) if not _URL.search(words) else words
    url = _URL.search(plain)
    plain = re.sub(r"\blang:\S*", "", plain)
    title = " ".join((plain[: plain.find(url[0])] if url else plain).split())
    language = re.sub(r"[^\w+#-]", "", options.get("lang", ""))
    caption = f"{title} " if title else ""
    caption += _anchor(url[0], plain.partition(url[0])[2].strip() or "link") if url else ""
    made = code_block("\n" + inner.strip("\n") + "\n", language, "", "")
    return (f"{caption.strip()}\n\n" if caption.strip() else "") + made


def _film(address: str, words: str) -> str | None:
    """Return the frame of a video, given its id, or its address, which contains the id."""
    parts = _words(words)
    place = parts[0] if parts else ""
    name = re.search(r"[?&]v=([\w-]{1,64})", place) or re.search(r"(?:^|/)([\w-]{1,64})(?=[?#]|$)", place)
    return f'<iframe src="{address}{name[1]}" allowfullscreen></iframe>' if name else None


def _youtube(words: str, inner: str = "", values: object = None) -> str | None:
    return _film("https://www.youtube.com/embed/", words)


def _vimeo(words: str, inner: str = "", values: object = None) -> str | None:
    return _film("https://player.vimeo.com/video/", words)


def _fiddle(words: str, inner: str, values: SiteValues) -> str | None:
    return _film("https://jsfiddle.net/", words)


def _any_frame(words: str, inner: str, values: SiteValues) -> str | None:
    parts = _words(words)
    return f'<iframe src="{escape(parts[0])}"></iframe>' if parts and _URL.fullmatch(parts[0]) else None


def _gist(words: str, inner: str = "", values: object = None) -> str | None:
    parts = _words(words)
    if not parts or not re.fullmatch(r"[\w./-]{1,100}", parts[0]):
        return None
    return _anchor(f"https://gist.github.com/{parts[0]}", f"https://gist.github.com/{parts[0]}")


def _included_code(words: str, inner: str, values: SiteValues) -> str | None:
    """Return the code in a file of the downloads folder. Words: [title] [lang:language] [from:line] [to:line] path"""
    options = dict(_OPTION.findall(words))
    path = (_words(_OPTION.sub("", words)) or [""])[-1]
    folder = values.settings.get("code_dir")
    inside = folder.strip("/") if isinstance(folder, str) else "downloads/code"
    found = values.text([f"source/{inside}"], path)
    if found is None:
        return None
    lines = found[1].rstrip("\n").split("\n")
    first, last = (int(options[key]) if options.get(key, "").isdigit() else None for key in ("from", "to"))
    language = options.get("lang") or PurePosixPath(path).suffix[1:]
    return code_block(
        "\n" + "\n".join(lines[(first or 1) - 1 : last]) + "\n", re.sub(r"[^\w+#-]", "", language), "", ""
    )


_TAGS: dict[str, _Make] = {
    "asset_img": _picture,
    "asset_image": _picture,
    "img": _picture,
    "asset_path": _asset_path,
    "asset_link": _asset_link,
    "post_link": _post_link,
    "post_path": _post_path,
    "link": _link,
    "url": _link,
    "blockquote": _quote,
    "quote": _quote,
    "pullquote": _pull_quote,
    "codeblock": _code,
    "code": _code,
    "include_code": _included_code,
    "include-code": _included_code,
    "iframe": _any_frame,
    "gist": _gist,
    "youtube": _youtube,
    "vimeo": _vimeo,
    "jsfiddle": _fiddle,
}
_PLUGINS: dict[str, Callable[[str], str | None]] = {"gist": _gist, "youtube": _youtube, "vimeo": _vimeo}
