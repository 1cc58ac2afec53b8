"""Adopts a vault of Obsidian, from which Quartz may build a site."""

from __future__ import annotations

from pathlib import Path

from publisher.posts.blog_tools.data_files import DataError, read_data
from publisher.publishing.adopt.adopted_blog import AdoptedBlog, Findings, inner, one_line, table, texts
from publisher.publishing.adopt.blog_settings import folder_in, take_first, take_posts
from publisher.publishing.adopt.dated_files import post_folders, texts_below
from publisher.publishing.adopt.script_settings import Script
from publisher.publishing.adopt.tool_files import text_of
from publisher.publishing.new_project import local_zone


def adopt_obsidian(root: Path, file: str) -> AdoptedBlog:
    """Return the findings about a vault. file: the settings of Quartz, or the folder .obsidian/."""
    if file.endswith("/"):
        found = Findings("obsidian", file, command="", output="")
        folder = ""
        found.leave("Obsidian has no site: write the address at which you publish the notes")
    else:
        found = Findings("obsidian", file, command="npx quartz build", output="public")
        folder = "content"
        _take_quartz(found, root, file)
    posts = post_folders(texts_below(root / folder, _left_out(root)))
    take_posts(found, folder or ".", posts, "the vault" if not folder else "Quartz' folder of notes")
    found.take("posts.permalink", "/{folder}/{file}", "Quartz' rule")
    found.take("site.timezone", local_zone(), "that of this computer")
    found.take("posts.time", "00:00", "notes have days")
    return found.blog()


def _take_quartz(found: Findings, root: Path, file: str) -> None:
    script = Script(text_of(root / file, root))
    settings = inner(script.exported, "configuration")
    take_first(found, settings, file, ("site.title", "pageTitle"), ("site.language", "locale"))
    if host := one_line(inner(settings, "baseUrl")).removeprefix("https://"):
        found.take("site.url", f"https://{host}", f"{file}: baseUrl")
    for given in script.calls("ContentIndex"):
        if given and inner(given[0], "enableRSS") is True:
            found.take_feed("index.xml", "rss", f"{file}: ContentIndex")
    if ignored := texts(inner(settings, "ignorePatterns")):
        found.take(
            "posts.exclude", [f"{folder_in(each)}/**" for each in ignored if "*" not in each], f"{file}: ignorePatterns"
        )


def _left_out(root: Path) -> list[str]:
    """Return the folders of templates and attachments."""
    found = ["quartz", "public", "docs"] if (root / "quartz").is_dir() else []
    for name, key in (("templates", "folder"), ("daily-notes", "template"), ("app", "attachmentFolderPath")):
        path = root / f".obsidian/{name}.json"
        try:
            settings = table(read_data(path, root)) if path.is_file() else {}
        except DataError:
            continue
        if folder := folder_in(settings.get(key)):
            found.append(folder)
    return found
