"""The files from which sent posts were made, by the id under which each post was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from publisher.store.database import Database
from publisher.store.tables import newsletter_posts, post_files


class PostFile(NamedTuple):
    """The file of a sent post, as it was when the program last saw it.

    source  its path in the posts folder; "" if it is not known
    digest  a hash that shows whether the file has changed since then
    words   an excerpt of its text by which the text is recognised elsewhere; "" if there is none
    """

    post_id: str
    source: str
    digest: str = ""
    words: str = ""


class PostFiles:
    """The table of files; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sent_by(self, newsletter: str) -> Sequence[PostFile]:
        """Return the recorded files of the posts that a newsletter has sent."""
        sent = sa.select(newsletter_posts.c.post_id).where(
            newsletter_posts.c.newsletter == newsletter, newsletter_posts.c.edition_id.is_not(None)
        )
        return self._select(post_files.c.post_id.in_(sent))

    def all(self) -> Sequence[PostFile]:
        """Return every recorded file."""
        return self._select(sa.true())

    def missing(self) -> frozenset[str]:
        """Return the ids of sent posts whose file is not recorded."""
        recorded = sa.select(post_files.c.post_id).where(post_files.c.post_id == newsletter_posts.c.post_id).exists()
        query = sa.select(newsletter_posts.c.post_id).where(
            newsletter_posts.c.edition_id.is_not(None), sa.not_(recorded)
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def write(self, files: Iterable[PostFile]) -> None:
        """Record files, replacing earlier records of the same posts."""
        rows = [file._asdict() for file in sorted(files)]
        if not rows:
            return
        with self._database.write() as connection:
            new = self._database.insert_new(post_files)
            for row in rows:
                same = post_files.c.post_id == row["post_id"]
                if connection.execute(new.values(row)).rowcount != 1:
                    connection.execute(sa.update(post_files).where(same).values(row))

    def _select(self, condition: sa.ColumnElement[bool]) -> Sequence[PostFile]:
        query = sa.select(post_files).where(condition).order_by(post_files.c.post_id)
        with self._database.read() as connection:
            return [PostFile(*row) for row in connection.execute(query)]
