"""Finds HTML and CSS that email clients do not support, and emails that are too large for Gmail.

The support data in clients.json comes from caniemail.com (see docs/generate_clients.py). Its keys name the features of
an email: "element:video", "property:gap", "value:display:flex", "unit:vw".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from publisher.core.frozen import dataclass
from publisher.newsletters.letter.compose import CLIPPED, WHOLE_POST_TEMPLATE, fallback_line, html_bytes
from publisher.newsletters.letter.inline_css import STYLE_LIMIT
from publisher.newsletters.lint.client_fallbacks import FALLBACKS
from publisher.newsletters.lint.css_shorthands import declared, negative
from publisher.newsletters.lint.finding_codes import Finding, found
from publisher.newsletters.lint.letter_context import LintContext
from publisher.newsletters.lint.parsed_letter import ParsedLetter, Property
from publisher.posts.text.prose import line_at

BIG = ("gmail", "outlook", "apple-mail", "yahoo")  # a feature that only other clients lack is a note

# Every email client removes these elements, so caniemail.com does not test them.
_REMOVED = ("script", "iframe", "frame", "frameset", "embed", "applet")


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of HTML or CSS that not every email client supports.

    tested   the number of clients that were tested, in their newest version
    lacking  the clients that do not support the feature, such as "gmail.ios"
    """

    slug: str
    title: str
    url: str
    tested: int
    lacking: tuple[str, ...]


class Use(NamedTuple):
    """A feature that a letter uses.

    key      the key of the feature in clients.json
    pattern  a regular expression that finds the feature in a template
    url      the URL of a picture; "" for other features
    """

    key: str
    pattern: str
    url: str = ""


def client_findings(context: LintContext) -> Iterator[Finding]:
    """Yield a finding for each feature of the letter that clients lack; all harmless features share a single note."""
    features, _ = _data()
    harmless: dict[str, Feature] = {}
    reported = set()
    for use in _uses_of(context.parsed):
        feature = features.get(use.key) or features.get(_family(use.key))
        if use.key.startswith("element:") and use.key.removeprefix("element:") in _REMOVED:
            yield found("client-removed", _where(context, use), f"email clients remove <{use.key[8:]}>")
        elif feature is None or feature.slug in reported:
            continue
        elif feature.slug in FALLBACKS or not _is_big(feature):
            harmless[feature.slug] = feature
        else:
            reported.add(feature.slug)
            yield found(
                "client-support", _where(context, use), f"{feature.title} {_lacks(feature)}", f"see {feature.url}"
            )
    if harmless:
        yield _note(context, harmless.values())


def size_findings(context: LintContext) -> Iterator[Finding]:
    """Yield findings about the parts that are too large for Gmail, and about a letter that was shortened to fit."""
    size = html_bytes(context.letter)
    if context.letter.fallback:
        is_set = context.letter.fallback.wanted == "full" and context.newsletter.template != WHOLE_POST_TEMPLATE
        hint = "" if is_set else "put fewer posts in an edition (maximum), or shorten the longest"
        yield found("size-fallback", context.locator.key("", "content"), fallback_line(context.letter), hint)
    if size > CLIPPED:
        yield found(
            "size-clipped",
            context.locator.key("", "maximum"),
            f"the HTML has {size:,} bytes, and Gmail cuts emails off near {CLIPPED:,}",
        )
    yield from _kept_styles(context)


def _note(context: LintContext, features: Iterable[Feature]) -> Finding:
    titles = ", ".join(sorted(feature.title for feature in features))
    return found(
        "client-fallback",
        f"templates/email/{context.newsletter.template}.html",
        f"not supported everywhere, but harmless: {titles}",
    )


def _family(key: str) -> str:
    """Return the key of the family of a property or at-rule, such as "property:grid-template-*" or "at:@media"."""
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
    rest = f", nor by {others} others" if others > 1 else ", nor by one other" if others else ""
    return f"is not supported by {big}{rest}: {len(feature.lacking)} of {feature.tested} clients tested"


def _where(context: LintContext, use: Use) -> str:
    if use.url:
        return context.locator.of_url(use.url)
    for post in context.posts:
        if use.key.startswith("element:") and re.search(use.pattern, post.html):
            return context.locator.post(post, f"<{use.key[8:].partition('[')[0]}")
    return context.locator.template(use.pattern)


@lru_cache(maxsize=1)
def _data() -> tuple[dict[str, Feature], dict[str, str]]:
    """Return the features, by each key under which a letter may use them, and the names of the clients."""
    data: dict[str, Any] = json.loads((files(__package__) / "clients.json").read_text(encoding="utf-8"))
    features = {}
    for row in data["features"]:
        feature = Feature(row["slug"], row["title"], row["url"], row["tested"], tuple(row["lacking"]))
        features.update(dict.fromkeys(row["finds"], feature))
    return features, data["clients"]


def _uses_of(letter: ParsedLetter) -> list[Use]:
    """Return the features that the letter uses, each key once.

    Rules inside a condition (@media, @supports) are optional by nature, so only the condition itself counts.
    """
    uses: dict[str, Use] = {}
    for use in (*_of_elements(letter), *_of_declarations(letter), *_of_rules(letter)):
        uses.setdefault(use.key, use)
    return list(uses.values())


def _of_elements(letter: ParsedLetter) -> Iterator[Use]:
    seen: set[str] = set()
    for element in letter.elements:
        for use in _of_element(element):
            if use.key not in seen:
                seen.add(use.key)
                yield use


def _of_element(element: Any) -> Iterator[Use]:
    yield Use(f"element:{element.tag}", rf"<{re.escape(element.tag)}\b")
    if element.get("type"):
        kind = element.get("type").lower()
        yield Use(f"element:{element.tag}[type={kind}]", rf"<{re.escape(element.tag)}\b[^>]*{re.escape(kind)}")
    for name in element.attrib:
        yield Use(f"attribute:{name}", rf"\b{re.escape(name)}\s*=")
    if element.tag == "img":
        path = urlsplit(element.get("src", "").strip()).path if "://" in element.get("src", "") else ""
        ending = path.rpartition(".")[2].lower()
        if ending.isalnum():
            yield Use(f"image:{ending}", "", element.get("src"))


def _of_declarations(letter: ParsedLetter) -> Iterator[Use]:
    for declaration in letter.inline_declarations():
        yield from _of_declaration(declaration)
    for rule in letter.rules:
        if not rule.conditions and not rule.selector.startswith("@"):
            for declaration in rule.declarations:
                yield from _of_declaration(declaration)


def _of_declaration(declaration: Property) -> Iterator[Use]:
    name, value = declaration.name, declaration.value.lower()
    begin = rf"(?<![\w-]){re.escape(name)}\s*:"
    for each in declared(declaration):
        yield Use(f"property:{each.name}", begin if each is declaration else rf"{begin}[^;]*?{re.escape(each.value)}")
        yield Use(f"value:{each.name}:{each.value.lower()}", rf"{begin}[^;]*?{re.escape(each.value)}")
    if base := negative(declaration):
        yield Use(f"negative:{base}", rf"{begin}[^;]*?-[\d.]")
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|url\([^()]*\)", "", value)
    for function in re.findall(r"(?<![a-z-])([a-z-]+)\(", bare):
        yield Use(f"function:{function}", rf"\b{function}\(")
    for unit in re.findall(r"(?<![\w#.-])-?(?:\d++(?:\.\d++)?|\.\d++)([a-z]+)\b", bare):
        yield Use(f"unit:{unit}", rf"\d{unit}\b")


def _of_rules(letter: ParsedLetter) -> Iterator[Use]:
    for rule in letter.rules:
        for condition in rule.conditions:
            yield from _of_condition(condition)
        if rule.selector.startswith("@"):
            yield from _of_condition(rule.selector)
        else:
            for pseudo in re.findall(r"::?([a-z-]+)", re.sub(r"\[[^\[\]]*\]", "", rule.selector.lower())):
                yield Use(f"pseudo:{pseudo}", rf":{pseudo}\b")
    for rule_without_block in letter.bare:
        yield from _of_condition(rule_without_block)


def _of_condition(condition: str) -> Iterator[Use]:
    name = condition.partition(" ")[0].partition("(")[0].lower()
    yield Use(f"at:{name}", rf"{re.escape(name)}\b")
    for feature in re.findall(r"\(\s*([a-z-]+)", condition.lower()):
        yield Use(f"at:{name} ({feature})", rf"{re.escape(name)}[^{{]*{feature}")


def _kept_styles(context: LintContext) -> Iterator[Finding]:
    length = len(context.parsed.kept)
    if length > STYLE_LIMIT:
        yield found(
            "style-budget",
            context.locator.kept_css(),
            f"the <style> blocks have {length:,} characters, more than {STYLE_LIMIT:,}: Gmail drops them all",
        )
    for rule in context.parsed.rules:
        inside = [name for name in (*rule.conditions, rule.selector) if name.startswith("@")]
        if len(inside) > 1:
            text = context.locator.templates.source("email/letter-kept.css")
            at = text.find(inside[1])
            yield found(
                "style-nested",
                f"templates/email/letter-kept.css:{line_at(text, at)}"
                if at >= 0
                else context.locator.template(r"block kept_style"),
                f"{inside[1]} is inside {inside[0]}: Gmail drops the whole <style> block",
            )
            return
