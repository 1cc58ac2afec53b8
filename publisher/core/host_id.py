"""The identity of this host, which prevents a copy of a project on another host from sending email automatically."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

HOST_VARIABLE = "PUBLISHER_HOST"
JOIN_VARIABLE = "PUBLISHER_JOIN"
_MACHINE = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def host_id(root: Path, environment: Mapping[str, str], machine: Sequence[Path] = _MACHINE) -> str:
    """Return the id of this host for a project, as 16 hexadecimal digits.

    The id is derived from the machine's id (machine-id(5)), its name and the project's folder. A cloned disk, a copied
    folder or a database restored elsewhere therefore counts as a different host. A container has a different name each
    time, so it should set PUBLISHER_HOST, from which the id is then derived instead.
    """
    given = environment.get(HOST_VARIABLE, "").strip()
    parts = ["given", given] if given else [_machine_id(machine), os.uname().nodename, str(root.resolve())]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def host_name(root: Path, environment: Mapping[str, str]) -> str:
    """Return a readable name of this host."""
    return environment.get(HOST_VARIABLE, "").strip() or f"{os.uname().nodename}:{root.resolve()}"


def _machine_id(files: Sequence[Path]) -> str:
    for path in files:
        try:
            if text := path.read_text("ascii").strip():
                return text
        except (OSError, UnicodeDecodeError):
            continue
    return ""
