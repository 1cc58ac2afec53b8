"""`publisher preview` as a process: its port, its end, and the pages that wait for changes."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support.preview_server import Preview, previewing
from tests.support.project import Project


@pytest.fixture
def preview(project: Project) -> Iterator[Preview]:
    """The preview of the usual project."""
    with previewing(project) as running:
        yield running


def test_waiting_pages_are_notified_of_changes(project: Project, preview: Preview) -> None:
    with preview.client.stream("GET", "/events") as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data:"))
        first = next(lines)
        assert f'data-state="{first.removeprefix("data: ")}"' in preview.get("/letters/weekly/next").text
        project.post("fourth", "2026-11-16")
        assert next(lines) != first


def test_a_port_in_use_is_one_line(project: Project, preview: Preview) -> None:
    port = httpx.URL(preview.url).port
    ran = project.spawn("preview", "--no-open", "--port", str(port))
    assert ran.code == 1
    assert ran.said.count("\n") == 1
    assert f"127.0.0.1:{port}: the port is already in use (choose another with --port" in ran.err


def test_ctrl_c_ends_the_preview_while_pages_wait(project: Project) -> None:
    running = Preview(project.root)
    with httpx.stream("GET", f"{running.url}/events", timeout=60) as answer:
        next(answer.iter_lines())
        assert running.end() == (0, "")


def test_ctrl_c_ends_the_preview_during_the_first_answer(project: Project) -> None:
    project.write("templates/email/digest.html", "{% for n in range(10 ** 15) %}{% endfor %}")
    running = Preview(project.root)
    with socket.create_connection(("127.0.0.1", httpx.URL(running.url).port)) as other:
        other.sendall(b"GET /letters/weekly/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert running.get("/assets/icon.svg").status_code == 200  # so the first request has arrived, too
        assert running.end() == (0, "")
        assert b"200" not in other.recv(100)
