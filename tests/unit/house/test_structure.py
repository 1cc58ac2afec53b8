"""The structure of the code ("the house"): floors, public faces of rooms, owners of libraries, names and sizes."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.house import FLOORS, OWNERS, House, Module

# Names that several modules may have: a file in cli/ is named after its command, one in config/ after its table in
# publisher.toml, and one in store/ after the noun that it stores.
NAMED_BY_RULE = ("cli.", "config.", "store.")

# A file under 60 lines has a reason.
SMALL = {
    "__main__": "the entry point",
    "bounces.arf": "one format",
    "cli.lazy": "what `--help` loads",
    "cli.serve": "one command, apart from those that need no web application",
    "cli.unchanged_build": "what a build with nothing to do loads",
    "cli.wording": "texts that are printed without the libraries of the command line",
    "cli.subscribers": "one command group, loaded without its commands",
    "config.sources": "one table",
    "newsletters.streams": "one noun",
    "core.action_kinds": "one noun",
    "core.file_names": "one promise, kept in one place for four rooms",
    "core.host_id": "one noun",
    "core.patterns": "one promise, for all rooms",
    "posts.blog_tools.list_pages": "what the tools call their pages",
    "posts.text.excerpt_marks": "one table",
    "posts.text.signs": "one search, for many modules",
    "store.column_types": "one noun: what a column contains",
    "store.compiled_updates": "one promise, kept in one place for two tables",
    "store.edition_content": "what an edition consists of, apart from the table of editions",
    "store.fleet_tables": "what hosts share",
    "daemon.systemd": "one protocol",
    "mail.claim_count": "one promise: an older database is noticed",
    "mail.daily_limit": "one question, of people and metrics",
    "newsletters.letter.html_tree": "the limits of libxml2",
    "newsletters.letter.safe_text": "the seam for text from outside",
    "newsletters.letter.web_version": "keeps premailer out of builds",
    "newsletters.lint.lint_letter": "runs the rules, apart from the face that every start imports",
    "newsletters.lint.spam": "one program",
    "posts.front_matter.inherited_fields": "loaded only where a tool's files give fields",
    "posts.rendering.item_body": "loaded in the child process instead of what reads files",
    "posts.rendering.rendered_body": "what the parent needs of what only its child imports",
    "posts.rendering.frames": "one table, for feeds and emails",
    "posts.cache_keys": "the seam to the build",
    "posts.left_drafts": "one warning",
    "posts.page_heads": "what the archive reads of pages, which are rendered with it",
    "publishing.adopt.vitepress_blog": "one tool",
    "publishing.joining": "one promise: only hosts of the fleet join",
    "publishing.mail_doctor": "one command's work",
    "publishing.uncertain": "one kind of warning",
    "publishing.page_check": "one check, which loads the pages",
    "site.feeds.opml": "one format",
    "site.web_versions": "the seam between letters and pages",
    "web.admin.credentials": "the only user of argon2",
    "web.public.copy_page": "one page",
    "web.preview.view_options": "one noun",
    "web.worker_threads": "one noun",
}


@pytest.fixture(scope="module")
def house() -> House:
    return House.read()


def test_no_import_runs_up(house: House) -> None:
    assert house.upward() == []


def test_every_room_is_on_a_floor(house: House) -> None:
    rooms = {module.room for module in house.modules.values()} - {""}
    assert rooms == {room for floor in FLOORS for room in floor}


def test_import_linter_has_the_same_floors() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    assert [tuple(layer.split(" | ")) for layer in contract["layers"]] == list(FLOORS)


def test_an_upward_import_is_found(house: House) -> None:
    assert house.with_line("core.errors", "from publisher.cli import main").upward() == ["core.errors imports cli.main"]
    assert house.with_line("mail.queue", "import publisher.posts.archive").upward()


def test_nothing_is_imported_in_a_circle(house: House) -> None:
    assert house.circles() + house.room_circles() == []


def test_a_circle_is_found(house: House) -> None:
    first, second = next((a, b) for a, b in sorted(house.edges) if a.startswith("mail.") and b.startswith("mail."))
    circles = house.with_line(second, f"import publisher.{first}").circles()
    assert any({first, second} <= set(circle) for circle in circles)


def test_no_library_is_imported_outside_of_its_owners(house: House) -> None:
    assert house.foreign_libraries() == []


def test_every_library_has_an_owner(house: House) -> None:
    assert house.libraries() - set(OWNERS) == set()


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_refused_in_every_other_room(house: House, library: str) -> None:
    for room in {module.room for module in house.modules.values()} - {"", "__main__"}:
        foreign = [name for name in house.modules if name.startswith(f"{room}.") and not _owned(name, library)]
        if foreign:
            (refused,) = house.with_line(foreign[0], f"import {library}").foreign_libraries()
            assert refused.startswith(f"{foreign[0]}:")


def _owned(name: str, library: str) -> bool:
    return any(f"{name}.".startswith(f"{owner}.") for owner in OWNERS[library])


def test_rooms_import_only_from_faces_of_other_rooms(house: House) -> None:
    assert house.past_faces() == []


def test_a_module_that_a_face_does_not_name_is_refused(house: House) -> None:
    inner = next(
        name for name in house.modules if name.startswith("mail.") and name.split(".")[1] not in house.face("mail")
    )
    assert house.with_line("cli.main", f"import publisher.{inner}").past_faces()


@pytest.mark.parametrize("room", [room for floor in FLOORS for room in floor if room not in ("__main__", "cli")])
def test_a_face_says_what_the_room_does_and_names_what_exists(house: House, room: str) -> None:
    module = house.modules[room]
    docstring = module.text.split('"""')[1]
    assert len(docstring.splitlines()) >= 6
    assert "\n\nPublic modules:\n    " in docstring
    assert house.face(room)
    for name in house.face(room):
        assert f"{room}.{name}" in house.modules or re.search(rf"(import|def|class) .*\b{name}\b", module.text), name


def test_no_class_name_is_used_twice(house: House) -> None:
    assert {name: where for name, where in house.classes().items() if len(where) > 1} == {}


def test_no_module_name_is_used_twice(house: House) -> None:
    twice = {
        name: where
        for name, where in house.module_names().items()
        if len([each for each in where if not each.startswith(NAMED_BY_RULE)]) > 1
    }
    assert twice == {}


def test_a_small_module_has_a_reason(house: House) -> None:
    small = {name for name, module in house.modules.items() if module.lines < 60 and not house.is_package(name)}
    assert {name for name in small - set(SMALL) if "migrations" not in name} == set()


def test_a_reason_is_given_for_small_modules_only(house: House) -> None:
    assert {name for name in SMALL if name not in house.modules or house.modules[name].lines >= 70} == set()


def test_no_function_is_longer_than_forty_lines(house: House) -> None:
    lengths = {
        f"{name}.{node.name}": (node.end_lineno or 0) - node.body[0].lineno + 1 for name, node in house.functions()
    }
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_every_public_function_says_what_it_does(house: House) -> None:
    silent = {
        f"{name}.{node.name}" for name, node in house.functions() if node.name[0] != "_" and not ast.get_docstring(node)
    }
    assert silent == set()


def test_a_handler_that_catches_everything_gives_its_reason(house: House) -> None:
    silent = [f"{module.name}, line {line}" for module in house.modules.values() for line in _silent_handlers(module)]
    assert silent == []


@pytest.mark.parametrize(
    ("handler", "is_silent"),
    [
        ("except Exception:", True),
        ("except BaseException as error:", True),
        ("except (ValueError, Exception):", True),
        ("except:", True),
        ("except Exception:  # noqa: BLE001", True),
        ("except Exception:  # noqa: BLE001 - a filter may raise anything", False),
        ("except BaseException:  # Ctrl-C too must leave no partial file", False),
        ("except ValueError:", False),
    ],
)
def test_a_handler_without_a_reason_is_found(handler: str, is_silent: bool) -> None:
    module = Module("one", f"try:\n    work()\n{handler}\n    raise\n")
    assert _silent_handlers(module) == ([3] if is_silent else [])


def _silent_handlers(module: Module) -> list[int]:
    """Return the line numbers of handlers that catch everything and have no comment that gives the reason."""
    lines, found = module.text.splitlines(), []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else {""}
            reason = re.sub(r"noqa: \w+(?: - )?", "", lines[node.lineno - 1].partition("#")[2])
            if caught & {"", "Exception", "BaseException"} and not reason.strip():
                found.append(node.lineno)
    return found


def test_no_module_is_longer_than_450_lines(house: House) -> None:
    assert {name: module.lines for name, module in house.modules.items() if module.lines > 450} == {}


def test_the_figures_are_printed_by_one_command(house: House, tmp_path: Path) -> None:
    assert house.figures()["imports inside functions"]
    shutil.copytree(ROOT / "publisher/core", tmp_path / "publisher/core", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "tests.support.house", str(tmp_path)]  # a small checkout, which is read quickly
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r"^imports inside functions +\d+$", done.stdout, re.MULTILINE)
