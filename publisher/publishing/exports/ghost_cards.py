"""Ghost's cards: a player, a file or a bookmark in a text becomes HTML that works without Ghost's styles.

A card comes as the HTML of Ghost's pages, in which a player's buttons and its "0:00" are words; or, if a text exists
only in the form of Ghost's editor, as a name and its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from publisher.publishing.exports.element_parts import (
    content_of,
    figure,
    linked,
    picture,
    player,
    quotation,
    replaced,
    tags_of,
    web_url,
    words_of,
)

Values = Mapping[str, Any]

# Where the part for members begins. `publisher check` refuses a post that has this mark.
MEMBERS_ONLY = "<!--members-only-->"
_BACKGROUND = re.compile(r"url\(\s{0,3}['\"]?([^'\"()\s]{1,2000})")
_FORM = re.compile(r"<form\b.*?(?:</form\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_CAPTION = re.compile(r"<figcaption\b[^<>]*+>(.*?)(?:</figcaption|\Z)", re.DOTALL)
# Ghost shows a file from this site if a video has no picture.
_SPACER = "spacergif.org"
_MOST_PICTURES = 500


def with_plain_cards(html: str) -> str:
    """Return the text of a page of Ghost with its cards as plain HTML. Cards that only have text stay as they are."""
    return replaced(html, _CARDS) if "kg-" in html else html


def _audio(_: Mapping[str, str], inside: str) -> str | None:
    source = next((tag["src"] for tag in tags_of(inside, "audio") if tag.get("src")), "")
    title = words_of(content_of(inside, "kg-audio-title"))
    return figure(player("audio", source), escape(title, quote=False)) or None


def _video(_: Mapping[str, str], inside: str) -> str | None:
    tag = next((tag for tag in tags_of(inside, "video") if tag.get("src")), {})
    shown = _BACKGROUND.search(tag.get("style", ""))
    poster = tag.get("poster", "")
    poster = shown[1] if shown and (not poster or _SPACER in poster) else "" if _SPACER in poster else poster
    caption = _CAPTION.search(inside)
    return figure(player("video", tag.get("src"), poster), caption[1] if caption else "") or None


def _file(_: Mapping[str, str], inside: str) -> str | None:
    url = next((tag["href"] for tag in tags_of(inside, "a") if tag.get("href")), "")
    parts = {
        part: words_of(content_of(inside, f"kg-file-card-{part}"))
        for part in ("title", "caption", "filename", "filesize")
    }
    return file_link(url, parts["title"], parts["caption"], parts["filename"], parts["filesize"]) or None


def file_link(url: object, title: str, caption: str, name: str, size: str) -> str:
    """Return a link to a file, with its caption, name and size; "" if there is none."""
    about = ", ".join(filter(None, [name if name != title else "", size]))
    said = escape(caption, quote=False)
    link = linked(url, title or name)
    return (
        f"<p>{link}{f' ({escape(about, quote=False)})' if about else ''}{f'<br>{said}' if said else ''}</p>"
        if link
        else ""
    )


def _bookmark(_: Mapping[str, str], inside: str) -> str | None:
    url = next((tag["href"] for tag in tags_of(inside, "a") if tag.get("href")), "")
    title = words_of(content_of(inside, "kg-bookmark-title"))
    quote = quotation(url, title, words_of(content_of(inside, "kg-bookmark-description"))) if url else ""
    caption = _CAPTION.search(inside)
    return (figure(quote, caption[1]) if caption else quote) or None


def _toggle(_: Mapping[str, str], inside: str) -> str | None:
    head, body = words_of(content_of(inside, "kg-toggle-heading-text")), content_of(inside, "kg-toggle-content")
    return details(escape(head, quote=False), body) if head and body else None


def details(head: str, body: str) -> str:
    """Return a section that opens when its heading is clicked; both are HTML."""
    return f"<details><summary>{head}</summary>{body}</details>"


def _callout(_: Mapping[str, str], inside: str) -> str | None:
    text = content_of(inside, "kg-callout-text")
    sign = words_of(content_of(inside, "kg-callout-emoji"))
    return f"<blockquote><p>{escape(f'{sign} ' if sign else '', quote=False)}{text}</p></blockquote>" if text else None


def _header(_: Mapping[str, str], inside: str) -> str | None:
    """Return a header without its sign-up form; None for a header that has none, which stays as it is."""
    return f"<div>{_FORM.sub('', inside)}</div>" if "<form" in inside else None


def _none(_: Mapping[str, str], inside: str) -> str:
    return ""


_CARDS: Mapping[str, Callable[[Mapping[str, str], str], str | None]] = {
    "kg-audio-card": _audio,
    "kg-video-card": _video,
    "kg-file-card": _file,
    "kg-bookmark-card": _bookmark,
    "kg-toggle-card": _toggle,
    "kg-callout-card": _callout,
    "kg-header-card": _header,
    "kg-signup-card": _none,
    "kg-email-card": _none,
    "kg-email-cta": _none,
    "kg-email-cta-card": _none,
    "kg-product-card-rating": _none,
}


def card(name: str, values: Values) -> str | None:
    """Return a card, given by name and values, as HTML; "" if readers see nothing, None if it is unknown."""
    make = _BY_NAME.get(name)
    return with_plain_cards(make(values)) if make else None


def text_of(values: Values, *keys: str) -> str:
    """Return the first value that is a text with words; "" if none is."""
    return next((text for key in keys if isinstance(text := values.get(key), str) and text.strip()), "")


def _image_of(values: Values) -> str:
    shown = picture(text_of(values, "src"), text_of(values, "alt", "altText"))
    url = web_url(values.get("href"))
    shown = f'<a href="{escape(url)}">{shown}</a>' if url and shown else shown
    return figure(shown, text_of(values, "caption"))


def _gallery_of(values: Values) -> str:
    images = values.get("images")
    each = [one for one in images if isinstance(one, dict)] if isinstance(images, list) else []
    shown = "".join(picture(text_of(one, "src"), text_of(one, "alt")) for one in each[:_MOST_PICTURES])
    return figure(shown, text_of(values, "caption"))


def _code_of(values: Values) -> str:
    language = re.sub(r"[^\w+#.-]", "", text_of(values, "language"))
    kind = f' class="language-{language[:60]}"' if language else ""
    code = f"<pre><code{kind}>{escape(text_of(values, 'code'), quote=False)}</code></pre>"
    caption = text_of(values, "caption")
    return figure(code, caption) if caption else code


def _bookmark_of(values: Values) -> str:
    about = values.get("metadata")
    about = about if isinstance(about, dict) else {}
    title = text_of(about, "title") or text_of(values, "title")
    text = text_of(about, "description") or text_of(values, "description")
    quote = quotation(text_of(values, "url") or text_of(about, "url"), title, text)
    caption = text_of(values, "caption")
    return figure(quote, caption) if caption else quote


def _embed_of(values: Values) -> str:
    html = text_of(values, "html")
    link = linked(text_of(values, "url"), "")
    return figure(html or (f"<p>{link}</p>" if link else ""), text_of(values, "caption"))


def _callout_of(values: Values) -> str:
    sign = text_of(values, "calloutEmoji", "emoji")
    text = text_of(values, "calloutText", "text")
    return f"<blockquote><p>{escape(f'{sign} ' if sign else '', quote=False)}{text}</p></blockquote>" if text else ""


def _toggle_of(values: Values) -> str:
    return details(text_of(values, "heading"), text_of(values, "content"))


def _button_of(values: Values) -> str:
    link = linked(text_of(values, "buttonUrl"), text_of(values, "buttonText"))
    return f"<p>{link}</p>" if link else ""


def _file_of(values: Values) -> str:
    title, caption = text_of(values, "fileTitle", "title"), text_of(values, "fileCaption", "caption")
    return file_link(text_of(values, "src"), title, caption, text_of(values, "fileName"), "")


def _header_of(values: Values) -> str:
    head, below = words_of(text_of(values, "header", "heading")), words_of(text_of(values, "subheader", "subheading"))
    head = f"<h2>{escape(head, quote=False)}</h2>" if head else ""
    return f"{head}{f'<p>{escape(below, quote=False)}</p>' if below else ''}{_button_of(values)}"


def _product_of(values: Values) -> str:
    head = words_of(text_of(values, "productTitle"))
    head = f"<h4>{escape(head, quote=False)}</h4>" if head else ""
    link = linked(text_of(values, "productUrl"), text_of(values, "productButton"))
    shown = picture(text_of(values, "productImageSrc"))
    return f"{shown}{head}{text_of(values, 'productDescription')}{f'<p>{link}</p>' if link else ''}"


def _action_of(values: Values) -> str:
    link = linked(text_of(values, "buttonUrl"), text_of(values, "buttonText"))
    return f"{picture(text_of(values, 'imageUrl'))}{text_of(values, 'textValue')}{f'<p>{link}</p>' if link else ''}"


# The cards of Ghost's two editors, by the name that they have there.
_BY_NAME: Mapping[str, Callable[[Values], str]] = {
    "audio": lambda values: figure(
        player("audio", text_of(values, "src")), escape(text_of(values, "title"), quote=False)
    ),
    "bookmark": _bookmark_of,
    "button": _button_of,
    "call-to-action": _action_of,
    "callout": _callout_of,
    "code": _code_of,
    "codeblock": _code_of,
    "email": lambda values: "",
    "email-cta": lambda values: "",
    "embed": _embed_of,
    "file": _file_of,
    "gallery": _gallery_of,
    "header": _header_of,
    "horizontalrule": lambda values: "<hr>",
    "hr": lambda values: "<hr>",
    "html": lambda values: text_of(values, "html"),
    "image": _image_of,
    "paywall": lambda values: MEMBERS_ONLY,
    "product": _product_of,
    "signup": lambda values: "",
    "toggle": _toggle_of,
    "video": lambda values: figure(
        player("video", text_of(values, "src"), text_of(values, "customThumbnailSrc", "thumbnailSrc")),
        text_of(values, "caption"),
    ),
}
