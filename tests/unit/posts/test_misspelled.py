"""Keys of front matter that are misspelled or written twice, and keys that hide a post in another tool."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from publisher.core.errors import PostError
from publisher.posts.front_matter.field_names import SPELLINGS, TAG_KEYS, FrontMatter, fold
from publisher.posts.front_matter.misspelled import DATES
from publisher.posts.front_matter.switches import SWITCHES
from publisher.posts.post_file import Tree
from tests.support.posts_samples import read

FORMATS = {
    "yaml": "---\ntitle: x\ndate: 2024-07-06\n{key}: {value}\n---\n",
    "toml": '+++\ntitle = "x"\ndate = 2024-07-06\n{key} = "{value}"\n+++\n',
    "json": '{{\n"title": "x",\n"date": "2024-07-06",\n"{key}": "{value}"\n}}\n',
    "headers": "Title: x\nAuthor: y\nDate: 2024-07-06\n{key}: {value}\n\nText.\n",
}
TABLES = SPELLINGS | SWITCHES | {"tags": TAG_KEYS}
KNOWN = {spelling for spellings in TABLES.values() for spelling in spellings}


def misspellings(word: str) -> Iterator[str]:
    """Yield misspellings of a word: each kind of slip, near the beginning and at the end, after the first letter."""
    for place in (1, 2, len(word) - 1):
        yield word[:place] + word[place + 1 :]
        yield word[:place] + "x" + word[place:]
        yield word[:place] + "x" + word[place + 1 :]
        yield word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :] if place > 1 else f"{word}x"


def value_of(field: str) -> Tree:
    values: dict[str, Tree] = dict.fromkeys(SWITCHES, "false") | {"state": "draft", "image": "a.png", "audio": "a.mp3"}
    return values.get(field, "2024-01-01" if field in DATES else "Some words")


def test_a_key_with_one_slip_is_reported_with_the_intended_key() -> None:
    silent = []
    for field, spellings in TABLES.items():
        for spelling in (each for each in spellings if len(each) > 3):
            table, _, name = spelling.rpartition(".")
            for slip in (each for each in misspellings(name) if len(each) > 2):
                if any(slip == known.rpartition(".")[2] for known in KNOWN):
                    continue
                value = value_of(field)
                front = FrontMatter({table: {slip: value}} if table else {slip: value}, {})
                hints = [found.known for found, _ in front.misspelled()]
                if len(hints) != 1:
                    silent.append((spelling, slip))
    assert [each for each in silent if each[1] not in PLAIN] == []


# Slips that result in a key of another tool.
PLAIN = {"byte", "chapter", "lng", "local", "topic", "types"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("key", "value", "known"),
    [
        ("drfat", "true", "draft"),
        ("pubished", "false", "published"),
        ("newslettr", "false", "newsletter"),
        ("in_fed", "no", "infeed"),
        ("staus", "Draft", "status"),
        ("exipres", "2030-01-01", "expires"),
        ("hiden", "yes", "hidden"),
    ],
)
def test_a_misspelled_key_that_would_hide_the_post_leaves_it_out(form: str, key: str, value: str, known: str) -> None:
    with pytest.raises(PostError, match="is not a field of posts") as caught:
        read(FORMATS[form].format(key=key, value=value))
    assert (caught.value.line, caught.value.hint) == (4, f"did you mean {known}?")


def test_a_misspelled_date_is_an_error_only_if_it_delays_the_post() -> None:
    with pytest.raises(PostError, match="published earlier"):
        read("---\ntitle: x\npublishdat: 2030-01-01\n---\n")
    entry = read("---\ntitle: x\npublishdat: 2020-01-01\n---\n")
    assert [problem.hint for problem in entry.problems] == ["did you mean publishdate?"]


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        ("drfat: false", "draft"),
        ("titel: x", "title"),
        ("tgas: [a]", "tags"),
        ("perlmalink: /x/", "permalink"),
        ("imgae: {url: a.png}", "image"),
        ("autor: Ada", "author"),
        ("header: {imge: a.png}", "header.image"),
        ("heder: {image: a.png}", "header.image"),
        ("taxonomies: {tag: [a]}", "taxonomies.tags"),
        ("build: {lisst: always}", "build.list"),
    ],
)
def test_any_other_misspelled_key_gets_one_warning(lines: str, known: str) -> None:
    entry = read(f"---\ntitle: x\n{lines}\n---\n")
    assert entry.post
    assert [(p.line, p.hint) for p in entry.problems] == [(3, f"did you mean {known}?")]


# Keys of the six tools, of other tools and of themes, with typical values.
FOREIGN = """\
layout: post|redirect_from: /a/|weight: 3|sitemap: false|aliases: [a]|cascade: {a: b}|keywords: [a]|linkTitle: x
markup: md|menu: main|outputs: [html]|resources: [{src: a.png}]|series: [x]|translationKey: x|type: post
videos: [a.mp4]|template: x.html|in_search_index: false|insert_anchor_links: left|sort_by: date|paginate_by: 5
transparent: true|save_as: x.html|pagination: {data: x}|eleventyNavigation: {key: x}|uuid: abc|comment_id: 5
codeinjection_head: x|og_title: x|toc: true|math: true|comments: true|pin: true|sidebar: nav|nav_order: 3
parent: Home|has_children: true|nav_exclude: true|cssclass: x|rating: 5|source: x|sources: [a]|link: x|related: [a]
hide_title: true|hide_table_of_contents: true|last_update: x|overlay_color: red|actions: [a]|read_time: true
author_profile: true|classes: wide|gallery: [a]|ShowToc: true|hidemeta: true|searchHidden: true|hideSummary: true
editPost: {a: b}|photos: [a.png]|copyright: x|location: Berlin|venue: x|start: 2024-01-01|end_date: 2024-01-02
guid_of: x|season: 2|duration: 1:02|explicit: false|transcript: a.vtt|chapters: a.json|color: red|icon: x|name: x
notes: x|footer: x|lead: x|version: 1.2|projects: [a]|role: x|stack: [a]|mail: ada@x.example|phone: 5|recipe: true
yield: 4|stars: 4|price: 5|isbn: 5|books: [a]|series_order: 2|album: x|genre: x|year: 2024|month: 5|city: Bonn
state: Bavaria|lat: 5.1|lng: 5.1|map: x|styles: [a.css]|js: [a.js]|translator: x|editor: x|via: x|credit: x
photo: a.png|people: [a]|team: x|updates: [a]|changelog: [a]|stats: 5 of 7|data: [1]|guide: x|poster: a.png|tab: x
uri: x|topic: x|publisher: ACME|creator: x|robots: noindex|priority: 0.5|shortlink: /a/|theme: dark|mood: happy
archived: true|featured: true|render_with_liquid: false|headline: x|sections: [a]|hosts: [a]|mathjax: true
katex: true|disqus: true|draft_of: x|reviewer: x|password: ''|up: x
"""


def test_keys_of_other_tools_are_ignored_silently() -> None:
    lines = [line for row in FOREIGN.splitlines() for line in row.split("|")]
    entry = read("---\ntitle: x\n" + "\n".join(lines) + "\n---\n")
    assert entry.post
    assert (entry.post.is_listed, entry.problems) == (True, ())


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (
            "---\ntitle: A\nlang: en\ntitle: B\n---\n",
            "'title' is written twice, on lines 2 and 4; the second counts",
            4,
        ),
        (
            "---\ntitle: A\nTitle: B\n---\n",
            "'title' and 'Title' are the same field, on lines 2 and 3; the first counts",
            3,
        ),
        ('{\n"title": "A",\n"title": "B"\n}\n', "'title' is written twice, on lines 2 and 3; the second counts", 3),
        ("Title: A\nTags: a\nTags: b\n\nx", "'Tags' is written twice, on lines 2 and 3; the second counts", 3),
        (
            "---\ntitle: A\nimage:\n  alt: a\n  alt: b\n  url: c.png\n---\n",
            "'image.alt' is written twice, on lines 4 and 5",
            5,
        ),
    ],
)
def test_a_key_that_is_written_twice_is_reported_with_both_lines(text: str, message: str, line: int) -> None:
    entry = read(text)
    assert entry.post
    assert [(p.line, p.message.startswith(message)) for p in entry.problems] == [(line, True)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\ntitle: A\ndraft: true\ndraft: false\n---\n", 4),
        ("---\ntitle: A\ndraft: false\nDraft: true\n---\n", 4),
        ("---\ntitle: A\nbuild:\n  list: never\n  list: always\n---\n", 5),
        ("---\ntitle: A\nexpires: 2025-01-01\nexpires: 2030-01-01\n---\n", 4),
        ('{\n"title": "A",\n"draft": true,\n"draft": false\n}\n', 4),
        ('+++\ntitle = "A"\ndraft = true\ndraft = false\n+++\n', 4),
        ("Title: A\nStatus: draft\nStatus: published\n\nx", 3),
    ],
)
def test_a_key_that_hides_and_is_written_twice_leaves_the_post_out(text: str, line: int) -> None:
    with pytest.raises(PostError, match=rf"on lines {line - 1} and {line}") as caught:
        read(text)
    assert caught.value.line == line


YAML, TOML = "---\ntitle: x\n{}\n---\n", '+++\ntitle = "x"\n{}\n+++\n'
UNPUBLISHED = {
    "Jekyll": ["published: false", "draft: true"],
    "Hugo": [
        "draft: true",
        "headless: true",
        "build: {render: never}",
        "build: {render: link}",
        "_build: {render: false}",
    ],
    "Zola": ["draft: true", "render: false"],
    "Pelican": ["status: draft", "status: hidden", "status: skip"],
    "Eleventy": ["permalink: false", "draft: true"],
    "Ghost": ["status: draft", "visibility: members", "visibility: paid", "visibility: tiers", "email_only: true"],
    "others": ["publish: false", "isDraft: true", "is-published: no", "state: draft", "password: x", "ｄｒａｆｔ: yes"],
}
UNLISTED = {
    "Jekyll": ["hidden: true"],
    "Hugo": ["build: {list: never}", "build: {list: local}", "_build: {list: false}", "build.list: never"],
    "Eleventy": ["eleventyExcludeFromCollections: true", "eleventyExcludeFromCollections: [posts]"],
    "others": ["extra: {hidden: true}", "params: {hidden: yes}"],
}
SHOWN = """\
published: true|publish: true|publish: 2024-07-06|headless: false|build: {render: always, list: always}
_build: {list: true}|render: true|render: katex|status: published|permalink: true
eleventyExcludeFromCollections: false|hidden: false|hidden: [a]|visibility: public|email_only: false|isDraft: false
state: Berlin|password:|password: false|build: {publishResources: false}|eleventyExcludeFromCollections: []
extra: {hidden: false}|is_published: yes|draft: false|permalink: /x/
"""


def as_toml(line: str) -> str:
    """Return a line of YAML as TOML, with words in quotes."""
    key, _, value = line.partition(": ")
    if value.startswith("{"):
        inner = value.strip("{}").replace(": ", ' = "') + '"'
        return f"[{key}]\n{inner}"
    return f'"{key}" = {value}' if value in ("true", "false") or value[0] == "[" else f'"{key}" = "{value}"'


@pytest.mark.parametrize("tool", UNPUBLISHED)
def test_a_post_hidden_in_another_tool_is_not_published(tool: str) -> None:
    for line in UNPUBLISHED[tool]:
        for text in (YAML.format(line), TOML.format(as_toml(line))):
            entry = read(text)
            assert (entry.post, entry.problems) == (None, ()), text


@pytest.mark.parametrize("tool", UNLISTED)
def test_a_post_unlisted_in_another_tool_is_in_no_list_feed_or_newsletter(tool: str) -> None:
    for line in UNLISTED[tool]:
        for text in (YAML.format(line), TOML.format(as_toml(line).replace("[posts]", '["posts"]'))):
            entry = read(text)
            assert entry.post, text
            post = entry.post
            assert (post.is_listed, post.in_feeds, post.in_newsletters, entry.problems) == (False, False, False, ()), (
                text
            )


def test_values_that_do_not_hide_a_post_leave_it_everywhere() -> None:
    for line in (line for row in SHOWN.splitlines() for line in row.split("|")):
        entry = read(YAML.format(line))
        assert entry.post, line
        post = entry.post
        assert (post.is_listed, post.in_feeds, post.in_newsletters) == (True, True, True), line
        assert entry.problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "hiddenFromHomePage: true",
        "hide_from_feed: yes",
        "secret: true",
        "public: false",
        "exclude_from_rss: 1",
        "no_list: on",
    ],
)
def test_a_key_that_hides_elsewhere_gets_a_warning(line: str) -> None:
    entry = read(YAML.format(line))
    assert [(p.line, "hides nothing here" in p.message) for p in entry.problems] == [(3, True)]
    assert read(YAML.format(line.partition(":")[0] + ": x")).problems == ()


def test_keys_are_compared_without_width_and_invisible_characters() -> None:
    assert fold("ｐｕｂｌｉｓｈ＿ｄａｔｅ") == fold("publish\u00ad-d\u200bate") == "publishdate"


def test_a_date_under_publish_is_the_date_of_the_post() -> None:
    entry = read("---\ntitle: x\npublish: 2030-01-01\n---\n")
    assert entry.post
    assert (entry.post.published.year, entry.problems) == (2030, ())
    entry = read("---\ntitle: x\ndate: 2024-01-01\npublish: true\n---\n")
    assert entry.post
    assert (entry.post.published.year, entry.problems) == (2024, ())
