"""Two sites are equal only if their pages have the same text and links, and their feeds the same texts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from benchmarks import corpus, hugo_site
from benchmarks.site import write_site
from benchmarks.site_outputs import site_differences
from tests.support.hostile_site import build_site

POST = "2021/01/05/post-00008/index.html"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmark's own site of 45 posts, as Publisher builds it."""
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, 45)
    build_site(folder)
    return folder / "public"


@pytest.fixture(scope="module")
def few(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some pages of the site with its complete feeds and sitemap, enough to detect a change in one page."""
    folder = tmp_path_factory.mktemp("few") / "public"
    for path in (*built.glob("*.*"), *built.glob("2021/01/0*/*/*.*")):
        (folder / path.relative_to(built)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.relative_to(built))
    return folder


@pytest.fixture
def other(few: Path, tmp_path: Path) -> Path:
    """A copy of some pages of the site, which a test may change."""
    return Path(shutil.copytree(few, tmp_path / "other"))


def change(folder: Path, path: str, pattern: str, replacement: str) -> None:
    """Replace the first match of the pattern in a file of the site, which must contain a match."""
    text, count = re.subn(pattern, replacement, (folder / path).read_text(encoding="utf-8"), count=1)
    assert count == 1
    (folder / path).write_text(text, encoding="utf-8")


def test_a_site_equals_its_copy(built: Path, tmp_path: Path) -> None:
    assert site_differences(built, Path(shutil.copytree(built, tmp_path / "copy"))) == []


def test_the_benchmark_has_a_page_per_post_and_lists_with_several_pages(built: Path) -> None:
    assert len(list(built.glob("20*/*/*/*/index.html"))) == 45
    assert (built / "page" / "3" / "index.html").exists()


def test_a_missing_page_is_reported(few: Path, other: Path) -> None:
    (other / POST).unlink()
    assert site_differences(few, other) == [f"ours alone: 1 pages, such as {POST}"]
    assert site_differences(other, few) == [f"theirs alone: 1 pages, such as {POST}"]


@pytest.mark.parametrize(
    ("pattern", "replacement", "kind"),
    [
        ('<aside class="follow"(?s:.*?)</aside>', "", "words"),
        ('property="og:title" content="[^"]*"', 'property="og:title" content="Another"', "facts"),
        ('"headline": "[^"]*"', '"headline": "Another"', "facts"),
        ('rel="canonical" href="[^"]*"', 'rel="canonical" href="/elsewhere/"', "facts"),
        (r'(?s)<footer.*<a href="[^"]*feeds/">', '<footer><a href="/a/"></a><a href="/b/"></a><a href="/c/">', "links"),
    ],
)
def test_a_page_with_fewer_words_is_reported(few: Path, other: Path, pattern: str, replacement: str, kind: str) -> None:
    change(other, POST, pattern, replacement)
    (found,) = site_differences(few, other)
    assert found.startswith(f"1 pages differ, {POST}: ")
    assert f" {kind}: " in found


def test_code_may_be_highlighted_differently(few: Path, other: Path) -> None:
    page = next(path for path in sorted(other.rglob("post-*/index.html")) if "<pre" in path.read_text(encoding="utf-8"))
    change(
        other,
        page.relative_to(other).as_posix(),
        r"(?s)<pre.*?>(.*?)</pre>",
        r'<div class="chroma"><pre>\1</pre></div>',
    )
    assert site_differences(few, other) == []


def test_a_feed_with_other_titles_is_counted(few: Path, other: Path) -> None:
    change(other, "feed.json", '"title": "[A-Z][^"]* 44"', '"title": "Another"')
    (found,) = site_differences(few, other)
    assert re.fullmatch(r"(\d+) feeds against \1, \d+ of them alike", found)


def test_a_feed_without_a_text_is_reported(few: Path, other: Path) -> None:
    change(other, "feed.xml", r"(?s)<content:encoded>.*?</content:encoded>", "<content:encoded/>")
    assert site_differences(few, other) == ["1 feeds have other texts, one of rss"]


def test_a_url_that_the_sitemap_lacks_is_counted(few: Path, other: Path) -> None:
    change(other, "sitemap.xml", r"<url>.*</url>\n", "")
    (found,) = site_differences(few, other)
    assert re.fullmatch(r"sitemap.xml: 1 of \d+ addresses differ", found)


def test_hugo_gets_a_template_for_each_kind_of_our_pages(tmp_path: Path) -> None:
    write_site(tmp_path, 1)
    names = {path.name for path in (tmp_path / "hugo-layouts").glob("*.*")}
    pages = {"home.html", "page.html", "term.html", "taxonomy.html", "archive.html", "feeds.html", "subscribe.html"}
    files = {"404.html", "sitemap.xml", "list.rss.xml", "list.atom.xml", "list.feed.json", "list.opml.opml"}
    assert names == pages | files | {"baseof.html"}
    partials = {path.name for path in (tmp_path / "hugo-layouts" / "_partials").iterdir()}
    used = set(re.findall(r'partial(?:Cached)? "([^"]+)"', "".join(_texts(hugo_site.LAYOUTS))))
    assert used == partials


def test_hugo_reads_the_same_posts(tmp_path: Path) -> None:
    paths = write_site(tmp_path, 3)
    assert [path.name for path in paths] == [corpus.make_post(number).name for number in range(3)]
    assert 'source = "posts"' in (tmp_path / "hugo.toml").read_text(encoding="utf-8")


def _texts(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.*")) if path.is_file()]
