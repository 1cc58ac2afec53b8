"""Rendering: a Markdown body becomes HTML that is safe anywhere, with absolute URLs.

Begin with body, which calls the other modules in order. It runs in a child process that has limits of time and memory;
posts.markup starts it and keeps the results.

Public modules:
    allowed_html  the HTML that a post may contain
    body          rendering of a Markdown body, in a child process
    code_tokens   the tokens of code, for its colours
    commonmark    Markdown as HTML that is not yet sanitised
    fences        the titles and the words after fences
    frames        the pages that people open instead of frames
    lazy_media    pictures and other media that a script would load later
    lone_tags     tags that would swallow the text after them, as text
    lost_words    words that the Markdown parser would drop, as text
    mathml        MathML for the formulas of a post
    rendered_body  the result of rendering a body
"""

__all__ = [
    "allowed_html",
    "body",
    "code_tokens",
    "commonmark",
    "fences",
    "frames",
    "lazy_media",
    "lone_tags",
    "lost_words",
    "mathml",
    "rendered_body",
]
