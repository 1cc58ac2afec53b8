"""An http URL is recognised as public if its host can be reached from outside the local network."""

from __future__ import annotations

import pytest

from publisher.publishing.project_check import is_public_http


@pytest.mark.parametrize(
    ("url", "is_public"),
    [
        ("http://letters.example.org", True),
        ("http://letters.example.org.:8018/x", True),
        ("http://8.8.8.8", True),
        ("http://[2606:4700::1111]:80", True),
        ("https://letters.example.org", False),
        ("http://localhost:8018", False),
        ("http://letters.localhost", False),
        ("http://nas", False),
        ("http://nas.local", False),
        ("http://nas.home.arpa", False),
        ("http://127.0.0.1:8018", False),
        ("http://10.1.2.3", False),
        ("http://[::1]:8018", False),
        ("http://[fd00::1]", False),
    ],
)
def test_http_is_public_for_names_that_others_can_reach(url: str, is_public: bool) -> None:
    assert is_public_http(url) == is_public
