"""Parses HTML into a tree and serialises it again. Only this module deals with libxml2's limits on depth."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from publisher.newsletters.letter.safe_text import clean

Element = Any  # lxml ships no types

PERSONAL = "personal"  # the class of elements for one subscriber only; the web version leaves them out


def parse_document(html: str) -> Element:
    """Return the root element of a whole document, however deeply it is nested.

    Raises lxml.etree.ParserError for a document without any element.
    """
    return lxml_html.document_fromstring(html.encode(), parser=_parser())


def parse_fragment(html: str) -> Element:
    """Return a <div> that contains the fragment."""
    parser = _parser()
    document = lxml_html.document_fromstring(f"<div>{clean(html)}</div>".encode(), parser=parser)
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        # Even with huge_tree, libxml2 stops at 2,048 levels. HTML nested that deeply loses its markup, not its words.
        return parse_fragment(f"<p>{re.sub('<[^<>]*>', ' ', html)}</p>")
    root = document.find(".//div")
    for stray in list(root.itersiblings()):  # HTML that closes more elements than it opened continues outside the <div>
        root.append(stray)
    return root


def serialise(tree: Element) -> str:
    """Return a whole document as HTML."""
    return str(etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>")) + "\n"


def inner_html(root: Element) -> str:
    """Return the HTML inside an element."""
    text = lxml_html.tostring(root, encoding="unicode", with_tail=False)
    return str(text[text.index(">") + 1 : text.rindex("</")]) if "</" in text else ""


def _parser() -> Any:
    # Without huge_tree libxml2 cuts a document off at 256 levels, without an error.
    return lxml_html.HTMLParser(huge_tree=True, encoding="utf-8")
