"""The spam score of a message by SpamAssassin's local tests: a program on this host, which uses no network."""

from __future__ import annotations

import re
import subprocess
from email import message_from_bytes
from email.policy import default

from publisher.newsletters.lint.finding_codes import Finding, FindingLevel, found

PROGRAM = "spamassassin"
NOTEWORTHY = 2.0  # points from which the score is a warning; SpamAssassin itself calls five spam
_STATUS = re.compile(r"score=(-?[\d.]+)\s+required=(-?[\d.]+)\s+tests=(\S*)")


def spam_findings(message: bytes, where: str, *, program: str = PROGRAM, seconds: float = 60) -> list[Finding]:
    """Return SpamAssassin's score for a whole message, or a note if it is not installed or gives no answer.

    where  the place that the finding names: the email's template
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
    """Return the score in a message as SpamAssassin returned it: a note below NOTEWORTHY."""
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
