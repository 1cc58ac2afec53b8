"""A broken, wrongly labelled or malicious document is read, or is refused in one line."""

from __future__ import annotations

import codecs
import gzip
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.sources.feed_document import MOST_BYTES, FeedError, read_feed
from tests.support import ROOT

URL = "https://ann.test/feed.xml"
SAMPLES = [path.read_bytes() for path in sorted((ROOT / "tests/data/sources").iterdir())]


def read(body: bytes | str, content_type: str = "") -> FeedDocument:
    headers = {"content-type": content_type} if content_type else {}
    return read_feed(body.encode() if isinstance(body, str) else body, URL, headers)


def rss(items: str, before: str = "", attributes: str = "") -> str:
    return f'{before}<rss version="2.0"{attributes}><channel><title>T</title>{items}</channel></rss>'


def item(body: bytes | str, content_type: str = "") -> FeedItem:
    return read(body, content_type).items[0]


CAFE = rss("<item><title>Café “ß”</title></item>")


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (CAFE.encode(), "", ""),
        (codecs.BOM_UTF8 + CAFE.encode(), "text/xml; charset=iso-8859-1", ""),
        (CAFE.encode("utf-16"), "", ""),
        (codecs.BOM_UTF16_BE + CAFE.encode("utf-16-be"), "", ""),
        (f'<?xml version="1.0" encoding="UTF-16"?>{CAFE}'.encode("utf-16-le"), "", ""),
        (
            f'<?xml version="1.0" encoding="UTF-16"?>{CAFE}'.encode(),
            "",
            "says that its encoding is UTF-16, but it is UTF-8",
        ),
        (codecs.BOM_UTF32_LE + CAFE.encode("utf-32-le"), "", ""),
        (f'<?xml version="1.0" encoding="windows-1252"?>{CAFE}'.encode("cp1252"), "", ""),
        (f"<?xml version='1.0' encoding='iso-8859-1'?>{CAFE}".encode("cp1252"), "text/xml; charset=utf-8", ""),
        (
            f'<?xml version="1.0" encoding="iso-8859-1"?>{CAFE}'.encode(),
            "",
            "says that its encoding is iso-8859-1, but it is UTF-8",
        ),
        (CAFE.encode("cp1252"), "application/rss+xml; charset=windows-1252", ""),
        (CAFE.encode("cp1252"), "text/xml", "has bytes that are not UTF-8"),
        (f'<?xml version="1.0" encoding="utf-8"?>{CAFE}'.encode("cp1252"), "", "has bytes that are not utf-8"),
        (f'<?xml version="1.0" encoding="no-such"?>{CAFE}'.encode(), "text/html; charset=\"'", None),
        (f'<?xml version="1.0" encoding="unicode_escape"?>{CAFE}'.encode(), "", None),
    ],
)
def test_encodings_are_detected(body: bytes, content_type: str, problem: str | None) -> None:
    found = read(body, content_type)
    assert found.items[0].title == "Café “ß”"
    assert problem is None or found.problems == ((problem,) if problem else ())


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("gb2312", "你好，朋友"),
        ("big5", "你好，朋友"),
        ("shift_jis", "こんにちは、友達"),
        ("euc-jp", "こんにちは、友達"),
        ("iso-2022-jp", "こんにちは、友達"),
        ("euc-kr", "안녕하세요"),
        ("koi8-r", "Привет, друг"),
        ("windows-1251", "Привет, друг"),
        ("iso-8859-2", "Příliš žluťoučký kůň"),
        ("windows-1253", "Καλημέρα"),
        ("iso-8859-9", "Günaydın"),
    ],
)
def test_declared_encodings_are_read(encoding: str, title: str) -> None:
    text = rss(f"<item><title>{title}</title></item>", f'<?xml version="1.0" encoding="{encoding}"?>')
    assert item(text.encode(encoding)).title == title


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/octet-stream", "image/png", "x", ""])
def test_a_wrong_media_type_does_not_matter(content_type: str) -> None:
    assert item(CAFE, content_type).title == "Café “ß”"
    assert read('{"version": "https://jsonfeed.org/version/1", "items": []}', content_type).kind == "json"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("A&nbsp;&mdash;&nbsp;B &copy;", "A — B ©"),
        ("A & B", "A & B"),
        ("A &unknown; B", "A &unknown; B"),
        ("a=1&b=2", "a=1&b=2"),
        ("A&#8212;B&#x2014;C", "A—B—C"),
        ("It&#146;s", "It’s"),
        ("A&#0;&#x1F;&#xFFFF;&#1114112;B", "AB"),
        ("&#55357;&#56832;", "😀"),
        ("A\x00\x08\x0bB", "AB"),
        ("A\ufffeB\uffff", "AB"),
        ("<![CDATA[A & B]]> C", "A & B C"),
        ("<![CDATA[A]]]]><![CDATA[>B]]>", "A]]>B"),
        ("<!-- a -- b -->A", "A"),
        ("&lt;&LT;&amp;lt;", "<<<"),
    ],
)
def test_characters_that_xml_forbids_are_repaired(written: str, title: str) -> None:
    assert read(rss(f"<item><title>{written}</title></item>")).items[0].title == title


@pytest.mark.parametrize(
    "body",
    [
        "<br />\n<b>Warning</b>: Undefined variable in <b>/x.php</b>" + rss("<item><title>A</title></item>"),
        "\n\n " + rss("<item><title>A</title></item>", '<?xml version="1.0"?>'),
        rss("<item><title>A</title></item>") + "<!-- 0.1 s --><script></script>",
        rss("<item><title>A</title></item>").removesuffix("</channel></rss>"),
        rss("<item><title>A</title><description><p>B<br></description></item>"),
        rss("<item><title>A</title><media:thumbnail url='x'/><dc:creator>B</dc:creator><x:y/></item>"),
        rss("<item><title>A</title>", "<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'http://x.test/rss.dtd'>"),
        rss("<item><title>A</title></item>", '<?xml-stylesheet type="text/xsl" href="/feed.xsl"?>'),
        rss("<item><title>A</title></item>", "<!-- not a page in <html> -->"),
        rss("<item><title>A</title></item>", '<?xml version="1.0"?><!-- the <rss> of the blog -->\n<!---->'),
        rss("<item><title>A</title></item>").replace("rss", "RSS", 1),
        rss("<item><title>A</title></item>").upper(),
        "<rdf:RDF><channel><title>T</title></channel><item><title>A</title></item></rdf:RDF>",
        '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>A</a:title></a:entry></a:feed>',
        "<feed><entry><title>A</title></entry></feed>",
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>A</title></entry></feed>',
    ],
)
def test_a_nearly_valid_feed_is_read(body: str) -> None:
    assert [each.title for each in read(body).items] == ["A"]


def test_an_undeclared_gzip_file_is_read() -> None:
    packed = gzip.compress(CAFE.encode(), mtime=0)
    assert item(packed).title == "Café “ß”"
    for body, says in (
        (packed[:-8], "ends in the middle"),
        (gzip.compress(b" " * 21_000_000), "is larger than 20 MB"),
    ):
        with pytest.raises(FeedError, match=says):
            read(body)


def test_a_flaw_is_named_with_its_line() -> None:
    found = read(rss("\n<item><title>A</title><description><p>B<br></description></item>"))
    assert found.problems == ("is not well-formed XML: mismatched tag, line 2",)


def test_no_entity_is_expanded_or_fetched() -> None:
    bomb = "".join(f'<!ENTITY a{n + 1} "&a{n};&a{n};">' for n in range(30))
    before = f'<!DOCTYPE x [<!ENTITY a0 "ha"><!ENTITY f SYSTEM "file:///etc/passwd">{bomb}<!ENTITY % p SYSTEM "x">%p;]>'
    found = item(rss("<item><title>&a30;</title><description>&f;&p;</description></item>", before))
    assert found.title == "&a30;"
    assert "root:" not in found.summary + found.html


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("<!DOCTYPE html><html><head></head></html>", "is a web page, not a feed"),
        ("<html><body><p>502</p></body></html>", "is a web page, not a feed"),
        ("<!-- <rss> --><html><body></body></html>", "is a web page, not a feed"),
        ("<!-- <rss>", "is not a feed"),
        ("hello", "is not a feed"),
        ("<opml><body/></opml>", "is not a feed"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not a feed"),
        (b"\0" * 1000, "is not a feed"),
        ("{", "is not valid JSON in line 1"),
        ('{"items": 3}', "is not a feed"),
        ("[]", "is not a feed"),
        ('{"items":' + "[" * 100_000, "is not valid JSON"),
        (rss("<item/>" * 20_001), "has more than 20,000 items"),
        ('{"items": [' + ",".join(["{}"] * 20_001) + "]}", "has more than 20,000 items"),
        (rss("<a>" * 300 + "</a>" * 300), "has more than 250 levels of elements"),
        (rss("<item " + " ".join(f'a{n}="x"' for n in range(201)) + "/>"), "has more than 200 attributes"),
        (rss("<item>" + "<category>a</category>" * 1001 + "</item>"), "has more than 1,000 elements in one item"),
        (rss("".join(f'<a xmlns:b{n}="x"/>' for n in range(101))), "has more than 100 prefixes"),
        (rss("<p>" + "x" * 4_000_000), "is not well-formed XML: mismatched tag, line 1"),
        (b" " * (MOST_BYTES + 1), "is 20.0 MB, and the limit is 20 MB"),
    ],
)
def test_a_document_that_is_not_a_feed_is_refused_in_one_line(body: bytes | str, says: str) -> None:
    with pytest.raises(FeedError) as refused:
        read(body)
    assert refused.value.message.startswith(says)
    assert (refused.value.where, bool(refused.value.hint)) == (URL, True)
    assert "\n" not in str(refused.value)


def test_a_text_as_long_as_a_book_is_left_out_and_reported() -> None:
    found = read(rss("<item><title>A</title><description>" + "x " * 1_000_001 + "</description></item>"))
    assert (found.items[0].title, found.items[0].html, found.items[0].summary) == ("A", "", "")
    assert found.problems == ("has 1 texts of more than 2 MB, which are left out",)


def test_an_invalid_name_is_left_out() -> None:
    long = "a_" * 30_000
    author = f"<author>{long}</author><dc:creator><![CDATA[{long}]]></dc:creator><author>Ann</author>"
    assert [each.name for each in item(rss(f"<item><title>A</title>{author}</item>")).authors] == ["Ann"]


def test_a_title_in_json_does_not_turn_the_words_after_it() -> None:
    assert item('{"items": [{"id": "1", "title": "\u202eevil"}]}').title == "\u202eevil\u202c"


def test_values_of_another_type_are_ignored() -> None:
    wrong = '{"items": [3, null, {"id": true, "title": 4, "authors": {"name": 1}, "tags": "a", "attachments": [1],'
    wrong += (
        '"content_html": [], "date_published": 1, "image": {}, "url": 5, "summary": "\\ud800\\u0000A"}], "hubs": "x"}'
    )
    found = item(wrong)
    assert (found.guid, found.title, found.authors, found.categories) == ("", "", (), ())
    assert (found.html, found.published, found.image, found.link, found.summary) == ("", None, None, "", "A")


MARKS = [
    "<",
    ">",
    "&",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "</item>",
    "<item>",
    '"',
    "'",
    "&#x0;",
    "\0",
    "<a b='",
    "\xff",
]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 60), st.sampled_from(MARKS)), min_size=1, max_size=4),
)
def test_a_damaged_feed_is_read_or_refused(body: bytes, damage: list[tuple[int, int, str]]) -> None:
    for start, cut, mark in damage:
        body = body[:start] + mark.encode("latin-1") + body[start + cut :]
    _read_or_refused(body)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.text(string.printable, max_size=40), st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str, is_inside: bool) -> None:
    _read_or_refused(b"<rss><channel><item>" + body if is_inside else body, content_type)


def _read_or_refused(body: bytes, content_type: str = "") -> None:
    try:
        found = read(body, content_type)
    except FeedError as error:
        assert "\n" not in str(error)
    else:
        for each in found.items:
            assert each.link.startswith("http") or not each.link
            assert "\0" not in each.title + each.html + each.guid + each.summary
