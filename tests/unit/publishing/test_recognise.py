"""What `publisher adopt` reads of a blog: the values for publisher.toml, from the configuration of each tool."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.core.errors import ProjectError
from publisher.publishing.adopt.adopted_blog import AdoptedBlog
from publisher.publishing.adopt.adopted_project import adopted_project
from publisher.publishing.adopt.recognise import recognise
from publisher.publishing.adopt.tool_files import tools_of

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
POST = "---\ntitle: One\ndate: 2026-01-02\n---\nText\n"
BARE = "---\ntitle: Two\n---\nText\n"


def blog(folder: Path, files: dict[str, str]) -> AdoptedBlog:
    """Write a blog into a folder, and recognise it. What becomes of it is a valid publisher.toml."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = recognise(folder)
    project = adopted_project(found, NOW)
    (folder / "publisher.toml").write_text(project.text, "utf-8")
    assert load_config(folder, {}).posts.tool == found.tool
    return project.blog


def settings(found: AdoptedBlog) -> dict[str, object]:
    return {each.key: each.value for each in found.taken}


JEKYLL = {"_posts/2026-01-05-Release-Notes.md": BARE}

# The files of a blog, and what is taken from them.
CASES: list[tuple[dict[str, str], dict[str, object]]] = [
    (
        JEKYLL | {"_config.yml": "title: A\nurl: https://a.test\nbaseurl: /b/\nlang: en_GB\ntimezone: Europe/London\n"},
        {
            "site.title": "A", "site.url": "https://a.test/b", "site.language": "en-GB", "posts.time": "00:00",
            "site.timezone": "Europe/London", "posts.folder": "_posts", "pages.copy": None, "site.author.name": None,
            "posts.permalink": "/{categories}/{year}/{month}/{day}/{name}.html",
        },
    ),
    (
        JEKYLL
        | {"_config.yml": "name: A\nauthor: {name: Ada, email: a@a.test}\npermalink: pretty\n", "CNAME": "a.test\n"},
        {
            "site.title": "A", "site.url": "https://a.test", "site.timezone": "UTC", "site.author.name": "Ada",
            "site.author.email": "a@a.test", "posts.permalink": "/{categories}/{year}/{month}/{day}/{name}/",
        },
    ),
    (
        JEKYLL | {"_config.yml": "permalink: /:year/:i_month/:title\ncollections: {posts: {permalink: /x/:title/}}\n"},
        {"posts.permalink": "/x/{name}/"},
    ),
    (
        JEKYLL | {"_config.yml": "author: Bob\nsource: .\n", "travel/_posts/2026-01-02-x.md": BARE, "img/a.png": ""},
        {
            "posts.folder": ".", "posts.include": ("_posts/**", "travel/_posts/**"), "pages.copy": ("img",),
            "site.author.name": "Bob",
        },
    ),
    (
        {"_config.yml": "source: src\n", "src/_posts/2026-01-02-x.md": BARE, "src/a/b.jpg": "", "src/b/c.md": BARE},
        {"posts.folder": "src/_posts", "pages.copy": ("src/a = /a",)},
    ),
    (JEKYLL, {"posts.folder": "_posts", "site.timezone": "UTC"}),
    (
        {
            "hugo.toml": 'baseURL = "https://h.test/"\ntitle = "H"\nlanguageCode = "en-us"\ntimeZone = "Europe/Rome"\n'
            '[params.author]\nname = "Bob"\n[permalinks]\nposts = "/:year/:month/:slugorcontentbasename"\n',
            "content/posts/one.md": POST, "content/posts/_index.md": BARE, "content/about.md": BARE,
            "static/a.png": "",
        },
        {
            "site.title": "H", "site.url": "https://h.test/", "site.language": "en-US", "site.timezone": "Europe/Rome",
            "site.author.name": "Bob", "posts.folder": "content", "posts.include": ("posts/**",),
            "posts.permalink": "/{year}/{month}/{slug_or_file}/", "pages.static": "static", "posts.exclude": None,
        },
    ),
    (
        {
            "config/_default/hugo.yaml": "baseURL: https://h.test/\nuglyURLs: true\ndefaultContentLanguage: it",
            "config/_default/params.yaml": "description: What\nmainSections: [news]\n",
            "config/_default/languages.yaml": "it: {weight: 2}\nen: {weight: 1}\nde: {disabled: true}\n",
            "content/news/one.md": POST, "content/news/about.md": BARE, "content/blog/one.md": POST,
        },
        {
            "site.description": "What", "posts.include": ("news/**",), "posts.exclude": ("news/about.md",),
            "posts.permalink": "/{folder}/{slug_or_file}.html", "site.language": "it", "site.languages": ("it", "en"),
            "site.timezone": "UTC",
        },
    ),
    (
        {
            "config.json": '{"baseurl": "https://h.test/", "title": "H", "contentDir": "c", "publishDir": "out"}',
            "c/one.md": POST,
        },
        {"posts.folder": "c", "posts.include": None, "site.url": "https://h.test/", "pages.static": None},
    ),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_blog_is_adopted_as_its_tool_has_it(tmp_path: Path, number: int) -> None:
    files, wanted = CASES[number]
    found = settings(blog(tmp_path, files))
    assert {key: found.get(key) for key in wanted} == wanted


FEEDS = [
    (JEKYLL | {"_config.yml": "plugins: [jekyll-feed]\n"}, [("feed.xml", "atom")]),
    (JEKYLL | {"_config.yml": "", "Gemfile": 'gem "jekyll-feed"\n'}, [("feed.xml", "atom")]),
    (JEKYLL | {"_config.yml": "feed: {path: blog/atom.xml}\n"}, [("blog/atom.xml", "atom")]),
    (JEKYLL | {"_config.yml": "a: b\n", "rss.xml": "---\n---\n<rss>"}, [("rss.xml", "rss")]),
    (JEKYLL | {"_config.yml": "a: b\n", "feed.xml": "---\n---\n<rss>", "map.xml": "<urlset>"}, [("feed.xml", "rss")]),
    (
        {"hugo.toml": "", "content/posts/a.md": POST, "content/about.md": BARE},
        [("index.xml", "rss"), ("posts/index.xml", "rss")],
    ),
    (
        {"hugo.toml": '[outputs]\nhome = ["HTML", "RSS"]\nsection = ["HTML"]\n[outputFormats.RSS]\nbaseName = "feed"\n',
         "content/posts/a.md": POST},
        [("feed.xml", "rss")],
    ),
    ({"hugo.toml": 'disableKinds = ["RSS"]\n', "content/posts/a.md": POST}, []),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FEEDS)))
def test_the_feeds_keep_the_names_that_readers_know(tmp_path: Path, number: int) -> None:
    files, wanted = FEEDS[number]
    found = blog(tmp_path, files)
    assert [(path, kind) for path, kind, _ in found.feeds] == wanted
    config = load_config(tmp_path, {})
    known = {name.file: name.kind for name in config.feeds.other_names}
    usual = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}
    known |= {usual[kind]: kind for kind in config.feeds.formats}
    assert {path: known.get(path) for path, _ in wanted} == dict(wanted)


def test_what_cannot_be_carried_over_is_told(tmp_path: Path) -> None:
    for number, (files, told) in enumerate(
        [
            (JEKYLL | {"_config.yml": "a: b\n", "_plugins/image.rb": ""}, "_plugins/image.rb: plugins are not run"),
            (JEKYLL | {"_config.yml": "collections: {recipes: {}}\n"}, "_config.yml: collections: recipes"),
            (JEKYLL | {"_config.yml": "timezone: Mars/Base\n"}, "'Mars/Base' is not a time zone"),
            (JEKYLL | {"_config.yml": "url: mailto:x\n"}, "_config.yml: url: 'mailto:x' isn't a valid web address"),
            (JEKYLL | {"_config.yml": "a: [\n"}, "_config.yml:2: is not valid YAML"),
            ({"hugo.toml": "buildFuture = true", "content/a.md": POST}, "hugo.toml: buildFuture: posts with a date"),
            ({"hugo.toml": "", "content/a.md": POST, "layouts/shortcodes/vid.html": ""}, "NAME.html for vid"),
        ]
    ):
        found = blog(tmp_path / str(number), files)
        assert [line for line in found.left if told in line], (told, found.left)


def test_a_folder_without_a_known_tool_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="there is no configuration of a tool that makes blogs"):
        recognise(tmp_path)
    with pytest.raises(ProjectError, match="there is no such folder"):
        recognise(tmp_path / "nowhere")
    blog(tmp_path / "docs", JEKYLL)
    with pytest.raises(ProjectError, match=r"there is one of Jekyll in docs/: publisher adopt .*docs"):
        recognise(tmp_path)


def test_hostile_values_stay_values(tmp_path: Path) -> None:
    hostile = '"A \\"q\\" \\\\ t\\n[site]\\r\\nurl = \'x\'\\u0000\\u2028 {{ title }} # {% x %}"'
    found = blog(tmp_path / "a", JEKYLL | {"_config.yml": f"title: {hostile}\nauthor: {{name: {hostile}}}\n"})
    assert found.value("site.title") == "A \"q\" \\ t [site] url = 'x' {{ title }} # {% x %}"
    config = load_config(tmp_path / "a", {})
    assert config.site.title == config.site.author.name == found.value("site.title")
    outside = tmp_path / "secret.yml"
    outside.write_text("title: secret\n")
    (tmp_path / "b/_posts").mkdir(parents=True)
    (tmp_path / "b/_config.yml").symlink_to(outside)
    assert "secret" not in str(blog(tmp_path / "b", JEKYLL).taken)


def test_the_tool_is_told_by_what_only_it_has(tmp_path: Path) -> None:
    for number, (files, tools) in enumerate(
        [
            ({"config.toml": 'base_url = "x"\n'}, ["zola"]),
            ({"config.toml": 'baseURL = "x"\n'}, ["hugo"]),
            ({"config.toml": "[server]\n"}, []),
            ({"config.toml": "a = 1\n", "archetypes/default.md": ""}, ["hugo"]),
            ({"_config.yml": "a: b\n", "source/_posts/a.md": ""}, ["hexo"]),
            ({"_config.yml": "source_dir: source\n"}, ["hexo"]),
            ({"_config.yml": "a: b\n"}, ["jekyll"]),
            ({"package.json": "{}", "posts/a.md": POST}, []),
            ({"astro.config.mjs": "", ".obsidian/app.json": "{}"}, ["astro", "obsidian"]),
        ]
    ):
        for name, text in files.items():
            path = tmp_path / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert [tool for tool, _ in tools_of(tmp_path / str(number))] == tools, files
