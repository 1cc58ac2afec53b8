"""How `publisher check` shows many problems: in groups with counts, and as commands for GitHub Actions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from publisher.cli.check_output import CheckLine, github_lines, grouped, plain_lines
from tests.support.project import Project


def lines_of(count: int, message: str, hint: str = "mend it", level: str = "warning") -> list[CheckLine]:
    """Return one line per post, for `count` posts; {n} in the message is replaced by the post's number."""
    return [CheckLine(level, f"posts/{n}.md", n, message.replace("{n}", str(n)), hint) for n in range(1, count + 1)]


LIQUID = "Liquid is not supported and will be shown as is: "

# Messages that say the same about many posts, with the message of their group.
KINDS = [
    (LIQUID + '{% image %}, {{ "x{n}" }}, on {n} lines up to line 9', f"{LIQUID[:-2]}, mostly {{% image %}}"),
    ("MDX is not supported: <Foo n={n}>, <Bar>", "MDX is not supported, mostly <Bar>"),
    ("the post has no date", "the post has no date"),
    ("'soon {n}' isn't a valid date; write it like 2024-07-06", "… isn't a valid date; write it like 2024-07-06"),
    ("broken link: there is no #place-{n} in this post", "broken link: there is no … in this post"),
    ("broken link: there is no posts/a{n}.md", "broken link: there is no …"),
    ("the picture pic-{n}.png has no alt text", "the picture … has no alt text"),
    (
        "neither the project nor its folder static has the file /img/{n}.png",
        "neither the project nor its folder static has the file …",
    ),
    (
        "the URL 'x{n}:' was removed, because its scheme isn't allowed",
        "the URL … was removed, because its scheme isn't allowed",
    ),
    ("the picture {n}_a.jpg?v={n} has no alternative", "the picture … has no alternative"),
    (
        "nothing refers to the link [Feature #{n}]: https://a.example/{n}, so nobody sees it, nor {n} more like it",
        "nothing refers to the link …: …, so nobody sees it",
    ),
    ("https://a.example/{n} is elsewhere", "… is elsewhere"),
]


def test_lines_that_differ_only_in_quoted_text_form_a_group() -> None:
    every = [line for message, _ in KINDS for line in lines_of(12, message)]
    groups, rest = grouped(every)
    assert [group.summary for group in groups] == [f"12 posts: {what}" for _, what in KINDS]
    assert rest == []


def test_few_lines_and_other_problems_form_no_group() -> None:
    alone = [
        *lines_of(9, "the post has no date"),
        *lines_of(9, "the post has no title"),
        *lines_of(9, "the post has no date", level="error"),
    ]
    assert grouped(alone) == ([], alone)


def test_errors_and_large_groups_come_first() -> None:
    groups, _ = grouped(
        [*lines_of(10, "few"), *lines_of(30, "many"), *lines_of(10, "bad", level="error"), *lines_of(1, "one")]
    )
    assert [(group.level, group.what) for group in groups] == [
        ("error", "bad"),
        ("warning", "many"),
        ("warning", "few"),
    ]


def test_plain_lines_begin_with_the_groups() -> None:
    every = [CheckLine("error", "posts/a.md", 0, "alone", ""), *lines_of(386, LIQUID + "{% image {n} %}, {% x %}")]
    shown = list(plain_lines(every, every=False))
    assert shown[0] == f"warning: 386 posts: {LIQUID[:-2]}, mostly {{% x %}}"
    assert shown[1] == f"warning: posts/1.md:1: {LIQUID}{{% image 1 %}}, {{% x %}} (mend it)"
    assert shown[4:] == [f"note: 383 more of {LIQUID[:-2]!r}; --verbose shows all", "error: posts/a.md: alone"]
    assert len(list(plain_lines(every, every=True))) == 387


def test_many_lines_about_one_file_form_a_group() -> None:
    assert (
        grouped([*lines_of(11, "x")[:-1], CheckLine("warning", "publisher.toml", 0, "x", "")])[0][0].summary
        == "11 files: x"
    )
    (group,), _ = grouped([CheckLine("warning", "publisher.toml", n, f"key 'k{n}' is unknown", "") for n in range(20)])
    assert group.summary == "20 times in publisher.toml: key … is unknown"


def test_github_gets_a_command_for_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    root = tmp_path / "blog"
    lines = [
        CheckLine("error", "posts/a,b:c.md", 3, "50% of\nit\r is wrong, see: x", "mend"),
        CheckLine("warning", "publisher.toml", 0, "no line", ""),
        CheckLine("note", "", 0, "no place", "", "weekly", "code"),
        CheckLine("warning", "https://a.example/x", 0, "a URL", ""),
    ]
    assert list(github_lines(lines, root, every=False)) == [
        "::error file=blog/posts/a%2Cb%3Ac.md,line=3::50%25 of%0Ait%0D is wrong, see: x (mend)",
        "::warning file=blog/publisher.toml::no line",
        "::notice::newsletter weekly: no place",
        "::warning::a URL",
    ]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    assert next(iter(github_lines(lines[1:2], root, every=False))) == "::warning file=publisher.toml::no line"
    many = list(github_lines(lines_of(12, "the post has no date"), root, every=False))
    assert many == [
        "::warning file=posts/1.md,line=1::12 posts: the post has no date; here: the post has no date (mend it)"
    ]
    assert len(list(github_lines(lines_of(12, "the post has no date"), root, every=True))) == 12


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    found = Project(tmp_path, capsys)
    found.configure(newsletters="")
    for number in range(10, 25):
        found.write(f"posts/2026-01-{number}-a.md", f"---\ntitle: T{number}\nupdated: soon\n---\nText.\n")
    return found


def test_check_groups_lines_and_shows_every_line_with_verbose_and_json(project: Project) -> None:
    summary = "warning: 15 posts: updated is ignored: 'soon' isn't a valid date"
    said = project.ok("check").out
    assert summary in said
    assert said.count("warning: posts/") == 3
    assert "0 errors, 1" in said
    assert project.ok("-v", "check").out.count("warning: posts/") == 15
    found = json.loads(project.ok("--json", "check").out)
    assert sum(each["path"].startswith("posts/") for each in found) == 15
    assert (
        "::warning file=posts/2026-01-10-a.md,line=3::15 posts: updated"
        in project.ok("check", "--format", "github").out
    )
    project.fails("check", "--strict", "--format", "github")
    assert "15 posts" in project.on_a_terminal("check")
