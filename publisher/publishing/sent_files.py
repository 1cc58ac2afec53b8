"""Notice edits that would give a sent post a new id, so that subscribers would get it a second time.

The database records from which file each sent post was made, and an excerpt of its text. A file that contained a sent
post, and now has a different id, still contains that post. Probably so does a new file with the text of a file that has
vanished.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.file_names import in_folder
from publisher.core.frozen import dataclass
from publisher.core.models import Post, Problem
from publisher.newsletters.select import is_for
from publisher.newsletters.streams import streams_of
from publisher.posts.archive import Archive
from publisher.posts.published import PublishedIds
from publisher.posts.scan import is_item
from publisher.publishing.wiring import open_existing_store

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.post_files import PostFile

# How many words are hashed together, and how many hashes identify a text.
_TOGETHER = 5
_HASHES = 24

# The share of common hashes from which two texts count as the same post. One changed word in fifty leaves 0.8.
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class SentAgain:
    """A post that has been sent and would be sent again, because its id changed.

    source      its path in the posts folder now
    before      its path when it was sent
    old, new    its ids
    newsletter  name of the newsletter that has sent it
    """

    source: str
    before: str
    old: str
    new: str
    newsletter: str

    def problem(self, config: Config) -> Problem:
        """Return the problem, with the command that solves it."""
        path = in_folder(config.posts.folder, self.source)
        was = "" if self.source == self.before else f" from {in_folder(config.posts.folder, self.before)}"
        what = f"{self.newsletter} has sent this post{was}, and would send it again, because its id changed"
        hint = f"keep the id: publisher keep-id {path}; or send it again with `publisher publish --accept-new-ids`"
        return Problem(path, 1, f"{what}: {self.old} -> {self.new}", hint)


def sent_again(config: Config, store: Store | None, archive: Archive, names: Collection[str] = ()) -> list[SentAgain]:
    """Return the posts that newsletters (all, if `names` is empty) would send again under a new id. Writes nothing."""
    if store is None:
        return []
    found: dict[str, SentAgain] = {}
    unrecorded = {file.post_id: file for file in _unrecorded(config, store, archive)}
    for newsletter, name in ((each, stream.name) for each in config.newsletters for stream in streams_of(each)):
        if not names or newsletter.name in names or name in names:
            sent = store.post_files.sent_by(name)
            handled = store.editions.handled_posts(name)
            known = [*sent, *(file for post_id, file in unrecorded.items() if post_id in handled)]
            for each in _of_newsletter(newsletter, known, handled, archive):
                found.setdefault(each.source, each)
    return [found[source] for source in sorted(found)]


def held_posts(
    config: Config, store: Store | None, archive: Archive, names: Collection[str] = ()
) -> dict[str, Problem]:
    """Return the problems of the posts that `sent_again` finds, by source. Editions are made without these posts."""
    return {each.source: each.problem(config) for each in sent_again(config, store, archive, names)}


class SentAgainError(PublisherError):
    """A build would show sent posts under new ids. problems: one for each of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems

    def lines(self) -> list[str]:
        """Return a line for each post."""
        return [str(problem) for problem in self.problems]


def require_sent_ids(config: Config, archive: Archive) -> None:
    """Raise SentAgainError if sent posts have new ids under which they have not been published yet."""
    published = PublishedIds(config).ids()
    with open_existing_store(config) as store:
        found = sent_again(config, store, archive)
    if again := [each.problem(config) for each in found if published.get(each.source) != each.new]:
        raise SentAgainError(again)


def remember_files(config: Config, store: Store, archive: Archive) -> None:
    """Record the files of sent posts: those that are not recorded yet, and those that have changed."""
    ids = archive.all_ids()
    by_id = {post_id: source for source, post_id in ids.items()}
    files = _unrecorded(config, store, archive)
    for file in store.post_files.all():
        source = by_id.get(file.post_id, "")
        if source and not is_item(source) and (source, archive.digest_of(source)) != (file.source, file.digest):
            files.append(_file(config, archive, file.post_id, source))
    store.post_files.write(files)


def _unrecorded(config: Config, store: Store, archive: Archive) -> list[PostFile]:
    """Return the files of sent posts that are not recorded, from the posts and from the published ids."""
    missing = store.post_files.missing()
    if not missing:
        return []
    from publisher.store.post_files import PostFile  # not at the top: loads SQLAlchemy

    now = {post_id: source for source, post_id in archive.all_ids().items()}
    before = {post_id: source for source, post_id in PublishedIds(config).ids().items()}
    return [
        _file(config, archive, post_id, now[post_id]) if post_id in now else PostFile(post_id, before.get(post_id, ""))
        for post_id in sorted(missing)
    ]


def _file(config: Config, archive: Archive, post_id: str, source: str) -> PostFile:
    from publisher.store.post_files import PostFile  # not at the top: loads SQLAlchemy

    if is_item(source):
        return PostFile(post_id, "")  # the id of an item never changes
    return PostFile(post_id, source, archive.digest_of(source), " ".join(sorted(words_of(_text(archive, source)))))


def _of_newsletter(
    newsletter: NewsletterConfig, known: Sequence[PostFile], handled: Collection[str], archive: Archive
) -> Iterable[SentAgain]:
    ids = archive.all_ids()
    new = {source: post_id for source, post_id in ids.items() if post_id not in handled and not is_item(source)}
    there = set(ids.values())
    lost = {file.source: file for file in known if file.source and file.post_id not in there}
    if not lost or not new:
        return ()
    posts = {post.source: post for post in archive.load(new) if is_for(post, newsletter)}
    gone = [file for file in lost.values() if file.source not in ids and not (archive.folder / file.source).exists()]
    pairs = match_files(posts, lost, gone, lambda source: _new_text(archive, source))
    return [
        SentAgain(source, file.source, file.post_id, new[source], newsletter.name)
        for source, file in pairs.items()
        if _without_authority(file.post_id) != _without_authority(new[source])
    ]


def match_files(
    posts: Mapping[str, Post], lost: Mapping[str, PostFile], gone: Sequence[PostFile], text_of: Callable[[str], str]
) -> dict[str, PostFile]:
    """Return which of the sent posts each new post is, by the new post's path. A post that is really new is left out.

    posts    the posts whose ids the newsletter does not know, by path
    lost     the files of sent posts whose ids no post has any more, by path
    gone     the files among `lost` that have vanished
    text_of  returns the text of a post, by which a renamed file is recognised; "" if it must not be recognised
    """
    found = {source: lost[source] for source in posts if source in lost}
    others = {file.source: frozenset(file.words.split()) for file in gone if file.words}
    for source in posts:
        if source in found or not others:
            continue
        words = words_of(text_of(source))
        best = max(others, key=lambda before: likeness(words, others[before]))
        if likeness(words, others[best]) >= _ALIKE:
            found[source] = lost[best]
    return found


def words_of(text: str) -> frozenset[str]:
    """Return hashes that identify a text even after small changes: the lowest of all groups of consecutive words."""
    words = re.findall(r"\w+", text.casefold())
    groups = {" ".join(words[at : at + _TOGETHER]) for at in range(max(1, len(words) - _TOGETHER + 1))} - {""}
    hashes = sorted(hashlib.blake2b(group.encode(), digest_size=5).hexdigest() for group in groups)
    return frozenset(hashes[:_HASHES])


def likeness(one: Collection[str], other: Collection[str]) -> float:
    """Return how much two texts have in common, from 0 to 1, given the hashes of each."""
    lowest = sorted({*one, *other})[:_HASHES]
    return len([each for each in lowest if each in one and each in other]) / len(lowest) if lowest else 0.0


def _text(archive: Archive, source: str) -> str:
    from publisher.posts.front_matter.parsing import markdown_of  # not at the top: few runs find a new file

    try:
        return markdown_of(archive.read(source), fix_encoding=False)
    except (PublisherError, OSError):
        return ""


def _new_text(archive: Archive, source: str) -> str:
    """Return the text of a post whose id comes from its file; "" for one whose author wrote an id."""
    from publisher.posts.front_matter.post_id import written_id  # as in _text

    try:
        return "" if written_id(archive.read(source)) else _text(archive, source)
    except (PublisherError, OSError):
        return ""


def _without_authority(post_id: str) -> str:
    """Return a generated id without its authority, which a setting changes for all posts (see site/build/ids)."""
    return re.sub(r"^tag:[^:]*:", "", post_id)
