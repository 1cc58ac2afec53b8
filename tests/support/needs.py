"""Programs that aren't Python packages: where Debian and npm have them, and how tests ask for them.

A test that needs a program asks for it here, and is skipped if it is missing; the run then ends with one line that says
how to install all missing programs. `python3 -m tests.support.needs` prints what .ci/run has to install.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

NPM = Path(__file__).parents[1] / "npm"
# Debian keeps servers in sbin, which an ordinary user's PATH may lack.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/usr/lib/dovecot"])
# program: Debian's package
PACKAGES = {
    "caddy": "caddy",
    "chromium": "chromium",
    "curl": "curl",
    "dovecot": "dovecot-imapd",
    "fail2ban-regex": "fail2ban",
    "java": "default-jre-headless",
    "lmtp": "dovecot-lmtpd",
    "newsboat": "newsboat",
    "nginx": "nginx-light",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "pgbouncer": "pgbouncer",
    "postfix": "postfix",
    "r2e": "rss2email",
    "sfeed_update": "sfeed",
    "smtp-sink": "postfix",
    "spamassassin": "spamassassin",
    "systemd-analyze": "systemd",
    "unshare": "util-linux",
    "xmllint": "libxml2-utils",
}
REASON = "needs "


def found(program: str) -> str | None:
    """Return the path of a program, or None."""
    return shutil.which(program, path=PATH)


def need(*programs: str) -> str:
    """Return the path of the first program; skip the calling test if any of them is missing."""
    import pytest

    for program in programs:
        if found(program) is None:
            pytest.skip(f"{REASON}{PACKAGES[program]}")
    return found(programs[0]) or ""


def needs(program: str) -> Any:
    """Mark a test, or a module by `pytestmark`, to be skipped if a program is missing."""
    import pytest

    return pytest.mark.skipif(found(program) is None, reason=f"{REASON}{PACKAGES[program]}")


def need_npm(folder: str, package: str) -> Path:
    """Return the folder of an npm package of tests/npm/<folder>; skip the test if it is not installed."""
    import pytest

    path = NPM / folder / "node_modules" / package
    if not path.exists():
        pytest.skip(f"{REASON}the npm packages")
    return path


def advice(reasons: list[str]) -> str:
    """Return one line that says how to install what skipped tests needed; "" if nothing was missing."""
    wanted = sorted({reason.split(REASON, 1)[1] for reason in reasons if REASON in reason})
    if not wanted:
        return ""
    count = sum(REASON in reason for reason in reasons)
    debian = " ".join(name for name in wanted if name in PACKAGES.values())
    install = [f"apt-get install {debian}"] if debian else []
    install += ["npm install in the folders of tests/npm"] if any("npm" in name for name in wanted) else []
    return f"{count} tests were skipped: they need {' and '.join(install)}; .ci/run does that"


if __name__ == "__main__":
    missing = sorted({package for program, package in PACKAGES.items() if found(program) is None})
    sys.stdout.write(" ".join(missing))
