"""What a letter uses of HTML and CSS, by the keys of clients.json: "element:video", "value:display:flex"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from publisher.newsletters.lint.computed_styles import Sheet
from publisher.newsletters.lint.rules import Declaration


class Use(NamedTuple):
    """One thing that is used: its key, what it looks like in a template, and the address of a picture."""

    key: str
    pattern: str
    address: str = ""


def uses_of(sheet: Sheet) -> list[Use]:
    """Return everything that the letter uses, each key once.

    What stands under a condition (@media, @supports) is extra by its nature, so only the condition counts.
    """
    found: dict[str, Use] = {}
    for use in (*_of_elements(sheet), *_of_declarations(sheet), *_of_rules(sheet)):
        found.setdefault(use.key, use)
    return list(found.values())


def _of_elements(sheet: Sheet) -> Iterator[Use]:
    seen: set[str] = set()
    for element in sheet.elements:
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


def _of_declarations(sheet: Sheet) -> Iterator[Use]:
    for declaration in sheet.inline_declarations():
        yield from _of_declaration(declaration)
    for rule in sheet.rules:
        if not rule.conditions and not rule.selector.startswith("@"):
            for declaration in rule.declarations:
                yield from _of_declaration(declaration)


def _of_declaration(declaration: Declaration) -> Iterator[Use]:
    name, value = declaration.name, declaration.value.lower()
    begin = rf"(?<![\w-]){re.escape(name)}\s*:"
    yield Use(f"property:{name}", begin)
    yield Use(f"value:{name}:{value}", rf"{begin}\s*{re.escape(value)}")
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|url\([^)]*\)", "", value)
    for function in re.findall(r"([a-z-]+)\(", bare):
        yield Use(f"function:{function}", rf"\b{function}\(")
    for unit in re.findall(r"(?<![\w#.-])-?\d*\.?\d+([a-z]+)\b", bare):
        yield Use(f"unit:{unit}", rf"\d{unit}\b")


def _of_rules(sheet: Sheet) -> Iterator[Use]:
    for rule in sheet.rules:
        for condition in rule.conditions:
            yield from _of_condition(condition)
        if rule.selector.startswith("@"):
            yield from _of_condition(rule.selector)
        else:
            for pseudo in re.findall(r"::?([a-z-]+)", re.sub(r"\[[^]]*\]", "", rule.selector.lower())):
                yield Use(f"pseudo:{pseudo}", rf":{pseudo}\b")
    for rule_without_block in sheet.bare:
        yield from _of_condition(rule_without_block)


def _of_condition(condition: str) -> Iterator[Use]:
    name = condition.partition(" ")[0].partition("(")[0].lower()
    yield Use(f"at:{name}", rf"{re.escape(name)}\b")
    for feature in re.findall(r"\(\s*([a-z-]+)", condition.lower()):
        yield Use(f"at:{name} ({feature})", rf"{re.escape(name)}[^{{]*{feature}")
