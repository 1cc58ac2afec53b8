"""Texts of a letter that address each subscriber: {{ subscriber.name | default("friend") }} becomes a mark.

core.personal_syntax defines what a writer can type, core.personal_marks defines the marks, and mail.message fills in
the marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lxml import etree

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.config.origins import KeyLines
from publisher.core.errors import PostError, PublisherError, TemplateError
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.core.personal_marks import (
    DEEPEST,
    ELSE,
    END,
    Fork,
    MarkedText,
    cut,
    escaped_in_html,
    escaped_in_text,
    for_everyone,
    is_personal,
    is_sealed,
    sealed,
    unsealed,
    unwrapped,
    with_all_branches,
    with_whole_marks,
    without_lone_lines,
)
from publisher.core.personal_syntax import tags_in
from publisher.core.personal_templates import PRINTED_TAG, with_read_tags
from publisher.core.subscriber_fields import FieldKind
from publisher.newsletters.letter.html_tree import parse_fragment
from publisher.newsletters.letter.safe_text import without_marks
from publisher.posts.text.excerpt import MOST_CHARACTERS, excerpt_of, plain_text
from publisher.posts.text.prose import masked

_BRANCHING = re.compile(r"@@publisher-(?:if-[a-z2-7]++|else|end)@@")
_WHOLE_LINK = re.compile(r"""(?:href|src)=["']@@publisher-(?:value|part)""")
_ENCLOSES_BLOCKS = re.compile(r"<(?:p|li|[uod]l|blockquote|div|section|h[1-6]|table|tr|pre|figure|hr)\b")
_SHOWS = re.compile(r"<(?:img|iframe|video|audio)\b")
_MOST_READ = 200_000  # characters of a text that are read for its excerpt
_BLOCK_TAG = re.compile(rf"(?m)^([ \t]*+(?:{_BRANCHING.pattern}[ \t]*+)++)$")


def known_fields(config: Config) -> dict[str, FieldKind]:
    """Return the project's own fields of subscribers, and the kinds of their values."""
    return {each.name: FieldKind(each.kind) for each in config.fields}


def marked(
    text: str,
    known: Mapping[str, FieldKind],
    where: str,
    *,
    first_line: int = 0,
    language: str = "en",
    is_markdown: bool = True,
) -> str:
    """Return a writer's text with marks for its tags about the subscriber, sealed until the letter is finished.

    known        the project's own fields of subscribers (known_fields)
    where        the file or key that the text is from, for errors
    first_line   the line of the file on which it begins; 0 if it is not in a file
    language     the language in which dates are written
    is_markdown  whether it is Markdown, whose code stays as typed, rather than plain text

    Characters that only look like a mark are disarmed. A condition on a line of its own gets a blank line before and
    after it (see line_before). Raises PublisherError for a tag that is wrong.
    """
    text = without_marks(text)
    try:
        tags = tags_in(text, known, language=language, is_code=masked(text) if is_markdown else "")
    except PostError as error:
        place = f"{where}:{first_line + error.line - 1}" if first_line else where
        raise PublisherError(error.message, where=place, hint=error.hint) from error
    pieces, last = [], 0
    for tag in tags:
        pieces += [text[last : tag.start], tag.marks]
        last = tag.end
    done = "".join([*pieces, text[last:]])
    return sealed(_BLOCK_TAG.sub(r"\n\1\n", done) if is_markdown and tags else done)


def marked_setting(config: Config, newsletter: NewsletterConfig, key: str, *, is_markdown: bool) -> str:
    """Return a text of a newsletter's settings as `marked` does; its errors name the line of publisher.toml."""
    language = config.newsletter_language(newsletter)
    try:
        return marked(getattr(newsletter, key), known_fields(config), "", language=language, is_markdown=is_markdown)
    except PublisherError as error:
        error.where = place_of_setting(config, newsletter, key)
        raise


def place_of_setting(config: Config, newsletter: NewsletterConfig, key: str) -> str:
    """Return the place of a newsletter's setting: publisher.toml with its line, if it can be read."""
    try:
        text = (config.root / CONFIG_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return CONFIG_FILE
    number = next((i for i, each in enumerate(config.newsletters) if each.name == newsletter.name), 0)
    line = KeyLines(text).of(("newsletters", number, key))
    return f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE


def line_before(marked_text: str, line: int) -> int:
    """Return the line number that a line of a marked text had before it was marked. Both numbers count from 1."""
    lines = unsealed(marked_text).split("\n")[: line - 1]
    return line - 2 * sum(_BLOCK_TAG.match(each) is not None for each in lines)


def rendered(html: str, where: Callable[[], str]) -> str:
    """Return the HTML of a marked Markdown text, with conditions between its paragraphs rather than inside them.

    Raises PublisherError unless each condition encloses whole elements.
    """
    if not is_sealed(html):
        return html
    html = unwrapped(unsealed(html))
    if not _has_whole_conditions(html):
        raise PublisherError(_NOT_WHOLE, where=where(), hint=_AROUND_PARAGRAPHS)
    return sealed(html)


def personal_post(post: RenderedPost, config: Config, newsletter: NewsletterConfig) -> RenderedPost:
    """Return an email-only post with sealed marks for its tags about the subscriber; return other posts unchanged.

    Raises TemplateError, with the file of the post and its line, for a tag that is wrong.
    """
    if post.post.has_page or PRINTED_TAG not in post.html:
        return post
    html = with_read_tags(post.html, known_fields(config), config.newsletter_language(newsletter))
    html = rendered(sealed(html), lambda: post.post.where(config.posts.folder))
    return replace(post, html=html, excerpt=beginning(html))


def beginning(html: str, limit: int = MOST_CHARACTERS) -> str:
    """Return the excerpt of HTML with sealed marks: the first words that are the same for everyone.

    It contains nothing from paragraphs that only some recipients get, unless the text begins with them: then the
    excerpt is itself a condition, and each recipient gets the first words of their own branch. limit: the maximum
    number of characters.
    """
    return _beginning(cut(unsealed(html[:_MOST_READ])), limit) if is_sealed(html) else excerpt_of(html, limit)


def _beginning(tree: MarkedText, limit: int) -> str:
    """Return the excerpt of a text, with sealed marks."""
    before, common, first = "", "", None
    for text, mark in zip(tree.texts, (*tree.marks, ""), strict=True):
        common += text
        if isinstance(mark, Fork) and _ENCLOSES_BLOCKS.search(str(mark)):
            before, first = (before, first) if first else (common, mark)
            common += "\n"
        else:
            common += str(mark)

    def read(part: str) -> str:
        """Return the excerpt of a part, in which marks stay whole."""
        return with_whole_marks(lambda text: excerpt_of(text, limit), sealed(part))

    if first is None or read(before):
        return read(common)
    after = read(common)
    then, otherwise = (_beginning(side, limit) or after for side in (first.then, first.otherwise))
    return sealed(f"{first.mark}{then}{ELSE}{otherwise}{END}") if then != otherwise else then


def is_empty_for_some(html: str) -> bool:
    """Return whether some recipients get nothing from HTML with sealed marks, because all of it is in conditions."""
    tree = cut(unsealed(html))
    forks = [mark for mark in tree.marks if isinstance(mark, Fork)]
    if not forks or len(forks) < len(tree.marks) or any(map(_says_something, tree.texts)):
        return False
    if len(forks) == 1:
        return not all(_says_something(str(side)) for side in (forks[0].then, forks[0].otherwise))
    return not _says_something(for_everyone(unsealed(html)))


def _says_something(html: str) -> bool:
    return bool(_SHOWS.search(html) or plain_text(with_all_branches(html)))


def finished(letter: Letter, template: str, config: Config, newsletter: NewsletterConfig) -> Letter:
    """Return a composed letter in which the sealed marks and the template's tags have become marks.

    Raises TemplateError for a tag of the template that is wrong, and unless each condition encloses whole elements.
    """
    known, language = known_fields(config), config.newsletter_language(newsletter)
    html = with_read_tags(unsealed(letter.html), known, language)
    text = with_read_tags(unsealed(letter.text), known, language)
    if _WHOLE_LINK.search(html):
        hint = "begin it with https://"
        raise TemplateError("a link can't begin with a subscriber's value", where=f"templates/{template}", hint=hint)
    if not _has_whole_conditions(html):
        raise TemplateError(_NOT_WHOLE, where=f"templates/{template}", hint=_AROUND_PARAGRAPHS)
    return replace(
        letter,
        subject=unsealed(letter.subject),
        preheader=unsealed(letter.preheader),
        html=escaped_in_html(html),
        text=escaped_in_text(without_lone_lines(text)),
    )


def as_checked(letter: Letter) -> Letter:
    """Return a letter as its checks see it: with the parts for all recipients, and the defaults of fields."""
    if not any(map(is_personal, (letter.subject, letter.preheader, letter.html, letter.text))):
        return letter
    return replace(
        letter,
        subject=for_everyone(letter.subject),
        preheader=for_everyone(letter.preheader),
        html=with_all_branches(letter.html),
        text=with_all_branches(letter.text),
    )


_NOT_WHOLE = "a condition begins and ends in different parts of the text"
_AROUND_PARAGRAPHS = "put {% if %}, {% else %} and {% endif %} on lines of their own, around whole paragraphs"


def _has_whole_conditions(html: str) -> bool:
    """Return whether each condition encloses whole elements, so that the HTML stays valid without them."""
    open_in: list[object] = []
    for parent, mark in _branching(html) if is_personal(html) else ():
        if mark == END and open_in and open_in[-1] is parent:
            open_in.pop()
        elif mark.startswith("@@publisher-if-") and len(open_in) <= DEEPEST:
            open_in.append(parent)
        elif mark != ELSE or not open_in or open_in[-1] is not parent:
            return False
    return not open_in


def _branching(html: str) -> Iterator[tuple[object, str]]:
    """Yield the marks of conditions in the order of the text, each with the element or attribute that it is in."""
    root = parse_fragment(html)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            for value in element.attrib.values():
                place = object()
                yield from ((place, mark) for mark in _BRANCHING.findall(value))
            yield from ((element, mark) for mark in _BRANCHING.findall(element.text or ""))
        elif element is not root:
            parent = element.getparent()
            yield from ((parent, mark) for mark in _BRANCHING.findall(element.tail or ""))
