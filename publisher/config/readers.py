"""The keys of what is kept of readers."""

from dataclasses import dataclass
from typing import Annotated

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """[subscribers]: how people confirm, and what is kept of them."""

    __pydantic_config__ = STRICT

    confirm_days: Annotated[
        int, Check(checks.between(1, 90)), Doc("Days within which a mailed confirmation can be used.")
    ] = 7
    forget_days: Annotated[
        int,
        Check(checks.between(1, 3_650)),
        Doc("Days after which an address that was typed into a form and never confirmed is deleted."),
    ] = 30
    keep_ip: Annotated[bool, Doc("Whether the IP address is kept with each event of consent.")] = False
    keep_user_agent: Annotated[bool, Doc("Whether the browser's name is kept with each event of consent.")] = False
    bounce_limit: Annotated[
        int, Check(checks.between(1, 100)), Doc("So many letters that came back in a row stop the mail to an address.")
    ] = 5
