"""The link with which the owner of a mailbox refuses all email."""

from __future__ import annotations

import base64

from publisher.core.signing import signer
from publisher.mail.links import LinkPurpose, Links

SECRET, ADDRESS = "s" * 40, "ada@example.org"


def test_the_link_does_not_show_the_address_and_leads_back_to_it() -> None:
    links = Links("https://example.org", SECRET)
    token = links.never(ADDRESS).rpartition("/")[2]
    assert ADDRESS.encode() not in base64.urlsafe_b64decode(token.partition(".")[0] + "==")
    assert links.read_never(token) == ADDRESS
    assert Links("https://example.org", "t" * 40).read_never(token) is None


def test_a_link_of_an_older_version_still_works() -> None:
    token = signer(SECRET, LinkPurpose.NEVER).dumps([ADDRESS])
    assert (
        Links("https://example.org", SECRET).read_never(token if isinstance(token, str) else token.decode()) == ADDRESS
    )
