"""Other programs check every shipped template: HTML, support by email clients, spam."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.letter_samples import FORMS, letters
from tests.support.mail_tools import html_validate, listed, needs, spam_scores, unsupported, vnu
from tests.support.project import ROOT, Project

SOURCES = ["samples", "seeds"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Letters of every form, as files."""
    folder = tmp_path_factory.mktemp("letters")
    for source in SOURCES:
        for form in FORMS:
            for sample in letters(source, form):
                (folder / f"{sample.name}.html").write_text(sample.letter.html, encoding="utf-8")
    return folder


def test_html_validate_finds_only_listed_exceptions(folder: Path) -> None:
    needs("node")
    found = html_validate(folder)
    exceptions = [(each["rule"], re.compile(each["says"])) for each in listed("exceptions.toml")["html-validate"]]
    assert {
        (rule, message)
        for rule, message in found
        if not any(rule == name and says.fullmatch(message) for name, says in exceptions)
    } == set()
    assert [name for name, says in exceptions if not any(says.fullmatch(message) for _, message in found)] == []


def test_the_nu_checker_finds_only_listed_exceptions(folder: Path) -> None:
    needs("java")
    found = vnu(folder)
    exceptions = [re.compile(each["says"]) for each in listed("exceptions.toml")["vnu"]]
    assert {message for message in found if not any(says.fullmatch(message) for says in exceptions)} == set()
    assert [says.pattern for says in exceptions if not any(map(says.fullmatch, found))] == []


def test_both_validators_find_a_broken_letter(tmp_path: Path) -> None:
    needs("node", "java")
    (tmp_path / "broken.html").write_text("<!DOCTYPE html><p><div></span><img src=x></p>")
    assert {rule for rule, _ in html_validate(tmp_path)} >= {"close-order", "wcag/h37"}
    assert any("Stray end tag “span”" in message for message in vnu(tmp_path))


def test_every_missing_feature_has_a_fallback(folder: Path) -> None:
    needs("node")
    found = unsupported(folder)
    fallbacks = listed("fallbacks.toml")["unsupported"]
    assert {name: clients for name, clients in found.items() if name not in fallbacks} == {}
    assert sorted(set(fallbacks) - set(found)) == []


def test_an_unsupported_feature_is_noticed(tmp_path: Path) -> None:
    needs("node")
    (tmp_path / "new.html").write_text("<!DOCTYPE html><p style='filter: blur(2px)'>x</p>")
    assert "outlook.windows" in unsupported(tmp_path)["filter"]


NEWSLETTERS = {
    "digest": "first = 20",
    "full": 'content = "full"\nfirst = 20',
    "post": 'template = "post"',
    "plain": 'template = "plain"',
    "arabic": 'language = "ar"',
}


def test_every_sample_letter_scores_under_two(project: Project) -> None:
    needs("spamassassin")
    shutil.rmtree(project.root / "posts")
    shutil.copytree(ROOT / "posts", project.root / "posts")
    project.configure(
        newsletters="".join(
            f'\n[[newsletters]]\nname = "{name}"\nschedule = "weekly monday 08:00"\n{more}\n'
            for name, more in NEWSLETTERS.items()
        )
    )
    for name in NEWSLETTERS:
        project.subscribe("ada", newsletter=name)
    project.ok("publish")
    files = sorted((project.root / ".publisher/outbox/new").glob("*.eml"))
    assert len(files) == len(NEWSLETTERS)
    scores = zip(files, spam_scores([file.read_bytes() for file in files]), strict=True)
    assert {file.name: status for file, (score, status) in scores if score >= 2} == {}


def test_spamassassin_finds_spam() -> None:
    needs("spamassassin")
    head = b"From: a@example.org\nTo: b@example.org\nSubject: x\n\n"
    spam = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"
    (fine, _), (score, status) = spam_scores([head + b"Hello\n", head + spam])
    assert fine < 5
    assert score > 900, status
