"""Turns the email of an edition into its web version, by removing the parts for one subscriber.

This is a separate module because a build loads it for every project with editions, and should not load premailer.
"""

from __future__ import annotations

from html import escape

from publisher.core.newsletter_models import Mark
from publisher.core.personal_marks import filled
from publisher.newsletters.letter.html_tree import PERSONAL, Element, parse_document, serialise


def web_version(html: str) -> str:
    """Return a letter's HTML for the web, without marks and the unsubscribe link but otherwise unchanged.

    It shows what an unknown reader should see: the defaults of fields, and the part after {% else %}. Elements with the
    class `personal` are removed. If a project's own template has marks elsewhere, they are removed too, and a link
    whose URL contains a mark becomes plain text.

    A web page needs more than an email to be used without a mouse or a screen: code that the keyboard can scroll, a
    main landmark, and no empty table headings.
    """
    tree = parse_document(filled(html, {}, escape))
    for element in tree.xpath(f"//*[contains(concat(' ', @class, ' '), ' {PERSONAL} ')]"):
        if element.getparent() is not None:
            element.drop_tree()
    for link in tree.xpath("//a[contains(@href, '@@publisher-')]"):
        link.drop_tag()
    _make_accessible(tree)
    page = serialise(tree)
    for mark in Mark.ALL:
        page = page.replace(mark, "")
    return page


def _make_accessible(tree: Element) -> None:
    for code in tree.iter("pre"):
        code.set("tabindex", "0")
    for cell in tree.iter("th"):
        if not (len(cell) or (cell.text or "").strip()):
            cell.tag = "td"
    articles = tree.xpath("//body/div[@role='article']")
    if articles and not tree.xpath("//main | //*[@role='main']"):
        articles[0].set("role", "main")
