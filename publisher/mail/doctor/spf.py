"""Who may send for a domain (SPF, RFC 7208)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address

from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level, zone_line
from publisher.mail.doctor.spf_advice import Advice, advise
from publisher.mail.doctor.spf_walk import MOST_LOOKUPS, MOST_VOID, Walk, spf_records, walk

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


def _judged(domain: str, walked: Walk, missing: Sequence[str]) -> Iterator[Diagnosis]:
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


def _faults(domain: str, walked: Walk) -> Iterator[Diagnosis]:
    for fault in walked.faults:
        meaning = "receivers take the whole record as broken (permerror)"
        yield Diagnosis(_CHECK, Level.ERROR, domain, fault, meaning, record="?")


def _limits(domain: str, walked: Walk) -> Iterator[Diagnosis]:
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


def _ending(domain: str, walked: Walk) -> Iterator[Diagnosis]:
    if walked.ending == "+":
        meaning = "everybody in the world may send as this domain; receivers trust it for nothing"
        yield Diagnosis(_CHECK, Level.ERROR, domain, "the record ends with +all", meaning, record="?")
    elif walked.ending in ("?", "") and not walked.faults:
        what = f"the record ends with {'?all' if walked.ending else 'nothing like ~all'}"
        meaning = "a forger's mail is judged as if there were no record"
        yield Diagnosis(_CHECK, Level.WARNING, domain, what, meaning, record="?")


def _missing(walked: Walk, wanted: Sequence[str], addresses: Sequence[str]) -> list[str]:
    """Return the terms of services and addresses that the record does not let send."""
    uncovered = {f"ip{ip_address(each).version}:{each}" for each in addresses if not walked.covers(each)}
    if walked.blurred:
        uncovered.clear()
    return [term for term in wanted if term in uncovered or _not_included(term, walked)]


def _not_included(term: str, walked: Walk) -> bool:
    return term.startswith("include:") and term.removeprefix("include:") not in walked.includes


def _good(domain: str, walked: Walk, *, known: bool) -> Diagnosis:
    message = f"one record, {walked.lookups} of {MOST_LOOKUPS} look-ups, {_ENDINGS[walked.ending]}"
    if known:
        return Diagnosis(_CHECK, Level.OK, domain, message, "your mail server may send for this domain")
    meaning = "from which address mail leaves is not known here, so nobody looked whether it may"
    return Diagnosis(_CHECK, Level.NOTE, domain, message, meaning, "name the address with --ip")
