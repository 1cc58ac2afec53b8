"""reStructuredText as HTML, by docutils, which reads no file and inserts no raw text.

Directives and roles that docutils does not know, such as those of Pelican, Nikola and Sphinx, become the owner's
templates, players or code. All others are reduced to their words, with a warning.
"""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.shortcodes.embedded_shortcodes import ShortcodeContext
from publisher.posts.tags.expanded import Expanded, TagProblem

_WORDS = patterns.compile(r"<[^<>]*+>")
_ADDRESS = patterns.compile(r"\b(?:src|href)=\"([^\"]{1,500})\"")
_A_WORD = patterns.compile(r"[^\W_]+")
# The name of a directive, its options without words, and what docutils says about one that it must not run.
_NAME = patterns.compile(r"\.\.[ \t]++(?:\|[^|\n]{1,100}\|[ \t]++)?(?:raw::[ \t]*[^\n]*|[A-Za-z][\w:.+-]{0,60}[ ]?::)")
_OPTION = patterns.compile(r"^[ \t]+:(?!(?:file|url):)[\w-]{1,40}:[^\n]*", re.MULTILINE)
_DISABLED = patterns.compile(r"\"([\w-]+)\" directive disabled|File and URL access deactivated; ignoring \"([\w-]+)\"")
_FOR_PRINT = patterns.compile(r"\.\.[ \t]++raw::[ \t]++(?![^\n]*html)")  # readers of the web need not see it
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
    """Return reStructuredText as HTML, with the most likely source line of each of its lines.

    Raises PostError if docutils is not installed, or cannot read the text.
    """
    try:
        from docutils import core, utils  # not at the top: docutils takes long to load, and few projects need it

        # Not at the top: they load docutils.
        from publisher.posts.formats.rst_directives import UnknownDirectives, registered
        from publisher.posts.formats.rst_html import Reader, writer
    except ImportError as error:
        hint = "pip install 'publisher[rst]'"
        raise PostError("reStructuredText needs docutils, which is not installed", hint=hint) from error
    unknown = UnknownDirectives(context)
    said: list[Any] = []
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
    problems = [*unknown.problems, *_problems(said, html)]
    return Expanded(html, _lines(html, text), tuple(problems[:_MOST]), unknown.files())


def _problems(said: list[Any], html: str) -> list[TagProblem]:
    """Return docutils' messages about a text as problems, each once. They are errors if readers would miss words.

    said  its messages, each of which may contain the part of the text that it is about
    html  the HTML that was made of the text
    """
    found = dict.fromkeys(map(_message, said))
    seen = set(_A_WORD.findall(unescape(_WORDS.sub(" ", html))))
    problems = []
    for line, level, words, part in found:
        if (
            level < 2
            or _FOR_PRINT.match(part)
            or words.startswith(("Duplicate implicit target", "No role entry", "No directive entry"))
        ):
            continue
        directive = _DISABLED.match(words)
        lost = _lost_words(part, set() if directive else seen)
        if not lost and not directive:
            problems.append(TagProblem(max(line, 1), f"reStructuredText: {words}", "correct it"))
            continue
        what = (
            f"the directive {directive[1] or directive[2]} does nothing here"
            if directive
            else f"reStructuredText: {words}"
        )
        what += f", so readers don't see {lost[:60]!r}" if lost else ", so readers don't see what is in it"
        hint = "write the words in the post itself" if directive else "correct it"
        problems.append(TagProblem(max(line, 1), what, hint, is_error=bool(lost)))
    return problems


def _message(said: Any) -> tuple[int, int, str, str]:
    """Return the line, the level (2 for a warning), the words, and the part of the text that a message is about."""
    words, *part = (child.astext() for child in said.children)
    return said.get("line") or 0, said["level"], " ".join(words.split())[:200].rstrip("."), "\n".join(part).lstrip()


def _lost_words(part: str, seen: set[str]) -> str:
    """Return the words of a part of the text if readers don't see all of them; else ""."""
    words = " ".join(_WORDS.sub(" ", _OPTION.sub("", _NAME.sub("", part, count=1))).split())
    return words if not seen.issuperset(_A_WORD.findall(words)) else ""


def _lines(html: str, text: str) -> tuple[int, ...]:
    """Return, for each line of HTML, the line of the text that it comes from: the next one with its first words."""
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
