"""Bytes become clean text; garbled text is repaired if that is certain, and nothing else is changed."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.config import Posts
from publisher.core.errors import PostError
from publisher.posts.text.encoding import decode, is_suspect, repair, without_controls
from tests.support.posts_samples import HELLO, html_of, rendered, said

LANGUAGES = """
voilà déjà où être Noël naïve façon là-bas CÔTÉ ÉTÉ À Ça Où Être œuvre ŒUVRE L’été pâté château
España niño Ñandú AÑO ¿Qué ¡Olé! ÁRBOL café CAFÉ corazón CORAZÓN pingüino 1ª
São não NÃO irmã IRMÃ manhã AMANHÃ maçã MAÇÃ coração CORAÇÃO pão PÃO mãe MÃE avô avó ILHÃ
Đà Nẵng ĐÀ NẴNG Việt Nam tiếng Việt XÃ HỘI xã hội mã MÃ cà phê CÀ PHÊ bà BÀ Hà Nội HÀ NỘI Âu ÂM NHẠC ngã
Привет Россия ЁЛКА мир объявление Київ їжак България
Þór Ísland orð ORÐ BORÐ Å Århus ål PÅ tämä TÄMÄ päivää ø BRØ Österreich Übung STRAẞE straße România ÎN până PÂNĂ
日本語 漢字 中文 한국어 かな カナ Ελληνικά ΑΘΗΝΑ עברית العربية हिन्दी ไทย
€5 20 °C ½ ©2024 ® naïveté fiancée jalapeño señor piñata Zürich Łódź Kraków Dvořák smörgåsbord
"""
WORDS = LANGUAGES.split()
MARKS = [
    "",
    "”",
    "’",
    "“",
    "»",
    "\u00a0»",
    "\u202f»",
    "…",
    "–",
    "—",
    "\u00a0!",
    "\u00a0?",
    "\u00a0:",
    ".",
    ",",
    ")",
    "®",
]
SENTENCES = st.lists(
    st.tuples(
        st.sampled_from(["", "“", "« ", "«\u00a0", "L’", "("]), st.sampled_from(WORDS), st.sampled_from(MARKS[:-1])
    ),
    min_size=1,
    max_size=8,
).map(lambda parts: " ".join(map("".join, parts)))


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(SENTENCES)
@example("“IRMÃ”")
@example("«\u00a0MÃ\u00a0»")
@example("„BORл")
@example("VOILÀ…")
@example("voilà” IRMÃ ½“")
def test_correct_text_is_never_changed(sentence: str) -> None:
    assert repair(sentence) == (sentence, [])
    assert repair(sentence, markdown=True) == (sentence, [])


def garbled(text: str, encoding: str) -> str:
    return text.encode().decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    "text",
    ["café", "It’s", "“quoted”", "Müller – Söhne", "naïve", "España", "€5", "Привет мир", "日本語", "x\u200b\tFig"],
)
def test_garbled_text_is_repaired(text: str, encoding: str) -> None:
    try:
        damaged = garbled(text, encoding)
    except UnicodeDecodeError:
        return  # Windows-1252 has holes: such text cannot have been garbled that way
    repaired, repairs = repair(f"One.\n\nSee {damaged} here")
    assert repaired == f"One.\n\nSee {text} here"
    assert [item.line for item in repairs] == [3]


def test_the_garbled_sentence_of_the_seed_is_repaired() -> None:
    result = rendered("One.\n\nOpenAIâ€™s models\n\nâ€‹\t\t\tFig1 - A caption")
    assert "<p>OpenAI’s models</p>" in result.html
    assert "Fig1 - A caption</p>" in result.html
    assert "<pre>" not in result.html
    assert said(result) == [
        (6, "repaired garbled text: 'OpenAIâ€™s' → 'OpenAI’s'"),
        (8, "repaired garbled text: 'â€‹\\t\\t\\tFig1' → 'Fig1'"),
    ]


@pytest.mark.parametrize(
    "code",
    [
        "```\nOpenAIâ€™s\n```", "~~~\nâ€™\n~~~", "    OpenAIâ€™s", "The bytes `â€™` are one", "``Ã© ` Ã¨``",
        "- item\n\n  ```\n  cafÃ©\n  ```", "<pre>\ncafÃ©\n\nx\n</pre>",
    ],
)  # fmt: skip
def test_code_shows_what_the_writer_shows(code: str) -> None:
    assert repair(code, markdown=True) == (code, [])


def test_prose_next_to_code_is_repaired() -> None:
    text, repairs = repair("`â€™` is â€™ and cafÃ©", markdown=True)
    assert (text, len(repairs)) == ("`â€™` is ’ and café", 1)


def test_a_garbled_title_is_repaired_with_a_warning() -> None:
    result = rendered("Text", "title: Itâ€™s\nexcerpt: cafÃ©")
    assert (result.post.title, result.excerpt) == ("It’s", "café")


def test_fix_encoding_can_be_turned_off() -> None:
    result = rendered("OpenAIâ€™s", "title: Itâ€™s", posts=Posts(fix_encoding=False))
    assert (result.post.title, result.html, result.problems) == ("Itâ€™s", "<p>OpenAIâ€™s</p>\n", ())


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.text(max_size=80))
def test_repairs_change_only_suspect_lines(text: str) -> None:
    repaired, repairs = repair(text)
    assert repaired.count("\n") == text.count("\n")
    if not is_suspect(text):
        assert (repaired, repairs) == (text, [])


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.text(max_size=40).map(lambda text: text.replace("\r", "")), st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_text_is_read_back_as_it_was_written(text: str, end: str) -> None:
    text = text.replace("\0", "")
    assert decode(text.replace("\n", end).encode(), whole=True) == text.removeprefix("\ufeff")


@settings(max_examples=4 * settings.default.max_examples, deadline=None)
@given(st.text(min_size=1, max_size=20), st.integers(0, 60))
def test_the_beginning_of_a_file_decodes_to_the_beginning_of_its_text(text: str, size: int) -> None:
    text = text.replace("\0", "").replace("\r", "").removeprefix("\ufeff")
    assert text.startswith(decode(text.encode()[:size], whole=False))


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"one\ntwo\n\xff", 3, "is not UTF-8: byte 0xff"),
        (b"one\r\ntwo\r\ncaf\xe9\r\n", 3, "is not UTF-8: byte 0xe9"),
        (b"one\rtwo\rcaf\xe9\r", 3, "is not UTF-8: byte 0xe9"),
        ("text".encode("utf-16"), 1, "is not text: it contains NUL bytes"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, "is not text: it contains NUL bytes"),
        (b"\xed\xa0\x80", 1, "is not UTF-8: byte 0xed"),
    ],
)
def test_bytes_that_are_not_text_are_rejected_with_their_line(data: bytes, line: int, message: str) -> None:
    with pytest.raises(PostError, match=message) as caught:
        decode(data, whole=True)
    assert caught.value.line == line


def test_control_characters_are_removed_and_their_lines_are_known() -> None:
    assert without_controls("a\x00b\n\tc\n\x1bd\uffff\ud800") == ("ab\n\tc\nd", [1, 3])
    assert without_controls("fine\n\ttext\x85") == ("fine\n\ttext\x85", [])


def test_a_control_character_in_front_matter_is_a_warning() -> None:
    assert "<p>x</p>" in html_of("x", head="title: a\x0bb", name=HELLO)
    assert rendered("x", "title: a\x0bb").post.title == "ab"


def test_a_letter_in_quotation_marks_is_not_garbled() -> None:
    for text in ("“Ã” is a letter", "The letters ‘Ã’ and «Ñ», »Ä« und „Ä“", "Ã is a letter, “Ã” too", "Ã — the letter"):
        assert repair(text) == (text, [])
    assert repair("Ã  bientÃ´t, “Ã©tÃ©”")[0] == "à  bientôt, “été”"


def test_only_text_that_is_certainly_garbled_is_changed() -> None:
    for text in (
        "The letter Ã is used in Portuguese. Â is used in Romanian: the letter Â was dropped. Price: Â£5?",
        "How mojibake happens: é → Ã© → ÃƒÂ©; ’ → â€™; € → â‚¬; the BOM shows as ï»¿.",
        "The « Â » sign and Ã. Bad encodings show cafÃ© for café.",
        "The sign “Ã©” shows that Latin-1 was assumed, and «â€™» too",
        "Un café.\n\nCe qui devient « cafÃ© ».",
        "voilÃ  is undecidable",
        "MAÇÃ VERDE. IRM\u00c3 FOI.",
    ):
        assert repair(text, markdown=True) == (text, [])
    for text, right in {
        "Bad: cafÃ©. Title: MAÇÃ VERDE.": "Bad: café. Title: MAÇÃ VERDE.",
        "Bad: cafÃ©.\nIRMÃ FOI.": "Bad: café.\nIRMÃ FOI.",
        "cafÃ© and “IRMÔ": "café and “IRMÔ",
        "One â€œhitâ€ then": "One “hit” then",
        "One â€œhitâ€, then": "One “hit”, then",
        "L’Ã©tÃ©, voilÃ\u00a0! CÃ”TÃ‰": "L’été, voilà! CÔTÉ",
        "Itâ€™s what isn’t": "It’s what isn’t",
        "Price: Â£5, 20Â\u00a0Â°C": "Price: £5, 20\u00a0°C",
        "cafÃƒÂ©": "café",
        "ÐŸÑ€Ð¸Ð²ÐµÑ‚": "Привет",
    }.items():
        assert repair(text)[0] == right


def test_a_warning_counts_the_other_repairs_of_its_line() -> None:
    assert said(rendered("cafÃ© and â€œthisâ€\u009d")) == [
        (4, "contained a control character, which was removed"),
        (4, "repaired garbled text: 'cafÃ©' → 'café', and 2 more in this line"),
    ]
