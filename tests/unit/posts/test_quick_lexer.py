"""The quick lexer finds the same tokens as Pygments, in every language that supports it."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name

from publisher.posts.rendering import code_tokens
from publisher.posts.rendering.code_tokens import tokens_of
from publisher.posts.rendering.quick_lexer import quick_tokens
from publisher.site.pages.post_body import highlight

ROOT = Path(__file__).parents[3]
SIGNS = "abcdefxyz01  \n\t\"'`#$@%^&*()-_=+[]{}\\|;:,.<>/?~!\u00e9\u03bb"


@cache
def files() -> list[Path]:
    return [*sorted((ROOT / "publisher/site").rglob("*.py")), *sorted((ROOT / "templates/pages").glob("*.*"))]


def texts(chance: random.Random) -> list[str]:
    whole = chance.choice(files()).read_text(encoding="utf-8")
    start = chance.randrange(len(whole))
    return [whole[start : start + 300], "".join(chance.choices(SIGNS, k=200)), ""]


def lexer_of(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)


def test_tokens_of_any_text_in_any_language_equal_those_of_pygments() -> None:
    chance = random.Random(20)
    quick = 0
    for _, aliases, _, _ in get_all_lexers(plugins=False):
        lexer = lexer_of(aliases[0]) if aliases else None
        if lexer is None or (find := quick_tokens(lexer)) == lexer.get_tokens:
            continue
        quick += 1
        for text in texts(chance):
            assert list(find(text)) == list(lexer.get_tokens(text)), aliases[0]
    assert quick > 400


def test_a_frequent_language_keeps_its_colours() -> None:
    code = 'def f(x):\n    """Say it."""\n\n    return f"{x!r:>4}" + str(1.5)  # so\n'
    code_tokens._language.cache_clear()
    found = {highlight(code, "python", lambda *listing: tokens_of(*listing)[1]) for _ in range(code_tokens._MANY + 1)}
    assert len(found) == 1


def test_a_space_belongs_to_the_token_before_it() -> None:
    _, tokens = tokens_of(" x  =\n\n1 ", "python")
    assert [text for _, text in tokens or ()] == [" ", "x  ", "=\n\n", "1 "]
    long = " " * 10_000
    _, tokens = tokens_of(f"x{long}=", "python")
    assert "".join(text for _, text in tokens or ()) == f"x{long}="
