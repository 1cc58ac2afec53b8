"""Enclosures have the length of the published file, and the same type on every machine."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.config import PagesConfig
from publisher.posts.front_matter.enclosures import NOT_THERE, files_of, size_in
from tests.support.posts_samples import HELLO, SITE, URL, Folder, post_of, read, settings
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
def test_no_spelling_of_a_path_leads_outside(reference: str) -> None:
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
def test_the_extension_determines_the_type(name: str, media_type: str) -> None:
    (enclosure,) = post_of(f"---\ntitle: x\naudio: 'https://cdn.example/{name}'\n---\n").enclosures
    assert enclosure.media_type == media_type


EPISODE = ("https://c.test/ep.mp3", "audio/mpeg", 1234, 0)
SPACED = ("https://c.test/my%20ep.mp3?t=1", "audio/mpeg")
UNDERSTOOD = {
    # WordPress's value: the URL, the length and the type, however YAML writes it
    'enclosure: "https://c.test/ep.mp3 1234 audio/mpeg"': EPISODE,
    'enclosure: "https://c.test/ep.mp3\\n1234\\naudio/mpeg\\n"': EPISODE,
    'enclosure: "https://c.test/ep.mp3\\r\\n1234\\r\\naudio/mpeg"': EPISODE,
    "enclosure: |\n  https://c.test/ep.mp3\n  1234\n  audio/mpeg": EPISODE,
    "enclosure: >-\n  https://c.test/ep.mp3\n  1234\n  audio/mpeg": EPISODE,
    "enclosure: https://c.test/ep.mp3 1234": EPISODE,
    'enclosure: ["https://c.test/ep.mp3\\t1234\\taudio/mpeg"]': EPISODE,
    "enclosure:\n- https://c.test/ep.mp3 1234 audio/mpeg": EPISODE,
    'enclosure: {url: "https://c.test/ep.mp3 1234 audio/mpeg"}': EPISODE,
    'enclosure: |\n  https://c.test/ep.mp3\n  1234\n  audio/mpeg\n  a:1:{s:8:"duration";s:8:"00:10:05";}':
        (*EPISODE[:3], 605),
    # URLs with spaces and queries
    "enclosure: https://c.test/my ep.mp3?t=1": (*SPACED, 0, 0),
    "enclosure: https://c.test/my ep.mp3?t=1 1234 audio/mpeg": (*SPACED, 1234, 0),
    "podcast: {url: https://c.test/my ep.mp3?t=1, bytes: 1234}": (*SPACED, 1234, 0),
    "enclosure: my ep.mp3": (f"{URL}/2024/07/06/hello/my%20ep.mp3", "audio/mpeg", 0, 0),
    # tables
    "podcast: {audio: https://c.test/ep.mp3, size: 1234}": EPISODE,
    "podcast: {audio: {href: https://c.test/ep.mp3, length: 1234}}": EPISODE,
    "audio: {mp3: https://c.test/ep.mp3, filesize: 1234}": EPISODE,
    "audio: {url: https://c.test/ep.mp3, duration_in_seconds: 605.5, size_in_bytes: 1234}": (*EPISODE[:3], 605),
    "enclosure: {url: https://c.test/ep, mime_type: audio/ogg}": ("https://c.test/ep", "audio/ogg", 0, 0),
    # other keys next to it
    "audio: https://c.test/ep.mp3\nduration: 10:05\nlength: 1234\nmime: audio/mpeg": (*EPISODE[:3], 605),
    "audio: https://c.test/ep.mp3\nlength: 10:05\nfile_size: 1234": (*EPISODE[:2], 0, 605),
    "audio: https://c.test/ep\ntype: audio/ogg\nbytes: 7": ("https://c.test/ep", "audio/ogg", 7, 0),
    "audio: https://c.test/ep.mp3\ntype: post\nlength: long\nsize: 1234": (*EPISODE[:2], 0, 0),
    "episode: 12\nmp3: https://c.test/ep.mp3\nsize: 1234": EPISODE,
    "podcast: {season: 2}\nenclosure_url: https://c.test/ep.mp3\nitunes: {duration: 45 min}": (*EPISODE[:2], 0, 2700),
    "audio: https://c.test/ep.mp3\nduration: PT1H2M3S": (*EPISODE[:2], 0, 3723),
    "audio: https://c.test/ep.mp3\nduration: 1h 2m": (*EPISODE[:2], 0, 3720),
}  # fmt: skip


def test_url_length_and_type_are_read_as_exporters_write_them() -> None:
    for lines, expected in UNDERSTOOD.items():
        entry = read(f"---\ntitle: x\n{lines}\n---\n")
        assert entry.post
        found = [(e.url, e.media_type, e.length, e.duration) for e in entry.post.enclosures]
        assert (lines, found, entry.problems) == (lines, [expected], ())


def test_formats_of_one_episode_are_enclosures_with_the_same_duration() -> None:
    post = post_of("---\ntitle: x\naudio: {m4a: /a.m4a, mp3: /a.mp3}\nduration: 62:03\nlength: 5\n---\n")
    found = [(e.url.rpartition("/")[2], e.length, e.duration) for e in post.enclosures]
    assert found == [("a.mp3", 0, 3723), ("a.m4a", 0, 3723)]


@pytest.mark.parametrize(
    "lines",
    ["enclosure: nonsense", "audio: {length: 12}", "enclosures: [/a.mp3, words]", 'audio: "//["', "mp3: 12",
     "podcast: {title: x.mp3}", "enclosure: {url: 'javascript:a.mp3'}"],
)  # fmt: skip
def test_an_unreadable_value_of_an_enclosure_key_is_a_warning(lines: str) -> None:
    (problem,) = read(f"---\ntitle: x\ndate: 2024-07-06\n{lines}\n---\n").problems
    assert (problem.line, problem.severity) == (4, "warning")
    assert "is not the URL or path of a file, and is left out" in problem.message
    assert problem.message.startswith(f"{lines.partition(':')[0]}: ")


@pytest.mark.parametrize(
    "lines",
    ["podcast: {season: 1, episode: 3}", "podcast: My show", "episode: 12", "episode: 12.5", "podcast: true",
     "audio: false", "audio: ''", "enclosures: []", "podcast: {feed: https://c.test/feed.xml}", "duration: long"],
)  # fmt: skip
def test_a_key_with_another_meaning_is_not_an_enclosure(lines: str) -> None:
    assert post_of(f"---\ntitle: x\n{lines}\n---\n").enclosures == ()


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
    assert lengths() == ["0", None, None]  # unknown: RSS requires a number, and its profile recommends 0
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


def test_a_feed_with_audio_has_what_podcast_directories_require(project: Project) -> None:
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


def test_a_feed_without_audio_has_no_podcast_elements(project: Project) -> None:
    project.post("paper", audio="/12.pdf")
    channel = podcast(project, '\n[feeds]\npodcast_category = "Arts > Books"\npodcast_explicit = true\n')
    assert [each.tag for each in channel.iter() if each.tag.startswith(PODCAST)] == []
    assert len(list(channel.iter("enclosure"))) == 1


@pytest.mark.parametrize("category", ["Tech", "arts", "Arts > Books > Old", "Arts >", "> Books"])
def test_a_category_unknown_to_directories_is_a_mistake(project: Project, category: str) -> None:
    project.configure(f'\n[feeds]\npodcast_category = "{category}"\n')
    ran = project.run("build")
    assert ran.code == 1
    assert "isn't a podcast category; write it like Arts or Arts > Books" in ran.err


EPISODES = {
    "sound": """audio: {url: https://c.test/1.mp3, length: 7, duration: 10:05}
season: 2
episode: 03
episodeType: Bonus
itunes_title: The "tea" & <cakes>
explicit: yes
transcript: [/1.vtt, {url: https://c.test/1.srt?x=1&y=2}, {url: https://c.test/1, type: text/html}]
chapters: https://c.test/1.json
image: https://c.test/1.jpg""",
    "film": "enclosure: {url: https://c.test/2.mp4, length: 7}\npodcast: {season: 2, episode: 4}\nexplicit: clean\n"
    "duration: 65",
    "plain": "audio: {url: https://c.test/3.mp3, length: 7}",
    "paper": "enclosure: {url: https://c.test/4.pdf, length: 7}\nseason: 9\nepisode: 9\nexplicit: yes",
}


def test_podcast_directories_see_each_element_of_an_episode(empty: Project) -> None:
    empty.write("static/1.vtt", "WEBVTT")
    for day, (name, lines) in enumerate(EPISODES.items(), 1):
        empty.write(f"posts/2026-11-0{day}-{name}.md", f"---\ntitle: {name}\n{lines}\n---\nWords.\n")
    channel = podcast(empty, '\n[feeds]\npodcast_type = "serial"\n')
    assert channel.findtext(f"{PODCAST}type") == "serial"
    items = {item.findtext("title"): item for item in channel.iter("item")}
    told = {
        name: {child.tag.removeprefix(PODCAST): child.text for child in item if child.tag.startswith(PODCAST)}
        for name, item in items.items()
    }
    assert told == {
        "sound": {"duration": "605", "title": 'The "tea" & <cakes>', "season": "2", "episode": "3",
                  "episodeType": "bonus", "explicit": "true", "image": None},
        "film": {"duration": "65", "season": "2", "episode": "4", "explicit": "false"},
        "plain": {},
        "paper": {},
    }  # fmt: skip
    new = "{https://podcastindex.org/namespace/1.0}"
    assert [(each.get("url"), each.get("type")) for each in channel.iter(f"{new}transcript")] == [
        ("https://letters.example/1.vtt", "text/vtt"),
        ("https://c.test/1.srt?x=1&y=2", "application/x-subrip"),
        ("https://c.test/1", "text/html"),
    ]
    assert "xmlns:podcast=" in empty.read("public/feed.xml")
    (chapters,) = channel.iter(f"{new}chapters")
    assert chapters.attrib == {"url": "https://c.test/1.json", "type": "application/json+chapters"}
    read_back = {e.title: e for e in feedparser.parse(empty.read("public/feed.xml")).entries}
    assert (read_back["sound"].itunes_episode, read_back["sound"].itunes_season) == ("3", "2")
    assert "Apple's podcast directory" in empty.run("check").said
    empty.write("publisher.toml", empty.read("publisher.toml").replace("[mail]", 'image = "cover.png"\n\n[mail]'))
    assert "Apple's podcast directory" not in empty.run("check").said


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("season: two", "season: 'two' is not a number, and is ignored"),
        ("episode_number: 1a", "episode_number: '1a' is not a number, and is ignored"),
        ("episodeType: special", "episodeType: 'special' is not a kind of episode"),
        ("explicit: maybe", "explicit: 'maybe' is neither true nor false"),
        ("transcript: /gone.txt", "the file /gone.txt is not published"),
        ("chapters: chapters.json", "the file chapters.json is not published"),
    ],
)
def test_an_unclear_value_of_an_episode_is_a_warning(lines: str, message: str) -> None:
    entry = read(f"---\ntitle: x\naudio: {{url: https://c.test/1.mp3, length: 7}}\n{lines}\n---\n")
    assert [(p.line, p.message) for p in entry.problems] == [(4, message)]
    assert entry.post
    assert entry.post.episode is None
    assert read(f"---\ntitle: x\n{lines}\n---\n").problems == ()


def test_the_text_of_a_transcript_is_not_a_url() -> None:
    lines = "transcript: |\n  Ada: Hello.\n  Tom: Hi.\nchapters:\n- {time: 0, title: One}"
    assert post_of(f"---\ntitle: x\naudio: /1.mp3\n{lines}\n---\n").episode is None
