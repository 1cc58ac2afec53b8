"""The structure of the package, measured from its source: rooms, imports, names and sizes.

    python -m tests.support.house [FOLDER]     print the figures of a checkout

Nothing is imported or run: everything is read from the syntax trees, so that any checkout can be measured.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support import ROOT

# From top to bottom. Rooms on one floor do not import each other.
FLOORS = (
    ("__main__",),
    ("cli",),
    ("daemon",),
    ("web",),
    ("publishing",),
    ("site", "newsletters", "bounces"),
    ("posts", "mail", "subscribers"),
    ("config", "store"),
    ("core",),
)
# Which rooms may import a library. If there are several, the line gives the reason.
OWNERS: Mapping[str, tuple[str, ...]] = {
    "aiosmtplib": ("mail.smtp",),
    "alembic": ("store",),
    "anyio": ("web",),
    "apscheduler": ("daemon",),
    "argon2": ("web.admin",),
    "babel": ("core", "web"),  # the web negotiates the language of a request
    "brotli": ("posts.sources",),
    "click": ("cli",),
    "comrak": ("posts", "newsletters.letter"),  # notes above an edition are Markdown, too
    "cronsim": ("config", "newsletters"),  # a schedule is checked when it is read, and followed when it is due
    # DKIM; Amazon and SendGrid sign their reports; waiting requests are encrypted
    "cryptography": ("core", "mail", "bounces.providers"),
    "cssselect": ("newsletters",),
    "cssutils": ("newsletters",),
    "dateutil": ("posts",),
    "dns": ("mail",),
    "docutils": ("posts",),
    "email_validator": ("subscribers",),
    "feedgen": ("site.feeds",),
    "feedparser": ("posts.sources",),
    "flufl": ("bounces",),
    "frontmatter": ("posts", "newsletters.letter"),  # notes have front matter
    "ftfy": ("posts",),
    "h11": ("web",),
    "httpcore": ("posts.sources",),  # it connects only to checked addresses
    "httpx": ("bounces.providers", "mail.doctor"),  # certificates, one-click links
    "idna": ("config", "mail", "posts.sources"),  # a signing domain may be written in its own script
    "imaplib": ("bounces",),
    "itsdangerous": ("core", "mail", "subscribers", "web.admin"),  # tokens of four kinds
    "jinja2": ("core", "newsletters", "posts.body_templates"),  # the lint reports lines; Nunjucks is a port of it
    "liquid": ("posts.body_templates",),
    "lxml": ("newsletters", "site.feeds"),  # emails are trees; feedgen's elements are lxml's
    "markupsafe": ("core", "web", "site.pages", "newsletters.letter"),  # the type of trusted HTML
    "math_core": ("posts",),
    "nh3": ("posts",),
    "PIL": ("posts",),
    "pi_heif": ("posts",),
    "premailer": ("newsletters.letter",),
    "procrastinate": ("daemon",),
    "prometheus_client": ("web",),
    "psycopg": ("store",),
    "pyotp": ("web.admin",),
    "pygments": ("posts",),
    "rich": ("cli",),
    "segno": ("web.admin",),
    "smtplib": (),  # sending uses aiosmtplib's connection and our own protocol
    "sqlalchemy": ("store",),
    "sqlite3": ("store", "posts", "site.build"),  # the index of posts and the record of ids are caches in files
    "starlette": ("web", "daemon"),  # the daemon exchanges the application of a running server
    "structlog": ("core",),
    "text_unidecode": ("posts.blog_tools",),
    "tinycss2": ("newsletters",),
    "uvicorn": ("web",),
    "watchfiles": ("daemon",),
    "yaml": ("posts", "newsletters.letter"),  # front matter; errors in that of a note
}
PACKAGE = "publisher"


@dataclass(frozen=True)
class Module:
    """One file of the package. name: dotted, without the name of the package ("" for the package's own __init__)."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of the module."""
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The room of the module; its own name if it is in no room."""
        return self.name.partition(".")[0]

    @property
    def lines(self) -> int:
        """The number of lines of the module."""
        return self.text.count("\n")

    @cached_property
    def imports(self) -> tuple[tuple[str, tuple[str, ...], int, bool], ...]:
        """Each import: module, imported names, line, and whether it is inside a function."""
        return tuple(_imports(self.tree, inside=False))

    @cached_property
    def foreign_libraries(self) -> tuple[str, ...]:
        """The module's imports of libraries that belong to other rooms."""
        found = []
        for target, _, line, _ in self.imports:
            owners = OWNERS.get(target.partition(".")[0])
            if owners is not None and not any(f"{self.name}.".startswith(f"{owner}.") for owner in owners):
                found.append(f"{self.name}:{line} imports {target}, which belongs to {' and '.join(owners)}")
        return tuple(found)


def _imports(node: ast.AST, *, inside: bool) -> Iterator[tuple[str, tuple[str, ...], int, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, (), child.lineno, inside
        elif isinstance(child, ast.ImportFrom):
            if child.module and not child.level:
                yield child.module, tuple(alias.name for alias in child.names), child.lineno, inside
        elif not isinstance(child, ast.expr):
            yield from _imports(child, inside=inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


class House:
    """All modules of a checkout."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules

    @classmethod
    def read(cls, root: Path = ROOT) -> House:
        """Read the package of a checkout."""
        package, modules = root / PACKAGE, {}
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            modules[name] = Module(name, path.read_text(encoding="utf-8"))
        return cls(modules)

    def with_line(self, name: str, line: str) -> House:
        """Return a copy with a line added to one of its modules."""
        changed = Module(name, f"{self.modules[name].text}\n{line}\n")
        return House({**self.modules, name: changed})

    @cached_property
    def edges(self) -> frozenset[tuple[str, str]]:
        """Return which module imports which, inside the package."""
        found = set()
        for module in self.modules.values():
            for target, names, _, _ in module.imports:
                found |= {(module.name, to) for to in self._targets(target, names) if to != module.name}
        return frozenset(found)

    def _targets(self, target: str, names: tuple[str, ...]) -> set[str]:
        if target != PACKAGE and not target.startswith(f"{PACKAGE}."):
            return set()
        base = target.removeprefix(PACKAGE).removeprefix(".")
        submodules = {f"{base}.{name}".removeprefix(".") for name in names} & set(self.modules)
        taken = {name.rpartition(".")[2] for name in submodules}
        return submodules | ({base} if (set(names) - taken or not names) and base in self.modules else set())

    def upward(self) -> list[str]:
        """Return imports that run upwards, or between rooms of one floor."""
        floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
        return sorted(
            f"{one} imports {other}"
            for one, other in self.edges
            if (a := one.partition(".")[0]) != (b := other.partition(".")[0])
            and a
            and b
            and floor.get(a, -1) >= floor.get(b, -1)
        )

    def circles(self) -> list[tuple[str, ...]]:
        """Return groups of modules that import each other in a circle."""
        after = defaultdict(set)
        for one, other in self.edges:
            after[one].add(other)
        return [group for group in _components(sorted(self.modules), after) if len(group) > 1]

    def room_circles(self) -> list[tuple[str, ...]]:
        """Return import circles between packages in one folder, each of which counts with everything inside it."""
        found = []
        parents = {name.rpartition(".")[0] for name in self.modules if name}
        for parent in sorted(parents):
            prefix = f"{parent}." if parent else ""
            after = defaultdict(set)
            for one, other in self.edges:
                if one.startswith(prefix) and other.startswith(prefix) and one and other:
                    a, b = (name.removeprefix(prefix).partition(".")[0] for name in (one, other))
                    if a != b and one != parent and other != parent:
                        after[a].add(b)
            found += [
                tuple(prefix + each for each in group) for group in _components(sorted(after), after) if len(group) > 1
            ]
        return found

    def past_faces(self) -> list[str]:
        """Return imports from other rooms that reach past a face: a name on the way is not in its `__all__`."""
        found = []
        for one, other in sorted(self.edges):
            room, *rest = other.split(".")
            if one.partition(".")[0] == room or not rest:
                continue
            for depth in range(len(rest)):
                face = ".".join([room, *rest[:depth]])
                if face in self.modules and rest[depth] not in self.face(face):
                    found.append(f"{one} imports {other}, which {face} does not export")
                    break
        return found

    def face(self, package: str) -> tuple[str, ...]:
        """The names in the `__all__` of a package."""
        for node in self.modules[package].tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
            ):
                return tuple(ast.literal_eval(node.value))
        return ()

    def foreign_libraries(self) -> list[str]:
        """Return imports of libraries by rooms that do not own them."""
        return [found for module in self.modules.values() for found in module.foreign_libraries]

    def libraries(self) -> set[str]:
        """Return the top-level names of imports that are neither ours nor in the standard library."""
        names = {target.partition(".")[0] for module in self.modules.values() for target, *_ in module.imports}
        return names - set(sys.stdlib_module_names) - {PACKAGE}

    def classes(self) -> dict[str, list[str]]:
        """Return every class name, with the modules that define it; migrations repeat names on purpose."""
        found = defaultdict(list)
        for module in self.modules.values():
            if "migrations" not in module.name:
                for node in statements(module.tree):
                    if isinstance(node, ast.ClassDef):
                        found[node.name].append(module.name)
        return found

    def module_names(self) -> dict[str, list[str]]:
        """Return the last part of every module's name, with the modules that have it."""
        found = defaultdict(list)
        packages = {name.rpartition(".")[0] for name in self.modules}
        for name in self.modules:
            if "migrations" not in name and name and name not in packages:
                found[name.rpartition(".")[2]].append(name)
        return found

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Yield every function, with its module."""
        for module in self.modules.values():
            for node in statements(module.tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield module.name, node

    def figures(self) -> dict[str, float | str]:
        """Return the figures of the house, by name."""
        sizes = [module.lines for module in self.modules.values()]
        loose = [name for name in self.modules if name and "." not in name and not self.is_package(name)]
        small = [m for m in self.modules.values() if m.lines < 60 and not self.is_package(m.name)]
        late = [line for m in self.modules.values() for *_, line, inside in m.imports if inside]
        return {
            "files": len(sizes),
            "lines": sum(sizes),
            "median lines of a file": statistics.median(sizes),
            "longest file": max(sizes),
            "files under 60 lines, faces aside": len(small),
            "loose files at the top": len([name for name in loose if name != "__main__"]),
            "share of header lines": f"{sum(map(_header, self.modules.values())) / sum(sizes):.0%}",
            "imports inside functions": len(late),
            "arrows up": len(self.upward()) if self._has_rooms() else "no rooms",
            "circles between modules": len(self.circles()),
            "circles between packages": len(self.room_circles()),
            "imports past a face": len(self.past_faces()),
            "class names used twice": sum(len(where) > 1 for where in self.classes().values()),
            "module names used twice": sum(len(where) > 1 for where in self.module_names().values()),
            "functions over 40 lines": sum(length_of(node) > 40 for _, node in self.functions()),
        }

    def is_package(self, name: str) -> bool:
        """Return whether a name is a folder of modules."""
        return any(other.startswith(f"{name}.") for other in self.modules) or not name

    def _has_rooms(self) -> bool:
        return "core" in {module.room for module in self.modules.values()}


def statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield all statements below a node, without looking into expressions, which would take ten times as long."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for each in getattr(node, part, ()):
            if isinstance(each, ast.stmt):
                yield each
            yield from statements(each)


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function from its first statement on, so that arguments on separate lines do not count."""
    return (node.end_lineno or node.lineno) - node.body[0].lineno + 1


def _header(module: Module) -> int:
    """Return the lines before the first statement that is neither a docstring nor an import."""
    for number, node in enumerate(module.tree.body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            return node.lineno - 1
    return module.lines


def _components(nodes: list[str], after: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the groups of nodes that can reach each other."""
    reach = {node: _reachable(node, after) for node in nodes}
    return sorted({tuple(sorted(b for b in nodes if b in reach[a] and a in reach[b])) or (a,) for a in nodes})


def _reachable(start: str, after: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        new = after.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def main() -> None:
    """Print the figures of the given checkout, or of this one."""
    house = House.read(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
    lines = [f"{name:36} {value}" for name, value in house.figures().items()]
    rooms = Counter(module.room for module in house.modules.values() if module.name)
    for room, count in sorted(rooms.items()):
        face = house.face(room) if room in house.modules else ()
        lines.append(f"  {room:34} {count} files, hands on {len(face)} names")
    lines += [f"circle: {' - '.join(circle)}" for circle in house.circles() + house.room_circles()]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
