"""What email clients support according to caniemail's data, and SpamAssassin's score."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import stat
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.newsletters.lint.client_fallbacks import FALLBACKS
from publisher.newsletters.lint.css_shorthands import declared, negative
from publisher.newsletters.lint.parsed_letter import Property
from publisher.newsletters.lint.spam import score_findings, spam_findings
from publisher.posts.archive import open_archive
from publisher.publishing.letter_check import check_letters
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import sample_edition
from tests.support.findings_samples import NOW, examine, good, in_template, sample_messages
from tests.support.needs import needs
from tests.support.project import ROOT, Project

DATA = ROOT / "publisher/newsletters/lint/clients.json"
PACKAGES = sorted((ROOT / "tests/data/clients").glob("caniemail-*.tgz"))
# GTUBE, the test string that every spam filter knows; in two halves, so that no filter finds it in this file.
SPAM = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
WHERE = "templates/email/digest.html"


@pytest.mark.skipif(not PACKAGES, reason="needs the npm packages")
def test_the_data_equals_the_package() -> None:
    wanted = re.search(r"^CANIEMAIL := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert wanted
    assert [path.name for path in PACKAGES] == [f"caniemail-{wanted[1]}.tgz"]
    spec = importlib.util.spec_from_file_location("generate_clients", ROOT / "docs/generate_clients.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.clients_json(PACKAGES[0]) == DATA.read_text(encoding="utf-8")


def test_the_data_has_its_licence_and_every_client() -> None:
    data = json.loads(DATA.read_text(encoding="utf-8"))
    assert data["licence"].startswith("MIT License")
    families = {client.partition(".")[0] for client in data["clients"]}
    assert {"gmail", "outlook", "apple-mail", "yahoo"} <= families
    for feature in data["features"]:
        assert set(feature["lacking"]) <= set(data["clients"])
        assert 0 < len(feature["lacking"]) <= feature["tested"] <= len(data["clients"])


def test_every_fallback_belongs_to_a_feature() -> None:
    assert set(FALLBACKS) <= {feature["slug"] for feature in json.loads(DATA.read_text(encoding="utf-8"))["features"]}


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<p style="display:flex">x</p>', "display:flex is not supported by "),
        ('<p style="position:absolute">x</p>', "position is not supported by "),
        ('<form action="https://quiet-reader.eu/"><input type="text"></form>', "<form> element is not supported by "),
        ('<p style="background-image:url(https://quiet-reader.eu/a.png)">x</p>', "background-image is not supported"),
        ("<p style='background:url(\"https://quiet-reader.eu/a.png\")'>x</p>", "background-image is not supported"),
        ('<p style="background:linear-gradient(red,blue)">x</p>', "background-image is not supported"),
        ('<p style="background:red url(/a.png) 0 0/cover">x</p>', "background-size is not supported"),
        ('<p style="margin:0 -10px 0 0">x</p>', "negative margin is not supported by "),
        ('<p style="margin-top:-.5em">x</p>', "negative margin is not supported by "),
        ('<p style="text-indent: -9px">x</p>', "negative text-indent is not supported by "),
        ('<p style="flex-flow:column wrap">x</p>', "flex-direction:column is not supported by "),
        ('<p style="columns:2">x</p>', "column-count is not supported by "),
        ('<p style="animation-name:x; mask: url(/a.png)">x</p>', "mask-image is not supported by "),
        ('<p style="width:50vw">x</p>', "vw unit is not supported by "),
        ('<p style="width:calc(100% - 1px)">x</p>', "CSS calc() function is not supported by "),
        ('<p style="grid-template-columns:1fr">x</p>', "grid-template-* properties is not supported by "),
    ],
)
def test_clients_without_support_are_listed(project: Project, html: str, said: str) -> None:
    in_template(good(project), html)
    found = [each for each in examine(project) if each.code == "client-support" and said in each.message]
    assert [each.where for each in found] == [f"{WHERE}:3"]
    assert re.search(r"(Gmail|Outlook|Apple Mail|Yahoo! Mail) \(.*: \d+ of \d+ clients tested$", found[0].message)
    assert found[0].hint.startswith("see https://www.caniemail.com/features/")


def test_shorthands_list_their_longhands() -> None:
    for name, value, longhands in (
        ("background", "#fff url(a.png) no-repeat center / cover", "image:repeat:position:size"),
        ("background", "url(a.png), linear-gradient(red, rgb(0, 0, 0)) content-box", "image:image:origin:clip"),
        ("background", "rgb(0, 0, 0)", ""),
        ("background", "none", ""),
        ("list-style", "square inside url('x/y')", "position:image"),
        ("text-decoration", "underline wavy red 2px", "style:color:thickness"),
        ("text-decoration", "none", ""),
        ("font", "condensed 12px/1.5 serif", "stretch"),
        ("margin", "0 auto", ""),
    ):
        found = list(declared(Property(name, value)))
        assert found[0].name == name
        assert ":".join(each.name.rpartition("-")[2] for each in found[1:]) == longhands, value
    for value, wanted in (
        ("0 -10px 0 0", "margin"), ("-1em", "margin"), ("0 -.5em", "margin"), ("0 auto", ""), ("calc(-1px + 2px)", ""),
    ):  # fmt: skip
        for name in ("margin", "margin-left", "margin-bottom"):
            assert negative(Property(name, value)) == wanted


def test_the_markup_of_videos_has_no_findings(project: Project) -> None:
    frame = '<iframe src="https://www.youtube.com/embed/abcdefghijk" title="A film"></iframe>'
    for body, alt in ((frame, "A film"), (frame.replace(' title="A film"', ""), "")):
        good(project)
        project.post("third", "2026-11-12", title="Third", body=body)
        assert {each.code for each in examine(project)} <= {"client-fallback", "link-elsewhere"}
        config = project.config()
        archive = open_archive(config, NOW, keep=False)
        planned = sample_edition(config, config.newsletters[0], archive, NOW)
        letter = EditionRenderer(config, archive).letter(planned, NOW)
        assert f'hqdefault.jpg" alt="{alt}"' in letter.html.replace("'", '"')
        assert letter.preheader == alt


def test_without_spamassassin_there_is_a_note(project: Project) -> None:
    (message,) = sample_messages(good(project).config())
    (finding,) = spam_findings(message, WHERE, program="no-such-program")
    assert (finding.level, finding.code, finding.where) == ("note", "spam-unmeasured", WHERE)


def test_a_silent_spamassassin_times_out(tmp_path: Path) -> None:
    program = tmp_path / "spamassassin"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    (finding,) = spam_findings(b"Subject: x\n\nx", WHERE, program=str(program), seconds=0.2)
    assert (finding.code, "no answer" in finding.message) == ("spam-unmeasured", True)


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("No, score=0.7 required=5.0 tests=HTML_MESSAGE,\n\tNO_RELAYS autolearn=no", "note"),
        ("No, score=2.1 required=5.0 tests=A,B autolearn=no", "warning"),
        ("Yes, score=7.3 required=5.0 tests=A,\n\tB autolearn=no", "error"),
    ],
)
def test_the_level_follows_the_score(status: str, level: str) -> None:
    (finding,) = score_findings(f"X-Spam-Status: {status}\nSubject: x\n\nx".encode(), WHERE)
    assert (finding.code, finding.level) == ("spam-score", level)
    assert "points (5 count as spam): " in finding.message


def test_an_answer_without_a_score_does_not_count() -> None:
    (finding,) = score_findings(b"Subject: x\n\nscore=9 required=5 tests=A", WHERE)
    assert finding.code == "spam-unmeasured"


def test_every_newsletter_has_a_spam_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "spamassassin"
    says = "X-Spam-Status: No, score=0.7 required=5.0 tests=A autolearn=no"
    program.write_text(f"#!/bin/sh\ngrep -q '^List-Unsubscribe: ' && echo '{says}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    config = load_config(ROOT, {})
    archive = open_archive(config, NOW, keep=False)
    proofs = list(check_letters(config, None, archive, NOW, spam=True))
    scores = [each for proof in proofs for each in proof.findings if each.code.startswith("spam-")]
    assert [(each.code, each.level) for each in scores] == [("spam-score", "note")] * len(config.newsletters)


@needs("spamassassin")
def test_spamassassin_finds_spam(project: Project) -> None:
    in_template(good(project), f"<p>{SPAM}</p>")  # `check --spam` shows elsewhere that it is none without this
    (message,) = sample_messages(project.config())
    (failed,) = spam_findings(message, WHERE)
    assert (failed.code, failed.level) == ("spam-score", "error")
    assert "GTUBE" in failed.message
