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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"{SITE}[delivery]\nlease_seconds = 30\n", 30),
        (f"{SMTP}[delivery]\nlease_seconds = 30\n[mail.smtp]\ntimeout = 60\n", 30),  # a living worker renews it
        (f"{SMTP}[mail.smtp]\ntimeout = 60\n", 120),
    ],
)
def test_a_lease_is_as_long_as_configured(tmp_path: Path, text: str, seconds: int) -> None:
    assert options(tmp_path, text).lease == timedelta(seconds=seconds)
