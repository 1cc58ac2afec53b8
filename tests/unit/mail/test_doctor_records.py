"""The doctor reads a DNS zone, and returns diagnoses of its keys, policies, mail servers and names."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.dkim import Signer
from publisher.mail.dkim_keys import make_key, read_key
from publisher.mail.doctor.diagnosis import Diagnosis
from publisher.mail.doctor.dkim_record import check_dkim
from publisher.mail.doctor.dmarc import check_dmarc
from publisher.mail.doctor.mail_servers import check_mx, check_ptr
from tests.support.doctor_samples import HERE, Zone, asking, brief


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    folder = tmp_path_factory.mktemp("keys")
    for kind in ("rsa", "ed25519"):
        make_key(folder / kind, kind)  # type: ignore[arg-type]
    make_key(folder / "other", "rsa")
    return {kind: Signer("example.org", "letters", read_key(folder / kind)) for kind in ("rsa", "ed25519", "other")}


NAME = "letters._domainkey.example.org"


def test_the_dns_must_have_the_signing_key(keys: dict[str, Signer]) -> None:
    right, other = keys["rsa"].key.record_text(), keys["other"].key.record_text()
    spaced = f"{right[:80]} {right[80:]}".replace("p=", "p= ")
    table = {
        (): "error: there is no key in the DNS",
        (right,): "ok: the RSA key in the DNS is the one that signs",
        (spaced,): "ok: the RSA key in the DNS is the one that signs",
        (other,): "error: the key in the DNS is not the one that signs",
        (right, other): "error: there are 2 records where one key belongs",
        ("v=DKIM1; k=rsa; p=",): "error: the key in the DNS is revoked (p= is empty)",
        (right + "; t=y",): "warning: the RSA key in the DNS is marked as a test (t=y)",
        (right + "; h=sha1",): "error: the record of the key does not allow these signatures (v= or h=)",
        (right + "; s=tlsrpt",): "error: the key in the DNS is not for email (s=)",
        (right.replace("k=rsa", "k=ed25519"),): "error: the key in the DNS is not the one that signs",
        ("p=?!",): "error: the key in the DNS is not the one that signs",
    }
    told = {}
    for records in table:
        (found,) = check_dkim("example.org", [keys["rsa"]], asking({f"TXT {NAME}": records}))
        told[records] = f"{found.level}: {found.message}"
        assert (found.record == "") == (found.level != "error")
        assert found.record in ("", f'{NAME}. IN TXT "{right[:255]}" "{right[255:]}"')
    assert told == table


def test_an_ed25519_key_alone_is_not_enough(keys: dict[str, Signer]) -> None:
    zone = {f"TXT {NAME}": keys["ed25519"].key.record_text()}
    assert brief(check_dkim("example.org", [keys["ed25519"]], asking(zone))) == [
        ("warning", "only an Ed25519 key signs emails from this domain"),
        ("ok", "the Ed25519 key in the DNS is the one that signs"),
    ]


def test_unsigned_mail_is_a_warning() -> None:
    assert brief(check_dkim("example.org", [], asking({})))[0][0] == "warning"


POLICY = "v=DMARC1; p=reject; rua=mailto:d@example.org"
DMARC: dict[str, tuple[Zone, tuple[str, str, list[str]], list[str]]] = {
    # what: zone, (domain, return domain, signing), levels
    "none": ({}, ("example.org", "example.org", []), ["error"]),
    "two": ({"TXT _dmarc.example.org": (POLICY, "v=DMARC1; p=none")}, ("example.org", "example.org", []), ["error"]),
    "good": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "example.org", ["example.org"]), ["ok", "ok"]),
    "the policy of the parent domain": (
        {"TXT _dmarc.example.org": POLICY},
        ("a.example.org", "b.example.org", []),
        ["ok", "warning"],
    ),
    "SPF alone": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "example.org", []), ["ok", "warning"]),
    "only a key": ({"TXT _dmarc.example.org": POLICY}, ("example.org", "b.test", ["example.org"]), ["ok", "ok"]),
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
    "reports to no address": (
        {"TXT _dmarc.example.org": "v=DMARC1; p=none; rua=nothing"},
        ("example.org", "example.org", ["example.org"]),
        ["warning", "ok"],
    ),
    "another version is not DMARC": (
        {"TXT _dmarc.example.org": "v=DMARC10; p=none; rua=mailto:d@example.org"},
        ("example.org", "example.org", ["example.org"]),
        ["error"],
    ),
    "no reports": (
        {"TXT _dmarc.example.org": "v=DMARC1;p=none"},
        ("example.org", "example.org", ["example.org"]),
        ["note", "ok"],
    ),
}


@pytest.mark.parametrize(("zone", "mail", "levels"), DMARC.values(), ids=DMARC.keys())
def test_dmarc_needs_one_aligned_result(zone: Zone, mail: tuple[str, str, list[str]], levels: list[str]) -> None:
    found = [*check_dmarc(*mail, asking(zone))]
    assert [str(each.level) for each in found] == levels, found


VALUES = [
    "none",
    "Reject",
    "maybe",
    "",
    "nothing",
    "mailto:d@example.org!10m",
    "mailto:",
    "https://r.test/x",
    "a,b",
    "s",
]
TAGS = st.tuples(
    st.sampled_from(["p", "sp", "rua", "ruf", "adkim", "v", ""]), st.lists(st.sampled_from(VALUES)).map(",".join)
)
POLICIES = st.lists(TAGS.map("=".join) | st.text(max_size=9)).map("; ".join).map("v=DMARC1; {}".format)


@given(records=st.lists(POLICIES, max_size=2), below=st.booleans())
def test_advised_dmarc_records_are_valid(records: list[str], below: bool) -> None:
    def judged(*found: str) -> Diagnosis:
        domain = "a.example.org" if below else "example.org"
        return next(check_dmarc(domain, domain, [domain], asking({"TXT _dmarc.example.org": found})))

    first = judged(*records)
    if first.record and records:
        assert judged("".join(first.record.split('"')[1::2])).level == "ok"
    assert first.record or first.level in ("ok", "note")


def test_valid_dmarc_tags_are_kept() -> None:
    zone = {"TXT _dmarc.example.org": "v=DMARC1; p=Reject; sp=none; adkim=s; rua=nothing,mailto:d@example.org!10m; x=y"}
    (told, _) = check_dmarc("example.org", "example.org", ["example.org"], asking(zone))
    assert told.message == "policy reject, and 'nothing' is not a valid address for reports (rua=)"
    kept = "v=DMARC1; p=reject; sp=none; adkim=s; rua=mailto:d@example.org!10m"
    assert told.record == f'_dmarc.example.org. IN TXT "{kept}"'


def test_sp_is_the_policy_for_subdomains() -> None:
    zone = {"TXT _dmarc.example.org": "v=DMARC1; p=reject; sp=none; rua=mailto:a@example.org"}
    for domain, policy in (("a.example.org", "none"), ("example.org", "reject")):
        found = [*check_dmarc(domain, domain, [], asking(zone))]
        assert found[0].message == f"policy {policy}, with reports"


MX: dict[str, tuple[Zone, str, str]] = {
    "good": (
        {"MX example.org": ("10 b.example", "5 a.example"), "A a.example": HERE, "AAAA b.example": "2001:db8::1"},
        "ok",
        "a.example, b.example",
    ),
    "null": ({"MX example.org": "0 ."}, "error", "a null MX"),
    "none": ({}, "error", "no MX record and no address"),
    "only an address": ({"A example.org": HERE}, "warning", "no MX record"),
    "gone": ({"MX example.org": "10 gone.example"}, "error", "gone.example has no address"),
    "an address in place of a name": ({"MX example.org": f"10 {HERE}"}, "error", f"{HERE} has no address"),
    "one of two": (
        {"MX example.org": ("10 gone.example", "5 a.example"), "A a.example": HERE},
        "warning",
        "gone.example has no address",
    ),
}


@pytest.mark.parametrize(("zone", "level", "message"), MX.values(), ids=MX.keys())
def test_mx_hosts_must_exist(zone: Zone, level: str, message: str) -> None:
    found = check_mx("example.org", "bounces", asking(zone))
    assert (str(found.level), found.message) == (level, message)


def test_a_reverse_name_must_lead_back() -> None:
    reverse, six = f"PTR {ip_address(HERE).reverse_pointer}", "2001:db8::1"
    zones: list[tuple[Zone, str, str]] = [
        ({reverse: "mail.example.org", "A mail.example.org": HERE}, "ok", ""),
        ({}, "error", f"{ip_address(HERE).reverse_pointer}. IN PTR mail.example.org."),
        ({reverse: "mail.example.org", "A mail.example.org": "192.0.2.1"}, "error", f"mail.example.org. IN A {HERE}"),
    ]
    for zone, level, record in zones:
        (found,) = check_ptr([HERE], "example.org", asking(zone))
        assert (str(found.level), found.record) == (level, record)
    zone = {f"PTR {ip_address(six).reverse_pointer}": "m.example.org", "AAAA m.example.org": six}
    assert brief(check_ptr([six], "example.org", asking(zone))) == [("ok", "m.example.org, and back")]
