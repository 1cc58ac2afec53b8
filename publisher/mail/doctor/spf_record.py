"""A parser for the terms of SPF records (RFC 7208), and a walk that follows them to the records of other domains."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from publisher.core.frozen import dataclass
from publisher.mail.doctor.diagnosis import Ask

_MACRO = r"(?:%\{[slodiphvSLODIPHV]\d{0,3}[rR]?[.\-+,/_=]*\}|%[%_-])"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_PLAIN = re.compile(
    rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?"
)
_MACROS_END = re.compile(rf"(?:{_MACRO}|\.(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z0-9-]++\.?)\Z")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_VALUE = re.compile(rf"(?:{_MACRO}|[!-$&-~])*")
_DIRECTIVE = re.compile(r"([-+~?]?)([A-Za-z0-9]+)(?::([^/]*))?((?:/.*)?)", re.DOTALL)
_LENGTHS = re.compile(r"(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?")
_NETWORK = re.compile(r"[0-9A-Fa-f.:]+(?:/(?:0|[1-9]\d{0,2}))?")

_WITH_HOST = ("include", "exists")


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """One term of an SPF record: a mechanism or a modifier.

    text      the term as it is written in the record
    sign      "+", "-", "~", "?"; "" for a modifier
    name      in lower case: "include", "ip4", "redirect"
    argument  the name or network after it; "" if there is none
    lengths   the prefix lengths for IPv4 and IPv6; only "a" and "mx" can change them
    """

    text: str
    sign: str
    name: str
    argument: str = ""
    lengths: tuple[int, int] = (32, 128)

    @property
    def asks(self) -> bool:
        """Return whether receivers need the DNS to evaluate the term (RFC 7208, 4.6.4)."""
        return self.name in ("include", "a", "mx", "ptr", "exists", "redirect")

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        """Return the network of an ip4 or ip6 term; return None for other terms."""
        return ip_network(self.argument, strict=False) if self.name in ("ip4", "ip6") else None

    @property
    def plain(self) -> str:
        """Return the term in the form used for comparisons: lower case, without the default sign "+"."""
        return self.text.lower().removeprefix("+")


def split_record(record: str) -> list[str]:
    """Return the words of an SPF record after "v=spf1"."""
    return [text for text in record.split(" ")[1:] if text]


def parse_term(text: str) -> SpfTerm | None:
    """Parse a term of an SPF record; return None if it is not valid."""
    if modifier := _MODIFIER.fullmatch(text):
        return _modifier(text, modifier[1].lower(), modifier[2])
    found = _DIRECTIVE.fullmatch(text)
    if not found:
        return None
    sign, name, argument, rest = found[1] or "+", found[2].lower(), found[3], found[4]
    if name in ("ip4", "ip6"):
        return SpfTerm(text, sign, name, f"{argument}{rest}") if _is_network(name, f"{argument}{rest}") else None
    if argument is not None and not is_host(argument):
        return None
    if name in ("a", "mx"):
        lengths = _lengths(rest)
        return SpfTerm(text, sign, name, argument or "", lengths) if lengths else None
    fits = argument is None if name == "all" else argument is not None if name in _WITH_HOST else name == "ptr"
    return SpfTerm(text, sign, name, argument or "") if fits and not rest else None


def is_host(text: str) -> bool:
    """Return whether a text is a domain name, or becomes a domain name once its macros are expanded."""
    if len(text) > 255:
        return False
    if "%" not in text:
        return _PLAIN.fullmatch(text) is not None
    return _VALUE.fullmatch(text) is not None and _MACROS_END.search(text) is not None


def _modifier(text: str, name: str, value: str) -> SpfTerm | None:
    fits = is_host(value) if name in ("redirect", "exp") else _VALUE.fullmatch(value)
    return SpfTerm(text, "", name, value) if fits else None


def _is_network(name: str, argument: str) -> bool:
    if not _NETWORK.fullmatch(argument):
        return False
    try:
        return f"ip{ip_network(argument, strict=False).version}" == name
    except ValueError:
        return False


def _lengths(text: str) -> tuple[int, int] | None:
    found = _LENGTHS.fullmatch(text)
    four, six = (int(found[1] or 32), int(found[2] or 128)) if found else (33, 129)
    return (four, six) if four <= 32 and six <= 128 else None


Network = IPv4Network | IPv6Network

# RFC 7208, 4.6.4.
MOST_LOOKUPS = 10
MOST_VOID = 2

# The maximum number of look-ups to follow. It is high enough to report the true number for nearly every record, and low
# enough to stop at hostile ones.
_FOLLOWED = 40


@dataclass(frozen=True, slots=True)
class SpfRule:
    """The result of a term, and the senders to which it applies.

    sign     the result for these senders: "+", "-", "~", "?"
    network  the network of the senders; None if the rule does not depend on a network
    inner    the rules of an included record, which must allow the sender; None if no record is included

    A rule with neither a network nor inner rules applies to all senders.
    """

    sign: str
    network: Network | None = None
    inner: tuple[SpfRule, ...] | None = None

    def fits(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether the rule applies to an IP address."""
        if self.inner is not None:
            return decide(self.inner, address) == "+"
        return self.network is None or (self.network.version == address.version and address in self.network)


def decide(rules: Sequence[SpfRule], address: IPv4Address | IPv6Address) -> str:
    """Return the sign of the first rule that applies to the address; return "" if no rule does."""
    return next((rule.sign for rule in rules if rule.fits(address)), "")


@dataclass
class SpfResult:
    """The result of following an SPF record and all records that it refers to.

    lookups   the number of DNS look-ups that the record needs
    voids     the number of look-ups that found no records
    rules     the rules that say which servers may send, in the order of the record
    includes  the domains whose servers may also send
    faults    the reasons why receivers treat the record as broken, as sentences without a full stop
    blurred   whether a term depends on the message itself, so that no list of networks is complete
    uses_ptr  whether the record uses the "ptr" mechanism
    ending    the sign of "all": "+", "-", "~", "?"; "" if there is none
    """

    lookups: int = 0
    voids: int = 0
    rules: tuple[SpfRule, ...] = ()
    includes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    blurred: bool = False
    uses_ptr: bool = False
    ending: str = ""

    def covers(self, address: str) -> bool:
        """Return whether the record allows emails from an IP address."""
        return decide(self.rules, ip_address(address)) == "+"


def spf_records(texts: tuple[str, ...]) -> list[str]:
    """Return the SPF records among a domain's TXT records (RFC 7208, 4.5)."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def walk(domain: str, record: str, ask: Ask) -> SpfResult:
    """Follow a domain's SPF record and return the result. Raises DnsError if `ask` does."""
    walked = SpfResult()
    rules, walked.ending = _Follower(walked, ask).follow(record, (domain.lower(),), passes=True)
    walked.rules = tuple(rules)
    return walked


class _Follower:
    """The walk from record to record, which adds its findings to a result."""

    def __init__(self, walked: SpfResult, ask: Ask) -> None:
        self._walked, self._ask = walked, ask

    def follow(self, record: str, path: tuple[str, ...], *, passes: bool) -> tuple[list[SpfRule], str]:
        """Return a record's rules and the sign of its "all". If it redirects, the target's "all" counts.

        path: the domain names that led to this record, ending with its own. passes: whether senders that this record
        allows may also send for the domain of the first record.
        """
        rules: list[SpfRule] = []
        terms = self._terms(record, path[-1])
        for term in terms:
            if self._walked.lookups >= _FOLLOWED:
                break
            if term.name == "all":
                return [*rules, SpfRule(term.sign)], term.sign  # everything after it is ignored
            if term.sign:
                rules += self._rules(term, path, passes=passes)
        redirect = next((term.argument for term in terms if term.name == "redirect"), "")
        if not redirect:
            return rules, ""
        found, ending = self._enter("redirect", redirect, path, passes=passes)
        return [*rules, *found], ending

    def _terms(self, record: str, domain: str) -> list[SpfTerm]:
        """Return the valid terms, and add a fault for each invalid term, which breaks the record (RFC 7208, 4.6)."""
        texts = split_record(record)
        found = [term for text in texts if (term := parse_term(text))]
        wrong = dict.fromkeys(text for text in texts if parse_term(text) is None)
        self._walked.faults += [f"{text!r} in the record of {domain} is not a valid SPF term" for text in wrong]
        names = Counter(term.name for term in found)
        twice = [name for name in ("redirect", "exp") if names[name] > 1]
        self._walked.faults += [f"{name}= occurs {names[name]} times in the record of {domain}" for name in twice]
        return found

    def _rules(self, term: SpfTerm, path: tuple[str, ...], *, passes: bool) -> list[SpfRule]:
        walked = self._walked
        if term.network is not None:
            return [SpfRule(term.sign, term.network)]
        passes = passes and term.sign == "+"
        if "%" in term.argument or term.name in (
            "ptr",
            "exists",
        ):  # it depends on the message: a macro, the client's name
            walked.lookups += 1
            walked.uses_ptr |= term.name == "ptr"
            walked.blurred |= passes
            return []
        if term.name == "include":
            inner, _ = self._enter("include", term.argument, path, passes=passes)
            return [SpfRule(term.sign, inner=tuple(inner))]
        return self._hosts(term, path[-1])

    def _hosts(self, term: SpfTerm, domain: str) -> list[SpfRule]:
        """Return the rules for the addresses that an "a" or "mx" term leads to."""
        walked, host = self._walked, term.argument or domain
        walked.lookups += 1
        hosts = [host] if term.name == "a" else [each.split(" ")[-1] for each in self._ask(host, "MX")]
        if len(hosts) > MOST_LOOKUPS:
            walked.faults.append(f"mx:{host} names {len(hosts)} servers; receivers try at most 10")
        found = [each for server in hosts[:MOST_LOOKUPS] for kind in ("A", "AAAA") for each in self._ask(server, kind)]
        walked.voids += not found
        return [SpfRule(term.sign, _widened(ip_address(each), term.lengths)) for each in found]

    def _enter(self, how: str, target: str, path: tuple[str, ...], *, passes: bool) -> tuple[list[SpfRule], str]:
        """Follow the record of another domain; return its rules and the sign of its "all".

        how: the term that leads there, "include" or "redirect", for messages. path, passes: as in `follow`.
        """
        walked, name = self._walked, target.lower().rstrip(".")
        walked.lookups += 1
        if "%" in name:
            walked.blurred |= passes
            return [], ""
        if name in path:
            walked.faults.append(f"{path[-1]} and {name} refer to each other endlessly")
            return [], ""
        if passes:
            walked.includes.append(name)
        texts = self._ask(name, "TXT")
        walked.voids += not texts
        records = spf_records(texts)
        if len(records) != 1:
            many = "no SPF record" if not records else f"{len(records)} SPF records"
            walked.faults.append(f"{how}:{name} leads to {many}")
            return [], ""
        return self.follow(records[0], (*path, name), passes=passes)


def _widened(address: IPv4Address | IPv6Address, lengths: tuple[int, int]) -> Network:
    """Return the network of an address, with the prefix length for its IP version. lengths: for IPv4 and for IPv6."""
    return ip_network(f"{address}/{lengths[address.version == 6]}", strict=False)
