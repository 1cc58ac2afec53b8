"""The files in deploy/ fit the program and each other, as far as can be checked without installing them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from publisher import __version__
from publisher.cli.main import cli
from publisher.config.environment import NOT_SETTINGS, variables
from publisher.daemon.main_thread import STOP_SECONDS
from publisher.publishing.exposure import _ignoring
from tests.support.needs import need
from tests.support.project import ROOT

DEPLOY = ROOT / "deploy"
WORST_EXPOSURE = 20  # tenths, up to 100: the rating that systemd itself calls "OK"


UNITS = ("publisher.service", "publisher-worker@.service")


def unit(tmp_path: Path, name: str) -> Path:
    """Return a copy of a unit, with a program and user of this machine. A template becomes its first instance."""
    text = (DEPLOY / name).read_text()
    text = text.replace("/opt/publisher/bin/publisher", "/usr/bin/env").replace("=letter", "=root")
    path = tmp_path / name.replace("@.", "@1.")
    path.write_text(text)
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    need("systemd-analyze")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_in_a_unit(tmp_path: Path, name: str) -> None:
    path = unit(tmp_path, name)
    done = analyze("verify", str(path))
    assert (done.returncode, path.name in done.stdout + done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("name", UNITS)
def test_a_mistake_in_a_unit_would_be_found(tmp_path: Path, name: str) -> None:
    path = unit(tmp_path, name)
    path.write_text(path.read_text().replace("ProtectHome=true", "ProtectHouse=true"))
    assert "ProtectHouse" in analyze("verify", str(path)).stderr


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_gives_the_program_few_permissions(tmp_path: Path, name: str) -> None:
    done = analyze("security", "--offline=true", f"--threshold={WORST_EXPOSURE}", str(unit(tmp_path, name)))
    assert done.returncode == 0, done.stdout


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments. Continued lines are joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_contains_existing_files_and_does_not_run_as_root() -> None:
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


def test_the_context_of_the_image_contains_only_what_is_copied() -> None:
    is_ignored = _ignoring(ROOT, (ROOT / ".dockerignore").read_text().splitlines())
    copies = [rest.split()[:-1] for word, rest in dockerfile() if word == "COPY" and "--from" not in rest]
    copied = [ROOT / name for names in copies for name in names]
    assert [path for path in copied if is_ignored(path)] == []
    assert not any(is_ignored(path) for folder in copied for path in folder.rglob("[a-z]*.py"))
    assert [path for path in PRIVATE.split() if not is_ignored(ROOT / path)] == []


def test_the_source_package_contains_what_the_documents_name_and_no_project() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert all(name.startswith("/") and (ROOT / name[1:]).exists() for name in package["include"])
    assert {"/publisher", "/templates", "/Makefile", "/constraints.txt", "/requirements"} <= set(package["include"])
    assert not {"/tests", "/benchmarks"} & set(package["include"])
    assert {".publisher", ".env", "/deploy/letter"} <= set(package["exclude"])
    assert {".env", "/deploy/letter/"} <= set((ROOT / ".gitignore").read_text().split())


def test_the_command_of_the_image_is_a_command_of_the_program() -> None:
    command = yaml.safe_load(dict(dockerfile())["CMD"])
    assert yaml.safe_load(dict(dockerfile())["ENTRYPOINT"]) == ["publisher"]
    done = CliRunner().invoke(cli, [*command, "--help"])
    assert done.exit_code == 0


COMPOSE = ("compose.yaml", "compose.workers.yaml")


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / name).read_text()))


def example_variables(name: str) -> set[str]:
    return set(re.findall(r"^(\w+)=", (DEPLOY / name).read_text(), re.MULTILINE))


def test_every_variable_passed_to_the_program_is_one_of_its_settings() -> None:
    known = set(variables()) | NOT_SETTINGS
    assert set(compose()["services"]["publisher"]["environment"]) <= known
    for service in compose("compose.workers.yaml")["services"].values():
        assert set(service["environment"]) <= known
    assert {name for name in example_variables("env.example") if name.startswith("PUBLISHER_")} <= known
    assert example_variables("worker.env.example") <= known


def test_compose_variables_are_in_the_example_which_contains_no_secret() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", "".join((DEPLOY / name).read_text() for name in COMPOSE)))
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


WORKER_VARIABLES = {"PUBLISHER_SECRET", "PUBLISHER_JOIN", "PUBLISHER_DATABASE_URL", "PUBLISHER_MAIL_SMTP_PASSWORD"}


def test_workers_in_the_compose_file_use_the_same_image_and_different_names() -> None:
    main, workers = compose()["services"], compose("compose.workers.yaml")["services"]
    assert set(workers) == {"worker-1", "worker-2"}
    for name, worker in workers.items():
        assert worker["build"] == main["publisher"]["build"]
        assert (worker["hostname"], worker["environment"]["PUBLISHER_HOST"]) == (name, name)
        same = {key: main["publisher"]["environment"][key] for key in WORKER_VARIABLES - {"PUBLISHER_JOIN"}}
        assert {key: worker["environment"][key] for key in same} == same
        for key in ("stop_grace_period", "read_only", "tmpfs", "cap_drop", "security_opt", "init", "restart"):
            assert worker[key] == main["publisher"][key]
        assert [volume.endswith("/publisher.toml:ro") for volume in worker["volumes"]] == [True]
        assert set(worker["depends_on"]) <= set(main)


def worker_commands() -> dict[str, list[str]]:
    """Return, for each file that starts a worker, the arguments that the program gets."""
    started = re.search(r"^ExecStart=\S+/publisher (.*)$", (DEPLOY / UNITS[1]).read_text(), re.MULTILINE)
    return {
        UNITS[1]: started[1].split(),
        "compose.workers.yaml": compose("compose.workers.yaml")["services"]["worker-1"]["command"],
        "kubernetes.yaml": container()["args"],
    }


@pytest.mark.parametrize("name", [UNITS[1], "compose.workers.yaml", "kubernetes.yaml"])
def test_a_worker_is_started_by_a_command_of_the_program(name: str) -> None:
    arguments = worker_commands()[name]
    assert arguments[0] == "worker"
    assert CliRunner().invoke(cli, [*arguments, "--help"]).exit_code == 0


def test_probes_use_the_port_of_the_worker() -> None:
    worker = compose("compose.workers.yaml")["services"]["worker-1"]
    address = worker["command"][worker["command"].index("--health") + 1]
    assert f"http://{address}/healthz" in " ".join(worker["healthcheck"]["test"])
    (port,) = container()["ports"]
    assert container()["args"][-1] == f"0.0.0.0:{port['containerPort']}"
    probes = [container()[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]
    assert [probe["path"] for probe in probes] == ["/healthz", "/readyz"]
    assert {probe["port"] for probe in probes} == {port["name"]}


def test_a_worker_has_enough_time_to_stop() -> None:
    assert pod()["terminationGracePeriodSeconds"] > STOP_SECONDS
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", (DEPLOY / UNITS[1]).read_text(), re.MULTILINE)
    assert int(seconds[1]) > STOP_SECONDS
    assert int(compose("compose.workers.yaml")["x-worker"]["stop_grace_period"].removesuffix("s")) > STOP_SECONDS


def manifests() -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


def pod() -> dict[str, Any]:
    return dict(manifests()["Deployment"]["spec"]["template"]["spec"])


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    return dict(only)


def test_the_parts_of_the_manifest_fit_each_other_and_the_image() -> None:
    deployment, budget = manifests()["Deployment"], manifests()["PodDisruptionBudget"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == budget["spec"]["selector"]["matchLabels"] == labels
    assert budget["spec"]["minAvailable"] < deployment["spec"]["replicas"]
    assert {each["name"] for each in container()["volumeMounts"]} == {each["name"] for each in pod()["volumes"]}
    assert container()["image"].endswith(f"/publisher:{__version__}")
    user = next(rest for word, rest in dockerfile() if word == "RUN" and rest.startswith("useradd"))
    assert f"--uid {pod()['securityContext']['runAsUser']} " in user
    mounts = {each["mountPath"]: each.get("readOnly", False) for each in container()["volumeMounts"]}
    assert mounts == {dict(dockerfile())["WORKDIR"]: True, "/tmp": False}


def test_a_pod_can_change_nothing_but_its_temporary_folder() -> None:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container()["securityContext"] == wanted
    assert pod()["securityContext"]["runAsNonRoot"]
    assert not pod()["automountServiceAccountToken"]


def test_the_variables_of_a_worker_are_in_its_example_without_secrets() -> None:
    given = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "worker.env.example").read_text(), re.MULTILINE))
    assert set(given) >= WORKER_VARIABLES
    assert {name for name, value in given.items() if value} == {"PUBLISHER_RUN_LOG"}
    assert "EnvironmentFile=/etc/publisher-worker.env\n" in (DEPLOY / UNITS[1]).read_text()
