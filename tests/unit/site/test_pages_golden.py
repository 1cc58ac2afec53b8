"""Whole pages equal their reviewed golden files; UPDATE_GOLDEN=1 rewrites the files for review."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest

from publisher.config.server import Web
from tests.support import GOLDEN
from tests.support.pages_samples import BASE, CONFIG, LISTED, OPML, plan

FOLDER = GOLDEN / "pages"
PAGES = {
    "index-2.html": "page/2/index.html",
    "post.html": "2024/11/20/code/index.html",
    "post-picture-table.html": "2024/10/11/table/index.html",
    "post-hostile.html": "2024/09/01/hostile/index.html",
    "post-audio.html": "2024/05/04/talk/index.html",
    "tags.html": "tags/index.html",
    "tag.html": "tags/python/index.html",
    "archive.html": "archive/index.html",
    "editions.html": "editions/index.html",
    "newsletter.html": "editions/weekly/index.html",
    "404.html": "404.html",
    "feeds.html": "feeds/index.html",
    "sitemap.xml": "sitemap.xml",
}


# Pages of the same site with a web application that accepts the sign-up form.
WITH_FORM = {
    "index.html": "index.html",
    "post-arabic.html": "2024/06/13/arabic/index.html",
    "subscribe.html": "subscribe/index.html",
    "edition.html": "editions/weekly/latest/index.html",
}
SERVED = replace(CONFIG, web=Web(public_url=BASE))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_equals_its_golden_file(name: str) -> None:
    compare(name, plan(listed=LISTED, opml=OPML)[PAGES[name]].make().decode())


@pytest.mark.parametrize("name", WITH_FORM)
def test_a_page_with_a_form_equals_its_golden_file(name: str) -> None:
    compare(name, plan(config=SERVED, listed=LISTED, opml=OPML)[WITH_FORM[name]].make().decode())


def compare(name: str, made: str) -> None:
    # The stylesheet's name changes with every colour, which does not matter for this page.
    made = re.sub(r"assets/site\.[0-9a-f]{10}\.css", "assets/site.css", made)
    golden = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")
