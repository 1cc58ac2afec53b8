"""Translations of the program's texts are complete, have the plurals of their language, and can be overridden."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_args

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from publisher.config import ScheduleKind
from publisher.core.errors import TemplateError
from publisher.core.i18n import placeholders
from publisher.core.templates import Templates, shipped_folder
from publisher.newsletters.letter.email_strings import words_of
from publisher.newsletters.letter.subscription_notice import NoticeKind
from publisher.site.pages.menu import SECTIONS
from publisher.site.pages.words import words_for
from tests.support import ROOT
from tests.support.editions_samples import CONFIG, FULL, WEEKLY, make

sys.path.insert(0, str(ROOT / "docs"))
from generate_catalogs import ROOMS, template

LOCALE = shipped_folder() / "locale"
LANGUAGES = ["ar", "de", "es", "fr", "ja", "pt"]

# Words that a language has borrowed from English, or shares with it.
SAME = {
    "de": {"Feed", "Newsletter", "{label}: {value}", "Pause"},
    "fr": {"Newsletter", "Newsletters", "Site", "Pages", "Pause"},
    "es": {"{label}: {value}"},
    "pt": {"Feed", "Newsletter", "Newsletters", "Site", "{label}: {value}"},
    "ja": {"{label}: {value}"},
    "ar": {"{label}: {value}"},
}


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(catalog: Catalog) -> dict:
    return {(message.context, message.id): message for message in catalog if message.id}


def texts(value) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def test_the_promised_languages_are_shipped():
    assert sorted(path.stem for path in LOCALE.glob("*.po")) == LANGUAGES


def test_the_catalog_template_is_complete():
    assert messages(read(LOCALE / "publisher.pot")).keys() == messages(template()).keys(), "run `make docs`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalog_is_complete(language):
    found = messages(read(LOCALE / f"{language}.po"))
    assert found.keys() == messages(template()).keys(), "run `make docs`, then translate"
    assert [key for key, message in found.items() if not all(texts(message.string)) or message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_placeholders(language):
    for (context, identity), message in messages(read(LOCALE / f"{language}.po")).items():
        wanted = set().union(*map(placeholders, texts(identity)))
        forms = [placeholders(text) for text in texts(message.string)]
        assert set().union(*forms) == wanted, context
        if not isinstance(identity, tuple):
            assert forms == [wanted], context


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_left_in_english(language):
    found = messages(read(LOCALE / f"{language}.po"))
    left = {text for key, message in found.items() for text in texts(message.string) if text in texts(key[1])}
    assert left == SAME[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_leading_and_trailing_spaces_of_a_phrase_are_kept(language):
    for (context, identity), message in messages(read(LOCALE / f"{language}.po")).items():
        leading = texts(identity)[0].startswith(" ")
        assert {text.startswith(" ") for text in texts(message.string)} == {leading}, context


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_its_own_plurals(language):
    """Numbers of one CLDR category use one form, and numbers of two categories use two."""
    from gettext import c2py

    plural_of = c2py(re.search(r"plural=(.*)", read(LOCALE / f"{language}.po").plural_forms)[1].rstrip(";"))
    category = Locale(language).plural_form
    pairs = {(category(number), plural_of(number)) for number in range(1, 2_000)}
    assert len({name for name, _ in pairs}) == len({form for _, form in pairs}) == len(pairs)


def test_arabic_has_six_plural_forms():
    minutes = words_of("ar").minutes
    assert [minutes.format(count=count) for count in (1, 2, 3, 11, 100)] == [
        "قراءة في دقيقة واحدة",
        "قراءة في دقيقتين",
        "قراءة في 3 دقائق",
        "قراءة في 11 دقيقة",
        "قراءة في 100 دقيقة",
    ]
    more = words_of("ar").and_more
    assert len({re.sub(r"\d+", "", more.format(count=count)) for count in (0, 1, 2, 3, 11, 100)}) == 6


@pytest.mark.parametrize(
    ("asked", "given"),
    [("pt-BR", "pt"), ("pt_br", "pt"), ("zh-Hant-TW", "en"), ("nl", "en"), ("en-GB", "en"), ("DE", "DE"), ("", "en")],
)
def test_a_language_falls_back_to_its_parent(asked, given):
    words = words_of(asked)
    assert words.language == given
    assert words.read_on == words_of(given).read_on
    assert (words.read_on == "Continue reading") == (given == "en")


def own_catalog(folder: Path, name: str, text: str) -> Templates:
    (folder / "locale").mkdir(exist_ok=True)
    (folder / "locale" / name).write_text(text, encoding="utf-8")
    return Templates(folder)


HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
READ_ON = 'msgctxt "letter.read_on"\nmsgid "Continue reading"\n'


def test_a_project_can_change_one_text(tmp_path):
    templates = own_catalog(tmp_path, "de.po", f'{HEAD}{READ_ON}msgstr "Mehr"\n')
    words = words_of("de-AT", templates)
    assert (words.read_on, words.unsubscribe) == ("Mehr", "Abbestellen")
    assert words_for("de", templates).archive == "Archiv"


def test_a_phrase_of_a_project_survives_a_change_of_the_english_one(tmp_path):
    older = 'msgctxt "letter.read_on"\nmsgid "Read on"\nmsgstr "Mehr"\n\n'
    counted = 'msgctxt "letter.minutes"\nmsgid "{count} minute"\nmsgid_plural "{count} minutes"\n'
    forms = 'msgstr[0] "{count} Minute"\nmsgstr[1] "{count} Minuten"\n'
    words = words_of("de", own_catalog(tmp_path, "de.po", HEAD + older + counted + forms))
    assert words.read_on == "Mehr"
    assert words.minutes.format(count=2) == "2 Minuten"


def test_a_project_can_change_an_english_text(tmp_path):
    templates = own_catalog(tmp_path, "en.po", f'{HEAD}{READ_ON}msgstr "Read more"\n')
    assert "Read more" in make(templates=templates).html
    assert "In this edition" in make(templates=templates).html


def test_a_project_can_add_a_language(tmp_path):
    rule = "Plural-Forms: nplurals=3; plural=(n%10==1 ? 0 : n%10<5 ? 1 : 2);\\n"
    plural = f'{HEAD.strip()}\n"{rule}"\n'
    minutes = 'msgctxt "letter.minutes"\nmsgid "{count} min read"\nmsgid_plural "{count} min read"\n'
    forms = 'msgstr[0] "{count} минута"\nmsgstr[1] "{count} минуты"\nmsgstr[2] "{count} минут"\n'
    words = words_of("ru", own_catalog(tmp_path, "ru.po", plural + "\n" + minutes + forms))
    assert words.language == "ru"
    assert [words.minutes.format(count=count) for count in (21, 22)] == ["21 минута", "22 минуты"]
    assert words.read_on == "Continue reading"


def test_an_edited_catalog_is_used_at_once(tmp_path):
    import os

    for number, word in enumerate(("Mehr", "Noch mehr")):
        templates = own_catalog(tmp_path, "de.po", f'{HEAD}{READ_ON}msgstr "{word}"\n')
        os.utime(tmp_path / "locale" / "de.po", ns=(number, number))
        assert words_of("de", templates).read_on == word


def test_a_fuzzy_translation_is_not_used(tmp_path):
    templates = own_catalog(tmp_path, "de.po", f'{HEAD}#, fuzzy\n{READ_ON}msgstr "Vielleicht"\n')
    assert words_of("de", templates).read_on == "Weiterlesen"


@pytest.mark.parametrize(
    ("entry", "line", "message"),
    [
        (
            'msgctxt "letter.issue"\nmsgid "No. {number}"\nmsgstr "Nr. {nummer}"\n',
            4,
            "{nummer} in 'Nr. {nummer}' is not a known",
        ),
        ('msgctxt "letter.issue"\nmsgid "No. {number}"\nmsgstr "Nr. {number"\n', 4, "'{'|expected '}'"),
        ('msgctxt "letter.issue"\nmsgid "No. {number}"\nmsgstr "{number:{x}}"\n', 4, "braces may contain a name"),
        ('msgid "A"\nmsgstr "B\n', 5, "not a valid catalog line"),
        ('msgid "A"\nmsgid "B"\nmsgstr "C"\n', 4, "missing msgstr"),
    ],
)
def test_a_broken_catalog_names_file_and_line(entry, line, message, tmp_path):
    templates = own_catalog(tmp_path, "de.po", HEAD + entry)
    with pytest.raises(TemplateError) as raised:
        words_of("de", templates)
    assert re.search(re.escape(message) if "in" in message else message, raised.value.message)
    assert raised.value.where.startswith("templates/locale/de.po:")
    assert abs(int(raised.value.where.rpartition(":")[2]) - line) <= 1


def test_an_unreadable_plural_rule_is_an_error(tmp_path):
    head = HEAD.strip() + '\n"Plural-Forms: nplurals=2; plural=__import__(1);\\n"\n\n'
    with pytest.raises(TemplateError, match="Plural-Forms"):
        words_of("de", own_catalog(tmp_path, "de.po", f'{head}{READ_ON}msgstr "Mehr"\n'))


# The preview is for the writer, and is in English like the command line.
FOR_READERS = [
    path
    for pattern in ("pages/*.html", "web/*.html", "email/*.html", "email/*.txt")
    for path in shipped_folder().glob(pattern)
]


@pytest.mark.parametrize("path", FOR_READERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_template_contains_no_text_of_its_own(path):
    source = path.read_text(encoding="utf-8")
    source = re.sub(r"{% block (?:kept_)?style %}.*?{% endblock %}", "", source, flags=re.DOTALL)
    source = re.sub(r"{#.*?#}|<style.*?</style>|<xml>.*?</xml>|<script.*?</script>", "", source, flags=re.DOTALL)
    spoken = re.findall(r'(?:alt|title|aria-label|placeholder|content)="([^"]*)"', source)
    for text in [re.sub(r"<[^>]*>", " ", re.sub(r"{{.*?}}|{%.*?%}", "", source, flags=re.DOTALL)), *spoken]:
        plain = re.sub(r"{{.*?}}|{%.*?%}|&\w+;|&#\w+;|#[0-9a-f]{6}", "", text)
        words = {word for word in re.findall(r"[^\W\d_]{2,}", plain) if word not in KNOWN}
        assert words == set()


# Values of <meta>, and the names of a format and of the program.
KNOWN = {
    *("width", "device", "url", "initial", "scale", "light", "dark", "telephone", "no", "date", "address", "email"),
    *(
        "summary",
        "large",
        "image",
        "website",
        "article",
        "noindex",
        "nofollow",
        "referrer",
        "no",
        "max",
        "preview",
        "follow",
        "all",
        "OPML",
        "Publisher",
    ),
}


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_is_used(room):
    """Each text is used in a template, or by name in the room's own code."""
    places = {
        "letter": ("email", "newsletters"),
        "page": ("pages", "site"),
        "notice": ("email", "newsletters"),
        "form": ("*", "site"),
        "web": ("web", "web"),
    }[room]
    package = Path(sys.modules["publisher"].__file__).parent
    files = [*shipped_folder().glob(f"{places[0]}/*"), *(package / places[1]).rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in files if path.name not in ("words.py", "strings.py"))
    used = set(re.findall(r"(?:\b(?:words|say|its)|words_in\([^()]*\))\.(\w+)", text))
    if room == "web":  # pages have the keys of their titles as names
        used |= set(re.findall(r'"(\w+)"', text))
    if room == "page":
        used |= set(SECTIONS.values())
    if room == "notice":
        used |= {f"{kind}_{part}" for kind in get_args(NoticeKind) for part in ("subject", "text", "button", "not_me")}
        used |= {"hello"} if 'say["hello"]' in text else set()
    by_kind = {f"feeds_of_{kind}" for kind in ("site", "newsletters", "tags", "authors")}
    by_kind |= {f"often_{kind.value.replace(' ', '_')}" for kind in ScheduleKind} | {"often_biweekly"}
    assert set(ROOMS[room]) - used - by_kind == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translated_email_contains_no_english(language):
    from dataclasses import replace

    from tests.support.editions_samples import JAPANESE

    letter = make(CONFIG, replace(WEEKLY, language=language), [JAPANESE] * 4)
    assert "2026" in letter.text
    english = [
        text for text in (words_of("en").read_on, words_of("en").why[:20], "min read", "No. ") if text in letter.html
    ]
    assert english == []
    assert "November" not in letter.html or language == "de"
    assert make(CONFIG, replace(FULL, language=language), [JAPANESE]).text.isascii() is False


def test_french_punctuation_stays_with_its_word():
    for (context, _), message in messages(read(LOCALE / "fr.po")).items():
        for text in texts(message.string):
            assert re.findall(r" [:;?!»]|« |\w[:;?!»](?!\S)|«\w|Nº", text) == [], context
