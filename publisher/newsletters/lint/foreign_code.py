"""Finds code of other tools in the text of a letter: Liquid, shortcodes, merge tags. Code samples are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from publisher.core.file_names import in_folder
from publisher.newsletters.letter.html_tree import Element
from publisher.newsletters.letter.note import NOTES_FOLDER
from publisher.newsletters.lint.finding_codes import Finding, found
from publisher.newsletters.lint.letter_context import LintContext
from publisher.posts.text.merge_tags import foreign_code

_TEXT_NODES = "//text()[not({})]".format(
    " or ".join(f"ancestor::{tag}" for tag in ("code", "pre", "kbd", "samp", "style", "script", "title"))
)
_INLINE = frozenset(
    "a abbr b bdi bdo big cite del dfn em font i ins mark q s small span strike strong sub sup u".split()  # noqa: SIM905
)
_ATTRIBUTES = ("alt", "href", "src", "title")

# Markdown changes quotes, dashes and dots, so only the text before them is looked for in the files.
_CHANGED = re.compile(r"[\"'“”‘’«»„…–—&<>\\\n]|\.\.\.|--")


def foreign_code_findings(context: LintContext) -> Iterator[Finding]:
    """Yield a finding for each piece of code in the subject, the preheader and the text of the letter, each once."""
    seen: set[str] = set()
    for key, text in (("subject", context.letter.subject), ("preheader", context.letter.preheader)):
        for code in foreign_code(text):
            where = context.locator.of_text(_needle(code))
            if where and code not in seen:
                seen.add(code)
                texts = (in_folder(context.config.posts.folder, ""), f"{NOTES_FOLDER}/")
                place = where if where.startswith(texts) else context.locator.words(key)
                yield found("foreign-code", place, f"the {key} shows {_shortened(code)}")
    for code in foreign_code("\n".join(_texts(context.parsed.tree))):
        if code not in seen:
            seen.add(code)
            where = context.locator.of_text(_needle(code))
            if where:
                yield found("foreign-code", where, f"subscribers would read {_shortened(code)}")


def _texts(tree: Element) -> Iterator[str]:
    """Yield the text of each block outside of code, and the attributes that contain words or URLs."""
    for _, nodes in groupby(tree.xpath(_TEXT_NODES), key=_block_of):
        yield " ".join("".join(map(_written, nodes)).split())
    for name in _ATTRIBUTES:
        yield from map(unquote, tree.xpath(f"//@{name}"))


def _block_of(node: Any) -> Element:
    element = _around(node)
    while element.tag in _INLINE and element.getparent() is not None:
        element = element.getparent()
    return element


def _written(node: Any) -> str:
    """Return a text with the asterisks that Markdown took as emphasis, because *|NAME|* loses them."""
    return f"*{node}*" if _around(node).tag == "em" else str(node)


def _around(node: Any) -> Element:
    parent = node.getparent()
    return parent.getparent() if node.is_tail else parent


def _needle(code: str) -> str:
    """Return the beginning of a piece of code, up to the first character that may be different in the file."""
    if code.startswith("{{<"):
        return "{{<" + _CHANGED.split(code[3:])[0].rstrip()[:40]
    return _CHANGED.split(code)[0].strip()[:40] or code


def _shortened(code: str) -> str:
    return code if len(code) <= 60 else f"{code[:59]}…"
