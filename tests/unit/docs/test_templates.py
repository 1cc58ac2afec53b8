"""The templates, blocks and variables in docs/templates.md match the program."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.config.palette import Code, Looks, Palette
from publisher.core.models import Post
from publisher.core.newsletter_models import Edition
from publisher.core.templates import Templates, shipped_folder
from publisher.newsletters.letter.email_strings import words_of
from publisher.newsletters.letter.template_context import LetterView, PostView, SourceGroup, SourceView
from publisher.site.pages.article import ListedPost
from publisher.site.pages.edition_pages import NewsletterArchive
from publisher.site.pages.frame import Page, SiteView
from publisher.site.pages.lists import Paging
from tests.support import ROOT

PAGE = ROOT / "docs/templates.md"

OBJECTS = {
    "`site`": SiteView,
    "`page`": Page,
    "`entry`": ListedPost,
    "`paging`": Paging,
    "`post`": Post,
    "`shelf`": NewsletterArchive,
    "`edition`": Edition,
    "`letter`": LetterView,
    "each of `posts`": PostView,
    "`source` of a post": SourceView,
    "each of `groups`": SourceGroup,
    "`looks`": Looks,
    "`looks.light`, `looks.dark`": Palette,
    "`code` of either": Code,
}


def rows() -> list[list[str]]:
    lines = re.findall(r"^\|(.+)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([\w.]+)`", cell))


def test_every_template_is_listed_with_its_blocks() -> None:
    shown = {row[0].strip("`"): words(row[2]) for row in rows() if len(row) == 3 and "/" in row[0]}
    folder = shipped_folder()
    files = [path for part in ("pages", "web", "email") for path in (folder / part).iterdir()]
    assert shown == {
        path.relative_to(folder).as_posix(): set(
            re.findall(r"{% block (\w+)", re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
        )
        for path in files
    }


@pytest.mark.parametrize("shown", OBJECTS)
def test_every_object_has_the_documented_attributes(shown: str) -> None:
    kind = OBJECTS[shown]
    (row,) = [row for row in rows() if row[0] == shown]
    public = {key for key in {item.name for item in fields(kind)} | vars(kind).keys() if not key.startswith("_")}
    assert words(row[1]) == public


def test_an_overridden_block_changes_only_itself(tmp_path: Path) -> None:
    from publisher.cli.main import run

    assert run(["init", str(tmp_path)]) == 0
    example = re.findall(r"^```jinja\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    post, css = example
    for name, text in (("pages/post.html", post), ("email/own.css", css)):
        path = tmp_path / "templates" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    (hello,) = (tmp_path / "posts").iterdir()
    hello.write_text(hello.read_text(encoding="utf-8").replace("draft: true\n", ""), encoding="utf-8")
    assert run(["--project", str(tmp_path), "build"]) == 0
    (page,) = (tmp_path / "public").glob("*/*/*/hello-world/index.html")
    assert "Reply by email" in page.read_text(encoding="utf-8")
    assert run(["--project", str(tmp_path), "publish", "--to", "you@example.org"]) == 0
    (message,) = (tmp_path / ".publisher/outbox/new").iterdir()
    assert "text-transform:lowercase" in message.read_text(encoding="utf-8").replace("=\n", "")


def test_the_theme_of_the_example_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    site = '[site]\ntitle = "A"\nurl = "https://example.org"\n\n'
    (tmp_path / "publisher.toml").write_text(site + example, encoding="utf-8")
    config = load_config(tmp_path, {})
    theme = config.newsletter_theme(config.newsletters[0])
    assert (theme.accent, theme.logo, theme.logo_width) == ("#005f56", "logo.png", 160)


def test_the_catalog_of_the_example_changes_its_word(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```po\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / "en.po").write_text(example, encoding="utf-8")
    assert words_of("en", Templates(tmp_path)).read_on == "Read the rest"
