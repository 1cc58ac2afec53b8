"""The keys of the web application: what readers reach behind the links in letters."""

from dataclasses import dataclass
from typing import Annotated

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """[web]: where readers reach the pages behind the links in letters, and what protects them."""

    __pydantic_config__ = STRICT

    public_url: Annotated[
        str, Check(checks.web_address), Doc("Public address of the web application. Default: site.url.")
    ] = ""
    listen: Annotated[
        str,
        Check(checks.listen_address),
        Doc("Where `publisher run` and `serve` listen: address and port, [::1]:8018 too."),
    ] = "127.0.0.1:8018"
    trusted_proxies: Annotated[
        tuple[str, ...],
        Check(checks.networks),
        Doc("Addresses or networks of reverse proxies whose X-Forwarded-For is believed."),
    ] = ()
    metrics_for: Annotated[
        tuple[str, ...], Check(checks.networks), Doc("Addresses or networks that may read /metrics.")
    ] = ("127.0.0.1", "::1")
    client_limit: Annotated[
        int, Check(checks.between(1, 1_000_000)), Doc("Forms that one IP address may send in an hour.")
    ] = 60
    address_limit: Annotated[
        int,
        Check(checks.between(1, 1_000_000)),
        Doc("Requests for one mail address that are looked at in an hour; those beyond get the same answer."),
    ] = 10
