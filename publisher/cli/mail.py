"""publisher mail, and its keys"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import IO, TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, with_app
from publisher.core.errors import PublisherError, TransportError

if TYPE_CHECKING:
    from datetime import datetime

    from publisher.config import Config
    from publisher.mail.dkim_keys import Kind
    from publisher.mail.doctor.diagnosis import Diagnosis


_MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "warning": ("!", "yellow"), "error": ("✗", "red")}


@click.command(
    short_help="Say whether mail is set up well, and which DNS record is missing.",
    epilog="Example: publisher mail doctor --ip 203.0.113.7",
)
@click.argument("domain", default="")
@click.option("--resolver", metavar="ADDRESS", default="", help="DNS server to ask. Default: mail.resolver.")
@click.option(
    "--ip", "addresses", metavar="ADDRESS", multiple=True, help="A public address from which your mail leaves."
)
@click.option("--send", "recipient", metavar="ADDRESS", default="", help="Send a test message to yourself instead.")
@click.option(
    "--read", "file", metavar="FILE", type=click.File("rb"), help="Explain a copy as it arrived instead; - for stdin."
)
@with_app
def doctor(
    app: App, domain: str, resolver: str, addresses: tuple[str, ...], recipient: str, file: IO[bytes] | None
) -> int:
    """Look at what receivers look at: SPF, DKIM, DMARC, MX, PTR, TLS and one-click; say what each means for your
    mail, and what to do, with the very record to add. DOMAIN is that of the From address; by default all there are.

    Asks the DNS, the mail server and the web application; sends nothing without --send. Exit code 1 on errors.
    """
    if file is not None:
        from publisher.mail.doctor.received import explain_results

        return _tell(app, list(explain_results(file.read())))
    config = app.config()
    now = app.now(config)
    if recipient:
        return _send(app, config, recipient, now)
    return _tell(app, _examined(config, domain, resolver, _checked(addresses), now))


def _examined(config: Config, domain: str, resolver: str, addresses: tuple[str, ...], now: datetime) -> list[Diagnosis]:
    from publisher.mail.doctor.examine import examine
    from publisher.mail.doctor.resolver import Resolver
    from publisher.publishing.wiring import mail_patient

    try:
        patients = [mail_patient(config, each, addresses, now) for each in _domains(config, domain)]
    except ValueError as error:
        raise PublisherError(str(error), hint="see mail.sender and mail.bounces") from error
    ask = Resolver(resolver or config.mail.resolver).ask
    found = [diagnosis for patient in patients for diagnosis in examine(patient, ask)]
    return list(dict.fromkeys(found))  # the servers are the same for all domains


def _domains(config: Config, domain: str) -> list[str]:
    from publisher.mail.addresses import wire_domain
    from publisher.publishing.wiring import sender_domain

    if domain:
        return [wire_domain(domain.rpartition("@")[2]).lower().rstrip(".")]
    senders = [config.mail.sender, *(newsletter.sender for newsletter in config.newsletters)]
    domains = [sender_domain(sender) for sender in senders if sender]
    if not domains:
        raise PublisherError("there is no mail.sender to take the domain of", hint="publisher mail doctor DOMAIN")
    return list(dict.fromkeys(domains))


def _checked(addresses: tuple[str, ...]) -> tuple[str, ...]:
    from ipaddress import ip_address

    try:
        return tuple(str(ip_address(address)) for address in addresses)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ip") from error


def _send(app: App, config: Config, recipient: str, now: datetime) -> int:
    from publisher.mail.transport import Accepted
    from publisher.publishing.wiring import send_trial, transport_name

    outcome = send_trial(config, recipient, now)
    if not isinstance(outcome, Accepted):
        raise TransportError(f"the test message was not taken: {outcome.reason}", where=transport_name(config))
    if app.json:
        app.print_json({"sent": recipient, "by": transport_name(config)})
    app.say(f"Sent to {recipient} by {transport_name(config)}. When it has arrived, save its source and look:\n")
    app.say("publisher mail doctor --read FILE")
    return 0


def _tell(app: App, found: Sequence[Diagnosis]) -> int:
    """Print what was found; return the exit code."""
    errors, warnings = (sum(each.level == level for each in found) for level in ("error", "warning"))
    if app.json:
        app.print_json([_json(each) for each in found])
    else:
        _show(found)
    app.say(f"{plural(errors, 'error')}, {plural(warnings, 'warning')}" if errors or warnings else "all is well")
    return 1 if errors else 0


def _json(each: Diagnosis) -> dict[str, Any]:
    names = {"check": "check", "level": "level", "subject": "subject", "message": "message"}
    names |= {"meaning": "meaning", "mend": "hint", "record": "record"}
    return {key: str(getattr(each, name)) for key, name in names.items()}


def _show(found: Sequence[Diagnosis]) -> None:
    """A table of what is there, and below it what to do: a record must stand on a line of its own to be copied."""
    import sys

    if sys.stdout.isatty():
        _print_table(found)
    else:
        for each in found:
            click.echo(_printable(f"{each.level}: {_where(each)}: {each.message}; {each.meaning}"))
    click.echo()
    todo = [each for each in found if each.hint]
    for each, following in zip_longest(todo, todo[1:]):
        if each.record and following and (each.hint, each.record) == (following.hint, following.record):
            continue  # one record mends both
        what = _printable(f"{_where(each)}: {each.hint}")
        click.echo(textwrap.fill(what, 100, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False))
        click.echo(f"\n{_printable(each.record)}\n" if each.record else "")


def _where(each: Diagnosis) -> str:
    return f"{each.check} {each.subject}".strip()


def _print_table(found: Sequence[Diagnosis]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title, ratio in (("", 0), ("Check", 0), ("Of", 3), ("What is there", 4), ("What it means", 4)):
        table.add_column(title, overflow="fold", ratio=ratio or None, no_wrap=not ratio)
    for each in found:
        mark, colour = _MARKS[each.level]
        cells = (each.check, each.subject, each.message, each.meaning)
        table.add_row(Text(mark, style=colour), *(Text(_printable(cell)) for cell in cells))
    Console().print(table)


def _printable(text: str) -> str:
    """Take out of a stranger's record what would move a terminal's cursor."""
    return "".join(character if character.isprintable() else " " for character in text)


_SELECTORS = {"rsa": "letters", "ed25519": "letters-ed25519"}


@click.group(
    short_help="Make keys that sign mail, and look whether mail is set up well.",
    epilog="Example: publisher mail doctor",
)
@with_app
def mail(app: App) -> None:
    """Make keys that sign mail, and look whether mail is set up well."""


mail.add_command(doctor)


@mail.command(epilog="Example: publisher mail keys --domain letters.example.org --kind ed25519")
@click.option("--domain", default="", help="The domain of the From address. Default: that of mail.sender.")
@click.option("--selector", default="", help="Names the key in the DNS. Default: letters, or letters-ed25519.")
@click.option("--kind", type=click.Choice(["rsa", "ed25519"]), help="Default: rsa, which every receiver knows.")
@with_app
def keys(app: App, domain: str, selector: str, kind: Kind | None) -> None:
    """Make a key for DKIM signatures and print its DNS record; a key that is there is only shown."""
    from publisher.mail.dkim_keys import check_kind, dns_record, make_key

    config = app.config()
    domain, selector = _names(domain or _own_domain(config), selector or _SELECTORS[kind or "rsa"])
    path = config.state_dir / "dkim" / f"{selector}.{domain}.pem"
    made = make_key(path, kind or "rsa")
    if kind:
        check_kind(path, kind)
    record = dns_record(path, selector, domain)
    shown = path.relative_to(config.root).as_posix()
    known = any((each.domain, each.selector) == (domain, selector) for each in config.mail.dkim)
    if app.json:
        app.print_json(_as_json(shown, domain, selector, record, made=made))
        return
    app.say(f"{'Made' if made else 'There already:'} {shown}. Keep a copy, and keep it secret.\n")
    app.say(f"In the DNS of {domain}, as one TXT record:\n\n{record}\n")
    if not known:
        app.say(
            "When the DNS shows it, in publisher.toml:\n\n"
            f'[[mail.dkim]]\ndomain = "{domain}"\nselector = "{selector}"\nkey = "{shown}"'
        )


def _names(domain: str, selector: str) -> tuple[str, str]:
    """Return both as the DNS has them: they make the name of a record, and of a file."""
    from publisher.config.mail import dkim_selector, host_name
    from publisher.mail.addresses import wire_domain

    try:
        domain, selector = wire_domain(domain).lower().removesuffix("."), selector.lower()
        host_name(domain)
        dkim_selector(selector)
    except ValueError as error:
        raise PublisherError(str(error), hint="see --domain and --selector") from error
    return domain, selector


def _own_domain(config: Config) -> str:
    from publisher.mail.addresses import split_mailbox

    domain = split_mailbox(config.mail.sender)[1].rpartition("@")[2]
    if not domain:
        raise PublisherError("there is no mail.sender to take the domain of", hint="name one with --domain")
    return domain


def _as_json(path: str, domain: str, selector: str, record: str, *, made: bool) -> dict[str, Any]:
    return {"key": path, "domain": domain, "selector": selector, "record": record, "made": made}
