"""The lists of packages to install pin each package to one version with hashes, and name no registry."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support import ROOT

FOLDER = ROOT / "requirements"
LISTS = sorted(FOLDER.glob("*.txt"))


def script(name: str) -> ModuleType:
    """Import a script in requirements/ from its path, because the folder is not a package."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and version of each package of a list."""
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE):
        yield plain(name), version


def locked(*names: str) -> dict[str, str]:
    return {name: version for list_ in names for name, version in pins((FOLDER / f"{list_}.txt").read_text())}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_each_package_has_one_version_and_hashes(path: Path) -> None:
    first, *lines = path.read_text().splitlines()
    assert first.startswith("#")
    name = r"[a-z0-9.-]+==[\w.]+( ; [^\\]+)? \\"
    assert [line for line in lines if not re.fullmatch(rf"{name}|    --hash=sha256:[0-9a-f]{{64}}( \\)?", line)] == []
    text = "\n".join(lines)
    assert all("--hash=" in part for part in re.split(r"^(?=\S)", text, flags=re.MULTILINE) if part.strip())


def test_the_lists_have_the_versions_of_the_constraints() -> None:
    found: dict[str, set[str]] = {}
    for path in LISTS:
        for name, version in pins(path.read_text()):
            found.setdefault(name, set()).add(version)
    assert found == {name: {version} for name, version in pins((ROOT / "constraints.txt").read_text())}


def test_the_lists_contain_what_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]

    def named(lines: list[str]) -> set[str]:
        return {plain(re.split(r"[\[<>=!~ ]", line)[0]) for line in lines}

    assert named(project["project"]["dependencies"]) <= set(locked("run"))
    assert named(extras["postgres"]) <= set(locked("run", "postgres"))
    assert named(extras["test"]) <= set(locked("run", "test"))
    assert named(extras["bench"]) <= set(locked("run", "test", "bench"))
    assert named(project["build-system"]["requires"]) <= set(locked("build"))
    assert set(locked("source-run")) <= set(locked("run"))
    assert set(locked("source-test")) <= set(locked("test"))
    assert set(script("write").SOURCE) == set(locked("source-run", "source-test"))


def package(name: str, *vulnerabilities: str) -> dict[str, Any]:
    found = [{"id": each, "fix_versions": ["2.0"]} for each in vulnerabilities]
    return {"name": name, "version": "1.0", "vulns": found}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([], 0, "can't be reached"),
        ([{"name": "a", "skip_reason": "not found"}], 0, "can't be reached"),
        ([package("a"), {"name": "b", "skip_reason": "not found"}], 0, "of 1 packages. 1 are unknown."),
        ([package("a"), package("b")], 0, "No vulnerability is known of 2 packages."),
        ([package("a"), package("b", "CVE-1", "CVE-2")], 1, "b 1.0: CVE-1, fixed in 2.0"),
    ],
)
def test_only_a_known_vulnerability_fails(packages: list[dict[str, Any]], code: int, said: str) -> None:
    found, lines = script("audit").verdict(packages)
    assert found == code
    assert said in "\n".join(lines)


def test_images_and_actions_can_be_named_by_digest() -> None:
    dockerfile, compose = (ROOT / "deploy/Dockerfile").read_text(), (ROOT / "deploy/compose.yaml").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert all(re.fullmatch(r"\$\{\w+_IMAGE:-.+\}", name) for name in re.findall(r"image: (\S+)", compose))
    used = re.findall(r"uses: (\S+)", (ROOT / ".github/workflows/tests.yml").read_text())
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) for name in used)
