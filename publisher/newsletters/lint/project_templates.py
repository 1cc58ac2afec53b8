"""Checks a project's own templates for blocks that are never shown, and for CSS that does not reach the email."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import jinja2
from jinja2 import nodes

from publisher.core.frozen import dataclass
from publisher.core.templates import SHIPPED_PREFIX, Templates
from publisher.newsletters.letter.css_parser import AtRule, Mistake, StyleRule, Stylesheet, imports, read_sheet
from publisher.newsletters.letter.css_sources import line_of, sources_of
from publisher.newsletters.letter.inline_css import KEPT_AT_RULES
from publisher.newsletters.lint.finding_codes import Finding, found
from publisher.newsletters.lint.letter_context import LintContext

_MISTAKES = {  # kind of mistake: code and message
    "syntax": ("css-syntax", "invalid CSS is ignored: {what}"),
    "selector": ("css-selector", "the rule of an invalid selector is ignored: {what}"),
    "declaration": ("css-declaration", "an invalid declaration is ignored: {what}"),
    "nested": (
        "css-nested",
        "{what} is inside another rule and is left out: Gmail drops all styles of an email that has one",
    ),
    "unclosed": ("css-unclosed", "what is opened here is never closed, so everything after it is lost"),
}
_LENGTHS = {"font-size", "width", "height", "max-width", "min-width", "max-height", "min-height", "letter-spacing"} | {
    f"{box}{side}" for box in ("margin", "padding") for side in ("", "-top", "-right", "-bottom", "-left")
}


def block_findings(context: LintContext) -> Iterator[Finding]:
    """Yield a finding for each overriding block that does not exist in a parent template, and suggest a name."""
    family = context.locator.templates.family(f"email/{context.newsletter.template}.html")
    blocks = {name: _blocks(text) for name, text in family.items() if name.endswith(".html")}
    for name, own in blocks.items():
        if not own.extends:
            continue
        known = set[str]().union(*(each.names for other, each in blocks.items() if other != name))
        for block, line in own.outermost:
            if block not in known:
                near = difflib.get_close_matches(block, sorted(known), n=1)
                yield found(
                    "block-unknown",
                    f"templates/{name.removeprefix(f'{SHIPPED_PREFIX}/')}:{line}",
                    f"the block {block!r} does not exist in a template that this one extends, so it is not shown",
                    f"did you mean {near[0]!r}?" if near else "",
                )


@dataclass(frozen=True, slots=True)
class _TemplateBlocks:
    """The blocks of one template: the names of all blocks, and the outermost blocks with their lines."""

    extends: bool
    names: frozenset[str]
    outermost: tuple[tuple[str, int], ...]


@lru_cache(maxsize=64)
def _blocks(text: str) -> _TemplateBlocks:
    """Return the blocks in a template's text, which is parsed once for all emails of a run."""
    tree = jinja2.Environment(autoescape=True).parse(text)
    return _TemplateBlocks(
        any(isinstance(node, nodes.Extends) for node in tree.body),
        frozenset(each.name for each in tree.find_all(nodes.Block)),
        tuple((node.name, node.lineno) for node in tree.body if isinstance(node, nodes.Block)),
    )


def template_findings(templates: Templates, template: str) -> list[Finding]:
    """Return findings about CSS that an email template loses, each with its file and line."""
    findings: list[Finding] = []
    for source in sources_of(templates, template):
        if source.link:
            message = '<link rel="stylesheet"> is refused: nothing is fetched for emails'
            findings.append(found("css-link", source.where, message))
        findings += css_findings(source.css, source.where, kept=source.kept)
    return findings


def css_findings(css: str, where: str, *, kept: bool = False) -> list[Finding]:
    """Return findings about CSS that does not reach the email or may be ignored, in order of lines.

    where  the file, or "file:line" if the CSS does not start at the first line of the file
    kept   whether the CSS stays in a <style> (letter-kept.css) instead of becoming style attributes (letter.css)

    The order of rules, `!important`, `:not()`, colours and capital letters are not reported, because inlining
    handles them.
    """
    return [replace(each, where=line_of(where, line)) for line, each in _numbered_findings(css, kept)]


@lru_cache(maxsize=64)
def _numbered_findings(css: str, kept: bool) -> tuple[tuple[int, Finding], ...]:
    """Return the findings with their lines, counted from 1; every email of a template has the same CSS."""
    sheet = read_sheet(css)
    numbered = [(line, _import()) for line in imports(css)]
    numbered += [(mistake.line, _mistake(mistake)) for mistake in sheet.mistakes]
    numbered += list(_lengths_without_unit(sheet))
    numbered += list(_at_rules(sheet, kept))
    if kept:
        numbered += list(_weak_declarations(sheet))
    else:
        numbered += [(rule.line, finding) for rule in sheet.rules for finding in _kept_selectors(rule)]
    return tuple(sorted(numbered, key=lambda pair: pair[0]))


def _import() -> Finding:
    return found("css-import", "", "@import is refused: nothing is fetched for emails")


def _mistake(mistake: Mistake) -> Finding:
    code, message = _MISTAKES[mistake.kind]
    return found(code, "", message.format(what=mistake.what))


def _lengths_without_unit(sheet: Stylesheet) -> Iterator[tuple[int, Finding]]:
    """Yield lengths without a unit, which browsers ignore; zero needs no unit."""
    for rule in _all_rules(sheet):
        for each in rule.declarations:
            if each.name in _LENGTHS and re.fullmatch(r"[+-]?[\d.]+", each.value) and each.value.strip("+-0."):
                message = f"{each.name}: {each.value} has no unit and is ignored"
                yield each.line, found("css-declaration", "", message, f"write {each.value}px")


def _at_rules(sheet: Stylesheet, kept: bool) -> Iterator[tuple[int, Finding]]:
    for at_rule in sheet.at_rules:
        finding = _at_rule(at_rule, kept)
        if finding:
            yield at_rule.line, finding


def _at_rule(at_rule: AtRule, kept: bool) -> Finding | None:
    name = f"@{at_rule.keyword}"
    if at_rule.keyword in ("import", "charset"):
        return None  # an import is refused as such, and a charset means nothing in an email
    if at_rule.keyword not in KEPT_AT_RULES:
        return found("css-at-rule", "", f"{name} is left out, because email clients do not know it")
    if at_rule.keyword == "font-face":
        message, hint = "@font-face can't be inlined, and most clients ignore it", "list common fonts after it"
        return found("css-kept", "", message, hint, "warning")
    if kept:
        return None
    message = f"{name} can't be inlined: it overrides every style attribute, and some clients ignore it"
    return found("css-kept", "", message)


def _kept_selectors(rule: StyleRule) -> Iterator[Finding]:
    for selector in rule.selectors:
        if not selector.query:
            yield found("css-kept", "", f"{selector.text} can't be inlined, and some clients ignore it")


def _weak_declarations(sheet: Stylesheet) -> Iterator[tuple[int, Finding]]:
    for rule in _all_rules(sheet):
        if ":root" in {selector.text for selector in rule.selectors}:
            continue
        for declaration in rule.declarations:
            if not declaration.important:
                message = f"{declaration.name} has no !important here, so a style attribute overrides it"
                yield declaration.line, found("css-weak", "", message)


def _all_rules(sheet: Stylesheet) -> list[StyleRule]:
    return [*sheet.rules, *(rule for at_rule in sheet.at_rules for rule in at_rule.rules)]
