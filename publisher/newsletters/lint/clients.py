"""What mail programs do not support, by the data of caniemail.com in clients.json (see docs/generate_clients.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.fallbacks import FALLBACKS
from publisher.newsletters.lint.letter_context import Case
from publisher.newsletters.lint.uses import Use, uses_of

BIG = ("gmail", "outlook", "apple-mail", "yahoo")  # a lack elsewhere is only noted

# Every mail program takes these out, so nobody tests them.
_REMOVED = ("script", "iframe", "frame", "frameset", "embed", "applet")


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that not every mail program supports.

    tested, lacking  how many programs were tried in their newest version, and which lack it: "gmail.ios"
    """

    slug: str
    title: str
    url: str
    tested: int
    lacking: tuple[str, ...]


def client_findings(case: Case) -> Iterator[Finding]:
    """Yield what the letter uses and mail programs lack; what is harmless all together, as one note."""
    features, _ = _data()
    harmless: dict[str, Feature] = {}
    told = set()
    for use in uses_of(case.sheet):
        feature = features.get(use.key) or features.get(_family(use.key))
        if use.key.startswith("element:") and use.key.removeprefix("element:") in _REMOVED:
            yield found("client-removed", _where(case, use), f"mail programs take <{use.key[8:]}> out")
        elif feature is None or feature.slug in told:
            continue
        elif feature.slug in FALLBACKS or not _is_big(feature):
            harmless[feature.slug] = feature
        else:
            told.add(feature.slug)
            yield found("client-support", _where(case, use), f"{feature.title} {_lacks(feature)}", f"see {feature.url}")
    if harmless:
        yield _note(case, harmless.values())


def _note(case: Case, features: Iterable[Feature]) -> Finding:
    titles = ", ".join(sorted(feature.title for feature in features))
    return found(
        "client-fallback",
        f"templates/email/{case.newsletter.template}.html",
        f"not in every mail program, and not missed: {titles}",
    )


def _family(key: str) -> str:
    """The feature of a whole family of properties ("grid-template-*"), or of an at-rule's name."""
    if key.startswith("at:"):
        return key.partition(" ")[0]
    return f"{key.rpartition('-')[0]}-*"


def _is_big(feature: Feature) -> bool:
    return any(client.partition(".")[0] in BIG for client in feature.lacking)


def _lacks(feature: Feature) -> str:
    _, names = _data()
    by_family: dict[str, list[str]] = {}
    for client in feature.lacking:
        if client.partition(".")[0] in BIG:
            family, _, platform = names[client].partition(" (")
            by_family.setdefault(family, []).append(platform.rstrip(")"))
    big = "; ".join(f"{family} ({', '.join(platforms)})" for family, platforms in by_family.items())
    others = len(feature.lacking) - sum(len(platforms) for platforms in by_family.values())
    rest = f", nor by {others} others" if others > 1 else ", nor by another" if others else ""
    return f"is not supported by {big}{rest}: {len(feature.lacking)} of {feature.tested} programs tested"


def _where(case: Case, use: Use) -> str:
    if use.address:
        return case.places.of_address(use.address)
    for post in case.posts:
        if use.key.startswith("element:") and re.search(use.pattern, post.html):
            return case.places.post(post, f"<{use.key[8:].partition('[')[0]}")
    return case.places.template(use.pattern)


@lru_cache(maxsize=1)
def _data() -> tuple[dict[str, Feature], dict[str, str]]:
    """The features by what shows that they are used, and the programs' names."""
    import json
    from importlib.resources import files

    data: dict[str, Any] = json.loads((files(__package__) / "clients.json").read_text(encoding="utf-8"))
    features = {}
    for row in data["features"]:
        feature = Feature(row["slug"], row["title"], row["url"], row["tested"], tuple(row["lacking"]))
        features.update(dict.fromkeys(row["finds"], feature))
    return features, data["clients"]
