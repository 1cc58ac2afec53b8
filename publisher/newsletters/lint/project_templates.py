"""What a writer's CSS loses on its way into a letter, said with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace

from publisher.core.templates import SHIPPED_PREFIX, Templates
from publisher.newsletters.letter.css_parser import AtRule, Mistake, StyleRule, Stylesheet, imports, read_sheet
from publisher.newsletters.letter.css_sources import line_of, sources_of
from publisher.newsletters.letter.inline_css import KEPT_AT_RULES
from publisher.newsletters.lint.findings import Finding, found
from publisher.newsletters.lint.letter_context import LintContext

_MEANT_SO = "if that is meant, it reads better in templates/email/letter-kept.css"
_MISTAKES = {
    "syntax": ("css-syntax", "this is no CSS, and is skipped: {what}", "mend it"),
    "selector": ("css-selector", "this selector is none, and its rule is skipped: {what}", "mend it"),
    "declaration": ("css-declaration", "this is no declaration, and is skipped: {what}", "write `property: value;`"),
    "nested": (
        "css-nested",
        "{what} stands inside another rule, and is left out: Gmail drops all styles of a letter that holds one",
        "write it by itself",
    ),
    "unclosed": (
        "css-unclosed",
        "what is opened here is never closed, so all behind it is lost",
        "write the } or */ that is missing",
    ),
}
_LENGTHS = {"font-size", "width", "height", "max-width", "min-width", "max-height", "min-height", "letter-spacing"} | {
    f"{box}{side}" for box in ("margin", "padding") for side in ("", "-top", "-right", "-bottom", "-left")
}
_ERRORS = {"css-nested", "css-unclosed"}


def css_findings(css: str, where: str, *, kept: bool = False) -> list[Finding]:
    """Return what a stylesheet loses in a letter, in the order of its lines.

    where  the file, or "file:line" where its first line is not the file's first
    kept   whether it travels as rules (letter-kept.css) and not as style attributes (letter.css)

    Nothing that can be put right is found: order, `!important`, `:not()`, colours and names in capitals are.
    """
    sheet = read_sheet(css)
    found = [(line, _refused()) for line in imports(css)]
    found += [(mistake.line, _mistake(mistake)) for mistake in sheet.mistakes]
    found += list(_bare_numbers(sheet))
    found += list(_at_rules(sheet, kept))
    if not kept:
        found += [(rule.line, finding) for rule in sheet.rules for finding in _states(rule)]
    else:
        found += list(_weak(sheet))
    return [replace(each, where=line_of(where, line)) for line, each in sorted(found, key=lambda pair: pair[0])]


def _bare_numbers(sheet: Stylesheet) -> Iterator[tuple[int, Finding]]:
    """Lengths without a unit, which browsers skip; a nought needs none."""
    for rule in (*sheet.rules, *(rule for at_rule in sheet.at_rules for rule in at_rule.rules)):
        for each in rule.declarations:
            if each.name in _LENGTHS and re.fullmatch(r"[+-]?[\d.]+", each.value) and each.value.strip("+-0."):
                message = f"{each.name}: {each.value} has no unit, and is skipped"
                yield each.line, Finding("warning", "css-declaration", message, "", f"write {each.value}px")


def _refused() -> Finding:
    return Finding(
        "error", "css-import", "@import is refused: nothing is fetched for letters", "", "copy the rules in its place"
    )


def _mistake(mistake: Mistake) -> Finding:
    code, message, hint = _MISTAKES[mistake.kind]
    return Finding("error" if code in _ERRORS else "warning", code, message.format(what=mistake.what), "", hint)


def _at_rules(sheet: Stylesheet, kept: bool) -> Iterator[tuple[int, Finding]]:
    for at_rule in sheet.at_rules:
        finding = _at_rule_finding(at_rule, kept)
        if finding:
            yield at_rule.line, finding


def _at_rule_finding(at_rule: AtRule, kept: bool) -> Finding | None:
    name = f"@{at_rule.keyword}"
    if at_rule.keyword in ("import", "charset"):
        return None  # the first is refused, the second says nothing in a letter
    if at_rule.keyword not in KEPT_AT_RULES:
        return Finding("warning", "css-at-rule", f"{name} is left out: mail programs do not know it", "", "do without")
    if at_rule.keyword == "font-face":
        hint = "name fonts that every system has behind it"
        return Finding("warning", "css-kept", "@font-face stays a rule, and most mail programs skip it", "", hint)
    if kept:
        return None
    return Finding(
        "note",
        "css-kept",
        f"{name} stays a rule: it wins over every style attribute, and programs that read no rules skip it",
        "",
        _MEANT_SO,
    )


def _states(rule: StyleRule) -> Iterator[Finding]:
    for selector in rule.selectors:
        if selector.query:
            continue
        yield Finding(
            "note",
            "css-kept",
            f"{selector.text} stays a rule: a style attribute cannot say it, and programs that read no rules skip it",
            "",
            _MEANT_SO,
        )


def _weak(sheet: Stylesheet) -> Iterator[tuple[int, Finding]]:
    every = [*sheet.rules, *(rule for at_rule in sheet.at_rules for rule in at_rule.rules)]
    for rule in every:
        if ":root" in {selector.text for selector in rule.selectors}:
            continue
        for declaration in rule.declarations:
            if not declaration.important:
                message = f"{declaration.name} has no !important here, so a style attribute wins over it"
                yield declaration.line, Finding("note", "css-weak", message, "", "add !important")


def template_findings(templates: Templates, template: str) -> list[Finding]:
    """Return what the CSS of a letter's template loses, each with its file and line."""
    found: list[Finding] = []
    for source in sources_of(templates, template):
        if source.link:
            message = 'a <link rel="stylesheet"> is refused: nothing is fetched for letters'
            found.append(Finding("error", "css-link", message, source.where, "put the rules into a <style>"))
        found += css_findings(source.css, source.where, kept=source.kept)
    return found


def block_findings(context: LintContext) -> Iterator[Finding]:
    """Yield each block that an extending template writes for nothing, with the name that was likely meant."""
    import jinja2
    from jinja2 import nodes

    environment = jinja2.Environment(autoescape=True)
    family = context.locator.templates.family(f"email/{context.newsletter.template}.html")
    trees = {name: environment.parse(text) for name, text in family.items() if name.endswith(".html")}
    blocks = {name: {each.name for each in tree.find_all(nodes.Block)} for name, tree in trees.items()}
    for name, tree in trees.items():
        if not any(isinstance(node, nodes.Extends) for node in tree.body):
            continue
        known = set().union(*(names for other, names in blocks.items() if other != name))
        for node in tree.body:
            if isinstance(node, nodes.Block) and node.name not in known:
                near = difflib.get_close_matches(node.name, sorted(known), n=1)
                yield found(
                    "block-unknown",
                    f"templates/{name.removeprefix(f'{SHIPPED_PREFIX}/')}:{node.lineno}",
                    f"no template that this one extends has a block {node.name!r}, so it is not shown",
                    f"did you mean {near[0]!r}?" if near else "",
                )
