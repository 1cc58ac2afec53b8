"""Files and folders that the system refuses to open, even for root, who ignores permissions."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def forbid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the system refuse to open a file or folder, as it does after chmod 000 for everyone except root."""

    def refusing(open_it: Callable[..., Any]) -> Callable[..., Any]:
        def opened(name: Any, *rest: Any, **more: Any) -> Any:
            if isinstance(name, str | Path) and os.path.normpath(name) == str(path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
            return open_it(name, *rest, **more)

        return opened

    monkeypatch.setattr(os, "open", refusing(os.open))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(os, "listdir", refusing(os.listdir))
    monkeypatch.setattr(io, "open", refusing(io.open))
