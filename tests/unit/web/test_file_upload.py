"""A form with a file: what is read from it, what is refused, and what remains on the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from publisher.web.admin.file_upload import SentForm, receive
from publisher.web.forms import FormError

HEAD = b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: text/csv\r\n\r\n%s\r\n'
END = b"--b--\r\n"


def form_of(body: bytes, content_type: str = "multipart/form-data; boundary=b", **headers: str) -> Request:
    """Return a request whose body arrives in parts of seven bytes."""
    parts = [body[at : at + 7] for at in range(0, len(body), 7)] or [b""]

    async def receive_part() -> dict[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    given = {"content-type": content_type, **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive_part)


def sent(folder: Path, body: bytes, most: int = 10_000, **options: Any) -> SentForm:
    return asyncio.run(receive(form_of(body, **options), folder, most=most, seconds=60))


def test_a_file_arrives_as_it_was_sent_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    for content in (b"a,b\r\n1,2\r\n", b"", b"--b is not a boundary here", bytes(range(256)) * 9, b"\r\n\r\n--"):
        found = sent(folder, HEAD + FILE % (b"list.csv", content) + END)
        assert (found.form.one("token"), found.name, found.path.read_bytes()) == ("abc", "list.csv", content)
        assert (found.path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
        found.path.unlink()
    assert [path.name for path in folder.iterdir()] == [".gitignore"]


def test_the_name_of_a_file_cannot_lead_to_another_folder(tmp_path: Path) -> None:
    names = {
        b"../../etc/passwd": "passwd",
        b"C:\\lists\\my list.csv": "my list.csv",
        "Größe 名.csv".encode(): "Größe 名.csv",
        b"a%22b.csv": "a'b.csv",
        b"..": "",
        b"": "",
        b".hidden": "hidden",
        b"x" * 300: "x" * 100,
        b"\xff.csv": "\N{REPLACEMENT CHARACTER}.csv",
        b"a\tb\x00.csv": None,
    }
    for given, expected in names.items():
        found = sent(tmp_path, HEAD + FILE % (given, b"x") + END)
        if expected is not None:
            assert found.name == expected
        assert "/" not in found.name
        assert found.name.isprintable()


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        (b"", {}, 400),
        (b"nothing", {}, 400),
        (HEAD + END, {"content_type": "text/plain"}, 400),
        (HEAD + END, {"content_type": "multipart/form-data"}, 400),
        (HEAD + END, {"content_type": f"multipart/form-data; boundary={'b' * 300}"}, 400),
        (HEAD + END, {"content_length": "nine"}, 400),
        (HEAD + END, {"content_length": "99999999"}, 413),
        (HEAD + FILE % (b"x", b"y" * 20_000) + END, {}, 413),
        (HEAD * 60 + END, {}, 400),
        (b"--b\r\nno header\r\n\r\nx\r\n" + END, {}, 400),
        (HEAD.replace(b"abc", b"\xff") + END, {}, 400),
        (HEAD.replace(b"abc", b"a\0c") + END, {}, 400),
        (b"--b\r\n" + b"x" * 5_000 + b"\r\n" + END, {}, 400),
    ],
)
def test_anything_else_is_refused_and_leaves_nothing(
    tmp_path: Path, body: bytes, options: dict[str, str], status: int
) -> None:
    with pytest.raises(FormError) as refused:
        sent(tmp_path, body, **options)
    assert refused.value.status == status
    assert {path.name for path in tmp_path.iterdir()} <= {".gitignore"}


def test_a_form_that_does_not_arrive_in_time_is_refused(tmp_path: Path) -> None:
    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    request = form_of(HEAD + END)
    request._receive = never
    with pytest.raises(FormError) as refused:
        asyncio.run(receive(request, tmp_path, seconds=0.05))
    assert refused.value.status == 408
