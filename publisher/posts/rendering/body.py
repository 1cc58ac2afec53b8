"""Rendering of one body in Markdown or HTML as safe HTML with absolute URLs, an excerpt and a word count.

It runs in a child process that markup.Renderer uses: the cost of a body is bounded by that process, not by this code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from publisher.config import Config
from publisher.core import patterns
from publisher.core.characters import shorten
from publisher.core.errors import PostError, file_and_line
from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.formats.rst_fields import split_rst
from publisher.posts.front_matter.parsing import split_body
from publisher.posts.media_types import ending_of
from publisher.posts.places import Places, WrittenPost
from publisher.posts.rendering import lone_tags
from publisher.posts.rendering.allowed_html import Absolutise, Sanitiser
from publisher.posts.rendering.commonmark import settled_html
from publisher.posts.rendering.fences import with_named_code
from publisher.posts.rendering.heading_targets import with_targets
from publisher.posts.rendering.headline import first_heading
from publisher.posts.rendering.lost_words import LostWords, lost_elements, lost_notes, unseen_notes, with_all_words
from publisher.posts.rendering.missing_pictures import alt_as_words
from publisher.posts.rendering.other_syntax import OtherSyntax, with_other_syntax
from publisher.posts.rendering.references import References
from publisher.posts.rendering.rendered_body import LocalLink, RenderedBody
from publisher.posts.rendering.run_templates import may_have_templates, templates_run, with_own_lines
from publisher.posts.rendering.settled_tags import SettledHtml
from publisher.posts.rendering.wikilinks import NamesFrom
from publisher.posts.shortcodes.held_html import HeldHtml
from publisher.posts.shortcodes.shortcode_calls import may_have_shortcodes
from publisher.posts.tags.expanded import Expanded
from publisher.posts.text.attribute_lists import may_have_attributes, with_sizes
from publisher.posts.text.comments import comment_in, shown_comments, without_comments_in_attributes
from publisher.posts.text.definitions import with_separate_terms
from publisher.posts.text.encoding import decode, repair_body, without_controls
from publisher.posts.text.excerpt import count_words, excerpt_of, plain_text
from publisher.posts.text.excerpt_marks import MORE, before_mark, is_mark, with_html_marks, with_one_spelling
from publisher.posts.text.hidden_words import hidden_words, hiding_list
from publisher.posts.text.marks import with_abbreviations
from publisher.posts.text.merge_tags import MAYBE_FIELD, WORDPRESS
from publisher.posts.text.nesting import require_shallow_html, require_shallow_markdown
from publisher.posts.text.paid_parts import refuse_paid_part
from publisher.posts.text.prose import LineFinder, line_at, masked, without_inline_code
from publisher.posts.text.signs import Signs
from publisher.posts.text.tex import TakenOut, take_out, without_formulas
from publisher.posts.text.tool_comments import may_have_tool_comments, without_tool_comments

if TYPE_CHECKING:
    from publisher.posts.rendering.body_tags import BodyTags

# How many problems of one kind are reported for a post.
MOST_PROBLEMS = 100

# Without one of these there is no syntax of another tool in a body.
_OTHER_TOOLS = Signs(
    "{", "import ", "\n^", "*|", "%%", "<%", "<?", "<#", "</#", "[%", "[[", "TOC", "Toc]", "toc]", "toc_"
)
_HIDES = ("hidden", "style", "<dialog", "<datalist", "<comment")
# Without one of these there is no comment in a text.
_COMMENTS = Signs(
    *("<!", "%%", "<%", "<#", "[%", "@*", "]:#", "]: #", "]: <>", "[//]:", ":::", "\n---\n", "comment]", "_COMMENT")
)
_IN_BRACES = Signs("{#", "{/", "{{", "{!", "{%", "{*", "{>", "{-", "{~", "{:", "{ /", "{comment}")


class Surroundings(NamedTuple):
    """The objects that all posts of a project share when they are rendered."""

    places: Places
    config: Config


class Growth(NamedTuple):
    """How large the HTML of a body may become: `times` the size of its file, and `extra` bytes."""

    times: int = 20
    extra: int = 100_000


def render_body(around: Surroundings, post: WrittenPost, growth: Growth, inspect: bool) -> RenderedBody:
    """Read the file of a post and render its body.

    inspect  whether to look for the warnings that only `publisher check` shows, and to fill `local`
    Raises PostError or OSError if the body cannot be read, or if its HTML is larger than `growth` allows.
    """
    body = _Body(around, post, growth, inspect)
    if not body.run.lines and not body.run.problems:
        return body.rendered()
    rendered = with_own_lines(body.rendered, body.run, body.first_line)
    return rendered._replace(problems=(*body.tag_problems(), *rendered.problems))


class _Body:
    """The body of a post while it is rendered."""

    def __init__(self, around: Surroundings, post: WrittenPost, growth: Growth, inspect: bool) -> None:
        self.post, self.config, self.places, self.inspect = post, around.config, around.places, inspect
        self.problems: list[Problem] = []
        self.taken = TakenOut("")
        self._settled = SettledHtml("")
        self._syntax = OtherSyntax(Expanded(""))
        self._mentioned_tags: set[str] = set()  # tags in problems, which no other warning should repeat
        self.path = in_folder(self.config.posts.folder, post.source)
        self._is_html = ending_of(post.source) in (".html", ".rst")
        data = _file_of(post, around) if post.text is None else post.text
        self._most = growth.times * len(data) + growth.extra
        self._growth = growth
        text, controls = without_controls(decode(data, whole=True))
        text = with_html_marks(text)
        self.file = text
        is_rst = post.source.lower().endswith(".rst")
        self.written, self.first_line = split_rst(text) if is_rst else split_body(text)
        text = self._with_marks(text)
        for line in [line for line in controls if line >= self.first_line][:1]:
            self.warn(line, "contained a control character, which was removed", "delete it")
        self.references = References(post, around.places, self.config)
        self.run = Expanded(self.written)
        run = None
        if may_have_templates(self.written, self.config.posts.tool):
            where = post, around.places, self.config, self.references
            run = templates_run(text, self.written, *where, self._most)
        self._has_run = run is not None
        if run:
            self.run = run
        self._held = HeldHtml()
        if is_rst or post.source.lower().endswith((".mdx", ".qmd")) or self.config.posts.tool == "docusaurus":
            self.run = self.run.then(self._tags().converted)
        if may_have_shortcodes(self.run.text, self.config.posts.tool):
            self.run = self.run.then(lambda body: self._tags().expanded(body, is_html=self._is_html))
        if may_have_tool_comments(self.run.text):
            self.run = self.run.then(self._without_tool_comments)
        if self.run.text is not self.written:
            # The words inside an unknown tag stay, even if the tag keeps them from most readers.
            refuse_paid_part(self.written, self.first_line, is_markdown=is_rst or not self._is_html)
            self.file = text[: len(text) - len(self.written)] + self.run.text
            self.written = self.run.text

    def _with_marks(self, text: str) -> str:
        """Return the text of the file with marks for tags about the subscriber, if it is sent by email only."""
        if self.post.is_personal:
            from publisher.core.personal_templates import with_marked_tags  # few posts are sent by email only
            from publisher.posts.rendering.body_warnings import personal_words

            for line, message, hint in personal_words(self.post.title, self.post.excerpt, text):
                self.problems.append(Problem(self.path, line, message, hint))
            before = text[: len(text) - len(self.written)]
            self.written = with_marked_tags(self.written, masked(self.written), self.path, self.first_line)
            self.file = text = before + self.written
        return text

    def _without_tool_comments(self, body: str) -> Expanded:
        keep, tool = self.post.excerpt_separator, self.config.posts.tool
        return without_tool_comments(body, is_html=self._is_html, keep=keep, tool=tool)

    def _tags(self) -> BodyTags:
        from publisher.posts.rendering.body_tags import BodyTags  # few posts have any

        return BodyTags(self.post, self.config, self.references, self.file, self._held)

    def tag_problems(self) -> Iterator[Problem]:
        """Yield the problems of the tags that were run."""
        for line, message, hint, is_error, where in self.run.problems[:MOST_PROBLEMS]:
            severity = Severity.ERROR if is_error else Severity.WARNING
            place = file_and_line(where) if where else (self.path, self.first_line + line - 1)
            yield Problem(*place, message, hint, severity)

    def rendered(self) -> RenderedBody:
        """Return the rendered post. Raises BrokenPost if it exceeds a limit."""
        refuse_paid_part(self.written, self.first_line, is_markdown=not self._is_html)
        raw = self._html()
        self._require_small(raw)
        found, maths = self._with_maths(self.sanitise(raw, self.references.absolutise))
        found = without_comments_in_attributes(found)
        clean = with_targets(alt_as_words(found), self.config.posts.tool, self.references.fragments)
        self._require_small(clean)
        require_shallow_html(clean, self.written, self.first_line)
        if self.references.head_problems or self.references.problems:
            self._warn_of(self.references.head_problems, self._lines.line_in_head)
            self._warn_of(self.references.problems, self._lines.line_of)
        self._report_comments(raw, clean)
        unseen = () if self._is_html else unseen_notes(self.written, raw)
        if unseen:
            self._report_lost(lost_notes(self._lines.prose, raw, unseen), first_line=1)
        if self.inspect:
            from publisher.posts.rendering.body_warnings import body_warnings  # a build need not load its patterns

            self._warn_of(self.references.doubts, self._lines.line_of)
            settled = self._settled
            for warning in body_warnings(raw, clean, self._lines, self._own_targets, self._mentioned_tags, settled):
                self.warn(*warning)
        local = self.references.local.items() if self.inspect else ()
        return RenderedBody(
            clean,
            self._excerpt(raw, found),
            count_words(found),
            tuple(self.problems),
            tuple(self.references.assets),
            maths,
            self.references.pictures,
            self.references.lost,
            list(self.references.links),
            [LocalLink(url, written, self._lines.line_of(written)) for url, written in local],
        )

    @property
    def _own_targets(self) -> Iterable[str]:
        """The names after # in links to the post itself; none if another tool makes its page."""
        return self.references.fragments if self.config.pages.enabled else ()

    def _with_maths(self, clean: str) -> tuple[str, dict[str, str]]:
        """Return the HTML without MathML, and the MathML of its formulas; warn about those without any."""
        if "<math" not in clean and not self.taken.formulas and '"language-math"' not in clean:
            return clean, {}
        from publisher.posts.rendering.mathml import maths_of  # not at the top: few posts have formulas

        html, maths, failed = maths_of(clean, self._most)
        for tex, why in failed[:MOST_PROBLEMS]:
            first = next(filter(None, map(str.strip, tex.split("\n"))), "")
            what = f"the formula {first[:60]} can't be displayed: {why}; readers see its TeX"
            self.warn(self._lines.line_of(first), what, "correct it, or write \\$ for a dollar sign")
        return html, maths

    def _report_comments(self, raw: str, clean: str) -> None:
        """Report comments and hidden words in the text, the title and the description that readers would see."""
        if "<" in self.written or "{:" in self.written:
            lower = self.written.lower()
            if any(sign in lower for sign in _HIDES):
                self._report_hidden_words(raw)
        if _may_have_comment(self.written):
            view = self._lines.prose if not self._is_html else "\n" * (self.first_line - 1) + self.written
            for place, message, hint, is_certain in shown_comments(view, clean, is_markdown=not self._is_html):
                severity = Severity.ERROR if is_certain else Severity.WARNING
                self.problems.append(Problem(self.path, line_at(view, place), message, hint, severity))
        self._report_comment_in("title", self.post.title)
        self._report_comment_in("description", self.post.excerpt)

    def _report_hidden_words(self, raw: str) -> None:
        tag, place = hidden_words(raw), hiding_list(self._lines.prose)
        lines = [self._lines.line_of(tag)] if tag else []
        lines += [line_at(self._lines.prose, place)] if place >= 0 else []
        for line in lines:
            message = "a tag or an attribute hides these words in a browser, but here readers see them"
            self.problems.append(Problem(self.path, line, message, "delete them, or write <!-- ... -->"))

    def _report_comment_in(self, name: str, text: str) -> None:
        sign = comment_in(text) if _may_have_comment(text) else ""
        # In backticks it is code, which is meant for readers. The text of a heading no longer has any.
        if sign and sign in without_inline_code(self._lines.head) + self._lines.prose[: len(text) + 1_000]:
            message = f"the {name} shows readers the comment that begins with {sign}"
            self.problems.append(Problem(self.path, self._lines.line_in_head(sign), message, "delete it"))

    def _require_small(self, fragment: str) -> None:
        """Raise PostError if the HTML is too large for the size of its source. A character has at most four bytes."""
        if len(fragment) * 4 <= self._most or len(fragment.encode("utf-8", "replace")) <= self._most:
            return
        times, mark = self._growth.times, "|" if "<table" in fragment else "[^"
        lines = self.written.split("\n")
        worst = max(range(len(lines)), key=lambda number: lines[number].count(mark))
        raise PostError(
            f"becomes {len(fragment) / 1_000_000:.1f} MB of HTML, more than {times} times its size",
            line=self.first_line + worst if mark in lines[worst] else 0,
            hint="make the table smaller" if mark == "|" else "split it into several posts",
        )

    def sanitise(self, fragment: str, absolutise: Absolutise) -> str:
        """Return HTML without active content, with absolute links."""
        clean = _sanitiser().clean(fragment, absolutise)
        clean = clean.replace(' id=""', "")  # the id of a heading without letters
        if "&" not in self.written or "&#" not in self.written:
            return clean
        if "\ufffd" not in self.written:  # then it comes from "&#0;" or "&#xD800;"
            clean = clean.replace("\ufffd", "")
        return without_controls(clean)[0]  # XML forbids "&#1;"

    def warn(self, line: int, message: str, hint: str) -> None:
        """Note a warning about a line of the post."""
        self.problems.append(Problem(self.path, line, message, hint, Severity.WARNING))

    def _html(self) -> str:
        body = self.written
        if self.config.posts.fix_encoding:
            body, repairs = repair_body(body)
            self.problems += [item.warning(self.path, self.first_line) for item in repairs]
        if not self._is_html:
            self.taken = take_out(body)
            body = self.taken.body
            require_shallow_markdown(body, self.first_line)
        if self._separator:  # first, since it may look like another tool's syntax
            body = body.replace(self._separator, MORE, 1)
        body = self._carried_over(body)
        if not self._is_html:
            names = NamesFrom(self.post.source, self.places, self.references.links, has_pages=self.config.pages.enabled)
            self._syntax = with_other_syntax(body, names, tool=self.config.posts.tool)
            body = self._reported(self._syntax.expanded)
            body, lost = with_all_words(body)
            self._report_lost(lost)
        if self._separator:
            own_line = re.search(rf"^ {{0,3}}{MORE}[ \t]*$", body, re.MULTILINE)
            is_first = own_line is not None and own_line.start() <= body.find(MORE)
            body = body.replace(MORE, MORE if is_first else f"\n\n{MORE}\n\n", 1)
        return with_one_spelling(self._with_lone_tags_as_text(body))

    def _reported(self, expanded: Expanded) -> str:
        """Report the problems of the tags in a body; return its new text."""
        for line, message, hint, is_error, _ in expanded.problems[:MOST_PROBLEMS]:
            severity = Severity.ERROR if is_error else Severity.WARNING
            self.problems.append(Problem(self.path, self._line(line), message, hint, severity))
        return expanded.text

    def _line(self, line: int) -> int:
        return self.first_line + line - 1

    def _with_lone_tags_as_text(self, body: str) -> str:
        """Return the HTML of the body, in which no lone tag hides what follows it."""
        if self._is_html:
            settled = lone_tags.settle(body)
        else:
            body = _without_title(body, self.post.title, self.taken)
            settled, lost = settled_html(body, has_notes=self._syntax.has_notes)
            self._report_lost(lost)
        self._settled = settled
        self._report_lost(lost_elements(settled.removed))
        settled.place(self._syntax.expanded.line_of)
        for hidden in settled.hidden:
            message = f"the comment that begins here is never closed, and hides {hidden.words:,} words from readers"
            self.problems.append(Problem(self.path, self._lines.line_of("<!--"), message, "write --> where it ends"))
        html = with_named_code(_finish(settled.html, body), self.config.posts.tool)
        if self._syntax.abbreviations:
            html = with_abbreviations(html, self._syntax.abbreviations)
        return self.taken.put_back(self._held.put_back(html))

    def _report_lost(self, lost: Iterable[LostWords], first_line: int = 0) -> None:
        """Report lost words. first_line: the line of the file from which their lines count; 0 for the body's first."""
        for line, message, hint, is_error in islice(lost, MOST_PROBLEMS):
            severity = Severity.ERROR if is_error else Severity.WARNING
            number = line + first_line - 1 if first_line else self._line(self._syntax.expanded.line_of(line))
            self.problems.append(Problem(self.path, number, with_sizes(message), hint, severity))

    @property
    def _separator(self) -> str:
        """The post's own mark for the end of its excerpt; "" if it has none, or one that works in every post."""
        separator = self.post.excerpt_separator
        return "" if is_mark(separator) or separator not in self.written else separator

    def _carried_over(self, body: str) -> str:
        if (
            not _OTHER_TOOLS.are_in(body)
            and not may_have_attributes(body)
            and not MAYBE_FIELD.search(body)
            and not WORDPRESS.search(body)
        ):
            return body
        from publisher.posts.front_matter.other_tools import carry_over  # 15 ms to compile, for few posts

        resolve = None if self._has_run else self.references.foreign_post
        body, leftovers = carry_over(body, self.config.site_url, resolve, self.config.posts.tool)
        for leftover in leftovers:
            self._mentioned_tags.update(leftover.tags)
            self.warn(
                self.first_line + leftover.lines[0] - 1,
                f"{leftover.what}{self._more(leftover.lines)}",
                leftover.hint,
            )
        return body

    def _more(self, lines: tuple[int, ...]) -> str:
        if len(lines) == 1:
            return ""
        return f", on {len(lines)} lines up to line {self.first_line + lines[-1] - 1}"

    def _warn_of(self, items: Iterable[tuple[str, str, str]], line_of: Callable[[str], int]) -> None:
        for reference, message, hint in islice(items, MOST_PROBLEMS):
            self.warn(line_of(reference), message, hint)

    @cached_property
    def _lines(self) -> LineFinder:
        seen = without_formulas(self.written) if self.taken.formulas else None
        if self._separator:
            seen = (seen or self.written).replace(self._separator, " " * len(self._separator), 1)
        file, body = self._held.in_lines(self.file), self._held.in_lines(self.written)
        return LineFinder(file, body, self._held.in_lines(seen) if seen else None)

    def _excerpt(self, raw: str, clean: str) -> str:
        if self.post.excerpt:
            return shorten(plain_text(self.post.excerpt) if "<p" in self.post.excerpt else self.post.excerpt, 500)
        before = before_mark(raw)
        text = plain_text(self.sanitise(before, lambda tag, reference: reference)) if before else ""
        if text:
            return shorten(text, 1000)
        return excerpt_of(clean)


def _file_of(post: WrittenPost, around: Surroundings) -> bytes:
    # Without a buffer, which a whole file does not need, it takes half the time, and a fifth of pathlib's.
    with open(f"{around.places.folder}/{post.source}", "rb", buffering=0) as file:  # noqa: PTH123
        return file.readall()


def _may_have_comment(text: str) -> bool:
    return _COMMENTS.are_in(text) or _IN_BRACES.are_in(text)


@cache
def _sanitiser() -> Sanitiser:
    return Sanitiser()


def _without_title(body: str, title: str, taken: TakenOut) -> str:
    """Return the body without a first heading that repeats the post's title, which is shown above the body anyway.

    Pictures in the heading stay. A heading with a footnote stays as a whole.
    """
    if first_heading(taken.as_written(body)) != title:
        return body
    blank = len(body) - len(body.lstrip("\n"))
    lines = body.split("\n")
    if "[^" in lines[blank] or "<img" in lines[blank]:
        return body
    skipped = blank + (1 if lines[blank].lstrip().startswith("#") else 2)
    pictures = " ".join(_PICTURE.findall(lines[blank]))
    return "\n" * blank + pictures + "\n" * (skipped - blank) + "\n".join(lines[skipped:])  # the number of lines stays


_PICTURE = patterns.compile(r"!\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])")
# As comrak writes them. A tag by the writer may contain a "<" in quotes, and stays.
_ANCHOR = patterns.compile(r'<a href="#[^"<>]*+"(?>[^<>]*?\bclass="anchor")[^<>]*+></a>')
# A target for links in a heading that has the same id already.
_SAME_ID = patterns.compile(r'(<h[1-6] id="([^"<>]++)">)<a id="\2"></a>')
_ZOOM = patterns.compile(r'(<img\b[^<>]*?)\bstyle="\s*zoom:\s*(\d{1,3}%);?\s*"', re.IGNORECASE)


def _finish(fragment: str, body: str) -> str:
    """Remove the empty anchors in headings, turn Typora's `zoom` style into a width, and separate terms."""
    fragment = with_sizes(_ANCHOR.sub("", fragment) if '<a href="#' in fragment else fragment)
    if '"></a>' in fragment:
        fragment = _SAME_ID.sub(r"\1", fragment)
    if "<dt>" in fragment and "<dt" not in body:
        fragment = with_separate_terms(fragment)
    return _ZOOM.sub(r'\1width="\2"', fragment) if "zoom" in fragment else fragment
