"""The command line as a whole: help, global options, exit codes, and one line instead of a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from publisher.cli import main
from publisher.cli.main import COMMANDS, cli, run
from tests.support.project import MONDAY, Project, spawn
from tests.support.signalled_program import Moment, signalled

HEAVY = ["feedgen", "premailer", "sqlalchemy", "alembic", "apscheduler", "jinja2", "yaml", "rich", "lxml"]
IMPORTED = f"""
import sys
from publisher.cli.main import run
code = run(sys.argv[1:])
print([module for module in {HEAVY} if module in sys.modules], code)
"""


def all_commands() -> list[tuple[str, ...]]:
    """Yield every command and subcommand, as words."""
    found: list[tuple[str, ...]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        found.append((name,))
        if isinstance(command, click.Group):
            found.extend((name, sub) for sub in command.list_commands(context))
    return found


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_help_has_an_example(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"publisher {' '.join(words)}" in " ".join(out.split("Example")[1].split())


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    for name, (place, line) in COMMANDS.items():
        assert f"  {name} " in out
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert command.get_short_help_str(200).rstrip(".") in line, place


def test_help_imports_nothing_heavy() -> None:
    for words in (["--help"], ["subscribers", "--help"], ["--version"]):
        assert spawn(*words, program=("-c", IMPORTED)).out.splitlines()[-1] == "[] 0"


def test_a_build_with_nothing_to_do_imports_nothing_heavy(project: Project) -> None:
    project.ok("build")
    ran = spawn("-C", str(project.root), "--now", MONDAY, "build", program=("-c", IMPORTED))
    assert ran.out.splitlines()[-1] == "[] 0"


def test_a_build_without_a_database_imports_no_mail(project: Project) -> None:
    ran = spawn("-C", str(project.root), "build", program=("-c", IMPORTED))
    imported = ran.out.splitlines()[-1]
    assert not [name for name in ("sqlalchemy", "alembic", "premailer", "apscheduler", "rich") if name in imported]
    assert not (project.root / ".publisher/publisher.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bild"], "Did you mean 'build'?"),
        (["xyzzy"], "No such command 'xyzzy'"),
        (["subscribers", "ad"], "No such command 'ad'"),
        (["build", "--jsn"], "No such option"),
        (["build", "x"], "unexpected extra argument"),
        (["new"], "Missing argument 'TITLE'"),
        (["editions", "show", "one"], "'one' is not a valid integer"),
        (["--now", "yesterday", "build"], "--now: 'yesterday' isn't a valid date"),
        (["--now", "2026-02-30", "build"], "--now: "),
        (["subscribers", "list", "--status", "happy"], "'happy' is not one of"),
    ],
)
def test_wrong_usage_ends_with_2(project: Project, arguments: list[str], said: str) -> None:
    ran = project.run(*arguments, now="")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    "words",
    [
        "publish wekly",
        "publish --dry-run wekly",
        "publish --to a@b.example wekly",
        "editions list --newsletter wekly",
        "subscribers list -n wekly",
        "subscribers export -n wekly",
        "subscribers add a@b.example -n wekly",
        "subscribers remove ada@example.org -n wekly",
    ],
)
def test_an_unknown_newsletter_suggests_the_nearest(project: Project, words: str) -> None:
    project.subscribe("ada")
    before = project.files(".")
    ran = project.run(*words.split())
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: there is no newsletter 'wekly' (did you mean weekly?)\n"
    assert project.files(".") == before


def test_global_options_work_in_either_place(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--json", "--now", MONDAY, "-C", str(project.root)]
    project.subscribe("ada")
    project.ok("publish")
    capsys.readouterr()
    for line in ("status", "editions", "editions list", "subscribers list", "deliveries list 1", "build", "check"):
        words, outs = line.split(), []
        for place in range(len(words) + 1):
            assert run([*words[:place], *options, *words[place:]]) == 0, line
            outs.append(json.loads(capsys.readouterr().out))
        assert all(out == outs[0] for out in outs), line


def test_the_later_of_two_global_options_counts(project: Project, tmp_path: Path) -> None:
    assert project.run("build", "-C", str(tmp_path / "nowhere")).code == 1
    assert "0 posts" in project.ok("build", "--now", "2020-01-01").out
    assert "3 posts" in project.ok("build").out


def test_the_project_is_found_from_a_subfolder(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root / "posts")
    assert run(["build", "--now", MONDAY]) == 0
    assert "index.html" in project.files()


def test_a_variable_can_name_the_project(project: Project) -> None:
    ran = spawn("status", "--json", PUBLISHER_PROJECT=str(project.root))
    assert ran.json["site"]["title"] == "The Quiet Reader"


@pytest.mark.parametrize("where", ["missing", "file.txt", "file.txt/below", "loop", "empty"])
def test_a_missing_project_is_one_line(tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "empty").mkdir()
    for command in (["build"], ["status"], ["check"], ["publish", "--dry-run"], ["new", "A"]):
        assert run(["-C", str(tmp_path / where), *command]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"error: {tmp_path / where}: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file.txt", "loop"]


def test_a_deleted_working_folder_is_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ran = subprocess.run(
        ["sh", "-c", f'cd "{gone}" && rmdir "{gone}" && exec "{sys.executable}" -m publisher build'],
        env=os.environ | {"PYTHONPATH": str(Path(main.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == "error: the current folder no longer exists (go to another folder, or use --project)\n"


def test_every_configuration_mistake_has_a_line(project: Project) -> None:
    project.configure('titel = "B"\n\n[feeds]\nlimit = 0\n')
    ran = project.run("build")
    assert (ran.code, ran.out) == (1, "")
    assert [line.split(": ")[:2] for line in ran.err.splitlines()] == [
        ["error", "publisher.toml:12"],
        ["error", "publisher.toml:15"],
    ]


def test_a_bug_is_one_line_and_a_file(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(arguments: list[str], **options: object) -> None:
        raise LookupError("no\nsuch \ud800 thing")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(main.cli, "main", broken)
    ran = project.run("build")
    assert (ran.code, ran.out) == (1, "")
    (log,) = tmp_path.glob("publisher-*.log")
    assert ran.err.startswith("error: internal error: LookupError: no such")
    assert ran.err.endswith(f"(please report it, and attach {log})\n")
    assert "in broken" in log.read_text()


def test_a_bug_on_a_full_disk_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: list[str], **options: object) -> None:
        raise LookupError("no such thing")

    monkeypatch.setattr("tempfile.tempdir", str(project.root / "missing"))
    monkeypatch.setattr(main.cli, "main", broken)
    assert project.run("build").err == "error: internal error: LookupError: no such thing (please report it)\n"


def test_a_closed_pipe_is_not_reported(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    for words in ("editions show 1 --html", "subscribers export", "subscribers list", "status", "--help"):
        program = f'"{sys.executable}" -m publisher -C "{project.root}" {words}'
        ran = subprocess.run(
            ["bash", "-c", f"{program} | true; exit ${{PIPESTATUS[0]}}"],
            env=os.environ | {"PYTHONPATH": str(Path(main.__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == "", words
        assert ran.returncode in (0, 1), words


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_output_is_one_line(project: Project) -> None:
    project.subscribe("ada")
    for words in ("status", "subscribers export", "--help", "editions --json"):
        with Path("/dev/full").open("w") as full:
            ran = subprocess.run(
                [sys.executable, "-m", "publisher", "-C", str(project.root), *words.split()],
                env=os.environ | {"PYTHONPATH": str(Path(main.__file__).parents[2])},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        said = "error: the output cannot be written: No space left on device (free some disk space)\n"
        assert (ran.returncode, ran.stderr) == (1, said), words


CLOSED = "error: the output: is closed (send it to a file, or to /dev/null)\n"


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_closed_output_is_one_line(options: list[str], project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.subscribe("ada")
    project.ok("publish")
    monkeypatch.setattr(sys, "stdout", None)
    for words in ("--help", "check", "build", "status", "subscribers list", "subscribers export -", "editions",
                  "editions show 1", "deliveries list 1"):  # fmt: skip
        ran = project.run(*options, *words.split())
        assert (ran.code, ran.out, ran.err) == (1, "", CLOSED), words


@pytest.mark.parametrize("closed", ["stdin", "stderr"])
def test_another_closed_stream_changes_nothing(closed: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.subscribe("ada")
    monkeypatch.setattr(sys, closed, None)
    for words in (["build"], ["status"], ["publish", "--yes"], ["check"]):
        assert project.run(*words).code == 0, words
    assert project.run("admin", "password").code == 1
    assert project.run("subscribers", "erase", "ada@readers.example").code == 1


def test_a_terminal_without_unicode_gets_output(project: Project) -> None:
    project.post("snow", "2026-11-16", title='"雪 – ☃"')
    for encoding in ("ascii", "latin-1"):
        ran = project.spawn("status", PYTHONIOENCODING=encoding)
        assert ran.code == 0, ran
        assert "newest: 雪" in ran.out or r"newest: \u96ea" in ran.out


def test_an_interrupted_build_leaves_whole_files(project: Project) -> None:
    for number in range(60):
        project.post(f"post-{number}", body="Words. " * 500)
    public = project.root / "public"
    process = signalled(project.root, signal.SIGINT, Moment("public/**/*.html"), "build")
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (130, "", "\nstopped\n")
    assert not list(public.rglob("*.part"))
    assert all(path.read_text().rstrip().endswith("</html>") for path in public.rglob("*.html"))


def test_an_interruption_while_loading_is_silent() -> None:
    program = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from publisher.__main__ import main
main()
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")
