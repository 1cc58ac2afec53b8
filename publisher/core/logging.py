"""What a long-lived process says on stderr, for a person or as JSON. The only user of structlog.

Nothing that belongs to a person gets through: of a mail address its domain is left, of a personal link its page.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TextIO, cast

How = Literal["auto", "human", "json"]

_ADDRESS = re.compile(r"[^\s<>\"'(,;:=]+@(?=[\w.-]*\w)")
_LINK = re.compile(r"/(confirm|address|preferences|unsubscribe|approve|skip)/[^\s\"'<>]+")


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object:
        """Write it."""

    def flush(self) -> None:
        """Let it be seen."""

    def isatty(self) -> bool:
        """Return whether a person looks at it."""


class _Stderr:
    """Whatever is stderr at the time."""

    def write(self, text: str, /) -> object:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


_how: How = "human"
_stream: Stream = _Stderr()
_logger: Any = None


def configure(how: How = "human", stream: Stream | None = None) -> None:
    """Decide how lines look from here on, in all threads; what libraries warn of becomes such lines too.

    how  "auto" is for a person where the stream is a terminal, and JSON elsewhere
    """
    global _how, _stream, _logger
    _how, _stream, _logger = how, stream or _Stderr(), None
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)


def _made() -> Any:
    """Return a logger as it was decided; structlog takes longer to load than all else that a start needs."""
    import structlog

    person = _how == "human" or (_how == "auto" and _stream.isatty())
    renderer = _for_a_person if person else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, _stream)),
        processors=[structlog.processors.add_log_level, _stamped, _discreet, *([] if person else [_plain]), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def say(event: str, text: str = "", *, level: Literal["info", "warning", "error"] = "info", **fields: Any) -> None:
    """Write one line.

    event   what happened, in few words that do not vary
    text    the whole line for a person, who otherwise reads event and fields
    fields  what varies
    """
    global _logger
    if _logger is None:
        _logger = _made()
    try:
        getattr(_logger, level)(event, text=text, **fields)
    except (OSError, ValueError):
        return  # whoever read our lines is gone, and that is no reason to stop


def _stamped(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    first = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "level": line["level"], "event": line["event"]}
    return {**first, **line}


def _discreet(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: discreet(value) if isinstance(value, str) else value for key, value in line.items()}


def discreet(text: str) -> str:
    """Return a text on one line, without what belongs to a person."""
    return _LINK.sub(r"/\1/…", _ADDRESS.sub("…@", " ".join(text.split())))


def _plain(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in line.items() if key != "text"}


def _for_a_person(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
    moment, level, event, text = (line.pop(key) for key in ("time", "level", "event", "text"))
    fields = " ".join(f"{key}={value}" for key, value in line.items() if value not in ("", None))
    said = text or (f"{event}: {fields}" if fields else event)
    return f"{moment} {said}" if level == "info" else f"{moment} {level}: {said}"


class _Bridge(logging.Handler):
    """Takes what libraries say by the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it as one line; of an exception its kind is enough, since its words may hold an address."""
        level: Literal["warning", "error"] = "error" if record.levelno >= logging.ERROR else "warning"
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        say(record.getMessage(), level=level, library=record.name, error=kind)
