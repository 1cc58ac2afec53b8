"""The tables about the running program: [web], [admin], [run] and [database]."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from publisher.config import checks
from publisher.config.keys import Check, Doc
from publisher.core.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """[web]: the address of the web application that emails link to, and the limits that protect it."""

    public_url: Annotated[
        str,
        Check(checks.web_address),
        Doc("Public URL of the web application, to which personal links in emails lead. Default: site.url."),
    ] = ""
    listen: Annotated[
        str,
        Check(checks.listen_address),
        Doc("IP address and port on which `publisher run` and `serve` listen, such as [::1]:8018."),
    ] = "127.0.0.1:8018"
    form_origins: Annotated[
        tuple[str, ...],
        Check(checks.origins),
        Doc(
            "Other sites whose scripts may use /subscribe.json, such as https://blog.example.org; * stands for all. "
            "The scripts of site.url and web.public_url always may."
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Check(checks.networks),
        Doc("IP addresses or networks of reverse proxies whose X-Forwarded-For and Forwarded headers are trusted."),
    ] = ()
    metrics_for: Annotated[
        tuple[str, ...], Check(checks.networks), Doc("IP addresses or networks that may read /metrics.")
    ] = ("127.0.0.1", "::1")
    client_limit: Annotated[
        int, Check(checks.between(1, 1_000_000)), Doc("Maximum number of forms per hour from one IP address.")
    ] = 60
    address_limit: Annotated[
        int,
        Check(checks.between(1, 1_000_000)),
        Doc("Maximum number of requests per hour for one email address; more get the same answer but have no effect."),
    ] = 10
    proof_of_work: Annotated[
        bool,
        Doc("Whether a browser must compute for a second before it can send the sign-up form. Needs JavaScript."),
    ] = False
    email_limit: Annotated[
        int,
        Check(checks.between(1, 1_000_000)),
        Doc("Maximum number of emails per hour that the sign-up form sends to all addresses together."),
    ] = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """[admin]: the admin page at /admin, which is closed until `publisher admin password` has set a password."""

    listen: Annotated[
        str,
        Check(checks.own_listen_address),
        Doc(
            "IP address and port for the admin page alone, such as 127.0.0.1:8019; web.listen then answers 404 for it. "
            "Default: the same as web.listen."
        ),
    ] = ""
    session_hours: Annotated[int, Check(checks.between(1, 720)), Doc("Hours until you have to log in again.")] = 12
    wrong_passwords: Annotated[
        int, Check(checks.between(1, 1_000)), Doc("Maximum number of wrong passwords per hour from one IP address.")
    ] = 10
    log_days: Annotated[
        int, Check(checks.between(1, 3_650)), Doc("Days for which the log of actions on the admin page is kept.")
    ] = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """[log]: what the log on stderr and the log of actions show."""

    addresses: Annotated[
        bool,
        Doc("Whether the logs show clients' whole IP addresses, which fail2ban needs, instead of only their networks."),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """[run]: how often `publisher run` checks what is due, and how it logs."""

    tick_seconds: Annotated[int, Check(checks.between(15, 60)), Doc("Seconds between checks for work that is due.")] = (
        30
    )
    log: Annotated[
        Literal["auto", "human", "json"],
        Doc("Format of the log on stderr: human (readable lines), json, or auto: human on a terminal, json elsewhere."),
    ] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """[database]: where subscribers, editions and deliveries are stored."""

    url: Annotated[
        str,
        Check(checks.database_url),
        Doc(
            "sqlite:///path (relative to the project) or postgresql://user@host/name. In a password, write @ as "
            "%40, / as %2F, : as %3A and ? as %3F."
        ),
    ] = field(default="sqlite:///.publisher/publisher.db", repr=False)
    direct_url: Annotated[
        str,
        Check(checks.server_database_url),
        Doc(
            "URL that leads directly to the same PostgreSQL database, if url leads to a connection pooler such as "
            "PgBouncer, which does not pass on notifications. Default: url."
        ),
    ] = field(default="", repr=False)
