"""Calls of providers: believed by signature, each of their events judged, forgeries refused. The keys are our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from bounce_samples import LINKS, MARKS, RETURN_PATH
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import NOW, later

from publisher.delivery.bounces.providers.calls import Call, CallError
from publisher.delivery.bounces.providers.mailgun import read_mailgun
from publisher.delivery.bounces.providers.postmark import read_postmark
from publisher.delivery.bounces.providers.sendgrid import SIGNATURE, TIMESTAMP, read_sendgrid
from publisher.delivery.bounces.providers.ses import Sns, is_amazons, signed_text
from publisher.returns import Report, Verdict, Whose

TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem"
CONFIRM_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
ADA = Whose(address="ada@example.org")
SECRET = "correct horse battery staple"

AMAZON = rsa.generate_private_key(65_537, 2_048)
STRANGER = rsa.generate_private_key(65_537, 2_048)
TWILIO = ec.generate_private_key(ec.SECP256R1())


def certificate(key: rsa.RSAPrivateKey, days: int = 30) -> bytes:
    """A certificate of a key, good from a day before NOW."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(40), NOW + timedelta(days))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass
class Amazon:
    """Stands for what is behind Amazon's addresses; remembers what was asked."""

    certificate: bytes = field(default_factory=lambda: certificate(AMAZON))
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self.certificate if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"


def call(body: Any, *, now: Any = NOW, **headers: str) -> Call:
    """A call with such a JSON body, or bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call({name.replace("_", "-"): value for name, value in headers.items()}, data, now, MARKS)


def refused(read: Callable[[], Any]) -> int:
    """The status with which a call is refused."""
    with pytest.raises(CallError) as caught:
        read()
    return caught.value.status


def told(reports: list[Report]) -> list[tuple[str, Whose, str]]:
    return [(report.verdict.value, report.whose, report.status) for report in reports]


# --- Amazon SES


def sns(
    message: Any, *, kind: str = "Notification", version: str = "2", key: rsa.RSAPrivateKey = AMAZON, **changes: str
) -> dict[str, str]:
    """A message of SNS, signed; `changes` are made before it is."""
    body = {
        "Type": kind,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-21T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    }
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if kind != "Notification":
        body |= {"SubscribeURL": CONFIRM_URL, "Token": "t"}
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    elif "Subject" in changes:
        names.insert(2, "Subject")
    body |= changes
    text = "".join(f"{name}\n{body[name]}\n" for name in names).encode()
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    body["Signature"] = base64.b64encode(key.sign(text, padding.PKCS1v15(), algorithm)).decode()
    return body


def ses_bounce(kind: str = "Permanent", detail: str = "General", source: str = "x@letters.example", **rest: str) -> Any:
    recipient = {"emailAddress": "ada@example.org"} | rest
    bounce = {"bounceType": kind, "bounceSubType": detail, "bouncedRecipients": [recipient], "feedbackId": "f-1"}
    return {"notificationType": "Bounce", "bounce": bounce, "mail": {"source": source}}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES"}])
def test_a_message_of_our_topic_with_amazons_signature_is_read(version: str, subject: dict[str, str]) -> None:
    amazon = Amazon()
    reader = Sns(amazon)
    body = sns(ses_bounce(status="5.1.1", diagnosticCode="smtp; 550 5.1.1 unknown"), version=version, **subject)
    assert told(reader.read(call(body), TOPIC)) == [("permanent", ADA, "5.1.1")]
    assert told(reader.read(call(body), TOPIC)) == [("permanent", ADA, "5.1.1")]
    assert amazon.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (ses_bounce(), "permanent"),
        (ses_bounce("Permanent", "NoEmail"), "permanent"),
        (ses_bounce("Permanent", "General", status="5.7.1"), "refused"),
        (ses_bounce("Permanent", "General", status="5.2.2"), "temporary"),
        (ses_bounce("Transient", "MailboxFull", status="5.2.2"), "temporary"),
        (ses_bounce("Transient", "General", status="5.1.1"), "temporary"),
        (ses_bounce("Transient", "ContentRejected"), "refused"),
        (ses_bounce("Transient", "MessageTooLarge"), "refused"),
        (ses_bounce("Undetermined", "Undetermined"), "temporary"),
    ],
)
def test_bounces_of_ses_are_judged_by_the_milder_of_their_words(event: Any, verdict: str) -> None:
    assert [each.verdict for each in Sns(Amazon()).read(call(sns(event)), TOPIC)] == [verdict]


def test_events_of_ses_know_the_delivery_by_return_path_or_link() -> None:
    (by_path,) = Sns(Amazon()).read(call(sns(ses_bounce(source=RETURN_PATH.of(7)))), TOPIC)
    assert (by_path.whose, by_path.keys) == (Whose(delivery_id=7), ("delivery 7 permanent",))
    complaint = {"complainedRecipients": [{"emailAddress": "ada@example.org"}], "feedbackId": "f-2"}
    link = f"<{LINKS.unsubscribe('u7', 'weekly')}>"
    mail = {"source": "x@letters.example", "headers": [{"name": "List-Unsubscribe", "value": link}]}
    event = {"eventType": "Complaint", "complaint": complaint, "mail": mail}
    assert told(Sns(Amazon()).read(call(sns(event)), TOPIC)) == [("complaint", Whose(uid="u7"), "")]
    event["complaint"]["complaintFeedbackType"] = "not-spam"
    assert told(Sns(Amazon()).read(call(sns(event)), TOPIC)) == [("nothing", Whose(uid="u7"), "")]
    assert Sns(Amazon()).read(call(sns({"eventType": "Delivery"})), TOPIC) == []


def test_only_a_subscription_of_our_topic_is_confirmed() -> None:
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
def test_a_message_of_sns_that_was_changed_is_refused(name: str) -> None:
    for value in ("", "1", json.dumps(ses_bounce(status="5.1.2")), "AAAA"):
        body = sns(ses_bounce()) | {name: value}
        assert refused(lambda body=body: Sns(Amazon()).read(call(body), TOPIC)) == 403
        del body[name]
        assert refused(lambda body=body: Sns(Amazon()).read(call(body), TOPIC)) == 403


def test_a_certificate_of_elsewhere_or_another_time_is_no_proof() -> None:
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


def test_what_sns_signs_is_written_as_its_documentation_says() -> None:
    body = {"Type": "Notification", "Message": "m\n", "Subject": "s", "Extra": "x"}
    assert (
        signed_text(body, ("Message", "MessageId", "Subject", "Type"))
        == b"Message\nm\n\nSubject\ns\nType\nNotification\n"
    )


# --- Postmark


def basic(password: str, user: str = "hook") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("kind", "details", "verdict"),
    [
        ("HardBounce", "smtp;550 5.1.1 user unknown", "permanent"),
        ("HardBounce", "", "permanent"),
        ("HardBounce", "smtp;550 5.7.1 not wanted", "refused"),
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
def test_postmarks_types_are_judged(kind: str, details: str, verdict: str) -> None:
    event = {"RecordType": "Bounce", "ID": 4, "Type": kind, "Email": "ada@example.org", "Details": details}
    (found,) = read_postmark(call(event, authorization=basic(SECRET)), SECRET)
    assert (found.verdict, found.whose) == (verdict, ADA)
    assert read_postmark(call(event, x_webhook_secret=SECRET), SECRET) == [found]


def test_postmark_without_its_secret_is_refused() -> None:
    event = {"RecordType": "SpamComplaint", "Email": "ada@example.org"}
    for value in (basic("wrong"), basic(""), f"Bearer {SECRET}", "Basic %%%", basic("x", SECRET), "Basic", ""):
        assert refused(lambda value=value: read_postmark(call(event, authorization=value), SECRET)) == 403
    assert refused(lambda: read_postmark(call(b"{", authorization=basic(SECRET)), SECRET)) == 400


# --- Mailgun


def mailgun(event: Any, *, key: str = SECRET, seconds: int = 0, token: str = "t" * 50) -> dict[str, Any]:
    timestamp = str(int(NOW.timestamp()) + seconds)
    signature = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": timestamp, "token": token, "signature": signature}, "event-data": event}


def mailgun_failure(severity: str = "permanent", reason: str = "bounce", **status: Any) -> Any:
    event = {"event": "failed", "severity": severity, "reason": reason, "id": "e-1", "recipient": "ada@example.org"}
    return event | {"delivery-status": status}


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (mailgun_failure(code=550, **{"enhanced-code": "5.1.1"}), "permanent"),
        (mailgun_failure(code=605, message="Not delivering to previously bounced address"), "permanent"),
        (mailgun_failure(**{"enhanced-code": "5.7.1"}), "refused"),
        (mailgun_failure("temporary", "generic", **{"enhanced-code": "4.2.2"}), "nothing"),
        (mailgun_failure("permanent", "old"), "temporary"),
        (mailgun_failure("permanent", "espblock"), "refused"),
        ({"event": "complained", "recipient": "ada@example.org", "id": "e-2"}, "complaint"),
        ({"event": "opened", "recipient": "ada@example.org"}, "nothing"),
    ],
)
def test_mailguns_events_are_judged(event: Any, verdict: str) -> None:
    (found,) = read_mailgun(call(mailgun(event)), SECRET)
    assert (found.verdict, found.whose) == (verdict, ADA)
    assert found.keys[0].startswith("mailgun token ")
    assert len(found.keys) == 1 + (verdict != "nothing")


def test_mailguns_token_must_be_signed_and_fresh() -> None:
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

TWILIO_KEY = base64.b64encode(
    TWILIO.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def sendgrid(events: Any, key: ec.EllipticCurvePrivateKey = TWILIO, timestamp: str = "1763715600") -> Call:
    body = json.dumps(events).encode()
    signature = base64.b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return Call({SIGNATURE: signature, TIMESTAMP: timestamp}, body, NOW, MARKS)


def sendgrid_event(kind: str, **rest: str) -> dict[str, str]:
    return {"event": kind, "email": "ada@example.org", "sg_event_id": "s-1"} | rest


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        (sendgrid_event("bounce", type="bounce", status="5.1.1", reason="550 5.1.1 unknown"), "permanent"),
        (sendgrid_event("bounce", type="bounce", status="5.7.1", reason="550 no"), "refused"),
        (sendgrid_event("bounce", type="bounce", status="550", reason="550 something"), "temporary"),
        (sendgrid_event("bounce", type="bounce", bounce_classification="Invalid Address"), "permanent"),
        (sendgrid_event("bounce", type="blocked", status="5.1.1"), "refused"),
        (sendgrid_event("dropped", reason="Bounced Address"), "permanent"),
        (sendgrid_event("dropped", reason="Spam Reporting Address"), "complaint"),
        (sendgrid_event("dropped", reason="Unsubscribed Address"), "nothing"),
        (sendgrid_event("deferred", response="451 later"), "nothing"),
        (sendgrid_event("spamreport"), "complaint"),
        (sendgrid_event("delivered"), "nothing"),
    ],
)
def test_sendgrids_events_are_judged(event: Any, verdict: str) -> None:
    (found,) = read_sendgrid(sendgrid([event]), TWILIO_KEY)
    assert (found.verdict, found.whose) == (verdict, ADA)


def test_a_call_of_sendgrid_is_refused_without_its_signature() -> None:
    good = sendgrid([sendgrid_event("spamreport")])
    assert len(read_sendgrid(good, TWILIO_KEY)) == 1
    other = ec.generate_private_key(ec.SECP256R1())
    rsa_key = AMAZON.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for bad in (
        sendgrid([sendgrid_event("spamreport")], other),
        Call(good.headers, good.body + b" ", NOW, MARKS),
        Call(dict(good.headers) | {TIMESTAMP: "1763715601"}, good.body, NOW, MARKS),
        Call(dict(good.headers) | {SIGNATURE: "%%"}, good.body, NOW, MARKS),
        Call({}, good.body, NOW, MARKS),
    ):
        assert refused(lambda bad=bad: read_sendgrid(bad, TWILIO_KEY)) == 403
    for key in ("", "AAAA", "no key", base64.b64encode(rsa_key).decode()):
        assert refused(lambda key=key: read_sendgrid(good, key)) == 403


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


@settings(max_examples=100)
@given(JSON)
def test_any_json_of_a_provider_is_an_answer(body: Any) -> None:
    calls: list[Callable[[], list[Report]]] = [
        lambda: read_postmark(call(body, authorization=basic(SECRET)), SECRET),
        lambda: read_mailgun(call(mailgun(body)), SECRET),
        lambda: read_mailgun(call(body), SECRET),
        lambda: read_sendgrid(sendgrid(body), TWILIO_KEY),
        lambda: Sns(Amazon()).read(call(body), TOPIC),
        lambda: Sns(Amazon()).read(call(sns(ses_bounce() | {"bounce": body, "mail": body})), TOPIC),
    ]
    for read in calls:
        try:
            reports = read()
        except CallError as error:
            assert error.status in (400, 403)
        else:
            assert all(report.verdict is not Verdict.PERMANENT for report in reports)
