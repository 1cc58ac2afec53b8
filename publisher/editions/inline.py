"""CSS into style attributes: the only user of premailer. Once per letter, never per recipient, never online.

What premailer would do and is kept from doing here:

- fetching: cssutils loads `@import` even when premailer may not use the network, so the parser gets a
  fetcher that refuses, and both `@import` and <link rel=stylesheet> are errors that name their template;
- parsing: its own parser cuts a document at 256 levels, so it gets a finished tree;
- guessing: it writes attributes such as width="min(...)" from CSS, so that is off;
- talking: cssutils logs to stderr through one logger of the process, which is quiet only meanwhile.

Rules that must stay rules (media, hover, dark) stand in <style data-premailer="ignore">; premailer leaves
that block as it is, so its !important survives.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn

from lxml import etree
from lxml import html as lxml_html

from publisher.errors import TemplateError

STYLE_LIMIT = 16_384  # Gmail drops every <style> of a letter when they are longer together

_IMPORT = re.compile(r"@import\b", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLASS_NAME = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_ONE_AT_A_TIME = threading.Lock()  # cssutils keeps its log and its parser state in the process


def inline_css(html: str, template: str) -> str:
    """Return the document with its CSS inlined, and without the classes that no kept rule needs.

    template  names the letter's template in errors
    Equal input gives equal output. Raises TemplateError for CSS that would be fetched or cannot be parsed.
    """
    tree = _document(html)
    _refuse_remote(tree, template)
    kept = "".join(element.text or "" for element in tree.iter("style") if element.get("data-premailer"))
    with _ONE_AT_A_TIME, _quiet_cssutils():
        _premailer(template).transform(tree)
    _drop_classes(tree, set(_CLASS_NAME.findall(kept)) | {PERSONAL})
    return serialise(tree)


PERSONAL = "personal"  # marks what belongs to one recipient; web_copy leaves it out


def _document(html: str) -> Any:
    parser = lxml_html.HTMLParser(huge_tree=True, encoding="utf-8")
    return lxml_html.document_fromstring(html.encode(), parser=parser)


def serialise(tree: Any) -> str:
    """Return a whole document as HTML."""
    return str(etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>")) + "\n"


def _refuse_remote(tree: Any, template: str) -> None:
    for link in tree.iter("link"):
        if "stylesheet" in link.get("rel", "").lower():
            _refuse(template, f'<link rel="stylesheet" href="{link.get("href", "")}">')
    for style in tree.iter("style"):
        if _IMPORT.search(_COMMENT.sub("", style.text or "")):
            _refuse(template, "@import")


def _refuse(template: str, what: str) -> NoReturn:
    raise TemplateError(
        f"{what} in a letter: nothing is fetched for letters, and mail programs do not fetch it either",
        where=f"templates/{template}",
        mend="put the rules into templates/email/letter.css",
    )


@lru_cache(maxsize=1)
def _inliner_class() -> Any:
    """premailer with a parser that cannot fetch; made late, because importing premailer takes 0.1 s."""
    from premailer import Premailer

    class OfflinePremailer(Premailer):  # type: ignore[misc] # premailer ships no types
        template = ""

        def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
            return _stylesheet(css_body, validate, self.template)

    return OfflinePremailer


@lru_cache(maxsize=8)  # reading letter.css is most of a letter's time, and 50 variants share it
def _stylesheet(css: str, validate: bool, template: str) -> Any:
    import cssutils

    def refuse(url: str) -> NoReturn:
        _refuse(template, f"@import of {url}")

    return cssutils.CSSParser(fetcher=refuse, validate=validate).parseString(css)


def _premailer(template: str) -> Any:
    inliner = _inliner_class()(
        allow_network=False,
        cache_css_parsing=False,
        disable_validation=True,
        disable_basic_attributes=["align", "valign", "bgcolor", "width", "height"],
        align_floating_images=False,
        disable_link_rewrites=True,
        remove_unset_properties=False,
    )
    inliner.template = template
    transform = inliner.transform

    def guarded(tree: Any) -> Any:
        try:
            return transform(tree)
        except TemplateError:
            raise
        except Exception as error:  # premailer and cssutils raise anything on CSS they cannot read
            raise TemplateError(
                f"the CSS cannot be inlined: {error}",
                where=f"templates/{template}",
                mend='move the rule into the <style data-premailer="ignore"> block',
            ) from error

    inliner.transform = guarded
    return inliner


@contextmanager
def _quiet_cssutils() -> Iterator[None]:
    """Keep cssutils from writing to stderr, and leave its two process-wide settings as they were."""
    import logging

    import cssutils

    logger = logging.getLogger("CSSUTILS")
    level, raising = logger.level, cssutils.log.raiseExceptions
    logger.setLevel(logging.CRITICAL + 1)
    cssutils.log.raiseExceptions = False
    try:
        yield
    finally:
        logger.setLevel(level)
        cssutils.log.raiseExceptions = raising


def _drop_classes(tree: Any, used: set[str]) -> None:
    for element in tree.xpath("//*[@class]"):
        names = [name for name in element.get("class").split() if name in used]
        if names:
            element.set("class", " ".join(names))
        else:
            del element.attrib["class"]
