"""Compares the sites that two programs made from the same posts, because it is easy to be fast by doing less.

Every page is compared: its URL, its words, the metadata in its head, and the targets of its links. Every feed is
compared: its titles and the length of its texts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from benchmarks.outputs import FeedFile, count_words, read_feeds

_ROOT = "https://bench.example.org/"
# The share of the words of a page or a text that may differ, because an excerpt may be cut a word earlier.
_MAY_DIFFER = 0.02
# Of two related posts with equal relevance, either may be listed: one link and title less here, another more there.
_ONE_LINK, _ONE_TITLE = 2, 14
# Words that a cut may drop; a URL counts as several.
_CUT_WORDS = 6
# Hugo writes dan-oneill where ours is dan-o-neill_1f8ec43e, because of the apostrophe.
_SPELLING = re.compile(r"_[0-9a-f]{8}(?=/|$)|(?<=[a-z])-(?=[a-z])")
_CUT = re.compile(r'([^"…]{200})[^"…]*…')
_FACTS = ("name", "property")
_RELATIONS = ("canonical", "alternate", "next", "prev")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The contents of a page: its words, the metadata in its head, and the URLs to which it links."""

    words: Counter[str]
    facts: frozenset[str]
    links: frozenset[str]


def site_differences(ours: Path, theirs: Path) -> list[str]:
    """Return, in sentences, how the sites in two folders differ; an empty list if they are the same."""
    mine, other = _pages(ours), _pages(theirs)
    found = [*_only("ours", mine, other), *_only("theirs", other, mine)]
    unlike = [(path, _unlike(_page(mine[path], path), _page(other[path], path))) for path in mine if path in other]
    unlike = [(path, reason) for path, reason in unlike if reason]
    if unlike:
        found.append(f"{len(unlike)} pages differ, {unlike[0][0]}: {unlike[0][1]}")
    return found + feed_differences(_all_feeds(ours), _all_feeds(theirs)) + _unlike_maps(ours, theirs)


def feed_differences(ours: list[FeedFile], theirs: list[FeedFile]) -> list[str]:
    """Return, in sentences, how two lists of feeds differ: in number, titles, order or length of texts."""
    mine, other = (Counter((feed.kind, feed.titles) for feed in feeds) for feeds in (ours, theirs))
    if mine != other:
        return [f"{len(ours)} feeds against {len(theirs)}, {sum((mine & other).values())} of them alike"]
    pairs = zip(sorted(ours, key=_identity), sorted(theirs, key=_identity), strict=True)
    unlike = [one for one, two in pairs if not _same_texts(one, two)]
    return [f"{len(unlike)} feeds have other texts, one of {unlike[0].kind}"] if unlike else []


def _identity(feed: FeedFile) -> tuple[str, tuple[str, ...]]:
    return feed.kind, feed.titles


def _same_texts(one: FeedFile, two: FeedFile) -> bool:
    texts = zip(one.content_words, two.content_words, strict=True)
    summaries = zip(one.summary_words, two.summary_words, strict=True)
    return all(min(pair) > 0 and abs(pair[0] - pair[1]) <= _MAY_DIFFER * max(pair) for pair in texts) and all(
        min(pair) > 0 and abs(pair[0] - pair[1]) <= _CUT_WORDS for pair in summaries
    )


def _all_feeds(folder: Path) -> list[FeedFile]:
    return read_feeds(folder) + [_json_feed(path) for path in sorted(folder.rglob("feed*.json"))]


def _json_feed(path: Path) -> FeedFile:
    items = json.loads(path.read_text(encoding="utf-8"))["items"]
    return FeedFile(
        "json",
        tuple(item["title"] for item in items),
        tuple(count_words(item["content_html"]) for item in items),
        tuple(count_words(item["summary"]) for item in items),
    )


def _pages(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.html"))}


def _only(side: str, pages: Mapping[str, Path], others: Mapping[str, Path]) -> list[str]:
    alone = sorted(pages.keys() - others.keys())
    return [f"{side} alone: {len(alone)} pages, such as {alone[0]}"] if alone else []


def _unlike(one: PageFacts, two: PageFacts) -> str:
    words = one.words.total() + two.words.total()
    parts: tuple[tuple[str, Callable[[PageFacts], Iterable[str]], float], ...] = (
        ("words", lambda page: page.words.elements(), max(_ONE_TITLE, _MAY_DIFFER * words / 2)),
        ("facts", lambda page: page.facts, 0),
        ("links", lambda page: page.links, _ONE_LINK),
    )
    for name, part, most in parts:
        mine, other = Counter(part(one)), Counter(part(two))
        apart = (mine - other) + (other - mine)
        if apart.total() > most:
            shown = ", ".join(sorted(apart)[:4])
            return f"{apart.total()} of {mine.total()} {name}: {shown}"
    return ""


def _page(path: Path, address: str) -> PageFacts:
    document = html.fromstring(path.read_bytes())
    words = Counter(re.findall(r"\w+", " ".join(document.find("body").itertext())))
    base = urljoin(_ROOT, address.removesuffix("index.html"))
    anchors = document.find("body").iter("a")
    links = frozenset(_spelled(urljoin(base, anchor.get("href", ""))) for anchor in anchors)
    return PageFacts(words, frozenset(_facts(document.find("head"), base)), links)


def _facts(head: html.HtmlElement, base: str) -> Iterable[str]:
    yield f"title {head.findtext('title')}"
    for meta in head.iter("meta"):
        if name := next((meta.get(key) for key in _FACTS if meta.get(key)), ""):
            yield _uncut(f"{name} {'' if name == 'generator' else meta.get('content', '')}")
    for link in head.iter("link"):
        if link.get("rel") in _RELATIONS:
            yield f"{link.get('rel')} {link.get('type', '')} {_spelled(urljoin(base, link.get('href', '')))}"
    for script in head.iter("script"):
        yield _uncut(json.dumps(json.loads(script.text), sort_keys=True, ensure_ascii=False))


def _uncut(fact: str) -> str:
    """Return a text without the end of a cut excerpt, because one program may cut it a word earlier."""
    return _CUT.sub(r"\1", fact)


def _spelled(address: str) -> str:
    return _SPELLING.sub("", address)


def _unlike_maps(ours: Path, theirs: Path) -> list[str]:
    """Compare the sitemaps and the lists of feeds."""
    found = []
    for name in ("sitemap.xml", "feeds.opml"):
        mine, other = (_addresses(folder / name) for folder in (ours, theirs))
        if mine != other:
            found.append(f"{name}: {len(mine ^ other)} of {len(mine)} addresses differ")
    return found


def _addresses(path: Path) -> frozenset[str]:
    root = etree.parse(path).getroot()
    texts = [element.text or "" for element in root.iter("{*}loc")]
    texts += [element.get("xmlUrl", "") for element in root.iter("{*}outline")]
    return frozenset(_spelled(text) for text in texts if urlsplit(text).scheme)
