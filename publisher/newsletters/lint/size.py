"""The letter's size against what mail programs show, and its <style> blocks against what Gmail keeps."""

from __future__ import annotations

from collections.abc import Iterator

from publisher.newsletters.letter.compose import WHOLE_POST_TEMPLATE
from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.letter.inline_css import STYLE_LIMIT
from publisher.newsletters.letter.size_fallback import CLIPPED, fallback_line, html_bytes
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.letter_context import Case
from publisher.posts.prose import line_at


def size_findings(case: Case) -> Iterator[Finding]:
    """Yield what is too large, and what the letter left out so that it is not."""
    size = html_bytes(case.letter)
    if case.letter.fallback:
        is_asked = case.letter.fallback.wanted == "full" and case.newsletter.template != WHOLE_POST_TEMPLATE
        hint = "" if is_asked else "put fewer posts into an edition (maximum), or shorten the longest"
        yield found("size-fallback", case.places.key("", "content"), fallback_line(case.letter), hint)
    if size > CLIPPED:
        yield found(
            "size-clipped",
            case.places.key("", "maximum"),
            f"the HTML has {size:,} bytes, and Gmail cuts letters off near {CLIPPED:,}",
        )
    yield from _styles(case)


def _styles(case: Case) -> Iterator[Finding]:
    length = len(case.sheet.kept)
    if length > STYLE_LIMIT:
        yield found(
            "style-budget",
            case.places.kept_css(),
            f"the <style> blocks have {length:,} characters, more than {STYLE_LIMIT:,}: Gmail drops them all",
        )
    for rule in case.sheet.rules:
        inside = [name for name in (*rule.conditions, rule.selector) if name.startswith("@")]
        if len(inside) > 1:
            text = case.places.templates.source("email/letter-kept.css")
            at = text.find(inside[1])
            yield found(
                "style-nested",
                f"templates/email/letter-kept.css:{line_at(text, at)}"
                if at >= 0
                else case.places.template(r"block kept_style"),
                f"{inside[1]} stands inside {inside[0]}: Gmail drops the whole <style> block",
            )
            return
