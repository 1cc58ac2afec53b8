"""What the tests of the doctor share: a DNS zone as a dictionary, and diagnoses in brief."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from publisher.mail.doctor.diagnosis import Ask, Diagnosis

HERE = "203.0.113.7"
Zone = Mapping[str, str | tuple[str, ...]]


def asking(zone: Zone) -> Ask:
    """Return a resolver for a zone given as {"TXT example.org": record or records}."""

    def ask(name: str, kind: str) -> tuple[str, ...]:
        found = zone.get(f"{kind} {name.lower().rstrip('.')}", ())
        return (found,) if isinstance(found, str) else found

    return ask


def brief(found: Iterable[Diagnosis]) -> list[tuple[str, str]]:
    """Return the level and message of each diagnosis."""
    return [(str(each.level), each.message) for each in found]
