"""Sources are fetched for seven simulated days: each gets one unconditional request, and none is too early."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

from benchmarks import sources
from publisher.config import Config, NewsletterConfig, Site, SourceConfig
from publisher.publishing.fetch_sources import fetch_sources
from publisher.publishing.wiring import Project
from publisher.store import Store
from tests.support.source_server import PUBLIC, AskedRequest, Internet, answer, source_server
from tests.support.store_samples import NOW

DAYS, STEP = 7, timedelta(minutes=55)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SLOT = datetime.fromisoformat("2026-11-23T10:00+00:00")
SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
# The elements of the channel, by the name of the source.
CHANNELS = {
    "ttl": "<ttl>120</ttl>",
    "sy": "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
    "hours": f"<ttl>120</ttl><skipHours>{''.join(f'<hour>{hour}</hour>' for hour in range(12))}</skipHours>",
    "days": "<ttl>120</ttl><skipDays><day>Saturday</day><day>Sunday</day></skipDays>",
    **dict.fromkeys(("modified", "busy", "full", "broken", "gone"), "<ttl>120</ttl>"),
}
# The shortest time between two requests, by the name of the source.
LEAST = {"age": 2 * HOUR, "expires": 3 * HOUR, "ttl": 2 * HOUR, "sy": 6 * HOUR, "modified": 2 * HOUR}


@dataclass
class Recorder:
    """The blogs, all on one server, with the requests to each and their times."""

    now: datetime = NOW
    asked: dict[str, list[tuple[datetime, AskedRequest, str]]] = field(default_factory=lambda: defaultdict(list))
    closed: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))

    def answering(self, name: str) -> Callable[[AskedRequest], bytes]:
        def made(request: AskedRequest) -> bytes:
            status, reply = self._reply(name, request)
            self.asked[name].append((self.now, request, status))
            return reply

        return made

    def tag(self, name: str) -> str:
        """Return the validator of the current document. It changes every other day."""
        return f'W/"{name}-{(self.now - NOW) // (2 * DAY)}"'

    def _reply(self, name: str, request: AskedRequest) -> tuple[str, bytes]:
        number = len(self.asked[name])
        if name in ("busy", "full") and number % 3 == 2:
            until = self.now + 5 * HOUR
            self.closed[name].append((self.now, until))
            wait = str(5 * 3600) if name == "busy" else format_datetime(until, usegmt=True)
            status = "429 Too Many Requests" if name == "busy" else "503 Service Unavailable"
            return status[:3], answer(status=status, Retry_After=wait)
        if name == "broken" and self.now - NOW > DAY:
            return "500", answer(status="500 Internal Server Error")
        if name == "gone" and self.now - NOW > 2 * DAY:
            return "410", answer(status="410 Gone")
        headers = {"Last_Modified" if name == "modified" else "ETag": self.tag(name), "Date": self._date()}
        if name == "age":
            headers |= {"Cache_Control": "public, max-age=9000, must-revalidate", "Age": "1800"}
        if name == "expires":
            headers["Expires"] = self._date(3 * HOUR)
        known = request.headers.get("if-modified-since" if name == "modified" else "if-none-match")
        if known == self.tag(name):
            return "304", answer(status="304 Not Modified", **headers)
        return "200", answer(feed(name, (self.now - NOW) // (2 * DAY)), **headers)

    def _date(self, later: timedelta = timedelta(0)) -> str:
        return format_datetime(self.now + later, usegmt=True)


def feed(name: str, number: int) -> bytes:
    items = "".join(
        f"<item><title>{name} {each}</title><link>http://{name}.test/{each}</link><guid>http://{name}.test/{each}</guid></item>"
        for each in range(number + 3)
    )
    head = f"<title>{name}</title><link>http://{name}.test/</link><description>x</description>{CHANNELS.get(name, '')}"
    return f'<?xml version="1.0"?><rss version="2.0" {SY}><channel>{head}{items}</channel></rss>'.encode()


NAMES = ("plain", "age", "expires", *CHANNELS, "weekly")


def a_week(store: Store, root: Path) -> Recorder:
    """Let a daemon that checks about once an hour, and before the slot, fetch all blogs for a week."""
    recorder = Recorder()
    blogs = tuple(SourceConfig(name=name, url=f"http://{name}.test/{name}") for name in NAMES)
    newsletter = NewsletterConfig(name="letter", schedule="weekly monday 10:00", sources=("weekly",))
    config = Config(
        root=root, site=Site(title="Notes", url="https://notes.example"), sources=blogs, newsletters=(newsletter,)
    )
    with source_server({f"/{name}": recorder.answering(name) for name in NAMES}) as server:
        network = Internet({f"{name}.test": [[PUBLIC]] for name in NAMES}, {PUBLIC: server.port}).network
        project = Project(config, store, lambda: recorder.now)
        while recorder.now < NOW + DAYS * DAY:
            fetch_sources(project, recorder.now, network=network)
            before = SLOT - 5 * MINUTE
            recorder.now = min(recorder.now + STEP, before if recorder.now < before else NOW + DAYS * DAY)
    return recorder


def test_every_server_is_fetched_at_its_pace_for_a_week(sqlite_store: Store, tmp_path: Path) -> None:
    recorder = a_week(sqlite_store, tmp_path)
    times = {name: [moment for moment, _, _ in asked] for name, asked in recorder.asked.items()}
    gaps = {name: [after - before for before, after in pairwise(found)] for name, found in times.items()}

    # Each gets one unconditional request, and after that requests with the validators of its last document.
    for name, asked in recorder.asked.items():
        header = "if-modified-since" if name == "modified" else "if-none-match"
        known = ""
        for moment, request, status in asked:
            assert request.headers.get(header, "") == known, (name, moment)
            known = request.headers.get(header, "") if status != "200" else f'W/"{name}-{(moment - NOW) // (2 * DAY)}"'
        assert "cookie" not in {each for _, request, _ in asked for each in request.headers}

    # None is asked too early, and none is forgotten.
    before_slot = {name: name == "weekly" for name in NAMES}
    for name, found in gaps.items():
        assert min(found) >= LEAST.get(name, 30 * MINUTE) or before_slot[name], name
    assert sorted(gaps["weekly"])[1] >= 30 * MINUTE
    assert SLOT - 5 * MINUTE in times["weekly"]
    assert max(gaps["plain"]) <= HOUR + STEP
    assert all(moment.hour >= 12 for moment in times["hours"][1:])
    assert all(moment.weekday() < 5 for moment in times["days"][1:])
    for name, closed in recorder.closed.items():
        assert len(closed) >= 3
        assert not [moment for start, end in closed for moment in times[name] if start < moment < end], name
    assert max(gaps["broken"]) <= 6.6 * HOUR + STEP
    assert [status for *_, status in recorder.asked["gone"]].count("410") == 1
    assert len(times["age"]) >= DAYS * 8
    assert {len(sqlite_store.sources.items(name)) for name in ("plain", "age", "sy")} == {6}


def test_many_unchanged_sources_get_one_conditional_request_each(tmp_path: Path) -> None:
    """A small run of benchmarks/sources.py, which measures a thousand."""
    with sources.serving() as blogs:
        sources.write_project(tmp_path / "many", 6, blogs.port)
        sources.fetch(tmp_path / "many", sources.NOW)
        sources.begin(tmp_path / "many")
        sources.fetch(tmp_path / "many", sources.NOW + HOUR)
        assert dict(blogs.statuses) == {200: 6, 304: 6}
        blogs.items = 9
        sources.fetch(tmp_path / "many", sources.NOW + 2 * HOUR)
        sources.make_letter(tmp_path / "many")
    assert json.loads((tmp_path / "many/letter.json").read_text("utf-8"))["posts"] == 54
