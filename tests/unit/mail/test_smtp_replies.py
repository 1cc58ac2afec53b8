"""Bytes from a mail server are parsed into replies."""

from __future__ import annotations

import pytest

from publisher.mail.smtp.replies import GarbledError, ReplyReader


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"250 2.0.0 Ok\r\n", [(250, "2.0.0 Ok")]),
        (b"250-one\r\n250-two\r\n250 three\r\n", [(250, "one two three")]),
        (b"550-5.1.1 no\n550 5.1.1 such user\n", [(550, "5.1.1 no such user")]),
        (b"250\r\n354\r\n", [(250, ""), (354, "")]),
        (b"250 \xff\x07\r\n", [(250, "\ufffd")]),
        (b"250 Ok\r\n25", [(250, "Ok")]),
    ],
)
def test_replies_of_every_shape_are_read(said: bytes, expected: list[tuple[int, str]]) -> None:
    assert [(reply.code, reply.words) for reply in ReplyReader().feed(said)] == expected


@pytest.mark.parametrize(
    "said", [b"\r\n", b"OK\r\n", b"2500 x\r\n", b"150 x\r\n", b"250-a\r\n251 b\r\n", b"x" * 9000, b"250-x\r\n" * 40_000]
)
def test_bytes_that_are_not_a_reply_are_an_error(said: bytes) -> None:
    with pytest.raises(GarbledError):
        ReplyReader().feed(said)


def test_replies_may_come_in_pieces_of_any_size() -> None:
    said = b"250-one\r\n250 two\r\n354 go\r\n550 5.1.1 no\r\n"
    whole = ReplyReader().feed(said)
    for size in range(1, len(said)):
        reader = ReplyReader()
        assert [r for at in range(0, len(said), size) for r in reader.feed(said[at : at + size])] == whole
