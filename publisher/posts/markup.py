"""Rendering of posts: each body is rendered in a child process, which has limits of time and memory for each post."""

from __future__ import annotations

import os
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from publisher.config import Config
from publisher.core.errors import PostError
from publisher.core.file_names import in_folder
from publisher.core.models import Paint, Post, Problem, RenderedPost, Severity, bare_url
from publisher.posts.archive import MOST_BODIES, Archive
from publisher.posts.bounded_process import BoundedProcess, Call, OverLimit, TimeLimit, second_process, shared_process
from publisher.posts.cache_keys import hash_of
from publisher.posts.front_matter.parsing import split_body
from publisher.posts.index import Referred
from publisher.posts.places import WrittenPost
from publisher.posts.post_file import problem_of
from publisher.posts.rendering.body import Growth, Surroundings, render_body
from publisher.posts.rendering.code_tokens import CODE_TIME, CodeLexer, Painted, body_with_code, listings
from publisher.posts.rendering.item_body import render_item
from publisher.posts.rendering.rendered_body import LocalLink, RenderedBody
from publisher.posts.text.encoding import decode
from publisher.posts.urls import quoted

# The number of rendered posts to keep, since a page, three feeds and several lists may show the same post.
_KEPT = 4096

# From how many posts on it matters what the processes inherit.
_LARGE = 2_000

_NONE: tuple[()] = ()

# The number of posts that are rendered ahead, by each process.
_AHEAD = 16

# How many posts are begun in a first build before its pages are planned. Two processes take 0.1 s for them.
_FIRST = 256

# The number of bodies from which two processes render. Another one takes 20 ms to start with its patterns, and
# 20 MB of memory, which the few hundred bodies of feeds are not worth.
_MANY = 600

# Whether a second process would have a core to run on, besides this one and the first.
_HAS_CORES = (os.cpu_count() or 1) > 1

# The number of characters from which a check tries to colour code. Less code may be slow too, but not for long.
_MAYBE_SLOW = 1000

# How many characters of each line are compared to find what is unusual in a body.
_START = 12


class BrokenPost(Exception):  # noqa: N818 - it carries a post's problem to the build
    """The body of a post cannot be rendered, although its front matter could be read. The build leaves it out.

    lasting  whether the post will be just as broken next time, until its file changes
    """

    def __init__(self, source: str, problem: Problem, *, lasting: bool = True) -> None:
        super().__init__(str(problem))
        self.source, self.problem, self.lasting = source, problem, lasting


class _Begun(NamedTuple):
    """A body that is rendered ahead of time.

    body     the body if it was stored, or the call that renders it, possibly with its code
    process  the process that makes the call
    alone    begins the call for the body without its code; None if `body` is that call
    lexer    the lexer of its code, if lexing has already begun
    """

    body: Call | RenderedBody
    process: BoundedProcess
    alone: Callable[[], Call] | None = None
    lexer: CodeLexer | None = None

    def taken(self) -> tuple[RenderedBody, Painted]:
        """Return the body, and the HTML of its code as far as it has been made; raise what rendering raised."""
        if isinstance(self.body, RenderedBody):
            return self.body, {}
        if self.alone is None:
            body: RenderedBody = self.process.result(self.body)
            return body, {}
        try:
            both: tuple[RenderedBody, Painted] = self.process.result(self.body)
        except OverLimit as over:
            if not over.lasting:
                raise
            body = self.process.result(self.alone())  # perhaps it was the code
            return body, {}
        return both


class RenderLimits(NamedTuple):
    """The limits for one post: the time for its body, how large its HTML may be, and the time for its code."""

    time: TimeLimit = TimeLimit()
    growth: Growth = Growth()
    code: TimeLimit = CODE_TIME


DEFAULT_LIMITS = RenderLimits()


@dataclass
class Renderer:
    """A renderer of an archive's posts, which keeps the latest results.

    inspect      whether to look for the warnings that only `publisher check` shows, and to fill local_links
    local_links  the links that were written without a domain, by source
    limits       the limits for each post
    process      the process that renders
    second       a second process, which renders every other body when there are many
    paint        writes tokens as HTML for `RenderedPost.colour`, in these processes; a function of a module
    """

    archive: Archive
    config: Config
    inspect: bool = False
    local_links: dict[str, list[LocalLink]] = field(default_factory=dict)
    limits: RenderLimits = DEFAULT_LIMITS
    process: BoundedProcess = field(default_factory=shared_process)
    second: BoundedProcess = field(default_factory=second_process)
    paint: Paint | None = None
    _count: int = 0
    _is_first: bool = False
    _first: set[str] = field(default_factory=set)
    _expected: deque[tuple[Iterator[Post], bool]] = field(default_factory=deque)
    _begun: dict[str, _Begun] = field(default_factory=dict)
    _stored: dict[str, tuple[str, str, str, int]] = field(default_factory=dict)
    _referred: list[Referred] = field(default_factory=list)
    _lexers: dict[str, CodeLexer] = field(default_factory=dict)
    _painting: set[str] = field(default_factory=set)
    _made: OrderedDict[str, RenderedPost] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self._around = Surroundings(self.archive.places, self.config)
        self._kind = hash_of(repr((self.config, self.limits)))
        self._newest = frozenset(islice(self.archive.places.permalinks, MOST_BODIES))

    def render(self, post: Post) -> RenderedPost:
        """Return the rendered post; raise BrokenPost if its body cannot be read, or exceeds a limit."""
        made = self._made.get(post.source)
        if made is None:
            if post.source in self.archive.broken:
                raise BrokenPost(post.source, self.archive.broken[post.source])
            made = self._made[post.source] = self._render(post)
            if len(self._made) > _KEPT:
                self._forget(next(iter(self._made)))
        if post.source in self._painting:
            self._painting.remove(post.source)
            self._begin_expected()
        return made

    def let_go(self, source: str) -> None:
        """Discard the result for a post whose page is made. The newest posts stay, because lists show them too.

        It is only a hint: the post may be rendered again.
        """
        if source not in self._newest:
            self._forget(source)

    def _forget(self, source: str) -> None:
        self._made.pop(source, None)
        lexer = self._lexers.get(source)
        if lexer is not None and lexer.slow is None:  # otherwise it is still to be reported
            del self._lexers[source]

    def start_processes(self) -> None:
        """Start the processes of a first build of many posts early, before there is a large plan for them to inherit.

        If all pages will be made, rendering of the newest posts begins, so that the processes are busy during the
        planning.
        """
        count = len(self.archive.posts)
        if self.archive.has_bodies:
            return
        if count >= _LARGE or (self.paint and count >= _MANY):
            self.process.start(self._around)
            if self.paint and _HAS_CORES:  # otherwise only the posts in feeds are rendered
                self.second.start(self._around)
        if self.paint:
            self._begin_newest()

    def _begin_newest(self) -> None:
        self._is_first = True
        for post in self.archive.posts[:_FIRST]:
            if not (post.is_elsewhere or post.redirect_to or post.source in self.archive.broken):
                with suppress(OSError, PostError):  # reported when it is rendered
                    self._begun[post.source] = self._begin(post, wants_code=True)
                    self._first.add(post.source)

    def end_processes(self) -> None:
        """End the processes if there are so many posts that the inherited data takes much memory.

        The next body that is rendered starts a new one.
        """
        if len(self.archive.posts) >= _LARGE:
            self.process.end()
            self.second.end()

    def expect(self, posts: Iterable[Post], *, with_code: bool = False) -> None:
        """Render these posts ahead, a few at a time, while this process is still busy with the previous one.

        It is only a hint: any other post may be rendered too, and at any time.
        with_code  whether their code, with its colours, will be needed as well
        """
        self._expected.appendleft((iter(posts), with_code))
        self._begin_expected()

    def remember(self) -> None:
        """Store in the archive's index the references in the rendered posts, and the warnings about their bodies."""
        self.archive.remember(
            each._replace(problems=(*each.problems, *self._slow_code(each.source))) for each in self._referred
        )
        self._referred.clear()
        self.archive.keep_bodies(self._stored)
        self._stored.clear()

    def _render(self, post: Post) -> RenderedPost:
        path = post.where(self.config.posts.folder)
        try:
            body, lexer = self._body(post)
        except (PostError, OSError) as error:
            lasting = isinstance(error, PostError)
            raise BrokenPost(post.source, _problem_of(error, post, path), lasting=lasting) from error
        except OverLimit as over:
            problem = self._problem(post, path, over)
            if over.lasting:
                self.archive.broken[post.source] = problem
            raise BrokenPost(post.source, problem, lasting=over.lasting) from over
        self._lexers[post.source] = lexer
        problems = body.problems
        if self.inspect:
            self.local_links[post.source] = body.local
            for code, language in listings(body.html):
                if len(code) >= _MAYBE_SLOW:
                    lexer(code, language)
            problems = (*problems, *self._slow_code(post.source))
        # Most bodies refer to nothing, and share that.
        self._referred.append(Referred(post.source, body.links or _NONE, body.assets or _NONE, body.problems or _NONE))
        if body.lost:
            post = _without_lost(post, body.lost)
        shown = post, body.html, body.excerpt, body.words, problems, body.assets, body.pictures
        return RenderedPost(*shown, lexer, partial(lexer.html, self.paint) if self.paint else None, body.maths)

    def _body(self, post: Post) -> tuple[RenderedBody, CodeLexer]:
        """Return the body of a post, and the lexer of its code."""
        if post.source not in self._begun:
            self._begun[post.source] = self._begin(post)
        self._begin_expected()
        begun = self._begun.pop(post.source)  # only now, or it would be begun again
        self._first.discard(post.source)
        try:
            body, painted = begun.taken()
        except BaseException:  # whatever it is, the build starts again, without this post
            ahead = [begun.body for begun in self._begun.values() if isinstance(begun.body, Call)]
            for process in (self.process, self.second):
                process.withdraw(ahead)
            self._begun.clear()
            self._first.clear()
            raise
        is_kept = post.source in self._newest and post.source not in self.archive.last_versions
        if body.is_plain and is_kept and body is not begun.body:
            self._stored[post.source] = (self._key(post), body.html, body.excerpt, body.words)
        return body, begun.lexer or self._lexer(body, begun.process, painted)

    def _lexer(self, body: RenderedBody, process: BoundedProcess, painted: Painted | None = None) -> CodeLexer:
        return CodeLexer(process, self.limits.code.for_size(len(body.html)), painted)

    def _begin(self, post: Post, *, wants_code: bool = False) -> _Begun:
        """Begin to render a body, unless it is stored. A check renders stored bodies too, since it reports more."""
        text = self.archive.text_instead(post.source)
        may_be_stored = text is None and not self.inspect and self.archive.has_bodies
        stored = self.archive.body(post.source, self._key(post)) if may_be_stored else None
        paint = self.paint if wants_code else None
        if stored:
            body = RenderedBody.plain(*stored)
            lexer = self._lexer(body, self.process)
            if paint:
                lexer.begin(body.html, paint)
            return _Begun(body, self.process, lexer=lexer)
        # With pathlib it takes four times as long.
        size = os.stat(f"{self.archive.folder}/{post.source}").st_size if text is None else len(text)  # noqa: PTH116
        written = _written(post, self.config.site_url, text)
        args, seconds = (written, self.limits.growth, self.inspect), self.limits.time.for_size(size)
        render = render_item if post.from_source else render_body
        self._count += 1
        has_second = bool(self.second.pid) or (self._count > _MANY and _HAS_CORES)
        process = self.second if has_second and self._count % 2 else self.process
        alone = partial(process.begin, render, *args, seconds=seconds, state=self._around)
        if paint is None:
            return _Begun(alone(), process)
        wanted = render, args, self.limits.code, paint
        return _Begun(process.begin(body_with_code, *wanted, seconds=seconds, state=self._around), process, alone)

    def _key(self, post: Post) -> str:
        """Return the key of a body: a hash of all that it depends on except its file, whose digest the archive adds."""
        return hash_of(self._kind, repr(_written(post, self.config.site_url)))

    def _begin_expected(self) -> None:
        most = 2 * _AHEAD if self.second.pid else _AHEAD
        while len(self._begun) - len(self._first) + len(self._painting) <= most and self._expected:
            posts, with_code = self._expected[0]
            post = next(posts, None)
            if post is None:
                self._expected.popleft()
                continue
            if made := self._made.get(post.source):
                if with_code and self.paint and self._lexers[post.source].begin(made.html, self.paint):
                    self._painting.add(post.source)
            elif post.source not in self._begun and post.source not in self.archive.broken:
                with suppress(OSError, PostError):  # reported when it is rendered
                    self._begun[post.source] = self._begin(post, wants_code=with_code or self._is_first)

    def _slow_code(self, source: str) -> Iterator[Problem]:
        """Yield a warning if the code of a post took too long to colour."""
        lexer = self._lexers.get(source)
        if lexer is None or lexer.slow is None:
            return
        language, code = lexer.slow
        where = in_folder(self.config.posts.folder, source)
        what = f"the code in {language} takes longer than {lexer.seconds:.3g} s to highlight, so it has no colours"
        yield Problem(where, self._line_of(source, code), what, "shorten it, or name no language", Severity.WARNING)

    def _line_of(self, source: str, code: str) -> int:
        """Return the line of a post's file on which its code begins; 0 if it cannot be found."""
        first = next(filter(None, map(str.strip, code.split("\n"))), "")[:200]
        try:
            lines = decode(self.archive.read(source), whole=True).split("\n")
        except (PostError, OSError):
            return 0
        return next((number for number, line in enumerate(lines, 1) if first in line), 0)

    def _problem(self, post: Post, path: str, over: OverLimit) -> Problem:
        """Return the problem for a body that exceeds a limit. It says what is unusual about it, if that is known."""
        try:
            text, first_line = split_body(decode(self.archive.read(post.source), whole=True))
        except (PostError, OSError):
            text, first_line = "", 1
        line, oddity = _oddity(text)
        what = f"{over.said('to render')}: {oddity}" if oddity else over.said("to render")
        if post.from_source:
            return Problem(path, 0, what, severity=Severity.WARNING)
        return Problem(path, first_line + line - 1 if line else 0, what, "simplify it, or split it into several posts")


def _problem_of(error: PostError | OSError, post: Post, path: str) -> Problem:
    """Return the problem of a post that is left out. For an item, which others wrote, it is a warning."""
    problem = problem_of(error, path)
    return replace(problem, severity=Severity.WARNING, line=0) if post.from_source else problem


def _without_lost(post: Post, lost: Collection[str]) -> Post:
    """Return a post without the pictures in its front matter that are missing. lost: their URLs, as in bare_url()."""
    image = None if post.image and bare_url(post.image.url) in lost else post.image
    authors = tuple(replace(each, image="") if bare_url(each.image) in lost else each for each in post.authors)
    return replace(post, image=image, authors=authors)


def _written(post: Post, site_url: str, text: bytes | None = None) -> WrittenPost:
    # The files that a post shows are here, even if its page is not.
    url = site_url + quoted(post.permalink) if post.is_elsewhere else post.url
    about = post.title, post.excerpt, post.excerpt_separator, post.files
    return WrittenPost(post.source, url, *about, text, is_personal=not post.has_page)


def _oddity(body: str) -> tuple[int, str]:
    """Return the line of a body (from 1) that is far longer than the others or repeated very often, with a description.

    Returns (0, "") if there is no such line.
    """
    lines = body.split("\n")
    longest = max(lines, key=len)
    if len(longest) > 1000 and len(longest) > len(body) / 2:
        sign, count = Counter(longest).most_common(1)[0]
        mostly = f", most of them {sign!r}" if count > len(longest) / 2 else ""
        return lines.index(longest) + 1, f"a line has {len(longest):,} characters{mostly}"
    starts = [line[:_START] for line in lines]
    (start, count), *_ = Counter(filter(str.strip, starts)).most_common(1) or [("", 0)]
    if count > 100 and count > len(lines) / 4:
        return starts.index(start) + 1, f"{count:,} lines begin with {start!r}"
    return 0, ""
