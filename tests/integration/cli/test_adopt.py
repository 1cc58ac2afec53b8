"""publisher adopt: a project next to a blog that another tool builds, or instead of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project

POST = "---\ntitle: One\ndate: 2026-11-10\n---\nThe first words of a post that says something to its readers.\n"


@pytest.fixture
def jekyll(empty: Project) -> Project:
    empty.write("_config.yml", "title: A blog\nurl: https://blog.quiet-reader.eu\npermalink: /:year/:title/\n")
    empty.write("_posts/2026-11-10-one.md", POST)
    return empty


def adopt(project: Project, *arguments: str) -> str:
    return project.ok("adopt", str(project.root), *arguments).out


def test_a_blog_gets_a_project_once(jekyll: Project) -> None:
    before = jekyll.listing()
    said = adopt(jekyll, "--dry-run")
    assert jekyll.listing() == before
    assert "Dry run: nothing is written" in said
    assert jekyll.ok("adopt", "-C", str(jekyll.root), "--dry-run").out == said
    written = adopt(jekyll)
    assert "site.title\tA blog\t_config.yml: title" in written
    assert f"made  {jekyll.root}/publisher.toml" in written
    assert "publisher build && cp -R _feeds/. _site/" in written
    assert jekyll.read("publisher.toml").strip() in said
    assert jekyll.files(".") == {"publisher.toml", ".gitignore", "_config.yml", "_posts/2026-11-10-one.md"}
    assert jekyll.read("_config.yml").startswith(
        "title: A blog\nurl: https://blog.quiet-reader.eu\npermalink: /:year/:title/\n\nexclude:\n  - publisher.toml\n"
    )
    assert jekyll.read(".gitignore") == ".publisher/\n_feeds/\n"
    jekyll.write("publisher.toml", "mine")
    refused = jekyll.fails("adopt", str(jekyll.root))
    assert refused.err.count("\n") == 1
    assert "exists already, so nothing was changed" in refused.err
    assert jekyll.read("publisher.toml") == "mine"


def test_the_project_works_immediately_next_to_the_tool_and_instead_of_it(jekyll: Project) -> None:
    adopt(jekyll)
    said = jekyll.ok("check").out
    assert "0 errors" in said
    assert "would publish it" not in said
    jekyll.ok("build")
    assert "https://blog.quiet-reader.eu/2026/one/" in jekyll.read("_feeds/feed.xml")
    assert not (jekyll.root / "_feeds/2026").exists()
    (jekyll.root / "publisher.toml").unlink()
    jekyll.write("_config.yml", jekyll.read("_config.yml").partition("exclude:")[0])
    jekyll.write("CNAME", "blog.quiet-reader.eu\n")
    jekyll.write("robots.txt", "User-agent: one\n")
    found = jekyll.ok("adopt", str(jekyll.root), "--instead", "--json").json
    assert found["settings"]["pages.output"] == "_public"
    assert found["tool"] == "jekyll"
    assert found["settings"]["pages.copy"] == ["CNAME", "robots.txt"]
    assert found["next"][-1]["why"].startswith("shows the first email; sending it needs")
    assert "would publish it" not in jekyll.ok("check").out
    jekyll.ok("build")
    assert "The first words" in jekyll.read("_public/2026/one/index.html")
    assert jekyll.read("_public/CNAME") == "blog.quiet-reader.eu\n"
    assert jekyll.read("_public/robots.txt") == "User-agent: one\n"


def test_a_folder_that_cannot_be_adopted_is_left_alone(empty: Project) -> None:
    for arguments, told in (
        ((str(empty.root),), "there is no configuration of a tool that makes blogs"),
        ((str(empty.root / "nowhere"),), "there is no such folder"),
    ):
        said = empty.fails("adopt", *arguments)
        assert told in said.err
        assert said.err.count("\n") == 1
    assert empty.files(".") == set()


OLD_FEED = """<feed xmlns="http://www.w3.org/2005/Atom"><title>A blog</title><id>x:feed</id>
<updated>2026-11-10T00:00:00Z</updated>
<link href="https://blog.quiet-reader.eu/feed.xml" rel="self"/>
<entry><title>One</title><id>x:one</id><updated>2026-11-10T06:00:00Z</updated><published>2026-11-10T06:00:00Z</published>
<link href="https://blog.quiet-reader.eu/2026/One/"/></entry>
<entry><title>Gone</title><id>x:gone</id><updated>2026-11-01T06:00:00Z</updated><link href="https://x.example/"/></entry>
</feed>"""


def test_the_old_feed_keeps_its_ids_and_the_old_site_is_compared(jekyll: Project) -> None:
    old = str(jekyll.write("old/feed.xml", OLD_FEED))
    jekyll.write("old/2026/one/index.html", "<html>")
    jekyll.write("old/2026/One/index.html", "<html>")
    jekyll.write("old/about.html", "<html>")
    compared = ("--check-against", str(jekyll.root / "old"))
    dry = jekyll.ok("adopt", str(jekyll.root), "--dry-run", "--feed", old)
    assert "can be compared once there is a publisher.toml" in dry.out
    done = jekyll.ok("adopt", str(jekyll.root), "--feed", old, *compared)
    assert "old feed  https://blog.quiet-reader.eu/feed.xml: 2 items, 1 with a post here" in done.out
    assert "made  old-feed.tsv, with 1 post: commit it, so that every build keeps its id\n" in done.out
    assert "no post was found for 'Gone' (https://x.example/)" in done.err
    assert "old site" in done.out
    assert "1 post of 1 where they were" in done.out
    assert "  /about.html\n" in done.out
    kept = jekyll.read("old-feed.tsv")
    assert kept.endswith("\n2026-11-10-one.md\tx:one\t/2026/One/\t2026-11-10T06:00:00Z\n")
    jekyll.ok("build")
    feed = jekyll.read("_feeds/feed.xml")
    assert "<id>x:one</id>" in feed
    assert "https://blog.quiet-reader.eu/2026/One/" in feed
    again = jekyll.ok("adopt", str(jekyll.root), "--feed", old, *compared, "--json").json
    assert (again["feed"]["entries"], again["feed"]["known"]) == ([], 1)
    assert again["addresses"]["gone"] == ["/2026/one/", "/about.html"]
    assert jekyll.read("old-feed.tsv") == kept
    for option, value in (("--feed", "nothing"), ("--feed", str(jekyll.root)), ("--check-against", "nothing")):
        assert jekyll.fails("adopt", str(jekyll.root), option, value).err.count("\n") == 1


def test_pages_only_on_the_old_site_are_reported_with_a_way_to_keep_them(jekyll: Project) -> None:
    old = str(jekyll.write("old/feed.xml", OLD_FEED).parent)
    for path in ("2026/One.html", "about.html", "rss.xml"):
        jekyll.write(f"old/{path}", "<rss><html>")
    beside = jekyll.ok("adopt", str(jekyll.root), "--check-against", old).out
    assert (
        "  To keep the old address: permalink: /2026/One.html in the front matter of _posts/2026-11-10-one.md" in beside
    )
    assert "redirect_from" not in beside  # the tool's pages stay
    (jekyll.root / "publisher.toml").unlink()
    instead = jekyll.ok("adopt", str(jekyll.root), "--instead", "--check-against", old).out
    assert '  To keep one: redirect_from: "/2026/One.html" in the front matter of the post or page that has' in instead
    assert "  or put its page into pages/, or the file as it is into static/\n" in instead
    assert '  To keep a feed: add "rss.xml" to also, under [feeds] in publisher.toml\n' in instead
    text = jekyll.read("_posts/2026-11-10-one.md").replace("title:", 'redirect_from: "/2026/One.html"\ntitle:')
    jekyll.write("_posts/2026-11-10-one.md", text)
    assert "  /2026/One.html\n" not in jekyll.ok("adopt", str(jekyll.root), "--check-against", old).out


def test_posts_in_the_project_folder_keep_their_names_and_are_counted(jekyll: Project) -> None:
    adopt(jekyll)
    for name in ("two", "three", "four"):
        jekyll.write(f"_posts/2026-11-0{len(name)}-{name}.md", POST.replace("One", name.title()).replace("-10", "-05"))
    items = "".join(
        f"<item><title>{name}</title><link>https://blog.quiet-reader.eu/2026/{name.lower()}/</link></item>"
        for name in ("One", "Two", "Three", "Three")
    )
    feed = f"<rss version='2.0'><channel><title>A</title>{items}</channel></rss>"
    said = jekyll.ok("adopt", str(jekyll.root), "--feed", str(jekyll.write("old/feed.xml", feed)))
    assert ", with 4 posts: commit it, so that every build keeps their ids\n" in said.out
    assert "1 of them is an older post, with an id made in the same way\n" in said.out
    assert "'Three': _posts/2026-11-05-three.md already belongs to another item" in said.err
    assert "./_posts" not in said.err + said.out


def test_files_written_here_stay_out_of_the_site_of_eleventy(empty: Project) -> None:
    empty.write("eleventy.config.js", "export default function () {}\n")
    empty.write("posts/one.md", POST)
    empty.write(".eleventyignore", "README.md\n")
    empty.write("templates/mine.njk", "")
    adopt(empty)
    assert empty.read(".eleventyignore") == "README.md\nletters/\n_feeds/\n"


def test_check_recognises_the_tool_from_the_files_next_to_the_settings(jekyll: Project) -> None:
    adopt(jekyll)
    told = "note: _config.yml: Jekyll makes a site here"
    assert told not in jekyll.ok("check").out
    text = jekyll.read("publisher.toml")
    jekyll.write("publisher.toml", "".join(line for line in text.splitlines(keepends=True) if line[:5] != "tool "))
    assert jekyll.ok("check").out.count(told) == 1
    jekyll.write("publisher.toml", text)
    jekyll.write("templates/shortcodes/note.html", "{{ inner }}")
    jekyll.write("templates/index.html", "of another tool")
    assert "never used" not in jekyll.ok("check").out


def test_the_next_steps_are_those_of_the_blog(jekyll: Project) -> None:
    jekyll.write("Gemfile", 'gem "jekyll-feed"\n')
    steps = [each["do"] for each in jekyll.ok("adopt", str(jekyll.root), "--dry-run", "--json").json["next"]]
    assert steps == [
        "publisher check",
        "publisher adopt --feed https://blog.quiet-reader.eu/feed.xml",
        "jekyll build && publisher build && cp -R _feeds/. _site/",
        "publisher preview",
    ]
    found = jekyll.ok("adopt", str(jekyll.root), "--dry-run", "--json", "--instead").json
    assert "publisher adopt --check-against _site" in [each["do"] for each in found["next"]]
    jekyll.write("_config.yml", "title: A blog\n")
    steps = [each["do"] for each in jekyll.ok("adopt", str(jekyll.root), "--dry-run", "--json").json["next"]]
    assert steps[0] == "write the address of the site into publisher.toml"


def test_init_says_that_a_blog_can_be_adopted(empty: Project) -> None:
    empty.write("hugo.toml", 'title = "H"\n')
    assert "hugo.toml: Hugo makes a site here" in empty.ok("init", str(empty.root)).out
    assert "makes a site here" not in empty.ok("init", str(empty.root / "other")).out


def test_nothing_is_written_through_a_link_out_of_the_blog(jekyll: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("title: theirs\n")
    for command in (("adopt", str(jekyll.root)), ("init", str(jekyll.root))):
        for name, target in ((".gitignore", "file"), ("_config.yml", "file"), (".gitignore", "new")):
            before = (jekyll.root / name).read_bytes() if (jekyll.root / name).exists() else None
            (jekyll.root / name).unlink(missing_ok=True)
            (jekyll.root / name).symlink_to(outside / target)
            refused = jekyll.fails(*command).err
            assert f"{name}: is a link to something outside the project, so nothing is written there" in refused
            assert refused.count("\n") == 1
            assert not (jekyll.root / "publisher.toml").exists()
            (jekyll.root / name).unlink()
            if before is not None:
                (jekyll.root / name).write_bytes(before)
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"file": "title: theirs\n"}
    (jekyll.root / "mine").write_text("x\n")
    (jekyll.root / ".gitignore").symlink_to("mine")
    adopt(jekyll)
    assert jekyll.read("mine") == "x\n.publisher/\n_feeds/\n"


def test_the_old_feed_can_be_imported_after_an_edition_without_sending_posts_again(empty: Project) -> None:
    empty.configure()
    for month in range(1, 6):
        empty.post(f"post-{month}", f"2026-0{month}-10")
    empty.post("new", "2026-11-14")
    empty.ok("subscribers", "add", "ada@example.org", "--newsletter", "weekly")
    assert "1 post" in empty.ok("publish", "weekly").out
    url = "https://letters.example"
    items = "".join(
        f"<item><title>{name}</title><link>{url}/old/{number}/</link><guid>x:{number}</guid></item>"
        for number, name in enumerate(("New", "Post 5", "Post 4", "Post 3"))
    )
    old = empty.write(
        "old.xml", f"<rss version='2.0'><channel><title>A</title><link>{url}</link>{items}</channel></rss>"
    )
    taken = empty.ok("adopt", str(empty.root), "--feed", str(old))
    assert "made  old-feed.tsv, with 3 posts" in taken.out
    assert taken.err.count("which it keeps") == 1
    empty.ok("build")
    feed = empty.read("public/atom.xml")
    assert [f"x:{number}<" in feed or f"id:x:{number}" in feed for number in range(4)] == [False, True, True, True]
    for command in (("publish", "weekly", "--dry-run"), ("publish", "weekly")):
        assert "no new posts" in empty.ok(*command).out
