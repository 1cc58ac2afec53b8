"""What of a stylesheet becomes style attributes, and what stays rules."""

from __future__ import annotations

from collections.abc import Iterable

from publisher.newsletters.letter.css.sheet import AtRule, Declaration, Rule, Sheet, read_sheet

# At-rules that do no harm in a letter. Others are left out; css_findings says so.
KEPT_AT_RULES = frozenset({"media", "supports", "font-face", "keyframes", "-webkit-keyframes"})


def kept_css(sheet: Sheet) -> str:
    """Return what of a stylesheet cannot become attributes, as CSS without an at-rule inside another.

    Its declarations are urgent, because attributes win otherwise; only those of `*`, the weakest selector there
    is, stay as they are. Rules come in the order written.
    """
    kept: list[str] = []
    for part in sheet.parts:
        if isinstance(part, Rule):
            kept += _kept_selectors(part)
        elif part.keyword in KEPT_AT_RULES:
            kept.append(_at_rule(part))
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


def _as_written(part: Rule | AtRule) -> str:
    if isinstance(part, AtRule):
        return _at_rule(part, important=None)
    return _rule(", ".join(each.text for each in part.selectors), part.declarations, None)


def _kept_selectors(rule: Rule) -> Iterable[str]:
    kept = [each for each in rule.selectors if not each.query]
    strong = ", ".join(each.text for each in kept if each.specificity > (0, 0, 0))
    weak = ", ".join(each.text for each in kept if each.specificity == (0, 0, 0))
    if strong:
        yield _rule(strong, rule.declarations, True)
    if weak:
        yield _rule(weak, rule.declarations, None)


def _rule(selectors: str, declarations: tuple[Declaration, ...], important: bool | None) -> str:
    return f"{selectors} {{{'; '.join(each.css(important=important) for each in declarations)}}}"


def _at_rule(at_rule: AtRule, important: bool | None = True) -> str:
    if at_rule.keyword not in ("media", "supports"):
        return at_rule.text
    rules = [
        _rule(", ".join(each.text for each in rule.selectors), rule.declarations, important) for rule in at_rule.rules
    ]
    return "\n".join([f"@{at_rule.keyword} {at_rule.prelude} {{", *rules, "}"]) if rules else ""
