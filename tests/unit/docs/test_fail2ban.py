"""The fail2ban filter in deploy/ matches the lines that the program logs."""

from __future__ import annotations

import configparser
import io
import re
import subprocess
from pathlib import Path

import pytest

from publisher.core import logging
from tests.support import ROOT
from tests.support.needs import found as path_of
from tests.support.needs import needs

FILTER = ROOT / "deploy/fail2ban/publisher.conf"
ADDRESSES = ["203.0.113.7", "2001:db8::1"]


def logged(style: logging.Format) -> list[str]:
    """Return log lines about logins (failed, refused, successful) and requests, from two addresses and a network."""
    stream = io.StringIO()
    logging.configure(style, stream)
    for client in (*ADDRESSES, "203.0.113.0/24"):
        for event, why in (("login failed", "wrong password"), ("login refused", "too many wrong passwords")):
            logging.log(event, f"{event} from {client}: {why}", level="warning", client=client, why=why)
        logging.log("login", f"login from {client}", client=client)
        logging.log("answered", f"{client} GET /admin/… 403 3ms", client=client, path="/admin/…", status=403)
    logging.configure()
    return stream.getvalue().splitlines()


def without_time(line: str) -> str:
    """Remove the time from a line, as fail2ban does."""
    return re.sub(r'^(?:\{"time": ")?[0-9-]+T[0-9:]+\+00:00', "", line)


@pytest.mark.parametrize("style", ["human", "json"])
def test_the_filter_finds_the_address_of_each_failed_login(style: logging.Format) -> None:
    settings = configparser.ConfigParser()
    settings.read(FILTER)
    address = r"(?P<found>[0-9a-f.:]*[0-9a-f])"
    texts = settings["Definition"]["failregex"].splitlines()
    patterns = [re.compile(text.replace("<ADDR>", address)) for text in texts]
    lines = logged(style)
    for seen in (
        [without_time(line) for line in lines],
        [f"host publisher[123]: {line}" for line in lines],
        [f"host publisher[123]: {without_time(line)}" for line in lines],
    ):
        found = [match["found"] for line in seen for each in patterns if (match := each.search(line))]
        assert found == [ADDRESSES[0], ADDRESSES[0], ADDRESSES[1], ADDRESSES[1]]


@needs("fail2ban-regex")
@pytest.mark.parametrize("style", ["human", "json"])
def test_fail2ban_itself_finds_the_failed_logins(style: logging.Format, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"{line}\n" for line in logged(style)))
    program = [path_of("fail2ban-regex") or "", "--out", "ip", str(tmp_path / "log"), str(FILTER)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [ADDRESSES[0], ADDRESSES[0], ADDRESSES[1], ADDRESSES[1]]
