"""The marks with which other tools end an excerpt, such as Docusaurus's <!-- truncate -->, or begin one."""

from __future__ import annotations

import re

from publisher.core import patterns
from publisher.posts.text.prose import edited

MORE = "<!--more-->"

# Hugo, WordPress, Zola, Hexo and VuePress have "more"; Drupal "break"; Nikola "teaser_end"; Docusaurus "truncate".
_NAMES = (
    r"(?:more|break|fold|jump|cut|truncate|read[ _-]?more|(?:excerpt|teaser)(?:[ _-]?(?:ends?|separator|break))?"
    r"|summary[ _-]?(?:ends?|separator|break)|(?:pelican[ _-])?end[ _-]?(?:of[ _-]?)?(?:summary|excerpt|teaser))"
)
# After "more", WordPress may have the words of the link.
_SPELLINGS = patterns.compile(
    rf"<!--(?:\s{{0,20}}{_NAMES}\s{{0,20}}|more [^<>\n]{{1,100}}|\s{{0,20}}teaser_end:[^<>\n]{{0,100}})-->",
    re.IGNORECASE,
)
_BEGINNING = patterns.compile(
    r"<!--\s{0,20}(?:pelican[ _-])?(?:begin|start)[ _-]?(?:summary|excerpt|teaser)\s{0,20}-->", re.IGNORECASE
)
_MDX = patterns.compile(r"\{/\*\s{0,20}truncate\s{0,20}\*/\}", re.IGNORECASE)


def is_mark(text: str) -> bool:
    """Return whether a text is a mark that works in every post."""
    return _SPELLINGS.fullmatch(text) is not None


def with_html_marks(body: str) -> str:
    """Return a body in which a mark of MDX is a comment of HTML. The number of lines stays."""
    return edited(body, _MDX, lambda found: MORE) if "{" in body and "truncate" in body and _MDX.search(body) else body


def with_one_spelling(html: str) -> str:
    """Return HTML in which every mark is MORE."""
    return _SPELLINGS.sub(MORE, html) if "<!--" in html else html


def before_mark(html: str) -> str:
    """Return the HTML of the excerpt, whose marks have one spelling; "" if there is no mark."""
    before, mark, _ = html.partition(MORE)
    if not mark:
        return ""
    begin = _BEGINNING.search(before)
    return before[begin.end() :] if begin else before
