"""One run of one sender in its own process: benchmarks.sending starts it and reads its one line of JSON.

    python -m benchmarks.sender WAY PORT CONNECTIONS MESSAGES FOLDER

WAY is plain, rsa, ed25519 or marks (Publisher, its ledger in SQLite), or aiosmtplib (no ledger, one ready message).
"marks" sends an email with two fields of each subscriber and a condition, in the subject, the HTML and the text. Only
the sending is timed, not the making of subscribers, edition and keys.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from publisher.config import Smtp
from publisher.core.newsletter_models import (
    DeliveryStatus,
    Edition,
    EditionDraft,
    EditionPost,
    Letter,
    Mark,
    Subscription,
)
from publisher.core.personal_marks import ELSE, END, FieldMark, if_mark
from publisher.mail.dkim import Signer
from publisher.mail.dkim_keys import make_key, read_key
from publisher.mail.links import Links
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import Store, open_store
from publisher.store.subscriber_records import NewSubscriber

MADE_AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

_WORDS = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt."


def letter() -> Letter:
    """Return a letter whose message has 75 KB, like a long edition."""
    paragraph = f'<p style="margin:0 0 1em;color:#222222">{_WORDS}</p>\n'
    html = f"<p>Hello {Mark.NAME}</p>\n{paragraph * 390}<a href='{Mark.UNSUBSCRIBE}'>Leave</a>\n"
    text = f"Hello {Mark.NAME}\n{(_WORDS + chr(10)) * 200}{Mark.UNSUBSCRIBE}\n"
    return Letter("", "A long letter", "", html, text)


def personal_letter() -> Letter:
    """Return the result of `letter` with two fields of each subscriber, and a sentence for only some subscribers."""
    plain = letter()
    name, plan = FieldMark("name", "friend"), FieldMark("plan", "free")
    condition = f"{if_mark(('is', 'plan', '==', 'pro'))}Thank you. {ELSE}Join us. {END}"
    marked = plain.html.replace(f"Hello {Mark.NAME}", f"Hello {name} ({plan}). {condition}")
    text = plain.text.replace(f"Hello {Mark.NAME}", f"Hello {name} ({plan}). {condition}")
    return Letter("", f"A long letter for {name}", "", marked, text)


def headers(way: str, folder: Path) -> NewsletterHeaders:
    """Return the newsletter's headers, with a signer if `way` is a kind of key."""
    signers: tuple[Signer, ...] = ()
    if way in ("rsa", "ed25519"):
        path = folder / f"{way}.pem"
        make_key(path, "rsa" if way == "rsa" else "ed25519")
        signers = (Signer("example.org", "bench", read_key(path)),)
    return NewsletterHeaders("Weekly", "Ada <ada@example.org>", "weekly.example.org", signers=signers)


def with_publisher(store: Store, way: str, smtp: Smtp, messages: int, folder: Path) -> float:
    """Deliver an edition to this many subscribers; return the seconds that `deliver` took."""
    people = [
        NewSubscriber(
            f"reader{i}@example.org",
            name=f"Reader {i}",
            subscriptions=(Subscription("weekly"),),
            fields={"plan": "pro" if i % 3 else "basic", "city": f"City {i}"},
        )
        for i in range(messages)
    ]
    store.subscribers.add_many(people, at=MADE_AT, source="benchmark")
    letters = (personal_letter() if way == "marks" else letter(),)
    posts = (EditionPost("tag:example.org,2026:a", "A post", "https://example.org/a/"),)
    edition = store.editions.create(EditionDraft("weekly", "2026-W47", 1, "A", MADE_AT, posts, letters))
    assert edition is not None
    links = Links("https://letters.example.org", "a secret for this benchmark")
    told, start = headers(way, folder), time.perf_counter()
    with SmtpTransport(smtp) as transport:
        counts = deliver(
            store, transport, edition, told, links, options=DeliveryOptions(folder), clock=lambda: datetime.now(UTC)
        )
    took = time.perf_counter() - start
    assert counts[DeliveryStatus.SENT] == messages, counts
    return took


def with_aiosmtplib(smtp: Smtp, messages: int) -> float:
    """Send this many copies of one ready message over the given number of connections; return the seconds it took."""
    reader = Recipient("reader@example.org", "Reader", "<1@example.org>", "https://example.org/u", "https://e.org/p")
    ready = MessageTemplate.of(letter(), headers("plain", Path()), MADE_AT).join(reader)
    start = time.perf_counter()
    asyncio.run(_send_all(smtp, ready, messages))
    return time.perf_counter() - start


async def _send_all(smtp: Smtp, ready: bytes, messages: int) -> None:
    import aiosmtplib

    left = iter(range(messages))

    async def connection() -> None:
        client = aiosmtplib.SMTP(hostname=smtp.host, port=smtp.port, start_tls=False)
        await client.connect()
        for number in left:
            await client.sendmail("ada@example.org", [f"reader{number}@example.org"], ready)
        await client.quit()

    await asyncio.gather(*(connection() for _ in range(smtp.connections)))


def message_size() -> int:
    edition = Edition(1, "weekly", "2026-W47", 1, "A", MADE_AT)
    reader = Recipient("r@example.org", "Reader", f"<{edition.id}@e.org>", "https://e.org/u", "https://e.org/p")
    return len(MessageTemplate.of(letter(), headers("plain", Path()), MADE_AT).join(reader))


def main(way: str, port: str, connections: str, messages: str, folder: str) -> None:
    smtp = Smtp(host="127.0.0.1", port=int(port), tls="none", connections=int(connections), messages=1_000_000)
    if way == "aiosmtplib":
        took = with_aiosmtplib(smtp, int(messages))
    else:
        with open_store("sqlite:///bench.db", Path(folder)) as store:
            took = with_publisher(store, way, smtp, int(messages), Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    print(json.dumps({"seconds": took, "peak_mib": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
