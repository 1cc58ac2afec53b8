"""The SPF record that ought to stand in place of others: whatever those hold, it is valid and lets our mail pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from publisher.mail.doctor.diagnosis import Ask
from publisher.mail.doctor.spf_terms import Term, parse_term, split_record
from publisher.mail.doctor.spf_walk import MOST_LOOKUPS, MOST_VOID, Walk, walk

# A hostile record has thousands of names; nobody needs more than ten, and each that is tried costs questions.
_TRIED = 40


@dataclass(frozen=True, slots=True)
class Advice:
    """A record, and the terms of the old ones that it cannot hold although they are none of ours to judge."""

    record: str
    left_out: tuple[str, ...] = ()


def advise(domain: str, records: Sequence[str], wanted: Sequence[str], ask: Ask) -> Advice:
    """Return one record in place of those that are there. Raises DnsError like `ask`.

    wanted: the terms that let our mail pass. The record holds them, and of the old terms those with which it stays
    good: known to the grammar, in front of "all", followed without a fault, within the limits of look-ups.
    """
    parts = [_effective(record) for record in records]
    redirect = _redirect(domain, parts, ask)
    stays = [redirect] if redirect and redirect.name == "redirect" else []
    fixed = [*(term for text in wanted if text.startswith("include:") and (term := parse_term(text))), *stays]
    kept = _fitting(domain, fixed, _old(parts, redirect), ask)
    missing = _missing(walk(domain, _written([*fixed, *kept]), ask), kept, wanted)
    if any(term.sign in ("-", "~", "?") for term in kept):  # one of those could stand in front of what is wanted
        missing, kept = list(wanted), [term for term in kept if term.plain not in wanted]
    ending = [] if stays else [_ending([sign for _, sign in parts])]
    texts = ["v=spf1", *missing, *(term.text for term in [*kept, *stays]), *ending]
    return Advice(" ".join(texts), _left_out(parts, texts))


def _old(parts: Sequence[tuple[list[Term], str]], redirect: Term | None) -> list[Term]:
    """Return the terms that could be kept, none twice, and of exp= the first alone."""
    terms = [term for terms, _ in parts for term in terms if term.name not in ("redirect", "ptr")]
    terms += [redirect] if redirect and redirect.name == "include" else []
    return list({("exp" if term.name == "exp" else term.plain): term for term in reversed(terms)}.values())[::-1]


def _left_out(parts: Sequence[tuple[list[Term], str]], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the terms that let somebody pass, and are not in the new record."""
    held = {text.lower().removeprefix("+") for text in texts}
    passing = [term for terms, _ in parts for term in terms if term.sign == "+" or term.name == "redirect"]
    gone = [term for term in passing if not {term.plain, f"include:{term.argument}".lower()} & held]
    return tuple(dict.fromkeys(term.text for term in gone))


def _effective(record: str) -> tuple[list[Term], str]:
    """Return the terms that count, and the sign of "all", "" where there is none; then a redirect counts too."""
    terms = [term for text in split_record(record) if (term := parse_term(text))]
    place = next((at for at, term in enumerate(terms) if term.name == "all"), None)
    if place is None:
        return terms, ""
    return [term for term in terms[:place] if term.name != "redirect"], terms[place].sign


def _redirect(domain: str, parts: Sequence[tuple[list[Term], str]], ask: Ask) -> Term | None:
    """Return the redirect of a record, as an include where it cannot stay one; None where there is none to keep."""
    found = next((term for terms, _ in parts for term in terms if term.name == "redirect"), None)
    if found is None:
        return None
    walked = walk(domain, f"v=spf1 {found.text}", ask)
    if not _is_good(walked, Walk()) or walked.ending == "+":
        return None
    if len(parts) == 1 and walked.ending in ("-", "~"):
        return found
    return parse_term(f"include:{found.argument}")


def _fitting(domain: str, fixed: Sequence[Term], old: Sequence[Term], ask: Ask) -> list[Term]:
    """Return the old terms with which a record that holds the fixed ones stays good."""
    asking = [term for term in old if term.asks]
    least = walk(domain, _written(fixed), ask)
    names, chosen = {term.plain for term in fixed}, list[Term]()
    for term in asking[:_TRIED]:
        if term.plain in names:
            continue
        if _is_good(walk(domain, _written([*fixed, *chosen, term]), ask), least):
            chosen.append(term)
    return [term for term in old if not term.asks or term.plain in names or term in chosen]


def _is_good(walked: Walk, least: Walk) -> bool:
    """Return whether nothing is wrong with a record that is not wrong already with the least of it."""
    within = walked.lookups <= max(MOST_LOOKUPS, least.lookups) and walked.voids <= max(MOST_VOID, least.voids)
    return within and len(walked.faults) <= len(least.faults) and not walked.uses_ptr


def _missing(walked: Walk, kept: Sequence[Term], wanted: Sequence[str]) -> list[str]:
    """Return the wanted terms that the kept ones do not stand for."""
    held = {term.plain for term in kept}
    return [text for text in wanted if text not in held and not _covered(walked, text)]


def _covered(walked: Walk, text: str) -> bool:
    name, _, argument = text.partition(":")
    return name != "include" and walked.covers(str(ip_address(argument)))


def _ending(signs: Sequence[str]) -> str:
    """Return "-all" only where all records end so."""
    return "-all" if set(signs) == {"-"} else "~all"


def _written(terms: Sequence[Term]) -> str:
    """Return a record of terms, a redirect behind the others."""
    return " ".join(["v=spf1", *(term.text for term in terms)])
