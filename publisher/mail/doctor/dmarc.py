"""The check of a domain's DMARC policy for forged emails, which our own emails must pass (RFC 7489)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level, parse_tags, zone_line

_CHECK = "DMARC"
_INSTEAD = "replace it with this one"

# No domain in use has more labels than this, and RFC 9989 allows at most this many look-ups.
_MOST_LABELS = 8

# RFC 7489, 6.3 and 6.4: the version comes first; reports go to URIs, which may end with "!" and a maximum size.
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_REPORTS = re.compile(
    r"(?:mailto:[!-+\--:<-?A-~]+@|https://)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[!-+\-.-:<-~]*)?(?:!\d+[kmgt]?)?",
    re.IGNORECASE,
)
_POLICIES = ("none", "quarantine", "reject")
_KEPT = {"p": _POLICIES, "sp": _POLICIES, "adkim": ("r", "s"), "aspf": ("r", "s")}


def check_dmarc(domain: str, return_domain: str, signing: Sequence[str], ask: Ask) -> Iterator[Diagnosis]:
    """Check the DMARC policy of the sender's domain.

    return_domain: the domain of the address for bounces, which is the domain that SPF checks. signing: the domains (d=)
    of the keys that sign the emails.
    """
    name, records = _found(domain, ask)
    if not records:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, "there is no DMARC record"),
            "Gmail, Yahoo and Microsoft refuse bulk mail from such a domain",
            "add the record; p=none only observes, and reports go to the address",
            zone_line(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}"),
        )
        return
    if len(records) > 1:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, name, f"there are {len(records)} DMARC records"),
            "receivers ignore all of them (RFC 7489, 6.6.3)",
            "keep only one",
            _record(name, parse_tags(records[0])),
        )
        return
    tags = parse_tags(records[0])
    yield _policy(name, tags, below=name != f"_dmarc.{domain}")
    yield from _aligned(domain, return_domain, signing, _organisation(domain, ask), tags)


def _found(domain: str, ask: Ask) -> tuple[str, list[str]]:
    """Return the name and the texts of the DMARC records that apply to a domain.

    These are the domain's own records, or those of the nearest domain above it that has any.
    """
    for owner in _upwards(domain):
        if records := _records(owner, ask):
            return f"_dmarc.{owner}", records
    return f"_dmarc.{domain}", []


def _organisation(domain: str, ask: Ask) -> str:
    """Return the highest domain with a policy, from the given domain upwards. Relaxed alignment ends there.

    The public suffix list would give the same answer, but it is large, and every copy of it goes out of date.
    """
    return [domain, *(owner for owner in _upwards(domain) if _records(owner, ask))][-1]


def _upwards(domain: str) -> list[str]:
    """Return the domain and the domains above it that have at least two labels."""
    labels = domain.split(".")
    starts = range(max(len(labels) - 1, 1))
    return [".".join(labels[start:]) for start in starts if start == 0 or len(labels) - start < _MOST_LABELS]


def _records(owner: str, ask: Ask) -> list[str]:
    texts = ask(f"_dmarc.{owner}", "TXT")
    return [text for text in texts if _VERSION.match(text)]


def _policy(name: str, tags: dict[str, str], *, below: bool) -> Diagnosis:
    policy = (tags.get("sp") if below else None) or tags.get("p", "")
    asked = policy.lower()
    if asked not in _POLICIES:
        return Diagnosis(
            *(_CHECK, Level.ERROR, name, f"the policy is {policy!r}" if policy else "the record has no policy (p=)"),
            "receivers ignore the record",
            _INSTEAD,
            _record(name, tags),
        )
    meanings = {
        "none": "receivers only observe, which is enough for bulk mail; forged emails arrive",
        "quarantine": "forged emails go to the spam folder",
        "reject": "forged emails are refused",
    }
    wrong = [address for address in _reports(tags) if not _REPORTS.fullmatch(address)]
    if wrong:
        what = f"policy {asked}, and {wrong[0]!r} is not a valid address for reports (rua=)"
        why = f"{meanings[asked]}; nobody receives the reports"
        return Diagnosis(_CHECK, Level.WARNING, name, what, why, _INSTEAD, _record(name, tags))
    if "rua" not in tags:
        what = f"policy {asked}, without an address for reports (rua=)"
        return Diagnosis(_CHECK, Level.NOTE, name, what, meanings[asked], "add rua=mailto: and an address you read")
    return Diagnosis(_CHECK, Level.OK, name, f"policy {asked}, with reports", meanings[asked])


def _reports(tags: dict[str, str]) -> list[str]:
    return tags["rua"].split(",") if "rua" in tags else []


def _record(name: str, tags: dict[str, str]) -> str:
    """Return a DMARC record, as a zone file line, with the valid tags of another record and a report address."""
    kept = {tag: tags[tag].lower() for tag, known in _KEPT.items() if tags.get(tag, "").lower() in known}
    reports = [address for address in _reports(tags) if _REPORTS.fullmatch(address)]
    rua = ",".join(reports) or f"mailto:postmaster@{name.removeprefix('_dmarc.')}"
    pairs = [f"{tag}={value}" for tag, value in ({"p": "none"} | kept | {"rua": rua}).items()]
    return zone_line(name, "TXT", "; ".join(["v=DMARC1", *pairs]))


def _aligned(
    domain: str, return_domain: str, signing: Sequence[str], organisation: str, tags: dict[str, str]
) -> Iterator[Diagnosis]:
    """Check whether SPF or DKIM can pass for the sender's own domain (RFC 7489, 3.1)."""
    strict_spf, strict_dkim = (tags.get(tag, "r").lower() == "s" for tag in ("aspf", "adkim"))
    by_spf = speaks_for(return_domain, domain, organisation, strict=strict_spf)
    by_dkim = any(speaks_for(each, domain, organisation, strict=strict_dkim) for each in signing)
    if by_dkim:
        also = (
            f", and so is SPF, by {return_domain}"
            if by_spf
            else f", but SPF is not, because it is about {return_domain}"
        )
        yield Diagnosis(_CHECK, Level.OK, domain, f"signatures are aligned{also}", "DMARC passes by signature")
    elif by_spf:
        yield Diagnosis(
            *(_CHECK, Level.WARNING, domain, f"only SPF is aligned, by {return_domain}, and no signature is"),
            "forwarded emails fail DMARC, because SPF does not survive forwarding",
            "sign for this domain with `publisher mail keys`, or let your mail server do it",
        )
    else:
        yield Diagnosis(
            *(
                _CHECK,
                Level.ERROR,
                domain,
                f"nothing is aligned: SPF is about {return_domain}, no key is for {domain}",
            ),
            "DMARC fails unless your mail server signs for this domain",
            f"sign for {domain} (`publisher mail keys`), or choose a mail.bounces address below it",
        )


def speaks_for(other: str, domain: str, organisation: str, *, strict: bool) -> bool:
    """Return whether a domain that passed SPF or DKIM is aligned with the sender's domain."""
    if strict or other == domain:
        return other == domain
    return f".{other}".endswith(f".{organisation}") or f".{domain}".endswith(f".{other}")
