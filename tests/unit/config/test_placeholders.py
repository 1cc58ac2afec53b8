"""Publisher recognises the values that `publisher init` writes as placeholders, and domains that nobody can own."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.config import Config, load_config
from publisher.config.placeholders import authority_placeholder, is_reserved, placeholders, sends_for_real
from publisher.core.templates import Templates

OWN = """\
[site]
title = "The Quiet Reader"
url = "https://quiet-reader.eu"
{site}
[mail]
sender = "Ada <ada@quiet-reader.eu>"
{mail}
[[newsletters]]
name = "weekly"
{newsletter}
"""


def configured(folder: Path, text: str) -> Config:
    (folder / "publisher.toml").write_text(text, encoding="utf-8")
    return load_config(folder, {})


def found(folder: Path, *, site: str = "", mail: str = "", newsletter: str = "") -> list[tuple[str, bool]]:
    config = configured(folder, OWN.format(site=site, mail=mail, newsletter=newsletter))
    return [(".".join(map(str, each.keys)), each.harms) for each in placeholders(config)]


def test_every_placeholder_written_by_init_is_found(tmp_path: Path) -> None:
    written = Templates(tmp_path).render("project/publisher.toml", zone="UTC", year=2026, jekyll=False, since="")
    config = configured(tmp_path, written)
    keys = {".".join(map(str, each.keys)) for each in placeholders(config)}
    assert keys == {
        "site.url", "site.title", "site.description", "site.author.name", "mail.sender",
        "newsletters.0.title", "newsletters.0.description",
    }  # fmt: skip
    assert authority_placeholder(config.site)
    uncommented = re.sub(r"^# (?=\[mail|host|user)", "", written, flags=re.MULTILINE).replace('"outbox"', '"smtp"')
    keys = {".".join(map(str, each.keys)) for each in placeholders(configured(tmp_path, uncommented))}
    assert "mail.smtp.host" in keys


def test_own_values_are_not_placeholders(tmp_path: Path) -> None:
    own = 'description = "Notes."\nauthority = "quiet-reader.eu,2024"\nauthor = { name = "Your Nameless Friend" }\n'
    assert found(tmp_path, site=own, mail='reply_to = "ada@example-letters.org"', newsletter='title = "Mine"') == []
    assert authority_placeholder(load_config(tmp_path, {}).site) is None


def test_reserved_domains_are_found_in_every_setting_that_is_published(tmp_path: Path) -> None:
    reserved = (
        "example.org", "example.com", "www.Example.NET", "letters.example", "blog.test", "a.invalid", "x.localhost",
        "example.org.",
    )  # fmt: skip
    for host in reserved:
        assert is_reserved(host)
        (url,) = placeholders(configured(tmp_path, f'[site]\ntitle = "A"\nurl = "https://{host}/blog"\n'))
        assert (url.keys, url.harms) == (("site", "url"), True)
        assert host.lower() in url.message
    for host in ("example.eu", "myexample.org", "contest.com", "test.de", "example.org.uk"):
        assert not is_reserved(host)
    at = "a@letters.example"
    assert found(
        tmp_path,
        mail=f'reply_to = "{at}"\nowner = "A <{at}>"\nbounces = "{at}"\ntransport = "smtp"\nsmtp.host = "mx.test"',
        newsletter=f'reply_to = "{at}"\nsender = "your name <me@quiet-reader.eu>"\n[web]\npublic_url = "https://a.test"',
    ) == [
        ("web.public_url", True),
        ("newsletters.0.sender", True),
        ("mail.reply_to", True),
        ("mail.owner", False),
        ("mail.bounces", True),
        ("newsletters.0.reply_to", True),
        ("mail.smtp.host", True),
    ]


def test_a_local_address_is_not_valid_for_real_email(tmp_path: Path) -> None:
    local = OWN.replace("https://quiet-reader.eu", "http://127.0.0.1:8018")
    for mail, real, keys in (
        ("", False, []),
        ('transport = "smtp"\nsmtp.host = "127.0.0.1"', False, []),
        ('transport = "smtp"', False, []),
        ('transport = "smtp"\nsmtp.host = "mx.quiet-reader.eu"', True, [("site", "url")]),
    ):
        config = configured(tmp_path, local.format(site="", mail=mail, newsletter=""))
        assert sends_for_real(config) is real
        assert [each.keys for each in placeholders(config)] == keys
