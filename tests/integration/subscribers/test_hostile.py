"""Whatever strangers send, they get a clear answer, and nothing harmful is stored."""

from __future__ import annotations

import re
import unicodedata
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscription
from publisher.store import Store, open_store
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.address import bare_address, clean_name, normalise
from publisher.subscribers.csv_survey import QuestionsError
from publisher.subscribers.double_opt_in import confirm, request_subscription
from publisher.subscribers.languages import clean_language
from publisher.subscribers.self_service import Preferences, set_preferences, unsubscribe
from publisher.subscribers.tokens import TokenPurpose
from tests.support.consent_samples import KNOWN, SECRET, TERMS, everything, known, people
from tests.support.csv_samples import bring_file, export_to
from tests.support.store_samples import NOW

__all__ = ["people"]

HOSTILE = (
    "Robert'); DROP TABLE subscribers;--",
    '" OR ""="',
    "<script>alert(1)</script>",
    "{{ 7*7 }}${7*7}",
    "Ada\r\nBcc: eve@example.org",
    "Ada\nSubject: free money\n\n<html>",
    "Ada\0Lovelace",
    "\u202ereversed\u202c",
    "\u2066isolated",
    "=HYPERLINK(1)",
    "\ud800",
    "\U000e0001\u200b\ufeff",
    "%s%n../../etc/passwd",
    "novel " * 10_000,
)
TEXT = st.sampled_from(HOSTILE) | st.text(max_size=60) | st.text(st.characters(), max_size=20)
ADDRESSES = (
    TEXT
    | st.builds("{}@{}".format, TEXT, TEXT)
    | st.builds("{}@example.org".format, st.text(max_size=30))
    | st.emails()
    | st.builds("ada{}@example.org".format, st.sampled_from(HOSTILE))
)
DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def is_clean(text: str) -> bool:
    """Return whether a text is harmless in a header, a page, a log and a terminal."""
    return not DIRECTIONS.search(text) and not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


@given(ADDRESSES)
def test_an_accepted_address_fits_into_a_header(text: str) -> None:
    try:
        kept = normalise(text)
    except SubscriberError as error:
        assert len(str(error)) < 400
        return
    assert is_clean(kept)
    assert normalise(kept) == kept
    message = EmailMessage(policy=SMTP.clone(utf8=True))
    message["To"] = kept
    assert message.as_bytes().count(b"\r\n") <= 3


PLAIN_ISH = st.from_regex(r"[A-Za-z0-9._+-]{1,70}@[A-Za-z0-9.-]{1,40}\.(org|test|com|Co\.UK|local)", fullmatch=True)


@given(PLAIN_ISH | ADDRESSES)
def test_the_quick_check_agrees_with_the_full_one(text: str) -> None:
    def long_way() -> str:
        try:
            found = validate_email(bare_address(text), check_deliverability=False, test_environment=True, strict=True)
        except EmailNotValidError:
            return "refused"
        return found.normalized

    try:
        short = normalise(text)
    except SubscriberError:
        short = "refused"
    assert short == long_way()


@given(TEXT, st.integers(1, 300))
def test_a_line_is_clean_and_short(text: str, most: int) -> None:
    cleaned = clean_line(text, most)
    assert is_clean(cleaned)
    assert len(cleaned) <= most
    assert clean_line(cleaned, most) == cleaned


def test_a_name_keeps_what_its_script_needs() -> None:
    for name in ("ليلى حدّاد", "佐伯みどり", "नी\u200dता", "👩\u200d👩\u200d👧 Family", "O'Neill, Grace"):
        assert clean_name(name) == unicodedata.normalize("NFC", name)


@given(TEXT)
def test_a_language_is_a_tag_or_nothing(text: str) -> None:
    assert re.fullmatch(r"([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?", clean_language(text))


@FEW
@given(address=ADDRESSES, name=TEXT, language=TEXT, newsletter=TEXT | st.sampled_from(KNOWN), topic=TEXT, source=TEXT)
def test_a_hostile_form_leaves_clean_text(
    people: Store, address: str, name: str, language: str, newsletter: str, topic: str, source: str
) -> None:
    evidence = Evidence(source, source, source, source)
    wanted = [Subscription(newsletter, (topic,))]
    try:
        notice = request_subscription(
            people, TERMS, address, wanted, known=KNOWN, now=NOW, evidence=evidence, name=name, language=language
        )
    except SubscriberError as error:
        assert len(str(error)) < 400
        return
    if notice is not None and notice.token:
        assert confirm(people, TERMS, notice.token, now=NOW, evidence=evidence) is not None
        person = known(people, notice.address)
        texts = [person.name, person.language, person.address, *person.subscriptions[0].topics]
        history = people.subscribers.consent(person.id)
        texts += [text for event in history for text in (event.source, event.detail, event.text_version)]
        assert [text for text in texts if not is_clean(text)] == []
        assert max(map(len, texts)) < 1_000


@FEW
@given(uid=TEXT, newsletter=TEXT, reason=TEXT, token=TEXT)
def test_hostile_links_change_nothing(people: Store, uid: str, newsletter: str, reason: str, token: str) -> None:
    before = everything(people)
    evidence = Evidence("test")
    try:
        assert not unsubscribe(
            people, TERMS, clean_line(uid, 40), newsletter, now=NOW, evidence=evidence, reason=reason
        )
        assert confirm(people, TERMS, token, now=NOW, evidence=evidence) is None
        assert TERMS.tokens.read(TokenPurpose.ADDRESS, token, NOW) is None
        wanted = Preferences((Subscription("weekly", (reason,)),), name=reason, language=reason)
        assert (
            set_preferences(people, TERMS, clean_line(uid, 40), wanted, known=KNOWN, now=NOW, evidence=evidence) is None
        )
    finally:
        assert everything(people) == before


@FEW
@given(
    st.lists(st.tuples(ADDRESSES, TEXT, TEXT), max_size=8),
    st.sampled_from([",", ";", "\t"]),
)
def test_a_hostile_list_leaves_clean_text(tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str) -> None:
    path = tmp_path / "list.csv"
    text = delimiter.join(("email", "name", "status")) + "\n" + "\n".join(delimiter.join(row) for row in rows)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with open_store("sqlite:///people.db", tmp_path, lambda: SECRET) as store:
        before = store.subscribers.count()  # each example finds the people of earlier examples
        try:
            done = bring_file(store, path, known=["weekly"])
        except QuestionsError as error:
            assert all(len(line) < 1_500 for line in error.lines())
            assert store.subscribers.count() == before
            return
        except SubscriberError as error:
            assert "column" in error.message
            return
        lines = text.count("\n") + text.count("\r") + 1
        assert all(2 <= refusal.line <= lines and len(refusal.reason) < 400 for refusal in done.refusals)
        kept = list(store.subscribers.list())
        assert [p for p in kept if not is_clean(p.address + p.name)] == []
        export_to(store, tmp_path / "out.csv")


@pytest.mark.parametrize("name", HOSTILE)
def test_text_like_sql_or_markup_is_a_name_like_any_other(people: Store, name: str) -> None:
    request = request_subscription(
        people,
        TERMS,
        "ada@example.org",
        [Subscription("weekly")],
        known=KNOWN,
        now=NOW,
        evidence=Evidence("form"),
        name=name,
    )
    assert request is not None
    confirm(people, TERMS, request.token, now=NOW, evidence=Evidence("form"))
    assert known(people).name == clean_name(name)
    assert people.subscribers.count() == 1
