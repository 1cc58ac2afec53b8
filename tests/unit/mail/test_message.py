"""Messages have the intended contents when the standard library's parser reads them back."""

from __future__ import annotations

import email
import quopri
import re
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from html import escape
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publisher.core.newsletter_models import Edition, Letter, Mark
from publisher.mail.encoded_part import EncodedPart, quoted_printable, soft_broken
from publisher.mail.header_lines import mailbox_header, named_header, one_line, text_header
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient, message_id
from tests.support.store_samples import NOW

HEADERS = NewsletterHeaders(
    title="The Weekly Analyst",
    sender="Ada Lovelace <ada@example.org>",
    list_id="weekly.example.org",
    reply_to="Editors <editors@example.org>",
    archive="https://example.org/editions/",
)
UNSUBSCRIBE = "https://letters.example.org/unsubscribe/" + "Wy5IIl0.x-_" * 12
PREFERENCES = "https://letters.example.org/preferences/" + "IjRmIl0.y-_" * 12

# Text as people and templates write it, and difficult text: escapes, dots, long lines, bare CRs, other scripts, marks.
HURTING = st.sampled_from(
    ["=", "=3D", "\r", "\r\n", "\n", ".", "\n.\n", " ", " \n", "\t\n", "é", "語" * 40, "🙂", "x" * 80]
)
TEXTS = st.lists(HURTING | st.sampled_from(Mark.ALL) | st.text(st.characters(exclude_categories=("Cs",)))).map("".join)
NAMES = st.text(st.characters(), max_size=300) | st.lists(HURTING | st.sampled_from('"\\<>@,;:()')).map("".join)


def letter(html: str = "<p>Hello</p>", text: str = "Hello\n", subject: str = "Hello") -> Letter:
    return Letter("", subject, "", html, text)


def to(name: str = "", address: str = "reader@example.org") -> Recipient:
    return Recipient(address, name, "<1234@example.org>", UNSUBSCRIBE, PREFERENCES)


def written(a_letter: Letter, recipient: Recipient | None = None, headers: NewsletterHeaders = HEADERS) -> bytes:
    return MessageTemplate.of(a_letter, headers, NOW).join(recipient or to())


def read(message: bytes) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(message, policy=default))


def body(message: bytes, kind: str) -> str:
    """Return a part's text exactly as it was encoded. The parser would otherwise change the last line end."""
    part: Any = read(message).get_body((kind,))
    return lines(part.get_payload(decode=True).decode())


def display_name(message: bytes) -> str:
    """Return the name in To. Adjacent encoded words are joined (RFC 2047, 6.2), which Python 3.11 does not do."""
    name, _ = parseaddr(email.message_from_bytes(message)["To"])
    return str(make_header(decode_header(name)))


def lines(text: str) -> str:
    """Return the text with its line ends changed to LF, as the parser returns them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def filled(text: str, recipient: Recipient) -> str:
    for mark, value in recipient.values().items():
        text = text.replace(mark, value)
    return text


def test_every_header_reads_back() -> None:
    message = read(written(letter(subject="What's new: ideas")))

    assert dict(message.items()) == {
        "Date": "Sat, 21 Nov 2026 09:00:00 +0000",
        "From": "Ada Lovelace <ada@example.org>",
        "Subject": "What's new: ideas",
        "List-Id": "The Weekly Analyst <weekly.example.org>",
        "List-Owner": "<mailto:editors@example.org>",
        "Auto-Submitted": "auto-generated",
        "Feedback-ID": "20261121T090000:weekly:newsletter:example.org",
        "MIME-Version": "1.0",
        "Reply-To": "Editors <editors@example.org>",
        "List-Archive": "<https://example.org/editions/>",
        "To": "reader@example.org",
        "Message-ID": "<1234@example.org>",
        "List-Unsubscribe": f"<{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Content-Type": message["Content-Type"],
    }
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not any(part.defects for part in message.walk())


def test_long_ascii_subjects_are_folded_not_encoded() -> None:
    subject = "What readers of plain text told us this year, and eleven other letters: a digest of a long autumn"
    message = written(letter(subject=subject))
    folded = subject.replace(" letters:", "\r\n letters:")
    assert f"\r\nSubject: {folded}\r\n".encode() in message
    assert read(message)["Subject"] == subject


@pytest.mark.parametrize(
    "subject", ["x" * 70, f"A {'x' * 78} word", f"A long subject {'of many words ' * 9}=?utf-8?q?x?="]
)
def test_unfoldable_subjects_are_encoded(subject: str) -> None:
    message = written(letter(subject=subject))
    assert b"\r\nSubject: =?utf-8?b?" in message
    assert read(message)["Subject"] == subject


def test_lines_with_encoded_words_have_76_characters_at_most() -> None:
    """The limit of RFC 2047, section 2, applies to each header that may have encoded words, at every length."""
    address = "someone.with.a.long.name@a.very.long.name.example.org"
    for sign in ("é", "日", "\U0001f642", "é a"):
        for count in range(1, 120):
            text = one_line(sign * count)
            for header in (
                text_header("Subject", text),
                mailbox_header("From", text, "ada@example.org"),
                mailbox_header("Reply-To", text, address),
                named_header("List-Id", text, "weekly.example.org"),
                text_header("X-A-Header-With-A-Name-Longer-Than-Any-Of-Ours-Or-Of-Anybody-Else", text),
            ):
                assert max(map(len, header.split(b"\r\n"))) <= 76
                assert header.startswith((b"X", header.partition(b":")[0] + b": =?utf-8?b?"))
            assert message_from_bytes(text_header("Subject", text) + b"\r\n", policy=default)["Subject"] == text


def test_no_line_of_a_body_begins_with_from() -> None:
    """RFC 2049, section 3. The text is also checked where a line was broken, and next to a mark."""
    texts = [
        "From Monday on",
        "From ",
        "From",
        "a\nFrom b\nFrom c",
        "From " * 40,
        "x" * 70 + " From b From c",
        "From \n",
    ]
    texts += [f"From {'x' * count} From {'é' * count}\n\nFrom" for count in range(20, 90)]
    for text in texts:
        encoded = quoted_printable(text)
        wired = encoded.split(b"\r\n")
        assert not any(line.startswith(b"From ") for line in wired)
        assert max(map(len, wired)) <= 76
        assert quopri.decodestring(encoded).decode().replace("\r\n", "\n") == text
    assert quoted_printable("From Monday on") == b"=46rom Monday on"
    message = written(letter("<pre>From a\nFrom b</pre>", f"From {Mark.NAME}From c\n"), to("From Ada"))
    assert b"\r\nFrom " not in message.partition(b"\r\n\r\n")[2]
    assert body(message, "plain") == "From From AdaFrom c\n"
    assert body(message, "html") == "<pre>From a\nFrom b</pre>"


def test_one_click_needs_https() -> None:
    recipient = Recipient("a@example.org", "", "<1@b>", "http://localhost:8000/unsubscribe/x", "")
    message = read(written(letter(), recipient))

    assert message["List-Unsubscribe"] == "<http://localhost:8000/unsubscribe/x>"
    assert message["List-Unsubscribe-Post"] is None


def test_a_message_is_always_the_same_bytes() -> None:
    assert written(letter(), to("Ada")) == written(letter(), to("Ada"))


def test_marks_are_filled_in_both_parts() -> None:
    marked = " | ".join(Mark.ALL)
    message = written(letter(f"<p>{marked}</p>", f"{marked}\n"), to("Ada <b>", "o'neil@example.org"))

    assert body(message, "plain") == f"{UNSUBSCRIBE} | {PREFERENCES} | Ada <b> | o'neil@example.org\n"
    expected = f"<p>{UNSUBSCRIBE} | {PREFERENCES} | Ada &lt;b&gt; | o&#x27;neil@example.org</p>"
    assert body(message, "html") == expected
    assert "@@" not in read(message).as_string()


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        'Robert "Bob" O\'Neil, Jr.',
        "back\\slash",
        "=?utf-8?q?not_an_encoded_word?=",
        "Dvořák, Antonín",
        "山田 太郎",
        "🙂" * 60,
        "a" * 300,
        "comma, semi; colon: <angle@brackets> (parens)",
        "trailing dot.",
        "\u202eright to left",
        "@",
    ],
)
def test_names_read_back(name: str) -> None:
    message = written(letter(), to(name))

    assert display_name(message) == name
    header = read(message)["To"]
    assert [address.addr_spec for address in header.addresses] == ["reader@example.org"]
    assert not header.defects


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: victim@example.org",
        "Eve\nBcc: victim@example.org\n\nHello",
        "Eve\r\n\r\n--=_",
        "Eve\x00\x1b[31m",
        "Eve\u2028Bcc: victim@example.org\x85",
        "\r\n",
    ],
)
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    message = read(written(letter(subject=name), to(name)))

    assert message["Bcc"] is None
    assert set(message.keys()) == set(read(written(letter(), to())).keys())
    assert [address.addr_spec for address in message["To"].addresses] == ["reader@example.org"]
    assert body(message.as_bytes(), "plain") == "Hello\n"


@given(NAMES, NAMES)
@example("\ud800", "\udfff")
@example("", "")
def test_any_name_and_subject_keep_the_message_valid(name: str, subject: str) -> None:
    message = written(letter(subject=subject, text=f"Hi {Mark.NAME}!\n"), to(name))
    parsed = read(message)

    assert set(parsed.keys()) == set(read(written(letter(), to())).keys())
    assert [address.addr_spec for address in parsed["To"].addresses] == ["reader@example.org"]
    assert display_name(message) == one_line(name)
    assert body(message, "plain") == f"Hi {one_line(name)}!\n"
    assert_well_formed(message)


@given(TEXTS, TEXTS)
@example(f"{'x' * 75} \n{'y' * 76}\t\n", f"{'z' * 76}{Mark.NAME}")
@example(f".{Mark.NAME}.", f"{Mark.NAME}\n.\n{Mark.NAME}")
@example(f"a {Mark.NAME} ", f"{Mark.UNSUBSCRIBE}{Mark.UNSUBSCRIBE}")
def test_any_letter_reads_back_with_marks_filled(html: str, text: str) -> None:
    recipient = to("Zoë =20 Example", "zoë@example.org")
    message = written(letter(html, text), recipient)

    values = {mark: escape(value) for mark, value in recipient.values().items()}
    expected_html = re.sub("|".join(map(re.escape, Mark.ALL)), lambda found: values[found[0]], html)
    assert body(message, "html") == lines(expected_html)
    assert body(message, "plain") == lines(filled(text, recipient))
    assert_well_formed(message)


@given(st.text(st.characters(exclude_categories=("Cs",))), st.lists(st.sampled_from(Mark.ALL)))
def test_a_mark_is_never_split(text: str, marks: list[str]) -> None:
    part = EncodedPart.of(text.join(marks))
    assert list(part.marks) == marks
    assert not any(b"@@publisher" in piece for piece in part.pieces)


@given(TEXTS)
def test_soft_broken_text_ends_with_a_soft_break(text: str) -> None:
    encoded = soft_broken(text)
    assert encoded == b"" or encoded.endswith(b"=\r\n")
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert all(len(line) <= 76 for line in quoted_printable(text).split(b"\r\n"))


URL_LIKE = st.text("abcXYZ019:/?&._~@%+-.....=", max_size=200)


@given(URL_LIKE)
def test_a_url_is_broken_like_any_other_text(text: str) -> None:
    assert soft_broken(text) == (quoted_printable(f"{text}x")[:-1] + b"=\r\n" if text else b"")


def test_only_the_domain_of_an_address_becomes_ascii() -> None:
    message = written(letter(), to("Jörg", "jörg@müller.example"))
    assert "jörg@xn--mller-kva.example".encode() in message
    assert read(message)["To"].addresses[0].display_name == "Jörg"


@pytest.mark.parametrize("address", ["", "ada", "@example.org", "a b@example.org", "a@b\r\nBcc: c@d", "a>@b"])
def test_an_invalid_address_is_an_error(address: str) -> None:
    with pytest.raises(ValueError, match="is not a valid email address"):
        written(letter(), to("", address))


def test_message_ids_are_permanent_and_unique() -> None:
    edition = Edition(1, "weekly", "2026-W47", 3, "s", NOW)
    same = Edition(99, "weekly", "2026-W47", 8, "other", NOW + timedelta(days=1))
    others = [
        message_id(edition, "other", HEADERS.sender),
        message_id(Edition(1, "daily", "2026-W47", 3, "s", NOW), "uid", HEADERS.sender),
        message_id(Edition(1, "weekly", "2026-W48", 3, "s", NOW), "uid", HEADERS.sender),
    ]

    first = message_id(edition, "uid", HEADERS.sender)
    assert first == message_id(same, "uid", HEADERS.sender)
    assert re.fullmatch(r"<[0-9a-f]{40}@example\.org>", first)
    assert len({first, *others}) == 4


def test_headers_of_a_unicode_site_are_ascii() -> None:
    headers = NewsletterHeaders(
        title="Wöchentlich",
        sender="Jörg <jorg@müller.example>",
        list_id="weekly.müller.example",
        archive="https://müller.example/café/",
    )
    raw = written(letter(), headers=headers)
    message = read(raw)

    assert raw.isascii()
    assert str(message["From"]) == "Jörg <jorg@xn--mller-kva.example>"
    assert message["List-Id"] == "Wöchentlich <weekly.xn--mller-kva.example>"
    assert message["List-Archive"] == "<https://xn--mller-kva.example/caf%C3%A9/>"
    assert message_id(Edition(1, "w", "s", 1, "s", NOW), "u", headers.sender).endswith("@xn--mller-kva.example>")


def assert_well_formed(message: bytes) -> None:
    """Check that all line ends are CRLF, no line is too long (RFC 5322, RFC 2045), and no character is NUL."""
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", message) is None
    head, _, content = message.partition(b"\r\n\r\n")
    assert all(len(line) <= 76 for line in content.split(b"\r\n"))
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert b"\0" not in message
