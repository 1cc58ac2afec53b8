"""Collections of other people's posts, which tests use if they are next to the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.core.models import Problem, RenderedPost
from publisher.posts.archive import Archive
from tests.support import ROOT

SHARED = (ROOT / ".." / "shared").resolve()
RUBY = SHARED / "corpora/ruby-news"
SEEDS = SHARED / "seeds"

needs_seeds = pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed documents are not next to this checkout")
needs_ruby = pytest.mark.skipif(not RUBY.is_dir(), reason="the corpus ruby-news is not next to this checkout")


def seed(number: str) -> bytes:
    (file,) = SEEDS.glob(f"{number}_*.txt")
    return file.read_bytes()


def looked_at(problem: Problem, root: Path) -> str:
    text = (root / problem.path).read_text(encoding="utf-8")
    return text.split("\n")[problem.line - 1]


Ruby = tuple[Archive, list[RenderedPost]]
