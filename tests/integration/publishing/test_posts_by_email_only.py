"""Posts with `page: false` are only sent by email."""

from __future__ import annotations

import pytest

from publisher.core.newsletter_models import EditionPost
from tests.support.clockwork import text
from tests.support.project import Project

SECRET = "Only subscribers read this sentence."


def everything(project: Project) -> str:
    """Return all text of the site."""
    public = project.root / "public"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in public.rglob("*") if path.is_file())


@pytest.mark.parametrize("template", ["digest", "plain", "post", "by-source"])
def test_a_post_is_in_the_email_and_nowhere_on_the_site(project: Project, template: str) -> None:
    project.configure(newsletters=f'\n[[newsletters]]\nname = "weekly"\ntemplate = "{template}"\ncontent = "excerpt"\n')
    project.subscribe("ada")
    for name in ("older", "oldest"):
        project.post(name, "2026-11-01")
    body = f"A first paragraph.\n\n{SECRET}\n\n![A shelf](/shelf.png)\n"
    project.write("static/shelf.png", b"\x89PNG\r\n\x1a\n")
    project.post("secret", "2026-11-14", body, page="false", tags="[Hidden]", excerpt="A summary.")
    dry = project.ok("publish", "--dry-run").out
    assert "Secret" in dry
    project.ok("publish", "--yes", "--keep-going")
    (mail,) = project.mail()["ada@example.org"]
    part = mail.get_body(("html",))
    assert part is not None
    html = str(part.get_content())
    for shown in (html, text(mail)):
        assert SECRET in shown
        assert "Secret" in shown
        assert "2026/11/14/secret" not in shown
    assert ">Secret</a>" not in html
    assert 'href=""' not in html
    assert "editions/weekly/" in html
    site = everything(project)
    assert SECRET not in site
    assert "Secret" not in site
    assert "Hidden" not in site
    assert not [name for name in project.files() if "secret" in name]
    assert "shelf.png" in project.files()


def test_an_edition_with_only_posts_without_pages_has_no_web_version(empty: Project) -> None:
    empty.configure()
    empty.subscribe("ada")
    empty.post("secret", "2026-11-14", SECRET, page="no")
    empty.ok("publish", "--yes", "--keep-going")
    (mail,) = empty.mail()["ada@example.org"]
    assert SECRET in text(mail)
    assert "editions/weekly" not in text(mail)
    assert SECRET not in everything(empty)
    assert not [name for name in empty.files() if name.startswith("editions/weekly/2026")]
    (edition,) = empty.ok("editions", "--json").json
    assert edition["posts"] == [{"id": edition["posts"][0]["id"], "title": "Secret", "url": ""}]
    assert EditionPost("x", "y", "").url == ""


def test_check_reports_a_post_that_no_one_would_see(empty: Project) -> None:
    empty.without_placeholders().post("secret", "2026-11-14", page="false", newsletter="false")
    empty.post("numbered", "2026-11-13", page="0")
    empty.post("odd", "2026-11-12", page="flase")
    said = empty.run("check").said
    assert "posts/secret.md:4: it has no page and is in no newsletter, so nobody sees it" in said
    assert "posts/odd.md:4: page: 'flase' is neither true nor false" in said
    empty.run("build")
    assert [name for name in empty.files() if "numbered" in name]


def test_a_link_to_a_post_without_a_page_is_reported_and_becomes_text(empty: Project) -> None:
    empty.configure()
    empty.post("secret", "2026-11-14", SECRET, page="false")
    body = "Read [the secret](secret.md#a) and\n\n[the path](/2026/11/14/secret/) now.\n"
    linking = empty.post("open", "2026-11-13", body)
    place = f"posts/{linking.name}"
    shown = empty.run("check").said
    assert f"{place}:6: broken link: secret.md is sent by email only" in shown
    assert f"{place}:8: " in shown, "a path is reported too"
    empty.ok("build")
    page = empty.root / "public/2026/11/13/open/index.html"
    html = page.read_text(encoding="utf-8")
    assert "Read the secret and" in html
    empty.post("secret", "2026-11-14", SECRET)
    empty.ok("build")
    assert '14/secret/#a">the secret</a>' in page.read_text(encoding="utf-8")
