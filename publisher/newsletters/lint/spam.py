"""Measures the spam score of a message with SpamAssassin's local tests, which do not use the network."""

from __future__ import annotations

import re
import subprocess
from email import message_from_bytes
from email.policy import default

from publisher.newsletters.lint.finding_codes import Finding, FindingLevel, found

PROGRAM = "spamassassin"
NOTEWORTHY = 2.0  # points from which the score is a warning; SpamAssassin counts five as spam
_STATUS = re.compile(r"score=(-?[\d.]+)\s+required=(-?[\d.]+)\s+tests=(\S*)")


def spam_findings(message: bytes, where: str, *, program: str = PROGRAM, seconds: float = 60) -> list[Finding]:
    """Return a finding with SpamAssassin's score for a message, or a note if the program gives no answer.

    message  the whole message
    where    the place that the finding names: the email's template
    program  the name or path of SpamAssassin
    seconds  how long to wait for its answer
    """
    command = [program, "--local", "--test-mode", "--nocreate-prefs"]
    try:
        ran = subprocess.run(command, input=message, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        return [found("spam-unmeasured", where, f"{program} is not installed, so the email has no spam score")]
    except (subprocess.TimeoutExpired, OSError):
        return [_no_answer(program, where)]
    return score_findings(ran.stdout, where)


def score_findings(report: bytes, where: str) -> list[Finding]:
    """Return a finding with the score in SpamAssassin's report; it is a note below NOTEWORTHY points."""
    header = str(message_from_bytes(report, policy=default).get("X-Spam-Status", ""))
    status = _STATUS.search(re.sub(r",\s+", ",", header))
    if not status:
        return [_no_answer(PROGRAM, where)]
    score, required, tests = float(status[1]), float(status[2]), status[3].replace(",", ", ")
    level: FindingLevel = "error" if score >= required else "warning" if score >= NOTEWORTHY else "note"
    message = f"SpamAssassin gives it {score:g} points ({required:g} count as spam): {tests}"
    return [found("spam-score", where, message, level=level)]


def _no_answer(program: str, where: str) -> Finding:
    return found("spam-unmeasured", where, f"{program} gave no answer", "run it by hand to see why")
