"""Every finding is reported, with its place, for an email with one fault, and not for the good email."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from publisher.newsletters.lint.finding_codes import CODES
from tests.support.findings_samples import SETTINGS, examine, good, in_template, places
from tests.support.project import Project

TEMPLATE = "templates/email/digest.html"
FIRST = "posts/first.md"
LINE = f"{TEMPLATE}:3"
BODY = f"{FIRST}:6"


def setting(old: str, new: str) -> Callable[[Project], object]:
    assert old in SETTINGS
    return lambda project: project.write("publisher.toml", SETTINGS.replace(old, new))


def template(html: str, block: str = "intro") -> Callable[[Project], object]:
    return lambda project: in_template(project, html, block)


def file(name: str, text: str | bytes) -> Callable[[Project], object]:
    return lambda project: project.write(name, text)


def body(markdown: str) -> Callable[[Project], object]:
    return lambda project: project.post("first", "2026-11-10", body=markdown)


REAL = SETTINGS.replace("[mail]", '[mail]\ntransport = "smtp"\nsmtp = { host = "mx.quiet.eu" }')
LONG = "A paragraph that says the same as the one before it, and does not mind.\n\n" * 1_800
SUBJECT = "A subject that goes on and on until no inbox in the world shows its end"
NOTE = "letters/weekly/2026-W47.md"
NESTED = "@media screen {\n@media (max-width: 600px) {.cell {color: red}}}\n"

# The code, the place, and what causes it.
SPOILT: list[tuple[str, str, Callable[[Project], object]]] = [
    ("unsubscribe-missing", f"{TEMPLATE}:2", template("", "links")),
    ("unsubscribe-missing", "templates/email/digest.txt", file("templates/email/digest.txt", "Hello.")),
    ("name-alone", f"{TEMPLATE}:3", template("Dear {{ mark.NAME }}:", "intro")),
    (
        "name-alone",
        "templates/email/digest.txt",
        file("templates/email/digest.txt", "Hello {{ mark.NAME }} {{ mark.UNSUBSCRIBE }}"),
    ),
    ("postal-missing", "publisher.toml:1", setting("postal_address", "description")),
    ("postal-missing", f"{TEMPLATE}:2", template("", "address")),
    ("sender-missing", "publisher.toml:8", setting("sender =", "reply_to =")),
    ("sender-placeholder", "publisher.toml:9", setting("ada@quiet-reader.eu", "ada@mail.example.org")),
    (
        "setting-placeholder",
        "publisher.toml:3",
        lambda p: p.write("publisher.toml", REAL.replace("reader.eu", "a.test")),
    ),
    (
        "unsubscribe-unanswered",
        "publisher.toml:3",
        lambda p: p.write("publisher.toml", f"{REAL}\n[pages]\nenabled = false\n"),
    ),
    ("post-sample", BODY, body("This is the first paragraph, so it is also the excerpt that lists and emails show.")),
    ("post-sample", f"{FIRST}:8", body("Hi.\n\nThis is the first paragraph, and so it is the excerpt that lists and")),
    ("subject-long", "publisher.toml:15", lambda p: p.write("publisher.toml", f'{SETTINGS}subject = "{SUBJECT}"\n')),
    ("subject-long", f"{NOTE}:2", file(NOTE, f"---\nsubject: {SUBJECT}\n---\n")),
    (
        "subject-unknown",
        "publisher.toml:15",
        lambda p: p.write("publisher.toml", f'{SETTINGS}subject = "No. {{numbr}}"\n'),
    ),
    ("subject-unknown", f"{NOTE}:2", file(NOTE, "---\nsubject: Letter {numbr}\n---\n")),
    ("block-unknown", f"{TEMPLATE}:2", template("Hello", "introo")),
    ("posts-missing", f"{TEMPLATE}", template("", "posts")),
    (
        "posts-missing",
        "templates/email/base.html",
        lambda p: p.write("publisher.toml", f'{SETTINGS}template = "base"\n'),
    ),
    ("preheader-missing", "posts/third.md", lambda p: p.post("third", "2026-11-12", body="![Alt](shelf.png)")),
    ("preheader-repeats", f"{NOTE}:3", file(NOTE, "---\nsubject: Two shelves\npreheader: Two  shelves.\n---\n")),
    ("text-missing", "templates/email/digest.txt", file("templates/email/digest.txt", "\n")),
    ("foreign-code", f"{FIRST}:8", body('Words.\n\n{% include note.html text="Keep the lid off." %}')),
    ("foreign-code", f"{FIRST}:8", body('`{{ a }}`\n\nIn {{ site.time | date: "%Y" }}')),
    ("foreign-code", f"{FIRST}:6", body("Dear *|FNAME|*, hello")),
    ("foreign-code", f"{FIRST}:2", lambda p: p.post("first", "2026-11-02", title="'Dear %recipient.name%'", body="W.")),
    (
        "foreign-code",
        f"{NOTE}:5",
        file(NOTE, "---\nsubject: Two\n---\n`{{ a }}`\nDear {{ contact.FIRSTNAME }}, hello.\n"),
    ),
    ("foreign-code", f"{NOTE}:2", file(NOTE, "---\nsubject: Two for [[firstname]]\n---\n")),
    ("foreign-code", f"{NOTE}:3", file(NOTE, "---\nsubject: Two\npreheader: For %%NAME%%\n---\n")),
    (
        "foreign-code",
        "publisher.toml:15",
        lambda p: p.write("publisher.toml", f"{SETTINGS}intro = 'Dear <%= name %>, hello'\n"),
    ),
    (
        "foreign-code",
        "publisher.toml:15",
        lambda p: p.write("publisher.toml", f"{SETTINGS}subject = 'For *|FNAME|*'\n"),
    ),
    ("foreign-code", LINE, template("<p>[unsubscribe]</p>")),
    ("foreign-code", LINE, template('<p><a href="*|UNSUB|*">Leave</a></p>')),
    ("post-empty", "posts/empty.md", file("posts/empty.md", "---\ntitle: Nothing\ndate: 2026-11-03\n---\n")),
    ("text-hidden", BODY, body("<!-- to do\n\nSecret words.")),
    ("size-fallback", "publisher.toml:14", body(LONG)),
    ("size-clipped", "publisher.toml:11", lambda p: p.write("publisher.toml", f"{SETTINGS}intro = '''{LONG}'''\n")),
    ("client-support", LINE, template('<video src="https://quiet-reader.eu/a.mp4"></video>')),
    ("client-support", LINE, template('<p style="display: flex">Words</p>')),
    ("client-support", f"{FIRST}:6", body("![A shelf](https://pictures.eu/shelf.svg)")),
    ("client-removed", LINE, template('<iframe src="https://quiet-reader.eu/"></iframe>')),
    ("alt-missing", BODY, body("![](shelf.png)")),
    ("alt-missing", LINE, template('<img src="https://quiet-reader.eu/a.png" width="300">')),
    ("picture-width", BODY, body("A ![heart](shelf.png) in a line")),
    ("link-empty", LINE, template('<a href="">Here</a>')),
    ("link-empty", LINE, template('<a href="mailto:">Write</a>')),
    ("link-relative", LINE, template('<a href="/about/">About</a>')),
    ("link-scheme", LINE, template('<a href="javascript:alert(1)">Here</a>')),
    ("link-fragment", LINE, template('<a href="#posts">Posts</a>')),
    ("link-broken", BODY, body("See [that](/nowhere/).")),
    ("link-broken", BODY, body("![A shelf](/nowhere.png)")),
    ("link-broken", f"{FIRST}:10", body("```text\n[that](/nowhere/)\n```\n\nSee [that](/nowhere/).")),
    ("link-broken", "publisher.toml:15", lambda p: p.write("publisher.toml", f"{SETTINGS}intro = '[x](/nowhere/)'\n")),
    ("link-broken", f"{NOTE}:4", file(NOTE, "---\nsubject: Two shelves\n---\nSee [that](/nowhere/).\n")),
    ("link-elsewhere", BODY, body("See [the shop](https://quiet-reader.eu/shop/).")),
    ("link-local", BODY, body("See [mine](http://localhost:8000/draft/).")),
    ("link-local", BODY, body("See [mine](http://192.168.1.7/draft/).")),
    ("link-placeholder", BODY, body("See [that](https://www.example.com/).")),
    ("contrast", LINE, template('<p style="color: #999999">Faint words</p>')),
    ("contrast", LINE, template("<p style='background: rgb(40%, 40%, 40%); color: black'>Words</p>")),
    ("contrast-dark", LINE, template('<p style="color: #333333">Words that are gone at night</p>')),
]


@pytest.mark.parametrize(("code", "where", "spoil"), SPOILT)
def test_a_fault_is_found_with_its_place(
    project: Project, code: str, where: str, spoil: Callable[[Project], object]
) -> None:
    spoil(good(project))
    found = [each for each in examine(project) if each.code == code]
    assert [each.where for each in found] == [where]
    assert all(each.hint and each.message for each in found)


def test_the_good_email_has_no_findings(project: Project) -> None:
    assert {each.code for each in examine(good(project))} == {"client-fallback"}


def test_code_that_is_shown_as_code_has_no_finding(project: Project) -> None:
    good(project)
    code = (
        "Use `{{ site.time }}`, `*|FNAME|*` or <kbd>%recipient.name%</kbd>.\n\n```liquid\n{% include x %}\n```\n\n"
        "    [[firstname]]\n\n{% raw %}{{ shown }}{% endraw %}\n\n$\\frac{{a}}{{b}}$ [unsubscribe](https://quiet-reader.eu/)"
    )
    for content in ("full", "excerpt"):
        project.write("publisher.toml", SETTINGS.replace('"full"', f'"{content}"'))
        project.post("first", "2026-11-02", title="'Using `{{ page.title }}`'", body=code)
        project.post(
            "third",
            "2026-11-12",
            title="Third",
            body='$\\frac{{a}}{{b}}$ is a fraction, and {% raw %}{{ x }}{% endraw %}, {{</* cup size="small" */>}} is'
            " how it is written. {{/* never seen */}} {{%/* note */%}} {{< youtube x >}}",
        )
        assert [str(each) for each in examine(project) if each.code == "foreign-code"] == []


def test_code_that_one_post_runs_has_no_finding_where_another_shows_it(project: Project) -> None:
    good(project)
    project.write("templates/shortcodes/cup.html", "<b>a cup</b>")
    shown = 'Write {{</* cup size="small" */>}} for one.'
    for tool, first, third, where in (
        ("hugo", 'I had {{< cup size="small" >}} of tea.', shown, []),
        ("hugo", shown, 'I had {{< cup size="small" >}} of tea.', []),
        ("hugo", 'I had {{< mug size="small" >}} of tea.', shown.replace("cup", "mug"), [f"{FIRST}:6"]),
        ("jekyll", "It is {{ site.title }}.", "Write {% raw %}{{ site.title }}{% endraw %} for it.", []),
        ("jekyll", "It is {{ site.titel | no_filter }}.", "{% raw %}{{ site.titel }}{% endraw %}", [f"{FIRST}:6"]),
    ):
        project.write("publisher.toml", f'{SETTINGS}[posts]\ntool = "{tool}"\n')
        project.post("first", "2026-11-02", title="First", body=first)
        project.post("third", "2026-11-12", title="Third", body=third)
        assert {each.where for each in examine(project) if each.code == "foreign-code"} == set(where), (tool, first)


def test_a_merge_tag_is_an_error_that_puts_the_edition_on_hold(project: Project) -> None:
    good(project)
    project.post("third", "2026-11-12", title="Third", body="Dear *|FNAME|*, hello.")
    (finding,) = [each for each in examine(project) if each.code == "foreign-code"]
    assert finding.level == "error"
    assert finding.message == "subscribers would read *|FNAME|*"


def test_a_link_to_a_jekyll_page_names_the_file_to_move(project: Project) -> None:
    good(project)
    project.write("about.md", "---\ntitle: About\n---\nWords.\n")
    project.post("first", "2026-11-02", title="First", body="[a](/about.html) [b](/about/) [c](/none.html)")
    url = "https://quiet-reader.eu"
    missing = [f"the link {url}/{path} does not lead to a page of this site" for path in ("about.html", "about/")]
    move = ": move about.md to pages/"
    told = [f"{missing[0]}{move}, with permalink: /about.html", f"{missing[1]}{move}"]
    for tool, expected in (("jekyll", told), ("hugo", missing)):
        project.write("publisher.toml", f'{SETTINGS}[posts]\ntool = "{tool}"\n')
        found = [each.message for each in examine(project) if each.code == "link-broken"]
        assert found == [*expected, f"the link {url}/none.html does not lead to a page of this site"], tool


def test_an_email_without_a_subject_is_an_error(project: Project) -> None:
    assert ("subject-empty", "posts/third.md:2") in places(examine(good(project), subject=" "))


def test_a_heavy_picture_is_reported_with_its_size(project: Project) -> None:
    good(project)
    project.write("posts/shelf.png", b"\x89PNG" + bytes(1_200_000))
    (heavy,) = [each for each in examine(project) if each.code == "picture-heavy"]
    assert (heavy.where, heavy.message) == (f"{FIRST}:8", "the picture shelf.png is 1.2 MB")


def test_styles_that_gmail_drops_are_reported(project: Project) -> None:
    before, end, after = good_html(project).rpartition("</style>")
    split = (before, end + after)
    long = (".a {color: red}" * 1_200).join(split)
    (budget,) = [each for each in examine(project, html=long) if each.code == "style-budget"]
    assert "16,384" in budget.message
    nested = examine(project, html=NESTED.join(split))
    (finding,) = [each for each in nested if each.code == "style-nested"]
    assert finding.message.startswith("@media (max-width: 600px) is inside @media screen")


def good_html(project: Project) -> str:
    from publisher.posts.archive import open_archive
    from publisher.publishing.render import EditionRenderer
    from publisher.publishing.sample_editions import sample_edition
    from tests.support.findings_samples import NOW

    config = good(project).config()
    archive = open_archive(config, NOW, keep=False)
    return (
        EditionRenderer(config, archive).letter(sample_edition(config, config.newsletters[0], archive, NOW), NOW).html
    )


def test_an_included_file_is_reported_by_name(project: Project) -> None:
    in_template(good(project), '{% include "email/more.html" %}')
    project.write("templates/email/more.html", "<p>More</p>\n<video></video>\n")
    assert ("client-support", "templates/email/more.html:2") in places(examine(project))


def test_every_code_is_tested() -> None:
    elsewhere = {
        "subject-empty",
        "picture-heavy",
        "style-budget",
        "style-nested",
        "client-fallback",
        "spam-score",
        "spam-unmeasured",
    }
    of_css = {code for code in CODES if code.startswith("css-")}  # see test_inline_css.py
    assert {code for code, _, _ in SPOILT} | elsewhere | of_css == set(CODES)


def test_a_placeholder_sender_is_an_error_for_real_mail(project: Project) -> None:
    good(project)
    text = SETTINGS.replace("ada@quiet-reader.eu", "ada@quiet.test")
    smtp = 'transport = "smtp"\nsmtp = {{ host = "{}" }}'
    ways = {'transport = "outbox"': "note", smtp.format("localhost"): "warning", smtp.format("mx.quiet.eu"): "error"}
    for way, level in ways.items():
        project.write("publisher.toml", text.replace("[mail]", f"[mail]\n{way}"))
        assert [each.level for each in examine(project) if each.code == "sender-placeholder"] == [level]


def test_a_placeholder_link_in_a_template_is_an_error_for_real_mail(project: Project) -> None:
    in_template(good(project), '<a href="https://mine.example/about/">About me</a>')
    for text, level in ((SETTINGS, "warning"), (REAL, "error")):
        project.write("publisher.toml", text)
        assert [(each.level, each.where) for each in examine(project) if each.code == "link-placeholder"] == [
            (level, LINE)
        ]


@pytest.mark.parametrize(
    "preheader",
    [
        "Two shelves and what stands between them",
        "Two",
        "Shelves, twice over",
        "What is new",
        "Two shelves at the end of March",
    ],
)
def test_a_preheader_may_start_with_the_subject(project: Project, preheader: str) -> None:
    good(project)
    project.write(NOTE, f"---\nsubject: Two shelves\npreheader: {preheader}\n---\n")
    repeats = [each for each in examine(project) if each.code == "preheader-repeats"]
    assert bool(repeats) == (preheader == "Two")


@pytest.mark.parametrize(
    "markdown",
    [
        "See [it](https://quiet-reader.eu/2026/11/09/second/), [all](/), [the feed](/feed.xml), [tags](/tags/).",
        "Write to [me](mailto:ada@quiet-reader.eu), call [me](tel:+49123), or [there](https://elsewhere.eu/a(b)?c=1&d=2).",
        "See [the letters](/editions/weekly/) and [leave](/subscribe/).",
        "> [!NOTE]\n> Words with `code`, a note[^1] and ~~none~~.\n\n[^1]: Here.\n\n```python\nprint(1)\n```\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n<video src='https://elsewhere.eu/a.mp4'></video>",
    ],
)
def test_good_links_have_no_findings(project: Project, markdown: str) -> None:
    body(markdown)(good(project))
    assert {each.code for each in examine(project)} == {"client-fallback"}


def test_braces_in_a_title_are_not_placeholders(project: Project) -> None:
    good(project).post("third", "2026-11-12", title="'What {numbr} means'")
    assert "subject-unknown" not in {each.code for each in examine(project)}


def test_an_unknown_block_names_the_nearest(project: Project) -> None:
    in_template(good(project), "{% block mine %}Hello{% endblock %}", "intro")
    assert "block-unknown" not in {each.code for each in examine(project)}
    in_template(project, "Hello", "introo")
    (reported,) = [each for each in examine(project) if each.code == "block-unknown"]
    assert reported.hint == "did you mean 'intro'?"
