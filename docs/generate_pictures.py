"""Take the screenshots in docs/pictures/ of the sample project with Chromium.

    make pictures

Take them again after a change of looks or words. They are not compared in tests, as fonts differ between machines.
Debian's packages chromium, pngquant, fonts-noto-core and fonts-noto-cjk are needed.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SITE = "https://gazette.example.org"
NOW = "2026-11-30T09:00"
PUBLISHER = [sys.executable, "-m", "publisher"]
ARABIC = {"The Publisher Gazette, weekly": "الصحيفة الهادئة", 'language = "en"': 'language = "ar"'}
# What the sample project lacks: a web application, a page, and a picture of an author.
AUTHOR = {
    'name = "The editors"': 'name = "Mara Lindqvist", image = "mara.svg", about = "Writes about email that arrives."'
}
FACE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path fill="#e8c9a0" d="M0 0h64v64H0z"/>
<path fill="#3b2a20" d="M13 31a19 21 0 0 1 38 0v20H13z"/><path fill="#8a2846" d="M8 64a24 18 0 0 1 48 0z"/>
<circle cx="32" cy="31" r="13" fill="#f4dcc0"/></svg>"""
BYLINED_POST = "2026/08/25/eight-o-clock-is-not-a-time/index.html"
POST, ARABIC_POST = "2026/11/10/a-ledger-beats-a-cursor/index.html", "ar/2026/06/03/reading-slowly/index.html"
PHONES = """<body style="margin: 0; padding: 20px; display: flex; gap: 20px; background: #c9c5bd">{}</body>"""
PHONE = """<img style="border-radius: 12px" src="data:image/png;base64,{}">"""


def make_project(folder: Path, replacements: dict[str, str], without: str = "") -> Path:
    """Copy the sample project, except posts that match `without`; publish it, and return its folder."""
    ignored = shutil.ignore_patterns(without) if without else None
    shutil.copytree(ROOT / "posts", folder / "posts", ignore=ignored)
    settings = (ROOT / "publisher.toml").read_text(encoding="utf-8")
    for old, new in replacements.items():
        settings = settings.replace(old, new)
    (folder / "publisher.toml").write_text(settings, encoding="utf-8")
    for name, text in {"pages/about.md": "# About\n\nAn occasional paper.\n", "static/mara.svg": FACE}.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
    people = ["subscribers", "import", str(ROOT / "docs" / "sample-subscribers.csv")]
    for command in (people, ["publish", "--now", NOW]):
        subprocess.run([*PUBLISHER, *command], cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own
    return folder


def whole_letter(project: Path) -> str:
    """Return the HTML of the longest email of the weekly newsletter, which has the posts of all topics."""
    letters = []
    for file in project.rglob("*.eml"):
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        html = message.get_body(("html",))
        if "weekly" in str(message["List-Id"]) and html:
            letters.append(str(html.get_content()))
    return max(letters, key=len)


@contextmanager
def preview(project: Path) -> Iterator[str]:
    """Run the preview, and yield its URL."""
    command = [*PUBLISHER, "preview", "--no-open", "--now", NOW]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            lines = iter(process.stdout or [])
            yield next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        finally:
            process.terminate()


def screenshot(
    browser: Browser, page_of: str, size: tuple[int, int], *, site: Path | None = None, dark: bool = False, at: str = ""
) -> bytes:
    """Return a picture of a page, given as a URL or HTML, at a size in CSS pixels.

    site  the project whose images the page shows
    at    the selector of the element at which the picture begins, instead of the top
    """
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    if site:
        here = f"{site}/public"
        page.route(f"{SITE}/**", lambda route: route.fulfill(path=here + route.request.url.removeprefix(SITE)))
    if page_of.startswith(("http:", "file:")):
        page.goto(page_of)
    else:
        page.set_content(page_of)
    page.wait_for_load_state("networkidle")
    if page_of.startswith("http:"):
        page.locator(
            ".side a[data-stop]", has_text=re.compile(r"\d posts")
        ).first.click()  # the first edition that was sent
        page.wait_for_load_state("networkidle")
    if at:
        page.locator(at).first.evaluate("found => scrollTo({top: found.getBoundingClientRect().top - 24 + scrollY})")
    picture = page.screenshot()
    page.close()
    return picture


def in_a_row(phones: Iterable[bytes]) -> str:
    """Return a page that shows pictures of phones side by side."""
    return PHONES.format("".join(PHONE.format(base64.b64encode(each).decode()) for each in phones))


def small(picture: bytes) -> bytes:
    """Return a PNG with 256 colours, which is a third as large."""
    return subprocess.run([program("pngquant"), "256", "-"], input=picture, check=True, capture_output=True).stdout  # noqa: S603 - found by its name


def program(name: str) -> str:
    """Return the path of a program; exit with a hint if it is missing."""
    return shutil.which(name) or sys.exit(f"{name} is missing (on Debian: apt install {name})")


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        english = make_project(Path(scratch) / "english", AUTHOR)
        arabic = make_project(Path(scratch) / "arabic", ARABIC, without="2026-[01][0178]*")
        letter, phone = whole_letter(english), (360, 780)
        phones = [
            screenshot(browser, letter, phone, site=english),
            screenshot(browser, letter, phone, site=english, dark=True),
            screenshot(browser, whole_letter(arabic), phone, site=arabic),
        ]
        pages = [english / "public" / path for path in ("index.html", POST, ARABIC_POST)]
        site = in_a_row(
            screenshot(browser, f"file://{page}", phone, dark=number == 1) for number, page in enumerate(pages)
        )
        three = in_a_row(phones)
        with preview(english) as address:
            pictures = {
                "index": screenshot(browser, f"file://{english}/public/index.html", (760, 1060)),
                "site": screenshot(browser, site, (1160, 820)),
                "post-end": screenshot(browser, f"file://{english}/public/{BYLINED_POST}", (760, 900), at=".tags"),
                "letter": screenshot(browser, letter, (760, 1060), site=english),
                "letter-phones": screenshot(browser, three, (1160, 820)),
                "preview": screenshot(browser, address, (1280, 660)),
            }
        for name, picture in pictures.items():
            (PICTURES / f"{name}.png").write_bytes(small(picture))


if __name__ == "__main__":
    main()
