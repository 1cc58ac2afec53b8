"""The keys of `publisher run`: the one process that does everything."""

from dataclasses import dataclass
from typing import Annotated, Literal

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """[run]: how often `publisher run` looks at the clock, and what it says."""

    __pydantic_config__ = STRICT

    tick_seconds: Annotated[
        int, Check(checks.between(15, 60)), Doc("How often it looks whether something is due, in seconds.")
    ] = 30
    log: Annotated[
        Literal["auto", "human", "json"],
        Doc("Lines on stderr for a person, or one JSON object each. auto: for a person at a terminal, else JSON."),
    ] = "auto"
