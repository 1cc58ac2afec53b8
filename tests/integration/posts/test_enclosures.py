"""Enclosures have the length of the published file, and the same type on every machine."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.config import PagesConfig
from publisher.posts.enclosures import NOT_THERE, files_of, size_in
from tests.support.posts_samples import HELLO, SITE, URL, Folder, post_of, settings
from tests.support.project import Project

SOUND = b"\xff\xfb\x90\x00" * 25
PODCAST = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"


def length_of(folder: Folder, audio: str, name: str = HELLO) -> int:
    folder.write(name, "Words.", f"title: x\naudio: {audio}")
    (post,) = folder.archive().posts
    (enclosure,) = post.enclosures
    return enclosure.length


@pytest.mark.parametrize(
    ("file", "reference"),
    [
        ("static/a.mp3", "/a.mp3"),
        ("static/deep/down/a b.mp3", "/deep/down/a%20b.mp3"),
        ("static/日本.mp3", "/日本.mp3"),
        ("static/a.mp3", f"{URL}/a.mp3"),
        ("static/a.mp3", f"{URL}/a.mp3?from=feed"),
        ("static/a.xyz", "{url: /a.xyz, type: audio/mpeg}"),
        ("static/2024/07/06/hello/a.mp3", "a.mp3"),
        ("posts/a.mp3", "a.mp3"),
        ("posts/sounds/a.mp3", "sounds/a.mp3"),
        ("sounds/a.mp3", "../sounds/a.mp3"),
        ("sounds/a.mp3", "/sounds/a.mp3"),
    ],
)
def test_a_file_of_the_project_has_its_true_length(tmp_path: Path, file: str, reference: str) -> None:
    folder = Folder(tmp_path)
    folder.file(file, SOUND)
    assert length_of(folder, reference) == len(SOUND)


def test_static_files_outrank_files_next_to_the_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(static="media"))
    folder.file("media/a.mp3", SOUND)
    folder.file("a.mp3", SOUND * 2)
    folder.file("static/a.mp3", SOUND * 3)
    assert length_of(folder, "/a.mp3") == len(SOUND)


def test_a_site_in_a_folder_finds_its_files_too(tmp_path: Path) -> None:
    from dataclasses import replace

    folder = Folder(tmp_path, replace(SITE, url=f"{URL}/blog"))
    folder.file("static/a.mp3", SOUND)
    assert length_of(folder, "/blog/a.mp3") == len(SOUND)


@pytest.mark.parametrize("reference", ["https://cdn.example/a.mp3", f"{URL}.evil.example/a.mp3", "/none.mp3"])
def test_a_file_elsewhere_has_only_its_written_length(tmp_path: Path, reference: str) -> None:
    folder = Folder(tmp_path)
    folder.file("static/a.mp3", SOUND)
    assert length_of(folder, reference) == 0
    assert length_of(folder, f"{{url: '{reference}', length: 1234}}") == 1234


@pytest.mark.parametrize(
    "reference",
    ["../../secret.mp3", "/../secret.mp3", "/%2e%2e/secret.mp3", "/%2e%2e/%2e%2e/secret.mp3", "/link.mp3",
     "/dir/secret.mp3", "beside.mp3", f"{URL}/../secret.mp3", "/..%5csecret.mp3", "/a%00.mp3"],
)  # fmt: skip
def test_no_file_outside_the_project_is_measured(tmp_path: Path, reference: str) -> None:
    folder = Folder(tmp_path / "project")
    (tmp_path / "secret.mp3").write_bytes(SOUND)
    (folder.root / "static").mkdir()
    (folder.root / "static/link.mp3").symlink_to(tmp_path / "secret.mp3")
    (folder.root / "static/dir").symlink_to(tmp_path)
    (folder.root / "posts/beside.mp3").symlink_to("../../secret.mp3")
    assert length_of(folder, f"'{reference}'") == 0


def test_a_link_within_the_project_is_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("sounds/a.mp3", SOUND)
    (folder.root / "static").mkdir()
    (folder.root / "static/b.mp3").symlink_to("../sounds/a.mp3")
    assert length_of(folder, "/b.mp3") == len(SOUND)


def test_a_folder_has_no_length(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (folder.root / "static/a.mp3").mkdir(parents=True)
    assert length_of(folder, "/a.mp3") == 0


@pytest.mark.parametrize("name", ["a%00", "a" * 300, "日" * 100])
def test_an_impossible_file_name_stops_no_post(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, f"![t](/{name}.png) ![t]({name}.png)", f"title: x\nimage: /{name}.png\naudio: {name}.mp3")
    report = folder.build()
    assert (report.posts, report.errors) == (1, ())


@given(st.text(st.sampled_from("./\\%2eE5c\0a"), max_size=30))
def test_no_spelling_of_a_path_leads_out(reference: str) -> None:
    for path in files_of(f"/{reference}.mp3", f"{URL}/{reference}.mp3", settings(), HELLO):
        assert ".." not in path.split("/")
        assert not path.startswith("/")


def test_an_impossible_path_is_a_missing_file(tmp_path: Path) -> None:
    assert size_in(tmp_path, "a" * 5000) == NOT_THERE


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.mp3", "audio/mpeg"), ("a.MP3", "audio/mpeg"), ("a.m4a", "audio/mp4"), ("a.m4b", "audio/mp4"),
        ("a.ogg", "audio/ogg"), ("a.oga", "audio/ogg"), ("a.opus", "audio/ogg"), ("a.wav", "audio/wav"),
        ("a.flac", "audio/flac"), ("a.aac", "audio/aac"), ("a.mp4", "video/mp4"), ("a.m4v", "video/mp4"),
        ("a.webm", "video/webm"), ("a.mov", "video/quicktime"), ("a.pdf", "application/pdf"),
        ("a.epub", "application/epub+zip"), ("a.zip", "application/zip"), ("a.mp3?x=a.pdf", "audio/mpeg"),
        ("a%2Emp3", "audio/mpeg"),
    ],
)  # fmt: skip
def test_the_ending_tells_the_type(name: str, media_type: str) -> None:
    (enclosure,) = post_of(f"---\ntitle: x\naudio: 'https://cdn.example/{name}'\n---\n").enclosures
    assert enclosure.media_type == media_type


def test_a_changed_enclosure_is_measured_again(empty: Project) -> None:
    def lengths() -> list[object]:
        root = ElementTree.fromstring(empty.read("public/feed.xml"))
        atom = ElementTree.fromstring(empty.read("public/atom.xml"))
        links = atom.findall(".//{http://www.w3.org/2005/Atom}link[@rel='enclosure']")
        attachments = json.loads(empty.read("public/feed.json"))["items"][0]["attachments"]
        return [
            *(e.get("length") for e in root.iter("enclosure")),
            *(link.get("length") for link in links),
            *(a.get("size_in_bytes") for a in attachments),
        ]

    empty.configure(newsletters="")
    empty.post("episode", audio="/12.mp3")
    empty.ok("build")
    assert lengths() == ["0", None, None]  # unknown: RSS asks for a number, and 0 is what its profile says
    empty.write("static/12.mp3", SOUND)
    assert empty.ok("build", "--json").json["written"] > 0
    assert lengths() == ["100", "100", 100]
    empty.write("static/12.mp3", SOUND * 2)
    empty.ok("build")
    assert lengths() == ["200", "200", 200]
    assert empty.ok("build", "--json").json["written"] == 0
    (empty.root / "static/12.mp3").unlink()
    empty.ok("build")
    assert lengths() == ["0", None, None]


def podcast(project: Project, more: str) -> ElementTree.Element:
    project.configure(more, newsletters="")
    project.ok("build")
    channel = ElementTree.fromstring(project.read("public/feed.xml")).find("channel")
    assert channel is not None
    return channel


def test_a_feed_with_audio_says_what_podcast_directories_ask(project: Project) -> None:
    project.post("episode", audio="{url: /12.mp3, duration: '1:00'}")
    channel = podcast(project, "")
    outer = channel.find(f"{PODCAST}category")
    assert outer is not None
    assert [each.get("text") for each in outer.iter()] == ["Society & Culture", "Personal Journals"]
    assert channel.findtext(f"{PODCAST}explicit") == "false"
    assert channel.findtext(f"item/{PODCAST}duration") == "60"
    channel = podcast(project, '\n[feeds]\npodcast_category = "Technology"\npodcast_explicit = true\n')
    assert [each.get("text") for each in channel.iter(f"{PODCAST}category")] == ["Technology"]
    assert channel.findtext(f"{PODCAST}explicit") == "true"
    channel = podcast(project, '\n[feeds]\npodcast_category = ""\n')
    assert channel.find(f"{PODCAST}category") is None


def test_a_feed_without_audio_says_nothing_of_podcasts(project: Project) -> None:
    project.post("paper", audio="/12.pdf")
    channel = podcast(project, '\n[feeds]\npodcast_category = "Arts > Books"\npodcast_explicit = true\n')
    assert [each.tag for each in channel.iter() if each.tag.startswith(PODCAST)] == []
    assert len(list(channel.iter("enclosure"))) == 1


@pytest.mark.parametrize("category", ["Tech", "arts", "Arts > Books > Old", "Arts >", "> Books"])
def test_a_category_that_no_directory_knows_is_a_mistake(project: Project, category: str) -> None:
    project.configure(f'\n[feeds]\npodcast_category = "{category}"\n')
    ran = project.run("build")
    assert ran.code == 1
    assert "isn't a podcast category; write it like Arts or Arts > Books" in ran.err
