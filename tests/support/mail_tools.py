"""Third-party programs that judge emails: html-validate, vnu, caniemail and doiuse-email, SpamAssassin."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

from tests.support import NPM
from tests.support.needs import need, need_npm

HERE = NPM / "mail"
VNU = HERE / "node_modules/vnu-jar/build/dist/vnu.jar"


def needs(*programs: str) -> None:
    """Skip the test if a program or the packages of package.json are not installed."""
    need(*programs)
    if {"node", "java"} & set(programs):
        need_npm("mail", "vnu-jar")


def listed(name: str) -> Any:
    """Return one of the reviewed lists next to this file."""
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def html_validate(folder: Path) -> dict[str, set[tuple[str, str]]]:
    """Return rule and message of everything that html-validate reports for the .html files of a folder, by name."""
    found = _node("html", folder).items()
    return {Path(file).name: {(each["rule"], each["message"]) for each in said} for file, said in found}


def unsupported(folder: Path) -> dict[str, dict[str, set[str]]]:
    """Return, by file name, features that any of the four large email clients lacks, and which clients lack them."""
    features: dict[str, dict[str, set[str]]] = {}
    for file, found in _node("support", folder).items():
        for each in found:
            features.setdefault(Path(file).name, {}).setdefault(each["feature"], set()).add(each["client"])
    return features


def vnu(folder: Path) -> dict[str, set[str]]:
    """Return the messages of the Nu HTML Checker, by file name."""
    files = sorted(map(str, folder.glob("*.html")))
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # optimising would take longer than checking
    program = ["java", "-Xss8m", *quick, "-jar", str(VNU), "--format", "json", "--exit-zero-always", *files]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300, check=True)
    found: dict[str, set[str]] = {}
    for each in json.loads(done.stderr)["messages"]:
        found.setdefault(unquote(each["url"]).rpartition("/")[2], set()).add(each["message"])
    return found


def spam_scores(messages: Sequence[bytes]) -> list[tuple[float, str]]:
    """Return SpamAssassin's score of each message by its local rules, without the network, and the rules that matched.

    One process reads all messages, as loading its rules takes a second.
    """
    with TemporaryDirectory() as folder:
        files = [Path(folder, str(number)) for number in range(len(messages))]
        for file, message in zip(files, messages, strict=True):
            file.write_bytes(message)
        program = ["spamassassin", "-L", "-t", *map(str, files)]
        done = subprocess.run(program, capture_output=True, timeout=300, check=True)
    text = done.stdout.decode("utf-8", "replace")
    found = [re.sub(r"\s+", " ", each) for each in re.findall(r"^X-Spam-Status:(.*(?:\n[ \t].*)*)", text, re.MULTILINE)]
    assert len(found) == len(messages), text[-3000:]
    return [(float(re.search(r"score=(-?[\d.]+)", status)[1]), status) for status in found]


def _node(what: str, folder: Path) -> Any:
    program = ["node", str(HERE / "check.mjs"), what, str(folder)]
    return json.loads(subprocess.run(program, capture_output=True, text=True, timeout=300, check=True).stdout)
