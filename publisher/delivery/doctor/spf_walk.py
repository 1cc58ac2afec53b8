"""Following an SPF record through everything that it names (RFC 7208), as a receiver would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from publisher.delivery.doctor.diagnosis import Ask

Network = IPv4Network | IPv6Network

# RFC 7208, 4.6.4.
MOST_LOOKUPS = 10
MOST_VOID = 2

# So many are followed, so that the count that is told is mostly the true one, and a hostile record ends.
_FOLLOWED = 40

_MODIFIER = re.compile(r"[A-Za-z][A-Za-z0-9._-]*=\S*")


@dataclass
class Walk:
    """What a record comes to, when all of it was followed.

    networks  whose mail passes      includes  names of other domains' records that it takes in
    faults    what receivers take as a broken record, in words
    broken    the terms of the record itself that lead there
    blurred   something depends on the message itself, so that no list of networks is complete
    ending    the qualifier of "all": "+", "-", "~", "?"; "" where there is none
    """

    lookups: int = 0
    voids: int = 0
    networks: list[Network] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    blurred: bool = False
    uses_ptr: bool = False
    ending: str = ""

    def covers(self, address: str) -> bool:
        """Return whether mail from the address passes."""
        asked = ip_address(address)
        return any(asked.version == network.version and asked in network for network in self.networks)


def spf_records(texts: tuple[str, ...]) -> list[str]:
    """Return those of a domain's TXT records that are SPF (RFC 7208, 4.5)."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def walk(domain: str, record: str, ask: Ask) -> Walk:
    """Follow a domain's record. Raises DnsError like `ask`."""
    walked = Walk()
    walked.ending = _follow(walked, domain, record, ask, (domain.lower(),))
    return walked


def _follow(walked: Walk, domain: str, record: str, ask: Ask, path: tuple[str, ...]) -> str:
    """Take a record's terms in; return its "all", or that of the record it redirects to."""
    ending, redirect = "", ""
    for text in record.split()[1:]:
        if walked.lookups >= _FOLLOWED:
            break
        if text.lower().startswith("redirect="):
            redirect = text.partition("=")[2]
            continue
        term, faults = _term(text), len(walked.faults)
        if term and term[1] == "all":
            ending = term[0]
            break  # what stands behind it is never looked at
        if not _MODIFIER.fullmatch(text):
            _take(walked, term or ("", "", text, ""), domain, ask, path)
        if len(path) == 1 and len(walked.faults) > faults:
            walked.broken.append(text)
    if redirect and not ending:
        return _enter(walked, "redirect", redirect, ask, path)
    return ending


def _term(term: str) -> tuple[str, str, str, str] | None:
    """Return qualifier, mechanism, argument and prefix lengths; None for what is none."""
    sign = term[0] if term[0] in "+-~?" else ""
    name, colon, argument = term[len(sign) :].partition(":")
    prefix = ""
    if name.lower() not in ("ip4", "ip6"):
        name, argument, prefix = _prefix(name, colon, argument)
    known = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"}
    needs = {"include", "ip4", "ip6", "exists"}
    name = name.lower()
    if name not in known or (name in needs and not argument) or (name == "all" and (argument or prefix)):
        return None
    return sign or "+", name, argument, prefix


def _prefix(name: str, colon: str, argument: str) -> tuple[str, str, str]:
    """Cut "/24//64" off the name, or off the argument where there is one."""
    whole = argument if colon else name
    cut, slash, rest = whole.partition("/")
    return (name, cut, slash + rest) if colon else (cut, "", slash + rest)


def _take(walked: Walk, term: tuple[str, str, str, str], domain: str, ask: Ask, path: tuple[str, ...]) -> None:
    sign, name, argument, prefix = term
    if not name:
        walked.faults.append(f"{argument!r} in the record of {domain} is no term of SPF")
    elif name in ("ip4", "ip6"):
        _take_network(walked, sign, name, argument, domain)
    elif "%" in argument or name in ("ptr", "exists"):  # it depends on the message: a macro, the client's name
        walked.lookups += 1
        walked.uses_ptr |= name == "ptr"
        walked.blurred |= sign == "+"
    elif name == "include":
        _enter(walked, "include", argument, ask, path)
    else:
        _take_hosts(walked, sign, name, (argument or domain, prefix), ask)


def _take_network(walked: Walk, sign: str, name: str, argument: str, domain: str) -> None:
    try:
        network = ip_network(argument, strict=False)
    except ValueError:
        walked.faults.append(f"{argument!r} in the record of {domain} is no network")
        return
    if f"ip{network.version}" != name:
        walked.faults.append(f"{name}:{argument} in the record of {domain} is a network of the other kind")
    elif sign == "+":
        walked.networks.append(network)


def _take_hosts(walked: Walk, sign: str, name: str, target: tuple[str, str], ask: Ask) -> None:
    """Take the addresses of "a" and "mx" in."""
    host, prefix = target
    walked.lookups += 1
    hosts = [host] if name == "a" else [each.split(" ")[-1] for each in ask(host, "MX")]
    if len(hosts) > MOST_LOOKUPS:
        walked.faults.append(f"mx:{host} names {len(hosts)} servers; receivers look at 10 at most")
    found = [each for server in hosts[:MOST_LOOKUPS] for kind in ("A", "AAAA") for each in ask(server, kind)]
    if not found:
        walked.voids += 1
    elif sign == "+":
        walked.networks += [_widened(ip_address(each), prefix) for each in found]


def _widened(address: IPv4Address | IPv6Address, prefix: str) -> Network:
    """Return the network of an address under "/24", "//64" or "/24//64"."""
    four, _, six = prefix.partition("//")
    length = (four.lstrip("/") if address.version == 4 else six) or str(address.max_prefixlen)
    try:
        return ip_network(f"{address}/{length}", strict=False)
    except ValueError:
        return ip_network(address)


def _enter(walked: Walk, how: str, target: str, ask: Ask, path: tuple[str, ...]) -> str:
    """Follow another domain's record; return its "all"."""
    name = target.lower().rstrip(".")
    walked.lookups += 1
    if "%" in name:
        walked.blurred = True
        return ""
    if name in path:
        walked.faults.append(f"{path[-1]} and {name} name each other for ever")
        return ""
    walked.includes.append(name)
    texts = ask(name, "TXT")
    walked.voids += not texts
    records = spf_records(texts)
    if len(records) != 1:
        many = "no SPF record" if not records else f"{len(records)} SPF records"
        walked.faults.append(f"{how}:{name} leads to {many}")
        return ""
    return _follow(walked, name, records[0], ask, (*path, name))
