"""What SpamAssassin's local tests make of a message. It runs a program of the machine, and asks no network."""

from __future__ import annotations

import re
import subprocess
from email import message_from_bytes
from email.policy import default

from publisher.newsletters.lint.findings import Finding, Level, found

PROGRAM = "spamassassin"
ENOUGH = 2.0  # points at which a writer should look; SpamAssassin itself calls five spam
_STATUS = re.compile(r"score=(-?[\d.]+)\s+required=(-?[\d.]+)\s+tests=(\S*)")


def spam_findings(message: bytes, where: str, *, program: str = PROGRAM, seconds: float = 60) -> list[Finding]:
    """Return the score that SpamAssassin gives a whole message; a note where it is not installed or gives no answer.

    where  the place that a finding names: the letter's template
    """
    command = [program, "--local", "--test-mode", "--nocreate-prefs"]
    try:
        ran = subprocess.run(command, input=message, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        return [found("spam-unmeasured", where, f"{program} is not installed, so the letter has no spam score")]
    except (subprocess.TimeoutExpired, OSError):
        return [found("spam-unmeasured", where, f"{program} gave no answer", "run it by hand to see why")]
    return of_report(ran.stdout, where)


def of_report(report: bytes, where: str) -> list[Finding]:
    """Return the score that stands in the message as SpamAssassin gave it back: a note below ENOUGH."""
    header = str(message_from_bytes(report, policy=default).get("X-Spam-Status", ""))
    status = _STATUS.search(re.sub(r",\s+", ",", header))
    if not status:
        return [found("spam-unmeasured", where, f"{PROGRAM} gave no answer", "run it by hand to see why")]
    score, required, tests = float(status[1]), float(status[2]), status[3].replace(",", ", ")
    level: Level = "error" if score >= required else "warning" if score >= ENOUGH else "note"
    message = f"SpamAssassin gives it {score:g} points, and {required:g} are spam: {tests}"
    return [found("spam-score", where, message, level=level)]
