"""Rendering of the text of an item of a source, which is HTML of another site and was cleaned when it was fetched.

It is cleaned again, by today's rules. Nothing in it is Markdown or the syntax of a blog tool, and its addresses are
absolute. It runs in the same child process as the rendering of files.
"""

from __future__ import annotations

from publisher.core.characters import shorten
from publisher.core.errors import PostError
from publisher.posts.places import WrittenPost
from publisher.posts.rendering.allowed_html import Sanitiser
from publisher.posts.rendering.body import Growth, Surroundings
from publisher.posts.rendering.missing_pictures import alt_as_words
from publisher.posts.rendering.rendered_body import RenderedBody
from publisher.posts.text.comments import without_comments_in_attributes
from publisher.posts.text.encoding import without_controls
from publisher.posts.text.excerpt import count_words, excerpt_of
from publisher.posts.text.nesting import require_shallow_html

_LONGEST_EXCERPT = 500


def render_item(around: Surroundings, post: WrittenPost, growth: Growth, inspect: bool) -> RenderedBody:
    """Return the text of an item as a body.

    Raises PostError if the HTML is nested too deeply, or becomes larger than `growth` allows.
    """
    data = post.text or b""
    most = growth.times * len(data) + growth.extra
    written = without_controls(data.decode("utf-8", "replace"))[0]
    clean = Sanitiser().clean(written, _as_it_is).replace(' id=""', "")
    maths: dict[str, str] = {}
    if "<math" in clean:
        from publisher.posts.rendering.mathml import maths_of  # not at the top: few posts have formulas

        clean, maths, _ = maths_of(clean, most)
    html = alt_as_words(without_comments_in_attributes(clean))
    if len(html.encode("utf-8", "replace")) > most:
        raise PostError(f"becomes {len(html) / 1_000_000:.1f} MB of HTML, more than {growth.times} times its size")
    require_shallow_html(html, "")
    excerpt = shorten(post.excerpt, _LONGEST_EXCERPT) if post.excerpt else excerpt_of(html)
    return RenderedBody.plain(html, excerpt, count_words(html))._replace(maths=maths)


def _as_it_is(_tag: str, reference: str) -> str | None:
    """Return a reference if it is absolute, or else None, because a relative one would lead to a page of this site."""
    return reference if ":" in reference.partition("/")[0] else None
