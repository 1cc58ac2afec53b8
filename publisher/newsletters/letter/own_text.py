"""The text of an email without posts: an email of the writer's own, a welcome email or a farewell email.

It is a file in letters/<newsletter>/, next to the notes for editions:

---
send: 2026-12-01 09:00
subject: We have moved
preheader: The new address, and what stays the same
---
Dear friends, ...

This module only reads what the email says. Its callers decide when it is sent, and to whom.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.templates import Templates
from publisher.newsletters.letter.note import NoteFile, read_file

OWN_TEMPLATE = "message"
SAID = ("subject", "preheader")  # the keys that every text has

# What an edition of posts has, and an email without posts does not.
_OF_EDITIONS = re.compile(r"\{(number|first|count)\}")


@dataclass(frozen=True, slots=True)
class OwnText:
    """The text of an email without posts, and the file that it is from.

    subject    may contain {title} and {date}
    preheader  "" stands for the beginning of the text
    body       Markdown, which is not empty
    """

    file: NoteFile
    subject: str
    preheader: str
    body: str

    @property
    def path(self) -> str:
        """The path of the file, relative to the project."""
        return self.file.path


def read_text(config: Config, path: str, keys: Collection[str] = ()) -> OwnText | None:
    """Read the text of an email by the path of its file, relative to the project; return None if there is no file.

    keys  the keys of its front matter that the caller reads, in addition to subject and preheader
    Raises PublisherError, with file and line, if it cannot be read, has an unknown key, no subject or no text.
    """
    file = read_file(config, path)
    return None if file is None else text_of_file(file, keys)


def text_of_file(file: NoteFile, keys: Collection[str] = ()) -> OwnText:
    """Return the text of an email in a file that has been read; raise PublisherError as `read_text` does."""
    file.require_keys((*keys, *SAID))
    subject = " ".join(file.text("subject").split())
    if not subject:
        raise PublisherError("the email has no subject", where=file.where("subject"), hint="add a line `subject: ...`")
    if wrong := _OF_EDITIONS.search(subject):
        what = f"an email without posts has no {wrong[0]}"
        raise PublisherError(what, where=file.where("subject"), hint="use only {title} and {date} in its subject")
    if not file.body.strip():
        raise PublisherError("the email has no text", where=file.path, hint="write it below the front matter")
    return OwnText(file, subject, file.text("preheader"), file.body)


def message_template(newsletter: NewsletterConfig, templates: Templates) -> str:
    """Return the name of the template for texts without posts, such as plain-message for the template "plain".

    If there is none for the newsletter's template, it is OWN_TEMPLATE.
    """
    own = f"{newsletter.template}-{OWN_TEMPLATE}"
    return own if templates.exists(f"email/{own}.html") else OWN_TEMPLATE
