"""Whatever posts contain, every feed file is well formed, complete and clean, and all formats agree."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import feedparser
import pytest
from jsonschema import Draft202012Validator

from publisher.config import load_config
from publisher.site.feeds.validator import feed_problems
from tests.support import DATA
from tests.support.formats import KINDS, Read, parse_xml, read
from tests.support.hostile_site import NOW, TITLE, URL, build_site, make_site, shared_site
from tests.support.markup import address_fault, faults
from tests.support.needs import need

SCHEMA = json.loads((DATA / "jsonfeed_schema.json").read_text(encoding="utf-8"))
# Characters that no format may contain: XML 1.0 section 2.2, and control characters that are parse errors in HTML.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_site(tmp_path_factory)


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile site built with the default settings of feeds: 30 entries, 500 KB, an archive."""
    return build_site(make_site(tmp_path_factory.mktemp("paged"), feeds="")).folder


@pytest.fixture(scope="module")
def feeds(public: Path, paged: Path) -> dict[str, bytes]:
    """Every feed file of both sites by its path."""
    return {
        f"{root.parent.name}/{path.relative_to(root)}": path.read_bytes()
        for root in (public, paged)
        for path in root.rglob("*")
        if path.is_file() and re.fullmatch(r"(?:feed|atom)(?:-\d+)?\.(?:xml|json)", path.name)
    }


@pytest.fixture(scope="module")
def entries(feeds: dict[str, bytes]) -> dict[str, list[Read]]:
    return {path: read(_kind(path), data) for path, data in feeds.items()}


def _kind(path: str) -> str:
    name = path.rpartition("/")[2]
    return "json" if name.endswith("json") else "atom" if name.startswith("atom") else "rss"


def test_there_are_many_hostile_feeds(feeds: dict[str, bytes]) -> None:
    assert len(feeds) > 200


def test_every_xml_file_is_well_formed(feeds: dict[str, bytes]) -> None:
    for path, data in feeds.items():
        if _kind(path) != "json":
            assert parse_xml(data).tag in ("rss", "{http://www.w3.org/2005/Atom}feed"), path


def test_xmllint_accepts_every_xml_file(public: Path, paged: Path) -> None:
    program = need("xmllint")
    files = [str(path) for root in (public, paged) for path in root.rglob("*.xml") if path.is_file()]
    assert subprocess.run([program, "--noout", *files], capture_output=True, check=False).stderr == b""


def test_feedparser_finds_nothing_wrong_in_any_file(feeds: dict[str, bytes]) -> None:
    for path, data in feeds.items():
        if _kind(path) != "json":
            # It need not sanitise the HTML, which would take most of the time and finds nothing.
            parsed = feedparser.parse(
                data,
                response_headers={"content-type": "application/xml; charset=utf-8"},
                sanitize_html=False,
                resolve_relative_uris=False,
            )
            assert not parsed.bozo, f"{path}: {parsed.get('bozo_exception')}"


def test_every_json_file_follows_the_specification_strictly(feeds: dict[str, bytes]) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    validator = Draft202012Validator(SCHEMA)
    wrong = [
        f"{path} {error.json_path}: {error.message[:200]}"
        for path, data in feeds.items()
        if _kind(path) == "json"
        for error in validator.iter_errors(json.loads(data))
    ]
    assert wrong == []


def test_all_formats_have_the_same_ids_in_order(entries: dict[str, list[Read]]) -> None:
    for path, found in entries.items():
        if _kind(path) == "rss":
            ids = [entry.id for entry in found]
            folder, _, name = path.rpartition("/")
            others = (name.replace("feed", "atom"), name.replace(".xml", ".json"))
            assert [[entry.id for entry in entries[f"{folder}/{other}"]] for other in others] == [ids, ids], path


def test_all_formats_agree_about_every_entry(entries: dict[str, list[Read]], public: Path) -> None:
    said = [entries[f"{public.parent.name}/{name}"] for name in KINDS.values()]
    for rss, atom, other in zip(*said, strict=True):
        for field in ("title", "summary", "html", "url", "authors", "tags", "image", "language"):
            assert getattr(rss, field) == getattr(atom, field) == getattr(other, field), (rss.title, field)
        assert atom.enclosures == other.enclosures
        assert rss.enclosures == atom.enclosures[:1]


def test_ids_are_unique_uris(entries: dict[str, list[Read]]) -> None:
    for path, found in entries.items():
        ids = [entry.id for entry in found]
        assert len(ids) == len(set(ids)), path
        for name in ids:
            assert re.fullmatch(r"(?:tag|urn|https?):[!#$%&'()*+,./0-9:;=?@A-Z_a-z~\[\]-]+", name), name


def test_the_archive_has_every_post_once(entries: dict[str, list[Read]], public: Path, paged: Path) -> None:
    everything = [entry.id for entry in entries[f"{public.parent.name}/feed.xml"]]
    pages = [path for path in entries if re.fullmatch(rf"{paged.parent.name}/feed-\d+\.xml", path)]
    pages.sort(key=lambda path: -int(re.findall(r"\d+", path)[-1]))
    assert [entry.id for path in pages for entry in entries[path]] == everything


def test_no_polled_document_is_too_large(paged: Path) -> None:
    for name in KINDS.values():
        assert (paged / name).stat().st_size <= 500_000


def test_urls_are_absolute_and_run_no_code(entries: dict[str, list[Read]]) -> None:
    wrong = {
        (entry.title, fault)
        for found in entries.values()
        for entry in found
        for fault in (
            *faults(entry.html),
            *filter(None, (address_fault(a) for a in (entry.url, *entry.links_of_authors))),
            *filter(None, (address_fault(a) for a in (entry.image, *(e[0] for e in entry.enclosures)) if a)),
        )
    }
    assert wrong == set()


def test_summaries_have_no_active_markup(entries: dict[str, list[Read]], feeds: dict[str, bytes]) -> None:
    active = re.compile("<script|<style")
    wrong = {
        entry.title
        for found in entries.values()
        for entry in found
        if active.search(entry.summary) and not active.search(html.unescape(re.sub("<[^<>]*>", "", entry.html)))
    }
    assert wrong == set()  # words about such tags are words in the text, too
    for path, data in feeds.items():
        if _kind(path) == "rss":  # where a description is HTML
            assert not any("<" in (found.text or "") for found in parse_xml(data).iter("description")), path


def test_no_text_has_forbidden_characters(feeds: dict[str, bytes]) -> None:
    for path, data in feeds.items():
        assert not FORBIDDEN.search(data.decode()), path
        if _kind(path) == "json":
            assert not FORBIDDEN.search(json.dumps(json.loads(data), ensure_ascii=False)), path


def test_no_highlighter_markup_is_left(entries: dict[str, list[Read]]) -> None:
    for found in entries.values():
        for entry in found:
            assert not re.search(r'class="(?:k|nf|p|highlight|gutter|anchor)\b', entry.html), entry.title


def test_the_title_of_the_site_survives(public: Path) -> None:
    assert parse_xml((public / "feed.xml").read_bytes()).findtext("channel/title") == TITLE
    assert json.loads((public / "feed.json").read_bytes())["title"] == TITLE
    assert json.loads((public / "feed.json").read_bytes())["description"] == "One  & <two> ]]> three"


def test_every_feed_names_the_hub_and_itself(feeds: dict[str, bytes], public: Path) -> None:
    for path, data in feeds.items():
        site, _, name = path.partition("/")
        if site == public.parent.name and _kind(path) == "json":
            document = json.loads(data)
            assert document["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]
            assert document["feed_url"].startswith(f"{URL}/")
            assert document["feed_url"].isascii(), name


def test_check_finds_no_problem_in_the_output_of_build(public: Path) -> None:
    wrong = [
        problem for problem in feed_problems(load_config(public.parent), public) if "length" not in problem.message
    ]
    assert [problem for problem in wrong if "feed readers reject large files" not in problem.message] == []


def test_a_second_build_touches_no_file(public: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in public.rglob("*")}
    report = build_site(public.parent, NOW)
    assert not report.changed
    assert {path: path.stat().st_mtime_ns for path in public.rglob("*")} == stamps
