"""Links by name lead to the post, page or file with that name anywhere; an unknown name stays text and is reported."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.config import PagesConfig, Posts
from tests.support.posts_samples import URL, Folder, said

HEAD = "title: A title\ndate: 2024-07-06"
NOTE = f"{URL}/deep/2024/07/06/my-note/"
HERE = f"{URL}/deep/2024/07/06/here"

LINKS = {
    "[[My Note]] [[my-note]] [[deep/My Note]] [[MY NOTE.md]] [[./my note]]": [NOTE] * 5,
    "[[2024-01-02-dated]] [[Dated]]": [f"{URL}/2024/01/02/dated/"] * 2,
    "[[My Note#What's new?]] [[My Note#A#B c]] [[My Note#^block]]": [f"{NOTE}#whats-new", f"{NOTE}#b-c", NOTE],
    "[[bundle]] [[About]] [[twice]]": [f"{URL}/2024/07/06/bundle/", f"{URL}/about/", f"{URL}/deep/2024/07/06/twice/"],
    "[[Straße]] [[#Here]] ![[My Note]]\n\n## Here": [f"{URL}/2024/07/06/strasse/", f"{HERE}/#here", NOTE],
    "|a|b|\n|-|-|\n|[[My Note\\|w]]|c|": [NOTE],
    "[[https://b.example/x|w]] [[paper.pdf]]": ["https://b.example/x", f"{HERE}/../files/paper.pdf"],
}
WORDS = {
    "see [[my note|these *words*]]": "see these *words*",
    "[[My Note]] [[deep/My Note]] [[My Note#What's new?]]": "My Note My Note My Note > What’s new?",
    "[[#A part]]\n\n## A part": "A part A part",
}
MEDIA = {
    "![[Pic One.PNG|400]]": ("img", "pictures/pic%20one.png", 'alt="Pic One" width="400"'),
    "![[pic one.png|A view|40x30]]": ("img", "pictures/pic%20one.png", 'alt="A view" width="40" height="30"'),
    "![[pictures/pic one.png|A view]]": ("img", "pictures/pic%20one.png", 'alt="A view"'),
    "![[s.mp3]]": ("audio", "pictures/s.mp3", "controls"),
    "![[v.mp4]]": ("video", "pictures/v.mp4", "controls"),
}
TEXT = (
    "[[noreturn]] m[[1, 2]] [[TOC]] [[1]]",
    "\\[[My Note]] `[[My Note]]`",
    "[[firstname]]",
    "[[Característica #20182]] [[Feature #20182]] - [[機能 #1]]: [[Nope]] [[nope|its words]] ![[Nope]]",
    "[[RFC 9110]] [[#here]] [[gone.pdf]] [[ -f x.md ]] [[a.b]] x[[My.Frame]]",
    "[[[Bug #1]]] ([[Bug #1]]) **[[Bug #1]]**",
)


def vault(root: Path, tool: str = "") -> Folder:
    folder = Folder(root, posts=Posts(tool=tool))  # type: ignore[arg-type]
    for path in ("deep/My Note.md", "bundle/index.md", "twice.md", "deep/twice.md", "Straße.md", "2024-01-02-dated.md"):
        folder.write(path, "x", head=HEAD.partition("\n")[0] if "dated" in path else HEAD)
    for path in ("pictures/pic one.png", "pictures/s.mp3", "pictures/v.mp4", "files/paper.pdf", ".hidden/secret.png"):
        folder.file(f"posts/{path}", b"")
    folder.file("pages/about.md", "---\ntitle: About\n---\nx")
    return folder


def test_names_are_found_wherever_they_are(tmp_path: Path) -> None:
    folder = vault(tmp_path)

    def html_of(body: str) -> str:
        folder.write("deep/here.md", body, head=HEAD)
        result = folder.render("deep/here.md")
        assert said(result) == [], body
        return result.html

    for body, urls in LINKS.items():
        expected = [url.replace("/here/../", "/") for url in urls]
        assert re.findall(r'href="([^"]*)"', html_of(body)) == expected, body
    for body, words in WORDS.items():
        assert " ".join(re.sub(r"<[^<>]*>", "", html_of(body)).replace("&gt;", ">").split()) == words.replace(
            "*", ""
        ), body
    for body, (tag, path, attributes) in MEDIA.items():
        assert re.search(rf'<{tag} [^<>]*src="{HERE.rpartition("/")[0]}/{path}"', html_of(body)), body
        assert attributes in html_of(body), body


def test_an_unknown_name_stays_text_with_a_warning_in_a_vault(tmp_path: Path) -> None:
    folder = vault(tmp_path, "obsidian")
    folder.write("deep/here.md", "[[Nope]] [[nope|its words]]\n\n![[gone.png|300]] ![[secret.png|word]]", head=HEAD)
    result = folder.render("deep/here.md")
    assert re.sub(r"<[^<>]*>", "", result.html).split() == ["Nope", "its", "words", "gone", "word"]
    assert said(result) == [
        (5, "broken link: nothing has the name 'Nope'"),
        (5, "broken link: nothing has the name 'nope'"),
        (7, "the file posts/deep/gone.png doesn't exist"),
        (7, "the file posts/deep/secret.png doesn't exist"),
    ]


def test_similar_syntax_is_text_except_in_a_vault(tmp_path: Path) -> None:
    folder, obsidian = vault(tmp_path / "a"), vault(tmp_path / "b", "obsidian")
    for body in TEXT:
        folder.write("deep/here.md", body, head=HEAD)
        result = folder.render("deep/here.md")
        assert re.sub(r"<[^<>]*>", "", result.html).strip() == re.sub(r"[\\`*]", "", body)
        assert [each for each in said(result) if "broken link" in each[1]] == [], body
    folder.write("deep/here.md", "[[My Note]][1] [[My Note]](b)\n\n[1]: https://b.example/", head=HEAD)
    assert "https://b.example/" in folder.render("deep/here.md").html
    obsidian.write("deep/here.md", "[[noreturn]] `[[noreturn]]` words ^block-1", head=HEAD)
    result = obsidian.render("deep/here.md")
    assert result.html.strip() == "<p>noreturn <code>[[noreturn]]</code> words</p>"
    assert said(result) == [(5, "broken link: nothing has the name 'noreturn'")]


def test_markdown_links_find_names_in_a_vault(tmp_path: Path) -> None:
    obsidian, plain = vault(tmp_path / "a", "obsidian"), vault(tmp_path / "b")
    body = "[a](My%20Note.md) [b](<My Note.md#part>) [c](Dated.md) ![d](pic%20one.png) ![e](<pictures/pic one.png>)"
    for folder in (obsidian, plain):
        folder.write("deep/er/here.md", body, head=HEAD)
    result = obsidian.render("deep/er/here.md")
    note = f"{URL}/deep/2024/07/06/My-Note/"
    assert said(result) == []
    assert re.findall(r'href="([^"]*)"', result.html) == [note, f"{note}#part", f"{URL}/2024/01/02/dated/"]
    assert set(result.assets) == {("pictures/pic one.png", "posts/pictures/pic one.png")}
    assert len(said(plain.render("deep/er/here.md"))) == 4


def test_a_post_is_rendered_again_when_a_name_appears(tmp_path: Path) -> None:
    folder = vault(tmp_path)
    folder.write("deep/here.md", "![[new.png]] [[New note]]", head=HEAD)
    assert b"pictures/new.png" not in (folder.build(), folder.public()["deep/2024/07/06/here/index.html"])[1]
    folder.file("posts/pictures/new.png", b"")
    folder.write("new-note.md", "x", head=HEAD)
    page = (folder.build(), folder.public()["deep/2024/07/06/here/index.html"])[1]
    assert b"pictures/new.png" in page
    assert b'2024/07/06/new-note/">New note</a>' in page


def test_nothing_is_found_in_the_output_of_the_build(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder=".", tool="obsidian"))
    for path in ("public/a/pic.png", "_site/pic.png", "notes/deep/pic.png", "node_modules/only.png"):
        folder.file(path, b"")
    folder.file("here.md", f"---\n{HEAD}\n---\n![[pic.png]]\n\n![[only.png]]")
    assert [file for _, file in folder.render("here.md").assets] == ["notes/deep/pic.png", "only.png"]


def test_without_pages_files_keep_their_paths_in_the_folder(tmp_path: Path) -> None:
    vault(tmp_path)
    folder = Folder(tmp_path, pages=PagesConfig(enabled=False))
    folder.write("deep/here.md", "![[pic one.png]]", head=HEAD)
    assert f'src="{URL}/pictures/pic%20one.png"' in folder.render("deep/here.md").html
