"""Events that a provider has signed are judged; forged events are refused. These tests sign with keys of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.bounces.providers.generic import read_generic
from publisher.bounces.providers.mailgun import read_mailgun
from publisher.bounces.providers.postmark import read_postmark
from publisher.bounces.providers.sendgrid import SIGNATURE, TIMESTAMP, read_sendgrid
from publisher.bounces.providers.ses import Sns
from publisher.bounces.providers.webhook_request import WebhookError, WebhookRequest
from publisher.bounces.reading import read_message
from publisher.core.bounce_report import Report, Verdict
from tests.support.bounce_samples import RETURN_PATH, SIGNATURES, failed, report
from tests.support.provider_samples import (
    ADA,
    AMAZON,
    SECRET,
    TOPIC,
    TWILIO_KEY,
    Amazon,
    basic,
    call,
    mailgun,
    mailgun_failure,
    refused,
    sendgrid,
    sendgrid_event,
    ses_bounce,
    sns,
)
from tests.support.store_samples import NOW

# --- Postmark


@pytest.mark.parametrize(
    ("kind", "details", "verdict"),
    [
        ("HardBounce", "smtp;550 5.1.1 user unknown", "permanent"),
        ("HardBounce", "", "permanent"),
        ("HardBounce", "smtp;550 5.7.1 not wanted", "temporary"),
        ("HardBounce", "smtp;550 5.7.26 not wanted", "refused"),
        ("HardBounce", "smtp;550 5.5.0 Requested action not taken: mailbox unavailable", "permanent"),
        ("Unsubscribe", "", "unsubscribed"),
        ("HardBounce", "smtp;554 your message was blocked as spam", "refused"),
        ("SoftBounce", "smtp;550 5.1.1 unknown", "temporary"),
        ("Transient", "", "temporary"),
        ("Blocked", "", "refused"),
        ("SpamComplaint", "", "complaint"),
        ("AutoResponder", "550 5.1.1", "nothing"),
        ("ChallengeVerification", "", "nothing"),
        ("AddressChange", "", "nothing"),
    ],
)
def test_types_of_postmark_are_judged(kind: str, details: str, verdict: str) -> None:
    event = {"RecordType": "Bounce", "ID": 4, "Type": kind, "Email": "ada@example.org", "Details": details}
    (found,) = read_postmark(call(event, authorization=basic(SECRET)), SECRET)
    assert (found.verdict, found.addressee) == (verdict, ADA)
    assert read_postmark(call(event, x_webhook_secret=SECRET), SECRET) == [found]


@pytest.mark.parametrize(
    ("reason", "suppressed", "verdict"),
    [
        ("ManualSuppression", True, "unsubscribed"),
        ("HardBounce", True, "permanent"),
        ("SpamComplaint", True, "complaint"),
        ("ManualSuppression", False, "nothing"),
        (None, False, "nothing"),
        ("ManualSuppression", "true", "nothing"),
    ],
)
def test_subscription_changes_of_postmark_are_read(reason: str | None, suppressed: object, verdict: str) -> None:
    event = {"RecordType": "SubscriptionChange", "Recipient": "ada@example.org", "SuppressionReason": reason}
    event |= {"SuppressSending": suppressed, "Origin": "Recipient", "ChangedAt": "2026-11-21T09:00:00Z"}
    (found,) = read_postmark(call(event, authorization=basic(SECRET)), SECRET)
    assert (found.verdict, found.addressee) == (verdict, ADA)


def test_postmark_without_its_secret_is_refused() -> None:
    event = {"RecordType": "SpamComplaint", "Email": "ada@example.org"}
    for value in (basic("wrong"), basic(""), f"Bearer {SECRET}", "Basic %%%", basic("x", SECRET), "Basic", ""):
        assert refused(lambda value=value: read_postmark(call(event, authorization=value), SECRET)) == 403
    assert refused(lambda: read_postmark(call(b"{", authorization=basic(SECRET)), SECRET)) == 400


# --- Mailgun


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (mailgun_failure(code=550, **{"enhanced-code": "5.1.1"}), "permanent"),
        (mailgun_failure(code=605, message="Not delivering to previously bounced address"), "permanent"),
        (mailgun_failure(**{"enhanced-code": "5.7.1"}), "temporary"),
        (mailgun_failure(code=554, message="rejected as spam", **{"enhanced-code": "5.7.1"}), "refused"),
        (mailgun_failure(reason="suppress-bounce", code=605), "permanent"),
        (mailgun_failure(reason="suppress-complaint", code=607), "complaint"),
        (mailgun_failure(reason="suppress-unsubscribe", code=606), "unsubscribed"),
        ({"event": "unsubscribed", "recipient": "ada@example.org", "id": "e-3"}, "unsubscribed"),
        (mailgun_failure("temporary", "generic", **{"enhanced-code": "4.2.2"}), "nothing"),
        (mailgun_failure("permanent", "old"), "temporary"),
        (mailgun_failure("permanent", "espblock"), "refused"),
        ({"event": "complained", "recipient": "ada@example.org", "id": "e-2"}, "complaint"),
        ({"event": "opened", "recipient": "ada@example.org"}, "nothing"),
    ],
)
def test_events_of_mailgun_are_judged(event: Any, verdict: str) -> None:
    (found,) = read_mailgun(call(mailgun(event)), SECRET)
    assert (found.verdict, found.addressee) == (verdict, ADA)
    assert found.keys[0].startswith("mailgun token ")
    assert len(found.keys) == 1 + (verdict != "nothing")


def test_a_token_of_mailgun_must_be_signed_and_fresh() -> None:
    event = mailgun_failure()
    hours = 3_600
    assert len(read_mailgun(call(mailgun(event, seconds=-8 * hours)), SECRET)) == 1
    bad = [mailgun(event, key="x"), mailgun(event, seconds=-10 * hours), mailgun(event, seconds=10 * hours)]
    bad += [mailgun(event, token=""), {"event-data": event}, {"signature": "x", "event-data": event}]
    odd = mailgun(event)
    odd["signature"]["timestamp"] = "١٢٣"
    for body in [*bad, odd, [], "x"]:
        assert refused(lambda body=body: read_mailgun(call(body), SECRET)) == 403
    one, other = (read_mailgun(call(mailgun(mailgun_failure() | {"id": each})), SECRET)[0] for each in "ab")
    assert one.keys[0] == other.keys[0] and one.keys[1] != other.keys[1]


# --- SendGrid


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (sendgrid_event("bounce", type="bounce", status="5.1.1", reason="550 5.1.1 unknown"), "permanent"),
        (sendgrid_event("bounce", type="bounce", status="5.7.1", reason="550 no"), "temporary"),
        (sendgrid_event("bounce", type="bounce", status="5.7.1", reason="554 spam message"), "refused"),
        (sendgrid_event("bounce", type="bounce", status="550", reason="550 something"), "temporary"),
        (sendgrid_event("bounce", type="bounce", bounce_classification="Invalid Address"), "permanent"),
        (sendgrid_event("bounce", type="blocked", status="5.1.1"), "refused"),
        (sendgrid_event("dropped", reason="Bounced Address"), "permanent"),
        (sendgrid_event("dropped", reason="Spam Reporting Address"), "complaint"),
        (sendgrid_event("dropped", reason="Unsubscribed Address"), "unsubscribed"),
        (sendgrid_event("unsubscribe"), "unsubscribed"),
        (sendgrid_event("group_unsubscribe", asm_group_id="7"), "unsubscribed"),
        (sendgrid_event("group_resubscribe"), "nothing"),
        (sendgrid_event("deferred", response="451 later"), "nothing"),
        (sendgrid_event("spamreport"), "complaint"),
        (sendgrid_event("delivered"), "nothing"),
    ],
)
def test_events_of_sendgrid_are_judged(event: Any, verdict: str) -> None:
    (found,) = read_sendgrid(sendgrid([event]), TWILIO_KEY)
    assert (found.verdict, found.addressee) == (verdict, ADA)


def test_sendgrid_without_its_signature_is_refused() -> None:
    good = sendgrid([sendgrid_event("spamreport")])
    assert len(read_sendgrid(good, TWILIO_KEY)) == 1
    other = ec.generate_private_key(ec.SECP256R1())
    rsa_key = AMAZON.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for bad in (
        sendgrid([sendgrid_event("spamreport")], other),
        WebhookRequest(good.headers, good.body + b" ", NOW, SIGNATURES),
        WebhookRequest(dict(good.headers) | {TIMESTAMP: "1763715601"}, good.body, NOW, SIGNATURES),
        WebhookRequest(dict(good.headers) | {SIGNATURE: "%%"}, good.body, NOW, SIGNATURES),
        WebhookRequest({}, good.body, NOW, SIGNATURES),
    ):
        assert refused(lambda bad=bad: read_sendgrid(bad, TWILIO_KEY)) == 403
    for key in ("", "AAAA", "no key", base64.b64encode(rsa_key).decode()):
        assert refused(lambda key=key: read_sendgrid(good, key)) == 403


# --- any other provider


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        ({"event": "bounce", "answer": "550 5.1.1 no"}, "permanent"),
        ({"event": "bounce", "status": "5.1.1"}, "permanent"),
        ({"event": "bounce", "type": "hard"}, "permanent"),
        ({"event": "bounce", "type": "soft", "answer": "550 5.1.1 no"}, "temporary"),
        ({"event": "bounce", "type": "hard", "answer": "554 rejected as spam"}, "refused"),
        ({"event": "bounce"}, "temporary"),
        ({"event": "complaint"}, "complaint"),
        ({"event": "unsubscribe"}, "unsubscribed"),
    ],
)
def test_generic_events_are_judged(event: dict[str, str], verdict: str) -> None:
    body = event | {"address": "Ada <ada@example.org>"}
    (found,) = read_generic(call(body, x_webhook_secret=SECRET), SECRET)
    assert (found.verdict, found.addressee) == (verdict, ADA)
    assert read_generic(call([body, body], authorization=basic(SECRET)), SECRET) == [found, found]


def test_a_generic_event_may_name_the_return_path_and_the_newsletter() -> None:
    body = {"event": "unsubscribe", "return_path": RETURN_PATH.of(7), "newsletter": "weekly"}
    (found,) = read_generic(call(body, x_webhook_secret=SECRET), SECRET)
    assert (found.addressee.delivery_id, found.newsletter) == (7, "weekly")
    both = [{"event": "complaint", "address": "ada@example.org", "id": n} for n in (1, 2)]
    one, other = read_generic(call(both, x_webhook_secret=SECRET), SECRET)
    assert one.keys != other.keys


@pytest.mark.parametrize(
    "body",
    [
        *({}, [], [1], {"event": "bounce"}, [{"event": "complaint"}]),
        *({"event": kind, "type": "harsh", "address": "ada@example.org"} for kind in ("bounce", "opened")),
    ],
)
def test_a_generic_request_that_is_not_understood_is_refused(body: Any) -> None:
    assert refused(lambda: read_generic(call(body, x_webhook_secret=SECRET), SECRET)) == 400
    assert refused(lambda: read_generic(call(body, x_webhook_secret="wrong"), SECRET)) == 403


# --- all of them


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("550 No such user here", "permanent"),
        ("550 5.1.1 no", "permanent"),
        ("553 mailbox not found", "permanent"),
        ("450 No such user here", "temporary"),
        ("550 mailbox full", "temporary"),
        ("550 something", "temporary"),
        ("550 No such user here, blocked by policy", "refused"),
    ],
)
def test_an_undecided_answer_means_the_same_as_in_a_dsn(words: str, verdict: str) -> None:
    code, _, bare = words.partition(" ")
    postmark = {"RecordType": "Bounce", "Type": "Unknown", "Email": "ada@example.org", "Details": f"smtp;{words}"}
    undecided = ses_bounce("Undetermined", diagnosticCode=f"smtp; {words}")
    told = [
        *read_mailgun(call(mailgun(mailgun_failure("permanent", "generic", code=int(code), message=bare))), SECRET),
        *read_mailgun(call(mailgun(mailgun_failure("permanent", "generic", code=int(code), message=words))), SECRET),
        *read_postmark(call(postmark, authorization=basic(SECRET)), SECRET),
        *read_sendgrid(sendgrid([sendgrid_event("bounce", type="bounce", status=code, reason=words)]), TWILIO_KEY),
        *Sns(Amazon()).read(call(sns(undecided)), TOPIC),
    ]
    assert [each.verdict.value for each in told] == [verdict] * 5
    by_mail = read_message(report(failed("5.0.0", words)), SIGNATURES)
    assert by_mail.verdict.value == verdict


@pytest.mark.parametrize("reply", [550, 551, 553])
def test_permanent_bounces_of_mailgun_are_permanent(reply: int) -> None:
    event = mailgun_failure("permanent", "bounce", code=reply, message="sorry")
    assert [each.verdict.value for each in read_mailgun(call(mailgun(event)), SECRET)] == ["permanent"]


@pytest.mark.parametrize("body", [None, [1, 2], [], {}, "x", 7, {"x": "y"}, [None, {}], {"event": {}, "Type": []}])
def test_a_signed_request_without_an_event_is_refused(body: Any) -> None:
    assert refused(lambda: read_postmark(call(body, authorization=basic(SECRET)), SECRET)) == 400
    assert refused(lambda: read_mailgun(call(mailgun(body)), SECRET)) == 400
    assert refused(lambda: read_sendgrid(sendgrid(body), TWILIO_KEY)) == 400
    assert refused(lambda: Sns(Amazon()).read(call(sns(json.dumps(body))), TOPIC)) == 400
    assert refused(lambda: read_postmark(call(body), SECRET)) == 403
    assert refused(lambda: read_mailgun(call(mailgun(body, key="x")), SECRET)) == 403
    assert refused(lambda: read_sendgrid(call(body), TWILIO_KEY)) == 403
    assert refused(lambda: Sns(Amazon()).read(call(sns(json.dumps(body)) | {"Signature": ""}), TOPIC)) == 403


# --- anything

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["event", "Type", "Email", "bounce", "mail", "headers", "bouncedRecipients", "status", "x"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=settings.default.max_examples)
@given(JSON)
def test_any_json_is_read_or_refused(body: Any) -> None:
    calls: list[Callable[[], list[Report]]] = [
        lambda: read_postmark(call(body, authorization=basic(SECRET)), SECRET),
        lambda: read_mailgun(call(mailgun(body)), SECRET),
        lambda: read_mailgun(call(body), SECRET),
        lambda: read_sendgrid(sendgrid(body), TWILIO_KEY),
        lambda: read_generic(call(body, x_webhook_secret=SECRET), SECRET),
        lambda: Sns(Amazon()).read(call(body), TOPIC),
        lambda: Sns(Amazon()).read(call(sns(ses_bounce() | {"bounce": body, "mail": body})), TOPIC),
    ]
    for read in calls:
        try:
            reports = read()
        except WebhookError as error:
            assert error.status in (400, 403)
        else:
            assert all(each.verdict is not Verdict.PERMANENT for each in reports)
