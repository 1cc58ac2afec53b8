"""Renders the preview's own pages, including those that show errors."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.core.errors import ConfigError, PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem
from publisher.core.templates import Templates, shipped_folder
from publisher.mail.addresses import split_mailbox
from publisher.publishing.wiring import transport_name
from publisher.site.pages.post_body import highlight
from publisher.web.preview.live_project import LiveProject
from publisher.web.preview.view_options import SCHEMES, VIEWS, WIDTHS, ViewOptions
from publisher.web.responses import PREVIEW_SANDBOX, Flashes, NotFoundError
from publisher.web.sample_email import GMAIL_BYTES, SAMPLE_ADDRESS, SAMPLE_NAME, SampleEmail

if TYPE_CHECKING:
    from publisher.web.preview.site_preview import FeedListing
    from publisher.web.preview.snapshot import EmailFindings, ListedEmail, Snapshot

_ASSETS = {
    "preview.css": "preview/preview.css",
    "preview.js": "preview/preview.js",
    "icon.svg": "preview/icon.svg",
    "highlight.css": "pages/highlight.css",
}

HEADER_HELP = {
    "Date": "When the edition was made; the same for every subscriber.",
    "From": "The sender. Its domain needs SPF, DKIM and DMARC.",
    "To": "The only recipient.",
    "Subject": "The first thing a subscriber sees.",
    "Reply-To": "Where replies go.",
    "Message-ID": "Stays the same if the message is sent again, so that an inbox shows the two as one.",
    "List-Id": "Identifies the newsletter to mail filters (RFC 2919).",
    "List-Unsubscribe": "Used by the unsubscribe button of email clients (RFC 2369).",
    "List-Unsubscribe-Post": "Lets that button unsubscribe with one click (RFC 8058).",
    "List-Owner": "How to reach a person (RFC 2369).",
    "List-Archive": "Where earlier editions can be read (RFC 2369).",
    "Auto-Submitted": "Suppresses out-of-office replies (RFC 3834).",
    "MIME-Version": "Has been 1.0 since 1992.",
    "Content-Type": "Plain text and HTML; an email client shows the one it prefers.",
    "Feedback-ID": "Groups complaints in Gmail's Postmaster Tools.",
}

# The variables that every template can use.
_TABLES: dict[str, Any] = {
    "formats": {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"},
    "header_help": HEADER_HELP,
    "groups": {"site": "The site", "tags": "Tags", "authors": "Authors", "newsletters": "Newsletters"},
    "limit": GMAIL_BYTES,
    "recipient": f"{SAMPLE_NAME} <{SAMPLE_ADDRESS}>",
    "sandbox": PREVIEW_SANDBOX,
    "schemes": SCHEMES,
    "tabs": VIEWS,
    "widths": WIDTHS,
}


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A problem to fix. where: its location as "path:line", relative to the project, or "" if it has none."""

    where: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ErrorPanel:
    """An explanation of why the page, or a part of it, is missing.

    can_be_fixed  whether the page works again once a file is corrected
    """

    title: str
    lines: tuple[ErrorLine, ...]
    can_be_fixed: bool = True


@dataclass(frozen=True, slots=True)
class _EmailView:
    """The data from the snapshot that the page of an email needs."""

    listed: ListedEmail
    sample: SampleEmail
    findings: EmailFindings
    problems: ErrorPanel | None
    transport: str


class PreviewPages:
    """Renders the pages of the preview.

    token    the token that every form contains, against CSRF
    flashes  messages to show on the page after a form was sent
    """

    def __init__(self, project: LiveProject, root: Path, token: str) -> None:
        self._project, self._root, self._token = project, root, token
        # Use the shipped templates. The project's own templates change its emails and its site, but not the preview.
        self._templates = Templates(shipped_folder())
        self.flashes = Flashes()

    def email(self, newsletter: str, which: str, options: ViewOptions, said: str = "") -> str:
        """Return the page of an email.

        which  the name of the email in URLs, as in ListedEmail
        said   the name of the flash to show
        """

        def look(snapshot: Snapshot) -> _EmailView:
            """Return everything that the page of an email shows."""
            sample = snapshot.sample(newsletter, which, options.topics)
            return _EmailView(
                snapshot.listed(newsletter, which),
                sample,
                snapshot.findings(newsletter, which, options.topics),
                skipped_files(snapshot.problems),
                transport_name(snapshot.config),
            )

        state, view = self._project.state(), self._project.ask(look)
        place, sample = view.listed.place, view.sample
        return self._render(
            "letter.html",
            state=state,
            title=sample.subject,
            place=place,
            options=options,
            listed=view.listed,
            sample=sample,
            sender=split_mailbox(sample.header("From"))[0] or sample.header("From"),
            findings=view.findings,
            skipped=view.problems,
            transport=view.transport,
            token=self._token,
            flash=self.flashes.get(said),
            source=_highlighted(sample.html, "html") if options.view == "source" else "",
            frame=f"{place}/letter.html{ViewOptions(topics=options.topics).query()}",
        )

    def site(self, path: str, options: ViewOptions) -> str:
        """Return the page that shows a page of the site in frames. path: the path of the page in the site."""

        def look(snapshot: Snapshot) -> tuple[list[tuple[str, str]], ErrorPanel | None]:
            """Return the pages of the site, and the files that were skipped."""
            return snapshot.site.pages(), skipped_files(snapshot.problems)

        state, (pages, problems) = self._project.state(), self._project.ask(look)
        return self._render(
            "site.html",
            state=state,
            title="The site",
            place="/pages",
            section="site",
            options=options,
            pages=pages,
            path=path,
            skipped=problems,
        )

    def feeds(self, folder: str | None, kind: str) -> str:
        """Return the page that lists the feeds and shows the chosen feed.

        folder  the folder of the chosen feed; None if none is chosen
        kind    the format whose source is shown; by default the entries of the feed are shown
        """

        def look(snapshot: Snapshot) -> tuple[list[FeedListing], FeedListing | None, bytes, ErrorPanel | None]:
            """Return the feeds, and the one that was chosen."""
            chosen = None if folder is None else snapshot.site.feed(folder)
            path = dict(chosen.files).get(kind) if chosen else None
            raw = (snapshot.site.file(path) or b"") if path else b""
            return snapshot.site.feeds(), chosen, raw, skipped_files(snapshot.problems)

        state, (feeds, chosen, raw, problems) = self._project.state(), self._project.ask(look)
        text = raw.decode("utf-8", "replace")
        return self._render(
            "feeds.html",
            state=state,
            title=chosen.feed.title if chosen else "Feeds",
            place="/feeds",
            section="feeds",
            feeds=feeds,
            chosen=chosen,
            kind=kind if raw else "",
            size=len(raw),
            raw=_highlighted(_indented(text) if kind == "json" else text, kind) if raw else "",
            skipped=problems,
        )

    def error(self, error: Exception, place: str, options: ViewOptions) -> str:
        """Return the page for an error, with the list of emails from the newest snapshot."""
        panel = error_panel(error, self._root)
        state = self._project.state()
        return self._render("error.html", state=state, title=panel.title, place=place, options=options, error=panel)

    def asset(self, name: str) -> str | None:
        """Return the stylesheet, script or icon with this name; None for any other name."""
        return self._templates.source(_ASSETS[name]) if name in _ASSETS else None

    def _render(self, template: str, **variables: Any) -> str:
        usual = _TABLES | {
            "newsletters": self._project.newsletters,
            "site_title": self._project.title or self._root.name,
            "section": "",
            "options": ViewOptions(),
            "skipped": None,
        }
        return self._templates.render(f"preview/{template}", **usual | variables)


def error_panel(error: Exception, root: Path) -> ErrorPanel:
    """Return an explanation of an error, without a traceback. An unexpected error is described as a bug to report."""
    if isinstance(error, ConfigError):
        return ErrorPanel("The settings cannot be read", tuple(_line(each, root) for each in error.mistakes))
    if isinstance(error, NotFoundError):
        return ErrorPanel("Page not found", (_line(error, root),), can_be_fixed=False)
    if isinstance(error, PublisherError):
        return ErrorPanel("This can't be shown yet", (_line(error, root),))
    first = " ".join(str(error).split())[:300]
    message = f"internal error: {type(error).__name__}" + (f": {first}" if first else "")
    return ErrorPanel("Something is wrong with the preview", (ErrorLine("", message, "please report it"),), False)


def skipped_files(problems: tuple[Problem, ...]) -> ErrorPanel | None:
    """Return the reasons why post files are skipped; None if no files are skipped."""
    if not problems:
        return None
    files = len({problem.path for problem in problems})
    title = "1 file is skipped" if files == 1 else f"{files} files are skipped"
    return ErrorPanel(title, tuple(ErrorLine(p.where, p.what, p.hint) for p in problems))


def _line(error: PublisherError, root: Path) -> ErrorLine:
    return ErrorLine(error.where.removeprefix(f"{root}/"), error.message, error.hint)


def _highlighted(text: str, kind: str) -> str:
    """Return text as HTML, with syntax highlighting if its kind is known."""
    coloured = highlight(text, {"rss": "xml", "atom": "xml"}.get(kind, kind))
    return escape(text, quote=False) if coloured is None else coloured


def _indented(text: str) -> str:
    """Return JSON text with indentation. The feed itself is written without white space."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
