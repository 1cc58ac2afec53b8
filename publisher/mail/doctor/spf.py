"""Who may send for a domain (SPF, RFC 7208)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level, zone_line
from publisher.mail.doctor.spf_record import (
    MOST_LOOKUPS,
    MOST_VOID,
    SpfResult,
    SpfTerm,
    parse_term,
    spf_records,
    split_record,
    walk,
)

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
    missing = _unserved(walk(domain, _written([*fixed, *kept]), ask), kept, wanted)
    if any(term.sign in ("-", "~", "?") for term in kept):  # one of those could stand in front of what is wanted
        missing, kept = list(wanted), [term for term in kept if term.plain not in wanted]
    ending = [] if stays else [_all_of([sign for _, sign in parts])]
    texts = ["v=spf1", *missing, *(term.text for term in [*kept, *stays]), *ending]
    return Advice(" ".join(texts), _left_out(parts, texts))


def _old(parts: Sequence[tuple[list[SpfTerm], str]], redirect: SpfTerm | None) -> list[SpfTerm]:
    """Return the terms that could be kept, none twice, and of exp= the first alone."""
    terms = [term for terms, _ in parts for term in terms if term.name not in ("redirect", "ptr")]
    terms += [redirect] if redirect and redirect.name == "include" else []
    return list({("exp" if term.name == "exp" else term.plain): term for term in reversed(terms)}.values())[::-1]


def _left_out(parts: Sequence[tuple[list[SpfTerm], str]], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the terms that let somebody pass, and are not in the new record."""
    held = {text.lower().removeprefix("+") for text in texts}
    passing = [term for terms, _ in parts for term in terms if term.sign == "+" or term.name == "redirect"]
    gone = [term for term in passing if not {term.plain, f"include:{term.argument}".lower()} & held]
    return tuple(dict.fromkeys(term.text for term in gone))


def _effective(record: str) -> tuple[list[SpfTerm], str]:
    """Return the terms that count, and the sign of "all", "" where there is none; then a redirect counts too."""
    terms = [term for text in split_record(record) if (term := parse_term(text))]
    place = next((at for at, term in enumerate(terms) if term.name == "all"), None)
    if place is None:
        return terms, ""
    return [term for term in terms[:place] if term.name != "redirect"], terms[place].sign


def _redirect(domain: str, parts: Sequence[tuple[list[SpfTerm], str]], ask: Ask) -> SpfTerm | None:
    """Return the redirect of a record, as an include where it cannot stay one; None where there is none to keep."""
    found = next((term for terms, _ in parts for term in terms if term.name == "redirect"), None)
    if found is None:
        return None
    walked = walk(domain, f"v=spf1 {found.text}", ask)
    if not _is_good(walked, SpfResult()) or walked.ending == "+":
        return None
    if len(parts) == 1 and walked.ending in ("-", "~"):
        return found
    return parse_term(f"include:{found.argument}")


def _fitting(domain: str, fixed: Sequence[SpfTerm], old: Sequence[SpfTerm], ask: Ask) -> list[SpfTerm]:
    """Return the old terms with which a record that holds the fixed ones stays good."""
    asking = [term for term in old if term.asks]
    least = walk(domain, _written(fixed), ask)
    names, chosen = {term.plain for term in fixed}, list[SpfTerm]()
    for term in asking[:_TRIED]:
        if term.plain in names:
            continue
        if _is_good(walk(domain, _written([*fixed, *chosen, term]), ask), least):
            chosen.append(term)
    return [term for term in old if not term.asks or term.plain in names or term in chosen]


def _is_good(walked: SpfResult, least: SpfResult) -> bool:
    """Return whether nothing is wrong with a record that is not wrong already with the least of it."""
    within = walked.lookups <= max(MOST_LOOKUPS, least.lookups) and walked.voids <= max(MOST_VOID, least.voids)
    return within and len(walked.faults) <= len(least.faults) and not walked.uses_ptr


def _unserved(walked: SpfResult, kept: Sequence[SpfTerm], wanted: Sequence[str]) -> list[str]:
    """Return the wanted terms that the kept ones do not stand for."""
    held = {term.plain for term in kept}
    return [text for text in wanted if text not in held and not _covered(walked, text)]


def _covered(walked: SpfResult, text: str) -> bool:
    name, _, argument = text.partition(":")
    return name != "include" and walked.covers(str(ip_address(argument)))


def _all_of(signs: Sequence[str]) -> str:
    """Return "-all" only where all records end so."""
    return "-all" if set(signs) == {"-"} else "~all"


def _written(terms: Sequence[SpfTerm]) -> str:
    """Return a record of terms, a redirect behind the others."""
    return " ".join(["v=spf1", *(term.text for term in terms)])


_CHECK = "SPF"
_INSTEAD = "put this one in {}"
_MOST_TOLD = 5

# What the mail services asked their customers to include in 2026, by the end of their servers' names.
# A service that is not here is taken for a server of one's own.
INCLUDES = {
    "amazonaws.com": "amazonses.com",
    "sendgrid.net": "sendgrid.net",
    "mailgun.org": "mailgun.org",
    "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
    "postmarkapp.com": "spf.mtasv.net",
    "mtasv.net": "spf.mtasv.net",
    "brevo.com": "spf.brevo.com",
    "mailjet.com": "spf.mailjet.com",
    "messagingengine.com": "spf.messagingengine.com",
    "fastmail.com": "spf.messagingengine.com",
    "sparkpostmail.com": "sparkpostmail.com",
    "zoho.com": "zohomail.com",
    "zoho.eu": "zohomail.eu",
}

_ENDINGS = {
    "-": "others are refused",
    "~": "others are suspicious",
    "?": "nothing is said of others",
    "": "nothing is said of others",
}


def service_of(host: str) -> str:
    """Return what a mail service asks its customers to include; "" for a server that is no known service's."""
    return next((spf for end, spf in INCLUDES.items() if f".{host.lower()}".endswith(f".{end}")), "")


def spf(domain: str, hosts: Sequence[str], addresses: Sequence[str], ask: Ask) -> Iterator[Diagnosis]:
    """Judge the record of the domain of the return path.

    hosts: names of the mail servers. addresses: from which mail leaves, as far as that is known.
    """
    wanted = _wanted(hosts, addresses)
    records = spf_records(ask(domain, "TXT"))
    if not records:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, "there is no SPF record"),
            "receivers cannot tell whether your mail server may send for this domain; large ones refuse bulk mail",
            "add the record" if wanted else "add the record, if the servers that take its mail send its mail too",
            zone_line(domain, "TXT", f"v=spf1 {' '.join(wanted) or 'mx'} ~all"),
        )
    elif len(records) > 1:
        advice = advise(domain, records, wanted, ask)
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, f"there are {len(records)} SPF records"),
            "receivers take none of them (permerror)",
            *_instead(domain, advice, "place of all of them"),
        )
    else:
        walked = walk(domain, records[0], ask)
        missing = _missing(walked, wanted, addresses)
        found = [*_judged(domain, walked, missing)]
        if any(each.record for each in found):
            mended = _instead(domain, advise(domain, records, wanted, ask))
            found = [replace(each, hint=mended[0], record=mended[1]) if each.record else each for each in found]
        yield from found or [_good(domain, walked, known=bool(wanted))]


def _judged(domain: str, walked: SpfResult, missing: Sequence[str]) -> Iterator[Diagnosis]:
    """Yield what is wrong; what another record would mend, with "?" in its place."""
    yield from _faults(domain, walked)
    yield from _limits(domain, walked)
    yield from _ending(domain, walked)
    if missing:
        what = f"the record does not let your mail server send: {', '.join(missing)}"
        yield Diagnosis(_CHECK, Level.ERROR, domain, what, "letters fail SPF", record="?")


def _instead(domain: str, advice: Advice, place: str = "its place") -> tuple[str, str]:
    """Return what to do with a record that is advised, and the record as a line of the zone."""
    told = advice.left_out[:_MOST_TOLD]
    others = f" and {len(advice.left_out) - _MOST_TOLD} others" if len(advice.left_out) > _MOST_TOLD else ""
    leaves = f"; it leaves out {', '.join(told)}{others}" if told else ""
    return f"{_INSTEAD.format(place)}{leaves}", zone_line(domain, "TXT", advice.record)


def _wanted(hosts: Sequence[str], addresses: Sequence[str]) -> list[str]:
    """Return the terms that let mail pass: those of services, or else the addresses."""
    services = [f"include:{service}" for host in hosts if (service := service_of(host))]
    return list(dict.fromkeys([*services, *(f"ip{ip_address(each).version}:{each}" for each in addresses)]))


def _faults(domain: str, walked: SpfResult) -> Iterator[Diagnosis]:
    for fault in walked.faults:
        meaning = "receivers take the whole record as broken (permerror)"
        yield Diagnosis(_CHECK, Level.ERROR, domain, fault, meaning, record="?")


def _limits(domain: str, walked: SpfResult) -> Iterator[Diagnosis]:
    if walked.lookups > MOST_LOOKUPS:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, f"the record needs {walked.lookups} look-ups; {MOST_LOOKUPS} are allowed"),
            "receivers take the whole record as broken (permerror; RFC 7208, 4.6.4)",
            "remove the include: of services you no longer use, or write their networks as ip4: and ip6:",
        )
    if walked.voids > MOST_VOID:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, f"{walked.voids} of the names in the record have no addresses"),
            f"after {MOST_VOID} of them receivers may take the record as broken (RFC 7208, 4.6.4)",
            "remove the names that are gone",
        )
    if walked.uses_ptr:
        yield Diagnosis(
            *(_CHECK, Level.WARNING, domain, "the record uses ptr"),
            "it is slow and many receivers skip it (RFC 7208, 5.5)",
            "name the servers with a:, mx or ip4: instead",
        )


def _ending(domain: str, walked: SpfResult) -> Iterator[Diagnosis]:
    if walked.ending == "+":
        meaning = "everybody in the world may send as this domain; receivers trust it for nothing"
        yield Diagnosis(_CHECK, Level.ERROR, domain, "the record ends with +all", meaning, record="?")
    elif walked.ending in ("?", "") and not walked.faults:
        what = f"the record ends with {'?all' if walked.ending else 'nothing like ~all'}"
        meaning = "a forger's mail is judged as if there were no record"
        yield Diagnosis(_CHECK, Level.WARNING, domain, what, meaning, record="?")


def _missing(walked: SpfResult, wanted: Sequence[str], addresses: Sequence[str]) -> list[str]:
    """Return the terms of services and addresses that the record does not let send."""
    uncovered = {f"ip{ip_address(each).version}:{each}" for each in addresses if not walked.covers(each)}
    if walked.blurred:
        uncovered.clear()
    return [term for term in wanted if term in uncovered or _not_included(term, walked)]


def _not_included(term: str, walked: SpfResult) -> bool:
    return term.startswith("include:") and term.removeprefix("include:") not in walked.includes


def _good(domain: str, walked: SpfResult, *, known: bool) -> Diagnosis:
    message = f"one record, {walked.lookups} of {MOST_LOOKUPS} look-ups, {_ENDINGS[walked.ending]}"
    if known:
        return Diagnosis(_CHECK, Level.OK, domain, message, "your mail server may send for this domain")
    meaning = "from which address mail leaves is not known here, so nobody looked whether it may"
    return Diagnosis(_CHECK, Level.NOTE, domain, message, meaning, "name the address with --ip")
