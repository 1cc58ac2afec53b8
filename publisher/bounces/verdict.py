"""Judges from a server's answer whether a mailbox exists (RFC 3463 and the registry of enhanced status codes).

Unless the answer proves that the mailbox doesn't exist, a failure is only counted. The next message that arrives
corrects a wrong count, but no one would notice a subscriber who was stopped by mistake.
"""

from __future__ import annotations

import re
import unicodedata

from publisher.core.bounce_report import Verdict

MOST_WORDS = 200

# Codes (subject.detail of class 5) which mean that the mailbox or its domain doesn't exist and won't exist later.
_GONE = frozenset(
    {
        *("1.1", "1.2", "1.3", "1.6", "1.10"),  # no such mailbox, no such system, bad syntax, moved, null MX
        *("2.1", "4.4", "4.310"),  # disabled; no route to the domain (Postfix), no such domain (Exchange)
        *("7.17", "7.18"),  # mailbox or domain has changed hands (RFC 7293)
    }
)
# Codes about the sender, the message or the receiver's rules, besides all of 5.5 (protocol), 5.6 (content) and 5.7
# (policy).
_REFUSED = frozenset({"1.7", "1.8", "2.3", "3.4"})
_REFUSED_SUBJECTS = ("5", "6", "7")

_CODE = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?!\w|\.\d)")
_REPLY = re.compile(r"(?:^|[\s:;])([45]\d\d)[ -]")
_WORD = re.compile(r"[^\s<>()\[\]\"',;:]+")

_NOBODY = re.compile(
    r"user unknown|unknown (?:user|recipient|mailbox|local part)|no such (?:user|mailbox|recipient|address|person)"
    r"|(?:user|mailbox|recipient|address|account|domain)\b[^.;:]{0,80}?(?:does not exist|doesn't exist|not found)"
    r"|no mailbox here|unrouteable address|invalid (?:recipient|mailbox)|not a valid (?:user|mailbox)"
    r"|(?:account|mailbox) (?:is |has been )?(?:disabled|deactivated|inactive|closed)",
    re.IGNORECASE,
)
_NOT_WANTED = re.compile(
    r"spam|block|blacklist|denylist|policy|reputation|dmarc|spf|dkim|virus|content|reject(?:ed)? as|banned|listed",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    r"quota|full|over ?limit|too (?:quickly|many|fast)|rate|try (?:again|later)|temporar|greylist", re.IGNORECASE
)


def judge(status: str, words: str = "") -> Verdict:
    """Return the verdict on a failure: PERMANENT, TEMPORARY or REFUSED. Never raises.

    status  the enhanced status code, or ""
    words   the server's answer, which may contain a code too. Codes such as x.0.0, which say nothing, are ignored. If
            both codes say something but disagree, the milder verdict is returned
    """
    codes = [code for code in (status_in(status), status_in(words)) if code]
    telling = [code for code in codes if not code.endswith(".0.0")]
    verdicts = {_of_code(code, words) for code in telling} or {_of_words(status or words, words)}
    return Verdict.PERMANENT if verdicts == {Verdict.PERMANENT} else _milder(verdicts)


def _milder(verdicts: set[Verdict]) -> Verdict:
    return Verdict.REFUSED if Verdict.REFUSED in verdicts else Verdict.TEMPORARY


def _of_code(code: str, words: str) -> Verdict:
    kind, subject, _ = code.split(".")
    detail = code[2:]
    if kind == "4":
        return Verdict.TEMPORARY
    if detail in _GONE:
        # Gmail also uses 5.2.1 for a mailbox that receives too much at once, and some servers for a full mailbox.
        return Verdict.TEMPORARY if subject == "2" and _NOT_NOW.search(words) else Verdict.PERMANENT
    refused = detail in _REFUSED or subject in _REFUSED_SUBJECTS
    return Verdict.REFUSED if refused else Verdict.TEMPORARY


def _of_words(code: str, words: str) -> Verdict:
    """Judge an answer without a meaningful code by its words; only unambiguous words are PERMANENT."""
    reply = _REPLY.search(words)
    if code.startswith("4") or (reply and reply[1].startswith("4")) or _NOT_NOW.search(words):
        return Verdict.TEMPORARY
    if _NOT_WANTED.search(words):
        return Verdict.REFUSED
    return Verdict.PERMANENT if _NOBODY.search(words) else Verdict.TEMPORARY


def status_in(text: str) -> str:
    """Return the first enhanced status code in a text, such as "5.1.1", or ""."""
    found = _CODE.search(text)
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def short_words(text: str) -> str:
    """Shorten a server's answer for storage: one line of at most MOST_WORDS characters, without email addresses."""
    visible = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text[:2_000])
    bare = _WORD.sub(lambda word: "…" if "@" in word[0] else word[0], " ".join(visible.split()))
    return bare if len(bare) <= MOST_WORDS else f"{bare[: MOST_WORDS - 1].rstrip()}…"
