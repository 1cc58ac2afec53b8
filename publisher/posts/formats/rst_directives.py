"""Directives and roles of reStructuredText that docutils does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives, roles, states
from docutils.parsers.rst.directives import _directive_registry

from publisher.core import patterns
from publisher.core.errors import TemplateError
from publisher.posts.shortcodes.embedded_shortcodes import ShortcodeContext, hugo_made
from publisher.posts.shortcodes.shortcode_calls import ShortcodeCall
from publisher.posts.tags.expanded import TagProblem
from publisher.posts.tags.owner_templates import plain_error

_NAMED = patterns.compile(
    r"^[ \t]*\.\.[ \t]+(?:\|[^|\n]{1,100}\|[ \t]+)?([A-Za-z][\w:.+-]{0,60})[ ]?::(?=\s|$)", re.MULTILINE
)
_ROLE = patterns.compile(r"(?<![\w`]):([A-Za-z][\w:.+-]{0,60}):`|`:([A-Za-z][\w.+-]{0,60}):(?!`)")
_TARGET = patterns.compile(r"\s{0,20}<[^<>]{0,500}>\Z")
_CODE = ("code", "code-block", "sourcecode", "highlight", "code-tab", "prompt", "ipython", "parsed-literal")
_PICTURES = ("thumbnail", "lead-image")
_NOTHING = ("toctree", "post-list", "slides", "gallery", "index", "currentmodule", "highlight-language", "meta", "more")
# The words that Sphinx writes in front of a version.
_VERSIONS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
}
_CODE_ROLES = frozenset(
    ("kbd", "code", "file", "samp", "program", "option", "command", "func", "class", "meth", "mod", "attr", "data")
)
# Directives that docutils refuses here, which it reports itself.
_FORBIDDEN = frozenset(("include", "raw", "csv-table", "figure", "image", "math", "table", "list-table"))
_MOST_NAMES = 200


class _AnyOption(dict[str, Any]):
    """The options of a directive, any of which is accepted."""

    def __missing__(self, name: str) -> Any:
        return directives.unchanged

    def __bool__(self) -> bool:
        return True


class UnknownDirectives:
    """The handling of directives and roles that docutils does not know, in one text.

    problems  the problems to report about them
    """

    def __init__(self, context: ShortcodeContext) -> None:
        self.context, self.problems = context, list[TagProblem]()
        self._names: dict[str, None] = {}

    def files(self) -> tuple[str, ...]:
        """Return the templates on which the text depends, by their paths from the root of the project."""
        return self.context.owner.files(tuple(self._names)) if self._names else ()

    def html(self, name: str, arguments: list[str], options: dict[str, str], content: str, line: int) -> str | None:
        """Return the HTML in place of a directive; None if the directive is not known."""
        self._names[name] = None
        words = " ".join(arguments).split() if arguments else []
        if self.context.owner.has(name):
            try:
                return self.context.owner.render(name, words, options, content, self.context.page())
            except TemplateError as error:
                message, hint = plain_error(error)
                self.problems.append(TagProblem(line, message, hint, is_error=True))
                return None
        call = ShortcodeCall(0, 0, name, is_markdown=False, positional=list(words), named=dict(options))
        made = hugo_made(call, self.context, content) if name in ("youtube", "vimeo", "gist") else None
        return "".join(part or "" for part in made.parts) if made else None

    def report(self, name: str, line: int) -> None:
        """Note that a directive is not known."""
        what = f"the directive {name} is unknown, so only the text inside it is shown"
        if all(each.message != what for each in self.problems):
            self.problems.append(TagProblem(line, what, f"add templates/shortcodes/{name}.html"))


@contextmanager
def registered(text: str, unknown: UnknownDirectives) -> Iterator[None]:
    """Let docutils accept the directives and roles of a text while it is read."""
    names = {found[1].lower() for found in _NAMED.finditer(text)} - _FORBIDDEN
    known = directives._directives.copy(), roles._roles.copy()
    for name in sorted(names)[:_MOST_NAMES]:
        if name in _CODE:
            directives.register_directive(name, _CodeDirective)
        elif name in _PICTURES or name in _NOTHING or name not in _directive_registry:
            directives.register_directive(name, type("_Any", (_OtherDirective,), {"unknown": unknown, "written": name}))
    for found in _ROLE.finditer(text):
        name = (found[1] or found[2]).lower()
        if name not in roles._role_registry and name not in roles._roles and len(roles._roles) < _MOST_NAMES:
            roles.register_local_role(name, _role)
    try:
        yield
    finally:
        directives._directives.clear()
        directives._directives.update(known[0])
        roles._roles.clear()
        roles._roles.update(known[1])


class _CodeDirective(Directive):  # type: ignore[misc]  # docutils has no types
    """Code in a language, with any options."""

    optional_arguments = 100
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOption()

    def run(self) -> list[Any]:
        """Return the block of code with its language."""
        code = "\n".join(self.content)
        language = self.arguments[0].split()[0].lower() if self.arguments and self.arguments[0].split() else ""
        return [nodes.literal_block(code, code, classes=["code", language] if language else ["code"])]


class _OtherDirective(Directive):  # type: ignore[misc]
    """A directive that docutils does not know."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOption()
    unknown: UnknownDirectives
    written: str

    def run(self) -> list[Any]:
        """Return the nodes that show an unknown directive."""
        name, content = self.written, "\n".join(self.content)
        html = self.unknown.html(name, self.arguments, self.options, content, self.lineno)
        if html is not None:
            return [nodes.raw("", html, format="html")]
        if name in _PICTURES and self.arguments:
            return [nodes.image("", uri=self.arguments[0].split()[0], alt=self.options.get("alt", ""))]
        if name in _NOTHING:
            return []
        if name not in _VERSIONS:
            self.unknown.report(name, self.lineno)
        inside = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, inside)
        return [*self._said(), *inside.children]

    def _said(self) -> list[Any]:
        """Return the words after the name of the directive."""
        words = " ".join(" ".join(self.arguments).split())
        if not words:
            return []
        if self.written in _VERSIONS:
            version, _, rest = words.partition(" ")
            words = f"{_VERSIONS[self.written]} {version}" + (f": {rest}" if rest else ":" if self.content else "")
        found, messages = self.state.inline_text(words, self.lineno)
        is_inline = isinstance(self.state, states.SubstitutionDef)
        return [*found, *messages] if is_inline else [nodes.paragraph(words, "", *found), *messages]


def _role(name: str, rawtext: str, text: str, *args: Any, **more: Any) -> tuple[list[Any], list[Any]]:
    """Return the words of a role that docutils does not know."""
    words = _TARGET.sub("", text.replace("\x00", "\\"))
    last = name.rpartition(":")[2]
    node = nodes.literal(rawtext, words) if last in _CODE_ROLES else nodes.Text(words)
    return [node], []
