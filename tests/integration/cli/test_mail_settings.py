"""Mail settings that are worse than they look: a signature for the wrong domain, no encryption."""

from __future__ import annotations

import dkim
import pytest

from publisher.mail.dkim_keys import make_key, read_key
from tests.support.project import Project


def configure(project: Project, sender: str, domain: str, more: str = "") -> None:
    """Configure a project with this sender and a key for this domain."""
    project.configure(f'[[mail.dkim]]\ndomain = "{domain}"\nselector = "a"\nkey = "a.pem"\n{more}')
    settings = project.read("publisher.toml")
    project.write("publisher.toml", settings.replace("The Quiet Reader <ada@letters.example>", f"You <{sender}>"))
    make_key(project.root / "a.pem", "ed25519")


def warnings(project: Project) -> list[tuple[str, str]]:
    """Return the message and line of each warning about [mail] from `publisher check`."""
    lines = project.read("publisher.toml").splitlines()
    told = [each for each in project.run("check", "--json").json if each["path"] == "publisher.toml" and each["line"]]
    return [(each["message"], lines[each["line"] - 1]) for each in told if each["message"].startswith("mail.")]


@pytest.mark.parametrize("domain", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"])
def test_a_unicode_domain_is_signed(project: Project, domain: str) -> None:
    configure(project, "you@bücher.example", domain)
    project.subscribe("ada")
    assert warnings(project) == []
    project.ok("publish")
    (message,) = (project.root / ".publisher/outbox/new").iterdir()
    key = read_key(project.root / "a.pem").record_text().encode()
    records = {b"a._domainkey.xn--bcher-kva.example.": key}
    data = message.read_bytes()
    assert b"d=xn--bcher-kva.example;" in data
    assert dkim.DKIM(data).verify(dnsfunc=lambda name, timeout=5: records.get(name))


def test_keys_and_senders_must_match(project: Project) -> None:
    configure(project, "you@letters.example", "other.example")
    assert warnings(project) == [
        (
            "mail.sender: no key in mail.dkim is for letters.example, so its emails are not signed",
            'sender = "You <you@letters.example>"',
        ),
        (
            "mail.dkim: the key for other.example signs nothing, because emails come from letters.example",
            'domain = "other.example"',
        ),
    ]
    project.write("publisher.toml", project.read("publisher.toml").replace("other.example", "example"))
    assert warnings(project) == []


@pytest.mark.parametrize(
    ("server", "what"),
    [
        ('host = "mail.example.org"\ntls = "none"', ("warning", "mail.smtp: all emails go to mail.example.org")),
        (
            'url = "smtp://192.0.2.5"\ntls = "none"\nusername = "ada"',
            ("error", "mail.smtp: the password and all emails go to 192.0.2.5"),
        ),
        ('host = "127.0.0.1"\ntls = "none"\nusername = "ada"', None),
        ('url = "smtp://[::1]"\ntls = "none"', None),
        ('url = "lmtp+unix:///run/lmtp"', None),
        ('host = "mail.example.org"\nusername = "ada"', None),
    ],
)
def test_an_unencrypted_remote_server_is_reported(project: Project, server: str, what: tuple[str, str] | None) -> None:
    project.configure(f'transport = "smtp"\n[mail.smtp]\n{server}\n')
    lines = project.read("publisher.toml").splitlines()
    told = [each for each in project.run("check", "--json").json if "unencrypted" in each["message"]]
    assert len(told) == (what is not None)
    for each in told:
        assert (each["severity"], each["message"].partition(" unencrypted")[0]) == what
        assert lines[each["line"] - 1] == 'tls = "none"'


def test_a_mail_server_without_a_name_is_an_error(project: Project) -> None:
    for server, told in (
        ("", 1),
        ("[mail.smtp]\nusername = 'ada'\n", 1),
        ("[[mail.relays]]\nhost = 'mx.quiet-reader.eu'\n[[mail.relays]]\nport = 25\n", 1),
        ("[mail.smtp]\nhost = 'localhost'\n", 0),
        ("[mail.smtp]\nurl = 'smtp://127.0.0.1'\n", 0),
    ):
        project.configure(f'transport = "smtp"\n{server}')
        found = [each for each in project.run("check", "--json").json if "no mail server is named" in each["message"]]
        assert [each["severity"] for each in found] == ["error"] * told, server
