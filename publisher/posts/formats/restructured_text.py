"""reStructuredText as HTML, by docutils, which reads no file and inserts no raw text.

Directives and roles that docutils does not know, such as those of Pelican, Nikola and Sphinx, are the owner's
templates, players or code. Of any other the words stay, with a warning.
"""

from __future__ import annotations

import io
import re

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.shortcodes.embedded_shortcodes import ShortcodeContext
from publisher.posts.tags.expanded import Expanded, TagProblem

_WORDS = patterns.compile(r"<[^<>]*+>")
_ADDRESS = patterns.compile(r"\b(?:src|href)=\"([^\"]{1,500})\"")
# How many problems of one text are reported.
_MOST = 100
_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "stylesheet": "",
    "report_level": 5,
    "halt_level": 5,
    "initial_header_level": 2,
    "doctitle_xform": True,
    "docinfo_xform": True,
    "sectsubtitle_xform": False,
    "syntax_highlight": "none",
    "output_encoding": "unicode",
    "input_encoding": "unicode",
    "math_output": "LaTeX",
    "smart_quotes": False,
    "toc_backlinks": False,
    "footnote_references": "superscript",
    "embed_images": False,
    "image_loading": "link",
    "traceback": True,
    "line_length_limit": 100_000,
}


def rst_as_html(text: str, context: ShortcodeContext) -> Expanded:
    """Return reStructuredText as HTML, with the line of the text that each line of it most likely comes from.

    Raises PostError if docutils is not installed, or cannot read the text.
    """
    try:
        from docutils import core, utils

        from publisher.posts.formats.rst_directives import UnknownDirectives, registered
        from publisher.posts.formats.rst_html import Reader, writer
    except ImportError as error:
        hint = "pip install 'publisher[rst]'"
        raise PostError("reStructuredText needs docutils, which is not installed", hint=hint) from error
    unknown = UnknownDirectives(context)
    said: list[tuple[int, int, str]] = []
    reader = Reader(said)
    with registered(text, unknown):
        try:
            parts = core.publish_parts(
                text, reader=reader, writer=writer(), settings_overrides=_SETTINGS | {"warning_stream": io.StringIO()}
            )
        except (
            utils.SystemMessage,
            ValueError,
            RecursionError,
            AttributeError,
            KeyError,
            IndexError,
            TypeError,
        ) as error:
            what = " ".join(str(error).split())[:200] or type(error).__name__
            raise PostError(f"cannot be read as reStructuredText: {what}", hint="simplify it") from error
    html = str(parts["body"])
    problems = [*unknown.problems, *_problems(said)]
    return Expanded(html, _lines(html, text), tuple(problems[:_MOST]), unknown.files())


def _problems(said: list[tuple[int, int, str]]) -> list[TagProblem]:
    """Return what docutils says of a text, each once. level: 2 for a warning, 3 or more for an error"""
    found = dict.fromkeys((line, level, " ".join(words.split())[:200].rstrip(".")) for line, level, words in said)
    return [
        TagProblem(max(line, 1), f"reStructuredText: {words}", "correct it", is_error=False)
        for line, level, words in found
        if level >= 2 and not words.startswith(("Duplicate implicit target", "No role entry", "No directive entry"))
    ]


def _lines(html: str, text: str) -> tuple[int, ...]:
    """Return the line of the text for each line of HTML: the next one that has its first words."""
    written = text.split("\n")
    number, found = 0, []
    for line in html.split("\n"):
        words = re.findall(r"[^\W_]+", _WORDS.sub(" ", line[:2_000]))[:3] or _ADDRESS.findall(line[:2_000])[:1]
        if words:
            for ahead in range(number, min(number + 400, len(written))):
                if all(word in written[ahead] for word in words):
                    number = ahead
                    break
        found.append(number + 1)
    return tuple(found)
