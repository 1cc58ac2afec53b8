"""The rows of sources and their items as values: encoding JSON for the columns, and decoding it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from publisher.core.models import Author, Enclosure, Episode, Image
from publisher.core.source_models import FeedItem, FeedPace
from publisher.core.source_records import HubLease, ItemKeys, KnownItem, SourceState, StoredItem

# The fields of SourceState that have columns of their own, because queries look at them.
_COLUMNS = ("name", "url", "next_at", "asked_at", "claim", "closed_until", "revision")
_TIMES = ("fetched_at", "first_fetched_at", "failing_since", "ended_at", "held_at")


def storable(text: str) -> str:
    """Return a text without the characters that a database refuses: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def encode_state(state: SourceState) -> dict[str, Any]:
    """Return the columns of a source that depend on an answer."""
    rest = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in _COLUMNS}
    pace = {
        "minutes": state.pace.minutes,
        "skip_hours": sorted(state.pace.skip_hours),
        "skip_days": sorted(state.pace.skip_days),
    }
    # Usual values are left out: most sources have never failed, moved or ended.
    text = json.dumps({name: value for name, value in (rest | {"pace": pace}).items() if value}, default=_plain)
    return {"next_at": state.next_at, "closed_until": state.closed_until, "state": text}


def decode_state(row: Row[Any]) -> SourceState:
    """Return a row of the table of sources as a SourceState. A key that this version doesn't know is ignored."""
    known = {field.name for field in fields(SourceState)}
    stored = {name: value for name, value in json.loads(row.state).items() if name in known}
    pace = stored.get("pace") or {}
    stored |= {name: datetime.fromisoformat(stored[name]) for name in _TIMES if stored.get(name)}
    stored |= {name: tuple(stored[name]) for name in ("listed", "problems") if name in stored}
    stored["pace"] = FeedPace(
        pace.get("minutes", 0), frozenset(pace.get("skip_hours", ())), frozenset(pace.get("skip_days", ()))
    )
    return SourceState(**{name: getattr(row, name) for name in _COLUMNS}, **stored)


def encode_hub(lease: HubLease | None) -> str:
    """Return the lease of a hub as JSON; "" if there is none."""
    return json.dumps(asdict(lease), default=_plain) if lease else ""


def decode_hub(text: str) -> HubLease | None:
    """Return the lease that `encode_hub` encoded."""
    if not text:
        return None
    stored = json.loads(text)
    times = {name: datetime.fromisoformat(stored[name]) for name in ("asked_at", "lease_until") if stored[name]}
    return HubLease(**(stored | times))


def encode_item(item: FeedItem) -> dict[str, Any]:
    """Return the columns of an item that depend on its feed."""
    stored = {field.name: getattr(item, field.name) for field in fields(item) if field.name != "html"}
    plain = {
        **stored,
        "authors": [asdict(author) for author in item.authors],
        "enclosures": [asdict(enclosure) for enclosure in item.enclosures],
        "image": asdict(item.image) if item.image else None,
        "episode": asdict(item.episode) if item.episode else None,
    }
    text = json.dumps({name: value for name, value in plain.items() if value}, default=_plain)
    return {"data": text, "html": storable(item.html), "published_at": item.published}


def decode_item(text: str) -> FeedItem:
    """Return the item that `encode_item` encoded, without its HTML."""
    stored = json.loads(text)
    return FeedItem(
        guid=stored.get("guid", ""),
        link=stored.get("link", ""),
        title=stored.get("title", ""),
        summary=stored.get("summary", ""),
        authors=tuple(Author(**author) for author in stored.get("authors", ())),
        categories=tuple(stored.get("categories", ())),
        published=_moment(stored, "published"),
        updated=_moment(stored, "updated"),
        image=Image(**stored["image"]) if "image" in stored else None,
        enclosures=tuple(Enclosure(**enclosure) for enclosure in stored.get("enclosures", ())),
        episode=_episode(stored["episode"]) if "episode" in stored else None,
        language=stored.get("language", ""),
    )


def stored_item(row: Row[Any]) -> StoredItem:
    """Return a row of the table of items, with the length of its HTML as `size`."""
    return StoredItem(
        row.number,
        row.source,
        row.post_id,
        decode_item(row.data),
        row.digest,
        row.size,
        row.first_seen_at,
        row.changed_at,
        row.gone_at,
        row.skipped_at,
        row.is_backlog,
        row.is_suspect,
        row.revision,
        row.is_old,
    )


def known_item(row: Row[Any]) -> KnownItem:
    """Return the part of a row that is needed to recognise its item."""
    return KnownItem(
        row.number,
        row.post_id,
        ItemKeys(row.guid_key, row.link_key, row.title_key),
        row.digest,
        row.published_at,
        row.first_seen_at,
        row.gone_at is not None,
    )


def _episode(stored: Mapping[str, Any]) -> Episode:
    return Episode(**{**stored, "transcripts": tuple((url, kind) for url, kind in stored.get("transcripts", ()))})


def _moment(stored: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(stored[name]) if name in stored else None


def _plain(value: Any) -> str:
    """Return a datetime as JSON can represent it."""
    return str(value.isoformat())
