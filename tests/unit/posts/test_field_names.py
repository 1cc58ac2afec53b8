"""Front matter of every tool that people move from: each row is a file as users of that tool write it."""

from __future__ import annotations

from typing import Any

import pytest

from publisher.posts.front_matter.field_names import SPELLINGS, fold
from tests.support.posts_samples import HELLO, PAGE, URL, post_of, read

JEKYLL = """\
---
layout: single
title:  "AI Trends in 2024!"
date:   2024-07-06 09:30:00 +0200
categories: ai news
tags: [Generative AI, LLM]
excerpt: "A trend report."
excerpt_separator: "<!-- cut -->"
last_modified_at: 2024-07-08
author: jane_doe
header:
  image: ./../assets/images/logo.jpeg
  teaser: ./../assets/images/teaser.jpeg
  caption: "Photo: [**Unsplash**](https://unsplash.com)"
redirect_from: /old/
published: true
---
Hello.
"""
JEKYLL_UNDATED = """\
---
title: Undated
excerpt: 'One line.'
header:
  teaser: /assets/teaser.png
---
"""
HUGO_YAML = """\
---
title: "My First Post"
date: 2024-01-05T10:00:00+01:00
publishDate: 2024-01-06T08:00:00+01:00
lastmod: 2024-02-01
expiryDate: 2030-01-01
draft: false
description: A description.
slug: first-post
images: ["img/cover.png", "img/other.png"]
tags: ["Go", "Hugo"]
categories: ["Dev"]
authors: ["Ada Lovelace", "Grace Hopper"]
---
"""
HUGO_TOML = """\
+++
title = 'Hugo in TOML'
date = 2024-01-05T10:00:00Z
lastmod = 2024-01-07
draft = false
tags = ['go', 'toml']
author = 'Ada'
[cover]
image = '/covers/a.png'
alt = 'A cover'
caption = 'By Ada'
+++
"""
HUGO_JSON = """\
{
   "title": "Hugo in JSON",
   "date": "2024-01-05T10:00:00Z",
   "tags": ["go"],
   "params": {"author": "Ada", "images": ["/a.png"]}
}
"""
ZOLA = """\
+++
path = "2025/06/26/Name"
title = "Announcing Name"
authors = ["The Team"]
aliases = ["old/name"]

[extra]
summary = "In short."
image = "/img/zola.png"

[taxonomies]
tags = ["release", "C++"]
categories = ["News"]
+++
"""
PELICAN = """\
Title: My super title
Date: 2010-12-03 10:20
Modified: 2010-12-05 19:30
Category: Python, Web
Tags: pelican, machine learning
Slug: my-super-post
Authors: Alexis Metaireau, Conan Doyle
Summary: Short version for index and feeds
Status: published

This is the content.
"""
ELEVENTY = """\
---
title: This is my third post
description: This is a post on My Blog.
date: 2018-09-30
tags:
  - post
  - second tag
  - posts
layout: layouts/post.njk
---
"""
ELEVENTY_ONE_TAG = "---\ntitle: One\ndate: 2018-09-30\ntags: post\n---\n"
NODE = """\
---
date: '2017-01-20T09:00:00.000Z'
category: release
title: Node.js 7.4.0 (Current)
layout: blog-post
author: Ruben Bridgewater
---
"""
GHOST = """\
---
id: 5f1b2c3d4e5f60718293a4b5
title: Coming soon
slug: coming-soon
feature_image: https://images.example/ghost.jpg
feature_image_alt: A ghost
feature_image_caption: <span>By <a href="https://x.example">Someone</a></span>
status: published
visibility: public
created_at: 2020-07-24T18:00:00.000Z
updated_at: 2020-08-01T10:00:00.000Z
published_at: 2020-07-25T07:30:00.000Z
custom_excerpt: Things are up and running.
tags:
  - name: Getting Started
    slug: getting-started
primary_author: {name: Casper, website: https://ghost.example}
---
"""
GHOST_JSON = """\
{
  "title": "From a dump", "slug": "from-a-dump", "published_at": "2020-07-25 07:30:00+00",
  "status": "published", "custom_excerpt": null, "feature_image": null, "tags": [{"name": "News"}]
}
"""
PODCAST = """\
---
title: Episode 1
date: 2024-01-05
audio: {url: https://cdn.example/1.mp3, length: 1234, duration: "1:02:03"}
author: {name: Ada, email: ada@x.example, url: https://ada.example}
feed: no
newsletter: false
lang: zh_cn
---
"""
TIMES = "+00:00"


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        pytest.param(JEKYLL, HELLO, {
            "title": "AI Trends in 2024!", "published": "2024-07-06T09:30:00+02:00", "excerpt": "A trend report.",
            "updated": "2024-07-08T09:00:00+02:00", "tags": ["Generative AI", "LLM", "ai", "news"],
            "authors": ["jane_doe"], "excerpt_separator": "<!-- cut -->", "url": PAGE,
            "image": (f"{URL}/2024/07/06/assets/images/logo.jpeg", "", "Photo: Unsplash"),
        }, id="jekyll"),
        pytest.param(JEKYLL_UNDATED, "_posts/2024-07-06-un-dated.md", {
            "published": "2024-07-06T09:00:00+02:00", "url": f"{URL}/2024/07/06/un-dated/", "excerpt": "One line.",
            "image": (f"{URL}/assets/teaser.png", "", ""), "id": "tag:site.example,2024:2024-07-06:un-dated",
        }, id="jekyll without a date"),
        pytest.param(HUGO_YAML, "blog/first/index.md", {
            "title": "My First Post", "published": "2024-01-06T08:00:00+01:00", "excerpt": "A description.",
            "updated": "2024-02-01T09:00:00+01:00", "expires": "2030-01-01T09:00:00+01:00",
            "url": f"{URL}/blog/2024/01/06/first-post/", "tags": ["Go", "Hugo", "Dev"],
            "authors": ["Ada Lovelace", "Grace Hopper"],
            "image": (f"{URL}/blog/2024/01/06/first-post/img/cover.png", "", ""),
        }, id="hugo"),
        pytest.param(HUGO_TOML, "toml.md", {
            "title": "Hugo in TOML", "published": f"2024-01-05T10:00:00{TIMES}", "authors": ["Ada"],
            "updated": "2024-01-07T09:00:00+01:00", "tags": ["go", "toml"],
            "image": (f"{URL}/covers/a.png", "A cover", "By Ada"),
        }, id="hugo toml"),
        pytest.param(HUGO_JSON, "json.md", {
            "title": "Hugo in JSON", "published": f"2024-01-05T10:00:00{TIMES}", "authors": ["Ada"],
            "image": (f"{URL}/a.png", "", ""), "tags": ["go"],
        }, id="hugo json"),
        pytest.param(ZOLA, "name.md", {
            "published": "2025-06-26T09:00:00+02:00", "url": f"{URL}/2025/06/26/Name/", "excerpt": "In short.",
            "tags": ["release", "C++", "News"], "authors": ["The Team"], "image": (f"{URL}/img/zola.png", "", ""),
        }, id="zola"),
        pytest.param(PELICAN, "super.md", {
            "title": "My super title", "published": "2010-12-03T10:20:00+01:00", "tags":
            ["pelican", "machine learning", "Python", "Web"], "updated": "2010-12-05T19:30:00+01:00",
            "url": f"{URL}/2010/12/03/my-super-post/", "excerpt": "Short version for index and feeds",
            "authors": ["Alexis Metaireau", "Conan Doyle"],
        }, id="pelican"),
        pytest.param(ELEVENTY, "third.md", {
            "published": "2018-09-30T09:00:00+02:00", "tags": ["second tag"], "excerpt": "This is a post on My Blog.",
        }, id="eleventy"),
        pytest.param(ELEVENTY_ONE_TAG, "one.md", {"tags": []}, id="eleventy with one tag"),
        pytest.param(NODE, "v7.4.0.md", {
            "published": f"2017-01-20T09:00:00{TIMES}", "tags": ["release"], "title": "Node.js 7.4.0 (Current)",
            "authors": ["Ruben Bridgewater"], "url": f"{URL}/2017/01/20/v7.4.0/",
        }, id="node"),
        pytest.param(GHOST, "ghost.md", {
            "published": f"2020-07-25T07:30:00{TIMES}", "updated": f"2020-08-01T10:00:00{TIMES}",
            "excerpt": "Things are up and running.", "tags": ["Getting Started"], "authors": ["Casper"],
            "image": ("https://images.example/ghost.jpg", "A ghost", "By Someone"), "id": "5f1b2c3d4e5f60718293a4b5",
        }, id="ghost"),
        pytest.param(GHOST_JSON, "dump.md", {
            "published": f"2020-07-25T07:30:00{TIMES}", "image": None, "excerpt": "", "tags": ["News"],
        }, id="ghost json"),
        pytest.param(PODCAST, "episode.md", {
            "language": "zh-CN", "in_feeds": False, "in_newsletters": False, "authors": ["Ada"],
            "enclosures": [("https://cdn.example/1.mp3", "audio/mpeg", 1234, 3723)],
        }, id="podcast"),
    ],
)  # fmt: skip
def test_a_file_of_another_tool_keeps_its_meaning(text: str, source: str, expected: dict[str, Any]) -> None:
    post = post_of(text, source)
    plain = {
        "published": post.published.isoformat(),
        "updated": post.updated.isoformat(),
        "expires": post.expires and post.expires.isoformat(),
        "tags": [tag.name for tag in post.tags],
        "authors": [author.name for author in post.authors],
        "image": post.image and (post.image.url, post.image.alt, post.image.caption),
        "enclosures": [(e.url, e.media_type, e.length, e.duration) for e in post.enclosures],
    }
    found = {name: plain[name] if name in plain else getattr(post, name) for name in expected}
    assert found == expected


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("tags: a b", ["a", "b"]),
        ("tags: a, b c", ["a", "b c"]),
        ("category: Machine Learning", ["Machine Learning"]),
        ("categories: [Machine Learning]", ["Machine Learning"]),
        ("tags: [a, A, á]\ncategory: b", ["a", "á", "b"]),
        ("tags: [日本語, 日本語]", ["日本語"]),
        ("tags: [a, [b], null, '', {name: c}]", ["a", "c"]),
        ("tags:\ncategories: ~", []),
        ("tags: {a: b}", []),
    ],
)
def test_tags_and_categories_are_one_list_without_duplicates(lines: str, names: list[str]) -> None:
    assert [tag.name for tag in post_of(f"---\ntitle: x\n{lines}\n---\n").tags] == names


@pytest.mark.parametrize("key", ["last_modified_at", "lastModifiedAt", "Last-Modified-At", "LASTMODIFIEDAT"])
def test_a_key_is_known_in_every_way_of_writing_it(key: str) -> None:
    assert post_of(f"---\ntitle: x\n{key}: 2025-01-01\n---\n").updated.year == 2025


def test_every_spelling_in_the_table_is_found() -> None:
    for spellings in SPELLINGS.values():
        assert all(part == fold(part) for spelling in spellings for part in spelling.split("."))


@pytest.mark.parametrize(
    "lines",
    [
        "image: javascript:alert(1)/.",
        "image: 'data:image/png;base64,AA=='",
        "image: //[",
        "image: true",
        "image: ''",
        "audio: javascript:x.mp3",
        "author: {name: X, url: javascript:alert(1)}",
    ],
)
def test_front_matter_brings_in_only_web_urls(lines: str) -> None:
    post = read(f"---\ntitle: x\n{lines}\n---\n").post
    assert post
    assert (post.image, post.enclosures, [author.url for author in post.authors if author.url]) == (None, (), [])


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "many", "1.5"])
def test_an_invalid_length_is_ignored(length: str) -> None:
    text = f"---\ntitle: x\naudio: {{url: https://a.example/a.mp3, length: {length}, duration: '{length}'}}\n---\n"
    entry = read(text)
    assert entry.post
    assert [(e.length, e.duration) for e in entry.post.enclosures] == [(0, 0)]
    assert len(entry.problems) == 2


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ('author: "O\'Brien, Jr."', ["O'Brien, Jr."]),
        ('authors: "O\'Brien, Jr."', ["O'Brien, Jr."]),
        ('authors: "Ada Lovelace, Grace Hopper, PhD"', ["Ada Lovelace", "Grace Hopper, PhD"]),
        ('authors: "Henry, III, Ada, M.D., Ph.D.; Kay, sr"', ["Henry, III", "Ada, M.D., Ph.D.", "Kay, sr"]),
        ('authors: "Ada, Mdina, Jrue, IIan"', ["Ada", "Mdina", "Jrue", "IIan"]),
        ('authors: ["Lovelace, Ada", "Hopper, Grace"]', ["Lovelace, Ada", "Hopper, Grace"]),
        ('author: ["Lovelace, Ada"]', ["Lovelace, Ada"]),
    ],
)
def test_a_suffix_is_not_another_author(key: str, names: list[str]) -> None:
    assert [author.name for author in post_of(f"---\ntitle: x\n{key}\n---\n").authors] == names
