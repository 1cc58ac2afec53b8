"""Slugs, permalinks and permanent ids are readable in any script, safe as file names, and always the same."""

from __future__ import annotations

import sqlite3
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.config import Posts
from publisher.posts.permalinks import file_date, name_of, page_file, tidy_path
from publisher.posts.slugs import normal_form, post_slug, tag_slug, topic_slug
from tests.support.posts_samples import HELLO, SITE, Folder, post_of, read

NFD = unicodedata.normalize("NFD", "Café")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("日本語", "日本語"), ("Deutsch", "deutsch"), ("Straße", "strasse"), ("R&D", "r_and_d"), ("R & D", "r_and_d"),
        ("C", "c"), ("C++", "c_plus_plus"), ("C#", "c_sharp"), ("F#", "f_sharp"), (".NET", "dot_net"),
        ("R and D", "r-and-d"), ("Search and Rescue", "search-and-rescue"), ("Star", "star"), ("*", "star_"),
        ("NET", "net"), ("snake_case", "snake-case_de6ceaf4"),
        ("Node.js", "node.js"), ("ASP.NET", "asp.net"), ("a/b", "a-b_82badf67"), ("../../etc",
        "dot_dot_dot_dot_etc_f470a0ab"),
        ("..", "dot_dot"), (".", "dot_"), ("हिन्दी", "हिन्दी"), ("العربية", "العربية"), ("100%", "100_percent"),
        ("❤️", "❤"), ("👩‍💻", "👩-💻_e315b2b0"), ("🇩🇪", "🇩🇪"), ("!", "bang_"), ("—", "u2014_82faef73"),
        ("two\u00a0words", "two-words"), ("ﬁne", "fine"), ("Mr. Smith", "mr.smith"),
        ("m²", "m2_90fae460"), ("r_and_d", "r-and-d_cc14335a"),
        ("index.html", "index.html_a8062830"),
    ],
)  # fmt: skip
def test_a_tag_has_a_readable_slug(name: str, slug: str) -> None:
    assert tag_slug(name) == slug


@pytest.mark.parametrize(
    "forms",
    [
        ("Café", NFD, "CAFÉ", "café"),
        ("Ⅸ", "IX", "ix"),
        ("ＡＢＣ", "abc"),
        ("❤", "❤️"),
        ("Foo Bar", "foo  bar", "FOO-BAR"),
    ],
)
def test_case_and_unicode_forms_are_one_tag(forms: tuple[str, ...]) -> None:
    assert len({tag_slug(form) for form in forms}) == 1


def test_different_languages_of_programming_are_different_tags() -> None:
    names = ["C", "C++", "C#", "c--", "F", "F#", ".NET", "NET", "R", "R&D", "R+D", "RD", "J", "J#", "J++", "Q*", "Q"]
    assert len({tag_slug(name) for name in names}) == len(names) - 1  # c-- is C with dashes
    assert tag_slug("c--") == tag_slug("C")


def test_a_symbol_and_its_word_are_different_tags() -> None:
    names = ["日本語", "R&D", "R and D", "C++", "C plus plus", "C+plus", "plus+", "+plus", "++", "plus plus", "C#",
             "C sharp", "C", ".NET", "dot NET", "NET", "*", "star", "Q&A", "Q and A", "and", "&"]  # fmt: skip
    assert len({tag_slug(name) for name in names}) == len(names)


def test_a_new_tag_changes_no_other_slug(tmp_path: Path) -> None:
    def slugs(*tags: str) -> dict[str, str]:
        folder = Folder(tmp_path / str(len(tags)))
        for number, tag in enumerate(tags):
            head = f"title: T\ndate: 2026-11-{number + 1:02}\ntags: ['{tag}']"
            folder.write(f"{number}.md", "Words.", head)
        return {tag.name: tag.slug for tag in folder.archive().tags()}

    few = slugs("R&D", "C")
    many = slugs("R&D", "C", "R and D", "C++", "C#", "日本語", ".NET", "NET")
    assert len(set(many.values())) == 8
    assert few.items() <= many.items()


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("hello", "hello"), ("Hello, World!", "hello-world"), ("wait...what", "wait.what"), ("..", "post"),
        ("v1.2.3", "v1.2.3"), ("it’s", "its"), ("日本語", "日本語"), ("❤️", "post"), ("", "post"), ("a/../b", "a-.-b"),
        ("_private", "private"), (".hidden", "hidden"), ("snake_case", "snake_case"), ("A--B", "a-b"),
    ],
)  # fmt: skip
def test_a_post_has_a_readable_slug(text: str, slug: str) -> None:
    assert post_slug(text) == slug


NAMES = st.one_of(
    st.text(max_size=400),
    st.text(st.sampled_from("aÄß.-_/#+ \u0301\u200d\ufe0f❤️日\u0345ǅſ½․…／\0\n"), max_size=30),
    st.builds(lambda char, count: char * count, st.characters(exclude_categories=["Cs"]), st.integers(1, 400)),
)


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(NAMES)
@example("x" * 300)
@example("日" * 300)
@example("👩‍💻" * 100)
@example("-" * 300)
@example("ﷺ" * 20)
def test_every_slug_is_one_safe_segment_of_a_path(name: str) -> None:
    for slug in (tag_slug(name), post_slug(name)):
        assert 0 < len(slug.encode()) <= 200
        assert not set(slug) & set('/\\?#%:"<>|* ')
        assert ".." not in slug
        assert slug[0] not in ".-"
        assert slug == slug.strip()
        assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") for char in slug)


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(NAMES)
def test_the_slug_of_a_posts_slug_is_itself(name: str) -> None:
    assert post_slug(post_slug(name)) == post_slug(name)


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(NAMES)
def test_canonical_forms_of_a_name_are_one_tag(name: str) -> None:
    assert tag_slug(unicodedata.normalize("NFC", name)) == tag_slug(unicodedata.normalize("NFD", name))
    assert normal_form(normal_form(name)) == normal_form(name)


# Names made from few parts, so that two are often nearly equal: symbols, the words for them, hashes, both dashes.
NEAR = st.lists(
    st.sampled_from(
        [*"ab1/:,\\'()_-. +#&@%*$!?=<>|^~\0", "and", "plus", "dot", "star", "sharp", "m²", "m2", "½", "1⁄2",
         "…", "...", "–", "_and_", "u2f", "html", "index", "feed", "xml", "json", "日", "é", "e\u0301", "ﬁ",
        "fi", "\u200d", "none", "face"]
    ),
    max_size=5,
).map("".join)  # fmt: skip


@settings(max_examples=5 * settings.default.max_examples, deadline=None)
@given(st.one_of(st.tuples(NEAR, NEAR), st.tuples(NAMES, NAMES)))
@example(("a/b", "a:b"))
@example(("&face", "and_face"))
@example(("a" * 300, "a" * 301))
def test_different_names_have_different_slugs(
    names: tuple[str, str],
) -> None:
    one, other = names
    assert (tag_slug(one) == tag_slug(other)) == (normal_form(one) == normal_form(other))


def test_names_that_once_shared_a_path_no_longer_do() -> None:
    for names in (
        ["a/b", "a:b", "a,b", "a\\b", "a'b", "a-b", "a_b", "a—b"], ["m²", "m2"], ["½", "1⁄2"],
        ["/", "u2f"], ["&", "and_", "and"], ["R&D", "r_and_d"], ["C++", "c_plus_plus"], ["…", "..."],
        ["none", "", "none_"], ["a", "(a)", "[a]"],
    ):  # fmt: skip
        assert len({tag_slug(name) for name in names}) == len(names)


def test_every_short_ascii_name_has_a_different_slug() -> None:
    chars = [chr(code) for code in range(32, 127) if not chr(code).isupper()]
    names = [*chars, *(a + b for a in chars for b in chars)]
    names += [f"a{char}b" for char in chars]
    forms = {normal_form(name) for name in names}
    assert len({tag_slug(form) for form in forms}) == len(forms)


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(NEAR)
def test_no_slug_equals_the_name_of_a_file_of_the_site(name: str) -> None:
    taken = {"index.html", "feed.xml", "atom.xml", "feed.json", "feed-1.xml", "atom-12.xml", "feed-3.json"}
    assert tag_slug(name) not in taken
    assert not {tag_slug(each) for each in taken} & taken


@pytest.mark.parametrize("name", ["R&D", "C++", ".NET", "*", "a/b", "Ruby on Rails", "日本語", "snake_case", "m²"])
def test_a_topic_is_found_by_tag_or_slug(name: str) -> None:
    assert topic_slug(name) == topic_slug(tag_slug(name)) == tag_slug(name)


def test_long_names_with_the_same_beginning_stay_distinct() -> None:
    assert tag_slug("x" * 300) != tag_slug("x" * 301)
    assert post_slug("日" * 90) != post_slug("日" * 91)
    assert tag_slug("x" * 300).startswith("x" * 150)


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.text(st.sampled_from("a./\\ \n日?#%"), max_size=20))
def test_no_permalink_leaves_the_output_folder(path: str) -> None:
    tidy = tidy_path(path)
    assert tidy.startswith("/")
    assert not {"..", ".", ""} & set(tidy.strip("/").split("/")[1:])


@pytest.mark.parametrize(
    ("written", "path", "file"),
    [
        ("/posts/x", "/posts/x", "posts/x.html"), ("about-me", "/about-me", "about-me.html"),
        ("/posts/x/", "/posts/x/", "posts/x/index.html"), ("/v7.4.0", "/v7.4.0", "v7.4.0.html"),
        ("/x.html", "/x.html", "x.html"), ("/x.html/", "/x.html", "x.html"), ("//a/../b", "/a/b", "a/b.html"),
        ("/", "/", "index.html"), ("", "/", "index.html"), ("/a/index.html", "/a/index.html", "a/index.html"),
    ],
)  # fmt: skip
def test_a_permalink_has_a_slash_at_its_end_if_it_is_written(written: str, path: str, file: str) -> None:
    assert (tidy_path(written), page_file(path)) == (path, file)


@pytest.mark.parametrize(
    ("source", "folder", "name"),
    [
        ("a.md", "", "a"), ("x/y/a.md", "x/y", "a"), ("x/hello/index.md", "x", "hello"), ("index.md", "", "index"),
        ("_posts/a.md", "", "a"), ("blog/_posts/2024-01-01-a.md", "blog", "2024-01-01-a"), ("a.b.md", "", "a.b"),
    ],
)  # fmt: skip
def test_a_page_bundle_has_the_name_of_its_folder(source: str, folder: str, name: str) -> None:
    assert name_of(source) == (folder, name)


@pytest.mark.parametrize(
    "name", ["9999-99-99-a", "2024-02-30-a", "24-01-01-a", "a-2024-01-01", "2024-01", "0001-01-01-a"]
)
def test_a_file_name_without_a_valid_day_has_no_date(name: str) -> None:
    assert file_date(name) is None


@pytest.mark.parametrize("key", ["id", "guid", "ID"])
@pytest.mark.parametrize("value", ["https://old.example/?p=12", "urn:uuid:1", "12"])
def test_an_id_in_front_matter_is_kept_exactly(key: str, value: str) -> None:
    assert post_of(f"---\ntitle: x\n{key}: {value}\n---\n").id == value


ORIGINAL = "---\ntitle: First title\ndate: 2024-07-06\nslug: a\n---\n"


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: Second title\ndate: 2024-07-06\nslug: a\n---\n",
        "---\ntitle: First title\ndate: 2024-07-06\nslug: b\n---\n",
        "---\ntitle: First title\ndate: 2024-07-06\npermalink: /else/where/\n---\n",
        "---\ntitle: First title\ndate: 2024-08-08 10:00\n---\n",
        '+++\ntitle = "First title"\n+++\nOther words.\n',
    ],
)
@pytest.mark.parametrize("url", ["https://site.example", "http://site.example", "https://other.example/blog"])
def test_an_id_survives_every_other_change(text: str, url: str) -> None:
    before, after = post_of(ORIGINAL), post_of(text, url=url)
    assert after.id == before.id == "tag:site.example,2024:2024-07-06:hello"
    assert (after.title, after.url) != (before.title, before.url)


def test_without_an_authority_the_host_is_in_the_id() -> None:
    assert post_of(ORIGINAL, authority="").id == "tag:site.example,2024:2024-07-06:hello"


def test_an_id_is_ascii_for_a_name_in_any_script() -> None:
    assert post_of("---\ntitle: x\n---\n", "日/2024-07-06-é ñ.md").id == (
        "tag:site.example,2024:2024-07-06:%E6%97%A5/%C3%A9-%C3%B1"
    )


def test_the_same_file_name_in_two_folders_does_not_clash(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for language in ("en", "de", "fr"):
        folder.write(f"{language}/2020-10-02-released.md")
    assert len({post.id for post in folder.posts()}) == len({post.permalink for post in folder.posts()}) == 3


@pytest.mark.parametrize(
    ("older", "newer", "name"),
    [
        ("id: same", "id: same", "id as posts/2024-01-01-a.md: same"),
        ("permalink: /x/", "permalink: /x/", "permalink as posts/2024-01-01-a.md: /x/"),
        ("permalink: /x/", "permalink: /X", "permalink as posts/2024-01-01-a.md: /X"),
        ("permalink: /x/", "permalink: /x/index.html", "permalink as posts/2024-01-01-a.md: /x/index.html"),
    ],
)
def test_the_newer_of_two_clashing_posts_is_left_out(older: str, newer: str, name: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("2024-02-01-b.md", head=f"title: b\n{newer}")
    folder.write("2024-01-01-a.md", head=f"title: a\n{older}")
    archive = folder.archive()
    assert [post.title for post in archive.posts] == ["a"]
    (problem,) = archive.problems
    assert (problem.path, problem.message) == ("posts/2024-02-01-b.md", f"has the same {name}")
    assert folder.build().posts == 1


def test_names_that_differ_only_in_symbols_are_different_posts(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = ["🎉", "🎂", "C", "C++", "C#", "…", "party 🎉", "party 🎂", "〇○〡foo"]
    for name in names:
        folder.write(f"2024-07-06-{name}.md", "Text.", "title: x")
    folder.write("2024-07-07-C++.md", "Text.", "title: x")  # from a different day, so its name is unique
    archive = folder.archive(keep=True)
    found = {post.source[11:-3]: post.permalink.removeprefix("/2024/07/06/") for post in archive.posts[1:]}
    assert archive.problems == []
    assert found == {
        "🎉": "🎉/", "🎂": "🎂/", "C": "c/", "C++": "c_plus_plus/", "C#": "c_sharp/", "…": "dot_dot_dot_c45f3d70/",
        "party 🎉": "party-🎉/", "party 🎂": "party-🎂/", "〇○〡foo": "〇-〡foo/",
    }  # fmt: skip
    assert archive.posts[0].permalink == "/2024/07/07/c/"
    assert len(set(archive.ids().values())) == 10
    assert folder.archive().ids() == archive.ids()


def test_a_published_post_keeps_its_id_when_a_name_like_its_own_appears(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("2024-07-06-C#.md", "Text.", "title: x")
    before = folder.archive(keep=True).ids()
    folder.build()
    for name in ("C++", "C"):
        folder.write(f"2024-07-06-{name}.md", "Text.", "title: x")
    after = folder.archive(keep=True)
    assert before.items() <= after.ids().items()
    assert {post.permalink for post in after.posts} == {"/2024/07/06/c/", "/2024/07/06/c_plus_plus/"}
    assert [problem.path for problem in after.problems] == ["posts/2024-07-06-C.md"]  # its name has no symbols to keep


def test_a_name_with_symbols_survives_a_new_authority_or_the_loss_of_the_other_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("C", "C++"):
        folder.write(f"2024-07-06-{name}.md", "Text.", "title: x")
    folder.build()
    (tmp_path / "posts/2024-07-06-C.md").unlink()
    (tmp_path / ".publisher/index.db").unlink()
    assert [post.permalink for post in folder.posts()] == ["/2024/07/06/c_plus_plus/"]
    moved = Folder(tmp_path, site=replace(SITE, authority="other.example,2026"))
    assert [post.id for post in moved.posts()] == ["tag:other.example,2026:2024-07-06:c_plus_plus"]


def test_a_post_that_was_published_without_its_symbols_keeps_its_id_and_url(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("2024-07-06-post.md", "Text.", "title: x")
    folder.build()
    path.rename(path.with_name("2024-07-06-🎉.md"))
    with sqlite3.connect(tmp_path / ".publisher/published.db") as db:
        db.execute("UPDATE ids SET source = '2024-07-06-🎉.md'")
    (post,) = folder.posts()
    assert (post.id, post.permalink) == ("tag:site.example,2024:2024-07-06:post", "/2024/07/06/post/")


def test_two_extensions_of_one_name_clash(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in (HELLO, "2024-07-06-hello.markdown", "2024-07-06-hello/index.md"):
        folder.write(name)
    archive = folder.archive()
    assert (len(archive.posts), len(archive.problems)) == (1, 2)


@pytest.mark.parametrize(
    ("line", "permalink"),
    [
        ("permalink: /a/b", "/a/b"), ("permalink: a.html", "/a.html"), ("url: /old/post.html", "/old/post.html"),
        ("permalink: /../../etc/passwd", "/etc/passwd"), ("permalink: 'a\\b'", "/a/b"),
        ("url: /a/b", "/a/b/"), ("path: a/b", "/a/b/"),
        ("permalink: /日本/é/", "/日本/é/"), ("permalink: true", "/2024/07/06/hello/"),
    ],
)  # fmt: skip
def test_a_permalink_in_front_matter_wins_and_stays_inside_the_site(line: str, permalink: str) -> None:
    assert post_of(f"---\ntitle: x\n{line}\n---\n").permalink == permalink


@pytest.mark.parametrize(
    "value", ["/:years/:title/", "{{ page.slug }}", "//a.example/x", f"/{'x' * 300}/", "[a]", "/日" + "本" * 99]
)
def test_an_unusable_permalink_is_a_warning_with_its_line(value: str) -> None:
    entry = read(
        f"---\ntitle: x\npermalink: {value!r}\n---\n" if value[0] != "[" else "---\ntitle: x\npermalink: [a]\n---\n"
    )
    assert entry.post
    assert entry.post.permalink == "/2024/07/06/hello/"
    assert [(problem.line, problem.severity.value) for problem in entry.problems] == [(3, "warning")]


def test_names_of_any_length_and_script_can_be_built(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(permalink="/{slug}/"), site=replace(SITE, title="日本語"))
    tags = ["x" * 300, "日" * 200, "👩‍💻" * 60, "..", "../..", "a/b", "---", "C++", "c#", "\\", "%2e%2e"]
    folder.write("2024-07-06-" + "é" * 120 + ".md", "", "title: x\ntags:\n" + "".join(f"  - '{tag}'\n" for tag in tags))
    folder.write(HELLO, "", f"title: y\nslug: {'z' * 400}")
    report = folder.build()
    assert (report.posts, report.errors) == (2, ())
    assert sum(name.startswith("tags/") and name.endswith("/feed.xml") for name in folder.public()) == len(tags)
    assert all(len(part.encode()) <= 255 for name in folder.public() for part in name.split("/"))
