"""Exports of Ghost, WordPress and Substack become files, with the same URLs, ids, dates, tags and images."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.posts.archive import open_archive
from publisher.posts.text.paid_parts import paid_part
from publisher.publishing.exports.exported import ExportedPost
from publisher.publishing.exports.exported_files import PreviousSite
from tests.support import ROOT
from tests.support.picture_samples import picture
from tests.support.project import Project
from tests.support.source_server import SourceServer, answer, source_server

EXPORTS = ROOT / "tests/data/exports"
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
PICTURE = picture("png", 9, 9)
PATHS = (
    "/content/images/2024/05/cup.png",
    "/blog/wp-content/uploads/2019/05/pot.png",
    "/blog/wp-content/uploads/2019/05/pot-300x200.png",
)
CLASH = f"{PATHS[0]}/child.png"


@pytest.fixture(scope="module")
def old_site() -> Iterator[SourceServer]:
    found = answer(PICTURE, content_type="image/png")
    with source_server(dict.fromkeys((*PATHS, CLASH), found)) as server:
        yield server


@pytest.fixture
def blank(empty: Project) -> Project:
    """A project without posts."""
    empty.configure()
    return empty


def ghost(project: Project) -> Path:
    return project.write("ghost.json", (EXPORTS / "ghost.json").read_bytes())


def wordpress(project: Project, site: str) -> Path:
    text = (EXPORTS / "wordpress.xml").read_text(encoding="utf-8").replace("https://tea.example", site)
    return project.write("wordpress.xml", text)


def substack(project: Project) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted((EXPORTS / "substack").rglob("*.*")):
            archive.write(path, path.relative_to(EXPORTS / "substack"))
    return project.write("export.zip", out.getvalue())


def test_ghost_posts_keep_urls_ids_dates_tags_authors_and_images(blank: Project, old_site: SourceServer) -> None:
    arguments = ("import-posts", str(ghost(blank)), "--url", old_site.url, "--allow-private")
    said = blank.ok(*arguments).out
    assert "members; import them with `publisher subscribers import`\t1" in said
    archive = open_archive(blank.config(), NOW)
    (post,) = archive.posts
    assert (post.title, post.permalink, post.id) == (
        "Tea & Zeit: the “first” cup",
        "/the-first-cup/",
        "6512aa0000000000000000a1",
    )
    assert (post.published, post.updated) == (
        datetime(2024, 5, 1, 7, 30, tzinfo=UTC),
        datetime(2024, 6, 2, 9, tzinfo=UTC),
    )
    assert ([tag.name for tag in post.tags], [author.name for author in post.authors], post.excerpt) == (
        ["Tea", "Morning"],
        ["Ada Lovelace"],
        "How it began.",
    )
    assert post.image is not None
    assert (post.image.url, post.image.alt) == (f"{blank.config().site_url}{PATHS[0]}", "A cup of tea")
    text = blank.read("posts/2024-05-01-the-first-cup.html")
    assert 'href="/second-cup/#steam"' in text
    assert 'src="/content/images/2024/05/cup.png"' in text
    assert "srcset" not in text
    assert (blank.root / f"static{PATHS[0]}").read_bytes() == PICTURE
    assert "draft: true  # for paying members only" in blank.read("posts/2024-05-02-second-cup.html")
    assert "draft: true  # it was sent by email only" in blank.read("posts/2024-05-03-only-by-mail.html")
    assert "<p>Two &amp; three.</p>" in blank.read("posts/untitled-3.html")
    assert 'permalink: "/about/"' in blank.read("pages/about.html")

    before = blank.listing()
    again = blank.ok(*arguments, "--json").json
    assert again["new"] == {}
    assert again["there"] == {"pictures and files": 1, "posts": 1, "drafts": 3, "pages": 1}
    assert blank.listing() == before


def test_wordpress_posts_keep_urls_and_get_paragraphs(blank: Project, old_site: SourceServer) -> None:
    said = blank.ok("import-posts", str(wordpress(blank, old_site.url)), "--allow-private").out
    for left in (
        "comments\t1",
        "entries of menus\t1",
        "blocks that WordPress fills on each request (in Blocks)\t1",
    ):
        assert left in said
    posts = {post.title: post for post in open_archive(blank.config(), NOW).posts}
    assert {title: (post.permalink, post.id) for title, post in posts.items()} == {
        "Old & classic": ("/2019/05/テスト/", f"{old_site.url}/blog/?p=12"),
        "Blocks": ("/2024/01/blocks/", f"{old_site.url}/blog/?p=20"),
    }
    old = posts["Old & classic"]
    assert ([tag.name for tag in old.tags], old.authors[0].name) == (["Brewing", "Pots"], "Ada Lovelace")
    text = blank.read(f"posts/{old.source}")
    for part in (
        "<p>First line<br>\nsecond line</p>",
        "<blockquote>\n<p>One</p>\n<p>Two</p>\n</blockquote>",
        '<figure><img class="size-medium wp-image-13" src="/wp-content/uploads/2019/05/pot-300x200.png"',
        "<figcaption>A pot</figcaption></figure>",
        "<pre>a\n\nb</pre>",
        '<a href="https://youtu.be/abc123">https://youtu.be/abc123</a>',
        '<img src="/wp-content/uploads/2019/05/pot.png" alt="">',
        '<a href="/2019/04/older/">',
        '<a href="/wp-content/uploads/2019/05/pot.png">its page</a>',
        "<!--more-->",
    ):
        assert part in text, part
    assert "<p><ul>" not in text
    blocks = blank.read("posts/2024-01-05-blocks.html")
    assert "wp:" not in blocks
    assert '<a href="https://youtu.be/abc">' in blocks
    assert (blank.root / "static/wp-content/uploads/2019/05/pot.png").read_bytes() == PICTURE
    assert "draft: true  # it has a password" in blank.read("posts/2024-02-05-secret.html")
    assert "draft: true" in blank.read("posts/unfinished.html")
    assert 'permalink: "/about/"' in blank.read("pages/about.html")


ITEM = """<item><title>{title}</title><link>https://tea.example/blog/{name}/</link><dc:creator>ada</dc:creator>
<guid>https://tea.example/blog/?p={number}</guid><content:encoded><![CDATA[{text}]]></content:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt>2024-03-05 09:00:00</wp:post_date_gmt>
<wp:post_name>{name}</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>{more}</item>"""


def meta(key: str, value: str) -> str:
    key, value = f"<![CDATA[{key}]]>", f"<![CDATA[{value}]]>"
    return f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value>{value}</wp:meta_value></wp:postmeta>"


def wxr(project: Project, posts: Mapping[str, tuple[str, str]], more: str = "") -> Path:
    """Write an export of WordPress with a post for each name, with the given text and further elements."""
    items = "".join(
        ITEM.format(title=name, name=name, number=100 + number, text=text, more=extra)
        for number, (name, (text, extra)) in enumerate(posts.items())
    )
    sample = (EXPORTS / "wordpress.xml").read_text(encoding="utf-8")
    start = sample.index("<item>")
    return project.write("items.xml", f"{sample[:start]}{items}{more}</channel></rss>")


def block(name: str, inside: str = "<p>SECRET</p>", values: str = "") -> str:
    return f"<p>Free</p><!-- wp:{name} {values}-->{inside}<!-- /wp:{name} -->"


HIDDEN = {
    "paywall": ("<p>Free</p><!-- wp:jetpack/paywall /--><p>SECRET</p>", ""),
    "premium": (block("premium-content/container", block("premium-content/subscriber-view")), ""),
    "jetpack-premium": (block("jetpack/premium-content/container"), ""),
    "pmpro": (block("pmpro/membership"), ""),
    "memberful": (block("acme/members-only"), ""),
    "attribute": (block("group", values='{"pmproLevels":["1"]}'), ""),
    "rcp": ("<p>Free</p>[restrict]SECRET[/restrict]", ""),
    "pmpro-old": ('Free [membership level="1"]SECRET[/membership]', ""),
    "mepr": ('Free [mepr-show rules="1"]SECRET[/mepr-show]', ""),
    "member": ("Free [member]SECRET[/member]", ""),
    "wcm": ("Free [wcm_restrict]SECRET[/wcm_restrict]", ""),
    "wlm": ("Free [wlm_private]SECRET[/wlm_private]", ""),
    "passster": ('Free [passster password="x"]SECRET[/passster]', ""),
    "access-paid": ("SECRET", meta("_jetpack_newsletter_access", "paid_subscribers")),
    "access-free": ("SECRET", meta("_jetpack_newsletter_access", "subscribers")),
    "rcp-level": ("SECRET", meta("rcp_subscription_level", "1")),
    "role": ("SECRET", meta("_members_access_role", "editor")),
    "role-2": ("SECRET", meta("rcp_access_level", "0") + meta("_members_access_role", "author")),
    "serialised": ("SECRET", meta("memberful_acl", 'a:1:{i:0;s:2:"17";}')),
    "um": ("SECRET", meta("um_content_restriction", 'a:1:{s:14:"_um_accessible";s:1:"2";}')),
    "wc": ("SECRET", meta("_wc_memberships_use_custom_rules", "yes")),
    "patreon": ("SECRET", meta("patreon-level", "5")),
}
OPEN = {
    "everybody": ("All", meta("_jetpack_newsletter_access", "everybody")),
    "levels": ("All", meta("rcp_user_level", "All") + meta("rcp_access_level", "None") + meta("_is_paid", "0")),
    "empty": ("All", meta("memberful_acl", "a:0:{}") + meta("_members_access_error", "Please log in.")),
    "um-open": ("All", meta("um_content_restriction", 'a:1:{s:14:"_um_accessible";s:1:"0";}')),
    "forced": ("All", meta("_wc_memberships_force_public", "yes")),
    "blocks": (block("premium/heading") + block("acme/team-member") + "<!-- wp:jetpack/subscriptions /-->", ""),
    "shown": ("How [[membership level=1]]x[[/membership]] works, [members only] or [private]", ""),
}


def test_wordpress_posts_hidden_by_plug_ins_become_drafts(blank: Project) -> None:
    done = blank.ok("import-posts", str(wxr(blank, HIDDEN | OPEN)), "--no-files", "--json").json
    assert done["new"] == {"posts": len(OPEN), "drafts": len(HIDDEN)}
    hidden = {each["path"].removeprefix("posts/2024-03-05-").removesuffix(".html"): each for each in done["hidden"]}
    assert hidden.keys() == HIDDEN.keys()
    assert hidden["paywall"]["reason"] == "a part of it was for members only"
    assert hidden["access-paid"]["reason"] == "for paying subscribers only"
    assert hidden["role"]["reason"] == "for some readers only (_members_access_role)"
    assert blank.run("check").out.count("members or paying") == 0
    for name, (_, fields) in HIDDEN.items():
        file = blank.root / f"posts/2024-03-05-{name}.html"
        text = file.read_text().replace("draft: true", "draft: false")
        file.write_text(text)
        assert fields or paid_part(text, is_markdown=False), f"{name} can be published by its draft line alone"


FOOTNOTE = "<p>Word<sup data-fn='x1'><a href='#x1' id='x1-link'>1</a></sup></p>"
IMG = '<img src="https://tea.example/a.jpg" alt="A" />'
# The text of a post with further elements, and the content of its file.
KEPT: dict[str, tuple[str, str, list[str]]] = {
    "podcast": (
        "Listen",
        meta("enclosure", "https://cdn.example/pod.mp3\n12345\naudio/mpeg\n"),
        ['audio: "https://cdn.example/pod.mp3 12345 audio/mpeg"'],
    ),
    "footnotes": (
        f"<!-- wp:paragraph -->{FOOTNOTE}<!-- /wp:paragraph --><!-- wp:footnotes /-->",
        meta("footnotes", '[{"content":"The <em>note</em>","id":"x1"}]'),
        ['<li id="x1">The <em>note</em> <a href="#x1-link">'],
    ),
    "footnotes-of-the-theme": (
        FOOTNOTE,
        meta("footnotes", '[{"content":"Another","id":"x1"}]'),
        ['<li id="x1">Another <a href="#x1-link">'],
    ),
    "math": (r'<p>a</p><!-- wp:math {"latex":"x^2 \u003c 3"} /-->', "", ["<p>$$x^2 &lt; 3$$</p>"]),
    "latex": (
        r"so $latex E=mc^2$, $latex \alpha &amp; x&s=2&bg=ffffff$ [latex]y_1[/latex] for $5",
        "",
        [r"<p>so $E=mc^2$, $\alpha &amp; x$ $y_1$ for $5</p>"],
    ),
    "reusable": ('<!-- wp:block {"ref":900} /--><!-- wp:block {"ref":999} /-->', "", ["<p>REUSED</p>\n<p>INNER</p>"]),
    "caption": (
        f'[caption width="3"]<a href="x.jpg">{IMG}</a> With <a href="https://x.org">a link</a> <em>end</em>[/caption]',
        "",
        ['</a><figcaption>With <a href="https://x.org">a link</a> <em>end</em></figcaption></figure>'],
    ),
    "authors": (
        "By us",
        '<category domain="author" nicename="cap-bob"><![CDATA[bob]]></category>'
        '<category domain="author" nicename="cap-ada"><![CDATA[ada]]></category>',
        ['authors: ["Bob B.", "Ada Lovelace"]'],
    ),
    "picture": (
        "See",
        meta("_thumbnail_id", "901"),
        ['image: "https://tea.example/f.jpg"', 'image_alt: "A field"', 'image_caption: "By Ada"'],
    ),
    "gallery": (
        'Look: [gallery ids="901,998"] and [gallery]',
        "",
        [
            '<figure><img src="https://tea.example/f.jpg" alt="A field">'
            "<figcaption>By <em>Ada</em></figcaption></figure>"
        ],
    ),
    "links": (
        '<a href="https://tea.example/blog/?p=100#a">1</a> <a href="http://www.tea.example/blog?page_id=101&amp;x=1">2</a>'
        ' <a href="/blog/?p=102">3</a> <a href="https://other.example/?p=100">4</a> <a href="/blog/?p=77">5</a>',
        "",
        [
            '<a href="/podcast/#a">1</a> <a href="/footnotes/">2</a> <a href="/footnotes-of-the-theme/">3</a>'
            ' <a href="https://other.example/?p=100">4</a> <a href="/?p=77">5</a>'
        ],
    ),
    "social": (
        '<!-- wp:social-links --><ul><!-- wp:social-link {"url":"https://x.org/@a","service":"mastodon"} /--></ul>',
        "",
        ['<ul><li><a href="https://x.org/@a">mastodon</a></li></ul>'],
    ),
    "dynamic": ('<!-- wp:acme/quote {"text":"Q"} /-->', "", []),
}
OTHERS = """
<item><wp:post_id>900</wp:post_id><wp:post_type>wp_block</wp:post_type><content:encoded><![CDATA[<p>REUSED</p>
<!-- wp:block {"ref":902} /-->]]></content:encoded></item>
<item><wp:post_id>902</wp:post_id><wp:post_type>wp_block</wp:post_type>
<content:encoded><![CDATA[<p>INNER</p><!-- wp:block {"ref":900} /-->]]></content:encoded></item>
<item><wp:post_id>903</wp:post_id><wp:post_type>wp_block</wp:post_type><content:encoded>Unused</content:encoded></item>
<item><title>bob</title><wp:post_type>guest-author</wp:post_type>@bob</item>
<item><title>By mail</title><link>https://tea.example/blog/by-mail/</link><dc:creator>eve@tea.example</dc:creator>
<pubDate>Mon, 01 Jan 2024 23:30:00 +0000</pubDate><wp:status>publish</wp:status></item>
<item><link>https://tea.example/f/</link><wp:post_id>901</wp:post_id><wp:post_type>attachment</wp:post_type>
<excerpt:encoded><![CDATA[By <em>Ada</em>]]></excerpt:encoded>
<wp:attachment_url>https://tea.example/f.jpg</wp:attachment_url>@alt</item>
""".replace("@bob", meta("cap-user_login", "bob") + meta("cap-display_name", "Bob B.")).replace(
    "@alt", meta("_wp_attachment_image_alt", "A field")
)


def test_posts_hidden_by_memberpress_rules_become_drafts(blank: Project) -> None:
    rule = "<item><wp:post_type>memberpressrule</wp:post_type><wp:status>publish</wp:status>{}</item>"
    single = rule.format(meta("_mepr_rules_type", "single_post") + meta("_mepr_rules_content", "100"))
    category = rule.format(meta("_mepr_rules_type", "category") + meta("_mepr_rules_content", "gold"))
    gold = '<category domain="category" nicename="gold"><![CDATA[Gold]]></category>'
    posts = {"first": ("A", ""), "golden": ("B", gold), "free": ("C", "")}
    done = blank.ok("import-posts", str(wxr(blank, posts, single + category)), "--no-files", "--json").json
    assert {(each["path"], each["reason"]) for each in done["hidden"]} == {
        ("posts/2024-03-05-first.html", "a rule of MemberPress hides it"),
        ("posts/2024-03-05-golden.html", "a rule of MemberPress hides it"),
    }
    everything = rule.format(meta("_mepr_rules_type", "all"))
    done = blank.ok("import-posts", str(wxr(blank, posts, everything)), "--no-files", "--dry-run", "--json").json
    assert len(done["hidden"]) == len(posts)


def test_wordpress_posts_keep_their_other_fields(blank: Project) -> None:
    posts = {name: (text, more) for name, (text, more, _) in KEPT.items()}
    done = blank.ok("import-posts", str(wxr(blank, posts, OTHERS)), "--no-files", "--json").json
    for name, (_, _, parts) in KEPT.items():
        text = blank.read(f"posts/2024-03-05-{name}.html")
        for part in parts:
            assert part in text, (name, part, text)
    assert done["left"] == {
        "reusable blocks that are not in the file (in reusable)": 2,
        "pictures of galleries that are not in the file (in gallery)": 2,
        "blocks that WordPress fills on each request: acme/quote (in dynamic)": 1,
        "reusable blocks that no post shows": 1,
        "profiles of guest authors": 1,
    }
    mail = blank.read("posts/2024-01-02-by-mail.html")
    assert "date: 2024-01-01T23:30:00+00:00" in mail
    assert "eve" not in mail
    episode = next(post for post in open_archive(blank.config(), NOW).posts if post.title == "podcast")
    assert [(each.url, each.length, each.media_type) for each in episode.enclosures] == [
        ("https://cdn.example/pod.mp3", 12345, "audio/mpeg")
    ]


def test_substack_posts_lose_only_their_buttons(blank: Project) -> None:
    file = str(substack(blank))
    done = blank.ok("import-posts", file, "--url", "https://ada.substack.com", "--dry-run", "--json").json
    assert done["new"] == {"posts": 2, "drafts": 2, "pictures and files": 1}
    assert done["left"] == {"tables about subscribers and opened emails": 1, "threads": 1}
    assert not (blank.root / "static").exists()
    blank.ok("import-posts", file, "--url", "https://ada.substack.com", "--no-files")
    post = next(post for post in open_archive(blank.config(), NOW).posts if post.title == "The first cup")
    assert (post.permalink, post.id, post.excerpt) == (
        "/p/the-first-cup",
        "https://ada.substack.com/p/the-first-cup",
        "How it began",
    )
    text = blank.read("posts/2024-05-01-the-first-cup.html")
    assert 'src="https://substack-post-media.s3.amazonaws.com/public/images/abc_10x10.png"' in text
    assert "Subscribe now" not in text
    assert "Buy the book" in text
    assert '<a href="/p/listen">' in text
    assert '<audio controls src="https://api.substack.com/' in blank.read("posts/2024-05-04-listen.html")
    assert "draft: true  # for paying subscribers only" in blank.read("posts/2024-05-02-for-friends.html")


def test_files_written_by_the_owner_are_never_changed(blank: Project) -> None:
    mine = blank.write("posts/2024-05-01-the-first-cup.html", "---\ntitle: Mine\ndate: 2024-05-01\n---\n\nMy own.\n")
    blank.ok("import-posts", str(ghost(blank)), "--no-files")
    edited = blank.root / "posts/2024-05-02-second-cup.html"
    edited.write_text(edited.read_text() + "A word more.\n")
    again = blank.ok("import-posts", str(ghost(blank)), "--no-files", "--json").json
    assert again["new"] == {}
    assert mine.read_text().endswith("My own.\n")
    assert edited.read_text().endswith("A word more.\n")
    assert (blank.root / "posts/2024-05-01-the-first-cup-2.html").is_file()


def test_a_missing_image_is_reported_and_fetched_the_next_time(blank: Project, old_site: SourceServer) -> None:
    text = (EXPORTS / "ghost.json").read_text(encoding="utf-8").replace("2024/05/cup.png", "2024/05/gone.png")
    file = str(blank.write("ghost.json", text))
    failed = blank.fails("import-posts", file, "--url", old_site.url, "--allow-private")
    assert f"{old_site.url}/content/images/2024/05/gone.png: " in failed.err
    assert "1 files could not be fetched; run the command again" in failed.err
    blank.write("static/content/images/2024/05/gone.png", PICTURE)
    blank.ok("import-posts", file, "--url", old_site.url, "--allow-private")


def test_a_file_that_cannot_be_written_skips_only_itself(blank: Project, old_site: SourceServer) -> None:
    html = "".join(f'<img src="{old_site.url}{path}">' for path in (*PATHS, CLASH, "/a" * 20 + "/b.png"))
    file = str(wxr(blank, {"pictures": (html, "")}))
    said = blank.fails("import-posts", file, "--url", old_site.url)
    assert said.err.count("use --allow-private") == 1
    assert said.err.count("nothing may connect to this address") == 1
    said = blank.fails("import-posts", file, "--url", old_site.url, "--allow-private")
    assert f"{CLASH}: cannot be written to static{CLASH}: " in said.err
    assert blank.read("posts/2024-03-05-pictures.html")
    assert (blank.root / f"static{PATHS[0]}").read_bytes() == PICTURE


def test_no_link_leads_an_import_out_of_the_project(blank: Project, old_site: SourceServer) -> None:
    elsewhere = blank.root.parent / "elsewhere"
    elsewhere.mkdir()
    file = str(wxr(blank, {"pictures": (f'<img src="{old_site.url}{PATHS[0]}">', "")}))
    for name in ("pages", "posts", "static"):
        link = blank.root / name
        if link.is_dir():
            link.rename(link.with_name(f"{name}-before"))
        link.symlink_to(elsewhere)
        said = blank.fails("import-posts", file, "--url", old_site.url, "--allow-private", "--dry-run").err
        assert f"{name}/: is a link to something outside the project, so nothing is written there" in said
        assert said.count("\n") == 1
        link.unlink()
    (blank.root / "static").mkdir()
    (blank.root / "static/content").symlink_to(elsewhere)
    said = blank.fails("import-posts", file, "--url", old_site.url, "--allow-private").err
    assert "is a link to something outside the project" in said
    assert list(elsewhere.iterdir()) == []


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


BOMB = '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel>&b;</channel></rss>'
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "isn't an export of Ghost"),
    "subscribers": (b"email,name\na@example.org,A\n", "to import subscribers, use `publisher subscribers import`"),
    "a page": (b"<!doctype html><html>", "isn't an export of Ghost"),
    "a feed": (b"<rss><channel><item/></channel></rss>", "isn't an export of WordPress"),
    "entities": (BOMB.encode(), "has a document type"),
    "cut off": (b"<rss><channel><item><title>", "isn't XML that can be read"),
    "deep xml": (b"<rss>" + b"<a>" * 200_000, "is nested too deeply"),
    "deep json": (b'{"db":' + b"[" * 200_000, "is nested too deeply"),
    "other json": (b'{"db": [{"data": {"posts": 3}}]}', "it has no table of posts"),
    "no zip": (b"PK\x03\x04garbage", "isn't a zip archive"),
    "no columns": (zipped(**{"posts.csv": b"a,b\n1,2\n"}), "has no column post_id"),
    "other zip": (zipped(**{"a.txt": b"x"}), "isn't an export of Ghost"),
}


def test_each_hostile_file_is_one_line_and_writes_nothing(blank: Project) -> None:
    # Only in this test, as packing it takes a second and a lot of memory.
    bomb = zipped(**{"posts.csv": b"a" * 300_000_000}), "seems to be a zip bomb"
    for name, (data, said) in (HOSTILE | {"bomb": bomb}).items():
        file = blank.write("export", data)
        failed = blank.fails("import-posts", str(file))
        assert said in failed.err, name
        assert (failed.err.count("\n"), failed.out) == (1, ""), name
    assert not list((blank.root / "posts").glob("*"))


def test_no_file_of_an_export_leaves_its_folder(blank: Project) -> None:
    evil = ("../../../etc/passwd", "..\\..\\x", "/etc/x", "a/../../b", "\x00", "CON", "a" * 5_000, ".env")
    posts = [
        {"id": str(n), "title": s, "slug": s, "type": "post", "status": "published", "published_at": "2024-05-01"}
        | {"html": f'<img src="__GHOST_URL__/{s}.png"><img src="__GHOST_URL__/%2e%2e/%2e%2e/{n}.png">'}
        for n, s in enumerate(evil)
    ]
    file = blank.write("ghost.json", json.dumps({"db": [{"data": {"posts": posts}}]}))
    outside = set(blank.root.parent.iterdir())
    before = set(blank.root.iterdir())
    blank.run("import-posts", str(file), "--no-files")
    assert set(blank.root.parent.iterdir()) == outside
    assert set(blank.root.iterdir()) - before <= {blank.root / "posts"}
    assert {path.parent for path in (blank.root / "posts").rglob("*")} == {blank.root / "posts"}
    assert len(list((blank.root / "posts").iterdir())) == len(evil)
    open_archive(blank.config(), NOW)


def substack_of(project: Project, posts: dict[str, tuple[str, str]]) -> Path:
    """Return an archive with these posts, each given by name as its audience and its HTML."""
    rows = [f"1.{name},2024-05-01T08:00:00Z,true,newsletter,{who},{name},," for name, (who, _) in posts.items()]
    table = "\n".join(["post_id,post_date,is_published,type,audience,title,subtitle,podcast_url", *rows])
    files = {f"posts/1.{name}.html": html.encode() for name, (_, html) in posts.items() if html}
    return project.write("substack.zip", zipped(**{"posts.csv": table.encode()}, **files))


WALL = '<p>Free</p><div class="paywall-jump" data-component-name="PaywallToDOM"></div><p>Paid.</p>'


def test_no_paid_part_of_a_substack_post_becomes_public(blank: Project) -> None:
    posts = {
        "open": ("everyone", "<p>All.</p>"),
        "free": ("only_free", "<p>F.</p>"),
        "paid": ("only_paid", WALL),
        "wall": ("everyone", WALL),
        "new": ("patrons", "<p>P.</p>"),
    }
    done = blank.ok("import-posts", str(substack_of(blank, posts)), "--no-files", "--json").json
    assert {each["path"][17:-5]: each["reason"] for each in done["hidden"]} == {
        "free": "for free subscribers only",
        "paid": "for paying subscribers only",
        "wall": "a part of it is for paying subscribers only",
        "new": "for subscribers of the kind patrons only",
    }
    for name in ("paid", "wall"):  # even if the draft line is deleted
        text = blank.read(f"posts/2024-05-01-{name}.html")
        blank.write(f"posts/2024-05-01-{name}.html", "\n".join(x for x in text.split("\n") if "draft:" not in x))
        assert f"{name}.html" in blank.fails("check").out
        blank.write(f"posts/2024-05-01-{name}.html", text)


def test_ghost_posts_keep_caption_and_date_but_no_email_of_an_author(blank: Project) -> None:
    row = {"id": "a1", "title": "A", "slug": "a", "html": "<p>T</p>", "type": "post", "status": "published"}
    row |= {"published_at": None, "created_at": "2024-05-01T08:00:00Z", "feature_image": "https://i.example/a.png"}
    caption = "<i>Photo</i> by <a href='https://x.example'>Ann</a>"
    tables = {
        "posts": [row],
        "posts_meta": [{"post_id": "a1", "feature_image_alt": "B", "feature_image_caption": caption}],
    }
    tables |= {
        "users": [{"id": "u", "name": "ada@secret.example"}],
        "posts_authors": [{"post_id": "a1", "author_id": "u"}],
    }
    blank.ok("import-posts", str(blank.write("g.json", json.dumps({"db": [{"data": tables}]}))), "--no-files")
    text = blank.read("posts/2024-05-01-a.html")
    assert 'image_alt: "B"\nimage_caption: "Photo by Ann"' in text
    assert "secret" not in text


def test_data_missing_in_substack_exports_is_reported_with_the_post(blank: Project) -> None:
    poll = """<p>Hi.</p><div class="poll-embed" data-attrs='{"id":1}'></div>"""
    tex = """<p>Hi.</p><div class="latex-rendered" data-attrs='{"persistentExpression":"x^2"}'></div>"""
    file = substack_of(blank, {"asked": ("everyone", poll), "tex": ("everyone", tex), "bare": ("everyone", "")})
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("posts/99.lone.html", "<p>L</p>")
    done = blank.ok("import-posts", str(file), "--no-files", "--json").json
    assert done["left"] == {"polls (in asked)": 1, "texts that posts.csv doesn't list (in 99.lone.html)": 1}
    assert done["hidden"] == [{"path": "posts/2024-05-01-bare.html", "reason": "the export does not contain its text"}]
    assert '<pre><code class="language-math">x^2</code></pre>' in blank.read("posts/2024-05-01-tex.html")


def ghost_of(project: Project, **posts: dict[str, object]) -> Path:
    """Return an export with published posts, each given by name as its other fields."""
    usual = {"type": "post", "status": "published", "visibility": "public", "published_at": "2024-05-01T08:00:00Z"}
    rows = [usual | {"id": f"a{name}", "title": name, "slug": name} | values for name, values in posts.items()]
    return project.write("g.json", json.dumps({"db": [{"data": {"posts": rows}}]}))


def test_no_ghost_post_is_published_without_its_text(blank: Project) -> None:
    lexical = {"root": {"children": [{"type": "paragraph", "children": [{"type": "text", "text": "LEX"}]}]}}
    unread = {"root": {"children": [{"type": "hologram"}]}}
    file = ghost_of(
        blank,
        lex={"html": None, "lexical": json.dumps(lexical)},
        mob={"html": None, "mobiledoc": json.dumps({"sections": [[1, "p", [[0, [], 0, "MOB"]]]]})},
        odd={"html": None, "lexical": json.dumps(unread)},
        cut={"html": "<p>F</p><!--members-only--><p>S</p>"},
        card={"html": '<div class="kg-card kg-signup-card"><form></form></div><p>C</p>'},
    )
    done = blank.ok("import-posts", str(file), "--no-files", "--json").json
    assert done["hidden"] == [
        {"path": "posts/2024-05-01-odd.html", "reason": "its text is in a form of Ghost's editor that can't be read"},
        {"path": "posts/2024-05-01-cut.html", "reason": "a part of it is for members only"},
    ]
    assert done["left"] == {"cards of the kind hologram (in odd)": 1}
    texts = {
        name: blank.read(f"posts/2024-05-01-{name}.html").partition("\n---\n")[2].strip()
        for name in ("lex", "mob", "card")
    }
    assert texts == {"lex": "<p>LEX</p>", "mob": "<p>MOB</p>", "card": "<p>C</p>"}


def test_no_url_of_the_ghost_site_itself_is_left(blank: Project) -> None:
    html = (
        '<p>See __GHOST_URL__/a/ <a href="__GHOST_URL__/two/?ref=x#a">l</a></p>'
        '<img src="__GHOST_URL__/content/images/i.png"'
        ' srcset="__GHOST_URL__/content/images/s.png 600w, __GHOST_URL__/content/images/i.png 1000w">'
        '<video src="__GHOST_URL__/content/media/v.mp4" poster="__GHOST_URL__/content/media/v.jpg"></video>'
    )
    row: dict[str, object] = {"html": html, "canonical_url": "__GHOST_URL__/two/"}
    file = ghost_of(blank, two=row)
    blank.ok("import-posts", str(file), "--no-files", "--url", "https://old.example")
    text = blank.read("posts/2024-05-01-two.html")
    assert "__GHOST_URL__" not in text
    assert 'canonical: "https://old.example/two/"' in text
    assert '<p>See https://old.example/a/ <a href="/two/?ref=x#a">l</a></p>' in text
    assert 'srcset="https://old.example/content/images/s.png 600w, https://old.example/' in text
    site = PreviousSite("https://old.example", {})
    post = site.moved(ExportedPost(title="T", html=html))
    assert '<video src="/content/media/v.mp4" poster="/content/media/v.jpg"></video>' in post.html
    assert [place for _, place in site.files(post)] == [
        f"/content/{name}" for name in ("images/i.png", "media/v.mp4", "media/v.jpg")
    ]
