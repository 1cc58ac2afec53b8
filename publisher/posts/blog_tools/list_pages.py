"""Files in a posts folder that are pages for the blog's tool: lists of posts, and pages such as About or README.

They have no date, unlike a post of these tools. A file with a date is always a post.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from publisher.posts.permalinks import file_date, name_of, path_date

# Names of files that no one takes for a post without a date.
_NAMES = frozenset(
    """
    404 about archive archives authors blog categories category changelog code_of_conduct contact contributing feed home
    imprint index latest license news page pages posts privacy projects readme search section sitemap tag tags
    """.split()  # noqa: SIM905
)
_LAYOUT_KEYS = ("layout", "template", "type", "kind")
# Layouts of pages, by the names in the tools' themes and documentation, without folder and extension.
_LAYOUTS = frozenset(
    """
    archive archives blog categories category default doc docs home index list lists page pages post-list posts search
    section single-page tag tags
    """.split()  # noqa: SIM905
)


def is_list_page(source: str, fields: Mapping[str, object], published: object) -> bool:
    """Return whether a file is a page for its tool rather than a post.

    source     its path in the posts folder
    fields     its front matter
    published  the date in the front matter; None if there is none
    """
    name = name_of(source)[1]
    if published is not None or file_date(name) or path_date(source):
        return False
    if "pagination" in fields or any(_layout(fields.get(key)) in _LAYOUTS for key in _LAYOUT_KEYS):
        return True
    is_bundle = "/" in source and source.rpartition("/")[2].partition(".")[0].lower() == "index"
    return not is_bundle and name.partition(".")[0].lower() in _NAMES


def _layout(value: object) -> str:
    """Return the name of a layout such as layouts/blog.njk, as it is in _LAYOUTS."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return re.sub(r"\.[a-z.]{1,12}$", "", text.rpartition("/")[2])
