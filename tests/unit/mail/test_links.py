"""Links, the secret behind them, and the locks of workers."""

from __future__ import annotations

import re
import stat
import string
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData

from publisher.core.errors import ProjectError
from publisher.core.signing import signer
from publisher.mail.links import LinkPurpose, Links, load_secret
from publisher.mail.workers import dead_workers, working

LINKS = Links("https://example.org/letters", "a secret")


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_token_reads_back_what_it_was_made_from(uid: str, newsletter: str) -> None:
    url = LINKS.unsubscribe(uid, newsletter)

    assert url == LINKS.unsubscribe(uid, newsletter)
    assert re.fullmatch(r"https://example\.org/letters/unsubscribe/[A-Za-z0-9._-]+", url)
    assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token_of(url)) == (uid, newsletter)


@pytest.mark.parametrize("purpose", ["unsubscribe", "preferences", "once confirm", "once address"])
def test_of_all_texts_that_say_the_same_bytes_only_the_one_that_was_made_is_read(purpose: str) -> None:
    """The last character of base64 has bits that mean nothing."""
    made = signer("a secret", purpose)
    token = str(made.dumps(["uid", "weekly"]))
    assert made.loads(token) == ["uid", "weekly"]
    others = {token[:-1] + last for last in string.ascii_letters + string.digits + "-_="} - {token}
    for other in (*others, f"{token}=", f"{token[:-1]}+{token[-1]}"):
        with pytest.raises(BadData):
            made.loads(other)


def test_a_token_for_one_purpose_opens_no_other() -> None:
    leave, choose = LINKS.unsubscribe("uid", "weekly"), LINKS.preferences("uid")

    assert LINKS.read(LinkPurpose.PREFERENCES, token_of(choose)) == ("uid",)
    assert LINKS.read(LinkPurpose.PREFERENCES, token_of(leave)) is None
    assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token_of(choose)) is None


def test_a_token_of_another_project_opens_nothing() -> None:
    other = Links("https://example.org/letters", "another secret")
    assert LINKS.read(LinkPurpose.UNSUBSCRIBE, token_of(other.unsubscribe("uid", "weekly"))) is None


@given(st.data())
def test_a_changed_token_opens_nothing(data: st.DataObject) -> None:
    token = token_of(LINKS.unsubscribe("uid", "weekly"))
    changed = data.draw(st.text(max_size=80) | st.integers(0, len(token) - 1).map(lambda i: token[:i]))
    assert changed == token or LINKS.read(LinkPurpose.UNSUBSCRIBE, changed) is None


def test_links_are_ascii_whatever_the_sites_address() -> None:
    url = Links("https://müller.example:8000/café", "a secret").preferences("uid")
    assert url.startswith("https://xn--mller-kva.example:8000/caf%C3%A9/preferences/")


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: load_secret(folder, {}), range(8)))

    assert len(found) == 1
    assert load_secret(folder, {"PUBLISHER_SECRET": " "}) in found
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_a_secret_from_the_environment_makes_no_file(tmp_path: Path) -> None:
    assert load_secret(tmp_path, {"PUBLISHER_SECRET": "given"}) == "given"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe"])
def test_a_damaged_secret_is_one_line_and_is_not_replaced(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ProjectError, match="secret"):
        load_secret(tmp_path, {})
    assert (tmp_path / "secret").read_bytes() == content


def test_a_worker_is_alive_until_its_block_ends(tmp_path: Path) -> None:
    with working(tmp_path) as first, working(tmp_path) as second:
        assert first != second
        with dead_workers(tmp_path) as dead:
            assert dead == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_was_killed_is_found_dead_once(tmp_path: Path) -> None:
    program = (
        "import os, signal; from pathlib import Path; from publisher.mail.workers import working\n"
        f"with working(Path({str(tmp_path)!r})) as name:\n"
        "    print(name, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)

    with dead_workers(tmp_path) as dead:
        assert dead == {killed.stdout.strip()}
    with dead_workers(tmp_path) as dead:
        assert dead == frozenset()


def test_the_dead_stay_known_until_their_deliveries_are_taken_over(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), working(tmp_path) as name:
        raise RuntimeError
    with pytest.raises(RuntimeError), dead_workers(tmp_path):
        raise RuntimeError
    with dead_workers(tmp_path) as dead:
        assert dead == {name}


def test_workers_of_another_machine_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "another-machine.1.abcd.lock").touch()
    with dead_workers(tmp_path) as dead:
        assert dead == frozenset()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="the worker's lock cannot be made"), working(tmp_path / "file/x"):
        pass
