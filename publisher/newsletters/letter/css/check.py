"""What a writer's CSS loses on its way into a letter, said with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from publisher.newsletters.letter.css.divide import KEPT_AT_RULES
from publisher.newsletters.letter.css.sheet import AtRule, Mistake, Rule, Sheet, imports, read_sheet
from publisher.newsletters.letter.finding import Finding

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
    return [replace(each, where=place(where, line)) for line, each in sorted(found, key=lambda pair: pair[0])]


def place(where: str, line: int) -> str:
    """Return "file:line" for a line counted from `where`, which may itself name the first line."""
    file, _, first = where.rpartition(":")
    if file and first.isdigit():
        return f"{file}:{int(first) + line - 1}"
    return f"{where}:{line}"


def _bare_numbers(sheet: Sheet) -> Iterator[tuple[int, Finding]]:
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


def _at_rules(sheet: Sheet, kept: bool) -> Iterator[tuple[int, Finding]]:
    for at_rule in sheet.at_rules:
        finding = _at_rule(at_rule, kept)
        if finding:
            yield at_rule.line, finding


def _at_rule(at_rule: AtRule, kept: bool) -> Finding | None:
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


def _states(rule: Rule) -> Iterator[Finding]:
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


def _weak(sheet: Sheet) -> Iterator[tuple[int, Finding]]:
    every = [*sheet.rules, *(rule for at_rule in sheet.at_rules for rule in at_rule.rules)]
    for rule in every:
        if ":root" in {selector.text for selector in rule.selectors}:
            continue
        for declaration in rule.declarations:
            if not declaration.important:
                message = f"{declaration.name} has no !important here, so a style attribute wins over it"
                yield declaration.line, Finding("note", "css-weak", message, "", "add !important")
