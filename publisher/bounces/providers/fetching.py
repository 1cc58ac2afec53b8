"""Asking Amazon over https: in little time, for few bytes, and following nobody elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

SECONDS = 10
MOST_BYTES = 100_000


def fetch(url: str) -> bytes:
    """Return what is behind a URL. Raises OSError for no answer within SECONDS, a redirect, or too long an answer."""
    import httpx

    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            return _read(client, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"no answer: {type(error).__name__}") from error


def _read(client: httpx.Client, url: str) -> bytes:
    end, data = time.monotonic() + SECONDS, b""
    with client.stream("GET", url) as answer:
        if answer.status_code != 200:
            raise OSError(f"answered {answer.status_code}")
        for part in answer.iter_bytes():
            data += part
            if len(data) > MOST_BYTES or time.monotonic() > end:  # a timeout of reading begins anew with every byte
                raise OSError("answered too much, or too slowly")
    return data
