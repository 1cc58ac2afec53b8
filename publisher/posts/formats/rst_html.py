"""Sets up docutils to read reStructuredText and to write the HTML that Markdown would give."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from docutils.readers import standalone
from docutils.writers import html5_polyglot

# Comments that end an excerpt.
_MORE = frozenset(("more", "PELICAN_END_SUMMARY", "PELICAN_BEGIN_SUMMARY", "TEASER_END", "END_TEASER"))
_NOT_LANGUAGES = frozenset(("code", "code-block", "literal-block", "sourcecode", "highlight"))
_ALERTS = {
    "note": "note", "hint": "tip", "tip": "tip", "important": "important", "seealso": "note", "attention": "warning",
    "warning": "warning", "caution": "caution", "danger": "caution", "error": "caution",
}  # fmt: skip


class Reader(standalone.Reader):  # type: ignore[misc]  # docutils has no types
    """A reader that records docutils' messages about a text, to which a part of the text may be added later."""

    def __init__(self, said: list[Any]) -> None:
        super().__init__()
        self._said = said

    def new_document(self) -> Any:
        """Return a document that reports its problems to this reader."""
        document = super().new_document()
        document.reporter.attach_observer(self._note)
        return document

    def _note(self, message: Any) -> None:
        if len(self._said) < 1_000:
            self._said.append(message)


def writer() -> Any:
    """Return a writer of HTML."""
    made = html5_polyglot.Writer()
    made.translator_class = _Translator
    return made


class _Translator(html5_polyglot.HTMLTranslator):  # type: ignore[misc]
    """A translator that writes HTML as plain as Markdown's."""

    def visit_literal_block(self, node: Any) -> None:
        """Write code with the class of its language."""
        language = next((name for name in node["classes"] if name not in _NOT_LANGUAGES), "")
        kind = f' class="language-{escape(language)}"' if language else ""
        text = node.astext()
        self.body.append(f"<pre><code{kind}>{escape(text, quote=False)}\n</code></pre>\n")
        raise nodes.SkipNode

    def visit_literal(self, node: Any) -> None:
        """Write inline code."""
        self.body.append(f"<code>{escape(node.astext(), quote=False)}</code>")
        raise nodes.SkipNode

    def visit_math(self, node: Any, math_env: str = "") -> None:
        """Write an inline formula."""
        self.body.append(f'<code class="math">{escape(node.astext(), quote=False)}</code>')
        raise nodes.SkipNode

    def visit_math_block(self, node: Any, math_env: str = "") -> None:
        """Write a formula as a block."""
        self.body.append(f'<pre><code class="language-math">{escape(node.astext(), quote=False)}\n</code></pre>\n')
        raise nodes.SkipNode

    def visit_admonition(self, node: Any) -> None:
        """Begin an alert as Markdown writes it."""
        kind = next((_ALERTS[name] for name in node["classes"] if name in _ALERTS), "note")
        self.body.append(f'<div class="markdown-alert markdown-alert-{kind}">\n')

    def depart_admonition(self, node: Any) -> None:
        """End an alert."""
        self.body.append("</div>\n")

    def visit_title(self, node: Any) -> None:
        """Begin the title of an alert, or a heading."""
        if isinstance(node.parent, nodes.Admonition):
            self.body.append('<p class="markdown-alert-title">')
            self.context.append("</p>\n")
            self.context.append("")
        else:
            super().visit_title(node)

    def depart_title(self, node: Any) -> None:
        """End the title of an alert, or a heading."""
        if isinstance(node.parent, nodes.Admonition):
            self.context.pop()
            self.body.append(self.context.pop())
        else:
            super().depart_title(node)

    def visit_topic(self, node: Any) -> None:
        """Begin a topic; leave out a table of contents."""
        if "contents" in node["classes"]:
            raise nodes.SkipNode
        super().visit_topic(node)

    def visit_comment(self, node: Any, sub: Any = None) -> None:
        """Leave out a comment, unless it marks the end of the excerpt."""
        if node.astext().strip().rstrip(":") in _MORE:
            self.body.append("<!--more-->\n")
        raise nodes.SkipNode

    def visit_problematic(self, node: Any) -> None:
        """Write text that could not be parsed as it is in the post."""
        self.body.append(escape(node.astext(), quote=False))
        raise nodes.SkipNode

    def visit_system_message(self, node: Any) -> None:
        """Leave out a message about the source, which is reported as a problem."""
        raise nodes.SkipNode
