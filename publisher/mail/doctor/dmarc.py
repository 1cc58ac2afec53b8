"""What a domain asks receivers to do with mail that is not its own (DMARC, RFC 7489)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level, parse_tags, zone_line

_CHECK = "DMARC"
_INSTEAD = "put this one in its place"

# Nobody's domain has more labels; RFC 9989 asks for at most so many names.
_MOST_LABELS = 8

# RFC 7489, 6.3 and 6.4: the version first and exactly so, reports to URIs, with a largest size behind "!".
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_REPORTS = re.compile(
    r"(?:mailto:[!-+\--:<-?A-~]+@|https://)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[!-+\-.-:<-~]*)?(?:!\d+[kmgt]?)?",
    re.IGNORECASE,
)
_POLICIES = ("none", "quarantine", "reject")
_KEPT = {"p": _POLICIES, "sp": _POLICIES, "adkim": ("r", "s"), "aspf": ("r", "s")}


def dmarc(domain: str, return_domain: str, signing: Sequence[str], ask: Ask) -> Iterator[Diagnosis]:
    """Judge the policy of the sender's domain.

    return_domain: of the address that failures come back to, which SPF speaks for. signing: the domains (d=) of
    the keys that sign its mail.
    """
    name, records = _found(domain, ask)
    if not records:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, "there is no DMARC record"),
            "Gmail, Yahoo and Microsoft refuse bulk mail from such a domain",
            "add the record; p=none only watches, and reports go to the address",
            zone_line(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}"),
        )
        return
    if len(records) > 1:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, name, f"there are {len(records)} DMARC records"),
            "receivers take none of them (RFC 7489, 6.6.3)",
            "keep only one",
            _record(name, parse_tags(records[0])),
        )
        return
    tags = parse_tags(records[0])
    yield _policy(name, tags, below=name != f"_dmarc.{domain}")
    yield from _aligned(domain, return_domain, signing, _organisation(domain, ask), tags)


def _found(domain: str, ask: Ask) -> tuple[str, list[str]]:
    """Return the name and the records of the domain's policy: its own, or that of the nearest domain above it."""
    for owner in _upwards(domain):
        if records := _records(owner, ask):
            return f"_dmarc.{owner}", records
    return f"_dmarc.{domain}", []


def _organisation(domain: str, ask: Ask) -> str:
    """Return the topmost of the domain and those above it that has a policy: as far as relaxed alignment goes.

    The list of public suffixes would say it too; it is large, and of yesterday wherever it is kept.
    """
    return [domain, *(owner for owner in _upwards(domain) if _records(owner, ask))][-1]


def _upwards(domain: str) -> list[str]:
    """Return the domain and those above it, of two labels at least."""
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
            "receivers take the record as if it were not there",
            _INSTEAD,
            _record(name, tags),
        )
    meanings = {
        "none": "receivers only watch, which is enough for bulk mail; forgeries arrive",
        "quarantine": "mail that is not yours goes to junk",
        "reject": "mail that is not yours is refused",
    }
    wrong = [address for address in _reports(tags) if not _REPORTS.fullmatch(address)]
    if wrong:
        what = f"policy {asked}, and {wrong[0]!r} is no address for reports (rua=)"
        why = f"{meanings[asked]}; nobody gets the reports"
        return Diagnosis(_CHECK, Level.WARNING, name, what, why, _INSTEAD, _record(name, tags))
    if "rua" not in tags:
        what = f"policy {asked}, and no address for reports (rua=)"
        return Diagnosis(_CHECK, Level.NOTE, name, what, meanings[asked], "add rua=mailto: and an address you read")
    return Diagnosis(_CHECK, Level.OK, name, f"policy {asked}, with reports", meanings[asked])


def _reports(tags: dict[str, str]) -> list[str]:
    return tags["rua"].split(",") if "rua" in tags else []


def _record(name: str, tags: dict[str, str]) -> str:
    """Return a record that keeps what is right in the tags of another, and has an address for reports."""
    kept = {tag: tags[tag].lower() for tag, known in _KEPT.items() if tags.get(tag, "").lower() in known}
    reports = [address for address in _reports(tags) if _REPORTS.fullmatch(address)]
    rua = ",".join(reports) or f"mailto:postmaster@{name.removeprefix('_dmarc.')}"
    told = [f"{tag}={value}" for tag, value in ({"p": "none"} | kept | {"rua": rua}).items()]
    return zone_line(name, "TXT", "; ".join(["v=DMARC1", *told]))


def _aligned(
    domain: str, return_domain: str, signing: Sequence[str], organisation: str, tags: dict[str, str]
) -> Iterator[Diagnosis]:
    """Tell whether SPF or DKIM can pass for the sender's own domain (RFC 7489, 3.1)."""
    strict_spf, strict_dkim = (tags.get(tag, "r").lower() == "s" for tag in ("aspf", "adkim"))
    by_spf = speaks_for(return_domain, domain, organisation, strict=strict_spf)
    by_dkim = any(speaks_for(each, domain, organisation, strict=strict_dkim) for each in signing)
    if by_dkim:
        also = f"; SPF too, by {return_domain}" if by_spf else f"; SPF does not, it speaks for {return_domain}"
        yield Diagnosis(_CHECK, Level.OK, domain, f"signatures are aligned{also}", "DMARC passes by the signature")
    elif by_spf:
        yield Diagnosis(
            *(_CHECK, Level.WARNING, domain, f"only SPF is aligned, by {return_domain}; no signature of ours is"),
            "mail that is forwarded fails DMARC, since SPF does not survive that",
            "sign as this domain: `publisher mail keys`, or let your mail server do it",
        )
    else:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, domain, f"nothing is aligned: SPF speaks for {return_domain}, no key for {domain}"),
            "DMARC fails unless your mail server signs as this domain",
            f"sign as {domain} (`publisher mail keys`), or choose a mail.bounces below it",
        )


def speaks_for(other: str, domain: str, organisation: str, *, strict: bool) -> bool:
    """Return whether a domain that passed is aligned with the sender's."""
    if strict or other == domain:
        return other == domain
    return f".{other}".endswith(f".{organisation}") or f".{domain}".endswith(f".{other}")
