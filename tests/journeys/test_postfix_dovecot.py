"""An edition through a real Postfix into the mailboxes of a real Dovecot, and the bounces back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest

from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing.mail_wiring import return_path
from publisher.publishing.wiring import open_project_store
from tests.support.postfix_dovecot import BOUNCES, DOMAIN, Post, postfix_and_dovecot
from tests.support.project import WEEKLY, Project, parse

READERS = [f"reader{number}@{DOMAIN}" for number in range(200)]
GONE = [f"gone{number}@{DOMAIN}" for number in range(5)]

KEYS = """
[[mail.dkim]]
domain = "letters.example"
selector = "letters"
key = ".publisher/dkim/letters.letters.example.pem"

[[mail.dkim]]
domain = "letters.example"
selector = "letters-ed25519"
key = ".publisher/dkim/letters-ed25519.letters.example.pem"
"""


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with postfix_and_dovecot([address.partition("@")[0] for address in READERS]) as running:
        yield running


def keys(project: Project) -> dict[str, bytes]:
    """The DNS records of the project's two keys, by name."""
    project.configure()
    made = [project.ok("mail", "keys", "--kind", kind, "--json").json for kind in ("rsa", "ed25519")]
    return {
        f"{each['selector']}._domainkey.letters.example.": "".join(each["record"].split('"')[1::2]).encode()
        for each in made
    }


def published(project: Project, post: Post, addresses: list[str]) -> None:
    """An edition of one post, sent to everyone."""
    server = f'[mail.smtp]\nurl = "smtp://127.0.0.1:{post.smtp}"\ntls = "none"\n'
    project.configure(f'transport = "smtp"\nbounces = "bounces@{BOUNCES}"\n{KEYS}\n{server}', WEEKLY)
    project.post("hello", body="Words, with ümlauts — and a [link](https://letters.example/a?b=c&d=e).\n" * 40)
    project.write("people.csv", "email,name\n" + "".join(f"{each},Ann Ö. {each[:9]}\n" for each in addresses))
    project.ok("subscribers", "import", str(project.root / "people.csv"))
    project.ok("publish", "--yes")
    post.settle()


def test_every_mailbox_gets_one_signed_message_and_each_failure_bounces_separately(empty: Project, post: Post) -> None:
    records = keys(empty)
    published(empty, post, [*READERS, *GONE])
    for address in READERS:
        (message,) = post.mailbox(address)
        assert [each.addr_spec for each in parse(message)["To"].addresses] == [address]
        for number in (0, 1):
            assert dkim.DKIM(message).verify(number, dnsfunc=lambda name, timeout=5: records[name.decode()])

    config = empty.config()
    path, came_back = return_path(config), sorted((post.bounces / "new").iterdir())
    assert path is not None
    owners = {path.read(str(parse(each.read_bytes())["Delivered-To"])) for each in came_back}
    with open_project_store(config) as store:
        (edition,) = store.editions.list()
        assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: len(READERS) + len(GONE)}
    assert len(came_back) == len(owners) == len(GONE)
    assert _addresses(config.root, owners) == set(GONE)
    assert {_failed(each) for each in came_back} == {(address, "5.1.1") for address in GONE}

    said = empty.ok("bounces", "read", str(post.bounces)).out
    assert f"{len(GONE)} read: {len(GONE)} hard bounces" in said
    stopped = empty.ok("subscribers", "list", "--status", "bounced", "--json").json
    assert {person["email"] for person in stopped} == set(GONE)
    empty.post("again", day="2026-11-12", body="A second one.\n")
    assert f"to {len(READERS)} " in empty.ok("publish", "--dry-run", now="2026-11-24T09:00").out


def _addresses(root: Path, deliveries: set[int | None]) -> set[str]:
    """Return the recipients of deliveries in the ledger."""
    import sqlite3

    with sqlite3.connect(root / ".publisher/publisher.db") as database:
        rows = database.execute(
            "SELECT deliveries.id, address FROM deliveries JOIN subscribers ON subscribers.id = subscriber_id"
        )
        known = dict(rows.fetchall())
    return {known[each] for each in deliveries if each is not None}


def _failed(file: Path) -> tuple[str, str]:
    """Return the failed recipient and the status in a delivery report (RFC 3464)."""
    parts = parse(file.read_bytes()).walk()
    report = next(part for part in parts if part.get_content_type() == "message/delivery-status")
    fields = {name: value for part in report.iter_parts() for name, value in part.items()}
    return str(fields["Final-Recipient"]).partition(";")[2].strip(), str(fields["Status"])
