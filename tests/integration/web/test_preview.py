"""The preview over HTTP: emails, site and feeds as they would be published, without any changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import pytest

from publisher.core.newsletter_models import EditionDraft, EditionPost, Letter
from publisher.mail.links import LinkPurpose, Links
from publisher.publishing.wiring import open_project_store
from tests.support.preview_client import PreviewClient, preview_client
from tests.support.project import Project, parse

EVERY_PAGE = [
    *("/letters/weekly/next" + view for view in ("", "?view=text", "?view=source", "?view=headers", "?view=findings")),
    *("/pages", "/pages?path=archive/", "/feeds", "/feeds?feed=", "/feeds?feed=&as=rss", "/feeds?feed=&as=json"),
]
PNG = b"\x89PNG\r\n\x1a\n no picture at all"


@pytest.fixture
def preview(project: Project) -> Iterator[PreviewClient]:
    """The preview of the usual project."""
    with preview_client(project) as running:
        yield running


def shown(page: str) -> str:
    """Return the text of the only <pre> of a page."""
    (inner,) = re.findall(r"<pre [^>]*>(.*?)</pre>", page, re.DOTALL)
    return unescape(re.sub(r"</?span[^>]*>", "", inner))


def test_next_and_past_emails_are_listed(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish")
    project.post("fourth", "2026-11-16", tags="[Reading]")
    with preview_client(project) as running:
        page = running.page("/")
        sent = running.get("/letters/weekly/1/letter.html").text
    assert '<h1 dir="auto">Fourth</h1>' in page
    assert re.findall(r'href="(/letters/[^"]+)"><b>([^<]+)', page.replace(' aria-current="page"', "")) == [
        ("/letters/weekly/next", "Next email"),
        ("/letters/weekly/1", "Third and 2 more"),
    ]
    assert all(f"All about {name}, in a paragraph" in sent for name in ("first", "second", "third"))


def test_viewing_writes_only_the_index(project: Project, preview: PreviewClient) -> None:
    before = project.listing()
    for path in [*EVERY_PAGE, "/site/", "/site/feed.xml", "/letters/weekly/next/message.eml"]:
        assert preview.get(path).status_code == 200, path
    after = project.listing()
    assert {path for path in after if before.get(path) != after[path]} <= {
        *(".", ".publisher", ".publisher/.gitignore", ".publisher/index.db"),
        *(f".publisher/index.db-{part}" for part in ("wal", "shm", "journal")),
    }


def test_list_says_why_nothing_is_next(project: Project, preview: PreviewClient) -> None:
    assert "3 new posts, but no subscribers yet</span>" in preview.page()
    project.subscribe("ada")
    project.ok("publish")
    page = preview.page()
    assert "no new posts" in page
    assert '<h1 dir="auto">Third and 2 more</h1>' in page


def test_the_next_email_says_when_nothing_is_new_and_continues_counting(project: Project) -> None:
    """The page is right before any edition, after one, while one is on hold, and after one was cancelled."""
    nothing, coming = "Nothing new; this is how the newest posts would look", "Next email"

    def told() -> str:
        with preview_client(project) as running:
            (line,) = re.findall(r'<p class="above">((?:Nothing|Next)[^<]*?) · ', running.page())
            (number,) = re.findall(r'<p class="above">(?:Nothing|Next)[^<]*? · (no. \d+) · ', running.page())
        return f"{line} {number}"

    project.subscribe("ada")
    assert told() == f"{coming} no. 1"
    project.ok("publish")
    assert told() == f"{nothing} no. 2"
    project.ok("deliveries", "hold", "1")
    assert told() == f"{nothing} no. 2"
    project.post("fourth", "2026-11-16")
    assert told() == f"{coming} no. 2"
    project.ok("publish", "--extra")
    project.ok("deliveries", "cancel", "2", "--yes")
    assert told() == f"{nothing} no. 3"


def test_headers_are_those_of_the_sample_message(project: Project, preview: PreviewClient) -> None:
    project.run("publish", "--to", "ada@example.org")  # creates the project's own secret
    message = parse(preview.get("/letters/weekly/next/message.eml").content)
    page = preview.page(view="headers")
    assert message["To"] == "Ada Lovelace <ada@example.org>"
    for name, value in message.items():
        assert f'<dt>{name}</dt><dd><span dir="auto">{value}</span>' in page
    token = str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    secret = project.read(".publisher/secret").strip()
    assert Links("https://letters.example", secret).read(LinkPurpose.UNSUBSCRIBE, token) is None


def test_text_and_source_match_the_message(preview: PreviewClient) -> None:
    message = parse(preview.get("/letters/weekly/next/message.eml").content)
    html, text = (message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain"))
    assert shown(preview.get("/letters/weekly/next?view=text").text) == text
    assert shown(preview.get("/letters/weekly/next?view=source").text) == html
    assert f"{len(html.encode()):,} <span>of 100,000 bytes" in preview.page()


def test_unpublished_pictures_show_in_the_email(project: Project, preview: PreviewClient) -> None:
    project.write("posts/shelf.png", PNG)
    project.post("pictured", "2026-11-15", body="![A shelf](shelf.png)")
    project.write("publisher.toml", project.read("publisher.toml") + 'content = "full"\n')
    frame = preview.get("/letters/weekly/next/letter.html")
    assert "@@publisher" not in frame.text
    (address,) = re.findall(r'src="([^"]+)"', frame.text)
    assert address.startswith("/site/")
    shown = preview.get(address)
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert "https://letters.example" in preview.page(view="source")


def test_site_equals_the_build(project: Project, preview: PreviewClient) -> None:
    shown = {path: preview.get(f"/site/{path}") for path in ("", "tags/", "2026/11/15/third/", "feed.xml", "atom.xml")}
    project.ok("build")
    for path, answer in shown.items():
        assert answer.text == project.read(f"public/{path}" + ("index.html" if not path.endswith("xml") else ""))
    lost = preview.get("/site/nowhere/")
    assert lost.status_code == 404
    (stylesheet,) = re.findall(r'href="(/site/assets/site[^"]+)"', lost.text)
    assert preview.get(stylesheet).headers["content-type"].startswith("text/css")


def test_feeds_are_listed_and_shown_raw(preview: PreviewClient) -> None:
    listed = re.findall(r'<a href="/feeds\?feed=([^"&]*)" dir="auto">([^<]+)', preview.page("/feeds"))
    assert ("", "The Quiet Reader") in listed
    assert ["Reading" in name for _, name in listed].count(True) == 1
    for folder, _ in listed:
        assert preview.get(f"/feeds?feed={folder}").status_code == 200
    assert re.findall(r"<li[^>]*><h2[^>]*>([^<]+)", preview.page("/feeds", feed="")) == ["Third", "Second", "First"]
    raw = shown(preview.get("/feeds?feed=&as=json").text)
    assert json.loads(raw) == preview.get("/site/feed.json").json()
    assert shown(preview.get("/feeds?feed=&as=rss").text) == preview.get("/site/feed.xml").text


def test_broken_settings_are_shown_until_fixed(project: Project, preview: PreviewClient) -> None:
    good = project.read("publisher.toml")
    line = good.count("\n") + 1
    preview.page()
    project.write("publisher.toml", good + "content = 7\n")
    broken = preview.get("/letters/weekly/next")
    assert f"publisher.toml:{line}" in broken.text
    assert 'href="/letters/weekly/next"' in broken.text  # the list is unchanged
    project.write("publisher.toml", good)
    assert "Third" in preview.page()


def test_preview_starts_with_broken_settings(project: Project) -> None:
    good = project.read("publisher.toml")
    project.write("publisher.toml", "[site\n")
    with preview_client(project) as running:
        assert "publisher.toml:1" in running.get("/").text
        project.write("publisher.toml", good)
        assert "Third" in running.page("/")


def test_broken_template_is_shown_until_fixed(project: Project, preview: PreviewClient) -> None:
    path = project.write("templates/email/digest.html", "one\n{% nonsense %}\n")
    broken = preview.get("/letters/weekly/next")
    assert "templates/email/digest.html:2" in broken.text
    assert str(project.root) not in broken.text
    path.unlink()
    assert "Third" in preview.page()


def test_a_broken_post_is_reported_and_others_stay(project: Project, preview: PreviewClient) -> None:
    project.write("posts/broken.md", "---\ntitle: [\n---\n\nWords\n")
    page = preview.page()
    assert "posts/broken.md:" in page
    assert '<h1 dir="auto">Third and 2 more</h1>' in page
    project.post("broken", "2026-11-16")
    assert '<h1 dir="auto">Broken and 3 more</h1>' in preview.page()


def test_posts_cannot_break_the_page(project: Project, preview: PreviewClient) -> None:
    project.post("wicked", "2026-11-16", title="'<script>alert(1)</script>'", tags="['<b>x</b>\"']")
    for path in EVERY_PAGE:
        answer = preview.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text and "<b>x</b>" not in answer.text, path


@pytest.mark.parametrize("path", ["/nothing", "/letters/weekly/7", "/letters/nobody/next", "/letters/weekly/-1"])
def test_unknown_url_is_404(path: str, preview: PreviewClient) -> None:
    answer = preview.get(path)
    assert answer.status_code == 404
    assert "there is no" in answer.text


def test_each_version_by_topics_is_shown(project: Project, preview: PreviewClient) -> None:
    letters = [
        Letter(v, f"About {v or 'all'}", "", f"<p>For {v or 'all'}</p>", f"For {v or 'all'}") for v in ("", "ai,ml")
    ]
    made_at = datetime(2026, 11, 9, tzinfo=UTC)
    posts = (EditionPost("tag:x,2026:1", "First", "https://letters.example/1/"),)
    with open_project_store(project.config()) as store:
        made = store.editions.create(EditionDraft("weekly", "2026-W46", 1, "About all", made_at, posts, tuple(letters)))
    assert made is not None
    page = preview.page(f"/letters/weekly/{made.id}", topics="ai,ml")
    assert re.findall(r'<option value="([^"]*)"( selected)?>([^<]+)', page) == [
        ("", "", "all"),
        ("ai,ml", " selected", "ai, ml"),
    ]
    assert '<h1 dir="auto">About ai,ml</h1>' in page
    assert "For ai,ml" in preview.get(f"/letters/weekly/{made.id}/letter.html?topics=ai%2Cml").text
    assert "For all" in preview.get(f"/letters/weekly/{made.id}/letter.html?topics=knitting").text


def form(preview: PreviewClient, **fields: str) -> dict[str, str]:
    return {"token": preview.token(), "address": "ada@example.org"} | fields


def test_test_email_is_sent_and_not_recorded(project: Project, preview: PreviewClient) -> None:
    project.subscribe("bob")
    sent = preview.client.post(
        "/letters/weekly/next/test", data=form(preview, view="text"), headers={"Origin": preview.url}
    )
    assert sent.status_code == 303
    page = preview.page(sent.headers["location"])
    assert "A test was sent to ada@example.org through .publisher/outbox/" in page
    assert 'class="plain"' in page  # the chosen view stays
    ((address, (message,)),) = project.mail().items()
    assert (address, message["Subject"]) == ("ada@example.org", "[Test] Third and 2 more")
    assert project.ok("editions", "--json").json == []


@pytest.mark.parametrize(
    ("origin", "token"),
    [("http://evil.example", None), (None, None), ("null", None), ("own", "guessed")],
)
def test_a_foreign_form_sends_nothing(
    origin: str | None, token: str | None, project: Project, preview: PreviewClient
) -> None:
    fields = form(preview) | ({"token": token} if token else {})
    headers = {"Origin": preview.url if origin == "own" else origin} if origin else {}
    assert preview.client.post("/letters/weekly/next/test", data=fields, headers=headers).status_code == 403
    assert not (project.root / ".publisher/outbox").exists()


def test_invalid_test_address_is_reported(project: Project, preview: PreviewClient) -> None:
    fields = form(preview, address="<script>")
    sent = preview.client.post("/letters/weekly/next/test", data=fields, headers={"Origin": preview.url})
    assert "No test was sent: '<script>' is not a valid email address" in preview.page(sent.headers["location"])
    assert not (project.root / ".publisher/outbox").exists()


def test_other_host_names_are_refused(preview: PreviewClient) -> None:
    assert preview.client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_pages_and_frames_run_no_foreign_scripts(preview: PreviewClient) -> None:
    for path in EVERY_PAGE:
        policy = preview.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy and "http" not in policy
    for path in ("/letters/weekly/next/letter.html", "/site/"):
        policy = preview.get(path).headers["content-security-policy"]
        assert "allow-scripts" not in policy and "sandbox " in policy


def test_help_shows_examples(project: Project) -> None:
    said = project.ok("preview", "--help", now="").out
    assert "publisher preview --port 9000 --no-open" in said
    assert "Examples:\n    publisher preview " in said


def test_warnings_of_a_post_appear_in_its_email(project: Project, preview: PreviewClient) -> None:
    project.post("fourth", "2026-11-16", body="![A shelf](nowhere.png)")
    found = preview.page(view="findings")
    assert "the file posts/nowhere.png doesn't exist" in found
    assert "<code>posts/fourth.md:6</code>" in found
    project.subscribe("ada")
    project.ok("publish")
    assert "nowhere.png" not in preview.page("/letters/weekly/1", view="findings")
