"""The check of a domain's SPF record, with advice on a better record.

An SPF record lists the servers that may send emails for a domain (RFC 7208).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address

from publisher.core.frozen import dataclass
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

_CHECK = "SPF"
_INSTEAD = "put this one in {}"
_MOST_NAMED = 5

# The domains that mail services asked customers to include in 2026, by the endings of their servers' names.
# Other services are treated like the user's own servers.
SERVICES = {
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
    "?": "nothing is said about others",
    "": "nothing is said about others",
}

# The maximum number of old terms to try. A hostile record has thousands of names, nobody needs more than ten, and each
# try costs DNS look-ups.
_TRIED = 40


def service_of(host: str) -> str:
    """Return the domain that the mail service with this host asks its customers to include; "" if unknown."""
    return next((check_spf for end, check_spf in SERVICES.items() if f".{host.lower()}".endswith(f".{end}")), "")


def check_spf(domain: str, hosts: Sequence[str], addresses: Sequence[str], ask: Ask) -> Iterator[Diagnosis]:
    """Check the SPF record of the return path's domain.

    hosts: the names of the mail servers. addresses: the known IP addresses that send the emails.
    """
    wanted = _wanted(hosts, addresses)
    records = spf_records(ask(domain, "TXT"))
    if not records:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, "there is no SPF record"),
            "receivers cannot check whether your mail server may send for this domain; large ones refuse bulk mail",
            "add the record" if wanted else "add the record, if the servers in its MX records also send",
            zone_line(domain, "TXT", f"v=spf1 {' '.join(wanted) or 'mx'} ~all"),
        )
    elif len(records) > 1:
        advice = advise(domain, records, wanted, ask)
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, f"there are {len(records)} SPF records"),
            "receivers ignore all of them (permerror)",
            *_instead(domain, advice, "place of all of them"),
        )
    else:
        walked = walk(domain, records[0], ask)
        missing = _missing(walked, wanted, addresses)
        found = [*_judged(domain, walked, missing)]
        if any(each.record for each in found):
            fixed = _instead(domain, advise(domain, records, wanted, ask))
            found = [replace(each, hint=fixed[0], record=fixed[1]) if each.record else each for each in found]
        yield from found or [_good(domain, walked, known=bool(wanted))]


def _judged(domain: str, walked: SpfResult, missing: Sequence[str]) -> Iterator[Diagnosis]:
    """Yield the problems of a record. If a new record would fix a problem, its `record` is the placeholder "?"."""
    yield from _faults(domain, walked)
    yield from _limits(domain, walked)
    yield from _ending(domain, walked)
    if missing:
        what = f"the record does not let your mail server send: {', '.join(missing)}"
        yield Diagnosis(_CHECK, Level.ERROR, domain, what, "emails fail SPF", record="?")


def _instead(domain: str, advice: Advice, place: str = "its place") -> tuple[str, str]:
    """Return a hint about what to do with the new record, and the record as a line of a zone file."""
    named = advice.left_out[:_MOST_NAMED]
    others = f" and {len(advice.left_out) - _MOST_NAMED} others" if len(advice.left_out) > _MOST_NAMED else ""
    leaves = f"; it leaves out {', '.join(named)}{others}" if named else ""
    return f"{_INSTEAD.format(place)}{leaves}", zone_line(domain, "TXT", advice.record)


def _wanted(hosts: Sequence[str], addresses: Sequence[str]) -> list[str]:
    """Return the terms that allow our emails: the includes of mail services, and the sending addresses."""
    services = [f"include:{service}" for host in hosts if (service := service_of(host))]
    return list(dict.fromkeys([*services, *(f"ip{ip_address(each).version}:{each}" for each in addresses)]))


def _faults(domain: str, walked: SpfResult) -> Iterator[Diagnosis]:
    for fault in walked.faults:
        meaning = "receivers treat the whole record as broken (permerror)"
        yield Diagnosis(_CHECK, Level.ERROR, domain, fault, meaning, record="?")


def _limits(domain: str, walked: SpfResult) -> Iterator[Diagnosis]:
    if walked.lookups > MOST_LOOKUPS:
        yield Diagnosis(
            *(
                _CHECK,
                Level.ERROR,
                domain,
                f"the record needs {walked.lookups} look-ups, but only {MOST_LOOKUPS} are allowed",
            ),
            "receivers treat the whole record as broken (permerror; RFC 7208, 4.6.4)",
            "remove the include: of services you no longer use, or write their networks as ip4: and ip6:",
        )
    if walked.voids > MOST_VOID:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, f"{walked.voids} of the names in the record have no addresses"),
            f"after {MOST_VOID} of them receivers may treat the record as broken (RFC 7208, 4.6.4)",
            "remove the names that no longer exist",
        )
    if walked.uses_ptr:
        yield Diagnosis(
            *(_CHECK, Level.WARNING, domain, "the record uses ptr"),
            "it is slow, and many receivers skip it (RFC 7208, 5.5)",
            "name the servers with a:, mx or ip4: instead",
        )


def _ending(domain: str, walked: SpfResult) -> Iterator[Diagnosis]:
    if walked.ending == "+":
        meaning = "anyone in the world may send as this domain, so receivers do not trust it"
        yield Diagnosis(_CHECK, Level.ERROR, domain, "the record ends with +all", meaning, record="?")
    elif walked.ending in ("?", "") and not walked.faults:
        what = f"the record ends with {'?all' if walked.ending else 'nothing like ~all'}"
        meaning = "forged emails are treated as if there were no record"
        yield Diagnosis(_CHECK, Level.WARNING, domain, what, meaning, record="?")


def _missing(walked: SpfResult, wanted: Sequence[str], addresses: Sequence[str]) -> list[str]:
    """Return the wanted terms whose services or addresses the record does not allow."""
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
    meaning = "the address that sends the emails is not known here, so it was not checked"
    return Diagnosis(_CHECK, Level.NOTE, domain, message, meaning, "name the address with --ip")


@dataclass(frozen=True, slots=True)
class Advice:
    """A better SPF record, and the terms of the old records that had to be left out."""

    record: str
    left_out: tuple[str, ...] = ()


def advise(domain: str, records: Sequence[str], wanted: Sequence[str], ask: Ask) -> Advice:
    """Return one valid record to replace the existing ones. Raises DnsError if `ask` does.

    The record has the wanted terms, which allow our emails. It keeps every old term that is valid, comes before "all",
    and can be followed without a fault and within the limit on look-ups.
    """
    parts = [_effective(record) for record in records]
    redirect = _redirect(domain, parts, ask)
    stays = [redirect] if redirect and redirect.name == "redirect" else []
    fixed = [*(term for text in wanted if text.startswith("include:") and (term := parse_term(text))), *stays]
    kept = _fitting(domain, fixed, _old(parts, redirect), ask)
    missing = _unserved(walk(domain, _written([*fixed, *kept]), ask), kept, wanted)
    if any(term.sign in ("-", "~", "?") for term in kept):  # such a term could exclude our own servers
        missing, kept = list(wanted), [term for term in kept if term.plain not in wanted]
    ending = [] if stays else [_all_of([sign for _, sign in parts])]
    texts = ["v=spf1", *missing, *(term.text for term in [*kept, *stays]), *ending]
    return Advice(" ".join(texts), _left_out(parts, texts))


def _old(parts: Sequence[tuple[list[SpfTerm], str]], redirect: SpfTerm | None) -> list[SpfTerm]:
    """Return the old terms that could be kept, without duplicates and with only the first exp=."""
    terms = [term for terms, _ in parts for term in terms if term.name not in ("redirect", "ptr")]
    terms += [redirect] if redirect and redirect.name == "include" else []
    return list({("exp" if term.name == "exp" else term.plain): term for term in reversed(terms)}.values())[::-1]


def _left_out(parts: Sequence[tuple[list[SpfTerm], str]], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the old terms that allow senders but are missing from the new record."""
    held = {text.lower().removeprefix("+") for text in texts}
    passing = [term for terms, _ in parts for term in terms if term.sign == "+" or term.name == "redirect"]
    gone = [term for term in passing if not {term.plain, f"include:{term.argument}".lower()} & held]
    return tuple(dict.fromkeys(term.text for term in gone))


def _effective(record: str) -> tuple[list[SpfTerm], str]:
    """Return the terms of a record that take effect, and the sign of its "all".

    If the record has no "all", the sign is "" and a redirect also takes effect.
    """
    terms = [term for text in split_record(record) if (term := parse_term(text))]
    place = next((at for at, term in enumerate(terms) if term.name == "all"), None)
    if place is None:
        return terms, ""
    return [term for term in terms[:place] if term.name != "redirect"], terms[place].sign


def _redirect(domain: str, parts: Sequence[tuple[list[SpfTerm], str]], ask: Ask) -> SpfTerm | None:
    """Return the first redirect among the records, or None if there is no redirect worth keeping.

    It becomes an include if it cannot stay a redirect.
    """
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
    """Return the old terms that can be added to the fixed terms without breaking the record."""
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
    """Return whether a record is within the limits on look-ups, adds no faults, and does not use ptr.

    least: the result for the smallest possible record, whose faults and look-ups cannot be avoided.
    """
    within = walked.lookups <= max(MOST_LOOKUPS, least.lookups) and walked.voids <= max(MOST_VOID, least.voids)
    return within and len(walked.faults) <= len(least.faults) and not walked.uses_ptr


def _unserved(walked: SpfResult, kept: Sequence[SpfTerm], wanted: Sequence[str]) -> list[str]:
    """Return the wanted terms that the kept terms do not cover."""
    held = {term.plain for term in kept}
    return [text for text in wanted if text not in held and not _covered(walked, text)]


def _covered(walked: SpfResult, text: str) -> bool:
    name, _, argument = text.partition(":")
    return name != "include" and walked.covers(str(ip_address(argument)))


def _all_of(signs: Sequence[str]) -> str:
    """Return "-all" if every record ends with it; otherwise return "~all"."""
    return "-all" if set(signs) == {"-"} else "~all"


def _written(terms: Sequence[SpfTerm]) -> str:
    """Return the text of a record with these terms."""
    return " ".join(["v=spf1", *(term.text for term in terms)])
