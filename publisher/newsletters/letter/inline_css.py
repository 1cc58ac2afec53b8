"""CSS into style attributes: the only user of premailer. Once per letter, never per recipient, never online.

premailer finds which rules reach which elements, in the order of their weight, and writes the attributes. What
it would do beside that is taken from it here:

- reading: our own parser reads the CSS, since premailer's drops what it does not know, and fetches `@import`;
- merging: a style attribute is made from the rules by our own cascade, since premailer's order of properties
  lets a margin-top of an old rule win over the margin of a newer one;
- styles of the template's own: they are put aside meanwhile, since premailer would rewrite them;
- fetching: `@import` and <link rel=stylesheet> are errors that name their file and line;
- guessing: it writes attributes such as width="min(...)" from CSS, so that is off.

Rules that must stay rules stand in one <style data-premailer="ignore">: what a template has there (media, hover
and dark rules), and before it what of the other CSS no attribute can say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NoReturn

from lxml import etree

from publisher.core.errors import TemplateError
from publisher.newsletters.letter.css_parser import (
    AtRule,
    Declaration,
    StyleRule,
    Stylesheet,
    imports,
    read_declarations,
    read_sheet,
    unclosed,
)
from publisher.newsletters.letter.css_sources import CssSource, refused_in, unclosed_in
from publisher.newsletters.letter.html_tree import PERSONAL, parse_document, serialise
from publisher.newsletters.letter.safe_text import clean

# At-rules that do no harm in a letter. Others are left out; css_findings says so.
KEPT_AT_RULES = frozenset({"media", "supports", "font-face", "keyframes", "-webkit-keyframes"})


def kept_css(sheet: Stylesheet) -> str:
    """Return what of a stylesheet cannot become attributes, as CSS without an at-rule inside another.

    Its declarations are urgent, because attributes win otherwise; only those of `*`, the weakest selector there
    is, stay as they are. Rules come in the order written.
    """
    kept: list[str] = []
    for part in sheet.parts:
        if isinstance(part, StyleRule):
            kept += _kept_selectors(part)
        elif part.keyword in KEPT_AT_RULES:
            kept.append(_at_rule_text(part))
    return "\n".join(filter(None, kept))


def flat_css(css: str) -> str:
    """Return CSS that travels as rules without what makes Gmail drop it all: an at-rule or a rule inside another.

    CSS that holds none comes back as it was.
    """
    sheet = read_sheet(css)
    others = [part for part in sheet.parts if isinstance(part, AtRule) and part.keyword not in KEPT_AT_RULES]
    if not others and all(mistake.kind != "nested" for mistake in sheet.mistakes):
        return css
    kept = [_as_written(part) for part in sheet.parts if part not in others]
    return "\n".join(filter(None, kept))


def _as_written(part: StyleRule | AtRule) -> str:
    if isinstance(part, AtRule):
        return _at_rule_text(part, important=None)
    return _rule_text(", ".join(each.text for each in part.selectors), part.declarations, None)


def _kept_selectors(rule: StyleRule) -> Iterable[str]:
    kept = [each for each in rule.selectors if not each.query]
    strong = ", ".join(each.text for each in kept if each.specificity > (0, 0, 0))
    weak = ", ".join(each.text for each in kept if each.specificity == (0, 0, 0))
    if strong:
        yield _rule_text(strong, rule.declarations, True)
    if weak:
        yield _rule_text(weak, rule.declarations, None)


def _rule_text(selectors: str, declarations: tuple[Declaration, ...], important: bool | None) -> str:
    return f"{selectors} {{{'; '.join(each.css(important=important) for each in declarations)}}}"


def _at_rule_text(at_rule: AtRule, important: bool | None = True) -> str:
    if at_rule.keyword not in ("media", "supports"):
        return at_rule.text
    rules = [
        _rule_text(", ".join(each.text for each in rule.selectors), rule.declarations, important)
        for rule in at_rule.rules
    ]
    return "\n".join([f"@{at_rule.keyword} {at_rule.prelude} {{", *rules, "}"]) if rules else ""


_SIDES = ("top", "right", "bottom", "left")
_ASPECTS = ("width", "style", "color")
# Longhands that go once their shorthand is set again, to save bytes; others stay before it, where they lose.
_COVERED = {
    "margin": frozenset(f"margin-{side}" for side in _SIDES),
    "padding": frozenset(f"padding-{side}" for side in _SIDES),
    "border": frozenset(
        [f"border-{part}" for part in _SIDES + _ASPECTS]
        + [f"border-{side}-{aspect}" for side in _SIDES for aspect in _ASPECTS]
    ),
}


def style_attribute(rules: Iterable[tuple[Declaration, ...]], own: tuple[Declaration, ...] = ()) -> str:
    """Return the style attribute of an element.

    rules  what reaches it, weakest first
    own    what its style attribute says already; it wins over all but urgent rules

    Equal properties within one rule all stay, in order: they are a writer's fallback for old programs.
    What was urgent in a rule has won, and loses its `!important`, so that dark rules can win over it; in an
    attribute of the writer's own it stays.
    """
    held = [*rules, own]
    winners: dict[str, list[str]] = {}
    for urgent in (False, True):
        for layer in held:
            suffix = " !important" if urgent and layer is own else ""
            _apply([(each.name, each.value + suffix) for each in layer if each.important is urgent], winners)
    return "; ".join(f"{name}:{value}" for name, values in winners.items() for value in values)


def _apply(layer: list[tuple[str, str]], winners: dict[str, list[str]]) -> None:
    fresh: set[str] = set()
    for name, value in layer:
        # To the end, behind a shorthand in between.
        winners[name] = [*winners.pop(name), value] if name in fresh else _replaced(name, value, winners)
        for longhand in _COVERED.get(name, frozenset()) - fresh:
            winners.pop(longhand, None)
        fresh.add(name)


def _replaced(name: str, value: str, winners: dict[str, list[str]]) -> list[str]:
    winners.pop(name, None)
    return [value]


STYLE_LIMIT = 16_384  # Gmail drops every <style> of a letter when they are longer together

_CLASS_NAME = re.compile(r"\.(-?(?:[A-Za-z_]|[^\x00-\x7f])[\w-]*)")
_MARK = "--rule-"


def inline_css(html: str, template: str, sources: Callable[[], Iterable[CssSource]] = tuple) -> str:
    """Return the document with its CSS inlined, and without the classes that no kept rule needs.

    template  names the letter's template in errors
    sources   gives the writer's files, asked for only when an error needs its line

    Equal input gives equal output. Raises TemplateError for CSS that would be fetched or is never closed, and for
    no document.
    """
    tree = _document(clean(html), template)
    _refuse_remote(tree, template, sources)
    _refuse_unclosed(tree, template, sources)
    kept = _move_kept(tree)
    own = _put_aside_own_styles(tree)
    _inliner_class()(own, _names(tree)).transform(tree)
    for element, style in own.items():
        if "style" not in element.attrib:
            element.set("style", clean(style))
    _drop_classes(tree, set(_CLASS_NAME.findall(kept)) | {PERSONAL}, "\\" in kept or "[class" in kept)
    return serialise(tree)


def _document(html: str, template: str) -> Any:
    try:
        return parse_document(html)
    except etree.ParserError as error:
        raise TemplateError(
            "this template makes an empty letter",
            where=f"templates/{template}",
            hint='begin it with {% extends "email/base.html" %}, or delete it to get the shipped one',
        ) from error


def _refuse_remote(tree: Any, template: str, sources: Callable[[], Iterable[CssSource]]) -> None:
    for link in tree.iter("link"):
        if "stylesheet" in link.get("rel", "").lower():
            _refuse(template, sources, f'<link rel="stylesheet" href="{link.get("href", "")}">')
    for style in tree.iter("style"):
        if any(imports(style.text or "")):
            _refuse(template, sources, "@import")


def _refuse(template: str, sources: Callable[[], Iterable[CssSource]], what: str) -> NoReturn:
    raise TemplateError(
        f"{what} in a letter: nothing is fetched for letters, and mail programs do not fetch it either",
        where=refused_in(sources()) or f"templates/{template}",
        hint="copy the rules into templates/email/own.css",
    )


def _refuse_unclosed(tree: Any, template: str, sources: Callable[[], Iterable[CssSource]]) -> None:
    for style in tree.iter("style"):
        if unclosed(style.text or ""):
            raise TemplateError(
                "CSS of the letter is never closed, so all rules behind it would be lost",
                where=unclosed_in(sources()) or f"templates/{template}",
                hint="write the } or */ that is missing",
            )


def _inlined(style: Any) -> bool:
    """Whether premailer reads this <style>: its own conditions."""
    return not style.get("data-premailer") and style.get("media") in (None, "", "all", "screen")


def _move_kept(tree: Any) -> str:
    """Move what stays rules into one kept block, and return the text of all that is kept."""
    styles = list(tree.iter("style"))
    moved = "\n".join(filter(None, (kept_css(read_sheet(each.text or "")) for each in styles if _inlined(each))))
    kept = [each for each in styles if not _inlined(each)]
    for each in kept:
        each.text = flat_css(each.text or "")
    if moved:
        block = next((each for each in kept if each.get("data-premailer")), None)
        if block is None:
            block = etree.Element("style", {"data-premailer": "ignore"})
            styles[-1].addnext(block)
            kept.append(block)
        block.text = clean(f"\n{moved}\n{block.text or ''}")
    for each in kept:
        if not (each.text or "").strip():
            each.tail = None
            each.drop_tree()
    return "\n".join(each.text or "" for each in kept)


def _put_aside_own_styles(tree: Any) -> dict[Any, str]:
    return {element: element.attrib.pop("style") for element in list(tree.xpath("//*[@style]"))}


def _names(tree: Any) -> set[str]:
    """Names of elements and classes in the document: asking for others takes half of premailer's time."""
    classes = {f".{name}" for names in tree.xpath("//@class") for name in names.split()}
    return classes | {element.tag for element in tree.iter(etree.Element)}


@lru_cache(maxsize=1)
def _inliner_class() -> Any:
    """premailer with a reader that cannot fetch; made late, because importing premailer takes 0.1 s."""
    # Its one cache, for all it does, holds 128 things; letter.css alone needs more, and is then slower by half.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "2000")
    from premailer import Premailer

    class Inliner(Premailer):  # type: ignore[misc] # premailer ships no types
        """Carries each rule through premailer as a mark, a property that only names it."""

        def __init__(self, own: dict[Any, str], names: set[str]) -> None:
            super().__init__(
                allow_network=False, disable_leftover_css=True, disable_validation=True, align_floating_images=False
            )
            self._own, self._names = own, names
            self._rules: list[tuple[Declaration, ...]] = []
            self._styles: dict[tuple[str, str], str] = {}

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
            rules = []
            for rule in read_sheet(css_body or "").rules:
                for selector in rule.selectors:
                    if selector.query and selector.needs <= self._names:
                        number = len(self._rules)
                        self._rules.append(rule.declarations)
                        weight = (*selector.specificity, ruleset_index, number)
                        rules.append((weight, selector.query, f"{_MARK}{number}:1"))
            return rules, []

        def _style_to_basic_html_attributes(self, element: Any, style_content: str, force: bool = False) -> None:
            """premailer's last word on an element; `style_content` holds the marks in order of weight."""
            key = (style_content, self._own.get(element, ""))
            if key not in self._styles:
                marks = [int(mark.removeprefix(_MARK).partition(":")[0]) for mark in style_content.split("; ")]
                layers = [self._rules[number] for number in marks]
                self._styles[key] = clean(style_attribute(layers, read_declarations(key[1])))
            element.set("style", self._styles[key])

    return Inliner


def _drop_classes(tree: Any, used: set[str], keep_all: bool) -> None:
    for element in tree.xpath("//*[@class]"):
        names = [name for name in element.get("class").split() if keep_all or name in used]
        if names:
            element.set("class", " ".join(names))
        else:
            del element.attrib["class"]
