"""An id is written into the front matter of a post in any format, and nothing else is changed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.errors import PostError, ProjectError
from publisher.posts.front_matter.post_id import with_id, write_id, written_id

ID = "tag:example.org,2026:2026-10-04:boat"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"---\ntitle: A\n---\nText.\n", b'---\nid: "%s"\ntitle: A\n---\nText.\n'),
        (b"---\r\ntitle: A\r\n---\r\nText.\r\n", b'---\r\nid: "%s"\r\ntitle: A\r\n---\r\nText.\r\n'),
        (b"\xef\xbb\xbf---\ntitle: A\n---\n", b'\xef\xbb\xbf---\nid: "%s"\ntitle: A\n---\n'),
        (
            b"---\ntitle: A  # x\ntags:\n  - b\nid: old\n---\nid: x\n",
            b'---\ntitle: A  # x\ntags:\n  - b\nid: "%s"\n---\nid: x\n',
        ),
        (b"---\ntitle: A\nguid: 'old'\n---\n", b'---\ntitle: A\nguid: "%s"\n---\n'),
        (b'+++\ntitle = "A"\n[extra]\nb = 1\n+++\nText', b'+++\nid = "%s"\ntitle = "A"\n[extra]\nb = 1\n+++\nText'),
        (b'+++\nid = "old"\ntitle = "A"\n+++\n', b'+++\nid = "%s"\ntitle = "A"\n+++\n'),
        (b'{\n  "title": "A"\n}\nText', b'{\n  "id": "%s",\n  "title": "A"\n}\nText'),
        (b'{"title": "A"}\nText', b'{"id": "%s","title": "A"}\nText'),
        (b'{\n  "id": "old",\n  "title": "A"\n}\nText', b'{\n  "id": "%s",\n  "title": "A"\n}\nText'),
        (b"Title: A\nDate: 2026-10-04\n\nText.\n", b"Title: A\nid: %s\nDate: 2026-10-04\n\nText.\n"),
        (
            "<!-- © Ada\n-->\n\u3000\n---\ntitle: A\n---\n".encode(),
            "<!-- © Ada\n-->\n\u3000\n---\n".encode() + b'id: "%s"\ntitle: A\n---\n',
        ),
        (b'<!-- c -->\n{"title": "A"}\nText', b'<!-- c -->\n{"id": "%s","title": "A"}\nText'),
        (b"<!-- c -->\nTitle: A\n\nText.\n", b"<!-- c -->\nTitle: A\nid: %s\n\nText.\n"),
        (b"# A\n\nText.\n", b'---\nid: "%s"\n---\n# A\n\nText.\n'),
        (b"", b'---\nid: "%s"\n---\n'),
    ],
)
def test_only_the_id_is_added(before: bytes, after: bytes) -> None:
    wanted = after.replace(b"%s", ID.encode())
    assert with_id(before, ID) == wanted
    assert with_id(wanted, ID) == wanted
    assert written_id(wanted) == ID


@pytest.mark.parametrize(
    "text",
    [
        b"---\n{title: A}\n---\n",
        b"---\nid:\n  - a\n---\n",
        b"---\nid: >\n  folded\n  text\n---\n",
        "---\ntitle: A\n---\n".encode("utf-16"),
    ],
)
def test_front_matter_without_a_place_for_an_id_is_left_alone(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(text)
    with pytest.raises(ProjectError, match=r"the id cannot be added: .* yourself"):
        write_id(file, ID)
    assert file.read_bytes() == text


def test_the_file_keeps_its_mode_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("# A\n")
    (tmp_path / "real.md").chmod(0o640)
    (tmp_path / "a.md").symlink_to("real.md")
    assert write_id(tmp_path / "a.md", ID)
    assert not write_id(tmp_path / "a.md", ID)
    assert (tmp_path / "a.md").is_symlink()
    assert stat.S_IMODE((tmp_path / "real.md").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "real.md"]


@given(st.binary(max_size=200), st.sampled_from([b"---\n", b"+++\n", b"{", b"Title: ", b""]))
def test_any_other_content_of_the_file_is_unchanged(rest: bytes, opening: bytes) -> None:
    data = opening + rest
    try:
        after = with_id(data, ID)
    except PostError:
        return
    assert written_id(after) == ID
    assert len(after) - len(data) <= len(ID) + 20
