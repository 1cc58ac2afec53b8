"""Values in every format of front matter become text with line numbers; errors have a line and a hint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.core.errors import PostError
from publisher.posts.front_matter.formats import Loader
from publisher.posts.front_matter.parsing import Unfinished, parse_head, simple_yaml, split_body
from publisher.posts.post_file import Head
from publisher.posts.text.encoding import decode
from tests.support.posts_samples import HELLO, Folder, read


def head(text: str) -> Head:
    return parse_head(text, whole=True)


@pytest.mark.parametrize(
    ("text", "fields", "body"),
    [
        ("---\ntitle: Hello\n---\nbody\n", {"title": "Hello"}, "body\n"),
        ("---\ntitle: Hello\n...\nbody\n", {"title": "Hello"}, "body\n"),
        ("--- \ntitle: Hello\n---  \nbody", {"title": "Hello"}, "body"),
        ("---\n---\nbody", {}, "body"),
        ("---\n# only a comment\n---\nbody", {}, "body"),
        ("---\ntitle: Hello\n---", {"title": "Hello"}, ""),
        ('+++\ntitle = "Hello"\n+++\nbody', {"title": "Hello"}, "body"),
        ('{\n"title": "Hello",\n"params": {\n"a": 1\n}\n}\nbody', {"title": "Hello", "params": {"a": "1"}}, "body"),
        ('{"title": "Hello"}\n\nbody', {"title": "Hello"}, "\nbody"),
        ("Title: Hello\nDate: 2024-01-05\n\nbody", {"Title": "Hello", "Date": "2024-01-05"}, "body"),
        ("Title: Hello\n   again\n \t\nbody", {"Title": "Hello again"}, "body"),
        ("Title: Hello\nDate: 2024-01-05\n---\nbody", {"Title": "Hello", "Date": "2024-01-05"}, "body"),
        ("Title: Hello\n...  \n\nbody\n---\n", {"Title": "Hello"}, "\nbody\n---\n"),
        ("Title: Hello\n---", {"Title": "Hello"}, ""),
        ("Title: Hello\nTags: machine learning, AI\n\nx", {"Title": "Hello", "Tags": ["machine learning", "AI"]}, "x"),
        ("Title: Hello\nTags: machine learning\n\nx", {"Title": "Hello", "Tags": ["machine learning"]}, "x"),
        ("Summary: an essay may\nbegin like this.\n\nbody", {}, "Summary: an essay may\nbegin like this.\n\nbody"),
        ("Date: an essay, too\n\nbody", {}, "Date: an essay, too\n\nbody"),
        ("# Heading\n\nbody", {}, "# Heading\n\nbody"),
        ("{{ template }}", {}, "{{ template }}"),
        ("", {}, ""),
    ],
)
def test_every_format_of_front_matter_is_split_from_its_body(text: str, fields: dict[str, Any], body: str) -> None:
    found = head(text)
    assert (found.fields, found.body) == (fields, body)
    assert split_body(text) == (body, found.body_line)
    assert "\n".join(text.split("\n")[found.body_line - 1 :]) == body


@pytest.mark.parametrize(
    "scalar",
    ["2024", "1.10", "yes", "No", "2024-01-05 09:00", "2024-01-05", "0x1F", "1e3", "12:30:45", "010", ".inf", "1_000"],
)
def test_a_scalar_stays_the_text_that_was_typed(scalar: str) -> None:
    for line in (f"title: {scalar}", f"title: [{scalar}]", f"title: !!str {scalar}", f"a: &x {scalar}\ntitle: *x"):
        value = head(f"---\n{line}\n---\n").fields["title"]
        assert value in (scalar, [scalar])


def test_toml_and_json_scalars_become_text() -> None:
    fields = {"a": "2024", "b": "1.5", "c": "true", "d": ["1", "x"]}
    assert head('+++\na = 2024\nb = 1.5\nc = true\nd = [1, "x"]\n+++\n').fields == fields
    assert head('{"a": 2024, "b": 1.5, "c": true, "d": [1, "x"]}\n').fields == fields
    times = "+++\na = 2024-01-05\nb = 2024-01-05 09:00:00\nc = 2024-01-05T09:00:00+01:00\n+++\n"
    assert list(head(times).fields.values()) == ["2024-01-05", "2024-01-05T09:00:00", "2024-01-05T09:00:00+01:00"]
    assert head('{"a": null}\n').fields == {"a": None} == head("---\na: ~\n---\n").fields


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("---\ntitle: x\n\n# why\ntags:\n  - a\ndate: 1\n---\n", {"title": 2, "tags": 5, "date": 7}),
        ('+++\ntitle = "x"\n\n[extra]\na = 1\n"b" = 2\n+++\n', {"title": 2, "a": 5, "b": 6}),
        ('{\n"title": "x",\n"date": 1\n}\n', {"title": 2, "date": 3}),
        ("Title: x\nDate:\n  1\nTags: a\n\n", {"Title": 1, "Date": 2, "Tags": 4}),
        ("Title: x\nDate: 1\n---\n", {"Title": 1, "Date": 2}),
    ],
)
def test_the_line_of_every_key_is_known(text: str, lines: dict[str, int]) -> None:
    assert head(text).lines == lines


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("---\ntitle: x\n\nbody\n", 1, "isn't closed", "---"),
        ("+++\ntitle = 1\n\nbody\n", 1, "isn't closed", "+++"),
        ("---\ntitle: a: b\n---\n", 2, "mapping values", 'title: "a: b"'),
        ("---\na: 1\ntitle: a: b\n---\n", 3, "mapping values", 'title: "a: b"'),
        ('---\na: 1\nb: "x\nc: 2\n---\n', 3, "not valid YAML", "close the quotes"),
        ("---\na:\n\t- x\n---\n", 3, "not valid YAML", "spaces, not tabs"),
        ("---\n- a\n- b\n---\n", 2, "not a list of keys", "key: value"),
        ("---\njust words\n---\n", 2, "not a list of keys", "key: value"),
        ("---\na: *nowhere\n---\n", 2, "not valid YAML", ""),
        ('+++\na = 1\nb = "x\n+++\n', 3, "not valid TOML", ""),
        ("+++\na = 1\nb =\n+++\n", 3, "not valid TOML", ""),
        ('{\n"title": "x"\n"date": 1\n}\n', 3, "not valid JSON", ""),
        ('{\n"title": "x",\n', 2, "not valid JSON", ""),
        ("---\na: &a [*a]\n---\n", 2, "nested too deeply, or contain themselves", "remove brackets, and any alias"),
        (f"---\na: {'[' * 900 + ']' * 900}\n---\n", 2, "can't be read as YAML: its values are nested too", "brackets"),
        (
            f"+++\na = {'[' * 3000 + ']' * 3000}\n+++\n",
            2,
            "can't be read as TOML: its values are nested too",
            "brackets",
        ),
        ('{\n"a": ' + "[" * 200_000 + "]" * 200_000 + "\n}\n", 1, "can't be read as JSON: its values", "brackets"),
        (
            '---\na: "\\ud83d\\ude00"\n---\n',
            2,
            "invalid Unicode",
            "write the character itself (😀), or a single escape",
        ),
        ("---coffee\ntitle: x\n---\n", 1, "doesn't open any known kind", "---"),
        ("---js\ntitle: x\n---\n", 2, "has to be run because of 'x'", "YAML"),
        ("Title: x\nno header\n\nbody", 2, "neither a header nor text", "blank line"),
        ("Title: x\n----\nbody", 2, "neither a header nor text", "blank line"),
    ],
)
def test_unreadable_front_matter_has_a_line_and_a_hint(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(PostError, match=message) as caught:
        head(text)
    assert caught.value.line == line
    assert hint in caught.value.hint


def test_an_error_in_toml_names_one_line() -> None:
    with pytest.raises(PostError) as caught:
        head("+++\na = 1\nb =\n+++\n")
    assert caught.value.line == 3
    assert "line" not in caught.value.message


def _merges(start: str, count: int) -> str:
    rows = [f"k{i}: &k{i} {{<<: [{', '.join([f'*k{i - 1}'] * 10)}]}}" for i in range(1, count)]
    return "\n".join(["---", f"k0: &k0 {start}", *rows, f"<<: *k{count - 1}", "---", ""])


@pytest.mark.parametrize(
    "text",
    [
        "---\na: &a [x]\n" + "".join(f"b{i}: &b{i} [{', '.join(['*a'] * 9)}]\n" for i in range(3000)) + "---\n",
        _merges("{k: v}", 12),
        _merges("{}", 12),
        "---\na: &x [*x]\n---\n",
        "---\na: &x\n  <<: *x\n---\n",
        "---\na: " + "[" * 3000 + "]" * 3000 + "\n---\n",
        "+++\na = " + "[" * 5000 + "]" * 5000 + "\n+++\n",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n",
        "+++\na = " + "1" * 5000 + "\n+++\n",
        '{"a": ' + "1" * 5000 + "}\n",
    ],
    ids=[
        "aliases",
        "merges",
        "empty merges",
        "self",
        "self merge",
        "yaml",
        "toml",
        "json",
        "toml digits",
        "json digits",
    ],
)
def test_a_yaml_bomb_is_rejected_before_it_expands(text: str) -> None:
    with pytest.raises(PostError):
        head(text)


def test_merge_keys_are_inherited_and_own_keys_win() -> None:
    text = "---\nbase: &b {x: '1', y: '2'}\nother: &o {y: '4', z: '5'}\nmine:\n  <<: [*b, *o]\n  x: '3'\n---\n"
    assert head(text).fields["mine"] == {"x": "3", "y": "2", "z": "5"}


@pytest.mark.parametrize(
    "text",
    [
        '---\ntitle: "a\\x01b\\u0000"\n---\n',
        '+++\ntitle = "a\\u0001b"\n+++\n',
        '{"title": "a\\u0001\\ud800b\\uffff"}\n',
    ],
)
def test_an_escape_cannot_produce_a_character_that_xml_forbids(text: str) -> None:
    assert head(text).fields["title"] == "ab"


def test_a_key_that_is_not_text_is_ignored() -> None:
    assert head("---\n? [a, b]\n: c\ntitle: x\n---\n").fields == {"title": "x"}


def test_the_last_of_two_equal_keys_counts() -> None:
    assert head("---\ntitle: a\ntitle: b\n---\n").fields == {"title": "b"}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_byte_order_marks_and_line_ends_change_nothing(mark: bytes, end: bytes, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, mark + b"---\ntitle: Hello\ntags: [a]\n---\nThe body.\n".replace(b"\n", end))
    (post,) = folder.posts()
    assert (post.title, [tag.name for tag in post.tags]) == ("Hello", ["a"])
    assert folder.render().html == "<p>The body.</p>\n"


@pytest.mark.parametrize(
    "front",
    [
        "---\ntitle: Long\nwords: |\n{filler}\ntags: [end]\n---\n",
        '+++\ntitle = "Long"\nwords = """\n{filler}\n"""\ntags = ["end"]\n+++\n',
        '{{\n"title": "Long",\n"a": {{\n"b": 1\n}},\n"words": "{flat}",\n"tags": ["end"]\n}}\n',
        "Title: Long\nWords: {flat}\nTags: end\n\n",
    ],
    ids=["yaml", "toml", "json", "headers"],
)
@pytest.mark.parametrize("size", [4000, 4096, 9000])
def test_long_front_matter_is_read_completely(front: str, size: int, tmp_path: Path) -> None:
    filler = "\n".join("  " + "é" * 60 for _ in range(size // 120))
    folder = Folder(tmp_path)
    folder.write(HELLO, front.format(filler=filler, flat=filler.replace("\n", " ")) + "Body.\n", head="")
    (post,) = folder.posts()
    assert (post.title, [tag.name for tag in post.tags]) == ("Long", ["end"])
    with pytest.raises(Unfinished):
        parse_head(front.format(filler=filler, flat=filler)[:300], whole=False)


def test_an_error_after_a_byte_order_mark_names_its_line() -> None:
    with pytest.raises(PostError, match="0xff") as caught:
        decode(b"\xef\xbb\xbfone\r\ntwo\r\xff", whole=True)
    assert caught.value.line == 3


class Full(Loader):
    """The complete YAML parser. simple_yaml must read text values in the same way."""


def by_the_parser(block: str) -> Any:
    Full.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)
    return yaml.load(block, Full) or {}


LINES = st.lists(
    st.tuples(
        st.sampled_from(["title", "tags", "date", "a_b"]),
        st.sampled_from([": ", ":", ":  "]),
        st.text(alphabet="ab1:# -\"'[],.~?!&*|>%@`{}\\tNnul<+()é\u2028\x85", max_size=12),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(LINES)
@example([("title", ": ", "null"), ("tags", ": ", "[a, null]")])
@example([("title", ": ", "a: b")])
@example([("title", ": ", "a #b")])
def test_simple_yaml_reads_the_same_as_the_parser(lines: list[tuple[str, str, str]]) -> None:
    block = "\n".join(map("".join, lines))
    quick = simple_yaml(block)
    if quick is not None:
        assert quick[0] == by_the_parser(block)
        assert quick[1] == {line.split(":")[0]: number for number, line in enumerate(block.split("\n"), 2)}


def test_plain_front_matter_needs_no_parser() -> None:
    block = 'title: Hello: world\ndate: 2024-07-06 09:00\ntags: [a, b c]\nexcerpt: "It\'s"\nlayout:'
    assert simple_yaml("title: Hello: world") is None
    quick = simple_yaml(block.replace(": world", ", world"))
    assert quick is not None
    assert quick[0] == {
        "title": "Hello, world", "date": "2024-07-06 09:00", "tags": ["a", "b c"], "excerpt": "It's", "layout": None
    }  # fmt: skip


STARTS = st.sampled_from(["", "---\n", "+++\n", "{", "{\n", "Title: ", "---\ntitle: x\n", "\ufeff---\n", "---\r\n"])
ENDS = st.sampled_from(["", "\n---\n", "\n+++\n", "\n}\n", "\n\nbody", "\n...\n"])
VALUES = st.text(st.sampled_from("abtl: -\n\t\"'[]{}#&*!|>%@`=.,\\0x1é日\ud800\u2028\x85\x01"), max_size=60)


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(STARTS, VALUES | st.text(max_size=60), ENDS)
@example("{", '"title": "\ud800"}', "")
@example("---\n", "? [a]\n: b", "\n---\n")
@example("---\n", "date: 0001-01-01\nupdated: 9999-12-31 23:59", "\n---\n")
def test_any_text_is_a_head_or_a_post_error(start: str, middle: str, end: str) -> None:
    data = (start + middle + end).encode("utf-8", "surrogatepass")
    try:
        entry = read(decode(data, whole=True))
    except PostError as error:
        assert 1 <= error.line <= data.count(b"\n") + data.count(b"\r") + 2
    else:
        if entry.post:
            json.dumps(entry.post.title).encode()
            entry.post.url.encode("ascii")


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"---\ntitle: ", b"{", b"+++\n"]))
def test_any_bytes_are_a_post_or_an_error(data: bytes, start: bytes) -> None:
    try:
        read(decode(start + data, whole=True))
    except PostError as error:
        assert error.line >= 1


@pytest.mark.parametrize(
    "front",
    ["---\ntitle: null\n---\n", "---\ntitle:\n---\n", "---\ntitle: ~\n---\n", '---\ntitle: ""\n---\n',
     "---\ntitle: ' '\n---\n", "---\nTitle: ''\n---\n", "---\nlayout: a\n---\n",
     '+++\ntitle = ""\n+++\n', '{"title": null}\n', ""],
)  # fmt: skip
@pytest.mark.parametrize("heading", ["# The *real* one", "\n\n# The real one #", "The real one\n==="])
def test_an_invisible_title_gives_way_to_the_heading(tmp_path: Path, front: str, heading: str) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, f"{front}{heading}\n\nWords.\n", head="")
    (post,) = folder.posts()
    assert post.title == "The real one"
    assert folder.render().html == "<p>Words.</p>\n"


DEEP = {
    "YAML lists": (f"---\ntitle: {'[' * 30_000}\n---\n", 2),
    "YAML tables": (f"---\ntitle: T\nx: {'{a: ' * 30_000}\n---\n", 3),
    "YAML dashes": (f"---\nx:\n  {'- ' * 30_000}\n---\n", 3),
    "YAML questions": (f"---\n{'? ' * 30_000}\n---\n", 2),
    "YAML lines": ("---\n" + "".join(f"{' ' * n}a:\n" for n in range(600)) + "---\n", 102),
    "closed YAML": (f"---\nx: {'[' * 101}{']' * 101}\n---\n", 2),
    "TOML keys": (f"+++\ntitle = 'T'\n{'a.' * 500}b = 1\n+++\n", 3),
    "long TOML keys": (f"+++\n{'a.' * 30_000}b = 1\n+++\n", 2),
    "quoted TOML keys": ("+++\n" + "'a' . " * 30_000 + "b = 1\n+++\n", 2),
    "TOML headings": (f"+++\n[{'a.' * 500}b]\n+++\n", 2),
    "TOML lists": (f"+++\nx = {'[' * 30_000}\n+++\n", 2),
    "closed TOML": (f"+++\nx = {'[' * 110}{']' * 110}\n+++\n", 2),
    "JSON lists": ('{\n"a": ' + "[" * 30_000 + "\n}\n", 1),
    "closed JSON": ('{\n"a": ' + "[" * 300 + "]" * 300 + "\n}\n", 1),
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_nesting_is_refused_with_its_line(kind: str) -> None:
    text, line = DEEP[kind]
    with pytest.raises(PostError, match="nested too deeply") as caught:
        parse_head(text, whole=True)
    assert caught.value.line == line


def test_ninety_levels_of_nesting_are_read() -> None:
    for text in (f"---\nx: {'[' * 90}1{']' * 90}\n---\n", '{\n"x": ' + "[" * 90 + "1" + "]" * 90 + "\n}\n"):
        value: object = parse_head(text, whole=True).fields["x"]
        for _ in range(90):
            assert isinstance(value, list)
            (value,) = value
        assert value == "1"


def test_a_fence_may_name_the_language() -> None:
    for written, line in (
        ('---json\n\n{\n\t"title": "x",\n\t"n": {"a": "1"}\n}\n---\nBody', 4),
        ('--- toml\ntitle = "x"\n[n]\na = 1\n---\nBody', 2),
        ("---yaml\ntitle: x\nn: {a: 1}\n---\nBody", 2),
    ):
        head = parse_head(written, whole=True)
        assert (head.fields, head.lines["title"], head.body) == ({"title": "x", "n": {"a": "1"}}, line, "Body")
        assert head.body_line == written.count("\n") + 1
    with pytest.raises(PostError, match="not valid JSON") as caught:
        parse_head("---json\n\n{bad}\n---\nBody", whole=True)
    assert caught.value.line == 3


def test_json_followed_by_words_is_text() -> None:
    text = '{"a": 1} is JSON.\n\nMore.'
    assert parse_head(text, whole=True).body == text
    for text, line in (('{"title": "x"} is JSON.\n', 1), ('{\n"a": 1\n} words\n', 3)):
        with pytest.raises(PostError, match="the front matter ends in the middle of this line") as caught:
            parse_head(text, whole=True)
        assert caught.value.line == line
    assert parse_head('{"title": "x"} \n\nBody', whole=True).fields == {"title": "x"}
