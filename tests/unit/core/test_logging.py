"""Every log entry, as text or as JSON, is one line without personal data."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publisher.core.logging import LONGEST_TEXT, configure, log, redacted

ADDRESS = "ada.lovelace+x@letters.example.org"
LINK = "https://a.example/letters/confirm/eyJ0.dG9rZW4.c2ln"


@contextmanager
def lines(how: str, *, terminal: bool = False) -> Iterator[list[str]]:
    """Yield a list. When the block ends, the lines that it logged are added to the list."""
    stream, found = io.StringIO(), []
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    configure(how, stream)  # type: ignore[arg-type]
    try:
        yield found
    finally:
        configure()
        found += stream.getvalue().splitlines()


def test_people_get_sentences_and_programs_get_fields() -> None:
    with lines("human") as human:
        log("edition made", newsletter="weekly", slot="2026-W47", why="")
        log("answered", "GET / 200", path="/", status=200)
        log("problem", "posts/a.md:3: no date", level="warning")
    assert [line.partition(" ")[2] for line in human] == [
        "edition made: newsletter=weekly slot=2026-W47",
        "GET / 200",
        "warning: posts/a.md:3: no date",
    ]
    with lines("json") as plain:
        log("answered", "GET / 200", path="/日本", status=200)
    found = json.loads(plain[0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found.pop("time"))
    assert found == {"level": "info", "event": "answered", "path": "/日本", "status": 200}


@pytest.mark.parametrize(("terminal", "first"), [(True, "2"), (False, "{")])
def test_the_automatic_format_depends_on_the_terminal(terminal: bool, first: str) -> None:
    with lines("auto", terminal=terminal) as found:
        log("ended")
    assert found[0].startswith(first)


@pytest.mark.parametrize("how", ["human", "json"])
def test_addresses_and_personal_links_are_redacted(how: str) -> None:
    with lines(how) as found:
        log(f"asked by {ADDRESS}", f"{ADDRESS} asked at {LINK}", who=f"Ada <{ADDRESS}>", where=LINK)
        logging.getLogger("library").warning("cannot reach %s at %s", ADDRESS, LINK)
    assert len(found) == 2
    assert "lovelace" not in "".join(found)
    assert "dG9rZW4" not in "".join(found)
    assert "…@letters.example.org" in found[1]


@given(
    st.text(max_size=40), st.from_regex(r"[a-z0-9.+_-]{1,20}@[a-z]{1,9}\.example", fullmatch=True), st.text(max_size=40)
)
@example("to:", "ada@x.example", "\n\r\x85 next")
def test_no_text_hides_an_address(before: str, address: str, after: str) -> None:
    line = redacted(f"{before} {address} {after}")
    assert address not in line
    assert len(line.splitlines()) <= 1


def test_an_exception_of_a_library_is_logged_by_type() -> None:
    with lines("json") as found:
        try:
            raise ValueError(ADDRESS)
        except ValueError:
            logging.getLogger("library").exception("failed")
    (line,) = map(json.loads, found)
    assert (line["level"], line["event"], line["error"], line["library"]) == (
        "error",
        "failed",
        "ValueError",
        "library",
    )


def test_a_closed_stream_raises_nothing() -> None:
    with lines("json"):
        pass
    stream = io.StringIO()
    configure("json", stream)
    stream.close()
    log("ended")
    configure()


@pytest.mark.parametrize("unit", ["a/../", "/", "a", "@", "a@", "a@b", "@-", "/confirm/", "a@-.", ",a@", "… "])
def test_a_megabyte_is_logged_in_linear_time_and_cut(unit: str) -> None:
    # In quadratic time this would take hours, and exceed the time limit of a test.
    line = redacted(unit * (1_000_000 // len(unit)))
    assert len(line) <= LONGEST_TEXT + 1


def test_cutting_a_line_never_reveals_an_address() -> None:
    for spaces in range(60):
        assert "ada" not in redacted("x" * (LONGEST_TEXT - spaces) + " ada.lovelace@example.org")
