"""Turns CSS into style attributes, once per letter and without the network. Only this module uses premailer.

premailer finds the rules that match each element, in order of specificity, and writes the attributes. The rest of its
work is done here instead:

- parsing: our own parser is used, because premailer's drops CSS that it does not know and fetches `@import`;
- merging: our own cascade combines the rules into a style attribute, because with premailer's order of properties the
  margin-top of an earlier rule wins over the margin of a later one;
- style attributes: the template's own are set aside meanwhile, because premailer would rewrite them;
- fetching: `@import` and <link rel=stylesheet> are reported as errors with their file and line;
- guessing: premailer would derive attributes such as width="min(...)" from CSS, so this is switched off.

Rules that cannot become attributes are kept in one <style data-premailer="ignore">. Rules moved there from other CSS
come first, then the rules that a template has written there (media, hover and dark-mode rules). They have no comments,
because Yahoo and AOL replace a comment with the id of their wrapper, and the rule after it then matches nothing.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from lxml import etree

# premailer has a single cache of 128 entries. letter.css alone needs more, and without them inlining takes half as long
# again. premailer reads this variable when it is imported.
os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "2000")
from premailer import Premailer

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
    without_comments,
)
from publisher.newsletters.letter.css_sources import CssSource, refused_in, unclosed_in
from publisher.newsletters.letter.html_tree import PERSONAL, parse_document, serialise
from publisher.newsletters.letter.safe_text import clean

# premailer has one call that Python 3.13 calls deprecated.
warnings.filterwarnings("ignore", "'maxsplit' is passed as positional", DeprecationWarning, r"premailer\.premailer")

STYLE_LIMIT = 16_384  # characters; if an email's <style> blocks have more in total, Gmail drops them all

# At-rules that do no harm in an email. Others are left out, and css_findings reports them.
KEPT_AT_RULES = frozenset({"media", "supports", "font-face", "keyframes", "-webkit-keyframes"})

_CLASS_NAME = re.compile(r"\.(-?(?:[A-Za-z_]|[^\x00-\x7f])[\w-]*)")
_MARK = "--rule-"

_SIDES = ("top", "right", "bottom", "left")
_ASPECTS = ("width", "style", "color")
# Longhands that are removed when their shorthand is set later, to save bytes; other longhands stay, but have no effect.
_COVERED = {
    "margin": frozenset(f"margin-{side}" for side in _SIDES),
    "padding": frozenset(f"padding-{side}" for side in _SIDES),
    "border": frozenset(
        [f"border-{part}" for part in _SIDES + _ASPECTS]
        + [f"border-{side}-{aspect}" for side in _SIDES for aspect in _ASPECTS]
    ),
}


def inline_css(html: str, template: str, sources: Callable[[], Iterable[CssSource]] = tuple) -> str:
    """Return the document with its CSS inlined, and without classes that the remaining rules do not need.

    template  the name of the email's template, for error messages
    sources   a function that returns the CSS as it was written; called only to find the line of an error

    Equal input gives equal output. Raises TemplateError for CSS that would have to be fetched or is never closed, and
    for an empty document.
    """
    tree = _document(clean(html), template)
    _refuse_remote(tree, template, sources)
    _refuse_unclosed(tree, template, sources)
    kept = _move_kept(tree)
    own = _put_aside_own_styles(tree)
    _Inliner(own, _names(tree)).transform(tree)
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
            "this template produces an empty email",
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
        f"{what} in an email: nothing is fetched for emails, and email clients do not fetch it either",
        where=refused_in(sources()) or f"templates/{template}",
        hint="copy the rules into templates/email/own.css",
    )


def _refuse_unclosed(tree: Any, template: str, sources: Callable[[], Iterable[CssSource]]) -> None:
    for style in tree.iter("style"):
        if unclosed(style.text or ""):
            raise TemplateError(
                "CSS in the email is never closed, so all rules after it would be lost",
                where=unclosed_in(sources()) or f"templates/{template}",
                hint="add the missing } or */",
            )


def _inlined(style: Any) -> bool:
    """Return whether premailer inlines this <style>, by the same conditions as premailer's own."""
    return not style.get("data-premailer") and style.get("media") in (None, "", "all", "screen")


def _move_kept(tree: Any) -> str:
    """Move the rules that cannot be inlined into one block, and return the text of all remaining blocks."""
    styles = list(tree.iter("style"))
    moved = "\n".join(filter(None, (_kept_css(read_sheet(each.text or "")) for each in styles if _inlined(each))))
    kept = [each for each in styles if not _inlined(each)]
    for each in kept:
        each.text = _flat_css(each.text or "")
    if moved:
        block = next((each for each in kept if each.get("data-premailer")), None)
        if block is None:
            block = etree.Element("style", {"data-premailer": "ignore"})
            styles[-1].addnext(block)
            kept.append(block)
        block.text = clean(f"\n{moved}\n{block.text or ''}")
    for each in kept:
        each.text = without_comments(each.text or "")
        if not (each.text or "").strip():
            each.tail = None
            each.drop_tree()
    return "\n".join(each.text or "" for each in kept)


def _put_aside_own_styles(tree: Any) -> dict[Any, str]:
    return {element: element.attrib.pop("style") for element in list(tree.xpath("//*[@style]"))}


def _names(tree: Any) -> set[str]:
    """Return the names of the elements and classes in the document; looking for others doubles premailer's time."""
    classes = {f".{name}" for names in tree.xpath("//@class") for name in names.split()}
    return classes | {element.tag for element in tree.iter(etree.Element)}


def _drop_classes(tree: Any, used: set[str], keep_all: bool) -> None:
    for element in tree.xpath("//*[@class]"):
        names = [name for name in element.get("class").split() if keep_all or name in used]
        if names:
            element.set("class", " ".join(names))
        else:
            del element.attrib["class"]


class _Inliner(Premailer):  # type: ignore[misc] # premailer ships no types
    """premailer with our own parser and cascade; it handles each rule as a mark that contains the rule's number."""

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
        """Set the final style of an element, as the last step of premailer; `style_content` has its marks in order."""
        key = (style_content, self._own.get(element, ""))
        if key not in self._styles:
            marks = [int(mark.removeprefix(_MARK).partition(":")[0]) for mark in style_content.split("; ")]
            layers = [self._rules[number] for number in marks]
            self._styles[key] = clean(_style_attribute(layers, read_declarations(key[1])))
        element.set("style", self._styles[key])


def _style_attribute(rules: Iterable[tuple[Declaration, ...]], own: tuple[Declaration, ...] = ()) -> str:
    """Return the style attribute of an element, by CSS Cascading Level 4, section 6.

    rules  the rules that match the element, weakest first
    own    the element's own style attribute, which wins over every rule that is not `!important`

    A style attribute has no cascade, only an order, so the winner must come last: a property that is set again moves
    to the end, and removes the longhands that it covers. If one rule sets a property several times, all values are
    kept in order, because the earlier ones are fallbacks for old clients. The `!important` of a rule is removed
    after it has been applied, so that dark-mode rules can win; in the element's own attribute it is kept.
    """
    layers = [*rules, own]
    winners: dict[str, list[str]] = {}
    for urgent in (False, True):
        for layer in layers:
            suffix = " !important" if urgent and layer is own else ""
            _apply([(each.name, each.value + suffix) for each in layer if each.important is urgent], winners)
    return "; ".join(f"{name}:{value}" for name, values in winners.items() for value in values)


def _apply(layer: list[tuple[str, str]], winners: dict[str, list[str]]) -> None:
    fresh: set[str] = set()
    for name, value in layer:
        # Move the property to the end, after any shorthand in between.
        before = winners.pop(name, [])
        winners[name] = [*before, value] if name in fresh else [value]
        for longhand in _COVERED.get(name, frozenset()) - fresh:
            winners.pop(longhand, None)
        fresh.add(name)


def _kept_css(sheet: Stylesheet) -> str:
    """Return the rules that cannot become attributes, as CSS without nested at-rules, in the order written.

    Their declarations become `!important`, because style attributes would win otherwise. Only the declarations of `*`,
    the weakest selector, are left as they are.
    """
    kept: list[str] = []
    for part in sheet.parts:
        if isinstance(part, StyleRule):
            kept += _kept_selectors(part)
        elif part.keyword in KEPT_AT_RULES:
            kept.append(_at_rule_text(part))
    return "\n".join(filter(None, kept))


def _flat_css(css: str) -> str:
    """Remove nested rules, which make Gmail drop the whole block, and unknown at-rules; keep the rest."""
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
