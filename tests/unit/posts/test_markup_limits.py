"""A post that needs too much time, memory or space is reported as broken, with its line and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from publisher.posts.bounded_process import BoundedProcess, TimeLimit
from publisher.posts.markup import BrokenPost, Renderer, RenderLimits
from publisher.posts.rendering import code_tokens
from publisher.posts.rendering.body import Growth
from publisher.posts.rendering.code_tokens import CodeLexer
from publisher.site.pages.post_body import coloured
from tests.support.posts_samples import HELLO, Folder

SHORT = RenderLimits(time=TimeLimit(0.01, 0))
FAST = RenderLimits(growth=Growth(20, 10_000))


@pytest.fixture(scope="module")
def process() -> Iterator[BoundedProcess]:
    process = BoundedProcess(memory=150_000_000)
    yield process
    process.end()


@pytest.fixture
def roomy() -> Iterator[BoundedProcess]:
    """A process whose memory does not end before the time of a post."""
    process = BoundedProcess(memory=2_000_000_000)
    yield process
    process.end()


@pytest.fixture
def lexing(monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundedProcess]:
    """A child process that has loaded its lexers. Otherwise, slow code would also be given the time to load them."""
    for language in ("java", "perl", "python", "no such language"):
        code_tokens.tokens_of("x", language)
    monkeypatch.setattr(code_tokens, "_LOADING", 0.05)
    process = BoundedProcess(memory=150_000_000, fork=True)
    yield process
    process.end()


def broken(tmp_path: Path, process: BoundedProcess, body: str, limits: RenderLimits, name: str = HELLO) -> BrokenPost:
    folder = Folder(tmp_path)
    folder.write(name, body)
    folder.write("2024-07-05-other.md", "Other.")
    archive = folder.archive()
    renderer = Renderer(archive, folder.config, limits=limits, process=process)
    post, other = archive.load([name, "2024-07-05-other.md"])
    with pytest.raises(BrokenPost) as caught:
        renderer.render(post)
    assert Renderer(archive, folder.config, process=process).render(other).html == "<p>Other.</p>\n"
    return caught.value


@pytest.mark.parametrize(
    ("body", "line", "oddity"),
    [
        ("Text\n\n" + "- a\n" * 100_000, 6, "100,000 lines begin with '- a'"),
        ("Text\n\n" + "".join(f"[a](b) {n}\n" for n in range(30_000)), 0, ""),
        ("*a _b " * 100_000, 4, "a line has 600,000 characters"),
        ("*" * 1000_000 + " a", 4, "a line has 1,000,002 characters, most of them '*'"),
    ],
    ids=["a list", "nothing odd", "a paragraph", "stars"],
)
def test_a_post_that_takes_too_long_is_broken(
    body: str, line: int, oddity: str, roomy: BoundedProcess, tmp_path: Path
) -> None:
    found = broken(tmp_path, roomy, body, SHORT)
    assert found.problem.path == f"posts/{HELLO}"
    assert found.problem.line == line
    assert found.problem.message == f"takes longer than 0.01 s to render{oddity and ': '}{oddity}"
    assert found.lasting


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Text\n\n" + "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n" + "a\n" * 300, 6),
        ("Text\n\n" + "[^1] " * 2000 + "\n\n[^1]: x", 6),
    ],
    ids=["a table", "footnotes"],
)
def test_a_post_that_becomes_too_large_is_broken(body: str, line: int, process: BoundedProcess, tmp_path: Path) -> None:
    found = broken(tmp_path, process, body, FAST)
    assert found.problem.line == line
    assert "MB of HTML, more than 20 times its size" in found.problem.message
    assert found.lasting


def test_a_post_that_takes_too_much_memory_is_broken(process: BoundedProcess, tmp_path: Path) -> None:
    body = "|" + "a|" * 2000 + "\n|" + "-|" * 2000 + "\n" + "a\n" * 2000
    found = broken(tmp_path, process, body, RenderLimits())
    assert found.problem.message.startswith("takes more than 150 MB of memory to render: ")
    assert found.lasting


def test_code_that_was_highlighted_ahead_has_the_same_colours(lexing: BoundedProcess) -> None:
    usual, slow = ("x = [1, 2]\n", "python"), ("a<b " * 8000, "java")
    for codes in ([usual, ("?", "no such language"), usual], [usual, slow, usual]):
        html = "".join(f'<pre><code class="language-{name}">{escape(code)}</code></pre>' for code, name in codes)
        now, before = CodeLexer(lexing, 0.3), CodeLexer(lexing, 0.3)
        before.begin(html, coloured)
        tokens = [now(*each) for each in codes]
        assert [before.html(coloured, name, escape(code)) for code, name in codes] == [
            None if each is None else coloured(each) for each in tokens
        ]
        assert before.slow == now.slow


@pytest.mark.parametrize(("language", "code"), [("java", "a<b " * 8000), ("perl", "s{" * 16000)], ids=["java", "perl"])
def test_code_that_takes_too_long_is_shown_without_highlighting(
    language: str, code: str, lexing: BoundedProcess, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.write(
        HELLO, f"Text\n\n```python\ndef f(): pass\n```\n\n```{language}\n{code}\n```\n\n```python\nx = 1\n```\n"
    )
    archive = folder.archive(keep=True)
    limits = RenderLimits(code=TimeLimit(0.3))
    renderer = Renderer(archive, folder.config, limits=limits, process=lexing)
    (post,) = archive.posts
    body = renderer.render(post)
    assert body.lex
    assert body.lex("def f(): pass", "python") != []
    assert body.lex(code, language) is None
    assert body.lex("x = 1", "python") is None
    ahead = Renderer(archive, folder.config, limits=limits, process=lexing, paint=coloured)
    ahead.expect([post], with_code=True)
    colour = ahead.render(post).colour
    assert colour
    assert "<span" in (colour("python", "def f(): pass\n") or "")
    assert colour(language, escape(code) + "\n") is None
    assert colour("python", "x = 1\n") is None
    renderer.remember()
    ((_, warning),) = archive.body_problems()
    assert (warning.line, warning.severity) == (11, "warning")
    assert warning.message == f"the code in {language} takes longer than 0.3 s to highlight, so it has no colours"
    checked = Renderer(archive, folder.config, inspect=True, limits=limits, process=lexing).render(post)
    assert checked.problems == (warning,)
