"""Front matter and data in JavaScript: plain values are read, and nothing is run."""

from __future__ import annotations

import pytest

from publisher.core.errors import PostError
from publisher.posts.blog_tools.data_files import Data
from publisher.posts.blog_tools.plain_programs import ScriptError, script_values
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.front_matter.preamble import seems_hidden

# A text, and its values.
READ: list[tuple[str, dict[str, Data]]] = [
    ('const title = "A";\nconst draft = true;', {"title": "A", "draft": "true"}),
    ("let title = 'It\\'s'\nvar tags = ['a', \"b\",]\n", {"title": "It's", "tags": ["a", "b"]}),
    ('{ title: "A: b", draft: false, "in-feeds": true, }', {"title": "A: b", "draft": "false", "in-feeds": "true"}),
    (
        "{\n\t// one\n\ttitle: `A`, /* two\n */ more: {key:-1,no:null},\n};\n",
        {"title": "A", "more": {"key": "-1", "no": None}},
    ),
    ('const date = new Date("2026-01-02");', {"date": "2026-01-02"}),
    (
        'const url = "https://a.test/{x}";\nconst s = "\\u00e9\\x41\\u{1F600}\\n";',
        {"url": "https://a.test/{x}", "s": "éA😀\n"},
    ),
    ('const a = {\n  key: "About",\n  order: 3\n};', {"a": {"key": "About", "order": "3"}}),
    ("const a = undefined;", {"a": None}),
    ("// nothing\n", {}),
]

# A text that would have to be run, the obstacle, and its line.
REFUSED = [
    ('const a = "b";\nconst draft = isDraft();', "isDraft", 2),
    ("{\n  draft: !ready,\n}", "!ready", 2),
    ("{ title, draft: true }", "title", 1),
    ("{ title: a }", "a", 1),
    ("const a = `x ${b}`;", "`x ${b}`", 1),
    ("const a = 'b' + 'c';", "+", 1),
    ("const a = () => 1;", "(", 1),
    ("function f() {}", "function", 1),
    ("{ f() { return 1 } }", "f", 1),
    ("const { a } = b;", "const", 1),
    ("{ ...b }", "...b", 1),
    ("{ draft: true, draft: false }", "draft", 1),
    ("const draft = true;\nconst draft = false;", "draft", 2),
    ("{ a: 1 }; const b = 1;", ";", 1),
    ("export default { draft: true }", "export", 1),
    ("const a = 'b", "'b", 1),
    ("const a = ;", "a", 1),
    ("const a =\nlet b = 1", "a", 1),
    ("const a = [1;", "", 1),
    ("[".ljust(200_000, "["), "", 1),
]


def test_plain_values_are_read() -> None:
    for text, values in READ:
        assert script_values(text).fields == values, text


def test_values_that_would_have_to_be_run_are_refused() -> None:
    for text, why, line in REFUSED:
        with pytest.raises(ScriptError) as error:
            script_values(text)
        assert why in error.value.message, text
        assert error.value.line == line, text


def test_front_matter_in_javascript_is_read_like_any_other() -> None:
    head = parse_head('---js\nconst title = "A";\nconst draft = true;\n---\nText\n', whole=True)
    assert (head.fields, head.lines) == ({"title": "A", "draft": "true"}, {"title": 2, "draft": 3})
    assert (head.body, head.body_line) == ("Text\n", 5)
    with pytest.raises(
        PostError, match=r"in JavaScript, which is not run, and has to be run because of 'now'"
    ) as error:
        parse_head("---javascript\n{\n  date: now(),\n}\n---\nText\n", whole=True)
    assert error.value.line == 3


def test_an_unreadable_script_still_hides_the_post() -> None:
    assert seems_hidden(b"---js\nconst title = f();\nconst draft = true;\n---\n")
    assert seems_hidden(b"---js\n{\n  title: f(),\n  draft: true,\n}\n---\n")
    assert not seems_hidden(b"---js\nconst title = f();\nconst draft = false;\n---\n")
