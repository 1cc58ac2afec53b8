"""Warn about private files that would leak by accident: through git, a site, an image or open permissions."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from publisher.config import CONFIG_FILE, Config
from publisher.config.private_paths import private_paths
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.core.private_folder import IGNORE_FILE
from publisher.publishing.private_files import private_files
from publisher.publishing.site_generators import Published, published_folders

_GIT_SECONDS = 20
_DOCKERFILES = ("Dockerfile", "Containerfile", "deploy/Dockerfile", "docker/Dockerfile")
_TAKES_ALL = re.compile(r"^[ \t]*(?:COPY|ADD)\s+(?:--\S+\s+)*(?:\[\s*\"\.?/?\"|\.?/?\s)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Repository:
    """The git repository around a project: which private files it tracks, and which it would add."""

    top: Path
    tracked: tuple[Path, ...]
    taken: tuple[Path, ...]

    @staticmethod
    def within(files: Sequence[Path], path: Path) -> list[str]:
        """Return the names, relative to a path, of those files that are at the path or below it."""
        real = path.resolve()
        below = [file for file in files if (real == file or real in file.parents) and file.name != IGNORE_FILE]
        return [file.relative_to(real).as_posix() for file in below]


def exposures(config: Config) -> Iterator[Problem]:
    """Yield a warning for each private file or folder of a project that git, a site or an image would contain."""
    private = private_files(config)
    repository = _repository(config.root, list(private))
    top = repository.top if repository else _some_way_up(config.root)
    sites = [*published_folders(config.root.resolve(), top), *_own_folders(config)]
    images = list(_images(config.root.resolve(), top))
    # The tool that this project replaces makes no site any more, and the project's settings are not secret.
    in_use = [site for site in sites if not config.pages.enabled or site.generator.lower() != config.posts.tool]
    yield from _of_sites(config, in_use, config.root / CONFIG_FILE, "the settings of this project")
    named = private_paths(config)
    for path, what in private.items():
        yield from _of_git(config, repository, path, what)
        yield from _of_sites(config, sites, path, what)
        for dockerfile, is_ignored in images:
            if not is_ignored(path.resolve()):
                message = f"{what}: a container image built with {_shown(config, dockerfile)} would contain it"
                yield _warning(config, path, message, "add it to .dockerignore")
        if path in named and _is_open(path):
            message = f"{what}: other users of this machine can read it"
            yield _warning(config, path, message, f"chmod {'700' if path.is_dir() else '600'} {_shown(config, path)}")


def _of_git(config: Config, repository: _Repository | None, path: Path, what: str) -> Iterator[Problem]:
    if repository is None:
        return
    shown = _shown(config, path)
    if names := repository.within(repository.tracked, path):
        hint = f"git rm -r --cached {shown}; earlier commits keep it, so change what is secret in it"
        yield _warning(
            config, path, f"{what}{_some(names)}: git tracks it, so it is in every copy of the repository", hint
        )
    elif names := repository.within(repository.taken, path):
        hint = f"add {shown} to .gitignore, or move it out of the repository"
        yield _warning(config, path, f"{what}{_some(names)}: `git add` would add it", hint)


def _some(names: Sequence[str]) -> str:
    """Return the first names in brackets; "" if there is only the path itself."""
    if names == ["."]:
        return ""
    return f" ({', '.join(names[:3])}{f' and {len(names) - 3:,} more' if len(names) > 3 else ''})"


def _of_sites(config: Config, sites: Sequence[Published], path: Path, what: str) -> Iterator[Problem]:
    real = path.resolve()
    for site in sites:
        if site.takes(real) or (path.is_dir() and any(site.takes(each) for each in _some_of(real))):
            inside = real.relative_to(site.folder) if real.is_relative_to(site.folder) else path
            hint = site.advice.format(inside.as_posix())
            yield _warning(config, path, f"{what}: {site.generator} would publish it", hint)
            return


def _own_folders(config: Config) -> Iterator[Published]:
    """Yield the folders that this project itself publishes."""
    for name in (config.pages.output, *(folder for folder, _ in config.pages.places)):
        folder = (config.root / name).resolve()
        yield Published(f"{name}/, which is public,", folder, "move it out of that folder")


def _repository(root: Path, paths: Sequence[Path]) -> _Repository | None:
    """Ask git about private paths; return None if there is no git, or no repository around the project."""
    said = _git(root, ["rev-parse", "--show-toplevel"])
    if not said:
        return None
    top = Path(said.rstrip("\n"))
    names = [path.resolve().relative_to(top).as_posix() for path in paths if path.resolve().is_relative_to(top)]
    return _Repository(top, _listed(top, ["--cached"], names), _listed(top, ["--others", "--exclude-standard"], names))


def _listed(top: Path, options: Sequence[str], names: Sequence[str]) -> tuple[Path, ...]:
    """Return the files at or below these paths that git lists."""
    said = [_git(top, ["ls-files", "-z", *options, "--", *names[at : at + 200]]) for at in range(0, len(names), 200)]
    return tuple(top / name for each in said for name in each.split("\0") if name)


def _git(folder: Path, arguments: Sequence[str]) -> str:
    """Return the output of git; "" if it is not installed, finds no repository or takes too long."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - arguments, not a shell
            ["git", "--literal-pathspecs", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""


def _images(root: Path, top: Path) -> Iterator[tuple[Path, Callable[[Path], bool]]]:
    """Yield each Dockerfile that copies a whole folder with the project in it, and a test if a path is left out."""
    for folder in (each for each in (root, *root.parents) if each.is_relative_to(top)):
        for name in _DOCKERFILES:
            file = folder / name
            text = _text(file)
            if text and _TAKES_ALL.search(text):
                rules = _text(file.with_name(f"{file.name}.dockerignore")) or _text(folder / ".dockerignore")
                yield file, _ignoring(folder, rules.splitlines())


def _ignoring(folder: Path, rules: Iterable[str]) -> Callable[[Path], bool]:
    """Return a function that says whether .dockerignore leaves a path out. The last rule that matches counts."""
    patterns = [
        (rule.startswith("!"), _pattern(rule.lstrip("!").strip()))
        for rule in (line.strip() for line in rules)
        if rule and not rule.startswith("#")
    ]

    def is_ignored(path: Path) -> bool:
        """Return whether git ignores a path."""
        if not path.is_relative_to(folder):
            return True
        name, ignored = path.relative_to(folder).as_posix(), False
        parts = [name, *(parent.as_posix() for parent in Path(name).parents[:-1])]
        for brings_back, pattern in patterns:
            if any(pattern.fullmatch(part) for part in parts):
                ignored = not brings_back
        return ignored

    return is_ignored


def _pattern(rule: str) -> re.Pattern[str]:
    rule = rule.removeprefix("./").strip("/")
    pieces = (
        "(?:.*/)?"
        if piece == "**/"
        else ".*"
        if piece == "**"
        else "[^/]*"
        if piece == "*"
        else re.escape(piece).replace(r"\?", "[^/]")
        for piece in re.split(r"(\*\*/|\*\*|\*)", rule)
    )
    return re.compile("".join(pieces))


def _is_open(path: Path) -> bool:
    """Return whether the permissions of a file or folder let other users in."""
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o007)
    except OSError:
        return False


def _some_of(folder: Path) -> Iterator[Path]:
    for path, _, names in os.walk(folder):
        yield from (Path(path, name) for name in names)


def _some_way_up(root: Path) -> Path:
    above = root.resolve().parents
    return above[1] if len(above) > 2 else root.resolve()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _shown(config: Config, path: Path) -> str:
    return path.relative_to(config.root).as_posix() if path.is_relative_to(config.root) else str(path)


def _warning(config: Config, path: Path, message: str, hint: str) -> Problem:
    return Problem(_shown(config, path), 0, message, hint, Severity.WARNING)
