"""Hostile requests: each gets a clear answer, nothing wrong is stored, nothing breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE subscribers; --",
    "Ada\r\nBcc: everybody@example.org",
    "\u202egro.elpmaxe@ada",
    "{{ 7 * 7 }}{% raise %}",
    "{title}{0.__class__}",
    "@@publisher-unsubscribe@@",
    "=cmd|' /C calc'!A0",
    "x" * 5_000,
]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    project = Project(tmp_path_factory.mktemp("web") / "letter", None)  # type: ignore[arg-type]
    project.post("first", "2026-11-02")
    with web_client(project) as running:
        yield running


@pytest.mark.parametrize("nasty", NASTY)
def test_every_field_accepts_anything(web: WebClient, nasty: str) -> None:
    for field in ("email", "name", "newsletter", "topic.weekly", "language", "do", nasty[:50]):
        fields = {"email": "ada@example.org", "newsletter": "weekly"} | {field: nasty}
        for token in ("", web.form_token()):
            answer = web.post("/subscribe", token=token, **fields)
            assert answer.status_code in (200, 400)
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert "49" not in re.sub(r'name="token" value="[^"]+"|readers[.]\w+', "", answer.text)


def test_name_cannot_inject_headers_or_html(web: WebClient) -> None:
    name = 'Eve\r\nBcc: all@example.org\r\n\r\n<b>@@publisher-unsubscribe@@ {title}\u202e "x"'
    web.ask("eve@example.org", name=name)
    (notice,) = web.mails("eve@example.org")
    assert set(notice.keys()) >= {"From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted"}
    page = web.get(web.link("eve@example.org")).text
    assert "Eve Bcc: all@example.org &lt;b&gt;@@publisher-unsubscribe@@ {title} &#34;x&#34;" in page
    assert notice["Bcc"] is None
    assert notice["To"] == "eve@example.org"
    parts = [notice.get_body((kind,)).get_content() for kind in ("html", "plain")]
    assert not [part for part in parts if "Eve" in part or "@@" in part or "\u202e" in part]


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"email=a%00b@example.org", "application/x-www-form-urlencoded", 400),
        (b"email=%ff@example.org", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=b" for _ in range(5_000)), "application/x-www-form-urlencoded", 400),
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"no parts", "multipart/form-data", 400),
        (b"--b\r\n\r\n--b--", "multipart/form-data; boundary=b", 400),
        (b"{}", "application/json", 400),
        (b"", "", 400),
    ],
)
def test_body_without_form_is_refused(web: WebClient, body: bytes, kind: str, code: int) -> None:
    before = web.rows()
    for path in ("/subscribe", "/unsubscribe/x", "/preferences/x"):
        answer = web.client.post(path, content=body, headers={"content-type": kind} if kind else {})
        assert (
            answer.status_code == (404 if code == 400 and path != "/subscribe" else code) or answer.status_code == 400
        )
        assert "text/html" in answer.headers["content-type"]
    assert web.rows() == before


ANYTHING = st.text(st.characters(codec="utf-8"), max_size=60)


@given(
    st.dictionaries(st.sampled_from(["email", "name", "newsletter", "topic.weekly", "language", "website"]), ANYTHING)
)
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_typed_text_is_never_shown_as_markup(web: WebClient, fields: dict[str, str]) -> None:
    for token in ("", web.form_token()):
        answer = web.post("/subscribe", token=token, **fields)
        assert answer.status_code in (200, 400)
        assert answer.text.count("<script") == answer.text.count('<script src="/readers.')
    assert web.get("/healthz").status_code == 200
