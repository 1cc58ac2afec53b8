"""Make HTML for what Substack shows with a script (pictures, quotations, formulas, players), from the elements' data.

In the export, such an element is empty, or contains what the page of Substack shows; its attribute data-attrs contains
all of it as JSON.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from publisher.publishing.exports.element_parts import (
    attributes_of,
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

# Elements that show something other than words: pictures, players, frames.
_SHOWS = re.compile(r"<(?:img|iframe|audio|video|picture|table|pre|math|input)\b", re.IGNORECASE)
_CLASSES = re.compile(r"<(?:div|figure|span|p)\s((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_MOST_PICTURES = 500


def with_embeds(html: str) -> tuple[str, Counter[str]]:
    """Return a text in which such elements are plain HTML, and the number of those that could not be shown, by kind."""
    left: Counter[str] = Counter()
    return replaced(html, {name: _one(name, left) for name in _named(html)}), left


def _named(html: str) -> list[str]:
    """Return the classes of elements whose data-attrs say what they show, known ones first."""
    found = dict.fromkeys(name for name in (*_MADE, *_FURNITURE) if name in html)
    for tag in _CLASSES.finditer(html):
        if "data-attrs" in tag[1]:
            classes = attributes_of(tag[1]).get("class", "").split()
            if classes and not any(name in _LEFT_AS_IT_IS for name in classes):
                found.setdefault(next((name for name in classes if name in _MADE), classes[0]))
    return list(found)


def _one(name: str, left: Counter[str]) -> Callable[[Mapping[str, str], str], str | None]:
    def made(attributes: Mapping[str, str], inside: str) -> str | None:
        """Return the HTML for an embedded element; "" if it is only part of Substack's page."""
        values = _values(attributes.get("data-attrs", ""))
        if name in _FURNITURE:
            return ""
        if name in _MADE:
            made = _MADE[name](values, inside)
        elif words_of(inside) or _SHOWS.search(inside):
            return None
        else:
            made = _any(name, values)
        if not made:
            left[_CALLED.get(name, f"embeds of the kind {name[:40]}")] += 1
        return made

    return made


def _values(written: str) -> Values:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _within(values: Values, key: str) -> Values:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _text(values: Values, *keys: str) -> str:
    return next((text for key in keys if isinstance(text := values.get(key), str) and text.strip()), "")


def _gallery(values: Values, inside: str) -> str:
    gallery = _within(values, "gallery")
    images = gallery.get("images")
    images = [each for each in images if isinstance(each, dict)] if isinstance(images, list) else []
    alt = _text(gallery, "alt")
    shown = [picture(each.get("src"), _text(each, "alt", "title") or alt) for each in images[:_MOST_PICTURES]]
    made = figure("".join(filter(None, shown)), escape(_text(gallery, "caption"), quote=False))
    return made or (inside if _SHOWS.search(inside) else "")


def _tweet(values: Values, inside: str) -> str:
    name, login = _text(values, "name"), _text(values, "username")
    who = " ".join(filter(None, [name, f"(@{login})" if login else ""]))
    shots = values.get("photos")
    shots = [each for each in shots if isinstance(each, dict)] if isinstance(shots, list) else []
    pictures = "".join(picture(_text(each, "img_url", "src"), _text(each, "alt_text")) for each in shots[:20])
    quote = quotation(_text(values, "url"), who, _text(values, "full_text"))
    return f"{quote}{figure(pictures, '')}" or _as_it_is(inside)


def _post(values: Values, inside: str) -> str:
    texts = [_text(values, "subtitle", "caption"), _text(values, "truncated_body_text")]
    url = _text(values, "canonical_url", "url")
    return quotation(url, _text(values, "title"), *texts) or _as_it_is(inside)


def _publication(values: Values, inside: str) -> str:
    texts = [_text(values, "hero_text", "description")]
    return quotation(_text(values, "base_url", "url"), _text(values, "name", "title"), *texts) or _as_it_is(inside)


def _note(values: Values, inside: str) -> str:
    comment = _within(values, "comment")
    who = _text(comment, "name") or _text(_within(comment, "user"), "name")
    url = _text(values, "url")
    return quotation(url, who or ("a note" if url else ""), _text(comment, "body")) or _as_it_is(inside)


def _formula(values: Values, inside: str) -> str:
    tex = _text(values, "persistentExpression")
    return f'<pre><code class="language-math">{escape(tex, quote=False)}</code></pre>' if tex else ""


def _audio(values: Values, inside: str) -> str:
    url = _text(values, "url", "src", "audio_url")
    label = escape(_text(values, "label", "title"), quote=False)
    return figure(player("audio", url), label) if url else _as_it_is(inside)


def _video(values: Values, inside: str) -> str:
    url = _text(values, "url", "src", "video_url")
    return figure(player("video", url), "") if url else _as_it_is(inside)


def _mention(values: Values, inside: str) -> str:
    return linked(_text(values, "url"), _text(values, "name")) or _as_it_is(inside)


def _file(values: Values, inside: str) -> str:
    url = next((tag["href"] for tag in tags_of(inside, "a") if tag.get("href")), "")
    about = words_of(content_of(inside, "file-embed-details-h2"))
    link = linked(url, words_of(content_of(inside, "file-embed-details-h1"))) if url else ""
    return f"<p>{link}{f' ({escape(about, quote=False)})' if about else ''}</p>" if link else _as_it_is(inside)


def _code(values: Values, inside: str) -> str:
    """Return code with its language, which only the element around the code names."""
    language = re.sub(r"[^\w+#.-]", "", _text(values, "language"))[:60]
    bare = language and "<code>" in inside
    return inside.replace("<code>", f'<code class="language-{language}">', 1) if bare else _as_it_is(inside)


def _poll(values: Values, inside: str) -> str:
    return _as_it_is(inside)


def _any(name: str, values: Values) -> str:
    """Return what an unknown element shows, as far as its data says so: a link with a title, or a quotation."""
    before, key = _PLACES.get(name, ("", ""))
    number = _text(values, key)
    place = f"{before}{number}" if re.fullmatch(r"[\w-]{1,80}", number) else ""
    url = web_url(_text(values, "url", "canonical_url", "href")) or place
    title = _text(values, "title", "name", "label")
    texts = [_text(values, "text", "full_text", "body", "description", "caption")]
    image = picture(_text(values, "src")) if not url else ""
    return f"<p>{image}</p>" if image else quotation(url, title, *texts) if url or title else ""


def _as_it_is(inside: str) -> str:
    return f"<div>{inside}</div>" if words_of(inside) or _SHOWS.search(inside) else ""


# How an element is shown, by class; other classes have data-attrs too.
_MADE: Mapping[str, Callable[[Values, str], str]] = {
    "image-gallery-embed": _gallery,
    "tweet": _tweet,
    "twitter-embed": _tweet,
    "embedded-post-wrap": _post,
    "digest-post-embed": _post,
    "embedded-publication-wrap": _publication,
    "comment": _note,
    "file-embed-wrapper": _file,
    "highlighted_code_block": _code,
    "latex-rendered": _formula,
    "native-audio-embed": _audio,
    "native-video-embed": _video,
    "mention-wrap": _mention,
    "poll-embed": _poll,
}
# The URL of things for which an element gives only a number, and the name of that number.
_PLACES = {
    "instagram": ("https://www.instagram.com/p/", "instagram_id"),
    "vimeo-wrap": ("https://vimeo.com/", "videoId"),
    "youtube-wrap": ("https://www.youtube.com/watch?v=", "videoId"),
}
# Elements that show their content, and have data-attrs for Substack's editor only.
_LEFT_AS_IT_IS = frozenset(
    (
        "button-wrapper",
        "subscription-widget-wrap",
        "subscription-widget-wrap-editor",
        "captioned-button-wrap",
        "footnote",
    )
)
# Invitations to install or join something of Substack's, and buttons to enlarge a picture.
_FURNITURE = frozenset(("install-substack-app-embed", "community-chat", "directMessage", "image-link-expand"))
# What a file can't show, as the summary calls it.
_CALLED = {
    "poll-embed": "polls",
    "native-audio-embed": "recordings that only Substack can play",
    "native-video-embed": "videos that only Substack can play",
    "image-gallery-embed": "galleries without pictures",
    "latex-rendered": "empty formulas",
    "comment": "notes without words",
}
