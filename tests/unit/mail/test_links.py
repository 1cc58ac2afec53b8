"""Personal links, and the secret that signs them."""

from __future__ import annotations

import re
import stat
import string
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData

from publisher.core.errors import ProjectError
from publisher.core.signing import signer
from publisher.mail.links import LinkPurpose, Links, load_secret

LINKS = Links("https://example.org/letters", "a secret")


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_token_reads_back(uid: str, newsletter: str) -> None:
    url = LINKS.unsubscribe(uid, newsletter)

    assert url == LINKS.unsubscribe(uid, newsletter)
    assert re.fullmatch(r"https://example\.org/letters/unsubscribe/[A-Za-z0-9._-]+", url)
    assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token_of(url)) == (uid, newsletter)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=3))
def test_a_token_is_signed_like_those_of_itsdangerous(parts: list[str]) -> None:
    made = signer("a secret", "unsubscribe")
    assert made.dumps(parts) == made.dumps(
        parts, salt="publisher unsubscribe"
    )  # this call takes the path of the library


@pytest.mark.parametrize("purpose", ["unsubscribe", "preferences", "once confirm", "once address"])
def test_only_one_spelling_of_a_token_is_accepted(purpose: str) -> None:
    """The last character of base64 has unused bits, so other last characters could decode to the same bytes."""
    made = signer("a secret", purpose)
    token = str(made.dumps(["uid", "weekly"]))
    assert made.loads(token) == ["uid", "weekly"]
    others = {token[:-1] + last for last in string.ascii_letters + string.digits + "-_="} - {token}
    for other in (*others, f"{token}=", f"{token[:-1]}+{token[-1]}"):
        with pytest.raises(BadData):
            made.loads(other)


def test_a_token_has_one_purpose() -> None:
    leave, choose = LINKS.unsubscribe("uid", "weekly"), LINKS.preferences("uid")

    assert LINKS.read(LinkPurpose.PREFERENCES, token_of(choose)) == ("uid",)
    assert LINKS.read(LinkPurpose.PREFERENCES, token_of(leave)) is None
    assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token_of(choose)) is None


def test_a_token_of_another_project_is_refused() -> None:
    other = Links("https://example.org/letters", "another secret")
    assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token_of(other.unsubscribe("uid", "weekly"))) is None


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    token = token_of(LINKS.unsubscribe("uid", "weekly"))
    changed = data.draw(st.text(max_size=80) | st.integers(0, len(token) - 1).map(lambda i: token[:i]))
    assert changed == token or LINKS.read(LinkPurpose.UNSUBSCRIBE, changed) is None


def test_links_are_always_ascii() -> None:
    url = Links("https://müller.example:8000/café", "a secret").preferences("uid")
    assert url.startswith("https://xn--mller-kva.example:8000/caf%C3%A9/preferences/")


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: load_secret(folder, {}), range(8)))

    assert len(found) == 1
    assert load_secret(folder, {"PUBLISHER_SECRET": " "}) in found
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "secret"]
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_an_environment_secret_makes_no_file(tmp_path: Path) -> None:
    assert load_secret(tmp_path, {"PUBLISHER_SECRET": " given " * 8}) == "given  " * 7 + "given"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe"])
def test_a_damaged_secret_is_not_replaced(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ProjectError, match="secret"):
        load_secret(tmp_path, {})
    assert (tmp_path / "secret").read_bytes() == content
