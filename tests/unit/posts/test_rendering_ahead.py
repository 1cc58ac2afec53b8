"""Posts that will be needed are rendered ahead of time, and the order of requests does not change the results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from publisher.core.models import Problem
from publisher.posts.archive import open_archive
from publisher.posts.bounded_process import BoundedProcess, Call, OverLimit, TimeLimit
from publisher.posts.index import Referred
from publisher.posts.markup import BrokenPost, Renderer, RenderLimits
from publisher.site.pages.post_body import coloured
from tests.support.bounded_calls import add, spin
from tests.support.posts_samples import NOW, Folder
from tests.unit.posts.test_archive import age

# It needs more memory than the processes here have, long before its time is over on any computer.
HUGE = f"|{'a|' * 2000}\n|{'-|' * 2000}\n" + "a\n" * 2000
NAMES = [f"2024-07-{day:02}-post.md" for day in range(1, 31)]


@pytest.fixture(scope="module", params=[True, False], ids=["forked", "new interpreter"])
def process(request: pytest.FixtureRequest) -> Iterator[BoundedProcess]:
    process = BoundedProcess(memory=150_000_000, fork=request.param)
    yield process
    process.end()


def folder_of_posts(root: Path) -> Folder:
    folder = Folder(root)
    for name in NAMES:
        folder.write(name, f"This is {name}.")
    return folder


def test_posts_can_be_requested_in_any_order_whatever_was_expected(process: BoundedProcess, tmp_path: Path) -> None:
    folder = folder_of_posts(tmp_path)
    archive = folder.archive()
    renderer = Renderer(archive, folder.config, process=process)
    renderer.expect(archive.posts)
    for post in sorted(archive.posts, key=lambda post: post.source[::-1]):
        assert renderer.render(post).html == f"<p>This is {post.source}.</p>\n"
        renderer.expect(archive.posts[:3])


class Counting(BoundedProcess):
    """A process that counts its calls."""

    count = 0

    def begin(self, function: Callable[..., Any], *args: Any, seconds: float, state: Any = None) -> Call:
        self.count += 1
        return super().begin(function, *args, seconds=seconds, state=state)


def test_a_post_that_is_expected_several_times_is_rendered_once(tmp_path: Path) -> None:
    folder = folder_of_posts(tmp_path)
    archive = folder.archive()
    process = Counting(memory=150_000_000)
    renderer = Renderer(archive, folder.config, process=process)
    renderer.expect(archive.posts)
    for post in archive.posts:
        renderer.expect(archive.posts[:20])
        renderer.render(post)
    process.end()
    assert process.count == len(NAMES)


def test_a_broken_post_that_was_expected_breaks_only_itself(process: BoundedProcess, tmp_path: Path) -> None:
    folder = folder_of_posts(tmp_path)
    folder.write(NAMES[20], HUGE)
    folder.write(NAMES[18], b"---\ntitle: x\n---\ncaf\xe9")
    archive = folder.archive()
    (tmp_path / "posts" / NAMES[22]).unlink()
    renderer = Renderer(archive, folder.config, process=process, limits=RenderLimits(time=TimeLimit(20, 0)))
    renderer.expect(archive.posts)
    broken = {}
    for post in archive.posts:
        try:
            assert post.source in renderer.render(post).html
        except BrokenPost as found:
            broken[post.source] = found.problem.message.partition(":")[0]
    too_much = "takes more than 150 MB of memory to render"
    assert broken == {NAMES[20]: too_much, NAMES[18]: "is not UTF-8", NAMES[22]: "cannot be read"}


def test_many_posts_are_rendered_by_two_processes_and_a_broken_one_breaks_only_itself(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = [f"2024-07-05-post-{number:03}.md" for number in range(660)]
    for name in names:
        folder.write(name, f"This is {name}.\n\n```python\nname = '{name}'\n```\n")
    code = "name = '{0.source}'\n"
    for name in (names[20], names[21]):  # newest first, so both processes are running
        folder.write(name, b"---\ntitle: x\n---\ncaf\xe9")
    folder.write(names[31], HUGE)
    archive = folder.archive()
    first, second = BoundedProcess(memory=150_000_000), BoundedProcess(memory=150_000_000)
    limits = RenderLimits(time=TimeLimit(20, 0))
    renderer = Renderer(archive, folder.config, process=first, second=second, limits=limits, paint=coloured)
    for post in archive.posts[:20]:
        renderer.render(post)  # its code is highlighted ahead, nevertheless
    renderer.expect(archive.posts, with_code=True)
    broken = []
    for post in archive.posts:
        try:
            body = renderer.render(post)
        except BrokenPost as found:
            broken.append(found.source)
            continue
        assert f"<p>This is {post.source}.</p>" in body.html
        assert body.colour
        assert f"<span class=\"s\">'{post.source}'" in (body.colour("python", code.format(post)) or "")
    assert bool(second.pid) == ((os.cpu_count() or 1) > 1)
    assert sorted(broken) == [names[20], names[21], names[31]]
    for process in (first, second):
        process.end()


def test_the_first_posts_of_a_build_start_early_and_unneeded_ones_do_not_delay_others(
    process: BoundedProcess, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    names = [f"2024-07-05-post-{number:03}.md" for number in range(300)]
    for name in names:
        folder.write(name, f"This is {name}.\n\n```python\nname = '{name}'\n```\n")
    folder.write(names[3], b"---\ntitle: x\n---\ncaf\xe9")
    folder.write(names[4], HUGE)
    archive = folder.archive()
    limits = RenderLimits(time=TimeLimit(20, 0))
    counting = Counting(memory=150_000_000)
    renderer = Renderer(archive, folder.config, process=counting, second=counting, limits=limits, paint=coloured)
    renderer.start_processes()
    assert counting.count == 256
    broken = []
    renderer.expect(archive.posts[50:])
    for post in archive.posts[50:]:  # the first 50 are never asked for
        try:
            body = renderer.render(post)
        except BrokenPost as found:
            broken.append(found.source)
            continue
        assert f"<p>This is {post.source}.</p>" in body.html
        assert body.colour
        assert "<span" in (body.colour("python", f"name = '{post.source}'\n") or "")
    assert broken == []
    counting.end()


def test_a_body_is_rendered_once_until_its_post_changes(tmp_path: Path) -> None:
    folder = folder_of_posts(tmp_path)
    folder.write(NAMES[1], f"See [that](/{NAMES[0]}).")  # the target of its link may move, so it is rendered again
    for name in NAMES:
        age(tmp_path / "posts" / name)

    def rendered(*names: str, title: str = "Test") -> tuple[bool, list[str]]:
        config = replace(folder.config, site=replace(folder.config.site, title=title))
        process, archive = BoundedProcess(), open_archive(config, NOW)
        renderer = Renderer(archive, config, process=process)
        renderer.expect(archive.load(names))
        bodies = [renderer.render(post).html for post in archive.load(names)]
        renderer.remember()
        began = process.pid != 0
        process.end()
        return began, bodies

    first = rendered(*NAMES)
    assert first == (True, rendered(*NAMES)[1])
    assert rendered(*NAMES[2:]) == (False, first[1][2:])
    assert rendered(NAMES[1]) == (True, first[1][1:2])
    age(folder.write(NAMES[2], "Other words."))
    assert rendered(*NAMES[3:]) == (False, first[1][3:])
    assert rendered(NAMES[2]) == (True, ["<p>Other words.</p>\n"])
    assert rendered(NAMES[2]) == (False, ["<p>Other words.</p>\n"])
    assert rendered(NAMES[2], title="Changed")[0]


def test_references_that_a_body_no_longer_contains_are_forgotten(tmp_path: Path) -> None:
    archive = folder_of_posts(tmp_path).archive()
    warning = Problem("posts/x.md", 1, "is odd")
    linking, showing, odd, other, *_ = archive.ids()
    full = [
        Referred(linking, [other], [], ()),
        Referred(showing, [], [("/a.png", "posts/a.png")], ()),
        Referred(odd, [], [], (warning,)),
    ]
    archive.remember(full)
    assert (archive.assets(), archive.body_problems()) == ([("/a.png", "posts/a.png")], [(odd, warning)])
    archive.remember(Referred(each, [], [], ()) for each in (showing, other))
    assert (archive.assets(), archive.body_problems()) == ([], [(odd, warning)])
    archive.remember(Referred(each, [], [], ()) for each in (linking, odd))
    assert (archive.awaited(), archive.body_problems()) == ([], [])


def test_calls_are_answered_in_turn_even_if_one_dies(process: BoundedProcess) -> None:
    before = [process.begin(add, n, 0, seconds=5) for n in range(20)]
    endless = process.begin(spin, seconds=0.1)
    after = [process.begin(add, n, 100, seconds=5) for n in range(20)]
    assert [process.result(call) for call in reversed(after)] == [n + 100 for n in reversed(range(20))]
    assert [process.result(call) for call in before] == list(range(20))
    with pytest.raises(OverLimit):
        process.result(endless)


def test_large_calls_and_results_do_not_block_each_other(process: BoundedProcess) -> None:
    calls = [process.begin(doubled, "x" * size, seconds=5) for size in (10, 3_000_000, 10, 200_000, 200_000, 1400)]
    assert [len(process.result(call)) for call in calls] == [20, 6_000_000, 20, 400_000, 400_000, 2800]


def test_many_calls_with_large_answers_do_not_block_each_other(process: BoundedProcess) -> None:
    calls = [process.begin(doubled, "x" * 3300, seconds=5) for _ in range(600)]
    large = [process.begin(doubled, "x" * 60_000, seconds=5) for _ in range(5)]
    assert {len(process.result(call)) for call in calls} == {6600}
    assert {len(process.result(call)) for call in large} == {120_000}


def test_a_withdrawn_call_is_not_made(process: BoundedProcess) -> None:
    calls = [process.begin(add, n, 0, seconds=5) for n in range(200)]  # more than a child is sent at once
    endless = process.begin(spin, seconds=600)
    process.withdraw([endless])
    assert [process.result(call) for call in calls] == list(range(200))
    assert process.call(add, 1, 2, seconds=5) == 3


def doubled(text: str) -> str:
    return text * 2
