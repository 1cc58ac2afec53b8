"""The filters of Jekyll and Eleventy that Liquid does not have itself."""

from __future__ import annotations

import html
import json
import posixpath
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, quote_plus

from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import Undefined

from publisher.core import patterns
from publisher.posts.body_templates.post_fields import civil_moment
from publisher.posts.body_templates.site_values import SiteValues
from publisher.posts.slugs import tag_slug

_HAS_HOST = patterns.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")
_LONGEST_FORM = 200
_CJK = patterns.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
# The longest text, in characters, that a filter may make. The next filter can use it, so it could double every time.
MOST_CHARACTERS = 1_000_000


class SiteFilters:
    """The filters that depend on the site: addresses and dates."""

    def __init__(self, values: SiteValues) -> None:
        self._values = values

    def all(self) -> dict[str, Callable[..., Any]]:
        """Return all filters by their names."""
        return _PLAIN | {
            "relative_url": self.relative_url,
            "absolute_url": self.absolute_url,
            "absoluteUrl": self.absolute_url,
            "htmlBaseUrl": self.absolute_url,
            "url": self.url,
            "markdownify": lambda value: self._values.asking.markdown(_text(value)) + "\n",
            "date": self.date,
            "date_to_xmlschema": lambda value: self._shown(value, datetime.isoformat),
            "date_to_rfc822": lambda value: self._shown(value, format_datetime),
            "date_to_string": lambda value, *_: self.date(value, "%d %b %Y"),
            "date_to_long_string": lambda value, *_: self.date(value, "%d %B %Y"),
        }

    def relative_url(self, path: Any) -> str:
        """Return a path from the root of the host; an address with a scheme stays as it is."""
        text, base = _text(path), self._values.base
        if _HAS_HOST.match(text):
            return text
        return f"{base}/{text.removeprefix('/')}" if text else base

    def absolute_url(self, path: Any, *_: Any) -> str:
        """Return an address with the host."""
        text = _text(path)
        return text if _HAS_HOST.match(text) else self._values.origin + self.relative_url(text)

    def url(self, path: Any, *_: Any) -> str:
        """Return a URL as in Eleventy: a path from the root gets the site's prefix, any other URL is unchanged."""
        text = _text(path)
        return self.relative_url(text) if text.startswith("/") and not text.startswith("//") else text

    def date(self, value: Any, form: Any = "%Y-%m-%d %H:%M:%S %z") -> Any:
        """Return a date in a strftime format; a value that isn't a date is returned unchanged."""
        made = self._moment(value)
        return value if made is None else made.strftime(_text(form)[:_LONGEST_FORM])

    def _shown(self, value: Any, form: Callable[[datetime], str]) -> str:
        made = self._moment(value)
        return _text(value) if made is None else form(made)

    def _moment(self, value: Any) -> datetime | None:
        config, text = self._values.config, _text(value)
        try:
            if isinstance(value, datetime):
                return value
            if text in ("now", "today"):
                return datetime.now(config.posts_zone)
            return (
                datetime.fromtimestamp(int(text), config.posts_zone) if text.isdigit() else civil_moment(text, config)
            )
        except (ValueError, OverflowError, OSError):
            return None


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, Undefined) else str(value)


def _slugify(value: Any, mode: Any = "default") -> str:
    text, mode = _text(value), _text(mode)
    if mode == "none":
        return text
    if mode in ("latin", "ascii"):
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    signs = r"\s+" if mode == "raw" else r"[^\w._~!$&'()+,;=@-]+" if mode == "pretty" else r"[\W_]+"
    return re.sub(signs, "-", text.lower()).strip("-")


def _jsonify(value: Any) -> str:
    return _bounded(json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")))


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > 20:
        return None
    if isinstance(value, Undefined):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item, depth + 1) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _bounded(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise FilterArgumentError(f"a filter makes more than {MOST_CHARACTERS:,} characters", token=None)
    return text


def _items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [] if isinstance(value, Undefined) else list(value.values())
    return list(value) if isinstance(value, list | tuple | range) or hasattr(value, "__getitem__") else []


def _of(item: Any, name: str) -> Any:
    """Return the value of an item by a name such as data.title; None if it has none."""
    for part in name.split("."):
        try:
            item = item[part]
        except (KeyError, TypeError, IndexError):
            return None
    return item


def _where(value: Any, name: Any, wanted: Any = None) -> Any:
    """Return the items whose value is or contains the wanted one, compared as text. A string is returned unchanged."""
    if isinstance(value, str):
        return value

    def fits(item: Any) -> bool:
        """Return whether an item has the wanted value."""
        found = _of(item, _text(name))
        if wanted is None or isinstance(wanted, Undefined):
            return found is None or found is False
        if isinstance(found, list):
            return _shown(wanted) in map(_shown, found)
        return found is not None and _shown(found) == _shown(wanted)

    return [item for item in _items(value) if fits(item)]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _group_by(value: Any, name: Any) -> list[dict[str, Any]]:
    groups: dict[str, list[Any]] = {}
    for item in _items(value):
        groups.setdefault(_text(_of(item, _text(name))), []).append(item)
    return [{"name": key, "items": items, "size": len(items)} for key, items in groups.items()]


def _sort(value: Any, name: Any = None, nils: Any = "first") -> list[Any]:
    items = _items(value)
    found = [(_of(item, _text(name)) if name else item, item) for item in items]
    empty = [item for key, item in found if key is None]
    full = [(key, item) for key, item in found if key is not None]
    try:
        full.sort(key=lambda pair: pair[0])
    except TypeError:
        full.sort(key=lambda pair: str(pair[0]))
    ordered = [item for _, item in full]
    return ordered + empty if nils == "last" else empty + ordered


def _sentence(value: Any, connector: Any = "and") -> str:
    words = list(map(_text, _items(value)))
    if len(words) < 3:
        return f" {_text(connector)} ".join(words)
    return f"{', '.join(words[:-1])}, {_text(connector)} {words[-1]}"


def _number_of_words(value: Any, mode: Any = "") -> int:
    text = _text(value)
    cjk = len(_CJK.findall(text)) if mode else 0
    return cjk + len((_CJK.sub(" ", text) if mode else text).split())


def _truncate_words(value: Any, count: Any = 50) -> str:
    return " ".join(_text(value).split()[: int(count)])


def _to_integer(value: Any) -> int:
    try:
        return int(float(_text(value)))
    except (ValueError, OverflowError):
        return int(value is True)


@with_context
def _where_exp(value: Any, name: Any, expression: Any, *, context: Any) -> list[Any]:
    test = context.env.condition(_text(expression))
    found = []
    for item in _items(value):
        with context.extend({_text(name): item}):
            if test.evaluate(context):
                found.append(item)
    return found


@with_context
def _find_exp(value: Any, name: Any, expression: Any, *, context: Any) -> Any:
    return next(iter(_where_exp(value, name, expression, context=context)), None)


@with_context
def _group_by_exp(value: Any, name: Any, expression: Any, *, context: Any) -> list[dict[str, Any]]:
    shown = context.env.expression(_text(expression))
    groups: dict[str, list[Any]] = {}
    for item in _items(value):
        with context.extend({_text(name): item}):
            groups.setdefault(_text(shown.evaluate(context)), []).append(item)
    return [{"name": key, "items": items, "size": len(items)} for key, items in groups.items()]


_PLAIN: dict[str, Callable[..., Any]] = {
    "slugify": _slugify,
    "slug": lambda value: tag_slug(_text(value)),
    "jsonify": _jsonify,
    "json": _jsonify,
    "inspect": _jsonify,
    "dump": _jsonify,
    "where": _where,
    "where_exp": _where_exp,
    "find": lambda value, name, wanted=None: next(iter(_where(_items(value), name, wanted)), None),
    "find_exp": _find_exp,
    "group_by": _group_by,
    "group_by_exp": _group_by_exp,
    "sort": _sort,
    "xml_escape": lambda value: html.escape(_text(value), quote=True).replace("&#x27;", "&apos;"),
    "cgi_escape": lambda value: quote_plus(_text(value)),
    "uri_escape": lambda value: quote(_text(value), safe=";/?:@&=+$,[]!~*'()#%-_."),
    "array_to_sentence_string": _sentence,
    "number_of_words": _number_of_words,
    "normalize_whitespace": lambda value: " ".join(_text(value).split()),
    "smartify": _text,
    "strip_index": lambda value: re.sub(r"/index\.html?$", "/", _text(value)),
    "to_integer": _to_integer,
    "push": lambda value, item: [*_items(value), item],
    "pop": lambda value, count=1: _items(value)[: max(0, len(_items(value)) - int(count))],
    "shift": lambda value, count=1: _items(value)[int(count) :],
    "unshift": lambda value, item: [item, *_items(value)],
    "sample": lambda value, count=1: next(iter(_items(value)), None),
    "basename": lambda value: posixpath.basename(_text(value)),
    "truncate_words": _truncate_words,
}
