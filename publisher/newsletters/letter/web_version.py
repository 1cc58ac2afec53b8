"""The web version of an edition: its email without what belongs to one subscriber.

A file of its own, because a build loads it for every project with editions, and should not load premailer for that.
"""

from __future__ import annotations

from publisher.core.newsletter_models import Mark
from publisher.newsletters.letter.html_tree import PERSONAL, parse_document, serialise


def web_version(html: str) -> str:
    """Return a letter's HTML for the web: without marks and unsubscribe link, and otherwise unchanged.

    Elements of the class `personal` are removed. A mark that a project's own template has elsewhere becomes the
    empty string, and a link that leads to a mark becomes plain text.
    """
    tree = parse_document(html)
    for element in tree.xpath(f"//*[contains(concat(' ', @class, ' '), ' {PERSONAL} ')]"):
        if element.getparent() is not None:
            element.drop_tree()
    for link in tree.xpath("//a[contains(@href, '@@publisher-')]"):
        link.drop_tag()
    page = serialise(tree)
    for mark in Mark.ALL:
        page = page.replace(mark, "")
    return page
