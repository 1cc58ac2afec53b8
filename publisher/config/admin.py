"""The keys of the owner's page."""

from dataclasses import dataclass
from typing import Annotated

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """[admin]: the owner's page at /admin, which is closed until `publisher admin password` set a password."""

    __pydantic_config__ = STRICT

    session_hours: Annotated[int, Check(checks.between(1, 720)), Doc("Hours after which one has to log in again.")] = 12
    wrong_passwords: Annotated[
        int, Check(checks.between(1, 1_000)), Doc("Wrong passwords that one IP address may try in an hour.")
    ] = 10
