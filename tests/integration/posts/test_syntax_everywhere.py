"""The syntax of other editors is converted in pages, feeds and emails: none of it is left."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

from publisher.posts.markup import Renderer
from tests.support.email_samples import letter
from tests.support.picture_samples import picture
from tests.support.posts_samples import Folder

BODY = """
A ==marked== word[^n], HTML and a note.^[A note in a line.] See [[Other note|these words]] :tada:

::: tip Mind *this*
In a container.
:::

!!! danger "Old"
    In an admonition.

> [!faq]- Folded
> In a callout.

![[hill.png|40]] ![Hill](pictures/hill.png){ .wide width=50% } [link](https://a.example){.button}

## Story { #story .x }

<div markdown="1">
*Inside*
</div>

[[toc]]

[^n]: A footnote.
*[HTML]: Hypertext Markup Language
"""
LEFT = re.compile(r":::|!!!|\[!|\[\[|==m|\^\[|\{ ?[.#]|\*\[|markdown=|:tada:|\x07|\x08")
WORDS = (
    "marked",
    "A note in a line",
    "these words",
    "Mind this",
    "In a container",
    "Old",
    "In an admonition",
    "Folded",
)


def test_no_foreign_syntax_is_left_in_pages_feeds_and_emails(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("2024-01-02-other-note.md", "x")
    folder.file("posts/pictures/hill.png", picture())
    folder.write("2024-07-06-hello.md", BODY)
    assert [(problem.line, problem.message) for problem in folder.check()] == []
    folder.build()
    public = folder.public()
    page = public["2024/07/06/hello/index.html"].decode()
    entry = next(item for item in json.loads(public["feed.json"])["items"] if item["url"].endswith("/hello/"))
    archive = folder.archive()
    post = Renderer(archive, folder.config).render(next(iter(archive.load(["2024-07-06-hello.md"]))))
    mail = letter((post,), "digest-full", "x").letter
    article = page.partition("<article")[2].partition("</article>")[0]
    texts = (
        article,
        entry["content_html"],
        public["feed.xml"].decode(),
        public["atom.xml"].decode(),
        mail.html,
        mail.text,
    )
    for text in texts:
        assert LEFT.findall(re.sub(r"<style.*?</style>", "", unescape(text), flags=re.DOTALL)) == []
        assert [words for words in WORDS if words not in unescape(text)] == []
    assert entry["summary"].startswith("A marked word, HTML and a note. See these words 🎉")
    assert article.count("hill.png") >= 2
