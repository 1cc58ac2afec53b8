"""Rendering of a body in Markdown or HTML as a RenderedPost: safe HTML with absolute URLs, an excerpt and a word count.

No other module uses comrak.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import comrak

from publisher.config import Config
from publisher.core.errors import PostError
from publisher.core.models import Post, Problem, RenderedPost, Severity
from publisher.posts.allowed_html import Absolutise, Sanitiser
from publisher.posts.archive import Archive
from publisher.posts.body_warnings import body_warnings
from publisher.posts.encoding import decode, repair_body, without_controls
from publisher.posts.excerpt import count_words, excerpt_of, plain_text, shorten
from publisher.posts.frontmatter import split_body
from publisher.posts.index import Referred
from publisher.posts.metadata import first_heading
from publisher.posts.post_file import problem_of
from publisher.posts.prose import LineFinder
from publisher.posts.references import References

# The number of rendered posts to keep, since a page, three feeds and several lists may show the same post.
_KEPT = 4096

_MORE = "<!--more-->"
_MORE_SPELLINGS = re.compile(r"<!--\s*(?:more|excerpt|read[- ]more)\s*-->", re.IGNORECASE)


class BrokenPost(Exception):  # noqa: N818 - it carries a post's problem to the build
    """The body of a post cannot be read, although its front matter could be. The build must leave the post out."""

    def __init__(self, source: str, problem: Problem) -> None:
        super().__init__(str(problem))
        self.source, self.problem = source, problem


class LocalLink(NamedTuple):
    """A link without a domain.

    url      absolute URL
    written  the link as written in the post
    line     line of the file
    """

    url: str
    written: str
    line: int


@dataclass
class Renderer:
    """A renderer of an archive's posts, which keeps the latest results.

    inspect      whether to look for the warnings that only `publisher check` shows, and to fill local_links
    local_links  the links that were written without a domain, by source
    """

    archive: Archive
    config: Config
    inspect: bool = False
    local_links: dict[str, list[LocalLink]] = field(default_factory=dict)
    _referred: list[Referred] = field(default_factory=list)
    sanitiser: Sanitiser = field(default_factory=Sanitiser)
    _made: OrderedDict[str, RenderedPost] = field(default_factory=OrderedDict)

    def render(self, post: Post) -> RenderedPost:
        """Return the rendered post; raise BrokenPost if its body cannot be read."""
        made = self._made.get(post.source)
        if made is None:
            made = self._made[post.source] = self._render(post)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made

    def remember(self) -> None:
        """Store what the rendered posts refer to in the archive's index."""
        self.archive.remember(self._referred)
        self._referred.clear()

    def _render(self, post: Post) -> RenderedPost:
        try:
            return _Body(post, self).rendered(self._referred)
        except (PostError, OSError) as error:
            problem = problem_of(error, f"{self.config.posts.folder}/{post.source}")
            raise BrokenPost(post.source, problem) from error


class _Body:
    """The body of a post while it is rendered."""

    def __init__(self, post: Post, renderer: Renderer) -> None:
        archive, config = renderer.archive, renderer.config
        self.post, self.config, self.inspect = post, config, renderer.inspect
        self.renderer = renderer
        self.problems: list[Problem] = []
        self._mentioned_tags: set[str] = set()  # tags in problems, which no other warning should repeat
        self.path = f"{config.posts.folder}/{post.source}"
        data = (archive.folder / post.source).read_bytes()
        text, controls = without_controls(decode(data, whole=True))
        self.file = text
        self.written, self.first_line = split_body(text)
        for line in [line for line in controls if line >= self.first_line][:1]:
            self.warn(line, "contained a control character, which was removed", "delete it")
        self.references = References(post, archive, config)

    def rendered(self, referred: list[Referred]) -> RenderedPost:
        raw = self._html()
        clean = self.sanitise(raw, self.references.absolutise)
        if self.references.head_problems or self.references.problems:
            self._warn_of(self.references.head_problems, self._lines.line_in_head)
            self._warn_of(self.references.problems, self._lines.line_of)
        if self.inspect:
            for warning in body_warnings(raw, clean, self._lines, self.references.fragments, self._mentioned_tags):
                self.warn(*warning)
            self.renderer.local_links[self.post.source] = [
                LocalLink(url, written, self._lines.line_of(written)) for url, written in self.references.local.items()
            ]
        referred.append(
            Referred(
                self.post.source,
                list(self.references.links),
                list(self.references.assets),
                tuple(self.problems),
            )
        )
        excerpt = self._excerpt(raw, clean)
        return RenderedPost(
            self.post, clean, excerpt, count_words(clean), tuple(self.problems), tuple(self.references.assets)
        )

    def sanitise(self, fragment: str, absolutise: Absolutise) -> str:
        clean = self.renderer.sanitiser.clean(fragment, absolutise)
        clean = clean.replace(' id=""', "")  # the id of a heading without letters
        if "&#" not in self.written:
            return clean
        if "\ufffd" not in self.written:  # then it comes from "&#0;" or "&#xD800;"
            clean = clean.replace("\ufffd", "")
        return without_controls(clean)[0]  # XML forbids "&#1;"

    def warn(self, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, line, message, hint, Severity.WARNING))

    def _html(self) -> str:
        body = self.written
        if self.config.posts.fix_encoding:
            body, repairs = repair_body(body)
            self.problems += [item.warning(self.path, self.first_line) for item in repairs]
        body = self._carried_over(body)
        separator = self.post.excerpt_separator
        if separator and not _MORE_SPELLINGS.fullmatch(separator) and separator in body:
            body = body.replace(separator, f"\n\n{_MORE}\n\n", 1)
        if Path(self.post.source).suffix.lower() == ".html":
            return _MORE_SPELLINGS.sub(_MORE, body)
        return _MORE_SPELLINGS.sub(
            _MORE, _finish(comrak.render_markdown(_without_title(body, self.post.title), *_options()))
        )

    def _carried_over(self, body: str) -> str:
        if "{" not in body and "import " not in body and "\n^" not in body:
            return body
        from publisher.posts.other_tools import carry_over  # 15 ms to compile, for few posts

        body, leftovers = carry_over(body, self.config.site_url, self.references.foreign_post)
        for leftover in leftovers:
            self._mentioned_tags.update(leftover.tags)
            self.warn(
                self.first_line + leftover.lines[0] - 1,
                f"{leftover.what}{self._more(leftover.lines)}",
                "write it in Markdown, or put it in backticks if readers should see it",
            )
        return body

    def _more(self, lines: tuple[int, ...]) -> str:
        if len(lines) == 1:
            return ""
        return f", on {len(lines)} lines up to line {self.first_line + lines[-1] - 1}"

    def _warn_of(self, items: Iterable[tuple[str, str, str]], line_of: Callable[[str], int]) -> None:
        for reference, message, hint in items:
            self.warn(line_of(reference), message, hint)

    @cached_property
    def _lines(self) -> LineFinder:
        return LineFinder(self.file, self.written)

    def _excerpt(self, raw: str, clean: str) -> str:
        if self.post.excerpt:
            return shorten(plain_text(self.post.excerpt) if "<p" in self.post.excerpt else self.post.excerpt, 500)
        if _MORE in raw:
            before = self.sanitise(raw.partition(_MORE)[0], lambda tag, reference: reference)
            text = plain_text(before)
            if text:
                return shorten(text, 1000)
        return excerpt_of(clean)


def _without_title(body: str, title: str) -> str:
    """Return the body without a first heading that repeats the post's title, which is shown above the body anyway."""
    if first_heading(body) != title:
        return body
    lines = body.lstrip("\n").split("\n")
    skipped = 1 if lines[0].lstrip().startswith("#") else 2
    return "\n".join(lines[skipped:])


@cache
def _options() -> tuple[Any, Any, Any]:
    """Return comrak's options.

    They enable GitHub's dialect with footnotes, definition lists, alerts, smart quotes and heading ids.
    """
    extension, parse, render = comrak.ExtensionOptions(), comrak.ParseOptions(), comrak.RenderOptions()
    for name in ("strikethrough", "table", "autolink", "tasklist", "footnotes", "description_lists", "alerts"):
        setattr(extension, name, True)
    extension.header_id_prefix = ""
    parse.smart = True
    render.unsafe_ = True  # nh3 sanitises it afterwards
    return extension, parse, render


_ANCHOR = re.compile(r'<a href="#[^"]*"[^>]*\bclass="anchor"[^>]*></a>')
_ZOOM = re.compile(r'(<img\b[^>]*?)\bstyle="\s*zoom:\s*(\d{1,3}%);?\s*"', re.IGNORECASE)


def _finish(fragment: str) -> str:
    """Remove the empty anchors in headings, and turn Typora's `zoom` style into a width."""
    fragment = _ANCHOR.sub("", fragment)
    return _ZOOM.sub(r'\1width="\2"', fragment) if "zoom" in fragment else fragment
