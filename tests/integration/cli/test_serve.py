"""`publisher serve` on the command line: what it refuses, and the form it prints."""

from __future__ import annotations

import socket

import pytest

from tests.support.project import Project


def test_a_port_in_use_is_reported(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = project.run("serve", "--port", str(port))
    assert ran.code == 1
    assert f"127.0.0.1:{port}: the port is already in use" in ran.err


def test_an_address_of_another_machine_is_refused(project: Project) -> None:
    ran = project.run("serve", "--host", "192.0.2.1", "--port", "8018")
    assert ran.code == 1
    assert "192.0.2.1:8018: cannot listen" in ran.err


def test_without_newsletters_there_is_nothing_to_serve(project: Project) -> None:
    project.configure(newsletters="")
    assert "there is no newsletter to subscribe to" in project.run("serve").err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('listen = "8018"', "write it like 127.0.0.1:8018"),
        ('listen = "127.0.0.1:80000"', "isn't an IP address with a port"),
        ('listen = "::1:8018"', "isn't an IP address with a port"),
        ('trusted_proxies = ["proxy.example"]', "isn't an IP address or network"),
        ("client_limit = 0", "0 is not between 1"),
    ],
)
def test_unusable_settings_are_reported(project: Project, line: str, said: str) -> None:
    project.configure(f"[web]\n{line}\n")
    ran = project.run("serve")
    assert ran.code == 1
    assert said in ran.err
    assert "publisher.toml:" in ran.err


def test_the_snippet_needs_nothing_else(project: Project) -> None:
    project.write(
        "publisher.toml",
        '[site]\ntitle = "A"\nurl = "https://a.example"\nlanguage = "ja"\n[[newsletters]]\nname = "weekly"\n'
        '[theme]\naccent = "#8a2846"\n',
    )
    form = project.ok("serve", "--snippet").out
    assert form.startswith('<form class="publisher-form" method="post" action="https://a.example/subscribe">')
    assert "--publisher-accent: #8a2846" in form
    rules = [line for line in form.splitlines() if "{" in line]
    strong = [
        rule for rule in rules if not rule.startswith(":where(")
    ]  # those of the page take precedence over all others
    assert strong == [".publisher-form [hidden] { display: none; }"]
    assert " id=" not in form  # the page has its own ids
    assert "購読する" in form
    assert "<script" not in form
    assert 'name="newsletter" value="weekly"' in form
