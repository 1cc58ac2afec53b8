"""Data files of other tools: what is read from them, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.posts.blog_tools.data_files import Data, DataError, data_file, parse_data, read_data

YAML = """\
title: Tea
year: 2024
price: 1.10
on: yes
none: ~
date: 2024-01-02
base: &base {kind: green, hot: true}
list:
  - *base
  - <<: *base
    hot: false
  - !ENV [A, b]
  - "007"
  - 12:30
"""

VALUES: list[tuple[str, str, Data]] = [
    (
        ".yml",
        YAML,
        {
            "title": "Tea",
            "year": 2024,
            "price": 1.1,
            "on": True,
            "none": None,
            "date": "2024-01-02",
            "base": {"kind": "green", "hot": True},
            "list": [{"kind": "green", "hot": True}, {"kind": "green", "hot": False}, ["A", "b"], "007", "12:30"],
        },
    ),
    (".YAML", "- a\n- {b: [c]}\n---\nsecond: document\n", ["a", {"b": ["c"]}]),
    (".yaml", "", None),
    (".yml", "? [a, b]\n: c\nd: e\n", {"": "c", "d": "e"}),
    (".json", '{"a": [1, 2.5, true, null, "x", 1e999]}', {"a": [1, 2.5, True, None, "x", None]}),
    (".json", " ", None),
    (".toml", "a = 2024-01-02\n[b]\nc = [1, 2.5, true]\n", {"a": "2024-01-02", "b": {"c": [1, 2.5, True]}}),
    (
        ".csv",
        'id,name\nada,"Lovelace, Ada"\n\nbob,Bob,more\n',
        [{"id": "ada", "name": "Lovelace, Ada"}, {"id": "bob", "name": "Bob"}],
    ),
    (".tsv", "id\tname\nada\tAda\n", [{"id": "ada", "name": "Ada"}]),
]


def test_data_has_the_types_of_its_format() -> None:
    for ending, text, expected in VALUES:
        assert parse_data(text, ending) == expected, text


def test_scalars_may_be_kept_as_written() -> None:
    for ending, text in (
        (".yml", "a: 1.10\nb: yes\nc: ~\nd: [2024]\n"),
        (".json", '{"a": 1.10, "b": "yes", "c": null, "d": [2024]}'),
    ):
        assert parse_data(text, ending, as_text=True) == {"a": "1.10", "b": "yes", "c": None, "d": ["2024"]}
    assert parse_data("a = 1.10\nb = true\n", ".toml", as_text=True) == {"a": "1.10", "b": "true"}
    assert parse_data('{"a": true}', ".json", as_text=True) == {"a": "true"}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
HOSTILE = [
    (".yml", BOMB, "has more than 200,000 values"),
    (".yml", "a: &a [*a]", "does not name a complete value above it"),
    (".yml", "a: &a " + "x" * 1_500_000 + "\nb: [" + "*a, " * 10_000 + "]", "has more than 200,000 values"),
    (".yml", "[" * 500 + "]" * 500, "nested too deeply"),
    (".yml", "a: [\n", "is not valid YAML"),
    (".yml", "a: b\n\tc: d", "is not valid YAML"),
    (".json", "[" * 100_000, "nested too deeply"),
    (".json", "[" * 60 + "]" * 60, "nested too deeply"),
    (".json", '{"a": ' + "9" * 5_000 + "}", "thousands of digits"),
    (".json", '{"a": 1,\n}', "is not valid JSON"),
    (".toml", "a = \n", "is not valid TOML"),
    (".toml", "a" + ".a" * 60 + " = 1", "nested too deeply"),
    (".csv", '"' + "x" * 200_000, "is not valid CSV"),
    (".csv", "a\n" + "b\n" * 150_000, "has more than 200,000 values"),
    (".txt", "a", "is not the extension of a data file"),
]


def test_hostile_data_is_refused_in_one_line() -> None:
    for ending, text, why in HOSTILE:
        with pytest.raises(DataError, match=why) as caught:
            parse_data(text, ending)
        assert "\n" not in str(caught.value)


def test_an_error_names_the_file_and_its_line(tmp_path: Path) -> None:
    (tmp_path / "_data").mkdir()
    file = tmp_path / "_data" / "a.json"
    file.write_text('{"a": 1,\n}')
    with pytest.raises(DataError, match=r"^_data/a.json:2: is not valid JSON"):
        read_data(file, tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"^_data/a.json: is not text in UTF-8"):
        read_data(file, tmp_path)
    file.write_bytes(b" " * 5_000_001)
    with pytest.raises(DataError, match="is 5 MB"):
        read_data(file, tmp_path)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_data(tmp_path / "none.yml", tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_data(tmp_path / "a\0b.yml", tmp_path)
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_data(file, tmp_path) == {"a": 1}


def test_a_data_file_is_found_by_name(tmp_path: Path) -> None:
    assert data_file(tmp_path, "authors") is None
    for ending in (".csv", ".json", ".yml"):
        (tmp_path / f"authors{ending}").touch()
        assert data_file(tmp_path, "authors") == tmp_path / f"authors{ending}"


def test_nothing_outside_the_project_and_nothing_private_is_read(tmp_path: Path) -> None:
    root = tmp_path / "blog"
    (root / ".publisher").mkdir(parents=True)
    (root / ".secret").mkdir()
    for name in ("../out.yml", ".publisher/a.yml", ".secret/a.yml", "password.txt", "publisher.toml", "good.yml"):
        (root / name).write_text("a = 1" if name.endswith("toml") else "a: 1")
    for number, name in enumerate(
        ("../out.yml", ".publisher/a.yml", ".secret/a.yml", "password.txt", "publisher.toml", "good.yml")
    ):
        (root / f"link{number}.yml").symlink_to(root / name)
    assert read_data(root / "link5.yml", root) == {"a": 1}
    assert read_data(root / ".secret/a.yml", root) == {"a": 1}  # like .vitepress/ and .authors.yml
    for path in ("link0.yml", "link1.yml", "link2.yml", "link3.yml", "link4.yml", "../out.yml", "publisher.toml"):
        with pytest.raises(DataError, match=r"outside the project|something private"):
            read_data(root / path, root)
