"""A letter's HTML as a tree, and back."""

from __future__ import annotations

from typing import Any

PERSONAL = "personal"  # the class of what belongs to one recipient; web_copy leaves it out


def parse_document(html: str) -> Any:
    """Return the root element of a whole document, however deep it is."""
    from lxml import html as lxml_html

    # Without huge_tree libxml2 cuts a document at 256 levels, and says nothing.
    parser = lxml_html.HTMLParser(huge_tree=True, encoding="utf-8")
    return lxml_html.document_fromstring(html.encode(), parser=parser)


def serialise(tree: Any) -> str:
    """Return a whole document as HTML."""
    from lxml import etree

    return str(etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>")) + "\n"
