"""Messages from strangers are split as the email package splits them, but only a few levels deep."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import Message
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.bounces.parts import UndividedMessage, outer_parts, parse_report
from publisher.core.mime import divided, head_and_body

BODIES = [
    ("--b\n\none\n--b\n\ntwo\n--b--\n", ["\none", "\ntwo"]),
    ("before\r\n--b\r\nX: y\r\n\r\none\r\n\r\n--b--\r\nafter", ["X: y\r\n\r\none\r\n"]),
    ("--b\rone\r--b--", ["one"]),
    ("--b \t\none\n --b\n--bb\n--b-\nx--b\n--b", ["one\n --b\n--bb\n--b-\nx--b", ""]),
    ("--b\n--b\none", ["one"]),
    ("--b\n\n--b--", [""]),
    ("--b--\n--b\none", []),
    ("no boundary", []),
    ("", []),
]


def test_a_body_is_split_at_its_boundary_lines() -> None:
    message, body = head_and_body('Content-Type: multipart/mixed; boundary="b"\n\nbody')
    assert body == "body"
    assert [divided(message, each, 10) for each, _ in BODIES] == [parts for _, parts in BODIES]
    assert divided(message, "--b\na\n--b\nb\n--b\nc\n--b--", 2) == ["a", "b"]
    for other in ("text/plain; boundary=b", "multipart/mixed", f"multipart/mixed; boundary={'b' * 250}"):
        assert divided(head_and_body(f"Content-Type: {other}\n\n")[0], BODIES[0][0], 10) == []


def test_headers_end_where_the_email_package_ends_them() -> None:
    for text in (
        "A: b\n c\n\nbody",
        "A: b\r\n\r\nbody",
        "From x\nA: b\n\nbody",
        "\nA: b",
        "A: b\nno header\n",
        "A: b",
        "",
    ):
        message, body = head_and_body(text)
        whole = message_from_bytes(text.encode())
        assert (message.items(), message.get_unixfrom(), body) == (
            *(whole.items(), whole.get_unixfrom()),
            whole.get_payload(),
        )


def tree(message: Message) -> Any:
    inner = message.get_payload()
    return [tree(part) for part in inner if isinstance(part, Message)] if isinstance(inner, list) else inner


def written(parts: Any, end: str, depth: int = 0) -> str:
    """Return a message whose nested parts have the structure of this tree of texts."""
    if isinstance(parts, str):
        return f"Content-Type: text/plain{end}{end}{parts}"
    inner = "".join(f"--b{depth}{end}{written(part, end, depth + 1)}{end}" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="b{depth}"{end}{end}{inner}--b{depth}--{end}'


TREES = st.recursive(
    st.sampled_from(["", "text", "--b", "é\n", "\n\n", "a\nb"]), lambda inner: st.lists(inner, min_size=1, max_size=4)
)


@settings(max_examples=60, deadline=None)
@given(TREES, st.sampled_from(["\n", "\r\n"]))
def test_a_message_is_split_like_in_the_email_package(parts: Any, end: str) -> None:
    data = written(parts, end).encode()
    assert tree(parse_report(data)) == tree(message_from_bytes(data, UndividedMessage, policy=policy.compat32))


def depth(message: Message) -> int:
    inner = message.get_payload()
    return 1 + max(depth(part) for part in inner if isinstance(part, Message)) if isinstance(inner, list) else 0


@pytest.mark.parametrize(("levels", "found"), [(1, 1), (6, 6), (10, 10), (11, 10), (900, 10), (5_000, 10)])
def test_a_tree_of_any_depth_is_read_a_few_levels_deep(levels: int, found: int) -> None:
    inner = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels))
    assert depth(parse_report(f"{inner}\n{chr(10) * 100_000}".encode())) == found


def test_a_tree_of_any_width_has_at_most_a_hundred_parts() -> None:
    wide = "--b0\nContent-Type: multipart/mixed; boundary=b1\n\n" + "--b1\n\nx\n" * 60
    message = parse_report(f"Content-Type: multipart/mixed; boundary=b0\n\n{wide * 3}".encode())
    assert len(list(outer_parts(message))) == 100


def test_no_long_header_is_read_completely() -> None:
    message, _ = head_and_body(f'Content-Type: text/plain; name="{";" * 60_000}"\n\n')
    assert len(message["Content-Type"]) < 1_000
    message, body = head_and_body("A: b\n" * 100_000 + "\nbody")
    assert len(message.items()) < 20_000
    assert body == "body"
