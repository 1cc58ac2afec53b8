"""The sample posts are what the README promises: a bit of everything, and every file that they mention exists."""

from __future__ import annotations

import csv
import re

import pytest

from publisher.config import load_config
from tests.support import ROOT

POSTS = ROOT / "posts"
FILES = sorted(p for p in POSTS.rglob("*") if p.suffix in {".md", ".html"})
TEXTS = {path.relative_to(POSTS).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
HERON = "The heron at platform nine"


def test_there_are_at_least_eight_posts_and_one_draft() -> None:
    drafts = [name for name, text in TEXTS.items() if "draft: true" in text]
    assert len(TEXTS) - len(drafts) >= 8
    assert len(drafts) == 1
    assert HERON in TEXTS[drafts[0]]


@pytest.mark.parametrize("name", TEXTS)
def test_file_names_carry_the_date(name: str) -> None:
    match = re.fullmatch(r"(?:[a-z]+/)?(\d{4}-\d{2}-\d{2})-[a-z0-9-]+\.(?:md|html)", name)
    assert match
    assert "2024-01-01" <= match[1] <= "2026-11-15"


@pytest.mark.parametrize(
    ("construct", "pattern"),
    [
        (
            "undated front matter with a header",
            r"\A---\ntitle: .*\nexcerpt: .*\n\nheader:\n  image: (?s:(?!date:).)*---",
        ),
        ("teaser and caption", r'  teaser: "\./\.\./assets/.*\n  caption: '),
        ("table with <br> in its cells", r"(?m)^\|.*<br>.*<br>.*\|$"),
        (
            "inline HTML image with a relative path",
            r'<img src="\./\.\./assets/[^"]+"[^>]*style="zoom:50%;" />',
        ),
        ("tabs before a caption", "(?m)^\u200b\t{5,}Fig"),
        ("bold-numbered sections", r"(?m)^\*\*1\. .*\*\*$"),
        ("Python", r"(?m)^```python$"),
        ("shell", r"(?m)^```bash$"),
        ("TOML", r"(?m)^```toml$"),
        ("footnote", r"(?m)^\[\^\w+\]: "),
        ("definition list", r"(?m)^\S.*\n:   \S"),
        ("alert", r"(?m)^> \[!NOTE\]$"),
        ("task list", r"(?m)^- \[x\] .*\n(?:- .*\n)*- \[ \] "),
        ("Japanese", r"(?m)^lang: ja$"),
        ("right to left", r"(?m)^lang: ar$"),
        ("TOML front matter", r"\A\+\+\+\n"),
        ("more mark", r"(?m)^<!--more-->$"),
        ("several authors", r"authors:\n  - .*\n  - "),
        ("tags with signs", r'tags: \["R&D", "C\+\+"'),
    ],
)
def test_the_samples_contain_each_construct(construct: str, pattern: str) -> None:
    assert any(re.search(pattern, text) for text in TEXTS.values()), construct


def test_images_used_by_the_samples_exist_and_are_small() -> None:
    named = {
        (path.parent / reference).resolve()
        for path in FILES
        for reference in re.findall(r"[\w./-]*assets/[\w./-]+\.(?:jpeg|png)", path.read_text(encoding="utf-8"))
    }
    there = {path.resolve() for path in POSTS.rglob("*") if path.suffix in {".jpeg", ".png"}}
    assert named == there
    assert all(path.stat().st_size < 60_000 for path in there)


def test_the_episode_has_the_true_length_of_its_file() -> None:
    (name,) = [name for name, text in TEXTS.items() if "\naudio:" in text]
    episode = (POSTS / name).parent / "episode-1.mp3"
    assert f"length: {episode.stat().st_size}\n" in TEXTS[name]


def test_programs_in_the_samples_print_the_output_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("2026-11-10-a-ledger-beats-a-cursor.md", "2026-08-25-eight-o-clock-is-not-a-time.md"):
        program, said = re.search(r"```python\n(.*?)```.*?```text\n(.*?)```", TEXTS[name], re.DOTALL).groups()
        exec(program, {"__name__": "sample"})
        assert capsys.readouterr().out == said


def test_the_samples_have_two_newsletters() -> None:
    config = load_config(ROOT)
    assert [newsletter.name for newsletter in config.newsletters] == ["weekly", "engineering"]
    assert config.site.authority == "gazette.example.org,2024"


def test_the_sample_subscribers_are_not_real_people() -> None:
    with (ROOT / "docs/sample-subscribers.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    assert len(people) == 6
    assert all(re.search(r"[@.]example\.(org|net)$", person["email"]) for person in people)
    assert any('"' in person["name"] for person in people)
