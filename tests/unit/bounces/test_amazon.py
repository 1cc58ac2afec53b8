"""Amazon SES events are read if Amazon signed them for our SNS topic. These tests sign with keys of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from publisher.bounces.providers.ses import Sns, is_amazons, signed_text
from publisher.core.bounce_report import Addressee
from tests.support.bounce_samples import LINKS, RETURN_PATH
from tests.support.provider_samples import (
    ADA,
    CERTIFICATE_URL,
    CONFIRM_URL,
    STRANGER,
    TOPIC,
    Amazon,
    call,
    described,
    refused,
    ses_bounce,
    sns,
)
from tests.support.store_samples import later


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES"}])
def test_a_signed_message_of_our_topic_is_read(version: str, subject: dict[str, str]) -> None:
    amazon = Amazon()
    reader = Sns(amazon)
    body = sns(ses_bounce(status="5.1.1", diagnosticCode="smtp; 550 5.1.1 unknown"), version=version, **subject)
    assert described(reader.read(call(body), TOPIC)) == [("permanent", ADA, "5.1.1")]
    assert described(reader.read(call(body), TOPIC)) == [("permanent", ADA, "5.1.1")]
    assert amazon.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (ses_bounce(), "permanent"),
        (ses_bounce("Permanent", "NoEmail"), "permanent"),
        (ses_bounce("Permanent", "General", status="5.7.1"), "temporary"),
        (ses_bounce("Permanent", "General", diagnosticCode="smtp; 554 5.7.1 spam message rejected"), "refused"),
        (ses_bounce("Permanent", "General", diagnosticCode="smtp; 550 5.5.0 mailbox unavailable"), "permanent"),
        (ses_bounce("Permanent", "Suppressed"), "permanent"),
        (ses_bounce("Permanent", "OnAccountSuppressionList", diagnosticCode="on the suppression list"), "permanent"),
        (ses_bounce("Permanent", "UnsubscribedRecipient"), "unsubscribed"),
        (ses_bounce("Permanent", "General", status="5.2.2"), "temporary"),
        (ses_bounce("Transient", "MailboxFull", status="5.2.2"), "temporary"),
        (ses_bounce("Transient", "General", status="5.1.1"), "temporary"),
        (ses_bounce("Transient", "ContentRejected"), "refused"),
        (ses_bounce("Transient", "MessageTooLarge"), "refused"),
        (ses_bounce("Undetermined", "Undetermined"), "temporary"),
    ],
)
def test_a_bounce_is_judged_by_amazon_and_by_the_answer(event: Any, verdict: str) -> None:
    assert [each.verdict for each in Sns(Amazon()).read(call(sns(event)), TOPIC)] == [verdict]


@pytest.mark.parametrize(
    ("wanted", "verdicts"),
    [
        ({"unsubscribeAll": True}, ["unsubscribed"]),
        ({"topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptOut"}]}, ["unsubscribed"]),
        ({"topicSubscriptionStatus": [{"subscriptionStatus": "OptOut"}, {"subscriptionStatus": "OptIn"}]}, []),
        ({"unsubscribeAll": False}, []),
        ({}, []),
    ],
)
def test_leaving_a_contact_list_is_an_unsubscribe(wanted: Any, verdicts: list[str]) -> None:
    mail = {"source": "x@letters.example", "destination": ["ada@example.org"], "messageId": "m"}
    event = {"eventType": "Subscription", "subscription": {"newTopicPreferences": wanted}, "mail": mail}
    found = Sns(Amazon()).read(call(sns(event)), TOPIC)
    assert [(each.verdict, each.addressee) for each in found] == [(verdict, ADA) for verdict in verdicts]


def test_events_find_the_delivery_by_path_or_link() -> None:
    (by_path,) = Sns(Amazon()).read(call(sns(ses_bounce(source=RETURN_PATH.of(7)))), TOPIC)
    assert (by_path.addressee, by_path.keys) == (Addressee(delivery_id=7), ("delivery 7 permanent",))
    complaint = {"complainedRecipients": [{"emailAddress": "ada@example.org"}], "feedbackId": "f-2"}
    link = f"<{LINKS.unsubscribe('u7', 'weekly')}>"
    mail = {"source": "x@letters.example", "headers": [{"name": "List-Unsubscribe", "value": link}]}
    event = {"eventType": "Complaint", "complaint": complaint, "mail": mail}
    assert described(Sns(Amazon()).read(call(sns(event)), TOPIC)) == [("complaint", Addressee(uid="u7"), "")]
    event["complaint"]["complaintFeedbackType"] = "not-spam"
    assert described(Sns(Amazon()).read(call(sns(event)), TOPIC)) == [("nothing", Addressee(uid="u7"), "")]
    assert Sns(Amazon()).read(call(sns({"eventType": "Delivery"})), TOPIC) == []


def test_only_the_subscription_of_our_topic_is_confirmed() -> None:
    amazon = Amazon()
    assert Sns(amazon).read(call(sns("You chose", kind="SubscriptionConfirmation")), TOPIC) == []
    assert amazon.asked == [CERTIFICATE_URL, CONFIRM_URL]

    silent = Amazon()
    other = sns("You chose", kind="SubscriptionConfirmation", TopicArn=TOPIC.replace("bounces", "others"))
    assert refused(lambda: Sns(silent).read(call(other), TOPIC)) == 403
    assert silent.asked == []
    elsewhere = sns("You chose", kind="SubscriptionConfirmation", SubscribeURL="https://evil.example/")
    assert refused(lambda: Sns(silent).read(call(elsewhere), TOPIC)) == 403
    forged = sns("You chose", kind="SubscriptionConfirmation", key=STRANGER)
    assert refused(lambda: Sns(silent).read(call(forged), TOPIC)) == 403
    assert silent.asked == [CERTIFICATE_URL] * 2
    assert Sns(silent).read(call(sns("Farewell", kind="UnsubscribeConfirmation")), TOPIC) == []
    assert CONFIRM_URL not in silent.asked


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Type", "Signature", "SignatureVersion"])
def test_a_changed_message_is_refused(name: str) -> None:
    for value in ("", "1", json.dumps(ses_bounce(status="5.1.2")), "AAAA"):
        body = sns(ses_bounce()) | {name: value}
        assert refused(lambda body=body: Sns(Amazon()).read(call(body), TOPIC)) == 403
        del body[name]
        assert refused(lambda body=body: Sns(Amazon()).read(call(body), TOPIC)) == 403


def test_a_foreign_or_expired_certificate_proves_nothing() -> None:
    for url in (
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://evil.s3.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/a.pem",
        "https://[sns.eu-west-1.amazonaws.com/a.pem",
        "",
    ):
        amazon = Amazon()
        body = sns(ses_bounce(), SigningCertURL=url)
        assert refused(lambda body=body, amazon=amazon: Sns(amazon).read(call(body), TOPIC)) == 403, url
        assert amazon.asked == []
    late = Amazon()
    assert refused(lambda: Sns(late).read(call(sns(ses_bounce()), now=later(days=31)), TOPIC)) == 403
    assert is_amazons("https://sns.cn-north-1.amazonaws.com.cn/a.pem")
    assert is_amazons("https://sns.us-gov-west-1.amazonaws.com/a.pem")
    assert refused(lambda: Sns(Amazon(b"no certificate")).read(call(sns(ses_bounce())), TOPIC)) == 503


def test_the_signed_text_is_as_documented() -> None:
    body = {"Type": "Notification", "Message": "m\n", "Subject": "s", "Extra": "x"}
    assert (
        signed_text(body, ("Message", "MessageId", "Subject", "Type"))
        == b"Message\nm\n\nSubject\ns\nType\nNotification\n"
    )
