"""The commands `publisher mail keys` and `publisher mail doctor`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from itertools import zip_longest
from typing import IO, Any

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.terminal import draw_table
from publisher.config import Config
from publisher.config.mail import dkim_selector, host_name
from publisher.core.errors import PublisherError, TransportError
from publisher.mail.addresses import split_mailbox, wire_domain
from publisher.mail.dkim_keys import Kind, check_kind, dns_record, make_key
from publisher.mail.doctor.diagnosis import Diagnosis
from publisher.mail.doctor.examine import examine
from publisher.mail.doctor.received import explain_results
from publisher.mail.doctor.resolver import Resolver
from publisher.mail.transport import Accepted
from publisher.publishing.mail_doctor import mail_patient, send_trial
from publisher.publishing.mail_wiring import sender_domain
from publisher.publishing.wiring import transport_name

_SELECTORS = {"rsa": "letters", "ed25519": "letters-ed25519"}
_MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "warning": ("!", "yellow"), "error": ("✗", "red")}
_NO_SENDER = "no domain is given, and mail.sender is not set"


@click.group(
    short_help="Create DKIM keys, and check that email is set up correctly.",
    epilog="Example: publisher mail doctor",
)
@with_app
def mail(app: App) -> None:
    """Create DKIM keys, and check that email is set up correctly."""


@mail.command(epilog="Example: publisher mail keys --domain letters.example.org --kind ed25519")
@click.option("--domain", default="", help="Domain of the From address. Default: the domain of mail.sender.")
@click.option("--selector", default="", help="Name of the key in the DNS. Default: letters, or letters-ed25519.")
@click.option("--kind", type=click.Choice(["rsa", "ed25519"]), help="Default: rsa, which every receiver supports.")
@with_app
def keys(app: App, domain: str, selector: str, kind: Kind | None) -> None:
    """Create a key for DKIM signatures and print its DNS record; an existing key is only shown."""
    config = app.config()
    domain, selector = _dns_names(domain or _own_domain(config), selector or _SELECTORS[kind or "rsa"])
    path = config.state_dir / "dkim" / f"{selector}.{domain}.pem"
    made = make_key(path, kind or "rsa")
    if kind:
        check_kind(path, kind)
    record = dns_record(path, selector, domain)
    shown = path.relative_to(config.root).as_posix()
    known = any((each.domain, each.selector) == (domain, selector) for each in config.mail.dkim)
    if app.json:
        app.print_json({"key": shown, "domain": domain, "selector": selector, "record": record, "made": made})
        return
    app.say(f"{'Created' if made else 'Already exists:'} {shown}. Back it up, and keep it secret.\n")
    app.say(f"Add to the DNS of {domain}, as one TXT record:\n\n{record}\n")
    if not known:
        app.say(
            "Once the DNS shows it, add to publisher.toml:\n\n"
            f'[[mail.dkim]]\ndomain = "{domain}"\nselector = "{selector}"\nkey = "{shown}"'
        )


def _dns_names(domain: str, selector: str) -> tuple[str, str]:
    """Return the domain and the selector in their DNS form; raise PublisherError if either is invalid.

    The two become the names of a DNS record and of a file.
    """
    try:
        domain, selector = wire_domain(domain).lower().removesuffix("."), selector.lower()
        host_name(domain)
        dkim_selector(selector)
    except ValueError as error:
        raise PublisherError(str(error), hint="see --domain and --selector") from error
    return domain, selector


def _own_domain(config: Config) -> str:
    domain = split_mailbox(config.mail.sender)[1].rpartition("@")[2]
    if not domain:
        raise PublisherError(_NO_SENDER, hint="add --domain")
    return domain


@mail.command(
    short_help="Check that email is set up correctly, and which DNS records are missing.",
    epilog="Example: publisher mail doctor --ip 203.0.113.7",
)
@click.argument("domain", default="")
@click.option("--resolver", metavar="ADDRESS", default="", help="DNS server to ask. Default: mail.resolver.")
@click.option(
    "--ip",
    "addresses",
    metavar="ADDRESS",
    multiple=True,
    help="A public IP address from which your email leaves; can be repeated.",
)
@click.option("--send", "recipient", metavar="ADDRESS", default="", help="Send yourself a test message instead.")
@click.option(
    "--read", "file", metavar="FILE", type=click.File("rb"), help="Analyse a received message instead; - for stdin."
)
@with_app
def doctor(
    app: App, domain: str, resolver: str, addresses: tuple[str, ...], recipient: str, file: IO[bytes] | None
) -> int:
    """Check what receiving servers check: SPF, DKIM, DMARC, MX, PTR, TLS and one-click unsubscribe. Explains what
    each means for your email and what to do, with the exact DNS record to add. DOMAIN is the domain of the From
    address (default: all of them).

    Asks the DNS, the mail server and the web application; sends nothing without --send. Exits with 1 if there are
    errors.
    """
    if file is not None:
        return _show_all(app, list(explain_results(file.read())))
    config = app.config()
    now = app.now(config)
    if recipient:
        return _send(app, config, recipient, now)
    return _show_all(app, _examined(config, domain, resolver, _checked(addresses), now))


def _examined(config: Config, domain: str, resolver: str, addresses: tuple[str, ...], now: datetime) -> list[Diagnosis]:
    try:
        patients = [mail_patient(config, each, addresses, now) for each in _domains(config, domain)]
    except ValueError as error:
        raise PublisherError(str(error), hint="see mail.sender and mail.bounces") from error
    ask = Resolver(resolver or config.mail.resolver).ask
    found = [diagnosis for patient in patients for diagnosis in examine(patient, ask)]
    return list(dict.fromkeys(found))  # the servers are the same for all domains


def _domains(config: Config, domain: str) -> list[str]:
    if domain:
        return [wire_domain(domain.rpartition("@")[2]).lower().rstrip(".")]
    senders = [config.mail.sender, *(newsletter.sender for newsletter in config.newsletters)]
    domains = [sender_domain(sender) for sender in senders if sender]
    if not domains:
        raise PublisherError(_NO_SENDER, hint="name one: publisher mail doctor DOMAIN")
    return list(dict.fromkeys(domains))


def _checked(addresses: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(ip_address(address)) for address in addresses)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ip") from error


def _send(app: App, config: Config, recipient: str, now: datetime) -> int:
    outcome = send_trial(config, recipient, now)
    if not isinstance(outcome, Accepted):
        raise TransportError(f"the test message was not accepted: {outcome.reason}", where=transport_name(config))
    if app.json:
        app.print_json({"sent": recipient, "by": transport_name(config)})
    app.say(f"Sent to {recipient} ({transport_name(config)}). When it arrives, save its source and run:\n")
    app.say("publisher mail doctor --read FILE")
    return 0


def _show_all(app: App, found: Sequence[Diagnosis]) -> int:
    """Print the findings and their number; return the exit code, which is 1 if there are errors."""
    errors, warnings = (sum(each.level == level for each in found) for level in ("error", "warning"))
    if app.json:
        app.print_json([_json(each) for each in found])
    else:
        _show(found)
    counts = f"{plural(errors, 'error')}, {plural(warnings, 'warning')}"
    app.say(counts if errors or warnings else "everything is in order")
    return 1 if errors else 0


def _json(each: Diagnosis) -> dict[str, Any]:
    names = {"check": "check", "level": "level", "subject": "subject", "message": "message"}
    names |= {"meaning": "meaning", "mend": "hint", "record": "record"}
    return {key: str(getattr(each, name)) for key, name in names.items()}


def _show(found: Sequence[Diagnosis]) -> None:
    """Print the findings, then what to do about them. DNS records are on separate lines, so that they can be copied."""
    if sys.stdout.isatty():
        draw_table(
            [("", 0), ("Check", 0), ("Of", 3), ("What was found", 4), ("What it means", 4)],
            [
                (_MARKS[each.level], *map(_printable, (each.check, each.subject, each.message, each.meaning)))
                for each in found
            ],
        )
    else:
        for each in found:
            meaning = f". {each.meaning[:1].upper()}{each.meaning[1:]}" if each.meaning else ""
            click.echo(_printable(f"{each.level}: {_where(each)}: {each.message}{meaning}"))
    click.echo()
    todo = [each for each in found if each.hint]
    for each, following in zip_longest(todo, todo[1:]):
        if each.record and following and (each.hint, each.record) == (following.hint, following.record):
            continue  # one record fixes both
        what = _printable(f"{_where(each)}: {each.hint}")
        click.echo(textwrap.fill(what, 100, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False))
        click.echo(f"\n{_printable(each.record)}\n" if each.record else "")


def _where(each: Diagnosis) -> str:
    return f"{each.check} {each.subject}".strip()


def _printable(text: str) -> str:
    """Replace unprintable characters with spaces: DNS records are untrusted, and could move the terminal's cursor."""
    return "".join(character if character.isprintable() else " " for character in text)
