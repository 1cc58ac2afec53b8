"""Explanations of the results that a receiver writes into each email (Authentication-Results, RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.core.frozen import dataclass
from publisher.core.mime import head_and_body
from publisher.mail.doctor.diagnosis import Diagnosis, Level
from publisher.mail.doctor.one_click import check_unsubscribe_headers

_RESULT = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)(?:/\d+)?\s*=\s*([A-Za-z]+)")
_PROPERTY = re.compile(r"(smtp|header|policy)\.([A-Za-z][A-Za-z0-9-]*)\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)

_JUDGED = ("spf", "dkim", "dmarc")

# The meanings of the results (RFC 8601, 2.7). Other results are rare, and their names explain themselves.
_MEANINGS = {
    ("spf", "pass"): "your mail server may send for the domain of the return path",
    ("spf", "fail"): "your mail server may not send for the domain of the return path",
    ("spf", "softfail"): "the SPF record does not include your mail server, and calls other servers suspicious",
    ("spf", "neutral"): "the SPF record says nothing about your mail server",
    ("spf", "none"): "the domain of the return path has no SPF record",
    ("spf", "permerror"): "the SPF record is broken",
    ("dkim", "pass"): "the signature is valid, and its key is in the DNS",
    ("dkim", "fail"): "the message was changed on its way, or the DNS has a different key",
    ("dkim", "none"): "the message is not signed",
    ("dkim", "neutral"): "the signature could not be checked",
    ("dkim", "permerror"): "the DNS has no key for the signature, or a broken one",
    ("dmarc", "pass"): "SPF or DKIM passed for the domain of the From address",
    ("dmarc", "fail"): "neither SPF nor DKIM passed for the domain of the From address",
    ("dmarc", "none"): "the domain of the From address has no DMARC record",
}
_OTHERS = {
    "temperror": "the receiver could not ask the DNS at that moment; send another test email",
    "policy": "the receiver has a rule of its own against it, for example against short keys",
}
_HINTS = {"spf": "see SPF in `publisher mail doctor`", "dkim": "see DKIM in `publisher mail doctor`"}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check.

    method   the name of the check: "spf", "dkim", "dmarc" and others
    outcome  such as "pass" or "fail"
    about    pairs of a property and its value, such as ("smtp.mailfrom", "example.org")
    """

    method: str
    outcome: str
    about: tuple[tuple[str, str], ...]

    @property
    def subject(self) -> str:
        """Return the domain or address that was checked; "" if the receiver does not name it."""
        wanted = {"spf": ("smtp.mailfrom", "smtp.helo"), "dkim": ("header.d", "header.i"), "dmarc": ("header.from",)}
        known = dict(self.about)
        return next((known[name] for name in wanted.get(self.method, ()) if name in known), "")


def explain_results(message: bytes) -> Iterator[Diagnosis]:
    """Explain in plain words the results that a receiver wrote into a message.

    Only the topmost Authentication-Results field counts, because the receiver itself added it last. A sender may have
    forged the others.
    """
    head, _ = head_and_body(message.lstrip().decode("ascii", "surrogateescape"))
    fields = head.get_all("Authentication-Results", [])
    if not fields:
        yield Diagnosis(
            *("results", Level.ERROR, "message", "it has no Authentication-Results"),
            "this is not the email as the receiver stored it, or the receiver checks nothing",
            "take it from the inbox: 'Show original' in Gmail, 'View source' elsewhere",
        )
        return
    server, results = parse_results(str(fields[0]))
    named = {result.method for result in results}
    for result in sorted(_best(results), key=lambda each: _JUDGED.index(each.method)):
        yield _diagnosis(result, server)
    for method in (each for each in _JUDGED if each not in named):
        what, meaning = f"{server} says nothing about it", "the receiver does not check it, or found nothing to check"
        yield Diagnosis(method.upper(), Level.NOTE, "", what, meaning)
    yield from check_unsubscribe_headers(message.lstrip())


def parse_results(field: str) -> tuple[str, list[Result]]:
    """Parse the value of an Authentication-Results field; return the name of the checking server, and its results."""
    text = _without_comments(" ".join(field.split()))
    server, *parts = text.split(";")
    results = []
    for part in parts:
        if found := _RESULT.match(part):
            about = tuple((f"{kind}.{name}".lower(), value.strip('"')) for kind, name, value in _PROPERTY.findall(part))
            results.append(Result(found[1].lower(), found[2].lower(), about))
    return (server.split() or ["the receiver"])[0], results


def _without_comments(text: str) -> str:
    """Return the text without its comments, which may be nested. An unclosed comment extends to the end."""
    kept, depth = [], 0
    for character in text:
        depth += character == "("
        kept.append(" " if depth else character)
        depth -= character == ")" and depth > 0
    return "".join(kept)


def _best(results: list[Result]) -> Iterator[Result]:
    """Yield the results to report: for each method the results that pass, or all its results if none passes."""
    for method in _JUDGED:
        of_method = [result for result in results if result.method == method]
        yield from [result for result in of_method if result.outcome == "pass"] or of_method


def _diagnosis(result: Result, server: str) -> Diagnosis:
    known = _MEANINGS.get((result.method, result.outcome)) or _OTHERS.get(result.outcome, "see RFC 8601, 2.7")
    good = result.outcome == "pass"
    level = Level.OK if good else Level.WARNING if result.outcome in ("temperror", "neutral") else Level.ERROR
    hint = "" if good else _HINTS.get(result.method, "fix SPF or DKIM for the domain of the From address")
    if (result.method, result.outcome) == ("dmarc", "none"):
        hint = "see DMARC in `publisher mail doctor`"
    return Diagnosis(result.method.upper(), level, result.subject, f"{server} says {result.outcome}", known, hint)
