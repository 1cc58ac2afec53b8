"""The subject and the dates of an edition, and the note that the writer adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.newsletters.letter.note import Note, markdown, read_note
from publisher.posts.bounded_process import TimeLimit
from tests.support.editions_samples import (
    ALL,
    CONFIG,
    MADE_AT,
    RICH,
    SITE,
    WEEKLY,
    make,
    rendered,
)
from tests.support.editions_samples import post as make_post

SUBJECTS = [
    ("", "", [RICH], "What generative models changed this year, and what they left as it was"),
    ("", "", [ALL[4]], "Episode 12: Bread"),
    ("", "", [ALL[4], RICH], "Episode 12: Bread and 1 more"),
    (
        "{title} no. {number}: {first} ({count}) {other}",
        "",
        [ALL[4]],
        "The Quiet Press no. 12: Episode 12: Bread (1) {other}",
    ),
    ("of {date}", "", [ALL[4]], "of November 21, 2026"),
    ("of {date}", "From the note, no. {number}", [ALL[4]], "From the note, no. 12"),
]


@pytest.mark.parametrize(("pattern", "noted", "posts", "subject"), SUBJECTS)
def test_the_subject_comes_from_the_note_the_pattern_or_the_first_post(pattern, noted, posts, subject):
    letter = make(newsletter=replace(WEEKLY, subject=pattern), posts=posts, note=Note(subject=noted))
    assert letter.subject == subject
    assert f"<title>{subject}</title>" in letter.html


def test_dates_use_the_time_zone_and_language_of_the_newsletter():
    late = rendered(make_post(0, age=MADE_AT - MADE_AT.replace(hour=0, minute=30)))
    german = replace(WEEKLY, language="de")
    assert "21. November 2026" in make(newsletter=german, posts=[late]).text
    abroad = Config(site=replace(SITE, timezone="America/New_York", language="de"))
    assert "20. November 2026" in make(abroad, WEEKLY, [late]).text


def write_note(tmp_path, text, slot="2026-W47"):
    folder = tmp_path / "letters" / "weekly"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{slot}.md").write_text(text, encoding="utf-8")
    return replace(CONFIG, root=tmp_path)


def test_a_note_gives_subject_preheader_and_intro(tmp_path):
    config = write_note(tmp_path, "---\nsubject: Hello\npreheader: You there\n---\nDear *all*, see [this](/x).\n")
    note = read_note(config, WEEKLY, "2026-W47")
    assert note == Note(
        "Hello", "You there", '<p>Dear <em>all</em>, see <a href="https://example.org/x">this</a>.</p>\n'
    )
    letter = make(config, WEEKLY, ALL, note)
    assert (letter.subject, letter.preheader) == ("Hello", "You there")
    assert "Dear <em>all</em>" in letter.html
    assert "Dear all, see this [1]." in letter.text


def test_the_front_matter_of_a_note_may_be_toml(tmp_path):
    note = read_note(write_note(tmp_path, "+++\nsubject = '2026'\n+++\n\nHi.\n"), WEEKLY, "2026-W47")
    assert note == Note("2026", html="<p>Hi.</p>\n")


def test_a_post_slot_has_a_note(tmp_path):
    config = write_note(tmp_path, "Hi.", "post-tag-example.org-2026-1")
    note = read_note(config, WEEKLY, "post:tag:example.org,2026:1")
    assert note == Note(html="<p>Hi.</p>\n")


def test_without_a_note_the_intro_of_the_newsletter_is_used(tmp_path):
    assert read_note(replace(CONFIG, root=tmp_path), WEEKLY, "2026-W47") is None
    assert "<em>always</em>" in make(newsletter=replace(WEEKLY, intro="As *always*.")).html


# Nine lines of nine aliases, each for all nine of the previous line.
MERGES = "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 10))
MERGES = f"---\na0: &a0 {{x: 1}}\n{MERGES}subject: x\n---\nDear readers"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\nsubject: [\n---\nx", r"2026-W47\.md:3: the front matter is not valid YAML"),
        ("---\nsubjct: x\n---\nx", r"2026-W47\.md:2: 'subjct' is unknown"),
        ("---\nsubject: x\nsubjct: x\n---\nx", r"2026-W47\.md:3: 'subjct' is unknown"),
        ("---\nsubject: x\npreheader: [1, 2]\n---\nx", r"2026-W47\.md:3: preheader is not text"),
        ("---\nsubject: {a: b}\n---\nx", r"2026-W47\.md:2: subject is not text"),
        ("---\nsubject: x\n\nDear readers", r"2026-W47\.md:1: the front matter isn't closed"),
        ("\n\n---\nsubject: x\nsubjct: x\n---\nx", r"2026-W47\.md:5: 'subjct' is unknown"),
        ("+++\nsubject = 'x\n+++\nDear readers", r"2026-W47\.md:2: the front matter is not valid TOML"),
        (f"---\nsubject: {'[' * 30_000}\n---\nx", r"2026-W47\.md:2: .* nested too deeply"),
        (f"+++\n{'a.' * 500}b = 1\n+++\nx", r"2026-W47\.md:2: .* nested too deeply"),
        ("---\nsubject: A <!-- to do --> b\n---\nx", r"2026-W47\.md:2: the subject shows readers the comment"),
        ("---\npreheader: 'A {# to do #} b'\n---\nx", r"2026-W47\.md:2: the preheader shows readers the comment"),
        ("---\nsubject: x\n---\n\n---\nsubject: y\n---\nx", r"2026-W47\.md:5: a second block of front matter"),
        ("---\nsubject: x\n---\n\nA %%to do%% b", r"2026-W47\.md:5: %%\.\.\.%% is a comment"),
        ("A <span hidden>b</span>", r"2026-W47\.md:1: readers would see what <span hidden> hides"),
        (MERGES, r"2026-W47\.md:2: the front matter contains too many values"),
        (
            "|" + "a|" * 400 + "\n|" + "-|" * 400 + "\n" + "a\n" * 400,
            r"2026-W47\.md: becomes more than 0\.5 MB of HTML",
        ),
    ],
)
def test_an_unreadable_note_is_an_error(tmp_path, text, message):
    with pytest.raises(PublisherError, match=message):
        read_note(write_note(tmp_path, text), WEEKLY, "2026-W47")


def test_a_note_that_takes_too_long_is_an_error():
    with pytest.raises(PublisherError, match=r"^letters/x\.md: takes longer than 0\.05 s to render"):
        markdown("*a _b " * 200_000, SITE.url, "letters/x.md", TimeLimit(0.05, 0))


def test_scripts_in_a_note_do_not_reach_the_email():
    letter = make(
        posts=[RICH], note=Note(html=markdown("Hi <script>alert(1)</script><b onclick=x>there</b>", SITE.url))
    )
    assert "alert(1)" not in letter.html
    assert "<b>there</b>" in letter.html


@pytest.mark.parametrize("text", ["---\n\nDear readers", "---\n---\nDear readers", "Dear readers\n\n---\n\nBye: all"])
def test_a_leading_line_of_dashes_is_a_rule(tmp_path, text):
    note = read_note(write_note(tmp_path, text), WEEKLY, "2026-W47")
    assert "Dear readers" in note.html


@pytest.mark.parametrize("body", ["One\n\n" + "> " * 101 + "deep", "One\n\n" + "<div>" * 101 + "deep"])
def test_a_note_that_is_nested_too_deeply_is_refused_with_its_line(body: str, tmp_path: Path) -> None:
    config = replace(CONFIG, root=tmp_path)
    path = tmp_path / "letters/weekly/2026-W47.md"
    path.parent.mkdir(parents=True)
    path.write_text(f"---\nsubject: A\n---\n{body}")
    with pytest.raises(PublisherError, match="nested more than 100 deep") as refused:
        read_note(config, WEEKLY, "2026-W47")
    assert refused.value.where == "letters/weekly/2026-W47.md:6"
