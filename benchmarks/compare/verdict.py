"""What a check says: yes, partly or no, and why in a few words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.compare.evidence import Build, Evidence
from benchmarks.compare.feed import KIND_NAMES, Entry, Feed


class Answer(StrEnum):
    """Whether a promise is kept."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer and its reason; a plain yes needs no reason."""

    answer: Answer
    reason: str = ""


Check = Callable[[Evidence], Verdict]

YES = Verdict(Answer.YES)


def no(reason: str) -> Verdict:
    """Return a no, with its reason."""
    return Verdict(Answer.NO, reason)


def partly(reason: str) -> Verdict:
    """Return a partly, with its reason."""
    return Verdict(Answer.PARTLY, reason)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; footnotes refer to it by key."""

    key: str
    promise: str
    check: Check


def of_parts(faults: dict[str, str]) -> Verdict:
    """Judge parts by their faults: yes if every fault is "", no if none is, otherwise partly."""
    bad = {name: fault for name, fault in faults.items() if fault}
    if not faults:
        return no("there is nothing to judge")
    if not bad:
        return YES
    told = set(bad.values())
    reason = told.pop() if len(told) == 1 and len(bad) == len(faults) else listed(f"{n}: {f}" for n, f in bad.items())
    return no(reason) if len(bad) == len(faults) else partly(reason)


def in_each_format(build: Build, fault: Callable[[Feed], str]) -> Verdict:
    """Judge the site's main feed in each of its formats; `fault` returns what is wrong, or ""."""
    if build.refused:
        return no(f"the build stops: {build.refused}")
    if not build.main:
        return no("there is no feed")
    return of_parts({KIND_NAMES[kind]: fault(feed) for kind, feed in build.main.items()})


def in_entry(build: Build, name: str, fault: Callable[[Entry], str]) -> Verdict:
    """Judge the entry of one post in each format."""
    post = build.corpus.post(name)

    def judge(feed: Feed) -> str:
        entry = feed.entry(post.mark, post.title)
        return fault(entry) if entry else "the post is not in the feed"

    return in_each_format(build, judge)


def listed(items: Iterable[str], most: int = 3) -> str:
    """Return the first few items as a phrase."""
    found = list(items)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
