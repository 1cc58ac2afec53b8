"""What stands in deploy/ fits the program and itself, as far as that can be told without installing it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from publisher.cli.main import cli
from publisher.config.environment import NOT_SETTINGS, variables
from publisher.publishing.exposure import _ignoring
from tests.support.needs import need
from tests.support.project import ROOT

DEPLOY = ROOT / "deploy"
WORST_EXPOSURE = 20  # tenths, of 100: what systemd itself calls "OK"


def unit(tmp_path: Path) -> Path:
    """The unit with a program and a user that this machine has."""
    text = (DEPLOY / "publisher.service").read_text()
    text = text.replace("/opt/publisher/bin/publisher", "/usr/bin/env").replace("=letter", "=root")
    path = tmp_path / "publisher.service"
    path.write_text(text)
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    need("systemd-analyze")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_in_the_unit(tmp_path: Path) -> None:
    done = analyze("verify", str(unit(tmp_path)))
    assert (done.returncode, "publisher.service" in done.stdout + done.stderr) == (0, False), done.stderr


def test_a_mistake_in_the_unit_would_be_found(tmp_path: Path) -> None:
    path = unit(tmp_path)
    path.write_text(path.read_text().replace("ProtectHome=true", "ProtectHouse=true"))
    assert "ProtectHouse" in analyze("verify", str(path)).stderr


def test_the_unit_gives_the_program_little_to_break(tmp_path: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", str(unit(tmp_path)))
    assert done.returncode == 0, done.stdout


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, its arguments) of each line, continued ones joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_is_made_of_files_that_are_there_and_runs_as_nobody_special() -> None:
    lines = dockerfile()
    copied = [part for word, rest in lines if word == "COPY" and "--from" not in rest for part in rest.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"publisher", "templates", "pyproject.toml", "README.md", "LICENSE"} <= set(copied)
    words = [word for word, _ in lines]
    assert ("USER", "letter") in lines
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert dict(lines)["STOPSIGNAL"] == "SIGTERM"


PRIVATE = """
.publisher/publisher.db .publisher/secret .publisher/outbox/new/1.eml outbox/new/1.eml subscribers.csv .env deploy/.env
keys/newsletter.pem publisher/.env templates/copy.db publisher.toml .git/config posts/draft.md public/index.html
publisher/__pycache__/x.pyc .venv/bin/python tests/conftest.py
"""


def test_the_context_of_the_image_has_only_what_is_copied() -> None:
    is_ignored = _ignoring(ROOT, (ROOT / ".dockerignore").read_text().splitlines())
    copies = [rest.split()[:-1] for word, rest in dockerfile() if word == "COPY" and "--from" not in rest]
    copied = [ROOT / name for names in copies for name in names]
    assert [path for path in copied if is_ignored(path)] == []
    assert not any(is_ignored(path) for folder in copied for path in folder.rglob("[a-z]*.py"))
    assert [path for path in PRIVATE.split() if not is_ignored(ROOT / path)] == []


def test_the_source_package_has_what_the_documents_name_and_no_project() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert all(name.startswith("/") and (ROOT / name[1:]).exists() for name in package["include"])
    assert {"/publisher", "/templates", "/Makefile", "/constraints.txt", "/requirements"} <= set(package["include"])
    assert not {"/tests", "/benchmarks"} & set(package["include"])
    assert {".publisher", ".env", "/deploy/letter"} <= set(package["exclude"])
    assert {".env", "/deploy/letter/"} <= set((ROOT / ".gitignore").read_text().split())


def test_the_command_of_the_image_is_one_of_the_program() -> None:
    command = yaml.safe_load(dict(dockerfile())["CMD"])
    assert yaml.safe_load(dict(dockerfile())["ENTRYPOINT"]) == ["publisher"]
    done = CliRunner().invoke(cli, [*command, "--help"])
    assert done.exit_code == 0


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def test_every_variable_that_the_program_gets_is_one_of_its_settings() -> None:
    known = set(variables()) | NOT_SETTINGS
    assert set(compose()["services"]["publisher"]["environment"]) <= known
    example = re.findall(r"^(PUBLISHER_\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    assert set(example) <= known


def test_every_variable_of_the_compose_file_is_in_the_example_which_holds_no_secret() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    given = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    assert wanted == set(given)
    assert {name for name, value in given.items() if value} == {"DOMAIN", "PROJECT"}


def test_the_services_of_the_compose_file_find_each_other() -> None:
    services = compose()["services"]
    assert (ROOT / services["publisher"]["build"]["dockerfile"]).is_file()
    assert "@database/" in services["publisher"]["environment"]["PUBLISHER_DATABASE_URL"]
    assert {"database", "proxy", "publisher"} == set(services)
    port = dict(dockerfile())["EXPOSE"]
    assert f"reverse_proxy publisher:{port}" in (DEPLOY / "Caddyfile").read_text()
    assert f":{port}/healthz" in dict(dockerfile())["HEALTHCHECK"]
    subnet = compose()["networks"]["default"]["ipam"]["config"][0]["subnet"]
    assert services["publisher"]["environment"]["PUBLISHER_WEB_TRUSTED_PROXIES"] == subnet
