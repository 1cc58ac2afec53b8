"""Other programs check every shipped template: HTML, support by email clients, spam."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from publisher.config import load_config
from tests.support.email_samples import FORMS, letters
from tests.support.findings_samples import sample_messages
from tests.support.mail_tools import html_validate, listed, needs, spam_scores, unsupported, vnu
from tests.support.project import ROOT, Project

SOURCES = ["samples", "seeds"]


# Input in which each program must find faults. It is among the emails, since the programs take seconds to start.
BROKEN = "broken.html"
BROKEN_TEXT = "<!DOCTYPE html><p style='filter: blur(2px)'><div></span><img src=x></p>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an email of every form, and a broken one."""
    folder = tmp_path_factory.mktemp("letters")
    for source in SOURCES:
        for form in FORMS:
            for sample in letters(source, form):
                (folder / f"{sample.name}.html").write_text(sample.letter.html, encoding="utf-8")
    (folder / BROKEN).write_text(BROKEN_TEXT)
    return folder


def test_html_validate_finds_only_listed_exceptions(folder: Path) -> None:
    needs("node")
    by_file = html_validate(folder)
    assert {rule for rule, _ in by_file.pop(BROKEN)} >= {"close-order", "wcag/h37"}
    found = set().union(*by_file.values())
    exceptions = [(each["rule"], re.compile(each["says"])) for each in listed("exceptions.toml")["html-validate"]]
    assert {
        (rule, message)
        for rule, message in found
        if not any(rule == name and says.fullmatch(message) for name, says in exceptions)
    } == set()
    assert [name for name, says in exceptions if not any(says.fullmatch(message) for _, message in found)] == []


def test_the_nu_checker_finds_only_listed_exceptions(folder: Path) -> None:
    needs("java")
    by_file = vnu(folder)
    assert any("Stray end tag “span”" in message for message in by_file.pop(BROKEN))
    found = set().union(*by_file.values())
    exceptions = [re.compile(each["says"]) for each in listed("exceptions.toml")["vnu"]]
    assert {message for message in found if not any(says.fullmatch(message) for says in exceptions)} == set()
    assert [says.pattern for says in exceptions if not any(map(says.fullmatch, found))] == []


def test_every_missing_feature_has_a_fallback(folder: Path) -> None:
    needs("node")
    by_file = unsupported(folder)
    assert "outlook.windows" in by_file.pop(BROKEN)["filter"]
    found = {name: clients for features in by_file.values() for name, clients in features.items()}
    fallbacks = listed("fallbacks.toml")["unsupported"]
    assert {name: clients for name, clients in found.items() if name not in fallbacks} == {}
    assert sorted(set(fallbacks) - set(found)) == []


HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\n\n"
FINE = HEAD + b"Hello\n"
SPAM = HEAD + b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"

NEWSLETTERS = {
    "digest": "first = 20",
    "full": 'content = "full"\nfirst = 20',
    "post": 'template = "post"',
    "plain": 'template = "plain"',
    "arabic": 'language = "ar"',
}


def test_sample_emails_score_below_two_and_spam_far_more(project: Project) -> None:
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
    own = sample_messages(load_config(ROOT, {}))
    *scores, (fine, _), (spam, status) = spam_scores([*(file.read_bytes() for file in files), *own, FINE, SPAM])
    names = [*(file.name for file in files), *(f"own {number}" for number in range(len(own)))]
    assert {name: status for name, (score, status) in zip(names, scores, strict=True) if score >= 2} == {}
    assert fine < 5
    assert spam > 900, status
