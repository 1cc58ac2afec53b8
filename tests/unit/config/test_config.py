"""All mistakes in publisher.toml are reported together, each with its line and key, however the file is written."""

from __future__ import annotations

import base64
import re
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.config import Config, checks, load_config
from publisher.config.schedule import parse_duration
from publisher.core.errors import ConfigError, ProjectError

SITE = '[site]\ntitle = "A"\nurl = "https://a.example"\n'


def load(tmp_path: Path, text: str | bytes, **environ: str) -> Config:
    (tmp_path / "publisher.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config(tmp_path, environ)


def mistakes(tmp_path: Path, text: str | bytes, **environ: str) -> list[str]:
    """Load an invalid configuration, and return the error lines that the user sees."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **environ)
    assert all("\n" not in line for line in caught.value.lines())
    return caught.value.lines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["publisher.toml: site is missing (add a [site] table"]),
        ("[site]\n", ["publisher.toml:1: site.title is missing (add title =", "site.url is missing (add url ="]),
        (SITE + "titel = 'B'\n", ["publisher.toml:4: site.titel: unknown key (did you mean title?)"]),
        (SITE + "[feed]\n", ["publisher.toml:4: feed: unknown key (did you mean feeds?)"]),
        (SITE + "[feeds]\nxyzzy = 1\n", ["publisher.toml:5: feeds.xyzzy: unknown key (known here: limit, max_"]),
        (SITE + "[feeds]\nlimit = '20'\n", ["publisher.toml:5: feeds.limit: must be a whole number, not '20'"]),
        (SITE + "[feeds]\nlimit = true\n", ["publisher.toml:5: feeds.limit: must be a whole number, not true"]),
        (SITE + "[feeds]\nlimit = nan\n", ["publisher.toml:5: feeds.limit: must be a whole number"]),
        (SITE + "[feeds]\nlimit = 0\n", ["publisher.toml:5: feeds.limit: 0 is not between 1 and 10000"]),
        (SITE + "[feeds]\nper_tag = 1\n", ["publisher.toml:5: feeds.per_tag: must be true or false, not 1"]),
        (SITE + "[feeds]\nformats = 'rss'\n", ["feeds.formats: must be a list, not 'rss' (write [\"rss\"])"]),
        (SITE + "languages = 'en, de'\n", ['site.languages: must be a list, not \'en, de\' (write ["en", "de"])']),
        (SITE + "languages = 1\n", ["publisher.toml:4: site.languages: must be a list, not 1"]),
        (SITE + "[authors]\nname = 'x'\n", ["publisher.toml:4: authors: must be a list (write [[authors]])"]),
        (
            SITE + "[mail.relays]\nhost = 'x'\n",
            ["publisher.toml:4: mail.relays: must be a list (write [[mail.relays]])"],
        ),
        (
            SITE + "[[authors]]\nid = 'm'\nnam = 'Mara'\n",
            ["publisher.toml:6: authors[1].nam: unknown key (did you mean n"],
        ),
        (
            SITE + "[[authors]]\nid = 'm'\n",
            ['authors[1].name is missing (add name = "Ada Lovelace" under [[authors]])'],
        ),
        (SITE + "[[authors]]\nname = 'M'\n", ['authors[1].id is missing (add id = "ada" under [[authors]])']),
        (SITE + "[pages]\ncopy = ['_posts']\n", ["publisher.toml:5: pages.copy: '_posts' is a folder of posts"]),
        (
            SITE + "[pages]\ncopy = ['a/_drafts = /a']\n",
            ["publisher.toml:5: pages.copy: 'a/_drafts' is a folder of posts"],
        ),
        (
            SITE + "[pages]\ncopy = ['_drafts/a']\n",
            ["publisher.toml:5: pages.copy: '_drafts/a' is in a folder of posts"],
        ),
        (
            SITE + "[pages]\ncopy = ['_config.yml']\n",
            ["publisher.toml:5: pages.copy: '_config.yml' contains the settings of"],
        ),
        (
            SITE + "[posts]\ntool = 'jekyll'\n[pages]\ncopy = ['_data']\n",
            ["publisher.toml:7: pages.copy: '_data' contains data that belongs to posts"],
        ),
        (
            SITE + "[feeds]\nformats = ['rss', 'rdf']\n",
            ["publisher.toml:5: feeds.formats[2]: must be 'rss', 'atom' or"],
        ),
        (SITE + "[feeds]\nformats = ['rss', 'rss']\n", ["publisher.toml:5: feeds.formats: 'rss' is listed twice"]),
        (SITE + "image = '../../etc/passwd'\n", ["publisher.toml:4: site.image: '../../etc/passwd' isn't a pic"]),
        (SITE + "image = '//cdn.example/a.png'\n", ["publisher.toml:4: site.image: '//cdn.example/a.png' isn't a"]),
        (SITE + "image = 'javascript:x'\n", ["publisher.toml:4: site.image: 'javascript:x' isn't a picture"]),
        (SITE + "image = '/'\n", ["publisher.toml:4: site.image: '/' isn't a picture; write a URL, or a path"]),
        (SITE + "timezone = 'Mars/Base'\n", ["publisher.toml:4: site.timezone: 'Mars/Base' is not a time zone"]),
        (SITE + "timezone = ''\n", ["publisher.toml:4: site.timezone: '' is not a time zone"]),
        (SITE + "timezone = '../UTC'\n", ["publisher.toml:4: site.timezone: '../UTC' is not a time zone"]),
        (SITE + "language = 'english!'\n", ["publisher.toml:4: site.language: 'english!' isn't a language tag"]),
        (SITE + "author = 'Ada'\n", ["publisher.toml:4: site.author: must be a table, not 'Ada'"]),
        (SITE + "authority = 'a.example'\n", ["publisher.toml:4: site.authority: 'a.example' isn't a valid"]),
        ("site = 'A'\n", ["publisher.toml:1: site: must be a table, not 'A'"]),
        (SITE + "[newsletters]\nname = 'x'\n", ["publisher.toml:4: newsletters: must be a list (write [[news"]),
        (SITE + "[[newsletters]]\n", ['publisher.toml:4: newsletters[1].name is missing (add name = "weekly"']),
        (SITE + "[[newsletters]]\nname = 'A B'\n", ["publisher.toml:5: newsletters[1].name: 'A B' isn't a valid"]),
        (SITE + "[[newsletters]]\nname = 'a'\nschedule = 'now'\n", ["publisher.toml:6: newsletters[1].schedule"]),
        (
            SITE + "[[newsletters]]\nname = 'a'\ntimezone = 'Mars'\n",
            ["publisher.toml:6: newsletters[1].timezone: 'Mars'"],
        ),
        (SITE + "[[newsletters]]\nname = 'a'\nsince = 2026-02-30\n", ["publisher.toml:6: not valid TOML: Invalid"]),
        (SITE + "[mail]\nsender = 'nobody'\n", ["publisher.toml:5: mail.sender: 'nobody' isn't a valid"]),
        (SITE + "[mail]\nsender = 'a@b.example, c@d.example'\n", ["publisher.toml:5: mail.sender: 'a@b.example, c@d"]),
        (SITE + '[mail]\nsender = "a@b.example\\nBcc: x@y.example"\n', ["publisher.toml:5: mail.sender: "]),
        (SITE + "[mail]\ntransport = 'smtp'\n", ["publisher.toml:5: mail.sender is missing: smtp needs a From"]),
        (SITE + "[mail.smtp]\nport = 99999\n", ["publisher.toml:5: mail.smtp.port: 99999 is not between 1 and 65535"]),
        (SITE + "[database]\nurl = 'mysql://x/y'\n", ["publisher.toml:5: database.url: unsupported database"]),
        (SITE + "[posts]\npermalink = '/{slag}/'\n", ["publisher.toml:5: posts.permalink: {slag} is not a known"]),
        (SITE + "[posts]\nfolder = '../posts'\n", ["publisher.toml:5: posts.folder: '../posts' must be the path"]),
        (SITE + "[pages]\noutput = '.'\n", ["publisher.toml:5: pages.output: '.' must be the path of a folder"]),
        (SITE + "[pages]\noutput = './.Publisher/x'\n", ["publisher.toml:5: pages.output: './.Publisher/x' is where"]),
        (SITE + "[[fields]]\nname = 'My city'\n", ["publisher.toml:5: fields[1].name: 'My city' isn't a valid name"]),
        (SITE + "[[fields]]\nname = 'email'\n", ["publisher.toml:5: fields[1].name: 'email' means something else in"]),
        (SITE + "[[fields]]\nname = 'a'\nkind = 'url'\n", ["publisher.toml:6: fields[1].kind: must be 'text', 'num"]),
        (
            SITE + "[[fields]]\nname = 'a'\n[[fields]]\nname = 'a'\n",
            ["publisher.toml:7: fields[2].name: 'a' is also the name of fields[1]"],
        ),
        ('root = "/"\n' + SITE, ["publisher.toml:1: root: unknown key"]),
    ],
)
def test_a_mistake_names_its_line_and_key(tmp_path: Path, text: str, said: list[str]) -> None:
    lines = mistakes(tmp_path, text)
    assert len(lines) == len(said), lines
    for line, start in zip(lines, said, strict=True):
        assert start in line


def test_files_next_to_posts_are_copied(tmp_path: Path) -> None:
    copied = '[posts]\nfolder = "_posts"\n[pages]\ncopy = ["_posts = /posts", "_posts/img", "data", "a/_data"]\n'
    assert len(load(tmp_path, SITE + copied).pages.copies) == 4


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "  ",
            "a.example",
            "//a.example",
            "ftp://a.example",
            "javascript:alert(1)",
            "https://",
            "https:/a.example",
        ),
        *("https://a.example/?q=1", "https://a.example/#top", "https://a.example/x y", "https://a.example/\\n"),
        *(
            "https://a b.example",
            "https://<b>.example",
            "https://a.example//b.example",
            "http://[::1",
            "http://a.example:99999",
        ),
    ],
)
def test_a_url_that_no_browser_opens_is_refused(tmp_path: Path, url: str) -> None:
    (line,) = mistakes(tmp_path, f'[site]\ntitle = "A"\nurl = "{url}"\n')
    assert line.startswith("publisher.toml:3: site.url: ")


@pytest.mark.parametrize(
    ("table", "key", "most"),
    [("site.author", "url", "?q=a&b=c#me"), ("feeds", "hub", "?key=a"), ("web", "public_url", ""), ("site", "url", "")],
)
def test_only_a_final_url_may_have_a_query(tmp_path: Path, table: str, key: str, most: str) -> None:
    def is_taken(address: str) -> bool:
        site = '[site]\ntitle = "A"\n' + ('url = "https://a.example"\n' if table != "site" else "")
        head = f"[{table}]\n" if table != "site" else ""
        try:
            load(tmp_path, f'{site}{head}{key} = "{address}"\n')
        except ConfigError as error:
            assert f" {table}.{key}: " in error.lines()[0]
            return False
        return True

    assert is_taken(f"https://b.example/path{most}")
    for more in ("?q=1", "#top", "?", "#"):
        assert is_taken(f"https://b.example/path{more}") is (more[0] in most), more
    assert not is_taken("https://ada:secret@b.example/?q=1")
    assert not is_taken("b.example/?q=1")


def test_all_mistakes_are_reported_in_file_order(tmp_path: Path) -> None:
    text = (
        "[site]\n"
        'titel = "A"\n'
        'url = "nowhere"\n'
        "\n"
        "[[newsletters]]\n"
        'name = "a"\n'
        "# a comment before it\n"
        'schedule = "sometimes"\n'
        "[[newsletters]]\n"
        'name = "a"\n'
        "[mail]\n"
        'smtp = { port = 0, host = "" }\n'
    )
    lines = mistakes(tmp_path, text)
    found = [(line.split(": ")[0], line.split(": ")[1].split()[0]) for line in lines]
    assert found == [
        ("publisher.toml:2", "site.titel"),
        ("publisher.toml:3", "site.url"),
        ("publisher.toml:8", "newsletters[1].schedule"),
        ("publisher.toml:10", "newsletters[2].name"),
        ("publisher.toml:12", "mail.smtp.host"),
        ("publisher.toml:12", "mail.smtp.port"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('site.title = "A"\nsite.url = "https://a.example"\n\nsite.language = "!"\n', 4),
        ('"site" = { title = "A", url = "https://a.example", language = "!" }\n', 1),
        ('["site"]\n"title" = "A"\n\'url\' = "https://a.example"\n"langu\\u0061ge" = "!"\n', 4),
        ('[site]\ntitle = """\nA\n[site]\nlanguage = "en"\n"""\nurl = "https://a.example"\nlanguage = "!"\n', 8),
        ('# language = "!"\n[site]\nurl = "https://a.example"\ntitle = "# language"\nlanguage = "!"\n', 5),
        ('[site]\r\ntitle = "A"\r\nurl = "https://a.example"\r\nlanguage = "!"\r\n', 4),
        ('\ufeff[site]\ntitle = "A"\nurl = "https://a.example"\nlanguage = "!"', 4),
        ('[site]\ntitle = "A\u2028\u0085B"\nurl = "https://a.example"\nlanguage = "!"\n', 4),
        ('feeds.formats = [\n  "rss",\n  # and\n]\n[site]\ntitle = "A"\nurl = "http://a.example"\nlanguage = "!"', 8),
    ],
)
def test_lines_are_right_in_every_toml_spelling(tmp_path: Path, text: str, line: int) -> None:
    assert mistakes(tmp_path, text)[0].startswith(f"publisher.toml:{line}: site.language: '!'")


def test_a_mistake_inside_a_list_has_the_line_of_the_list(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, SITE + '[feeds]\nformats = [\n  "rss",\n  "rdf",\n]\n')
    assert line.startswith("publisher.toml:5: feeds.formats[2]: ")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[site\n", "publisher.toml:1: not valid TOML: "),
        ('[site]\ntitle = "A\n', "publisher.toml:2: not valid TOML: "),
        ('[site]\ntitle = """A\n\n\n', "publisher.toml:2: not valid TOML: "),
        ('[site]\ntitle = "A"\ntitle = "B"\n', "publisher.toml:3: not valid TOML: "),
        ("[site]\n[site]\n", "publisher.toml:2: not valid TOML: "),
        (b"[site]\r\ntitle = 'A'\r\nurl = 'caf\xe9'\r\n", "publisher.toml:3: not UTF-8 text (save it as UTF-8)"),
        ("a = " + "9" * 5000, "publisher.toml: cannot be read: "),
        ("a = 0x" + "f" * 5000, "publisher.toml: cannot be read: a number is larger than 64 bits"),
        ("a = " + "[" * 5000, "publisher.toml"),
        (b"a = '\x00'\n", "publisher.toml:1: not valid TOML: "),
    ],
)
def test_invalid_toml_is_reported_in_one_line(tmp_path: Path, text: str | bytes, where: str) -> None:
    (line,) = mistakes(tmp_path, text)
    assert line.startswith(where)


def test_a_configuration_that_is_a_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "publisher.toml").mkdir()
    with pytest.raises(ProjectError, match="cannot be read: Is a directory"):
        load_config(tmp_path, {})


@pytest.mark.parametrize(
    "text",
    [
        '[pages]\noutput = "posts"\n',
        '[pages]\noutput = "posts/out"\n',
        '[posts]\nfolder = "public/posts"\n',
        '[pages]\nstatic = "public"\n',
        '[pages]\noutput = "static/site"\n',
        '[mail]\noutbox = "PUBLIC/mail"\n',
        '[mail]\noutbox = "./public//mail"\n',
        '[mail]\noutbox = "static/mail"\n',
    ],
)
def test_overlapping_folders_are_refused(tmp_path: Path, text: str) -> None:
    (line,) = mistakes(tmp_path, SITE + text)
    assert line.startswith("publisher.toml:5: ")
    assert "must not overlap" in line


@pytest.mark.parametrize("key", ["output", "static"])
@pytest.mark.parametrize("folder", ["", ".", "/", "  ", "~/site", "../site", ".publisher", ".git", "a/.GIT/b", ".svn"])
def test_a_folder_with_another_use_is_refused(folder: str, key: str, tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, f"{SITE}[pages]\n{key} = '{folder}'\n")
    assert line.startswith(f"publisher.toml:5: pages.{key}: {folder!r} ")


@pytest.mark.parametrize("folder", ["templates", "./Templates", "letters/site"])
def test_pages_are_not_written_into_the_templates_folder(folder: str, tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, f"{SITE}[pages]\noutput = '{folder}'\n")
    assert line.endswith(f"{folder!r} contains files that you write; choose a different folder")


def test_similar_folder_names_are_accepted(tmp_path: Path) -> None:
    config = load(tmp_path, SITE + '[pages]\noutput = "posts-public"\nstatic = "posts/static"\n')
    assert config.pages.output == "posts-public"


def test_smtp_needs_a_sender_for_every_newsletter(tmp_path: Path) -> None:
    text = SITE + '[mail]\ntransport = "smtp"\n[[newsletters]]\nname = "a"\nsender = "a@a.example"\n'
    assert load(tmp_path, text).newsletters[0].sender == "a@a.example"
    assert len(mistakes(tmp_path, text + '[[newsletters]]\nname = "b"\n')) == 1


def test_a_toml_date_becomes_text(tmp_path: Path) -> None:
    config = load(tmp_path, SITE + '[[newsletters]]\nname = "a"\nsince = 2026-01-31\n')
    assert config.newsletters[0].since == "2026-01-31"


def test_two_loads_share_nothing(tmp_path: Path) -> None:
    one, two = load(tmp_path, SITE), load(tmp_path, SITE + '[feeds]\nformats = ["rss"]\n')
    assert (one.feeds.formats, two.feeds.formats) == (("rss", "atom", "json"), ("rss",))


@pytest.mark.parametrize("image", ["", "logo.png", "/logo.png", "static/a b/logo.png", "https://a.example/l.png?x=1"])
def test_a_picture_is_a_url_or_a_static_file(tmp_path: Path, image: str) -> None:
    assert load(tmp_path, SITE + f"image = {image!r}\n").site.image == image


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("", "localhost:587 starttls"),
        ("host = 'a.example'\nport = 25\ntls = 'none'\n", "a.example:25 none"),
        ("url = 'smtp://a.example'\n", "a.example:587 starttls"),
        ("url = 'smtps://a.example'\n", "a.example:465 tls"),
        ("url = 'smtp://a.example:2525'\ntls = 'none'\n", "a.example:2525 none"),
        ("url = 'lmtp://a.example'\ntls = 'none'\n", "a.example:24 none lmtp"),
        ("url = 'lmtp+unix:///run/dovecot/lmtp'\n", "/run/dovecot/lmtp none lmtp"),
        ("url = 'smtp+unix:///run/a%20b'\n", "/run/a b none"),
    ],
)
def test_a_mail_server_is_named_by_its_host_or_by_a_url(tmp_path: Path, lines: str, where: str) -> None:
    (server,) = load(tmp_path, SITE + "[mail.smtp]\n" + lines).mail.servers
    address = server.address
    assert f"{address} {address.tls}{' lmtp' if address.lmtp else ''}" == where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mail.smtp]\nurl = 'http://a.example'\n", "publisher.toml:5: mail.smtp.url: 'http://a.example' isn't"),
        ("[mail.smtp]\nurl = 'smtp://ada:secret@a.example'\n", "mail.smtp.url: must not contain a user name"),
        ("[mail.smtp]\nrate = 'fast'\n", "publisher.toml:5: mail.smtp.rate: 'fast' isn't a valid rate; write"),
        ("[mail.smtp]\ndomains = ['gmail.com']\n", "mail.smtp.domains: 'gmail.com' isn't a valid limit"),
        ("[[mail.relays]]\nweight = 0\n", "publisher.toml:5: mail.relays[1].weight: 0 is not between 1 and 1000"),
        ("[[mail.dkim]]\nselector = 'a'\nkey = 'k'\n", "mail.dkim[1].domain is missing"),
        ("[mail]\nbounces = 'B <b@example.org>'\n", "mail.bounces: 'B <b@example.org>' has no room for a token"),
        ("[mail.smtp]\nport = 25\n[[mail.relays]]\n", "publisher.toml:6: mail.relays: [mail.smtp] also names a"),
    ],
)
def test_mistakes_about_mail_servers_are_reported(tmp_path: Path, text: str, said: str) -> None:
    (line,) = mistakes(tmp_path, SITE + text)
    assert said in line
    assert "secret" not in line


def test_several_servers_replace_the_single_one(tmp_path: Path) -> None:
    text = SITE + "[[mail.relays]]\nhost = 'a.example'\nweight = 3\n[[mail.relays]]\nhost = 'b.example'\nrate = '5/s'\n"
    servers = load(tmp_path, text).mail.servers
    assert [(server.host, server.weight, server.rate) for server in servers] == [
        ("a.example", 3, ""),
        ("b.example", 1, "5/s"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///.publisher/publisher.db",
        "sqlite:///data@home/publisher.db",
        "postgres://ada@db.example/letters",
        "postgresql://ada:pass@db.example:5432/letters?sslmode=require",
        "postgresql+psycopg://ada@tenant:p%40ss@db.example/letters",
        "postgresql://ada:pa/ss?word@db.example/letters",
        "postgresql://ada@[::1]/letters?application_name=a@b",
        "postgresql:///letters?host=/run/postgresql",
    ],
)
def test_every_way_to_name_a_database_is_accepted(url: str) -> None:
    checks.database_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://ada:p@ss@db.example/letters",
        "postgresql://ada:p@s/s@db.example/letters",
        "postgresql://ada:p@ss?a=b@db.example/letters",
        "postgresql://ada:p@ss?b@db.example/letters",
        "postgresql://ad/a:ss@db.example/letters",
        "postgresql://ada:p:s@@db.example/letters",
    ],
)
def test_an_unescaped_character_of_a_password_is_not_read_as_a_server(url: str) -> None:
    with pytest.raises(ValueError, match="write @ as %40, / as %2F") as caught:
        checks.database_url(url)
    assert "ss" not in str(caught.value).replace("password", "")


KEY = base64.b64encode(b"\x30\x59" + bytes(89)).decode()


@pytest.mark.parametrize(
    ("key", "good", "short"),
    [
        ("bounces.postmark.secret", "s3cret-of-16-sig", "s3cret-of-15-si"),
        ("bounces.generic.secret", "s3cret-of-16-sig", "k"),
        ("bounces.generic.secret", "s3cret-of-16-sig", "k" + " " * 20),
        ("bounces.mailgun.signing_key", "0123456789abcdef", "0123456789abcde"),
        ("bounces.mailgun.signing_key", "key-0123456789abcdef", "kéy-0123456789abcdef"),
        ("bounces.sendgrid.public_key", KEY, "k3y0"),
        ("bounces.sendgrid.public_key", KEY, KEY[:-4] + "****"),
    ],
)
def test_short_secrets_of_providers_are_refused(tmp_path: Path, key: str, good: str, short: str) -> None:
    (tmp_path / "publisher.toml").write_text(f"{key} = '{good}'\n{SITE}")
    load_config(tmp_path, {})
    (tmp_path / "publisher.toml").write_text(f"{key} = '{short}'\n{SITE}")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    (line,) = caught.value.lines()
    assert line.startswith(f"publisher.toml:1: {key}: ")
    assert short.strip() not in line.removeprefix(f"publisher.toml:1: {key}: ") or short.strip() == "k"


def test_a_short_secret_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "publisher.toml").write_text(SITE)
    load_config(tmp_path, {"PUBLISHER_SECRET": "s" * 32})
    load_config(tmp_path, {"PUBLISHER_SECRET": " "})
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {"PUBLISHER_SECRET": "s3cret" + " " * 30})
    assert caught.value.lines() == [
        "PUBLISHER_SECRET: must be 32 or more characters (`openssl rand -hex 32` generates one; links in emails that "
        "were already sent stop working)"
    ]


@given(st.from_regex(checks._PLAIN_ADDRESS.pattern, fullmatch=True))
def test_a_plain_address_is_valid_for_python_too(address: str) -> None:
    parsed: Any = default.header_factory("to", address)
    assert not parsed.defects
    assert len(parsed.addresses) == 1


@pytest.mark.parametrize(
    "key",
    ["mail.smtp.password", "database.url", "bounces.password", "bounces.postmark.secret", "bounces.mailgun.signing_key",
     "bounces.generic.secret"],
)  # fmt: skip
def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path, key: str) -> None:
    (tmp_path / "publisher.toml").write_text(f"{key} = 4711\n{SITE}")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    assert f"{key}: must be text in quotes" in str(caught.value.lines())
    assert "4711" not in str(caught.value.lines())


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("new york", "did you mean America/New_York?"),
        ("Mars/Base", "write it like Europe/Berlin"),
    ],
)
def test_a_misspelled_time_zone_is_recognised(value: str, advice: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time zone") as caught:
        checks.time_zone(value)
    assert str(caught.value) == f"{value!r} is not a time zone; {advice}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("999999999999d", "'999999999999d' is too long for a duration; the number has at most four digits"),
        ("5 years", "'5 years' is not a valid duration; write it like 90m, 12h or 2d"),
    ],
)
def test_a_duration_is_refused_with_the_correct_reason(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="duration") as caught:
        parse_duration(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[mail.dkim]]\ndomain = 'a.example'\n", 'add selector = "newsletter" under [[mail.dkim]]'),
        ("[[newsletters]]\n", 'add name = "weekly" under [[newsletters]]'),
        ("[[newsletters]]\nname = 'a'\nminimum = 60\nmaximum = 10\n", "minimum (60) is more than maximum (10)"),
        ("[[newsletters]]\nname = 'a'\nminimum = 60\n", "minimum (60) is more than maximum (50)"),
        ("[pages]\nper_page = true\n", "pages.per_page: must be a whole number, not true"),
        ("[feeds]\nhub = 'https://a.example:abc/'\n", "feeds.hub: 'https://a.example:abc/' has an invalid port"),
        ("[feeds]\nhub = 'https://a.example:99999/'\n", "feeds.hub: 'https://a.example:99999/' has an invalid port"),
        ("[feeds]\nhub = 'https://[a/'\n", "feeds.hub: 'https://[a/' isn't a valid web address"),
        ("[mail.smtp]\n[mail.smtp]\n", "Cannot declare mail.smtp twice"),
        ("[site]\n", "Cannot declare site twice"),
    ],
)
def test_a_mistake_is_reported_in_the_terms_of_the_file(text: str, said: str, tmp_path: Path) -> None:
    told = "\n".join(mistakes(tmp_path, SITE + text))
    assert said in told
    assert not re.search(r"True|\('|cast to|IPv6", told)


@pytest.mark.parametrize("key", ["pages.output", "database.url", "mail.dkim[1].key", "sources[1].password_file"])
def test_no_text_contains_a_null_character(tmp_path: Path, key: str) -> None:
    table, name = key.replace("[1]", "").rsplit(".", 1)
    head = f"[[{table}]]" if "[1]" in key else f"[{table}]"
    (tmp_path / "publisher.toml").write_text(f'{SITE}{head}\n{name} = "a\\u0000b"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    assert f"{key}: must not contain the character U+0000" in str(caught.value.lines())
