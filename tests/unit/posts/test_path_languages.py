"""A language in the path of a file determines the URL, the id and the translations of the post."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import Config
from publisher.config.newsletters import NewsletterConfig
from publisher.config.origins import KeyLines
from publisher.config.site import Feeds, PagesConfig, Posts
from publisher.newsletters.select import in_its_language
from publisher.posts.archive import open_archive
from publisher.posts.blog_tools.path_languages import in_address, path_language, translated_sources
from publisher.posts.published import Origin, PublishedIds
from publisher.publishing.language_check import language_problems
from publisher.site.build import build
from tests.support.posts_samples import NOW, SITE, URL, Folder

LANGUAGES = ("fr", "pt-BR", "zh-Hant", "ast")
ENDINGS = (".md", ".html")


@pytest.mark.parametrize(
    ("source", "language", "plain"),
    [
        ("hello.fr.md", "fr", "hello.md"),
        ("hello.FR.md", "fr", "hello.md"),
        ("a/index.pt-br.md", "pt-BR", "a/index.md"),
        ("a/index.pt_BR.md", "pt-BR", "a/index.md"),
        ("a.zh-hant.html", "zh-Hant", "a.html"),
        ("a.ast.md", "ast", "a.md"),
        ("a.en.md", "en", "a.md"),
        ("fr/a.md", "fr", "fr/a.md"),
        ("news/FR/_posts/a.md", "fr", "news/FR/_posts/a.md"),
        ("de/a.fr.md", "fr", "de/a.md"),
        ("a.de.md", "", ""),
        ("de/a.md", "", ""),
        ("release.v2.md", "", ""),
        (".fr.md", "", ""),
        ("fr.md", "", ""),
        ("a.fr.v2.md", "", ""),
    ],
)
def test_a_path_names_a_language_of_the_site(source: str, language: str, plain: str) -> None:
    found = path_language(source, ("en", *LANGUAGES), ())
    shown = (found.language, found.source) if found else ("", "")
    assert shown == (language, plain)
    assert path_language(source, (), ()) is None


def test_without_languages_an_extension_counts_only_next_to_the_same_text() -> None:
    sources = [
        "menu.md", "menu.it.md", "menu.PT-br.md", "about/index.es.md", "about/index.ast.md", "alone.it.md", "a.v2.md",
        "a.md", "app.js.md", "app.md", "2025-01-01-v1.2.md", "x.fr.html", "x.md", "y.fr.md", "z/y.md", "b.c.d.md",
        "b.c.md",
    ]  # fmt: skip
    found = translated_sources(dict.fromkeys(sources), ENDINGS)
    assert found == {"menu.it.md", "menu.PT-br.md", "about/index.es.md", "about/index.ast.md", "x.fr.html"}
    spoken = {each: path_language(each, (), found) for each in found}
    assert {each: (language.language, language.part) for each, language in spoken.items() if language} == {
        "menu.it.md": ("it", "it"),
        "menu.PT-br.md": ("pt-BR", "pt-br"),
        "about/index.es.md": ("es", "es"),
        "about/index.ast.md": ("ast", "ast"),
        "x.fr.html": ("fr", "fr"),
    }


FILES = [
    "about/index.md", "about/index.es.md", "2025-02-01-menu.md", "2025-02-01-menu.it.md", "2025-02-01-menu.pt-br.md",
    "release.v2.md", "fr/2025-02-01-menu.md", "fr/only.md",
]  # fmt: skip


def addresses(folder: Folder) -> dict[str, str]:
    posts = folder.posts()
    assert len({post.id for post in posts}) == len({post.permalink for post in posts}) == len(posts)
    return {post.source: f"{post.language} {post.permalink} {post.id.rpartition(':')[2]}" for post in posts}


def written(folder: Folder) -> Folder:
    for name in FILES:
        folder.write(name, "Text", head="title: T\ndate: 2025-02-03")
    return folder


@pytest.mark.parametrize(
    ("languages", "pattern", "expected"),
    [
        (
            (),
            "/posts/{slug}/",
            "en /posts/about/ about|es /es/posts/about/ about.es|it /it/posts/menu/ menu.it|en /posts/menu/ menu"
            "|pt-BR /pt-br/posts/menu/ menu.pt-br|en /posts/release.v2/ release.v2",
        ),
        (
            ("it", "pt-br", "es", "fr"),
            "/posts/{slug}/",
            "en /posts/about/ about|es /es/posts/about/ about.es|it /it/posts/menu/ menu.it|en /posts/menu/ menu"
            "|pt-br /pt-br/posts/menu/ menu.pt-br|en /posts/release.v2/ release.v2|fr /fr/posts/menu/ fr/menu"
            "|fr /fr/posts/only/ fr/only",
        ),
        (
            ("it", "pt-br", "es", "fr"),
            "/{lang}/{folder}/{slug}/",
            "en /en/about/ about|es /es/about/ about.es|it /it/menu/ menu.it|en /en/menu/ menu"
            "|pt-br /pt-br/menu/ menu.pt-br|en /en/release.v2/ release.v2|fr /fr/menu/ fr/menu|fr /fr/only/ fr/only",
        ),
        (
            ("fr",),
            "/{folder}/{slug}/",
            "en /about/ about|es /es/about/ about.es|it /it/menu/ menu.it|en /menu/ menu"
            "|pt-BR /pt-br/menu/ menu.pt-br|en /release.v2/ release.v2|fr /fr/menu/ fr/menu|fr /fr/only/ fr/only",
        ),
    ],
)
def test_translations_have_their_own_urls_and_ids(
    languages: tuple[str, ...], pattern: str, expected: str, tmp_path: Path
) -> None:
    folder = written(Folder(tmp_path, replace(SITE, languages=languages), posts=Posts(permalink=pattern)))
    if not languages:
        for name in ("fr/2025-02-01-menu.md", "fr/only.md"):
            (tmp_path / "posts" / name).unlink()
    assert sorted(addresses(folder).values()) == sorted(expected.split("|"))


def test_a_language_folder_of_hugo_is_not_part_of_urls(tmp_path: Path) -> None:
    posts = Posts(folder="content", permalink="/{folder}/{slug}/", tool="hugo")
    folder = Folder(tmp_path, replace(SITE, languages=("fr",)), posts=posts)
    for name in ("en/posts/deep/c.md", "fr/posts/menu.md", "en/posts/menu.md"):
        folder.file(f"content/{name}", "---\ntitle: T\ndate: 2025-02-01\n---\nText")
    assert [f"{post.language} {post.permalink}" for post in folder.posts()] == [
        "en /posts/deep/c/",
        "en /posts/menu/",
        "fr /fr/posts/menu/",
    ]
    assert {post.source: [tag for tag, _ in post.translations] for post in folder.posts() if post.translations} == {
        "en/posts/menu.md": ["fr"],
        "fr/posts/menu.md": ["en"],
    }


def test_translations_of_pelican_have_one_slug(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(permalink="/{slug}.html", tool="pelican"))
    folder.write("hello.md", "Text", head="title: A\ndate: 2025-02-01\nslug: hello")
    folder.write("salut.md", "Text", head="title: B\ndate: 2025-02-02\nslug: hello\nlang: fr")
    folder.write("seul.md", "Text", head="title: C\ndate: 2025-02-03\nslug: seul\nlang: fr")
    for _ in range(2):
        reader = folder.reader()
        archive = reader.archive(NOW)
        assert [post.permalink for post in archive.posts] == ["/seul.html", "/hello-fr.html", "/hello.html"]
        assert archive.problems == []
        reader.close()
    folder.write("hello.md", "Text", head="title: A again\ndate: 2025-02-01\nslug: hello")
    reader = folder.reader()
    assert [post.permalink for post in reader.archive(NOW).posts][1:] == ["/hello-fr.html", "/hello.html"]
    reader.close()


def linked(folder: Folder) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the (language, URL) of each translation of a post, by permalink, for the posts that have translations."""
    return {
        post.permalink: tuple((tag, url.removeprefix("https://site.example")) for tag, url in post.translations)
        for post in folder.posts()
        if post.translations
    }


def test_translations_are_linked_as_in_each_tool(tmp_path: Path) -> None:
    pelican = Folder(tmp_path / "pelican", posts=Posts(permalink="/{slug}.html", tool="pelican"))
    pelican.write("hello.md", "Text", head="title: A\ndate: 2025-02-01\nslug: hello")
    pelican.write("salut.md", "Text", head="title: B\ndate: 2025-02-02\nslug: hello\nlang: fr")
    pelican.write("de-fr.md", "Text", head="title: C\ndate: 2025-02-03\nslug: seul\nlang: fr")
    assert linked(pelican) == {"/hello.html": (("fr", "/hello-fr.html"),), "/hello-fr.html": (("en", "/hello.html"),)}
    jekyll = Folder(tmp_path / "jekyll", posts=Posts(folder="_posts", permalink="/{slug}/", tool="jekyll"))
    jekyll.file("_posts/2025-02-01-hello.md", "---\ntitle: A\npermalink: /hello/\n---\nText")
    jekyll.file("_posts/2025-02-01-salut.md", "---\ntitle: B\npermalink: /hello/\nlang: fr\n---\nText")
    jekyll.file("_posts/2025-02-01-seul.md", "---\ntitle: C\nlang: fr\n---\nText")
    assert jekyll.archive().problems == []
    assert linked(jekyll) == {"/hello/": (("fr", "/fr/hello/"),), "/fr/hello/": (("en", "/hello/"),)}
    jekyll.file("_posts/2025-02-04-tea.md", "---\ntitle: D\nref: tea\n---\nText")
    jekyll.file("_posts/2025-02-05-the.md", "---\ntitle: E\nref: tea\nlang: fr\n---\nText")
    jekyll.file("_posts/2025-02-06-cup.md", "---\ntitle: F\nref: cup\nlang: fr\n---\nText")
    jekyll.file("_posts/2025-02-07-cup-again.md", "---\ntitle: G\nref: cup\nlang: fr\n---\nText")
    assert linked(jekyll) == {
        "/hello/": (("fr", "/fr/hello/"),),
        "/fr/hello/": (("en", "/hello/"),),
        "/tea/": (("fr", "/the/"),),
        "/the/": (("en", "/tea/"),),
    }
    hugo = Folder(tmp_path / "hugo", posts=Posts(permalink="/{slug}/", tool="hugo"))
    hugo.write("hello.md", "Text", head="title: A\ndate: 2025-02-01\ntranslationKey: x")
    hugo.write("salut.md", "Text", head="title: B\ndate: 2025-02-02\ntranslationKey: x\nlang: fr")
    hugo.write("other.md", "Text", head="title: C\ndate: 2025-02-03\ntranslationKey: y\nlang: fr")
    assert linked(hugo) == {"/hello/": (("fr", "/salut/"),), "/salut/": (("en", "/hello/"),)}


def test_translations_of_a_docusaurus_blog_are_in_their_own_folder(tmp_path: Path) -> None:
    posts = Posts(folder=".", include=("blog/**", "i18n/**"), permalink="/blog/{slug}", tool="docusaurus")
    folder = Folder(tmp_path, replace(SITE, languages=("en", "fr")), posts=posts)
    there = "i18n/fr/docusaurus-plugin-content-blog"
    folder.file("blog/2026-01-05-hello.md", "---\ntitle: A\n---\nText")
    folder.file("blog/old/named/index.md", "---\ntitle: A\ndate: 2026-01-04\n---\nText")
    folder.file("blog/own.md", "---\ntitle: A\ndate: 2026-01-03\nslug: /mine\n---\nText")
    folder.file(f"{there}/2026-01-05-hello.md", "---\ntitle: B\n---\nText")
    folder.file(f"{there}/own.md", "---\ntitle: B\ndate: 2026-01-03\nslug: /le-mien\n---\nText")
    assert [(post.language, post.permalink) for post in sorted(folder.posts(), key=lambda post: post.source)] == [
        ("en", "/blog/2026/01/05/hello"),
        ("en", "/blog/old/named"),
        ("en", "/blog/mine"),
        ("fr", "/fr/blog/2026/01/05/hello"),
        ("fr", "/fr/blog/le-mien"),
    ]
    assert linked(folder)["/blog/mine"] == (("fr", "/fr/blog/le-mien"),)
    assert linked(folder)["/fr/blog/2026/01/05/hello"] == (("en", "/blog/2026/01/05/hello"),)


def test_front_matter_overrides_the_path(tmp_path: Path) -> None:
    folder = Folder(tmp_path, replace(SITE, languages=("fr", "it")), posts=Posts(permalink="/{lang}/{slug}/"))
    folder.write("menu.fr.md", "Text", head="title: T\ndate: 2025-02-03\nlang: it")
    folder.write("other.fr.md", "Text", head="title: T\ndate: 2025-02-03\npermalink: /x/\nid: mine")
    assert addresses(folder) == {"menu.fr.md": "it /it/menu/ menu.fr", "other.fr.md": "fr /x/ mine"}


def test_published_posts_keep_their_ids_and_urls(tmp_path: Path) -> None:
    folder = written(Folder(tmp_path))
    known = {"about/index.es.md": "about/index.es", "2025-02-01-menu.it.md": "menu.it"}
    days = {"about/index.es.md": "2025-02-03", "2025-02-01-menu.it.md": "2025-02-01"}
    ids = {source: f"tag:site.example,2024:{days[source]}:{name}" for source, name in known.items()}
    record = PublishedIds(folder.config)
    record.write(Origin.of(folder.config), ids)
    with record._open() as db, db:
        db.execute("DROP TABLE old_rules")  # as an earlier version leaves it
    for _ in range(2):
        found = addresses(folder)
        assert found["about/index.es.md"] == "es /about/2025/02/03/index.es/ about/index.es"
        assert found["2025-02-01-menu.it.md"] == "it /2025/02/03/menu.it/ menu.it"
        assert found["2025-02-01-menu.pt-br.md"] == "pt-BR /pt-br/2025/02/03/menu/ menu.pt-br"
        folder.build()


def test_pages_and_feeds_are_separated_by_language_and_link_translations(tmp_path: Path) -> None:
    folder = written(
        Folder(tmp_path, replace(SITE, languages=("fr", "it")), feeds=Feeds(also=("index.xml", "it/index.xml")))
    )
    (tmp_path / "posts/2025-02-01-menu.pt-br.md").unlink()
    assert folder.build().errors == ()
    public = {
        name: text.decode() for name, text in folder.public().items() if name.endswith((".html", ".xml", ".json"))
    }

    def linked(page: str) -> list[str]:
        return [
            line.split('"')[3]
            for line in public[page].splitlines()
            if line.startswith('<link rel="alternate" hreflang')
        ]

    assert linked("2025/02/03/menu/index.html") == linked("it/2025/02/03/menu/index.html") == ["en", "fr", "it"]
    assert linked("2025/02/03/release.v2/index.html") == []
    assert linked("index.html") == linked("fr/index.html") == ["en", "fr", "it"]
    assert '<html lang="fr"' in public["fr/index.html"]
    assert (
        'hreflang="it" lang="it" href="../../../../it/2025/02/03/menu/">Italiano</a>'
        in public["2025/02/03/menu/index.html"]
    )
    counts = {name: public[name].count("<item>") for name in ("feed.xml", "fr/feed.xml", "it/feed.xml")}
    assert public["fr/index.xml"].count("<item>") == 2  # another name of that feed
    assert public["index.xml"].count("<item>") == public["it/index.xml"].count("<item>") == 4  # as the owner says
    assert counts == {"feed.xml": 4, "fr/feed.xml": 2, "it/feed.xml": 1}  # Spanish is not a language of the site
    assert "<language>fr</language>" in public["fr/feed.xml"]
    assert f"{URL}/fr/index.xml" in public["fr/2025/02/03/menu/index.html"]
    assert folder.build().written == 0
    (tmp_path / "posts/2025-02-01-menu.it.md").unlink()
    folder.build()
    again = folder.public()["2025/02/03/menu/index.html"].decode()
    assert 'hreflang="it"' not in again
    assert 'hreflang="fr"' in again


def test_a_newsletter_selects_posts_in_its_language(tmp_path: Path) -> None:
    folder = written(Folder(tmp_path, replace(SITE, languages=("fr", "it"))))

    def taken(config: Config, language: str) -> set[str]:
        newsletter = NewsletterConfig(name="weekly", language=language)
        return {post.source for post in in_its_language(folder.posts(), newsletter, config)}

    french = {"fr/2025-02-01-menu.md", "fr/only.md"}
    assert taken(folder.config, "fr") == taken(folder.config, "fr-CA") == french
    assert taken(folder.config, "it") == {"2025-02-01-menu.it.md"}
    assert taken(folder.config, "") == set(FILES) - french - {"2025-02-01-menu.it.md"}
    assert taken(replace(folder.config, site=SITE), "fr") == set(FILES)
    assert build(folder.config, NOW).posts == len(FILES)


def test_check_warns_about_mixed_languages_and_languages_without_texts(tmp_path: Path) -> None:
    folder = written(Folder(tmp_path))

    def warned(**site: object) -> list[str]:
        config = replace(folder.config, site=replace(SITE, **site))
        return [each.message for each in language_problems(config, open_archive(config, NOW, keep=False), KeyLines(""))]

    (mixed,) = warned()
    what = "posts in several languages share the index, the feed and the newsletters"
    assert mixed.startswith(f"{what}: 2025-02-01-menu.it.md, 2025-02-01-menu.pt-br.md, about/index.es.md")
    (unnamed,) = warned(languages=("fr", "pt"))
    what = "2 posts are in 'es', 'it', which site.languages does not name"
    assert unnamed == f"{what}, so the index, feed and newsletters in 'en' show them"
    (no_texts,) = warned(language="en-GB", languages=("fr", "pt", "es", "it"))
    assert no_texts.startswith("there are no texts in 'it'")
    hebrew = warned(language="he", languages=("fr", "pt", "es", "it", "en"))
    assert sorted(each.partition(",")[0] for each in hebrew) == [
        "there are no texts in 'he'",
        "there are no texts in 'it'",
    ]


def test_check_warns_about_a_language_without_a_newsletter(tmp_path: Path) -> None:
    folder = written(Folder(tmp_path, replace(SITE, languages=("fr", "es"))))

    def warned(*languages: str) -> list[tuple[str, str]]:
        newsletters = tuple(NewsletterConfig(name=f"n{place}", language=each) for place, each in enumerate(languages))
        config = replace(folder.config, newsletters=newsletters)
        found = language_problems(config, open_archive(config, NOW, keep=False), KeyLines(""))
        return [(each.message, each.hint) for each in found if "newsletter" in each.hint]

    french = "2 posts are in 'fr', for which there is no newsletter", 'add a [[newsletters]] with language = "fr"'
    spanish = "1 post is in 'es', for which there is no newsletter", 'add a [[newsletters]] with language = "es"'
    assert warned("") == [french, spanish]
    assert warned("en", "es-MX") == [french]
    assert warned("", "fr", "es") == warned() == []


def test_standalone_pages_are_in_the_menu_of_their_language(tmp_path: Path) -> None:
    folder = written(Folder(tmp_path, replace(SITE, languages=("fr", "it"))))
    folder.file("pages/about.md", "---\ntitle: About\n---\nWho")
    folder.file("pages/about.fr.md", "---\ntitle: À propos\n---\nQui")
    folder.file("pages/imprint.md", "---\ntitle: Imprint\n---\nWhere")
    assert folder.build().errors == ()
    public = {name: text.decode() for name, text in folder.public().items() if name.endswith(".html")}

    def menu(page: str) -> list[str]:
        nav = public[page].partition("<nav")[2].partition("</nav>")[0]
        return [title for title in ("About", "À propos", "Imprint") if f">{title}</a>" in nav]

    assert menu("index.html") == menu("about/index.html") == menu("it/index.html") == ["About", "Imprint"]
    assert menu("fr/index.html") == menu("fr/about/index.html") == ["À propos", "Imprint"]
    assert '<html lang="fr"' in public["fr/about/index.html"]
    assert f'hreflang="fr" href="{URL}/fr/about/"' in public["about/index.html"]
    folder.config = replace(folder.config, pages=PagesConfig(menu=("about", "archive")))
    folder.build()
    public = {name: text.decode() for name, text in folder.public().items() if name.endswith(".html")}
    assert menu("index.html") == ["About"]
    assert menu("fr/index.html") == ["À propos"]


def test_hugo_leaves_the_folder_of_a_language_out_of_the_url() -> None:
    for source, folder, wanted in (
        ("en/posts/a.md", "en/posts", ("/{folder}/{slug}/", "posts")),
        ("fr/posts/a.md", "fr/posts", ("/fr/{folder}/{slug}/", "posts")),
        ("posts/a.fr.md", "posts", ("/fr/{folder}/{slug}/", "posts")),
    ):
        spoken = path_language(source, ("en", "fr"), ())
        assert spoken
        assert in_address(spoken, "/{folder}/{slug}/", folder, "en", "hugo") == wanted
    assert in_address(spoken, "/{lang}/{folder}/{slug}/", "posts", "en", "hugo")[0] == "/{lang}/{folder}/{slug}/"
