"""publisher mail, and its keys"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, with_app
from publisher.cli.mail_doctor import doctor
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.mail.dkim_keys import Kind

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
