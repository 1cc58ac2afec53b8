"""`publisher mail doctor` with a real resolver, a real mail server and a real web application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from publisher.config import Relay, Smtp
from publisher.config.mail import parse_dns_server
from publisher.core.errors import DnsError
from publisher.mail.doctor.diagnosis import DeadResolverError
from publisher.mail.doctor.examine import check_names, sending_addresses
from publisher.mail.doctor.mail_servers import check_tls
from publisher.mail.doctor.one_click import reach
from publisher.mail.doctor.resolver import Resolver
from publisher.publishing.mail_doctor import mail_patient
from tests.support.dns_server import FAIL, SILENT, dns_server
from tests.support.doctor_samples import asking, brief
from tests.support.project import Project
from tests.support.smtp_server import mail_server
from tests.support.store_samples import NOW
from tests.support.web_server import Serving

ADDRESS = "203.0.113.7"
SIGNING = """bounces = "bounces@b.letters.example"

[[mail.dkim]]
domain = "letters.example"
selector = "letters"
key = ".publisher/dkim/letters.letters.example.pem"
"""


def zone(project: Project) -> dict[tuple[str, str], tuple[str, ...]]:
    """DNS records that are all correct, with the project's own key."""
    record = project.ok("mail", "keys", "--json").json["record"]
    key = "".join(record.split('"')[1::2])
    return {
        ("b.letters.example", "TXT"): ("some=verification", f"v=spf1 ip4:{ADDRESS} -all"),
        ("letters._domainkey.letters.example", "TXT"): (key,),
        ("_dmarc.letters.example", "TXT"): ("v=DMARC1; p=quarantine; rua=mailto:d@letters.example",),
        ("letters.example", "MX"): ("10 mail.letters.example",),
        ("b.letters.example", "MX"): ("10 mail.letters.example",),
        ("mail.letters.example", "A"): (ADDRESS,),
        ("7.113.0.203.in-addr.arpa", "PTR"): ("mail.letters.example",),
    }


def levels(found: list[dict[str, str]]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for each in found:
        told.setdefault(each["check"], []).append(each["level"])
    return told


@contextmanager
def sending(project: Project, more: str = SIGNING) -> Iterator[Smtp]:
    """A project that sends through a mail server on loopback."""
    with mail_server() as (_, settings):
        server = f'[mail.smtp]\nhost = "127.0.0.1"\nport = {settings.port}\ntls = "none"\n'
        project.configure(f'transport = "smtp"\n{more}\n{server}')
        yield settings


def test_a_good_domain_needs_no_fix(empty: Project) -> None:
    empty.configure()
    table = zone(empty)
    with sending(empty), dns_server(table) as resolver:
        ran = empty.run("mail", "doctor", "--resolver", resolver, "--ip", ADDRESS, "--json")
    found = levels(ran.json)
    assert found.pop("one-click") == ["error", "ok"]  # no server runs at https://letters.example here
    assert found == {
        "SPF": ["ok"],
        "DKIM": ["ok"],
        "DMARC": ["ok", "ok"],
        "MX": ["ok", "ok"],
        "PTR": ["ok"],
        "TLS": ["ok"],
    }
    assert ran.code == 1


def test_each_missing_record_is_printed(empty: Project) -> None:
    empty.configure()
    key = zone(empty)["letters._domainkey.letters.example", "TXT"][0]
    with sending(empty), dns_server({("other.example", "TXT"): ("x",)}) as resolver:
        ran = empty.run("mail", "doctor", "--resolver", resolver, "--ip", ADDRESS)
    assert ran.code == 1
    records = [line for line in ran.out.splitlines() if " IN " in line and ". IN " in line]
    assert records == [
        f'b.letters.example. IN TXT "v=spf1 ip4:{ADDRESS} ~all"',
        f'letters._domainkey.letters.example. IN TXT "{key[:255]}" "{key[255:]}"',
        '_dmarc.letters.example. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@letters.example"',
        "letters.example. IN MX 10 mail.letters.example.",
        "b.letters.example. IN MX 10 mail.b.letters.example.",
        "7.113.0.203.in-addr.arpa. IN PTR mail.letters.example.",
    ]
    assert "error: SPF b.letters.example: there is no SPF record. Receivers cannot check" in ran.out


def test_the_advised_records_satisfy_the_doctor(empty: Project) -> None:
    empty.configure()
    zone(empty)
    with sending(empty), dns_server({("other.example", "TXT"): ("x",)}) as resolver:
        found = empty.run("mail", "doctor", "--resolver", resolver, "--ip", ADDRESS, "--json").json
    table: dict[tuple[str, str], tuple[str, ...]] = {
        ("mail.letters.example", "A"): (ADDRESS,),
        ("mail.b.letters.example", "A"): (ADDRESS,),
    }
    for record in (each["record"] for each in found if each["record"]):
        name, _, kind, *rest = record.split(" ")
        text = " ".join(rest)
        table[name.rstrip("."), kind] = ("".join(text.split('"')[1::2]) if kind == "TXT" else text,)
    with sending(empty), dns_server(table) as resolver:
        found = empty.run("mail", "doctor", "--resolver", resolver, "--ip", ADDRESS, "--json").json
    assert {each["level"] for each in found if each["check"] not in ("one-click", "TLS")} == {"ok"}


def test_a_different_domain_can_be_checked(empty: Project) -> None:
    with dns_server({("other.example", "TXT"): ("v=spf1 mx -all",)}) as resolver:
        empty.configure(f'resolver = "{resolver}"\n')
        found = empty.run("mail", "doctor", "Other.Example", "--json").json
    assert [each["subject"] for each in found if each["check"] == "SPF"] == ["other.example"]
    assert levels(found)["TLS"] == ["note"]  # the outbox has no mail server


def test_a_dead_resolver_is_one_clear_line(empty: Project) -> None:
    empty.configure()
    place = f"127.0.0.1:{free_port()}"
    ran = empty.run("mail", "doctor", "--resolver", place)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"error: {place}: the DNS server does not answer (name a different one with --resolver, or in mail.resolver)\n"
    )


@pytest.mark.parametrize("value", ["nowhere", "192.0.2.1:x", "[::1", "192.0.2.1:0", "192.0.2.1:99999"])
def test_an_invalid_dns_server_is_refused(empty: Project, value: str) -> None:
    empty.configure()
    ran = empty.run("mail", "doctor", "--resolver", value)
    assert ran.code == 1
    assert "isn't the address of a DNS server" in ran.err


def test_a_dns_server_may_be_written_in_each_way() -> None:
    assert [parse_dns_server(each) for each in ("192.0.2.1", "192.0.2.1:54", "::1", "[::1]", "[::1]:54")] == [
        ("192.0.2.1", 53),
        ("192.0.2.1", 54),
        ("::1", 53),
        ("::1", 53),
        ("::1", 54),
    ]


def test_answers_are_complete_and_plain_text() -> None:
    long = "v=spf1 " + " ".join(f"ip4:198.51.100.{n}" for n in range(150)) + " -all"  # it is too long for UDP
    table = {
        ("example.org", "TXT"): (long, "with space"),
        ("example.org", "MX"): ("20 b.example", "0 ."),
        ("broken.example", "TXT"): (FAIL,),
    }
    with dns_server(table) as server:
        ask = Resolver(server).ask
        assert ask("Example.org.", "TXT") == (long, "with space")
        assert ask("example.org", "MX") == ("0 .", "20 b.example")
        assert ask("example.org", "A") == ask("nowhere.example", "A") == ()
        with pytest.raises(DnsError, match=r"cannot answer for TXT of broken\.example"):
            ask("broken.example", "TXT")
        for unfit in ("a..b", "x" * 64, "a b\x00"):
            with_answer = _asked(ask, unfit)
            assert with_answer in ("nothing", "refused")


def _asked(ask: object, name: str) -> str:
    try:
        return "nothing" if ask(name, "A") == () else "something"  # type: ignore[operator]
    except DnsError:
        return "refused"


def test_one_unanswered_query_stops_no_other(empty: Project) -> None:
    empty.configure()
    table = zone(empty) | {("_dmarc.letters.example", "TXT"): (FAIL,)}
    with sending(empty), dns_server(table) as resolver:
        found = empty.run("mail", "doctor", "--resolver", resolver, "--ip", ADDRESS, "--json").json
    assert levels(found)["DMARC"] == ["error"]
    assert levels(found)["SPF"] == levels(found)["PTR"] == ["ok"]


def test_a_silent_server_is_dead_only_when_it_never_answered() -> None:
    with dns_server({("silent.example", "A"): (SILENT,), ("a.example", "A"): (ADDRESS,)}) as server:
        with pytest.raises(DeadResolverError):
            Resolver(server, seconds=0.2).ask("silent.example", "A")
        resolver = Resolver(server, seconds=60)
        resolver.ask("a.example", "A")
        resolver._library.lifetime = resolver._library.timeout = 0.2
        with pytest.raises(DnsError, match="no answer in time") as raised:
            resolver.ask("silent.example", "A")
        assert not isinstance(raised.value, DeadResolverError)


def test_a_test_message_is_sent_like_an_edition(empty: Project) -> None:
    empty.configure()
    zone(empty)
    with mail_server() as (mailboxes, settings):
        server = f'[mail.smtp]\nhost = "127.0.0.1"\nport = {settings.port}\ntls = "none"\n'
        empty.configure(f'transport = "smtp"\n{SIGNING}\n{server}')
        ran = empty.ok("mail", "doctor", "--send", "me@example.org")
        assert "publisher mail doctor --read FILE" in ran.out
    (message,) = mailboxes.messages["me@example.org"]
    assert mailboxes.senders[0].endswith("@b.letters.example")
    results = "mx.example.org; spf=pass smtp.mailfrom=b.letters.example; dkim=pass header.d=letters.example"
    path = empty.write("copy.eml", f"Authentication-Results: {results}; dmarc=pass\r\n".encode() + message)
    told = empty.ok("mail", "doctor", "--read", str(path))
    assert "ok: one-click headers: both are there and signed" in told.out
    assert "everything is in order" in told.out


def test_a_received_message_needs_no_project(tmp_path: Path, empty: Project) -> None:
    path = tmp_path / "copy.eml"
    path.write_bytes(b"Authentication-Results: mx.example; spf=fail smtp.mailfrom=x.example\n\nHello\n")
    ran = empty.run("mail", "doctor", "--read", str(path))
    assert ran.code == 1
    assert "error: SPF x.example: mx.example says fail. Your mail server may not send" in ran.out


def test_the_mail_server_is_contacted_as_in_sending() -> None:
    with mail_server() as (_, settings):
        assert check_tls(settings, 60).level == "ok"
        found = check_tls(Smtp(host="127.0.0.1", port=settings.port, tls="starttls"), 60)
        assert (found.level, found.message) == ("error", "the mail server does not offer STARTTLS")
    found = check_tls(Smtp(host="127.0.0.1", port=free_port(), tls="none"), 60)
    assert (found.level, "cannot be reached" in found.message) == ("error", True)


def test_an_unreachable_application_is_explained() -> None:
    assert reach(f"http://127.0.0.1:{free_port()}", 60) == "Connection refused"
    assert reach("http://[", 2) != ""


def test_the_application_is_recognised_by_its_answer(empty: Project) -> None:
    port = free_port()
    empty.configure(f'\n[web]\npublic_url = "http://127.0.0.1:{port}"\n')
    serving = Serving(empty, port)
    try:
        assert reach(serving.url, 60) == ""
        assert reach(f"{serving.url}/elsewhere", 60) == "404 Not Found"
    finally:
        serving.end()


def test_a_known_service_is_named(empty: Project) -> None:
    empty.configure()
    patient = replace(mail_patient(empty.config(), "letters.example", (), NOW), public_url="http://letters.example")
    ask = asking({"A mail.other.example": "8.8.4.4", "A smtp.sendgrid.net": "8.8.8.8", "A near.example": "10.0.0.1"})
    told = {}
    for host in ("smtp.sendgrid.net", "mail.other.example", "near.example", "localhost"):
        servers = (Relay(host=host, port=free_port(), tls="none", timeout=1),)
        setup = replace(patient, servers=servers)
        told[host] = (sending_addresses(setup, ask), brief(check_names(setup, ask)))
    assert told == {
        "smtp.sendgrid.net": ((), [("ok", "the mail service takes care of the names of its addresses")]),
        "mail.other.example": (("8.8.4.4",), [("error", "the address has no name")]),
        "near.example": ((), [("note", "there is no address to check")]),
        "localhost": ((), [("note", "there is no address to check")]),
    }


@pytest.mark.parametrize("setting", ['bounces = "b@-xn--ü-.example"', ""])
def test_an_impossible_domain_is_one_line(empty: Project, setting: str) -> None:
    empty.configure(f"{setting}\n")
    ran = empty.run("mail", "doctor", "letters.example" if setting else "ü..example")
    assert ran.code == 1
    assert "is not a valid domain" in ran.err


def test_a_terminal_gets_a_table_with_marks(empty: Project) -> None:
    empty.configure()
    with dns_server({("letters.example", "TXT"): ("v=spf1 \x1b[31m mx +all",)}) as resolver:
        seen = empty.on_a_terminal("mail", "doctor", "--resolver", resolver)
    assert "✗" in seen
    assert "What it means" in seen
    assert "\x1b[31m mx" not in seen
