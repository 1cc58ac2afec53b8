"""The log of a long-running process on stderr, as readable lines or as JSON.

No personal data is logged: only the domain of an email address, and only the page of a personal link. No other module
uses structlog.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TextIO, cast

from publisher.core import patterns

Format = Literal["auto", "human", "json"]

# A client or a server may send anything, and a flood of long lines would fill the disk.
LONGEST_TEXT = 2_000

# The lookbehind makes it match only from the first character of a word. Otherwise a long word without "@" would be
# searched again from each of its characters, which takes half a minute for 60 KB.
_ADDRESS = patterns.compile(r"(?<![^\s<>\"'(,;:=])[^\s<>\"'(,;:=]+@(?=[\w.-]*\w)")
_LINK = patterns.compile(r"/(confirm|address|account|never|preferences|unsubscribe|approve|skip)/[^\s\"'<>]+")


class Stream(Protocol):
    """A stream that log lines are written to."""

    def write(self, text: str, /) -> object:
        """Write the text."""

    def flush(self) -> None:
        """Flush the buffer."""

    def isatty(self) -> bool:
        """Return whether this is a terminal."""


class _Stderr:
    """A stream that writes to the current sys.stderr, even if it is replaced later."""

    def write(self, text: str, /) -> object:
        """Write to the current standard error."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush the current standard error."""
        sys.stderr.flush()

    def isatty(self) -> bool:
        """Return whether the current standard error is a terminal."""
        return sys.stderr.isatty()


_format: Format = "human"
_stream: Stream = _Stderr()
_logger: Any = None


def configure(style: Format = "human", stream: Stream | None = None) -> None:
    """Set the format of all further lines, in all threads, and log the warnings of libraries in the same format.

    style   "auto" is "human" if the stream is a terminal, otherwise "json"
    stream  where lines are written; by default, to the current sys.stderr
    """
    global _format, _stream, _logger
    _format, _stream, _logger = style, stream or _Stderr(), None
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)


def log(event: str, text: str = "", *, level: Literal["info", "warning", "error"] = "info", **fields: Any) -> None:
    """Write one line to the log.

    event   what happened, in a few fixed words
    text    the whole readable line; if empty, the line consists of the event and the fields
    fields  the details that vary
    """
    global _logger
    if _logger is None:
        _logger = _new_logger()
    try:
        getattr(_logger, level)(event, text=text, **fields)
    except (OSError, ValueError):
        return  # the program that read the log has ended; this process continues


def redacted(text: str) -> str:
    """Return the text on one line of at most LONGEST_TEXT characters, without personal data."""
    line = _LINK.sub(r"/\1/…", _ADDRESS.sub("…@", " ".join(text.split())))
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"


def _new_logger() -> Any:
    import structlog  # 95 ms, more than everything else that a start needs

    human = _format == "human" or (_format == "auto" and _stream.isatty())
    renderer = _for_people if human else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, _stream)),
        processors=[structlog.processors.add_log_level, _stamped, _redacted, *([] if human else [_textless]), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )


def _stamped(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    first = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "level": line["level"], "event": line["event"]}
    return {**first, **line}


def _redacted(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redacted(value) if isinstance(value, str) else value for key, value in line.items()}


def _textless(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in line.items() if key != "text"}


def _for_people(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
    moment, level, event, text = (line.pop(key) for key in ("time", "level", "event", "text"))
    fields = " ".join(f"{key}={value}" for key, value in line.items() if value not in ("", None))
    said = text or (f"{event}: {fields}" if fields else event)
    return f"{moment} {said}" if level == "info" else f"{moment} {level}: {said}"


class _Bridge(logging.Handler):
    """A handler that passes on what libraries log with Python's logging module."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as one line, with only the type of an exception: its message may contain an address."""
        level: Literal["warning", "error"] = "error" if record.levelno >= logging.ERROR else "warning"
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        log(record.getMessage(), level=level, library=record.name, error=kind)
