"""What `publisher check` reports about feeds that were damaged on the disk."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project

RSS, ATOM, JSON = "feed.xml", "atom.xml", "feed.json"
EPISODE = b"\xff\xfb\x90\x00" * 25


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "site"


@pytest.fixture
def built(empty: Project, kept: Path) -> Project:
    """A site with an image, an episode and prose about HTML, whose feeds are valid."""

    def prepare() -> None:
        empty.configure("\n[feeds]\nmax_bytes = 60000\n", newsletters="")
        empty.write("static/12.mp3", EPISODE)
        empty.write("posts/a.png", b"\x89PNG")
        empty.post("episode", "2026-11-10", "Listen to [it](/12.mp3).", audio="/12.mp3", image="a.png")
        prose = 'Write `<a href="there.html" onclick="x()">` and `<img srcset="a.png 2x">`.'
        empty.post("about-html", "2026-11-09", prose)
        empty.ok("build")
        assert of_feeds(empty) == {}

    empty.prepare(kept, prepare)
    return empty


def of_feeds(project: Project) -> dict[str, list[str]]:
    """Return what the check reports about each feed file."""
    said: dict[str, list[str]] = {}
    for problem in project.run("check", "--json").json:
        if re.match(r"public/.*(?:feed|atom)[-\d]*\.(?:xml|json)$", problem["path"]):
            assert problem["severity"] == "warning"
            assert problem["mend"]
            said.setdefault(problem["path"].removeprefix("public/"), []).append(problem["message"])
    return said


def test_valid_feeds_have_no_problems(built: Project) -> None:
    assert of_feeds(built) == {}


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        (RSS, 'href="https://letters.example/12.mp3"', 'href="/12.mp3"', "has the relative URL '/12.mp3'"),
        (ATOM, 'href="https://letters.example/12.mp3"&gt;', 'href="../12.mp3"&gt;', "has the relative URL '../12.mp3'"),
        (JSON, r'href=\"https://letters.example/12.mp3\"', r'href=\"12.mp3\"', "has the relative URL '12.mp3'"),
        (RSS, "<link>https://letters.example/2026/", "<link>/2026/", "has the relative URL '/2026/"),
        (ATOM, '<link href="https://letters.example/2026/', '<link href="/2026/', "has the relative URL '/2026/"),
        (JSON, '"url": "https://letters.example/2026/', '"url": "/2026/', "has the relative URL '/2026/"),
        (RSS, 'thumbnail url="https://letters.example/', 'thumbnail url="/', "has the relative URL '/2026/"),
        (RSS, "<p>Listen", '<img srcset="https://a.example/a,b.png 1x, b.png 2x"><p>Listen', "relative URL 'b.png'"),
        (RSS, "<p>Listen", "<video poster='p.png'></video><p>Listen", "has the relative URL 'p.png'"),
        (RSS, "<p>Listen", "<p onclick=\"x()\">Listen", "contains '<p onclick='"),
        (RSS, 'length="100"', 'length="99"', "12.mp3 has 100 bytes, not 99"),
        (ATOM, 'length="100"', 'length="99"', "12.mp3 has 100 bytes, not 99"),
        (JSON, '"size_in_bytes": 100', '"size_in_bytes": 99', "12.mp3 has 100 bytes, not 99"),
        (RSS, 'length="100"', 'length="0"', "the length of https://letters.example/12.mp3 is not known"),
        (ATOM, ' length="100"', "", "the length of https://letters.example/12.mp3 is not known"),
        (RSS, 'length="100"', 'length="many"', "is 'many', which is not a number"),
        (JSON, '"size_in_bytes": 100', '"size_in_bytes": "many"', "is 'many', which is not a number"),
        (RSS, "</channel>", "", "cannot be read:"),
        (JSON, "{", "", "cannot be read:"),
    ],
)  # fmt: skip
def test_a_broken_feed_is_reported_once_with_its_file(
    built: Project, name: str, before: str, after: str, message: str
) -> None:
    text = built.read(f"public/{name}")
    assert before in text
    built.write(f"public/{name}", text.replace(before, after, 1))
    (said,) = of_feeds(built).pop(name)
    assert message in said
    assert set(of_feeds(built)) == {name}


def test_a_fault_in_a_shared_text_is_reported_for_each_feed(built: Project) -> None:
    text = built.read(f"public/{RSS}")
    text = text.replace("<p>Listen", "<p>Look at <a href='/x'>it</a> and listen", 1)
    built.write(f"public/{RSS}", text)
    built.write(f"public/tags/{RSS}", text)
    said = of_feeds(built)
    assert said[RSS] == ["the entry 'Episode' has the relative URL '/x'"]
    assert said[RSS][0] in said[f"tags/{RSS}"]


def without_id(name: str, text: str) -> str:
    if name == JSON:
        feed = json.loads(text)
        del feed["items"][0]["id"]
        return json.dumps(feed)
    tag = r"<guid[^>]*>[^<]*</guid>" if name == RSS else r"(?<=<entry xml:lang=\"en\">)<id>[^<]*</id>"
    return re.sub(tag, "", text, count=1)


def same_id(name: str, text: str) -> str:
    if name == JSON:
        feed = json.loads(text)
        feed["items"][1]["id"] = feed["items"][0]["id"]
        return json.dumps(feed)
    return text.replace("2026-11-10:episode", "2026-11-09:about-html")


@pytest.mark.parametrize("name", [RSS, ATOM, JSON])
@pytest.mark.parametrize(
    ("broken", "message"), [(without_id, "the entry 'Episode' has no id"), (same_id, " occurs twice")]
)
def test_a_missing_or_repeated_id_is_reported(
    built: Project, name: str, broken: Callable[[str, str], str], message: str
) -> None:
    text = broken(name, built.read(f"public/{name}"))
    assert text != built.read(f"public/{name}")
    built.write(f"public/{name}", text)
    ((said,),) = of_feeds(built).values()
    assert message in said


@pytest.mark.parametrize("name", [RSS, ATOM, JSON])
def test_a_feed_that_is_too_large_is_reported(built: Project, name: str) -> None:
    built.write(f"public/{name}", built.read(f"public/{name}") + " " * 60_000)
    ((said,),) = of_feeds(built).values()
    assert "bytes; feed readers reject large files" in said


def test_archive_documents_are_also_checked(built: Project) -> None:
    built.configure("\n[feeds]\nlimit = 1\n", newsletters="")
    built.ok("build")
    assert of_feeds(built) == {}
    built.write(
        "public/feed-1.xml", built.read("public/feed-1.xml").replace("<guid", "<nothing").replace("</guid", "</nothing")
    )
    assert of_feeds(built) == {"feed-1.xml": ["the entry 'About html' has no id"]}


def test_a_project_that_was_never_built_has_no_problems(project: Project) -> None:
    assert of_feeds(project) == {}


def test_an_unknown_length_is_reported_once_at_its_line(empty: Project) -> None:
    empty.configure(newsletters="")
    empty.post("mine", tags="[a, b, c]", audio="https://cdn.example/1.mp3")
    empty.ok("build")
    told = empty.run("check", "--json").json
    assert [(p["path"], p["line"], p["message"]) for p in told if "length" in p["message"]] == [
        ("posts/mine.md", 5, "the length of https://cdn.example/1.mp3 is not known")
    ]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ('length: "1,234"', "the length '1,234' of '/12.mp3' is not a number of bytes"),
        ("length: 12 MB", "the length '12 MB' of '/12.mp3' is not a number of bytes"),
        ('duration: "-5"', "the duration '-5' of '/12.mp3' is not valid"),
        ("duration: five minutes", "the duration 'five minutes' of '/12.mp3' is not valid"),
    ],
)
def test_an_invalid_number_is_reported_at_its_line(built: Project, key: str, message: str) -> None:
    built.post("another", audio=f"{{url: /12.mp3, {key}}}")
    told = [p for p in built.ok("build", "--json").json["problems"] if "of '/12.mp3'" in p["message"]]
    assert [(p["where"], p["severity"], p["message"]) for p in told] == [("posts/another.md:4", "warning", message)]
    assert told[0]["mend"]
    assert 'length="100"' in built.read("public/feed.xml")


def test_a_stray_feed_is_reported(built: Project) -> None:
    built.post("tagged", tags="[gone]")
    built.ok("build")
    built.post("tagged", tags="[new]")
    shutil.rmtree(built.root / ".publisher")
    (built.root / "public/.publisher-files.json").unlink()
    built.ok("build")
    what = "was not written by the last build, so nothing keeps it up to date"
    assert of_feeds(built) == {f"tags/gone/{name}": [what] for name in (RSS, ATOM, JSON)}
