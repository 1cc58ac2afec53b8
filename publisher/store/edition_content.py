"""The content of editions: their posts, and their letters with the posts in each.

The functions work inside the caller's transaction.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Edition, EditionDraft, EditionPost, Letter
from publisher.store.tables import edition_posts, letter_posts, letters


def insert_content(connection: Connection, edition: Edition, draft: EditionDraft) -> None:
    """Write the posts and letters of an edition that has just been made."""
    for position, post in enumerate(draft.posts):
        row = {"edition_id": edition.id, "position": position, "post_id": post.id}
        connection.execute(sa.insert(edition_posts).values(row | {"title": post.title, "url": post.url}))
    for letter in draft.letters:
        connection.execute(
            sa.insert(letters).values(
                edition_id=edition.id,
                variant=letter.variant,
                subject=letter.subject,
                preheader=letter.preheader,
                html=letter.html,
                text=letter.text,
            )
        )
        own = letter.posts or tuple(post.id for post in draft.posts)
        rows = [{"edition_id": edition.id, "variant": letter.variant, "post_id": each} for each in dict.fromkeys(own)]
        if rows:
            connection.execute(sa.insert(letter_posts), rows)


def posts_of(connection: Connection, edition_ids: list[int]) -> dict[int, list[EditionPost]]:
    """Return the posts of some editions in their order, by the id of the edition."""
    query = (
        sa.select(edition_posts)
        .where(edition_posts.c.edition_id.in_(edition_ids))
        .order_by(edition_posts.c.edition_id, edition_posts.c.position)
    )
    posts: dict[int, list[EditionPost]] = {}
    for row in connection.execute(query):
        posts.setdefault(row.edition_id, []).append(EditionPost(row.post_id, row.title, row.url))
    return posts


def letter_of(row: Row[Any]) -> Letter:
    """Return a row of the table `letters` as a letter."""
    return Letter(row.variant, row.subject, row.preheader, row.html, row.text)
