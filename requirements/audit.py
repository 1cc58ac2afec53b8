"""Ask pip-audit whether a vulnerability is known of a package in the lists of this folder. `make audit` runs it.

Without a network, or where the registry has no advisories, nothing can be said, which is not an error: the exit code is
1 only if a vulnerability is known. ACCEPTED has the advisories that do not concern us, each with the reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LISTS = ("run", "postgres", "test", "build")
SECONDS = 120
ACCEPTED: dict[str, str] = {}


def asked() -> list[dict[str, Any]]:
    """Return what pip-audit says of each package; an empty list if it cannot say anything in time."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", "10"]
    for name in LISTS:
        command += ["--requirement", str(FOLDER / f"{name}.txt")]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
        return list(json.loads(said)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []


def verdict(packages: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Return the exit code and what to print."""
    looked_at = [package for package in packages if "vulns" in package]
    found = [
        f"{package['name']} {package['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'none'}"
        for package in looked_at
        for each in package["vulns"]
        if each["id"] not in ACCEPTED
    ]
    if found:
        return 1, [*found, "Raise the version in constraints.txt and run `make lock`."]
    if not looked_at:
        return 0, ["The advisories can't be reached here, so nothing was looked at."]
    skipped = len(packages) - len(looked_at)
    return 0, [f"No vulnerability is known of {len(looked_at)} packages." + f" {skipped} are unknown." * bool(skipped)]


def main() -> int:
    """Ask, and print the verdict."""
    code, lines = verdict(asked())
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
