"""Judges a mail server's answer: whether the mailbox is gone, the failure is temporary, or the message was refused.

The same judge is used for the answer during sending, for bounce messages and for webhooks. It knows the enhanced status
codes (RFC 3463 and the registry; codes.tsv) and the words of many servers (phrases.tsv). The most telling code counts;
words that say outright that there is no such mailbox outweigh a code about the sender or the message, and words about
the sender, the message or a full mailbox outweigh everything. Unless an answer proves that the mailbox doesn't exist, a
failure is only counted. The next message that arrives corrects a wrong count, but no one would notice a subscriber who
was stopped by mistake.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from publisher.bounces.phrases import MOST_COMPARED, Meaning, meanings_of, plain_text, table_of
from publisher.core.bounce_report import Verdict
from publisher.core.frozen import dataclass

MOST_WORDS = 200

_CODE = re.compile(r"(?<![\w.])([245])\.([0-7])\.(\d{1,3})(?!\w|\.\d)")
# A reply code is at the beginning, after a character such as the ":" of "said:", or after a word that announces it.
_REPLY = re.compile(
    r"(?:^|[^\w.\s]\s{0,3}|\b(?:said|error|code|status|response)\s{1,3})(?<!\d)([45]\d\d)(?=[ \-:#]|$)", re.IGNORECASE
)
_WORD = re.compile(r"[^\s<>()\[\]\"',;:]+")

# Codes about the protocol, the content and the policy concern the sender or the message, unless the table differs.
_REFUSED_SUBJECTS = ("5", "6", "7")
# Servers also give these for a mailbox that doesn't exist, so a provider's own "hard bounce" outweighs them.
_GENERAL = re.compile(r"5\.\d+|6\.0|7\.[01]")
# Codes that say hardly anything, and those with which Exchange Online wraps another server's answer.
_VAGUE = re.compile(r"0\.\d+|[1-5]\.0|\d\.35\d")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and whether it is firm: based on a specific code or on words, not only on a general code."""

    verdict: Verdict
    firm: bool = True


def judge(status: str, words: str = "") -> Verdict:
    """Return the verdict on a failure: PERMANENT, TEMPORARY or REFUSED. Never raises; the time is bounded.

    status  the enhanced status code, or ""
    words   the server's answer, which may contain a reply code and more enhanced status codes
    """
    return judgement(status, words).verdict


def weigh(vote: Verdict, status: str, words: str) -> Verdict:
    """Return the verdict on a failure that a provider has judged too.

    A provider's vote for PERMANENT counts, unless the answer itself says something else. A general code such as 5.7.1,
    which may mean anything, makes the verdict TEMPORARY, so that the failure is only counted. Milder votes are returned
    as they are.
    """
    if vote is not Verdict.PERMANENT or not (status or words):
        return vote
    own = judgement(status, words)
    if own.firm:
        return own.verdict
    return Verdict.TEMPORARY if own.verdict is Verdict.REFUSED else Verdict.PERMANENT


def judgement(status: str, words: str) -> Judgement:
    """Return the verdict as `judge` does, with its firmness."""
    words = words[:MOST_COMPARED]
    codes = [*_CODE.findall(status[:100]), *(code for code in _CODE.findall(words) if code[0] != "2")]
    says = meanings_of(words)
    if _passes(codes, words or status):
        return Judgement(Verdict.REFUSED if Meaning.BLAMED in says else Verdict.TEMPORARY)
    details = [f"{int(subject)}.{int(detail)}" for _, subject, detail in codes]
    return _of_final(_told_by_codes(details, words), details, says)


def _passes(codes: list[tuple[str, str, str]], words: str) -> bool:
    """Return whether a failure is temporary by its class: 4, or 2, which contradicts the failure."""
    return any(code[0] != "5" for code in codes) or any(reply[0] == "4" for reply in _REPLY.findall(words))


def _of_final(told: frozenset[Verdict], details: list[str], says: frozenset[Meaning]) -> Judgement:
    """Judge a final failure. told: the verdicts of the specific codes."""
    if "2.2" in details:
        return Judgement(Verdict.TEMPORARY)
    if Meaning.BLAMED in says:
        return Judgement(Verdict.REFUSED)
    if Meaning.FULL in says:
        return Judgement(Verdict.TEMPORARY)
    gone, nobody = told == {Verdict.PERMANENT}, Meaning.NOBODY in says
    if nobody and (gone or not says & {Meaning.LATER, Meaning.HINTED, Meaning.DENIED}):
        return Judgement(Verdict.PERMANENT)
    if Meaning.LATER in says and Verdict.REFUSED not in told:
        return Judgement(Verdict.TEMPORARY)
    hinted = Meaning.HINTED in says or (Meaning.DENIED in says and not gone)
    if hinted and Verdict.TEMPORARY not in told:
        return Judgement(Verdict.REFUSED)
    return _of_codes(told, details)


def _of_codes(told: frozenset[Verdict], details: list[str]) -> Judgement:
    """Judge a final failure whose words say nothing."""
    for verdict in (Verdict.REFUSED, Verdict.TEMPORARY, Verdict.PERMANENT):  # if codes disagree, the mildest
        if verdict in told:
            return Judgement(verdict)
    if any(each[0] in _REFUSED_SUBJECTS for each in details):
        return Judgement(Verdict.REFUSED, firm=not any(_GENERAL.fullmatch(each) for each in details))
    return Judgement(Verdict.TEMPORARY, firm=False)


def _told_by_codes(details: list[str], words: str) -> frozenset[Verdict]:
    """Return the verdicts of the codes in the table. Vague codes only count if there are no others."""
    text = plain_text(words)
    found = {detail: verdict for detail in details if (verdict := _of_detail(detail, text))}
    telling = {detail: verdict for detail, verdict in found.items() if not _VAGUE.fullmatch(detail)}
    unnamed = any(detail[0] in "67" and detail not in found for detail in details if not _VAGUE.fullmatch(detail))
    return frozenset((telling or found).values()) | ({Verdict.REFUSED} if unnamed and found else set())


def _of_detail(detail: str, text: str) -> Verdict | None:
    """Return the table's verdict on a code, such as "1.1"; None if it is not in the table."""
    rows = _table().get(detail, ())
    return next((verdict for phrase, verdict in rows if not phrase or phrase in text), None)


@lru_cache(maxsize=1)
def _table() -> dict[str, list[tuple[str, Verdict]]]:
    """Return the phrases and verdicts of each code. Entries with a phrase come first."""
    found: dict[str, list[tuple[str, Verdict]]] = {}
    for code, phrase, verdict, _ in sorted(table_of("codes.tsv"), key=lambda row: not row[1]):
        found.setdefault(code.removeprefix("x."), []).append((phrase, Verdict(verdict)))
    return found


def status_in(*texts: str) -> str:
    """Return the most telling enhanced status code in texts, such as "5.1.1", or "" if they have none."""
    codes = [
        ".".join(str(int(part)) for part in code) for text in texts for code in _CODE.findall(text[:MOST_COMPARED])
    ]
    telling = (code for code in codes if not _VAGUE.fullmatch(code[2:]))
    return next(telling, codes[0] if codes else "")


def short_words(text: str) -> str:
    """Shorten a server's answer for storage: one line of at most MOST_WORDS characters, without email addresses."""
    visible = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text[:2_000])
    bare = _WORD.sub(lambda word: "…" if "@" in word[0] else word[0], " ".join(visible.split()))
    return bare if len(bare) <= MOST_WORDS else f"{bare[: MOST_WORDS - 1].rstrip()}…"
