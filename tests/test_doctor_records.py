"""What the doctor says of records, as a table: zone in, diagnoses out."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.delivery.dkim import Signer, read_key
from publisher.delivery.dkim_keys import make_key, record_text
from publisher.delivery.doctor.diagnosis import Ask, Diagnosis
from publisher.delivery.doctor.dmarc import dmarc
from publisher.delivery.doctor.hosts import mail_exchangers, reverse_names
from publisher.delivery.doctor.one_click import covered, one_click
from publisher.delivery.doctor.received import parse_results, received
from publisher.delivery.doctor.signatures import signatures
from publisher.delivery.doctor.spf import spf
from publisher.delivery.doctor.spf_walk import spf_records, walk

HERE = "203.0.113.7"
Zone = Mapping[str, str | tuple[str, ...]]


def asking(zone: Zone) -> Ask:
    """A zone as {"TXT example.org": record or records}."""

    def ask(name: str, kind: str) -> tuple[str, ...]:
        found = zone.get(f"{kind} {name.lower().rstrip('.')}", ())
        return (found,) if isinstance(found, str) else found

    return ask


def brief(found: object) -> list[tuple[str, str]]:
    """Level and message of each."""
    return [(str(each.level), each.message) for each in found]  # type: ignore[attr-defined]


CHAIN = {f"TXT i{n}.example": f"v=spf1 include:i{n + 1}.example ~all" for n in range(1, 12)} | {
    "TXT i12.example": "v=spf1 ip4:192.0.2.0/24 ~all"
}

SPF: dict[str, tuple[Zone, str, str, str]] = {
    # what: zone, level, message, record
    "none": (
        {"TXT example.org": "google-site-verification=x"},
        "error",
        "there is no SPF record",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "two": (
        {"TXT example.org": ("v=spf1 include:a.example -all", "v=spf1 ip4:203.0.113.7 ~all")},
        "error",
        "there are 2 SPF records",
        'example.org. IN TXT "v=spf1 include:a.example ip4:203.0.113.7 ~all"',
    ),
    "everybody": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} +all"},
        "error",
        "the record ends with +all",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "a bare all is +all": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} all"},
        "error",
        "the record ends with +all",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "no ending": (
        {"TXT example.org": f"v=spf1 ip4:{HERE}"},
        "warning",
        "the record ends with nothing like ~all",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "another's address": (
        {"TXT example.org": "v=spf1 ip4:192.0.2.1 -all"},
        "error",
        f"the record does not let your mail server send: ip4:{HERE}",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ip4:192.0.2.1 -all"',
    ),
    "by include": (
        {"TXT example.org": "v=spf1 include:a.example -all", "TXT a.example": "v=spf1 ip4:203.0.113.0/24 -all"},
        "ok",
        "one record, 1 of 10 look-ups, others are refused",
        "",
    ),
    "by redirect": (
        {"TXT example.org": "v=spf1 redirect=a.example", "TXT a.example": f"v=spf1 ip4:{HERE} ~all"},
        "ok",
        "one record, 1 of 10 look-ups, others are suspicious",
        "",
    ),
    "by the name of its server": (
        {"TXT example.org": "v=spf1 mx a:www.example.org/24 ~all", "MX example.org": "10 mx.example.org"}
        | {"A mx.example.org": HERE, "A www.example.org": "192.0.2.1"},
        "ok",
        "one record, 2 of 10 look-ups, others are suspicious",
        "",
    ),
    "by a network around a name": (
        {"TXT example.org": "v=spf1 a/24 ~all", "A example.org": "203.0.113.250"},
        "ok",
        "one record, 1 of 10 look-ups, others are suspicious",
        "",
    ),
    "a neutral match lets nobody send": (
        {"TXT example.org": f"v=spf1 ?ip4:{HERE} -all"},
        "error",
        f"the record does not let your mail server send: ip4:{HERE}",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ?ip4:{HERE} -all"',
    ),
    "after all nothing counts": (
        {"TXT example.org": f"v=spf1 -all ip4:{HERE}"},
        "error",
        f"the record does not let your mail server send: ip4:{HERE}",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} -all ip4:{HERE}"',
    ),
    "too many look-ups": (
        CHAIN | {"TXT example.org": f"v=spf1 ip4:{HERE} include:i1.example ~all"},
        "error",
        "the record needs 12 look-ups; 10 are allowed",
        "",
    ),
    "ten look-ups are allowed": (
        CHAIN | {"TXT example.org": f"v=spf1 ip4:{HERE} include:i3.example ~all"},
        "ok",
        "one record, 10 of 10 look-ups, others are suspicious",
        "",
    ),
    "an include that is gone": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} include:gone.example ~all"},
        "error",
        "include:gone.example leads to no SPF record",
        "",
    ),
    "a circle": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} include:a.example ~all", "TXT a.example": "v=spf1 include:example.org"},
        "error",
        "a.example and example.org name each other for ever",
        "",
    ),
    "a typing mistake": (
        {"TXT example.org": f"v=spf1 ipv4:{HERE} ip4:{HERE} ~all"},
        "error",
        f"'ipv4:{HERE}' in the record of example.org is no term of SPF",
        "",
    ),
    "no network": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} ip4:300.1.1.1 ~all"},
        "error",
        "'300.1.1.1' in the record of example.org is no network",
        "",
    ),
    "void": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} a:x.example a:y.example a:z.example ~all"},
        "error",
        "3 of the names in the record have no addresses",
        "",
    ),
    "ptr": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} ptr ~all"},
        "warning",
        "the record uses ptr",
        "",
    ),
}


@pytest.mark.parametrize(("zone", "level", "message", "record"), SPF.values(), ids=SPF.keys())
def test_spf_is_judged_as_receivers_do(zone: Zone, level: str, message: str, record: str) -> None:
    (found,) = spf("example.org", [], [HERE], asking(zone))
    assert (str(found.level), found.message, found.record) == (level, message, record)
    assert bool(found.mend) == (level != "ok")


@pytest.mark.parametrize(("zone", "level", "message", "record"), SPF.values(), ids=SPF.keys())
def test_the_record_that_spf_advises_is_a_good_one(zone: Zone, level: str, message: str, record: str) -> None:
    if not record:
        return
    advised = record.split('"')[1]
    others = {"TXT a.example": "v=spf1 ip4:192.0.2.9 ~all"}
    assert brief(spf("example.org", [], [HERE], asking(zone | others | {"TXT example.org": advised})))[0][0] == "ok"


def test_a_service_must_be_included_by_the_name_that_it_asks_for() -> None:
    host, zone = "email-smtp.eu-west-1.amazonaws.com", {"TXT example.org": "v=spf1 mx ~all", "MX example.org": "1 m"}
    found = [*spf("example.org", [host], [], asking(zone))]
    assert [each.record for each in found] == ['example.org. IN TXT "v=spf1 include:amazonses.com mx ~all"']
    good = {"TXT example.org": "v=spf1 include:amazonses.com ~all", "TXT amazonses.com": "v=spf1 ip4:192.0.2.0/24 -all"}
    assert brief(spf("example.org", [host], [], asking(good)))[0][0] == "ok"


def test_without_an_address_nothing_is_claimed_about_it() -> None:
    (found,) = spf(
        "example.org",
        [],
        [],
        asking({"TXT example.org": "v=spf1 mx ~all", "MX example.org": "1 m.example"} | {"A m.example": HERE}),
    )
    assert (found.level, found.mend) == ("note", "name the address with --ip")


@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(
            ["a", "mx:", "include:example.org", "redirect=", "+", "/", "%{i}", "ip6:::1", "exists:x", "all"]
        )
    ).map(" ".join)
)
def test_any_record_is_followed_to_an_end(text: str) -> None:
    record = f"v=spf1 {text}"
    walked = walk("example.org", record, asking({"TXT example.org": record, "MX example.org": "10 mx.example.org"}))
    assert walked.lookups <= 60
    assert [*spf("example.org", [], [HERE], asking({"TXT example.org": record}))]
    assert spf_records((record, "v=spf10 x", "V=SPF1")) == [record, "V=SPF1"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    folder = tmp_path_factory.mktemp("keys")
    for kind in ("rsa", "ed25519"):
        make_key(folder / kind, kind)  # type: ignore[arg-type]
    make_key(folder / "other", "rsa")
    return {kind: Signer("example.org", "letters", read_key(folder / kind)) for kind in ("rsa", "ed25519", "other")}


NAME = "letters._domainkey.example.org"


def test_the_key_in_the_dns_must_be_the_one_that_signs(keys: dict[str, Signer]) -> None:
    right, other = record_text(keys["rsa"].key), record_text(keys["other"].key)
    table = {
        (): "error: there is no key in the DNS",
        (right,): "ok: the Rsa key in the DNS is the one that signs",
        (
            right.replace("p=", "p= ")[:80] + " " + right.replace("p=", "p= ")[80:],
        ): "ok: the Rsa key in the DNS is the one that signs",
        (other,): "error: the key in the DNS is not the one that signs",
        (right, other): "error: there are 2 records where one key belongs",
        ("v=DKIM1; k=rsa; p=",): "error: the key in the DNS is revoked (p= is empty)",
        (right + "; t=y",): "warning: the Rsa key in the DNS is marked as a test (t=y)",
        (right + "; h=sha1",): "error: the record of the key allows no signatures as they are made (v= or h=)",
        (right + "; s=tlsrpt",): "error: the key in the DNS is not for mail (s=)",
        (right.replace("k=rsa", "k=ed25519"),): "error: the key in the DNS is not the one that signs",
        ("p=?!",): "error: the key in the DNS is not the one that signs",
    }
    told = {}
    for records in table:
        (found,) = signatures("example.org", [keys["rsa"]], asking({f"TXT {NAME}": records}))
        told[records] = f"{found.level}: {found.message}"
        assert (found.record == "") == (found.level != "error")
        assert found.record in ("", f'{NAME}. IN TXT "{right[:255]}" "{right[255:]}"')
    assert told == table


def test_an_ed25519_key_alone_is_not_enough(keys: dict[str, Signer]) -> None:
    zone = {f"TXT {NAME}": record_text(keys["ed25519"].key)}
    assert brief(signatures("example.org", [keys["ed25519"]], asking(zone))) == [
        ("warning", "only an Ed25519 key signs mail of this domain"),
        ("ok", "the Ed25519 key in the DNS is the one that signs"),
    ]


def test_mail_that_nobody_signs_is_told_of() -> None:
    assert brief(signatures("example.org", [], asking({})))[0][0] == "warning"


POLICY = "v=DMARC1; p=reject; rua=mailto:d@example.org"
DMARC: dict[str, tuple[Zone, tuple[str, str, list[str]], list[str]]] = {
    # what: zone, (domain, return domain, signing), levels
    "none": ({}, ("example.org", "example.org", []), ["error"]),
    "two": ({"TXT _dmarc.example.org": (POLICY, "v=DMARC1; p=none")}, ("example.org", "example.org", []), ["error"]),
    "good": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "example.org", ["example.org"]), ["ok", "ok"]),
    "that of the domain above": (
        {"TXT _dmarc.example.org": POLICY},
        ("a.example.org", "b.example.org", []),
        ["ok", "warning"],
    ),
    "SPF alone": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "example.org", []), ["ok", "warning"]),
    "a key alone": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "b.test", ["example.org"]), ["ok", "ok"]),
    "nothing": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "bounces.test", []), ["ok", "error"]),
    "strict SPF": (
        {"TXT _dmarc.example.org": f"{POLICY}; aspf=s"},
        ("example.org", "b.example.org", []),
        ["ok", "error"],
    ),
    "strict DKIM": (
        {"TXT _dmarc.example.org": f"{POLICY}; adkim=s; aspf=s"},
        ("a.example.org", "example.org", ["example.org"]),
        ["ok", "error"],
    ),
    "a neighbour's name does not count": (
        {"TXT _dmarc.example.org": POLICY},
        ("example.org", "myexample.org", []),
        ["ok", "error"],
    ),
    "no policy": (
        {"TXT _dmarc.example.org": "v=DMARC1; rua=mailto:a@b"},
        ("example.org", "example.org", ["example.org"]),
        ["error", "ok"],
    ),
    "a wrong policy": (
        {"TXT _dmarc.example.org": "v=DMARC1; p=maybe"},
        ("example.org", "example.org", ["example.org"]),
        ["error", "ok"],
    ),
    "no reports": (
        {"TXT _dmarc.example.org": "v=DMARC1;p=none"},
        ("example.org", "example.org", ["example.org"]),
        ["note", "ok"],
    ),
}


@pytest.mark.parametrize(("zone", "mail", "levels"), DMARC.values(), ids=DMARC.keys())
def test_dmarc_passes_where_spf_or_a_signature_speaks_for_the_sender(
    zone: Zone, mail: tuple[str, str, list[str]], levels: list[str]
) -> None:
    found = [*dmarc(*mail, asking(zone))]
    assert [str(each.level) for each in found] == levels, found


def test_the_policy_for_domains_below_is_sp() -> None:
    zone = {"TXT _dmarc.example.org": "v=DMARC1; p=reject; sp=none; rua=mailto:a@example.org"}
    assert [*dmarc("a.example.org", "a.example.org", [], asking(zone))][0].message == "policy none, with reports"
    assert [*dmarc("example.org", "example.org", [], asking(zone))][0].message == "policy reject, with reports"


MX: dict[str, tuple[Zone, str, str]] = {
    "good": (
        {"MX example.org": ("10 b.example", "5 a.example"), "A a.example": HERE, "AAAA b.example": "2001:db8::1"},
        "ok",
        "a.example, b.example",
    ),
    "null": ({"MX example.org": "0 ."}, "error", "a null MX"),
    "none": ({}, "error", "no MX record and no address"),
    "an address only": ({"A example.org": HERE}, "warning", "no MX record"),
    "gone": ({"MX example.org": "10 gone.example"}, "error", "gone.example has no address"),
    "an address in its place": ({"MX example.org": f"10 {HERE}"}, "error", f"{HERE} has no address"),
    "one of two": (
        {"MX example.org": ("10 gone.example", "5 a.example"), "A a.example": HERE},
        "warning",
        "gone.example has no address",
    ),
}


@pytest.mark.parametrize(("zone", "level", "message"), MX.values(), ids=MX.keys())
def test_mail_servers_of_a_domain_must_be_there(zone: Zone, level: str, message: str) -> None:
    found = mail_exchangers("example.org", "bounces", asking(zone))
    assert (str(found.level), found.message) == (level, message)


def test_a_name_must_lead_back_to_its_address() -> None:
    reverse, six = f"PTR {ip_address(HERE).reverse_pointer}", "2001:db8::1"
    zones: list[tuple[Zone, str, str]] = [
        ({reverse: "mail.example.org", "A mail.example.org": HERE}, "ok", ""),
        ({}, "error", f"{ip_address(HERE).reverse_pointer}. IN PTR mail.example.org."),
        ({reverse: "mail.example.org", "A mail.example.org": "192.0.2.1"}, "error", f"mail.example.org. IN A {HERE}"),
    ]
    for zone, level, record in zones:
        (found,) = reverse_names([HERE], asking(zone))
        assert (str(found.level), found.record) == (level, record)
    zone = {f"PTR {ip_address(six).reverse_pointer}": "m.example.org", "AAAA m.example.org": six}
    assert brief(reverse_names([six], asking(zone))) == [("ok", "m.example.org, and back")]


BOTH = b"List-Unsubscribe: <https://x>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"


@pytest.mark.parametrize(
    ("message", "level"),
    [
        (b"Subject: x\n\n", "error"),
        (BOTH.partition(b"\n")[0] + b"\n\n", "error"),
        (BOTH + b"\n", "note"),
        (b"DKIM-Signature: h=from:list-unsubscribe;\n b=x\n" + BOTH + b"\n", "error"),
        (b"DKIM-Signature: h=from:List-Unsubscribe:\n list-unsubscribe-post; b=x\n" + BOTH + b"\n", "ok"),
        (b"DKIM-Signature: h=list-unsubscribe; b=x\nDKIM-Signature: h=list-unsubscribe-post\n" + BOTH + b"\n", "error"),
    ],
)
def test_one_signature_must_cover_both_headers(message: bytes, level: str) -> None:
    assert [str(each.level) for each in covered(message)] == [level]


@pytest.mark.parametrize(
    ("url", "answer", "level"),
    [
        ("https://x.example", "", "ok"),
        ("https://x.example", "502 Bad Gateway", "error"),
        ("http://x.example", "", "error"),
    ],
)
def test_the_links_must_lead_to_an_https_address_that_answers(url: str, answer: str, level: str) -> None:
    assert str([*one_click(url, answer, BOTH)][0].level) == level


def copy(*fields: str) -> bytes:
    signed = "DKIM-Signature: h=list-unsubscribe:list-unsubscribe-post\n"
    return ("".join(f"Authentication-Results: {field}\n" for field in fields) + signed).encode() + BOTH + b"\nHello\n"


GMAIL = """mx.google.com;
       dkim=pass header.i=@example.org header.s=letters header.b=abc;
       dkim=neutral (no key (really; none)) header.i=@other.example;
       spf=pass (google.com: domain of b+1-x@b.example.org designates 203.0.113.7 as permitted sender)
 smtp.mailfrom="b+1-x@b.example.org";
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org"""


def told(message: bytes) -> list[tuple[str, str, str, str]]:
    return [(str(each.level), each.check, each.subject, each.message) for each in received(message)]


def test_a_copy_from_a_mailbox_is_explained() -> None:
    assert told(copy(GMAIL))[:-1] == [
        ("ok", "SPF", "b+1-x@b.example.org", "mx.google.com says pass"),
        ("ok", "DKIM", "@example.org", "mx.google.com says pass"),
        ("ok", "DMARC", "example.org", "mx.google.com says pass"),
    ]


def test_failures_are_told_with_what_to_do() -> None:
    field = (
        "mail.example 1; spf=softfail smtp.mailfrom=b.test; dkim=fail header.d=example.org; dmarc=none header.from=x"
    )
    found = [*received(copy(field))]
    assert [(str(each.level), each.check) for each in found[:3]] == [
        ("error", "SPF"),
        ("error", "DKIM"),
        ("error", "DMARC"),
    ]
    assert all(each.meaning and each.mend for each in found[:3])


def test_only_the_receivers_own_words_are_believed() -> None:
    forged = "mx.google.com; spf=pass smtp.mailfrom=x; dkim=pass header.d=x; dmarc=pass header.from=x"
    assert [each[:2] for each in told(copy("real.example; dmarc=fail header.from=x", forged))[:3]] == [
        ("error", "DMARC"),
        ("note", "SPF"),
        ("note", "DKIM"),
    ]


def test_a_message_that_nobody_received_is_told_apart() -> None:
    (found,) = received(BOTH + b"\nHello")
    assert found.message == "it has no Authentication-Results"


@given(st.text())
def test_any_field_can_be_read(text: str) -> None:
    server, results = parse_results(text)
    assert server
    assert all(result.outcome for result in results)


@given(st.binary())
def test_any_file_can_be_read(data: bytes) -> None:
    assert all(isinstance(each, Diagnosis) for each in received(b"Authentication-Results: " + data))
