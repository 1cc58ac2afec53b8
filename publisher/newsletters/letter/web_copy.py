"""An edition as a page that everybody may read: the letter without what belongs to one recipient."""

from __future__ import annotations

from publisher.core.newsletter_models import Mark
from publisher.newsletters.letter.document import PERSONAL, parse_document, serialise


def web_copy(html: str) -> str:
    """Return a letter's HTML for the web: no mark, no unsubscribe link, nothing else changed.

    Elements of the class `personal` go; a mark that a writer's own template left elsewhere becomes nothing,
    and a link that leads to one becomes plain text.
    """
    tree = parse_document(html)
    for element in tree.xpath(f"//*[contains(concat(' ', @class, ' '), ' {PERSONAL} ')]"):
        if element.getparent() is not None:
            element.drop_tree()
    for link in tree.xpath("//a[contains(@href, '@@publisher-')]"):
        link.drop_tag()
    copy = serialise(tree)
    for mark in Mark.ALL:
        copy = copy.replace(mark, "")
    return copy
