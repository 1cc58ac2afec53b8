"""The doctor reads a DNS zone, and returns diagnoses of its SPF records."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.mail.doctor.spf import check_spf
from publisher.mail.doctor.spf_record import spf_records, walk
from tests.support.doctor_samples import HERE, Zone, asking, brief

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
        {"TXT example.org": ("v=spf1 include:a.example -all", "v=spf1 ip4:203.0.113.7 ~all")}
        | {"TXT a.example": "v=spf1 ip4:192.0.2.9 ~all"},
        "error",
        "there are 2 SPF records",
        'example.org. IN TXT "v=spf1 include:a.example ip4:203.0.113.7 ~all"',
    ),
    "two records that allow no one": (
        {"TXT example.org": ("v=spf1 +all", "v=spf1 -all")},
        "error",
        "there are 2 SPF records",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "a term after all": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} -all junk"},
        "error",
        "'junk' in the record of example.org is not a valid SPF term",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} -all"',
    ),
    "a record that includes itself": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} redirect=example.org"},
        "error",
        "example.org and example.org refer to each other endlessly",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "two redirects": (
        {"TXT example.org": "v=spf1 redirect=a.example redirect=a.example", "TXT a.example": f"v=spf1 ip4:{HERE} -all"},
        "error",
        "redirect= occurs 2 times in the record of example.org",
        'example.org. IN TXT "v=spf1 redirect=a.example"',
    ),
    "refused before it is allowed": (
        {"TXT example.org": f"v=spf1 -ip4:{HERE} ip4:203.0.113.0/24 -all"},
        "error",
        f"the record does not let your mail server send: ip4:{HERE}",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} -ip4:{HERE} ip4:203.0.113.0/24 -all"',
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
    "allowed by the name of its server": (
        {"TXT example.org": "v=spf1 mx a:www.example.org/24 ~all", "MX example.org": "10 mx.example.org"}
        | {"A mx.example.org": HERE, "A www.example.org": "192.0.2.1"},
        "ok",
        "one record, 2 of 10 look-ups, others are suspicious",
        "",
    ),
    "allowed by a network around a name": (
        {"TXT example.org": "v=spf1 a/24 ~all", "A example.org": "203.0.113.250"},
        "ok",
        "one record, 1 of 10 look-ups, others are suspicious",
        "",
    ),
    "a neutral match allows no one": (
        {"TXT example.org": f"v=spf1 ?ip4:{HERE} -all"},
        "error",
        f"the record does not let your mail server send: ip4:{HERE}",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ?ip4:{HERE} -all"',
    ),
    "terms after all do not count": (
        {"TXT example.org": f"v=spf1 -all ip4:{HERE}"},
        "error",
        f"the record does not let your mail server send: ip4:{HERE}",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} -all"',
    ),
    "too many look-ups": (
        CHAIN | {"TXT example.org": f"v=spf1 ip4:{HERE} include:i1.example ~all"},
        "error",
        "the record needs 12 look-ups, but only 10 are allowed",
        "",
    ),
    "ten look-ups are allowed": (
        CHAIN | {"TXT example.org": f"v=spf1 ip4:{HERE} include:i3.example ~all"},
        "ok",
        "one record, 10 of 10 look-ups, others are suspicious",
        "",
    ),
    "an include without a record": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} include:gone.example ~all"},
        "error",
        "include:gone.example leads to no SPF record",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "a circle": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} include:a.example ~all", "TXT a.example": "v=spf1 include:example.org"},
        "error",
        "a.example and example.org refer to each other endlessly",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "a typo": (
        {"TXT example.org": f"v=spf1 ipv4:{HERE} ip4:{HERE} ~all"},
        "error",
        f"'ipv4:{HERE}' in the record of example.org is not a valid SPF term",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
    ),
    "no network": (
        {"TXT example.org": f"v=spf1 ip4:{HERE} ip4:300.1.1.1 ~all"},
        "error",
        "'ip4:300.1.1.1' in the record of example.org is not a valid SPF term",
        f'example.org. IN TXT "v=spf1 ip4:{HERE} ~all"',
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
def test_spf_is_evaluated_as_receivers_do(zone: Zone, level: str, message: str, record: str) -> None:
    (found,) = check_spf("example.org", [], [HERE], asking(zone))
    assert (str(found.level), found.message, found.record) == (level, message, record)
    assert bool(found.hint) == (level != "ok")


@pytest.mark.parametrize(("zone", "level", "message", "record"), SPF.values(), ids=SPF.keys())
def test_advised_spf_records_are_good(zone: Zone, level: str, message: str, record: str) -> None:
    if not record:
        return
    advised = record.split('"')[1]
    others = {"TXT a.example": "v=spf1 ip4:192.0.2.9 ~all"}
    assert (
        brief(check_spf("example.org", [], [HERE], asking(others | zone | {"TXT example.org": advised})))[0][0] == "ok"
    )


def test_services_are_included_with_their_own_names() -> None:
    host, zone = "email-smtp.eu-west-1.amazonaws.com", {"TXT example.org": "v=spf1 mx ~all", "MX example.org": "1 m"}
    found = [*check_spf("example.org", [host], [], asking(zone))]
    assert [each.record for each in found] == ['example.org. IN TXT "v=spf1 include:amazonses.com mx ~all"']
    good = {"TXT example.org": "v=spf1 include:amazonses.com ~all", "TXT amazonses.com": "v=spf1 ip4:192.0.2.0/24 -all"}
    assert brief(check_spf("example.org", [host], [], asking(good)))[0][0] == "ok"


def test_an_unknown_address_is_only_a_note() -> None:
    zone = {"TXT example.org": "v=spf1 mx ~all", "MX example.org": "1 m.example", "A m.example": HERE}
    (found,) = check_spf("example.org", [], [], asking(zone))
    assert (found.level, found.hint) == ("note", "name the address with --ip")


NAMES = ["a.test", "b.test", "f.test", "gone.test", "all.test", "x/24", "..", "%{i}.test", "%x", "ümläut.test", ""]
KINDS = ["include:", "a:", "mx:", "redirect=", "exists:", "ptr:", "ip4:", "exp=", "INCLUDE:"]
ODD = ["junk", "all", "+all", "-all", "?all", "ptr", "exp=a.test", "ip4:0.0.0.0/0", "-ip6:::/0", "\t", "x=y", "ip6:::1"]
ODD += [f"-ip4:{HERE}", f"?ip4:{HERE}/24", "ip4:10.0.0.0/255.0.0.0", "ip4:1.2.3.4", "ip6:1.2.3.4", "-include:a.test"]
ONE_OF = st.sampled_from
TERM = (
    ONE_OF(ODD)
    | st.tuples(ONE_OF(["", "-", "?", "+"]), ONE_OF(KINDS), ONE_OF(NAMES), ONE_OF(["", "/24", "//64", "/99"])).map(
        "".join
    )
    | st.integers(1, 12).map("include:i{}.example".format)
    | st.text(max_size=8)
)
RECORDS = st.lists(st.lists(TERM, max_size=9).map(" ".join).map("v=spf1 {}".format), max_size=3)
OTHERS = CHAIN | {
    "TXT amazonses.com": "v=spf1 ip4:198.51.100.0/24 -all",
    "A b.test": "192.0.2.3",
    "MX b.test": tuple(f"10 m{n}.test" for n in range(12)),
    "TXT all.test": "v=spf1 +all",
}


@settings(max_examples=4 * settings.default.max_examples)
@given(own=RECORDS, inner=RECORDS, service=st.booleans(), addresses=st.sets(st.sampled_from([HERE, "2001:db8::7"])))
def test_any_advised_spf_record_allows_our_mail(
    own: list[str], inner: list[str], service: bool, addresses: set[str]
) -> None:
    zone = OTHERS | {"TXT f.test": tuple(own), "TXT a.test": tuple(inner)}
    hosts = ["email-smtp.eu-west-1.amazonaws.com"] if service else []
    told = [*check_spf("f.test", hosts, sorted(addresses), asking(zone))]
    for advised in {"".join(each.record.split('"')[1::2]) for each in told if each.record}:
        if not (addresses or service or own):
            continue  # "mx" of an unknown domain
        again = zone | {"TXT f.test": advised}
        known = "ok" if addresses or service else "note"
        assert [str(each.level) for each in check_spf("f.test", hosts, sorted(addresses), asking(again))] == [known], (
            advised
        )
        walked = walk("f.test", advised, asking(again))
        assert all(walked.covers(address) for address in addresses)
        assert not service or walked.covers("198.51.100.9")


TERMS = ["a", "mx:", "include:example.org", "redirect=", "+", "/", "%{i}", "ip6:::1", "exists:x", "all"]


@given(st.text(max_size=80) | st.lists(st.sampled_from(TERMS)).map(" ".join))
def test_following_any_record_ends(text: str) -> None:
    record = f"v=spf1 {text}"
    walked = walk("example.org", record, asking({"TXT example.org": record, "MX example.org": "10 mx.example.org"}))
    assert walked.lookups <= 60
    assert [*check_spf("example.org", [], [HERE], asking({"TXT example.org": record}))]
    assert spf_records((record, "v=spf10 x", "V=SPF1")) == [record, "V=SPF1"]
