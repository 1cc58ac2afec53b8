"""What visitors, screen readers and crawlers find in the pages of a small site."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from zoneinfo import ZoneInfo

import pytest
from lxml import etree, html

from publisher.config import PagesConfig, Person
from publisher.config.server import Web
from publisher.core.models import Author, Enclosure
from publisher.site.pages.article import listed_post
from publisher.site.pages.frame import make_frame, output_path
from publisher.site.pages.page_files import plan_sitemap
from tests.support.email_samples import posts_of
from tests.support.pages_samples import (
    BASE,
    CONFIG,
    EDITIONS,
    FEEDS,
    HOSTILE,
    LETTER,
    POSTS,
    TEMPLATES,
    make_edition,
    make_post,
    plan,
    with_post,
)

PATHS = tuple(plan())
HTML = tuple(path for path in PATHS if path.endswith(".html"))
OWN = tuple(path for path in HTML if not path.startswith("editions/weekly/2024"))
ELSEWHERE = ("https://ada.example/", "https://other.example/")
FILES_OF_OTHERS = ("feed.xml", "atom.xml", "feed.json", "cover.jpg", "pic.png", "12.mp3", "x")


@cache
def site_files() -> dict[str, bytes]:
    """Return the contents of all planned files, by path."""
    return {path: output.make() for path, output in plan().items()}


def tree(path: str, pages: dict[str, bytes] | None = None) -> Any:
    return html.document_fromstring((pages or site_files())[path].decode())


def own_page(index: int, pages: dict[str, bytes] | None = None) -> Any:
    return tree(output_path(POSTS[index].permalink), pages)


@pytest.mark.parametrize("path", HTML)
def test_every_page_has_heading_language_title_and_feeds(path: str) -> None:
    page = tree(path)
    assert len(page.findall(".//h1")) == 1
    assert page.get("lang")
    assert page.findtext("head/title")
    links = page.xpath("head/link[@rel='alternate']/@href")
    assert [link for link in links if link in {feed.url for feed in FEEDS}] == [feed.url for feed in FEEDS]


@pytest.mark.parametrize("path", OWN)
def test_every_page_parses_without_an_error_and_repeats_no_id(path: str) -> None:
    parser = etree.HTMLParser()
    etree.fromstring(site_files()[path], parser)
    # libxml2 only knows HTML 4, and calls newer elements invalid.
    newer = ("header", "nav", "main", "article", "figure", "figcaption", "footer", "aside", "section", "time",
             "audio", "bdi")  # fmt: skip
    errors = [e.message for e in parser.error_log if e.message not in {f"Tag {name} invalid" for name in newer}]
    assert errors == []
    ids = tree(path).xpath("//@id")
    assert len(ids) == len(set(ids))


def test_all_links_lead_somewhere() -> None:
    dangling = []
    for path in HTML:
        for element, attribute, link, _ in tree(path).iterlinks():
            if attribute not in ("href", "src") or link.startswith(ELSEWHERE):
                continue
            target = urlsplit(urljoin(f"{BASE}/{path}", link))
            place = unquote(target.path).lstrip("/")
            known = (
                place in site_files()
                or f"{place}index.html" in site_files()
                or place.rpartition("/")[2] in FILES_OF_OTHERS
            )
            fragment = (
                target.fragment and link.startswith("#") and not tree(path).xpath("//*[@id=$i]", i=target.fragment)
            )
            if target.netloc != urlsplit(BASE).netloc or not known or fragment:
                dangling.append((path, element.tag, link))
    assert dangling == []


def test_links_within_the_site_are_relative() -> None:
    links = [link for path in OWN for link in tree(path).xpath("//body//a/@href | //body//img/@src | //audio/@src")]
    assert [link for link in links if link.startswith(BASE)] == []


def test_the_404_page_links_from_the_root() -> None:
    below = replace(CONFIG, site=replace(CONFIG.site, url=f"{BASE}/blog/"))
    page = html.document_fromstring(plan(config=below)["404.html"].make().decode())
    assert page.xpath("//a[@class='site-title']/@href") == ["/blog/"]
    assert page.xpath("head/link[@rel='stylesheet']/@href")[0].startswith("/blog/assets/site.")


@pytest.mark.parametrize("path", HTML)
def test_a_hostile_title_is_text_everywhere(path: str) -> None:
    page = tree(path)
    scripts = page.xpath("//script")
    assert all(script.get("type") == "application/ld+json" for script in scripts)
    assert b"<script>alert" not in site_files()[path]
    assert not page.xpath("//*[starts-with(name(@*[1]), 'on')]")


def test_a_hostile_title_reads_as_written() -> None:
    page = own_page(2)
    assert page.findtext(".//h1") == HOSTILE
    assert page.findtext("head/title") == f"{HOSTILE} · The Quiet Reader"
    assert page.xpath("head/meta[@property='og:title']/@content") == [HOSTILE]
    assert json.loads(page.findtext(".//script"))["headline"] == HOSTILE


def test_no_link_runs_code() -> None:
    bad = "javascript:alert(1)"
    posts = with_post(0, authors=(Author("Eve", url=bad),), enclosures=(Enclosure(bad, "audio/mpeg"),))
    made = plan(posts=posts)[output_path(POSTS[0].permalink)].make().decode()
    assert f'href="{bad}' not in made
    assert f'src="{bad}' not in made


def test_a_post_page_has_structured_data() -> None:
    page = own_page(1)
    meta = {m.get("property") or m.get("name"): m.get("content") for m in page.xpath("head/meta[@content]")}
    assert meta["og:type"] == "article"
    assert meta["og:image"] == f"{BASE}/cover.jpg"
    assert meta["og:image:alt"] == "Hills at dusk"
    assert meta["og:url"] == POSTS[1].url
    assert meta["description"] == "In one table."
    assert meta["twitter:card"] == "summary_large_image"
    assert page.xpath("head/link[@rel='canonical']/@href") == [POSTS[1].url]
    data = json.loads(page.findtext(".//script"))
    assert data["datePublished"] == POSTS[1].published.isoformat()
    assert data["author"] == [{"@type": "Person", "name": "Ada", "url": "https://ada.example/"}]


def test_a_post_page_has_language_direction_and_dates() -> None:
    assert own_page(3).get("lang") == "ja"
    assert own_page(3).xpath("//article//time/text()") == ["2024年7月23日"]
    assert (own_page(4).get("lang"), own_page(4).get("dir")) == ("ar", "rtl")
    assert own_page(4).xpath("//header[@class='site-header']/@lang") == ["en"]
    assert own_page(0).xpath("//article//time/@datetime") == [
        "2024-11-20T09:00:00+00:00",
        "2024-11-22T09:00:00+00:00",
    ]


def test_no_date_on_a_page_has_seconds_in_its_offset() -> None:
    local = datetime(1850, 1, 1, 0, 0, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    assert local.isoformat() == "1850-01-01T00:00:05+00:53:28"
    west = datetime(1860, 1, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    pages = {path: output.make() for path, output in plan(posts=with_post(1, published=local, updated=west)).items()}
    page = own_page(1, pages)
    dates = ["1850-01-01T00:00:05+00:53", "1860-01-01T09:00:00-04:57"]
    assert page.xpath("//article//time/@datetime") == dates
    data = json.loads(page.findtext(".//script"))
    assert [data["datePublished"], data["dateModified"]] == dates
    assert page.xpath("head/meta[@property='article:published_time']/@content") == dates[:1]


def test_a_post_leads_to_its_neighbours_and_its_tags() -> None:
    page = own_page(1)
    newer, older = page.xpath("//a[@class='newer']"), page.xpath("//a[@class='older']")
    assert (newer[0].findtext("b"), older[0].findtext("b")) == (POSTS[0].title, POSTS[2].title)
    assert page.xpath("//a[@rel='tag']/text()") == ["Python"]
    assert own_page(0).xpath("//a[@class='newer']") == []
    assert own_page(7).xpath("//a[@class='older']") == []


def test_a_podcast_player_loads_nothing_in_advance() -> None:
    (player,) = own_page(5).xpath("//audio")
    assert player.get("preload") == "none"
    assert urljoin(POSTS[5].url, player.get("src")) == f"{BASE}/12.mp3"
    assert "32:14" in own_page(5).xpath("string(//figure[@class='audio'])")


def test_the_index_lists_every_post_once() -> None:
    titles, path = [], "index.html"
    while path:
        page = tree(path)
        titles += page.xpath("//ol//h2/a/text()")
        older = page.xpath("//nav[@class='paging']/a[@rel='next']/@href")
        path = urlsplit(urljoin(f"{BASE}/{path}", older[0])).path.lstrip("/") + "index.html" if older else ""
    assert titles == [post.title for post in POSTS]


def test_the_archive_lists_posts_by_year() -> None:
    page = tree("archive/index.html")
    assert page.xpath("//section/h2/text()") == ["2024"]
    assert page.xpath("//section//a/text()") == [post.title for post in POSTS]


def test_a_tag_page_links_its_own_feed() -> None:
    links = tree("tags/python/index.html").xpath("head/link[@rel='alternate']/@href")
    assert links[0] == f"{BASE}/tags/python/feed.xml"
    assert len(links) == len(FEEDS) + 1


def test_feeds_with_the_same_title_are_labelled_by_format() -> None:
    assert own_page(0).xpath("//aside[@class='follow']//li/a/text()") == ["RSS", "Atom", "JSON Feed"]
    assert tree("tags/python/index.html").xpath("//p[@class='facts']/span/a/text()") == ["RSS"]


def test_no_page_loads_from_elsewhere_or_runs_scripts() -> None:
    for path in OWN:
        page = tree(path)
        loaded = page.xpath(
            "//img/@src | //audio/@src | //link[@rel='stylesheet']/@href | //script/@src | //iframe/@src"
        )
        assert [url for url in loaded if urlsplit(urljoin(BASE, url)).netloc != urlsplit(BASE).netloc] == []
    css = next(text for path, text in site_files().items() if path.endswith(".css")).decode()
    assert "url(" not in css
    assert "@import" not in css


def test_a_web_version_is_the_edition_with_a_bar() -> None:
    path = "editions/weekly/2024-W46/index.html"
    made = site_files()[path].decode()
    for line in LETTER.splitlines():
        assert line in made
    links = tree(path).xpath("//nav/a/@href")
    assert [urljoin(f"{BASE}/{path}", link) for link in links] == [f"{BASE}/", f"{BASE}/editions/weekly/"]


def test_an_incomplete_document_is_published_unchanged() -> None:
    made = plan(editions=[make_edition(1, "<p>Bare</p>")])["editions/weekly/2024-W46/index.html"].make()
    assert made == b"<p>Bare</p>"


def test_editions_are_listed_newest_first() -> None:
    former = replace(EDITIONS[0], edition=replace(EDITIONS[0].edition, newsletter="gone"))
    planned = plan(editions=(*EDITIONS, former))
    page = html.document_fromstring(planned["editions/index.html"].make().decode())
    assert page.xpath("//section/h2/a/text()") == ["The Weekly", "gone"]
    assert page.xpath("//section[1]//li/a/text()") == ["Week 47 & more", "Week 46 & more"]


def test_the_sitemap_lists_every_page_once() -> None:
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    found = etree.fromstring(site_files()["sitemap.xml"]).xpath("//s:loc/text()", namespaces=space)
    assert len(found) == len(set(found))
    expected = {post.url for post in POSTS} | {
        f"{BASE}/{path.removesuffix('index.html')}"
        for path in HTML
        if path != "404.html" and "/latest/" not in path and path not in {output_path(post.permalink) for post in POSTS}
    }
    assert {unquote(url) for url in found} == {unquote(url) for url in expected}


def test_a_large_site_gets_several_sitemaps() -> None:

    frame = make_frame(CONFIG, TEMPLATES, FEEDS, has_tags=False, has_editions=False)
    posts = [make_post(0, f"p{i}", "T") for i in range(5)]
    outputs = list(plan_sitemap(frame, [listed_post(p, "en") for p in posts], ["index.html"], most=4))
    assert [output.path for output in outputs] == ["sitemap-1.xml", "sitemap-2.xml", "sitemap.xml"]
    made = [output.make() for output in outputs]
    assert [len(etree.fromstring(text)) for text in made] == [4, 2, 2]
    assert f"{BASE}/sitemap-2.xml".encode() in made[2]


def test_the_sitemap_names_the_translations_of_a_post() -> None:
    frame = make_frame(CONFIG, TEMPLATES, FEEDS, has_tags=False, has_editions=False)
    posts = [make_post(0, "p0", "T"), replace(make_post(1, "p1", "T"), translations=(("fr", f"{BASE}/fr/a&b/"),))]
    for most in (9, 1):
        made = [each.make() for each in plan_sitemap(frame, [listed_post(p, "en") for p in posts], [], most=most)]
        roots = [etree.fromstring(text) for text in made]
        links = [link for each in roots for link in each.iter("{http://www.w3.org/1999/xhtml}link")]
        right = [("en", posts[1].url), ("fr", f"{BASE}/fr/a&b/")]
        assert [(link.get("hreflang"), link.get("href")) for link in links] == right
        assert {link.get("rel") for link in links} == {"alternate"}
        assert [etree.QName(each).localname for each in links[0].itersiblings(preceding=True)] == ["lastmod", "loc"]
        assert [b"xhtml" in text for text in made] == ([True] if most == 9 else [False, True, False])


def test_the_newest_post_is_large_only_on_the_first_page() -> None:
    assert [len(tree(path).xpath("//li[@class='lead']")) for path in ("index.html", "page/2/index.html")] == [1, 0]
    assert tree("index.html").xpath("//li[@class='lead']//h2/a/text()") == [POSTS[0].title]
    pictured = tree("index.html", {"index.html": plan(posts=with_post(0, image=POSTS[1].image))["index.html"].make()})
    assert pictured.xpath("//li[@class='lead']/img/@fetchpriority") == ["high"]


def test_related_posts_are_linked_but_neighbours_not_twice() -> None:
    related = [own_page(index).xpath("//aside[@class='related']//a/text()") for index in (1, 6)]
    assert related == [["Episode 12", "More words"], []]  # the next newer post has the tag, too


def test_a_new_post_changes_few_other_pages() -> None:
    tag = POSTS[0].tags
    many = [make_post(index, f"n{index}", f"Number {index}", tags=tag) for index in range(40)]
    before = {path: output.key for path, output in plan(posts=many[1:]).items()}
    after = {path: output.key for path, output in plan(posts=many).items()}
    changed = {path for path in before if after[path] != before[path] and "/n" in path}
    assert changed == {output_path(post.permalink) for post in many[1:3]}


def test_the_author_of_the_site_has_an_image_and_a_line_below_their_posts() -> None:
    ada = Person(name="Ada", url="https://ada.example/", image="img/ada.jpg", about="Counts <things>.")
    config = replace(CONFIG, site=replace(CONFIG.site, author=ada))
    pages = {path: output.make() for path, output in plan(config=config).items()}
    (shown,) = own_page(0, pages).xpath("//div[@class='author']")
    assert shown.xpath(".//p/a/text() | .//p[@class='about']/text()") == ["Ada", "Counts <things>."]
    assert dict(shown.find("img").attrib)["src"] == "../../../../img/ada.jpg"
    assert (shown.find("img").get("width"), shown.find("img").get("height")) == ("64", "64")
    assert not own_page(6, pages).xpath("//div[@class='author']")  # a post without authors
    assert not own_page(0).xpath("//div[@class='author']")  # a single name is already above the post


def test_a_page_of_text_is_small() -> None:
    sheet = next(len(text) for path, text in site_files().items() if path.startswith("assets/"))
    sizes = {path: len(site_files()[path]) + sheet for path in OWN}
    assert {path: size for path, size in sizes.items() if size > 30_000} == {}


@pytest.mark.parametrize("source", ["samples", "seeds"])
def test_pages_of_real_posts_without_images_are_small(source: str) -> None:
    posts = {each.post.url: each for each in posts_of(source)}
    if not posts:
        pytest.skip("the posts are not next to this checkout")
    site = replace(CONFIG.site, url=f"https://{urlsplit(next(iter(posts))).netloc}")
    config = replace(CONFIG, site=site, pages=PagesConfig(), web=Web(public_url="https://mail.example"))
    made = plan(config=config, posts=[each.post for each in posts.values()], render=lambda post: posts[post.url])
    (sheet,) = (output.make() for path, output in made.items() if path.endswith(".css"))
    pages = {path: output.make() for path, output in made.items() if path.endswith(".html")}
    # The length of a long post depends on its text; everything else on its page is counted.
    text_of = {output_path(each.post.permalink): len(each.html.encode()) for each in posts.values()}
    plain = {path: len(text) + len(sheet) - text_of.get(path, 0) for path, text in pages.items()}
    assert {path: size for path, size in plain.items() if size > 30_000} == {}
    sent = {path: len(gzip.compress(text)) + len(gzip.compress(sheet)) for path, text in pages.items()}
    assert {path: size for path, size in sent.items() if size > 15_000} == {}


def test_the_texts_around_a_post_are_in_its_language() -> None:
    rows = tree("index.html", {"index.html": plan(posts=POSTS[3:5])["index.html"].make()}).xpath("//ol/li")
    assert [row.xpath("string(.//bdi)") for row in rows] == ["2分で読めます", "قراءة في دقيقتين"]
    hebrew = plan(posts=with_post(4, language="he"))
    page = own_page(4, {output_path(POSTS[4].permalink): hebrew[output_path(POSTS[4].permalink)].make()})
    assert page.xpath("//p[@class='facts']//bdi/@lang") == ["en"]
    assert page.xpath("string(//p[@class='facts']//bdi)") == "2 min read"
    assert own_page(4).xpath("//nav[@class='neighbours']/a/span/text()") == ["الأقدم", "الأحدث"]


def test_the_size_of_an_audio_file_is_never_empty() -> None:
    sizes = {24_500_000: "24.5 MB", 48_300: "49 kB", 9: "1 kB"}
    for length, shown in sizes.items():
        audio = replace(POSTS[5].enclosures[0], length=length)
        page = plan(posts=with_post(5, enclosures=(audio,)))[output_path(POSTS[5].permalink)].make().decode()
        assert f"({shown})" in page
