"""How configuration becomes the options of a delivery run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.mail.run_options import DeliveryOptions
from publisher.publishing.mail_wiring import delivery_options

SITE = '[site]\ntitle = "A"\nurl = "https://a.example"\n[mail]\nsender = "ada@a.example"\n'
SMTP = f'{SITE}transport = "smtp"\n'


def options(tmp_path: Path, text: str) -> DeliveryOptions:
    (tmp_path / "publisher.toml").write_text(text, encoding="utf-8")
    return delivery_options(load_config(tmp_path, {}))


@pytest.mark.parametrize("timeout", [1, 10, 27, 28, 60, 3_600])
@pytest.mark.parametrize("table", ["[mail.smtp]\n", "[[mail.relays]]\ntimeout = 1\n[[mail.relays]]\n"])
def test_a_lease_outlasts_two_late_answers(tmp_path: Path, table: str, timeout: int) -> None:
    """A message may be begun until half of the lease is over.

    Then the answer to the message before it and its own may each take as long as the slowest server is waited for; and
    some seconds must be left, or another worker sends the message too.
    """
    late = timedelta(seconds=timeout)
    lease = options(tmp_path, f"{SMTP}{table}timeout = {timeout}\n").lease
    assert lease / 2 + 2 * late + timedelta(seconds=5) <= lease


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"{SITE}[delivery]\nlease_seconds = 30\n[mail.smtp]\ntimeout = 60\n", 30),  # the outbox answers at once
        (f"{SMTP}[delivery]\nlease_seconds = 30\n[mail.smtp]\ntimeout = 60\n", 250),
        (f"{SMTP}[delivery]\nlease_seconds = 900\n[mail.smtp]\ntimeout = 60\n", 900),
        (f"{SMTP}[mail.smtp]\ntimeout = 10\n", 120),
    ],
)
def test_a_lease_is_as_long_as_configured_or_longer(tmp_path: Path, text: str, seconds: int) -> None:
    assert options(tmp_path, text).lease == timedelta(seconds=seconds)
