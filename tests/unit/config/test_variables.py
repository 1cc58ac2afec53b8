"""PUBLISHER_* variables, the protection of secrets, and the search for a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.config import Config, find_project, load_config
from publisher.config.environment import variables
from publisher.core.errors import ConfigError, ProjectError
from tests.support.project import Project

SITE = '[site]\ntitle = "A"\nurl = "https://a.example"\n'
SECRET = "hunter2-correct-horse"


def load(tmp_path: Path, text: str = SITE, **environ: str) -> Config:
    (tmp_path / "publisher.toml").write_text(text)
    return load_config(tmp_path, environ)


def mistakes(tmp_path: Path, text: str = SITE, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **environ)
    return caught.value.lines()


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("PUBLISHER_SITE_TITLE", "B = 'x'", "site.title", "B = 'x'"),
        ("PUBLISHER_SITE_TITLE", "2024", "site.title", "2024"),
        ("PUBLISHER_SITE_AUTHOR_NAME", "Ada", "site.author.name", "Ada"),
        ("PUBLISHER_FEEDS_LIMIT", "7", "feeds.limit", 7),
        ("PUBLISHER_FEEDS_PER_TAG", "false", "feeds.per_tag", False),
        ("PUBLISHER_FEEDS_PER_TAG", "0", "feeds.per_tag", False),
        ("PUBLISHER_FEEDS_PER_TAG", "Off", "feeds.per_tag", False),
        ("PUBLISHER_FEEDS_PER_TAG", "YES", "feeds.per_tag", True),
        ("PUBLISHER_FEEDS_FORMATS", "rss, json,", "feeds.formats", ("rss", "json")),
        ("PUBLISHER_FEEDS_CONTENT", "summary", "feeds.content", "summary"),
        ("PUBLISHER_MAIL_SMTP_PASSWORD", SECRET, "mail.smtp.password", SECRET),
        ("PUBLISHER_MAIL_SMTP_PORT", "2525", "mail.smtp.port", 2525),
        ("PUBLISHER_DATABASE_URL", "postgresql://u:p@h/d", "database.url", "postgresql://u:p@h/d"),
    ],
)
def test_a_variable_has_the_type_of_its_key(tmp_path: Path, name: str, text: str, path: str, value: Any) -> None:
    found: Any = load(tmp_path, **{name: text})
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_variables_can_replace_the_whole_file(tmp_path: Path) -> None:
    config = load(tmp_path, "", PUBLISHER_SITE_TITLE="A", PUBLISHER_SITE_URL="https://a.example")
    assert (config.site.title, config.site.url) == ("A", "https://a.example")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PUBLISHER_SITE_URL", "nowhere", "PUBLISHER_SITE_URL: site.url: 'nowhere' isn't a valid web"),
        ("PUBLISHER_SITE_URL", "", "PUBLISHER_SITE_URL: site.url: must not be empty"),
        ("PUBLISHER_FEEDS_LIMIT", "many", "PUBLISHER_FEEDS_LIMIT: feeds.limit: must be a whole number, not 'many'"),
        ("PUBLISHER_FEEDS_LIMIT", "--5", "PUBLISHER_FEEDS_LIMIT: feeds.limit: must be a whole number, not '--5'"),
        ("PUBLISHER_FEEDS_LIMIT", "9" * 5000, "PUBLISHER_FEEDS_LIMIT: feeds.limit: must be a whole number, not '999"),
        ("PUBLISHER_FEEDS_LIMIT", "-1", "PUBLISHER_FEEDS_LIMIT: feeds.limit: -1 is not between 1 and 10000"),
        ("PUBLISHER_FEEDS_PER_TAG", "maybe", "PUBLISHER_FEEDS_PER_TAG: feeds.per_tag: must be true or false, not"),
        ("PUBLISHER_FEEDS_FORMATS", "rss,rdf", "PUBLISHER_FEEDS_FORMATS: feeds.formats[2]: must be 'rss', 'atom' or"),
        ("PUBLISHER_MAIL_TRANSPORT", "smtp", "PUBLISHER_MAIL_TRANSPORT: mail.sender is missing: smtp needs a From"),
        ("PUBLISHER_PAGES_OUTPUT", "posts", "PUBLISHER_PAGES_OUTPUT: pages.output and posts.folder must not"),
        ("PUBLISHER_SITE_TITLE", "caf\udce9", "PUBLISHER_SITE_TITLE: not UTF-8 text"),
        ("PUBLISHER_SITE_TITEL", "B", "PUBLISHER_SITE_TITEL: sets no known key (did you mean PUBLISHER_SITE_TITLE?)"),
        ("PUBLISHER_XYZZY", "B", "PUBLISHER_XYZZY: sets no known key (docs/configuration.md lists them)"),
        ("PUBLISHER_ROOT", "/", "PUBLISHER_ROOT: sets no known key"),
        ("PUBLISHER_NOW", "2026", "PUBLISHER_NOW: sets no known key"),
    ],
)
def test_a_mistake_in_a_variable_names_it(tmp_path: Path, name: str, text: str, said: str) -> None:
    (line,) = mistakes(tmp_path, "[feeds]\nlimit = 3\nper_tag = true\n" + SITE, **{name: text})
    assert line.startswith(said)


def test_mistakes_in_variables_come_before_those_in_files(tmp_path: Path) -> None:
    lines = mistakes(tmp_path, SITE + "x = 1\n", PUBLISHER_FEEDS_LIMIT="0", PUBLISHER_SITE_URL="b", PUBLISHER_Y="1")
    assert [line.split(":")[0] for line in lines[:3]] == ["PUBLISHER_Y", "PUBLISHER_SITE_URL", "PUBLISHER_FEEDS_LIMIT"]
    assert lines[3].startswith("publisher.toml:4: site.x: unknown key")


def test_a_variable_does_not_hide_a_broken_table(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, SITE + 'author = "Ada"\n', PUBLISHER_SITE_AUTHOR_NAME="Bob")
    assert line.startswith("publisher.toml:4: site.author: must be a table, not 'Ada'")


def test_every_key_outside_lists_has_a_variable() -> None:
    names = variables()
    assert len(names) > 30
    lists = ("NEWSLETTER", "RELAYS", "DKIM")
    assert not [name for name in names if any(word in name for word in lists) or name == "PUBLISHER_ROOT"]
    assert names["PUBLISHER_MAIL_SMTP_TLS"][0] == ("mail", "smtp", "tls")


@settings(deadline=None, max_examples=settings.default.max_examples)
@given(st.sampled_from(sorted(variables())), st.text(st.characters(blacklist_characters="\0"), max_size=30))
def test_any_text_in_a_variable_is_at_most_a_mistake(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "variables"
    folder.mkdir(exist_ok=True)
    try:
        load(folder, **{name: text})
    except ConfigError as error:
        assert all(name in mistake.where for mistake in error.mistakes)


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        (f"[mail.smtp]\npassword = ['{SECRET}']\n", {}),
        (f"[mail.smtp]\npassword = {{ a = '{SECRET}' }}\n", {}),
        (f"[[mail.relays]]\npassword = ['{SECRET}']\n", {}),
        (f"[mail]\nsmtp = 'smtp://ada:{SECRET}@mail.example'\n", {}),
        (f"mail = 'smtp://ada:{SECRET}@mail.example'\n", {}),
        (f"[mail.smtp]\npasword = '{SECRET}'\n", {}),
        (f"[mail.smtp]\npassword = '{SECRET}\n", {}),
        (f"[database]\nurl = 'mysql://ada:{SECRET}@db.example/x'\n", {}),
        (f"[database]\nurl = 'postgresql://ada:p@{SECRET}@db.example/x'\n", {}),
        (f"[mail.smtp]\nurl = 'smtp://ada:p/{SECRET}@mail.example'\n", {}),
        (f"[mail.smtp]\nurl = 'smtp://ada:{SECRET}/@mail.example:25'\n", {}),
        (f"[bounces]\nsource = 'imaps://ada:p/{SECRET}@mail.example'\n", {}),
        (f"[database]\nurl = ['postgresql://ada:{SECRET}@db.example/x']\n", {}),
        (f"[web]\npublic_url = 'ftp://ada:{SECRET}@a.example'\n", {}),
        ("", {"PUBLISHER_DATABASE_URL": f"postgres://ada:p@{SECRET}@db.example/x"}),
        ("", {"PUBLISHER_MAIL_SMTP_PASWORD": SECRET}),
        ("", {"PUBLISHER_MAIL_SMTP_PASSWORD": SECRET, "PUBLISHER_MAIL_SMTP_PORT": "x"}),
        ("", {"PUBLISHER_MAIL_SMTP_PASSWORD": f"{SECRET}\udcff"}),
    ],
)
def test_no_message_repeats_a_secret(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    toml = text + SITE if text.startswith("mail") else SITE + text
    assert SECRET not in "".join(mistakes(tmp_path, toml, **environ))


def test_printing_the_configuration_hides_the_passwords(tmp_path: Path) -> None:
    url = f"postgresql://ada:{SECRET}@db.example/x"
    assert SECRET not in repr(load(tmp_path, PUBLISHER_MAIL_SMTP_PASSWORD=SECRET, PUBLISHER_DATABASE_URL=url))


@pytest.mark.parametrize("arguments", [["check"], ["publish", "--dry-run"], ["check", "--json"]])
def test_looking_at_a_project_writes_nothing(project: Project, arguments: list[str]) -> None:
    before = project.listing()
    project.run(*arguments)
    assert project.listing() == before


def test_the_nearest_project_upwards_is_found(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = project.root / "posts/a/b"
    deep.mkdir(parents=True)
    assert find_project(deep) == project.root
    with pytest.raises(ProjectError, match=r"no publisher\.toml here or in a folder above"):
        find_project(project.root.parent)
