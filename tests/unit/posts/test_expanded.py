"""Each line of a text that was made from another text is traced back to a line of the original."""

from __future__ import annotations

from publisher.posts.tags.expanded import Expanded, Pieces, TagProblem


def test_each_line_knows_where_it_comes_from() -> None:
    pieces = Pieces()
    pieces.copy("one\ntwo ", 1)
    pieces.insert("a\nb\nc", 2)
    pieces.copy(" rest\nthree\n", 2)
    pieces.insert("", 4)
    pieces.insert("x\n", 4)
    pieces.copy("five", 5)
    made = pieces.expanded()
    assert made.text == "one\ntwo a\nb\nc rest\nthree\nx\nfive"
    assert made.lines == (1, 2, 2, 2, 3, 4, 5)
    assert [made.line_of(line) for line in (0, 1, 3, 7, 99)] == [0, 1, 2, 5, 5]


def test_a_text_with_the_same_lines_needs_no_table() -> None:
    for text in ("", "one", "one\n", "one\n\ntwo\n"):
        pieces = Pieces()
        pieces.copy(text, 1)
        assert pieces.expanded() == Expanded(text)


def test_a_second_step_names_lines_of_the_first_text() -> None:
    first = Expanded("a\nb\nc", (1, 1, 2), (TagProblem(2, "old"),), ("_data/x.yml",))
    second = first.then(lambda text: Expanded("a\nc\nd", (1, 3, 3), (TagProblem(3, "new"),), ("_includes/y",)))
    assert second == Expanded(
        "a\nc\nd", (1, 2, 2), (TagProblem(2, "old"), TagProblem(2, "new")), ("_data/x.yml", "_includes/y")
    )
    assert first.then(Expanded) is first
