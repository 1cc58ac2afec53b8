"""Front matter and notes that would waste time or memory, or confuse a parser, quickly give a one-line error."""

from __future__ import annotations

import os
from typing import Any

import pytest

from publisher.core.errors import PostError, PublisherError
from publisher.core.models import Problem
from publisher.newsletters.letter.note import read_note
from publisher.posts import head
from publisher.posts.front_matter.formats import in_quotes
from publisher.posts.front_matter.metadata import build_post
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.permalinks import why_unfit
from publisher.posts.picture_metadata import without_metadata
from publisher.posts.post_file import ParsedFile
from publisher.publishing.owner_alerts import _key
from tests.support.project import WEEKLY, Project

LEVELS = "\n".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
QUOTED, LITERAL = ".".join(['"!"'] * 14_900), " . ".join(["'a b'"] * 9_000)
HEADS = {
    "a value that contains itself": ("---\ntitle: x\ny: &a 1\nx: &a [*a]\n---\n", "not valid YAML", 4),
    "a list that contains itself": ("---\nx: &a [*a]\n---\n", "contain themselves", 2),
    "a mapping that contains itself": ("---\nx: &a {b: *a}\n---\n", "contain themselves", 2),
    "aliases of aliases": (f"---\nx:\n  - &a0 [x]\n{LEVELS}\n---\n", "too many values", 2),
    "a long value, often": (f"---\nx: &a {'ab ' * 13_000}\ntags: [{'*a, ' * 6_000}*a]\n---\n", "too many values", 2),
    "a hexadecimal number": (f"+++\ntitle = 'x'\nweight = 0x{'f' * 4_000}\n+++\n", "thousands of digits", 3),
    "a number in a table": (f"+++\n[a.b]\nc = [0o{'7' * 9_000}]\n+++\n", "thousands of digits", 3),
    "a long number": (f"+++\na = {'9' * 9_000}\n+++\n", "thousands of digits", 2),
    "a long number in JSON": (f'{{\n"a": {"9" * 9_000}\n}}\n', "thousands of digits", 2),
    "quoted dotted keys": (f"+++\n{QUOTED} = 1\n+++\n", "nested too deeply", 2),
    "literal dotted keys": (f"+++\n{LITERAL} = 1\n+++\n", "nested too deeply", 2),
}


@pytest.mark.parametrize(("text", "what", "line"), HEADS.values(), ids=HEADS)
def test_hostile_front_matter_is_one_error_with_its_line(text: str, what: str, line: int) -> None:
    with pytest.raises(PostError) as refused:
        parse_head(text, whole=True)
    assert what in refused.value.message
    assert refused.value.line == line


def test_a_key_that_is_not_text_is_ignored() -> None:
    key = f"? - &a0 [x]\n{LEVELS}\n: v\ntitle: Shown\n"
    assert parse_head(f"---\n{key}---\n", whole=True).fields == {"title": "Shown"}


def test_a_key_that_is_written_very_often_is_reported_in_linear_time() -> None:
    lines = ",\n".join(['"a": 1'] * 40_000)
    found = parse_head(f'{{\n"title": "x",\n{lines}\n}}\n', whole=True)
    assert {(twice.first_line, twice.second_line) for twice in found.twice} == {(3, 40_002)}


def test_a_line_that_refers_to_itself_is_put_in_quotes() -> None:
    assert in_quotes("x: &a [*a]") == 'x: "&a [*a]"'


def test_a_bug_of_ours_skips_only_one_post(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(source: str, *rest: Any) -> ParsedFile:
        if source == "second.md":
            raise ValueError("a bug")
        return build_post(source, *rest)

    monkeypatch.setattr(head, "build_post", defect)
    ran = project.run("build")
    assert ran.code == 1
    assert "posts/second.md:1: cannot be read: a defect in Publisher (ValueError)" in ran.err
    assert "third" in "".join(project.files())


@pytest.mark.parametrize(
    ("permalink", "why"),
    [
        ("/" + "a/" * 2_050, "too long for the path of a file"),
        ("/index.html/foo/", "a page, whose file would have to be a folder"),
        ("/archive/INDEX.html/x/", "a page, whose file would have to be a folder"),
        ("/x.xhtml/y", "a page, whose file would have to be a folder"),
        ("/x/y.html", ""),
        ("/v1.2/notes/", ""),
    ],
)
def test_a_permalink_that_no_file_can_have_is_ignored(permalink: str, why: str) -> None:
    found = why_unfit(permalink, permalink)
    assert why in found
    assert bool(why) == bool(found)


def test_an_image_with_more_items_than_bytes_is_read_quickly() -> None:
    box = b"\2\0\0\0\0\0" + b"\xff" * 4
    inner = (len(box) + 8).to_bytes(4, "big") + b"iloc" + box
    meta = b"\0\0\0\0" + inner
    data = b"\0\0\0\x14ftypavif\0\0\0\0avif" + (len(meta) + 8).to_bytes(4, "big") + b"meta" + meta
    assert without_metadata(data)


def test_a_large_note_is_refused_with_its_name(project: Project) -> None:
    project.configure(newsletters=WEEKLY)
    path = project.write("letters/weekly/2026-W47.md", "x")
    os.truncate(path, 300_000_000)
    config = project.config()
    with pytest.raises(PublisherError, match="characters") as refused:
        read_note(config, config.newsletters[0], "2026-W47")
    assert refused.value.where == "letters/weekly/2026-W47.md"


def test_a_huge_file_is_recognised_without_reading_it(project: Project) -> None:
    path = project.write("posts/huge.md", "")
    os.truncate(path, 20_000_000_000)
    problem = Problem("posts/huge.md", 1, "is too large")
    assert _key(project.config(), problem).endswith(f"{path.stat().st_size} {path.stat().st_mtime_ns}")


def test_a_reference_that_no_path_can_have_is_a_missing_file(project: Project) -> None:
    path = f"{'deep/' * 2_000}a.png"
    project.post("long", "2026-11-16", f"![A picture]({path}) [A file]({path.replace('png', 'pdf')})", image=path)
    assert project.run("build").code == 0
    assert "2026/11/16/long/index.html" in project.files()
    assert project.ok("check", "--json").out.count("posts/long.md") >= 2
