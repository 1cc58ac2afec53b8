"""`publisher adopt` finds the values for publisher.toml in the configuration of a blog, for each tool."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.core.errors import ProjectError
from publisher.publishing.adopt.adopted_blog import AdoptedBlog
from publisher.publishing.adopt.adopted_project import adopted_project, next_steps
from publisher.publishing.adopt.pelican_blog import python_values
from publisher.publishing.adopt.recognise import recognise
from publisher.publishing.adopt.script_settings import Script
from publisher.publishing.adopt.tool_files import tools_of

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
POST = "---\ntitle: One\ndate: 2026-01-02\n---\nText\n"
BARE = "---\ntitle: Two\n---\nText\n"


def blog(folder: Path, files: dict[str, str]) -> AdoptedBlog:
    """Write the files of a blog, and return what is recognised. The resulting publisher.toml must be valid."""
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

# The files of a blog, and the values that are read from them.
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
        | {"_config.yml": "title: R&amp;D &lt; 3\nurl: https://a.test\ndescription: News <a href='/x'>of it</a><br>\n"},
        {"site.title": "R&D < 3", "site.description": "News of it"},
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
    (
        JEKYLL
        | {"_config.yml": "exclude: [humans.txt]\n", "CNAME": "a.test\n", "robots.txt": "User-agent: *\n"}
        | {"favicon.ico": "", "logo.png": "", "ads.txt": "---\n---\n{{ site.title }}", "img/a.png": ""}
        | {"humans.txt": "", "people.csv": "", "package.json": "{}", "notes.txt": "", "README.md": ""}
        | {"Gemfile": "", ".a.png": ""},
        {"pages.copy": ("img", "CNAME", "favicon.ico", "logo.png", "robots.txt")},
    ),
    (
        {"_config.yml": "source: src\n", "src/_posts/2026-01-02-x.md": BARE, "src/CNAME": "a.test\n"},
        {"pages.copy": ("src/CNAME = /CNAME",)},
    ),
    (JEKYLL, {"posts.folder": "_posts", "site.timezone": "UTC"}),
    (
        {
            "docusaurus.config.js": "module.exports = {i18n: {defaultLocale: 'en', locales: ['en', 'fr', 'de']}}",
            "blog/a.md": POST,
            "i18n/fr/docusaurus-plugin-content-blog/a.md": POST,
        },
        {
            "posts.folder": ".", "site.languages": ("en", "fr", "de"),
            "posts.include": ("blog/**", "i18n/fr/docusaurus-plugin-content-blog/**"),
        },
    ),
    (
        {
            "config.toml": 'base_url = "https://z.test"\n',
            "content/One.md": '+++\npath = "2014/09/15/One.1"\n+++\n',
            "content/team/two.md": '+++\npath = "team/2015/01/02/two"\n+++\n',
            "content/team/2015-01-02-timing.html": "<!DOCTYPE html>\n<html>\n",
            "content/_index.md": "+++\n+++\n",
        },
        {"posts.folder": "content", "posts.include": None, "posts.permalink": "/{folder}/{slug}/"},
    ),
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
            "hugo.toml": 'baseURL = "/"\ndefaultContentLanguage = "en"\n[languages.fr]\nweight = 1\n'
            'contentDir = "content/fr"\n[languages.en]\nweight = 2\ncontentDir = "content/en"\ntitle = "E"\n'
            '[permalinks]\nnews = "/:year/:title"\n',
            "content/en/news/a.md": POST, "content/fr/news/a.md": POST, "package.json": '{"homepage": "https://h.test"}',
        },
        {
            "posts.folder": "content", "site.languages": ("en", "fr"), "site.title": "E", "site.url": "https://h.test",
            "posts.permalink": "/{year}/{title}/",
        },
    ),
    (
        {
            "config.json": '{"baseurl": "https://h.test/", "title": "H", "contentDir": "c", "publishDir": "out"}',
            "c/one.md": POST,
        },
        {"posts.folder": "c", "posts.include": None, "site.url": "https://h.test/", "pages.static": None},
    ),
    (
        {
            "config.toml": 'base_url = "https://z.test"\ntitle = "Z"\nauthor = "Zoe"\ndefault_language = "de"\n'
            "[languages.en]\n",
            "content/blog/2026-01-02-one.md": BARE, "content/blog/two.md": "+++\ndate = 2026-01-03\n+++\nx",
            "content/about.md": BARE, "content/blog/_index.md": BARE, "static/x.css": "",
        },
        {
            "site.title": "Z", "site.url": "https://z.test", "site.language": "de", "site.languages": ("de", "en"),
            "site.author.name": "Zoe", "posts.folder": "content", "posts.include": ("blog/**",),
            "posts.permalink": "/{folder}/{slug}/", "pages.static": "static", "site.timezone": "UTC",
        },
    ),
    (
        {
            "_config.yml": "title: X\nsubtitle: S\nauthor: Xu\nlanguage: zh-CN\ntimezone: Asia/Shanghai\n"
            "url: https://x.test\nroot: /b/\npermalink: :year/:i_month/:title/\nsource_dir: source\n",
            "source/_posts/a.md": POST, "source/images/a.png": "", "source/about/index.md": BARE,
        },
        {
            "site.url": "https://x.test/b", "site.language": "zh-CN", "site.timezone": "Asia/Shanghai",
            "posts.folder": "source/_posts", "posts.permalink": "/{year}/{i_month}/{folder}/{file}/",
            "pages.copy": ("source/images = /images",), "site.author.name": "Xu", "site.description": "S",
        },
    ),
    (
        {
            "pelicanconf.py": "import os\nSITENAME = 'P'\nSITEURL = ''\nAUTHOR = \"Pat\"\nTIMEZONE = 'Europe/Paris'\n"
            "DEFAULT_LANG = 'fr'\nARTICLE_URL = 'posts/{date:%Y}/{date:%b}/{slug}/'\n"
            "STATIC_PATHS = ['images', 'extra/CNAME']\n"
            "EXTRA_PATH_METADATA = {'extra/CNAME': {'path': 'CNAME'}}\nos.system('touch /tmp/never')\n",
            "publishconf.py": "from pelicanconf import *\nBASE = 'https://p.test'\nSITEURL = BASE + '/x'\n",
            "content/a.md": "Title: A\nDate: 2026-01-02\n\nText\n", "content/images/a.png": "",
            "content/extra/CNAME": "p.test", "content/pages/about.md": "Title: B\n",
        },
        {
            "site.title": "P", "site.url": "https://p.test/x", "site.language": "fr", "site.timezone": "Europe/Paris",
            "posts.folder": "content", "posts.exclude": ("pages/**",), "site.author.name": "Pat",
            "posts.permalink": "/posts/{year}/{short_month}/{slug}/",
            "pages.copy": ("content/images = /images", "content/extra/CNAME = /CNAME"),
        },
    ),
    (
        {"pelicanconf.py": "SITENAME = 'P'\nARTICLE_PATHS = ['blog']\n", "content/blog/a.rst": "A\n=\n\n"
        ":date: 2026-01-02\n"},
        {"posts.include": ("blog/**",), "posts.permalink": "/{slug}.html"},
    ),
    (
        {
            "eleventy.config.js": "export default function(c) { c.addPassthroughCopy({'./public/': '/'});\n"
            "c.addPassthroughCopy('./content/feed/style.xsl'); c.addPlugin(feedPlugin, {type: 'atom', "
            "outputPath: '/feed/feed.xml'});\n"
            "c.addShortcode('image', async () => {}); }\n"
            "export const config = { dir: { input: 'content', data: '../_data', output: '_site' } };\n",
            "_data/metadata.js": "export default {title: 'E', url: 'https://e.test/', language: 'en', author: "
            "{name: 'Eve'}}",
            "content/blog/one.md": POST, "content/blog/two/two.md": POST, "content/blog/blog.11tydata.js": "",
            "content/about.md": BARE, "public/css/a.css": "", "content/feed/style.xsl": "",
        },
        {
            "posts.folder": "content", "posts.include": ("blog/**",), "posts.permalink": "/{folder}/{file}/",
            "site.title": "E",
            "pages.copy": ("public = /", "content/feed/style.xsl = /feed/style.xsl"),
        },
    ),
    (
        {
            ".eleventy.js": "module.exports = function (e) { e.addPassthroughCopy('img'); };",
            "_data/site.json": '{"name": "E", "url": "https://e.test", "author": "Eve"}',
            "posts/one.md": BARE, "posts/posts.json": '{"tags": "post", "date": "2026-01-02"}', "index.md": BARE,
            "img/a.png": "", "node_modules/x/2026-01-02-x.md": BARE, "_site/posts/one.html": POST,
        },
        {
            "site.title": "E", "site.url": "https://e.test", "site.author.name": "Eve", "posts.folder": ".",
            "posts.include": ("posts/**",), "pages.copy": ("img",), "posts.exclude": None,
        },
    ),
    (
        {
            "astro.config.mjs": "import x from 'x';\n"
            "export default defineConfig({ site: 'https://a.test', base: '/b',\n"
            "  trailingSlash: 'never', integrations: [mdx(), sitemap()] });\n",
            "src/consts.ts": "export const SITE_TITLE = 'A';\nexport const SITE_DESCRIPTION: string = `D`;\n",
            "src/content/blog/one.md": "---\npubDate: 'Jul 08 2022'\n---\nx", "src/content/blog/two.mdx": POST,
            "src/content/notes/three.md": BARE, "src/pages/blog/[...slug].astro": "---\n---", "public/a.png": "",
        },
        {
            "site.title": "A", "site.description": "D", "site.url": "https://a.test/b", "pages.static": "public",
            "posts.folder": "src/content/blog", "posts.permalink": "/blog/{folder}/{slug_or_file}",
        },
    ),
    (
        {
            "docusaurus.config.ts": "const config: Config = {title: 'D', tagline: 'T', url: 'https://d.test', "
            "baseUrl: '/x/',\n"
            "i18n: {defaultLocale: 'de', locales: ['de']}, presets: [['classic', {docs: false, blog: "
            "{routeBasePath: '/',\n"
            "path: './news'}} satisfies Preset.Options]], trailingSlash: true };\nexport default config;\n",
            "news/2026-01-02-one/index.md": BARE, "static/img/a.png": "",
        },
        {
            "site.title": "D", "site.description": "T", "site.url": "https://d.test/x", "site.language": "de",
            "posts.folder": "news", "posts.permalink": "/{slug}/", "pages.static": "static",
        },
    ),
    (
        {
            "mkdocs.yml": "site_name: M\nsite_url: https://m.test/\nsite_author: Mo\n"
            "theme: {name: material, language: en}\n"
            "plugins:\n  - search\n  - blog: {post_url_date_format: yyyy/M}\nmarkdown_extensions:\n"
            "  - e: {emoji_index: !!python/name:material.extensions.emoji.twemoji }\n",
            "docs/blog/posts/one.md": POST, "docs/assets/a.png": "",
        },
        {
            "site.title": "M", "site.url": "https://m.test/", "site.author.name": "Mo",
            "pages.copy": ("docs/assets = /assets",),
            "posts.folder": "docs/blog/posts", "posts.permalink": "/blog/{year}/{i_month}/{slug}/",
        },
    ),
    (
        {
            ".vitepress/config.mts": "export default defineConfig({title: 'V', lang: 'en-US', cleanUrls: true, "
            "base: '/v/',\n"
            "sitemap: {hostname: 'https://v.test'}, locales: {root: {label: 'x'}, fr: {label: 'y'}}})",
            "posts/one.md": POST, "index.md": BARE, "public/a.png": "",
        },
        {
            "site.title": "V", "site.url": "https://v.test/v", "site.languages": ("en-US", "fr"), "posts.folder": ".",
            "posts.include": ("posts/**",), "posts.permalink": "/{folder}/{file}", "pages.static": "public",
        },
    ),
    (
        {
            "_quarto.yml": "project: {type: website}\n"
            "website: {title: Q, site-url: https://q.test, description: D}\nlang: de\n",
            "index.qmd": "---\ntitle: Q\nlisting:\n  contents: posts\n  feed: true\n---\n", "posts/one/index.qmd": POST,
            "posts/two/index.qmd": POST, "about.qmd": BARE, "posts/two/a.png": "", "img/b.png": "",
        },
        {
            "site.title": "Q", "site.url": "https://q.test", "site.language": "de", "posts.folder": ".",
            "posts.include": ("posts/**",), "posts.permalink": "/{folder}/{file}/", "pages.copy": ("img",),
        },
    ),
    (
        {"_quarto.yml": "", "index.qmd": BARE, "docs/posts/one/index.qmd": POST, "docs/posts/two.qmd": POST},
        {"posts.include": ("docs/**",), "posts.permalink": "/{folder}/{file}.html"},
    ),
    (
        {"_quarto.yml": "project: {output-dir: docs}\n", "docs/x.qmd": POST, "posts/one.qmd": POST},
        {"posts.include": None, "posts.permalink": "/{folder}/{file}.html"},
    ),
    (
        {"hugo.toml": "", "content/n/a/index.md": POST, "content/n/a/part.md": BARE, "content/n/b.md": POST},
        {"posts.include": None, "posts.exclude": None},
    ),
    (
        {
            "hugo.toml": "", "content/n/a.md": POST, "content/n/b.md": POST, "content/n/c.md": POST,
            "content/n/open.md": "---\ntitle: x\n\nText", "content/n/long.md": "---\ntitle: x\n\n" + "Text\n" * 2_000,
            "content/n/yaml.md": "+++\ntitle = \n+++\nText", "content/n/wide.md": "a\0b", "content/n/page.md": BARE,
            "content/howto.md": "# How\n\n```\ndate: 2026-01-01\n```\n",
            "content/shown.md": "---\ntitle: x\n---\n```\ndate: 2026-01-01\n```\n",
        },
        {"posts.include": ("n/**",), "posts.exclude": ("n/page.md",)},
    ),
    (
        JEKYLL
        | {
            "_config.yml": "feed: {posts_limit: 5}\n", "_posts/2026-01-05-Release-Notes.md": BARE,
            "zh_cn/news/_posts/2026-01-02-a.md": BARE, "en/news/_posts/2026-01-02-a.md": BARE,
            "img/_posts/2026-01-02-a.md": BARE,
        },
        {"site.language": "en", "site.languages": ("en", "zh-CN"), "feeds.limit": 5},
    ),
    (
        JEKYLL | {"_config.yml": "lang: de\n", "it/_posts/2026-01-02-a.md": BARE},
        {"site.language": "de", "site.languages": None, "feeds.limit": None},
    ),
    (
        {"hugo.toml": "[services.rss]\nlimit = 12\n", "content/n/a.md": POST}, {"feeds.limit": 12}
    ),
    ({"hugo.toml": "[services.rss]\nlimit = -1\n", "content/n/a.md": POST}, {"feeds.limit": None}),
    ({"hugo.toml": "rssLimit = 99999\n", "content/n/a.md": POST}, {"feeds.limit": 99999}),
    (
        {
            "config.toml": 'base_url = "https://z.test"\nfeed_limit = 7\n', "content/b/a.md": POST,
            "content/_index.md": '+++\ntitle = "Z blog"\ndescription = "Of Z"\n+++\n',
        },
        {"site.title": "Z blog", "site.description": "Of Z", "feeds.limit": 7},
    ),
    (
        {
            "pelicanconf.py": "FEED_MAX_ITEMS = 3\nSTATIC_PATHS = ['images', 'extra', 'all']\nEXTRA_PATH_METADATA = "
            "{'extra/robots.txt': {'path': 'robots.txt'}, 'extra/favicon.ico': {'path': 'favicon.ico'}, "
            "'all/a.txt': {'path': 'a.txt'}, 'extra/gone': {'path': 'gone'}}\n",
            "content/a.md": POST, "content/images/a.png": "", "content/extra/robots.txt": "",
            "content/extra/favicon.ico": "", "content/all/a.txt": "", "content/all/b.txt": "",
        },
        {
            "feeds.limit": 3,
            "pages.copy": (
                "content/images = /images", "content/extra/favicon.ico = /favicon.ico",
                "content/extra/robots.txt = /robots.txt", "content/all/a.txt = /a.txt", "content/all = /all",
            ),
        },
    ),
    (
        {"docusaurus.config.js": "module.exports = {title: 'x', presets: [['classic', {blog: false}]]}",
         "blog/2026-01-02-a.md": BARE},
        {"posts.folder": None, "posts.permalink": None, "posts.tool": None},
    ),
    (
        {".obsidian/templates.json": '{"folder": "T"}', "a.md": POST, "notes/b.md": POST, "T/x.md": POST},
        {"posts.folder": ".", "posts.include": None, "site.url": None},
    ),
    (
        {
            "quartz.config.ts": "const config: QuartzConfig = { configuration: { pageTitle: 'G', locale: 'en-GB',\n"
            "baseUrl: 'g.test/n', ignorePatterns: ['private'] }, plugins: { emitters: "
            "[Plugin.ContentIndex({enableRSS: true})] } }\n"
            "export default config\n",
            "content/a.md": POST, "quartz/docs.md": POST,
        },
        {"site.title": "G", "site.url": "https://g.test/n", "site.language": "en-GB", "posts.exclude": ("private/**",)},
    ),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_blog_is_adopted_with_the_settings_of_its_tool(tmp_path: Path, number: int) -> None:
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
    (
        {"zola.toml": 'base_url = "https://z.test"\ngenerate_feeds = true\nfeed_filenames = ["rss.xml", "atom.xml"]\n',
         "content/a.md": POST},
        [("rss.xml", "rss"), ("atom.xml", "atom")],
    ),
    (
        {"_config.yml": "feed: {type: [atom, rss2]}\n", "source/_posts/a.md": POST},
        [("atom.xml", "atom"), ("rss2.xml", "rss")],
    ),
    (
        {"pelicanconf.py": "FEED_ALL_ATOM = None\nFEED_ALL_RSS = 'feeds/all.rss.xml'\n", "content/a.md": POST},
        [("feeds/all.rss.xml", "rss")],
    ),
    ({"pelicanconf.py": "", "content/a.md": POST}, [("feeds/all.atom.xml", "atom")]),
    (
        {"eleventy.config.js": "", "feed.njk": "---\npermalink: /blog/rss.xml\n---\n<rss>", "posts/a.md": POST},
        [("blog/rss.xml", "rss")],
    ),
    (
        {"eleventy.config.js": "export default (c) => { c.addPlugin(f, {type: 'rss', outputPath: '/feed.xml'}) }",
         "posts/a.md": POST},
        [("feed.xml", "rss")],
    ),
    (
        {"astro.config.mjs": "", "src/pages/rss.xml.js": "import rss from 'x'", "src/content/blog/a.md": POST},
        [("rss.xml", "rss")],
    ),
    (
        {"docusaurus.config.js": "module.exports = {title: 'x', presets: [['classic', {blog: {}}]]}",
        "blog/a.md": POST},
        [("blog/rss.xml", "rss"), ("blog/atom.xml", "atom")],
    ),
    (
        {"docusaurus.config.js": "module.exports = {title: 'x', presets: [['c', {blog: {feedOptions: {type: null}}}]]}",
         "blog/a.md": POST},
        [],
    ),
    (
        {"mkdocs.yml": "plugins: {blog: {}, rss: {feeds_filenames: {rss_created: rss.xml}}}\n",
        "docs/blog/posts/a.md": POST},
        [("rss.xml", "rss"), ("feed_rss_updated.xml", "rss"), ("feed_json_created.json", "json")],
    ),
    (
        {"_quarto.yml": "", "blog.qmd": "---\nlisting: {contents: posts, feed: {type: full}}\n---\n",
        "posts/a.qmd": POST},
        [("blog.xml", "rss")],
    ),
    ({"hugo.toml": 'disableKinds = ["RSS"]\n', "content/posts/a.md": POST}, []),
    ({"docusaurus.config.js": "module.exports = {presets: [['classic', {blog: false}]]}", "blog/a.md": POST}, []),
    (
        {"config.toml": 'base_url = "https://z.test"\ngenerate_feeds = true\nfeed_filenames = ["feed.xml", '
         '"list.json", "new.xml", "posts.json", "atom-old.xml"]\n', "content/a.md": POST,
         "templates/list.json": '{"a": 1}',
         "templates/new.xml": "<rss>", "templates/posts.json": '{"x": []}',
         "templates/atom-old.xml": '{% extends "atom.xml" %}'},
        [("feed.xml", "rss"), ("new.xml", "rss"), ("atom-old.xml", "atom")],
    ),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FEEDS)))
def test_feeds_keep_the_names_that_readers_know(tmp_path: Path, number: int) -> None:
    files, wanted = FEEDS[number]
    found = blog(tmp_path, files)
    assert [(path, kind) for path, kind, _ in found.feeds] == wanted
    config = load_config(tmp_path, {})
    known = {name.file: name.kind for name in config.feeds.other_names}
    usual = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}
    known |= {usual[kind]: kind for kind in config.feeds.formats}
    assert {path: known.get(path) for path, _ in wanted} == dict(wanted)


def test_settings_that_cannot_be_adopted_are_reported(tmp_path: Path) -> None:
    for number, (files, told) in enumerate(
        [
            (
                JEKYLL | {"_config.yml": "a: b\n", "_plugins/image.rb": "", "_plugins/x/two.rb": ""},
                "_plugins/: image.rb, two.rb: plugins are not run",
            ),
            (JEKYLL | {"_config.yml": "collections: {recipes: {}}\n"}, "_config.yml: collections: recipes"),
            (JEKYLL | {"_config.yml": "timezone: Mars/Base\n"}, "'Mars/Base' is not a time zone"),
            (JEKYLL | {"_config.yml": "url: mailto:x\n"}, "_config.yml: url: 'mailto:x' isn't a valid web address"),
            (
                JEKYLL | {"_config.yml": "permalink: /:moon/:title/\n"},
                "/:moon/:title/: a part of it has no counterpart",
            ),
            ({"pelicanconf.py": "", "content/news/a.md": POST}, "USE_FOLDER_AS_CATEGORY"),
            ({"pelicanconf.py": "ARTICLE_URL = url()\n", "content/a.md": POST}, "ARTICLE_URL: is made by a program"),
            ({"astro.config.mjs": "export default { site: site() }", "src/content/a/b.md": POST}, "site: is made by"),
            ({"docusaurus.config.js": "module.exports = f", "blog/a.md": POST}, "its settings cannot be read"),
            ({".vitepress/config.js": "export default {lang: x}", "a.md": POST}, "config.js: lang: is made by"),
            ({"_config.yml": "a: b\n"}, "_posts: no posts with a date were found"),
            (
                JEKYLL | {"_config.yml": "a: b\n", "mkdocs.yml": ""},
                "_config.yml: this belongs to Jekyll, and was not read",
            ),
            (JEKYLL | {"_config.yml": "a: [\n"}, "is not valid YAML"),
            ({"hugo.toml": "buildFuture = true", "content/a.md": POST}, "hugo.toml: buildFuture: posts with a date"),
            ({"hugo.toml": "", "content/a.md": POST, "layouts/shortcodes/vid.html": ""}, "NAME.html for vid"),
            (
                {"hugo.toml": "", "content/a.md": POST, "layouts/index.rss.xml": ""},
                "layouts/index.rss.xml: a layout is",
            ),
            (
                {"docusaurus.config.js": "module.exports = {presets: [['classic', {blog: false}]]}"},
                "docusaurus.config.js: blog: false: the blog is switched off",
            ),
            (
                {
                    "config.toml": 'base_url = "https://z.test"\ngenerate_feeds = true\nfeed_filenames = ["r.json"]\n',
                    "content/a.md": POST,
                },
                "config.toml: feed_filenames: r.json: neither its name",
            ),
            (
                {"hugo.toml": ""}
                | {f"content/n/a{n}.md": POST for n in range(30)}
                | {f"content/n/{n}.md": BARE for n in range(13)},
                "content: 13 texts have no date: n/0.md, n/1.md, n/10.md and others (",
            ),
        ]
    ):
        found = blog(tmp_path / str(number), files)
        assert [line for line in found.left if told in line], (told, found.left)


def test_templates_that_exist_are_not_requested_for_shortcodes(tmp_path: Path) -> None:
    files = {
        "hugo.toml": "",
        "content/a.md": POST,
        "layouts/shortcodes/vid.html": "",
        "layouts/shortcodes/cup.html": "",
    }
    found = blog(tmp_path, files | {"templates/shortcodes/vid.html": ""})
    assert [line for line in found.left if "NAME.html for cup if" in line]
    assert not any("NAME.html" in line for line in blog(tmp_path, {"templates/shortcodes/cup.html": ""}).left)
    config = "export default function (c) { c.addShortcode('vid', f); c.addShortcode('cup', f) }\n"
    files = {"eleventy.config.js": config, "posts/a.md": POST, "templates/shortcodes/vid.html": ""}
    found = blog(tmp_path / "eleventy", files)
    assert [line for line in found.left if "NAME.html for cup if" in line]


def test_a_folder_without_a_known_tool_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="there is no configuration of a tool that makes blogs"):
        recognise(tmp_path)
    with pytest.raises(ProjectError, match="there is no such folder"):
        recognise(tmp_path / "nowhere")
    blog(tmp_path / "docs", JEKYLL)
    with pytest.raises(ProjectError, match=r"docs/ has a blog made with Jekyll: publisher adopt .*docs"):
        recognise(tmp_path)


def test_hostile_values_stay_values(tmp_path: Path) -> None:
    hostile = '"A \\"q\\" \\\\ t\\n[site]\\r\\nurl = \'x\'\\u0000\\u2028 {{ title }} # {% x %}"'
    found = blog(tmp_path / "a", JEKYLL | {"_config.yml": f"title: {hostile}\nauthor: {{name: {hostile}}}\n"})
    assert found.value("site.title") == "A \"q\" \\ t [site] url = 'x' {{ title }} # {% x %}"
    config = load_config(tmp_path / "a", {})
    assert config.site.title == config.site.author.name == found.value("site.title")
    os.mkfifo(tmp_path / "a/_posts/pipe.md")
    (tmp_path / "a/loop").symlink_to(tmp_path / "a")
    assert recognise(tmp_path / "a").posts == 1
    outside = tmp_path / "secret.yml"
    outside.write_text("title: secret\n")
    (tmp_path / "b/_posts").mkdir(parents=True)
    (tmp_path / "b/_config.yml").symlink_to(outside)
    assert "secret" not in str(blog(tmp_path / "b", JEKYLL).taken)


def test_a_tool_is_recognised_by_its_own_files(tmp_path: Path) -> None:
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


SCRIPT = """
// title: 'no'
const url = "https://d.test"; /* ' */
const more = { z: 1 }
const config: Config = {
  title: "It's \\u0041", url, base: `${url}/y`, f() { return {a: 1} }, g: (x) => x.y, re: /['"]\\.md$/, n: 1_000,
  env: process.env.SITE || 'x' + "y", list: [1, ...['a'], foo('b')], 'quoted-key': true, test: a ? 'b' : 'c', ...more,
  deep: ({ a: [[{ b: null }]] } satisfies T), unknown: `${other}`,
}
export default config
function later() { return { dir: { input: 'src' } }; }
c.copy({"a": "/b"}); c.copy("d");
"""


def test_plain_values_in_scripts_are_read_and_nothing_is_run() -> None:
    script = Script(SCRIPT)
    assert script.exported == {
        "title": "It's A", "url": "https://d.test", "base": "https://d.test/y", "g": None, "re": None, "n": 1000,
        "env": "xy", "list": [1, "a", "b"], "quoted-key": True, "test": None, "z": 1,
        "deep": {"a": [[{"b": None}]]}, "unknown": None,
    }  # fmt: skip
    assert {"dir": {"input": "src"}} in list(script.returned())
    assert list(script.calls("copy")) == [[{"a": "/b"}], ["d"]]
    assert Script("module.exports = defineConfig({ a: 1 });").exported == {"a": 1}
    assert Script("export default function (c) {}").exported is None
    assert python_values("A = 'x'\nB = A + '/y'\nC = f()\nD = (1, {'e': [True]})\nimport os\nos.exit()", {}) == {
        "A": "x", "B": "x/y", "D": [1, {"e": [True]}],
    }  # fmt: skip
    assert python_values("import os\nU = os.environ.get('U', 'https://u.test')\nA = 1\n", {"B": 2}) == {
        "A": 1, "B": 2, "U": "https://u.test",
    }  # fmt: skip
    assert python_values("A = 1\nB = (", {}) == {}


@pytest.mark.parametrize(
    "unit",
    ["[", "{a:", '"', "/*", "const a = {", "`${", "/[", "a=/", "foo(", "const a=foo(", "x||", "const x=y||", "\\"],
)
def test_hostile_scripts_cost_little(unit: str) -> None:
    for text in (
        unit * 20_000,
        "const a = 'xx'\n" + "".join(f"const a{n} = a{n - 1} + a{n - 1};" for n in range(1, 60)),
    ):
        script = Script(text)
        assert script.exported is None
        assert not list(script.calls("bar"))
        assert len(str(script.constants)) < 1_000_000
        assert len(list(script.returned())) == 0
    python_values(unit * 20_000, {})
    python_values("A = " + "(" * 5_000 + "-" * 50_000 + "1", {})


def test_guessed_values_are_marked_for_review(tmp_path: Path) -> None:
    title = "write the name of the site into publisher.toml"
    for number, (settings, steps, host) in enumerate(
        (
            ("url: https://www.a.test\n", [title], "letters.a.test"),
            ("title: A\nurl: https://www.test\n", [], "letters.www.test"),
            ("a: b\n", ["write the address of the site into publisher.toml", title], "letters.example.org"),
        )
    ):
        blog(tmp_path / str(number), JEKYLL | {"_config.yml": settings})
        project = adopted_project(recognise(tmp_path / str(number)), NOW)
        assert [what for what, _ in next_steps(project) if what.startswith("write")] == steps
        assert f'# public_url = "https://{host}"' in project.text
