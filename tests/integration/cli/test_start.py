"""publisher init and new: files that are created once and then belong to the author."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import frontmatter
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.cli.main import run
from publisher.config import load_config
from publisher.core.errors import ProjectError
from publisher.publishing.new_project import create_post
from publisher.publishing.site_generators import published_folders
from tests.support.project import MONDAY, ROOT, Project


def test_a_new_project_is_valid_at_once(empty: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--now", "2026-11-16T09:00:59", "init", str(empty.root)]) == 0
    said = capsys.readouterr().out
    assert empty.files(".") == {"publisher.toml", ".gitignore", "posts/2026-11-16-hello-world.md"}
    assert all(name in said for name in empty.files("."))
    assert load_config(empty.root, {}).newsletters[0].name == "weekly"
    assert "0 posts," in empty.ok("build", now="2026-11-16T09:01").out
    assert "since" not in empty.read("publisher.toml")
    left = empty.ok("check", "--json").json  # what only the owner knows
    assert [each["message"].split(" ")[0] for each in left] == [
        "site.postal_address", "site.title", "site.url", "site.description", "site.authority", "site.author.name",
        "newsletter", "newsletter", "emails",
    ]  # fmt: skip
    assert {each["severity"] for each in left} == {"warning"}


def test_the_sample_text_is_sent_to_no_one(empty: Project) -> None:
    assert run(["--now", "2026-11-16T09:00", "init", str(empty.root)]) == 0
    empty.subscribe("ada")
    assert "no new posts" in empty.ok("publish").out
    path = "posts/2026-11-16-hello-world.md"
    empty.write(path, sample := empty.read(path).replace("draft: true\n", ""))
    assert "has the text that `publisher init` wrote" in empty.fails("check").out
    assert "on hold" in empty.fails("publish").out
    empty.write(path, sample.replace("This is the first paragraph", "Here I am"))
    assert "has the text" not in empty.ok("check").out


def test_init_twice_changes_nothing(empty: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(empty.root)]) == 0
    empty.write("publisher.toml", "mine")
    before = empty.listing()
    capsys.readouterr()
    assert run(["init", str(empty.root)]) == 0
    out = capsys.readouterr().out
    assert "made" not in out
    assert out.count("(already exists)") == 2
    assert empty.listing() == before


@pytest.mark.parametrize("name", ["old.md", "2020/deep/page.html", "a.markdown", "b.mdown"])
def test_a_folder_that_has_posts_gets_no_example(empty: Project, name: str) -> None:
    empty.write(f"posts/{name}", "---\ntitle: Old\ndate: 2020-01-01\n---\nOld words.\n")
    before = datetime.now(UTC)
    assert run(["init", str(empty.root)]) == 0
    assert empty.files("posts") == {name}
    years = {f"{moment:%Y}" for moment in (before, datetime.now(UTC))}
    assert any(f'\nsince = "{year}-' in empty.read("publisher.toml") for year in years)
    assert empty.config().newsletters[0].since
    assert empty.ok("build", "--json").json["posts"] == 1


@pytest.mark.parametrize(
    ("config", "ignored"),
    [
        ("title: My blog\n", "node_modules/\n"),
        ("exclude:\n  - drafts/\n", "_site"),
        ("exclude: [drafts/]\n", None),
        (None, None),
    ],
)
def test_a_jekyll_blog_publishes_and_commits_none_of_our_files(
    empty: Project, config: str | None, ignored: str | None
) -> None:
    empty.write("_posts/2026-11-01-boats.md", "---\ntitle: Boats\ndate: 2026-11-01\n---\nWords.\n")
    empty.write("about.md", "---\ntitle: About\n---\nMe.\n")
    for name, text in (("_config.yml", config), (".gitignore", ignored)):
        if text is not None:
            empty.write(name, text)
    git = ("git", "-C", str(empty.root), "-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "A blog"]):
        subprocess.run([*git, *command], check=True)

    assert run(["--now", "2026-10-31T09:00", "init", str(empty.root)]) == 0
    empty.ok("subscribers", "add", "r@example.net", "--name", "Reader")
    empty.ok("publish", "--yes", now="")
    assert len(empty.mail()["r@example.net"]) == 1
    subprocess.run([*git, "add", "-A"], check=True)
    staged = subprocess.run([*git, "diff", "--cached", "--name-only"], capture_output=True, text=True, check=True)
    assert set(staged.stdout.split()) <= {"publisher.toml", "_config.yml", ".gitignore"}
    (jekyll,) = published_folders(empty.root, empty.root)
    taken = {path for path in empty.files(".") if not path.startswith(".git/") and jekyll.takes(empty.root / path)}
    assert taken == {"about.md"}
    before = empty.listing()
    assert run(["init", str(empty.root)]) == 0
    assert empty.listing() == before


def test_init_works_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    assert "cd " not in capsys.readouterr().out
    assert run(["build"]) == 0
    assert (tmp_path / "public/index.html").is_file()


def test_the_suggested_command_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "my letter; rm -rf ~"]) == 0
    command = capsys.readouterr().out.rpartition("run: ")[2]
    assert shlex.split(command) == ["cd", "my letter; rm -rf ~", "&&", "publisher", "publish"]


@pytest.mark.parametrize("where", ["file", "file/below", "posts-is-a-file", "toml-is-a-folder"])
def test_an_unwritable_project_is_one_line(tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "posts-is-a-file").mkdir()
    (tmp_path / "posts-is-a-file/posts").write_text("x")
    (tmp_path / "toml-is-a-folder/publisher.toml").mkdir(parents=True)
    assert run(["init", str(tmp_path / where)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {tmp_path / where}")
    assert err.count("\n") == 1


def test_a_full_disk_leaves_no_partial_file(empty: Project) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))

    done = subprocess.run(
        [sys.executable, "-m", "publisher", "init", str(empty.root)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"error: {empty.root}/publisher.toml: cannot be written: File too large\n"
    assert empty.files(".") == set()
    assert run(["init", str(empty.root)]) == 0
    assert load_config(empty.root, {}).site.title == "My newsletter"


def test_a_new_post_is_a_draft_with_an_id(project: Project) -> None:
    ran = project.ok("new", "Why feeds matter", "--tag", "feeds", "--tag", "R&D")
    path = Path(ran.out.strip())
    assert path == project.root / "posts/2026-11-16-why-feeds-matter.md"
    post = frontmatter.loads(path.read_text())
    assert post.metadata == {
        "title": "Why feeds matter",
        "date": "2026-11-16 10:00",
        "id": "tag:letters.example,2024:2026-11-16:why-feeds-matter",
        "tags": ["feeds", "R&D"],
        "draft": True,
    }
    assert project.ok("build", "--json").json["posts"] == 3
    path.write_text(path.read_text().replace("draft: true\n", "") + "Because.\n")
    assert project.ok("build", "--json").json["posts"] == 4
    assert post["id"] in project.read("public/feed.xml")


def test_new_prints_only_the_path(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    ran = project.ok("new", "A", "-v")
    assert (ran.out, ran.err) == (
        "posts/2026-11-16-a.md\n",
        "0 tags; a draft until you delete `draft: true`\n",
    )
    assert project.ok("new", "B", "--json").json == {"path": str(project.root / "posts/2026-11-16-b.md")}


def test_new_overwrites_nothing(project: Project) -> None:
    path = Path(project.ok("new", "Hello").out.strip())
    path.write_text("mine")
    ran = project.run("new", "Hello!")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"error: {path}: already exists (choose a different title)\n"
    assert path.read_text() == "mine"


@pytest.mark.parametrize("title", ["", "   ", "\n\t", "\x00", "\x1b\x7f"])
def test_a_post_without_a_title_is_one_line(project: Project, title: str) -> None:
    ran = project.run("new", title)
    assert (ran.code, ran.err) == (1, 'error: a post needs a title (publisher new "Hello, world")\n')
    assert project.files("posts") == {"first.md", "second.md", "third.md"}


HOSTILE = [
    'He said "no": {x} # [y]',
    "- a list?",
    "---",
    "'quoted'",
    "back\\slash \\n",
    "2026-11-16",
    "yes",
    "null",
    "!!python/object:os.system",
    "a\nb\r\nc: d",
    "../../etc/passwd",
    "C:\\con",
    "日本語 の 題",
    "مرحبا",
    "e\u0301\u200d👩‍💻",
    "{{ title }} {% raw %}",
    "x" * 1000,
    "語" * 300,
    "\x1b[31mred\x07",
    "del\x7f nel\x85 ls\u2028 bom\ufeff fffe\ufffe",
    "half \udcff",
    "?!.",
    "CON",
    ".hidden",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_whatever_the_title_the_post_can_be_published(project: Project, title: str) -> None:
    path = Path(project.ok("new", "--tag", title, "--", title).out.removesuffix("\n"))
    assert path.parent == project.root / "posts"
    text = path.read_text(encoding="utf-8")
    wanted = " ".join("".join(c if c not in _TAKEN_OUT else " " for c in title).split())
    assert frontmatter.loads(text)["title"] == wanted
    path.write_text(text.replace("draft: true\n", "") + "Words.\n", encoding="utf-8")
    report = project.ok("build", "--json").json
    assert (report["posts"], report["problems"]) == (4, [])


_TAKEN_OUT = {*map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF])} | {"\udcff"}


@settings(deadline=None, max_examples=60)
@given(title=st.text(st.characters(), min_size=1, max_size=60))
def test_any_title_survives_the_front_matter(title: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "publisher.toml").write_text('[site]\ntitle = "A"\nurl = "https://a.example"\n')
    config = load_config(root, {})
    try:
        path = create_post(config, title, (title,), datetime(2026, 11, 16, tzinfo=UTC))
    except ProjectError as error:
        assert error.message == "a post needs a title"
        return
    post = frontmatter.loads(path.read_text(encoding="utf-8"))
    assert isinstance(post["title"], str)
    assert post["title"]
    assert path.parent == root / "posts"


def test_new_creates_the_posts_folder(project: Project) -> None:
    project.configure('\n[posts]\nfolder = "content/blog"\n')
    assert project.ok("new", "A", now=MONDAY).out.endswith("/content/blog/2026-11-16-a.md\n")
