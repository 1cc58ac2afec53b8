"""Files in the folder of a post are published with the post, and the list pages of a tool are not posts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import Tool
from publisher.config.site import Posts
from tests.support.posts_samples import Folder

DATED = "title: T\ndate: 2025-02-03"
FILES = {
    "one/index.md": "[code](code.py) [data](sub/data.obj) [gone](gone.py) ![p](p.txt)",
    "one/code.py": "print(1)",
    "one/sub/data.obj": "o 1",
    "one/sub/notes.org": "* a",
    "one/.secret": "s",
    "one/code.py~": "old",
    "one/inner/index.md": "inner",
    "one/inner/own.py": "2",
    "one/index.fr.md": "[code](code.py)",
    "two.md": "[code](two/c.py)",
    "two/c.py": "3",
    "beside.py": "4",
}


def published(tool: Tool, tmp_path: Path, permalink: str = "/{slug}/") -> tuple[Folder, set[str]]:
    folder = Folder(tmp_path, posts=Posts(permalink=permalink, tool=tool))
    start = "posts/_posts" if tool in ("jekyll", "hexo") else "posts"
    for name, text in FILES.items():
        folder.file(f"{start}/{name}", f"---\n{DATED}\n---\n{text}" if name.endswith(".md") else text)
    (tmp_path / start / "one/out.py").symlink_to("/etc/passwd")
    folder.file("publisher.toml", "secret = 1")
    (tmp_path / start / "one/link.txt").symlink_to(tmp_path / "publisher.toml")
    folder.config = replace(folder.config, site=replace(folder.config.site, languages=("fr",)))
    folder.build()
    return folder, {name for name in folder.public() if name.endswith((".py", ".obj", ".org", ".secret", ".txt"))}


@pytest.mark.parametrize(
    ("tool", "permalink", "expected"),
    [
        ("", "/{slug}/", ""),
        ("jekyll", "/{slug}/", ""),
        (
            "hugo",
            "/{slug}/",
            "fr/one/code.py fr/one/inner/own.py fr/one/sub/data.obj one/code.py one/inner/own.py one/sub/data.obj",
        ),
        ("zola", "/b/{slug}", "b/code.py b/own.py b/sub/data.obj fr/b/code.py fr/b/sub/data.obj"),
        ("hexo", "/{slug}/", "two/c.py"),
    ],
)
def test_the_files_of_a_bundle_are_published_next_to_its_page(
    tool: Tool, permalink: str, expected: str, tmp_path: Path
) -> None:
    assert " ".join(sorted(published(tool, tmp_path, permalink)[1])) == expected


def test_links_to_files_of_a_bundle_work_and_broken_ones_are_reported(tmp_path: Path) -> None:
    folder, _ = published("hugo", tmp_path)
    said = {(each.path, each.message) for each in folder.check() if "one/index.md" in each.path}
    assert said == {
        ("posts/one/index.md", "broken link: no file of this site is at gone.py"),
    }
    assert folder.build().written == 0
    folder.file("posts/one/new.py", "5")
    assert folder.build().written > 0
    assert "one/new.py" in folder.public()


@pytest.mark.parametrize(
    ("source", "head", "is_page"),
    [
        ("index.md", "title: All posts", True),
        ("README.md", "", True),
        ("tags.md", "title: Tags", True),
        ("blog/archive.html", "title: Archive", True),
        ("index.fr.md", "title: A", True),
        ("lists/index.md", "title: A\npagination: {data: collections.posts}", True),
        ("all.md", "title: A\nlayout: layouts/post-list.njk", True),
        ("all.md", "title: A\ntemplate: archives.html", True),
        ("all.md", "title: A\nlayout: post", False),
        ("two/index.md", "title: A bundle that forgot its date", False),
        ("why.md", "title: A", False),
    ],
)
def test_a_list_page_of_a_tool_is_not_an_error(source: str, head: str, is_page: bool, tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(tool="hugo"))
    folder.write(source, "Text", head=head)
    assert [each.message for each in folder.archive().problems] == ([] if is_page else ["the post has no date"])
    folder.write(
        source,
        "Text",
        head=f"{head}\ndate: 2025-01-01\ntitle: A" if "title" not in head else f"{head}\ndate: 2025-01-01",
    )
    assert len(folder.archive().posts) == 1  # a date makes it a post
    folder.write(source, "Text", head=head)
    plain = replace(folder.config, posts=Posts())
    folder.config = plain
    assert [each.message for each in folder.archive().problems] == ["the post has no date"]
