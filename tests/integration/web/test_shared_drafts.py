"""Links to drafts: what people with a link see, and when it expires."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest

from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003860180"
    "5a347d6b0000000049454e44ae426082"
)


def shared(web: WebClient, what: str, *more: str) -> str:
    """Return the path of the link that `publisher share` prints."""
    return urlsplit(web.project.ok("share", what, *more).out.strip()).path


def followed(web: WebClient, path: str) -> tuple[str, str]:
    """Return the URL and the text of the page to which a link leads."""
    answer = web.get(path)
    while answer.status_code == 303 and answer.headers["location"].startswith("/"):
        path = answer.headers["location"]
        answer = web.get(path)
    assert answer.status_code == 200, answer.text
    return path, answer.text


def test_a_draft_is_shown_in_its_current_version_until_the_link_expires(project: Project) -> None:
    project.post("boats", "2026-11-10", "A *first* version.\n\n![a boat](boat.png)\n", draft="true")
    project.write("posts/boat.png", PICTURE)
    project.ok("build")
    with web_client(project, now="2026-11-16T08:00") as web:
        link = shared(web, "posts/boats.md", "--days", "2")
        path, page = followed(web, link)
        assert "A <em>first</em> version." in page
        assert "This is a draft, shown to you before it is published. The link works until November 18, 2026." in page
        files = [urljoin(path, url) for url in re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page)]
        assert any(url.endswith(".css") for url in files), page
        assert any("boat" in url for url in files), page
        for url in files:
            answer = web.get(url)
            assert answer.status_code == 200, url
            assert "noindex" in answer.headers["x-robots-tag"]
        project.post("boats", "2026-11-10", "A second version.", draft="true")
        assert "A second version." in followed(web, link)[1]
    assert not [name for name in project.files() if "boats" in name]
    with web_client(project, now="2026-11-18T11:00") as web:
        answer = web.get(link)
        assert answer.status_code == 410
        assert "Ask the person who sent it to you for a new one." in answer.text
        assert web.get(f"{link}/boat.png").status_code == 410


def test_a_link_leads_to_the_page_of_a_post_that_has_become_public(project: Project) -> None:
    project.post("boats", "2026-11-20", "Tomorrow.")
    with web_client(project, now="2026-11-16T08:00") as web:
        link = shared(web, "posts/boats.md")
        assert "Tomorrow." in followed(web, link)[1]
    with web_client(project, now="2026-11-21T08:00") as web:
        assert web.get(link).headers["location"].startswith(f"{project.config().site_url}/")


def test_a_link_to_a_newsletter_shows_its_next_email(project: Project) -> None:
    project.post("boats", "2026-11-10", "About boats.", title="Boats")
    with web_client(project, now="2026-11-16T08:00") as web:
        page = followed(web, shared(web, "weekly"))[1]
        assert "Boats" in page
        assert "This is a draft" in page


def test_the_owner_makes_a_link_to_the_next_email_on_its_page(project: Project) -> None:
    project.post("boats", "2026-11-10", "About boats.", title="Boats")
    with web_client(project, now="2026-11-16T08:00") as web:
        set_password(project)
        owner = Owner(web)
        owner.log_in()
        said = owner.press("/next/weekly", do="share")
        assert "Boats" in followed(web, urlsplit(said.split()[-1]).path)[1]


def test_a_deleted_or_broken_draft_is_reported(project: Project) -> None:
    path = project.post("boats", "2026-11-10", draft="true")
    with web_client(project, now="2026-11-16T08:00") as web:
        link = shared(web, str(path))
        project.write("posts/boats.md", "---\ntitle: [\n---\n")
        answer = web.get(link)
        assert answer.status_code == 503
        assert "Something in it must be corrected first." in answer.text
        path.unlink()
        answer = web.get(link)
        assert answer.status_code == 404
        assert "It has been moved or deleted." in answer.text


def test_a_draft_that_cannot_be_shown_is_not_shared(project: Project) -> None:
    project.post("boats", "2026-11-10", "\n\n" + "> " * 5000 + "[" * 20_000, draft="true")
    assert project.fails("share", "posts/boats.md").said.startswith("error: posts/boats.md")


@pytest.mark.parametrize("token", ["x", "x" * 5000, "WyJwb3N0IiwiLi4vLi4vcHVibGlzaGVyLnRvbWwiLCIyMDI3Il0.AAAA"])
def test_a_forged_link_shows_nothing(project: Project, token: str) -> None:
    with web_client(project) as web:
        assert web.get(f"/draft/{token}").status_code == 404


@pytest.mark.parametrize("what", ["posts/nothing.md", "publisher.toml", "../../etc/passwd", "monthly"])
def test_only_posts_and_newsletters_are_shared(project: Project, what: str) -> None:
    said = project.fails("share", what).said
    assert said.startswith(f"error: {what}: is neither a post nor a newsletter of this project")
